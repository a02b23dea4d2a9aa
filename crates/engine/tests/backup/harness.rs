//! One source, one repository, and what the catalog would have been told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use engine::backup::{BackupContext, BackupReport, BackupRequest, backup};
use engine::coordinator::{Beat, Coordinator, IndexRow, Rows, SnapshotInfo};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Connector, Event, Reporter, Secret};
use object_store::memory::InMemory;
use repository::{InitOptions, Repository};
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
struct Catalog(Mutex<Vec<Vec<IndexRow>>>);

#[async_trait]
impl Coordinator for Catalog {
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
        self.0.lock().unwrap().push(all);
        Ok(())
    }
}

pub(crate) struct Harness {
    world: Shared,
    pub(crate) service: &'static Service,
    pub(crate) repository: Repository,
    catalog: Catalog,
    clock: Arc<dyn Clock>,
    work: tempfile::TempDir,
    pub(crate) selection: BTreeSet<String>,
    pub(crate) accept: BTreeSet<String>,
}

impl Harness {
    pub(crate) async fn new() -> Self {
        let world = Shared::default();
        world.lock().unwrap().apply(&[]);
        Self::of(world).await
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
        let repository =
            Repository::init(Arc::new(InMemory::new()), &Secret::new("secret"), &options)
                .await
                .unwrap();
        Self {
            service: world::service(&world),
            world,
            repository,
            catalog: Catalog::default(),
            clock,
            work: tempfile::tempdir().unwrap(),
            selection: BTreeSet::new(),
            accept: BTreeSet::new(),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// The rows of each run.
    pub(crate) fn rows(&self) -> Vec<Vec<IndexRow>> {
        self.catalog.0.lock().unwrap().clone()
    }

    pub(crate) async fn backup(&mut self) -> engine::Result<BackupReport> {
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
            coordinator: &self.catalog,
            clock: &self.clock,
            reporter: &Silent,
        };
        let connector = Connector {
            name: "contoso".to_owned(),
            service: "fake".to_owned(),
            organization: "Contoso".to_owned(),
            url: None,
            method: "pat".to_owned(),
            credential: "none".to_owned(),
            ..Connector::default()
        };
        let request = BackupRequest {
            connector,
            url: "https://example.invalid/contoso".to_owned(),
            run: "run".to_owned(),
            job: "job".to_owned(),
            token: 1,
            selection: self.selection.clone(),
            picks: model::Picks::default(),
            accept_deletions: self.accept.clone(),
            full: false,
            work: self.work.path().to_owned(),
        };
        Box::pin(backup(&cx, &request)).await
    }

    /// Every file of the snapshot but its own description.
    pub(crate) async fn files(&self, report: &BackupReport) -> BTreeMap<String, Vec<u8>> {
        let tree = self
            .repository
            .snapshot(report.snapshot)
            .await
            .unwrap()
            .tree;
        let mut files = BTreeMap::new();
        let mut walk = std::pin::pin!(self.repository.walk(tree, ""));
        while let Some(entry) = walk.next().await {
            let (path, node) = entry.unwrap();
            if node.is_file() && path != "source.json" {
                files.insert(path, self.repository.read(&node).await.unwrap().to_vec());
            }
        }
        files
    }
}
