//! Repositories, clocks and the `restic` binary for tests.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fault_store::{FaultStore, Plan};
use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
pub(crate) use model::Silent;
use model::{Clock, Secret};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{
    Holder, InitOptions, Limit, Node, PruneOptions, Repository, Snapshot, TreeId, store_from,
};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

impl TestClock {
    /// restic compares the time in locks with the real time.
    pub(crate) fn real() -> Arc<Self> {
        let now = Timestamp::try_from(
            std::fs::metadata(tempfile::tempdir().unwrap().path())
                .unwrap()
                .modified()
                .unwrap(),
        );
        Arc::new(Self(Mutex::new(now.unwrap())))
    }

    pub(crate) fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text)
}

pub(crate) fn options() -> InitOptions {
    InitOptions {
        created: time(0),
        hostname: "test-host".to_owned(),
        username: "keepward".to_owned(),
    }
}

pub(crate) fn time(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

/// Waits for nobody.
pub(crate) fn holder(clock: &Arc<TestClock>) -> Holder {
    Holder::new("keepward", Arc::clone(clock) as Arc<dyn Clock>).with_patience(Duration::ZERO)
}

/// Frees all that can be freed, however young it is.
pub(crate) fn everything() -> PruneOptions {
    PruneOptions {
        max_unused: Limit::Bytes(0),
        max_repack_bytes: None,
        grace: SignedDuration::ZERO,
    }
}

pub(crate) async fn prune(repository: &Repository) -> repository::PruneReport {
    let holder = holder(&TestClock::real());
    repository
        .prune(&holder, &everything(), &Silent)
        .await
        .unwrap()
}

/// A store with faults around another one, whose time is that of the clock.
pub(crate) fn faulty(
    store: &Arc<dyn ObjectStore>,
    clock: &Arc<TestClock>,
    plan: Plan,
) -> FaultStore {
    let clock = Arc::clone(clock);
    let faulty = FaultStore::new(Arc::clone(store), Arc::new(move || clock.now().into()));
    faulty.arm(plan);
    faulty
}

/// As a process sees it that is killed after so many writes and removals.
pub(crate) fn after(writes: u64) -> Plan {
    Plan {
        writes: Some(writes),
        ..Plan::default()
    }
}

pub(crate) async fn in_memory() -> (Repository, Arc<dyn ObjectStore>) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    (
        Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
            .await
            .unwrap(),
        store,
    )
}

pub(crate) struct OnDisk {
    pub(crate) repository: Repository,
    pub(crate) folder: TempDir,
}

impl OnDisk {
    pub(crate) async fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store_from(folder.path().join("repo").to_str().unwrap()).unwrap();
        let repository = Repository::init(store, &secret(PASSWORD), &options())
            .await
            .unwrap();
        Self { repository, folder }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("repo")
    }

    /// As another process would see it: with an empty index.
    pub(crate) async fn reopen(&self) -> Repository {
        open(&self.path()).await.unwrap()
    }

    /// The files in a folder of the repository, at any depth.
    pub(crate) fn files(&self, folder: &str) -> Vec<std::path::PathBuf> {
        let (mut folders, mut files) = (vec![self.path().join(folder)], Vec::new());
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files
    }

    pub(crate) fn size(&self) -> u64 {
        let files = self.files("");
        files
            .iter()
            .map(|file| file.metadata().unwrap().len())
            .sum()
    }

    /// Makes everything two hours older.
    pub(crate) fn age(&self) {
        for path in self.files("") {
            let file = std::fs::File::options().append(true).open(path).unwrap();
            let modified = file.metadata().unwrap().modified().unwrap();
            file.set_modified(modified - Duration::from_hours(2))
                .unwrap();
        }
    }

    pub(crate) fn restic(&self, arguments: &[&str]) -> String {
        restic(&self.path(), PASSWORD, arguments)
    }
}

pub(crate) async fn open(path: &Path) -> repository::Result<Repository> {
    Repository::open(
        store_from(path.to_str().unwrap()).unwrap().0,
        &secret(PASSWORD),
    )
    .await
}

/// As another process would see it: with an empty index.
pub(crate) async fn opened(store: Arc<dyn ObjectStore>) -> Repository {
    Repository::open(store, &secret(PASSWORD)).await.unwrap()
}

/// The repository as it is when a tree has lost its bytes: the first of them that make it unreadable flip.
pub(crate) async fn without_blob(store: &Arc<dyn ObjectStore>, tree: TreeId) -> Repository {
    let packs: Vec<_> = store
        .list(Some(&object_store::path::Path::from("data")))
        .try_collect()
        .await
        .unwrap();
    for pack in packs {
        let whole = store.get(&pack.location).await.unwrap();
        let whole = whole.bytes().await.unwrap().to_vec();
        for at in (0..whole.len()).step_by(16) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            store.put(&pack.location, bytes.into()).await.unwrap();
            let repository = opened(Arc::clone(store)).await;
            if repository.tree(tree).await.is_err() {
                return repository;
            }
        }
        store.put(&pack.location, whole.into()).await.unwrap();
    }
    panic!("no byte of any pack belongs to tree {tree}");
}

/// Files by path, in any order.
pub(crate) async fn commit(
    repository: &Repository,
    parent: Option<TreeId>,
    files: &[(&str, &[u8])],
) -> Snapshot {
    let clock = TestClock::real();
    let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
    let mut writer = repository.writer();
    let mut sorted = files.to_vec();
    sorted.sort_by_key(|(path, _)| path.split('/').map(str::to_owned).collect::<Vec<_>>());
    let mut changes = Vec::new();
    for (path, bytes) in sorted {
        let content = writer.bytes(bytes).await.unwrap();
        let node = Node::file("", content, time(i64::try_from(bytes.len()).unwrap()));
        let path = path.split('/').map(str::to_owned).collect();
        changes.push(repository::Change {
            path,
            op: repository::Op::Put(Box::new(node)),
        });
    }
    let tree = writer.update(parent, changes).await.unwrap();
    let snapshot = Snapshot {
        hostname: "contoso".to_owned(),
        paths: vec!["/contoso".to_owned()],
        ..Snapshot::new(time(0), tree)
    };
    writer.commit(&snapshot, &lock).await.unwrap();
    lock.release().await.unwrap();
    snapshot
}

/// Bytes that do not compress, the same for the same seed.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let parts = (0_u64..)
        .flat_map(|n| repository::Id::of(&[seed.to_le_bytes(), n.to_le_bytes()].concat()).0);
    parts.take(len).collect()
}

pub(crate) fn run_restic(repository: &Path, password: &str, arguments: &[&str]) -> Output {
    Command::new("restic")
        .args(["--no-cache", "-r", repository.to_str().unwrap()])
        .args(arguments)
        .env("RESTIC_PASSWORD", password)
        .output()
        .unwrap_or_else(|error| {
            panic!("the `restic` binary is needed for this test (apt-get install restic): {error}")
        })
}

/// Output of a `restic` command that must succeed.
pub(crate) fn restic(repository: &Path, password: &str, arguments: &[&str]) -> String {
    let output = run_restic(repository, password, arguments);
    let (text, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "restic {arguments:?} failed: {text}\n{errors}"
    );
    text.into_owned()
}
