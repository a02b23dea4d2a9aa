//! A source, a repository and a catalog that outlive the process that backs up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use engine::backup::{BackupContext, BackupReport, BackupRequest, backup};
use engine::coordinator::{Beat, Coordinator, IndexRow, Pace, Rows, SnapshotInfo};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Connector, Event, Reporter, Resumed, Secret};
use object_store::memory::InMemory;
use repository::{Holder, InitOptions, PruneOptions, Repository, Snapshot};
use service::http::{Auth, Options};
use service::{Client, Service};

use crate::world::{self, Shared, World};

/// A second passes whenever someone looks.
struct Ticks(Mutex<Timestamp>);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(1);
        *now
    }
}

struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: Event) {}
}

#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) rows: Vec<Vec<IndexRow>>,
    pub(crate) checkpoint: Option<String>,
    pub(crate) made: usize,
    pub(crate) resumed: Vec<Resumed>,
}

#[derive(Default)]
struct Control(Mutex<Catalog>);

#[async_trait]
impl Coordinator for Control {
    fn pace(&self) -> Option<Pace> {
        Some(Pace {
            least: Duration::ZERO,
            rest: 0,
            requests: 0,
            percent: 0,
        })
    }

    async fn left(&self) -> engine::Result<Option<String>> {
        Ok(self.0.lock().unwrap().checkpoint.clone())
    }

    async fn resumed(&self, from: &Resumed) -> engine::Result<()> {
        self.0.lock().unwrap().resumed.push(from.clone());
        Ok(())
    }

    async fn checkpoint(&self, text: Option<&str>) -> engine::Result<()> {
        let mut catalog = self.0.lock().unwrap();
        catalog.made += usize::from(text.is_some());
        catalog.checkpoint = text.map(str::to_owned);
        Ok(())
    }

    async fn beat(&self) -> engine::Result<Beat> {
        Ok(Beat { cancel: false })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        Ok(())
    }

    async fn index(&self, _snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        let mut all = Vec::new();
        while let Some(row) = rows.next().await? {
            all.push(row);
        }
        self.0.lock().unwrap().rows.push(all);
        Ok(())
    }
}

pub(crate) struct Harness {
    world: Shared,
    pub(crate) service: &'static Service,
    pub(crate) repository: Repository,
    control: Control,
    clock: Arc<dyn Clock>,
    work: tempfile::TempDir,
    pub(crate) full: bool,
    pub(crate) selection: BTreeSet<String>,
    runs: usize,
}

/// Scopes that vanish without a word, and large drops, are believed: they are not what these tests are about.
fn accepted() -> BTreeSet<String> {
    ["project", "note", "log"].map(str::to_owned).into()
}

impl Harness {
    pub(crate) async fn new() -> Self {
        Self::of(Shared::default()).await
    }

    /// The same source, backed up by somebody who starts now.
    pub(crate) async fn fresh_repository(&self) -> Self {
        Self::of(Arc::clone(&self.world)).await
    }

    async fn of(world: Shared) -> Self {
        let clock: Arc<dyn Clock> =
            Arc::new(Ticks(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap())));
        let options = InitOptions {
            created: clock.now(),
            hostname: "test".to_owned(),
            username: "test".to_owned(),
        };
        let store = Arc::new(InMemory::new());
        let repository = Repository::init(store, &Secret::new("secret"), &options).await;
        Self {
            service: world::service(&world),
            world,
            repository: repository.unwrap(),
            control: Control::default(),
            clock,
            work: tempfile::tempdir().unwrap(),
            full: false,
            selection: BTreeSet::new(),
            runs: 0,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.control.0.lock().unwrap()
    }

    /// Removes what no snapshot names.
    pub(crate) async fn prune(&self) {
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let options = PruneOptions {
            grace: SignedDuration::ZERO,
            ..PruneOptions::default()
        };
        let pruned = self.repository.prune(&holder, &options, &Silent).await;
        let report = pruned.unwrap();
        assert!(report.blobs_removed > 0, "{report:?}");
    }

    /// Removes what neither a snapshot nor the checkpoint's own tree names: the contents that its records name are gone.
    pub(crate) async fn keep_checkpoint_alone(&self, text: &str) {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let tree = value["tree"].as_str().unwrap().parse().unwrap();
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let lock = self.repository.lock_shared(&holder).await.unwrap();
        let snapshot = Snapshot::new(self.clock.now(), tree);
        let id = self.repository.writer().commit(&snapshot, &lock).await;
        lock.release().await.unwrap();
        self.prune().await;
        self.repository.forget(&[id.unwrap()]).await.unwrap();
    }

    /// A backup that ends at this request, counted from now, unless it is through before.
    pub(crate) async fn killed_at(&mut self, request: u64) -> Option<engine::Result<BackupReport>> {
        let killed = {
            let mut world = self.world();
            world.last = Some(world.requests + request);
            Arc::clone(&world.killed)
        };
        let ended = tokio::select! {
            report = self.backup() => Some(report),
            () = killed.notified() => None,
        };
        self.world().last = None;
        // Its lock goes with it.
        self.repository.close().await;
        ended
    }

    pub(crate) async fn backup(&mut self) -> engine::Result<BackupReport> {
        self.runs += 1;
        let client = Client::new(Options {
            hosts: BTreeMap::new(),
            auth: Auth::Pat(Secret::new("none")),
            user_agent: "test".to_owned(),
            attempts: 1,
            max_wait: Duration::ZERO,
            timeout: Duration::from_secs(1),
            max_body: 1,
            observer: None,
        })
        .unwrap();
        let cx = BackupContext {
            service: self.service,
            client: &client,
            repository: &self.repository,
            coordinator: &self.control,
            clock: &self.clock,
            reporter: &Silent,
        };
        let request = BackupRequest {
            connector: Connector {
                name: "contoso".to_owned(),
                service: "fake".to_owned(),
                organization: "Contoso".to_owned(),
                url: None,
                method: "pat".to_owned(),
                credential: "none".to_owned(),
                ..Connector::default()
            },
            url: "https://example.invalid/contoso".to_owned(),
            run: format!("run {}", self.runs),
            job: "job".to_owned(),
            token: 1,
            selection: self.selection.clone(),
            picks: model::Picks::default(),
            accept_deletions: accepted(),
            full: self.full,
            work: self.work.path().to_owned(),
        };
        Box::pin(backup(&cx, &request)).await
    }

    /// Every file of the snapshot but its own description.
    pub(crate) async fn files(&self, report: &BackupReport) -> BTreeMap<String, String> {
        let snapshot = self.repository.snapshot(report.snapshot).await.unwrap();
        let mut files = BTreeMap::new();
        let mut walk = std::pin::pin!(self.repository.walk(snapshot.tree, ""));
        while let Some(entry) = walk.next().await {
            let (path, node) = entry.unwrap();
            if node.is_file() && path != "source.json" {
                let bytes = self.repository.read(&node).await.unwrap();
                files.insert(path, String::from_utf8(bytes.to_vec()).unwrap());
            }
        }
        files
    }
}
