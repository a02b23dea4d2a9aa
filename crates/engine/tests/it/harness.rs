//! A source, a repository and a catalog that outlive the process that backs up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use engine::backup::{BackupContext, BackupReport, BackupRequest, backup};
use engine::coordinator::{Beat, Coordinator, IndexRow, Pace, Rows, SnapshotInfo};
use engine::rebuild::{self, DiffRows};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Event, Reporter, Resumed, Silent};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{Holder, Node, NodeType, PruneOptions, Repository, Snapshot, TreeEditor, TreeId};
use service::Service;

use crate::quick;
use crate::stand_in::{Ticks, client, request};
use crate::world::{self, Change, Shared, World};

/// Time stands still.
pub(crate) struct At(pub(crate) Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// So many notes in the first project.
pub(crate) fn notes(count: u8) -> Vec<Change> {
    (0..count).map(|id| Change::Note(0, id)).collect()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

#[derive(Default)]
pub(crate) struct Catalog {
    /// Without one there are no checkpoints.
    pub(crate) pace: Option<Pace>,
    /// Of each run.
    pub(crate) rows: Vec<Vec<IndexRow>>,
    pub(crate) checkpoint: Option<String>,
    pub(crate) resumed: Vec<Resumed>,
    /// Another worker has the job by now.
    pub(crate) superseded: bool,
    /// So long it takes to list a snapshot.
    pub(crate) slow: Duration,
}

#[derive(Default)]
struct Control(Mutex<Catalog>);

#[async_trait]
impl Coordinator for Control {
    fn pace(&self) -> Option<Pace> {
        self.0.lock().unwrap().pace
    }

    async fn left(&self) -> engine::Result<Option<String>> {
        Ok(self.0.lock().unwrap().checkpoint.clone())
    }

    async fn resumed(&self, from: &Resumed) -> engine::Result<()> {
        self.0.lock().unwrap().resumed.push(from.clone());
        Ok(())
    }

    async fn checkpoint(&self, text: Option<&str>) -> engine::Result<()> {
        self.0.lock().unwrap().checkpoint = text.map(str::to_owned);
        Ok(())
    }

    async fn beat(&self) -> engine::Result<Beat> {
        Ok(Beat { cancel: false })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        if self.0.lock().unwrap().superseded {
            return Err(engine::Error::Control {
                code: "job-superseded",
                message: "another worker has it".to_owned(),
            });
        }
        Ok(())
    }

    async fn index(&self, _snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        let slow = self.0.lock().unwrap().slow;
        tokio::time::sleep(slow).await;
        let mut all = Vec::new();
        while let Some(row) = rows.next().await? {
            all.push(row);
        }
        self.0.lock().unwrap().rows.push(all);
        Ok(())
    }
}

impl Ticks {
    pub(crate) fn set(&self, time: &str) {
        *self.0.lock().unwrap() = time.parse().unwrap();
    }
}

/// What a run has reported.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<Event>>);

impl Reporter for Heard {
    fn report(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Heard {
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

pub(crate) struct Harness {
    pub(crate) heard: Heard,
    world: Shared,
    pub(crate) service: &'static Service,
    pub(crate) repository: Repository,
    pub(crate) store: Arc<dyn ObjectStore>,
    control: Control,
    pub(crate) ticks: Arc<Ticks>,
    clock: Arc<dyn Clock>,
    work: tempfile::TempDir,
    pub(crate) full: bool,
    pub(crate) selection: BTreeSet<String>,
    pub(crate) accept: BTreeSet<String>,
    /// Where the source is.
    pub(crate) url: String,
    runs: usize,
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
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        quick::make(store.as_ref()).await;
        let ticks = Arc::new(Ticks::new());
        let work = tempfile::tempdir().unwrap();
        Self {
            url: request(work.path()).url,
            service: world::service(&world),
            world,
            repository: quick::open(&store).await.unwrap(),
            store,
            control: Control::default(),
            clock: Arc::clone(&ticks) as Arc<dyn Clock>,
            ticks,
            work,
            full: false,
            selection: BTreeSet::new(),
            accept: BTreeSet::new(),
            heard: Heard::default(),
            runs: 0,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn catalog(&self) -> MutexGuard<'_, Catalog> {
        self.control.0.lock().unwrap()
    }

    /// Bits flip in all contents of a snapshot; its trees and its own description stay whole.
    pub(crate) async fn damage_contents(&mut self, tree: TreeId) {
        let folder = Path::from("data");
        let packs: Vec<_> = self.store.list(Some(&folder)).collect().await;
        for pack in packs {
            let at = pack.unwrap().location;
            let whole = self.store.get(&at).await.unwrap().bytes().await.unwrap();
            let mut bytes = whole.to_vec();
            // Every blob is longer than that.
            for byte in (0..bytes.len()).step_by(16) {
                bytes[byte] ^= 1;
                self.store.put(&at, bytes.clone().into()).await.unwrap();
                if !self.is_described(tree).await {
                    bytes[byte] ^= 1;
                }
            }
            self.store.put(&at, bytes.into()).await.unwrap();
        }
        self.repository = quick::open(&self.store).await.unwrap();
    }

    /// Bits flip in the tree of one folder of a snapshot, and nowhere else; answers its id.
    pub(crate) async fn damage_folder(&mut self, report: &BackupReport, path: &str) -> TreeId {
        let root = self.repository.snapshot(report.snapshot).await.unwrap();
        let found = self.repository.find(root.tree, path).await.unwrap();
        let tree = found.unwrap().subtree.unwrap();
        let folder = Path::from("data");
        let packs: Vec<_> = self.store.list(Some(&folder)).collect().await;
        for pack in packs {
            let at = pack.unwrap().location;
            let whole = self.store.get(&at).await.unwrap().bytes().await.unwrap();
            for byte in (0..whole.len()).step_by(16) {
                let mut bytes = whole.to_vec();
                bytes[byte] ^= 1;
                self.store.put(&at, bytes.into()).await.unwrap();
                self.repository = quick::open(&self.store).await.unwrap();
                if self.repository.tree(tree).await.is_err() {
                    return tree;
                }
            }
            self.store.put(&at, whole.into()).await.unwrap();
        }
        panic!("{path} lies in no pack");
    }

    /// Another program writes the newest snapshot of the source: what it saw where a file lay is a symlink.
    pub(crate) async fn displace(&mut self, report: &BackupReport, path: &str) {
        let before = self.repository.snapshot(report.snapshot).await.unwrap();
        let node = self.repository.find(before.tree, path).await.unwrap();
        let link = Node {
            node_type: NodeType::Symlink,
            link_target: Some("elsewhere".to_owned()),
            content: None,
            ..node.unwrap()
        };
        let mut writer = self.repository.writer();
        let mut editor = TreeEditor::new(&mut writer, Some(before.tree));
        editor.put(path, link).await.unwrap();
        let tree = editor.finish().await.unwrap();
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let lock = self.repository.lock_shared(&holder).await.unwrap();
        let snapshot = Snapshot {
            tags: before.tags,
            username: "ada".to_owned(),
            ..Snapshot::new(before.time + SignedDuration::from_secs(1), tree)
        };
        writer.commit(&snapshot, &lock).await.unwrap();
        lock.release().await.unwrap();
    }

    async fn is_described(&self, tree: TreeId) -> bool {
        let repository = quick::open(&self.store).await.unwrap();
        let walked: Vec<_> = repository.walk(tree, "").collect().await;
        if !walked.iter().all(Result::is_ok) {
            return false;
        }
        let node = repository.find(tree, "source.json").await.unwrap();
        repository.read(&node.unwrap()).await.is_ok()
    }

    /// The index forgets what cannot be read.
    pub(crate) async fn repair_index(&mut self) {
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let lock = self.repository.lock_exclusive(&holder).await.unwrap();
        let repository = &self.repository;
        repository.repair_index(&lock, true, false).await.unwrap();
        lock.release().await.unwrap();
        self.repository = quick::open(&self.store).await.unwrap();
    }

    /// What a person does about damage: the index first, then the snapshots.
    pub(crate) async fn repair(&mut self) {
        self.repair_index().await;
        let holder = Holder::new("test", Arc::clone(&self.clock));
        let lock = self.repository.lock_exclusive(&holder).await.unwrap();
        let repository = &self.repository;
        repository
            .repair_snapshots(&lock, false, false)
            .await
            .unwrap();
        lock.release().await.unwrap();
        self.repository = quick::open(&self.store).await.unwrap();
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
        let cx = BackupContext {
            service: self.service,
            client: &client(),
            repository: &self.repository,
            coordinator: &self.control,
            clock: &self.clock,
            reporter: &self.heard,
        };
        let request = BackupRequest {
            run: format!("run {}", self.runs),
            selection: self.selection.clone(),
            accept_deletions: self.accept.clone(),
            full: self.full,
            url: self.url.clone(),
            ..request(self.work.path())
        };
        Box::pin(backup(&cx, &request)).await
    }

    /// Every file of the snapshot but its own description.
    pub(crate) async fn files(&self, report: &BackupReport) -> BTreeMap<String, Vec<u8>> {
        let snapshot = self.repository.snapshot(report.snapshot).await.unwrap();
        let mut files = BTreeMap::new();
        let mut walk = std::pin::pin!(self.repository.walk(snapshot.tree, ""));
        while let Some(entry) = walk.next().await {
            let (path, node) = entry.unwrap();
            if node.is_file() && path != "source.json" {
                files.insert(path, self.repository.read(&node).await.unwrap().to_vec());
            }
        }
        files
    }

    /// A catalog that lists this snapshot first lists items of these names.
    pub(crate) async fn assert_rows_of(&self, snapshot: repository::SnapshotId, names: &[&str]) {
        let snapshot = self.repository.snapshot(snapshot).await.unwrap();
        let mut rows = DiffRows::new(&self.repository, self.service, None, snapshot.tree);
        let mut told = Vec::new();
        while let Some(row) = rows.next().await.unwrap() {
            told.push(row.name);
        }
        told.sort();
        assert_eq!(told, names);
    }

    /// What the catalog was told of each snapshot is what the repository says.
    pub(crate) async fn assert_rows_can_be_made_again(&self) {
        let known = BTreeMap::new();
        let sources = rebuild::sources(&self.repository, self.service, &known).await;
        let snapshots: Vec<_> = sources.unwrap().into_values().flatten().collect();
        let told = self.catalog().rows.clone();
        assert_eq!(snapshots.len(), told.len());
        let mut before = None;
        for ((_, snapshot), mut live) in snapshots.iter().zip(told) {
            let mut rows = DiffRows::new(&self.repository, self.service, before, snapshot.tree);
            let mut rebuilt = Vec::new();
            while let Some(row) = rows.next().await.unwrap() {
                rebuilt.push(row);
            }
            rebuilt.sort_by(|a, b| a.path.cmp(&b.path));
            live.sort_by(|a, b| a.path.cmp(&b.path));
            assert_eq!(rebuilt, live);
            before = Some(snapshot.tree);
        }
    }
}
