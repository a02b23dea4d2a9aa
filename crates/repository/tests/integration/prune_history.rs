//! Whatever happens to a repository, prune never drops what a snapshot reaches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt as _;
use jiff::SignedDuration;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use proptest::prelude::*;
use repository::{
    Change, CheckOptions, Limit, Node, Op, PruneOptions, ReadData, Repository, Snapshot, TreeId,
};

use crate::support::*;

/// restic looks at the end of so many histories.
const JUDGED: usize = 4;

/// Name and content of each file.
type Files = BTreeMap<u8, u8>;

#[derive(Debug, Clone)]
enum Step {
    Backup(Files),
    /// Stores trees and contents, and stops before the snapshot.
    Half(Files),
    /// A backup whose process is killed after so many writes.
    Killed(Files, u8),
    /// By number, modulo how many there are.
    Forget(u8),
    Prune {
        max_unused: Limit,
        max_repack_bytes: Option<u64>,
        /// Another process makes a backup between plan and apply, from an index that it read before.
        beside: Option<Files>,
        /// The process is killed after so many writes and removals.
        killed: Option<u8>,
    },
}

fn files() -> impl Strategy<Value = Files> {
    proptest::collection::btree_map(0..6_u8, 0..12_u8, 0..6)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let limit = prop_oneof![
        Just(Limit::Bytes(0)),
        Just(Limit::Percent(30.0)),
        Just(Limit::Unlimited)
    ];
    let prune = (
        limit,
        proptest::option::weighted(0.2, 0..2000_u64),
        proptest::option::of(files()),
        proptest::option::of(0..14_u8),
    );
    let prune = prune.prop_map(
        |(max_unused, max_repack_bytes, beside, killed)| Step::Prune {
            max_unused,
            max_repack_bytes,
            beside,
            killed,
        },
    );
    let step = prop_oneof![
        4 => files().prop_map(Step::Backup),
        1 => files().prop_map(Step::Half),
        1 => (files(), 0..8_u8).prop_map(|(files, writes)| Step::Killed(files, writes)),
        3 => any::<u8>().prop_map(Step::Forget),
        3 => prune,
    ];
    proptest::collection::vec(step, 1..14)
}

struct History {
    store: Arc<dyn ObjectStore>,
    repository: Repository,
    clock: Arc<TestClock>,
    kept: Vec<(repository::SnapshotId, TreeId, Files)>,
    count: i64,
}

fn content(content: u8) -> Vec<u8> {
    noise(u64::from(content), 50 + usize::from(content) * 40)
}

impl History {
    async fn new() -> Self {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let made = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options()).await;
        Self {
            store,
            repository: made.unwrap(),
            clock: TestClock::real(),
            kept: Vec::new(),
            count: 0,
        }
    }

    /// A process that is killed after some writes and removals.
    async fn mortal(&self, writes: u8) -> Repository {
        let store = faulty(&self.store, &self.clock, after(writes.into()));
        opened(Arc::new(store)).await
    }

    async fn backup(
        &mut self,
        repository: &Repository,
        files: &Files,
        whole: bool,
    ) -> repository::Result<()> {
        self.count += 1;
        let lock = repository.lock_shared(&holder(&self.clock)).await?;
        let mut writer = repository.writer();
        let mut changes = Vec::new();
        for (name, value) in files {
            let node = Node::file("", writer.bytes(&content(*value)).await?, time(0));
            let mut path = vec![format!("d{}", name % 2), name.to_string()];
            if name % 3 == 0 {
                path.insert(0, "deep".to_owned());
            }
            changes.push(Change {
                path,
                op: Op::Put(Box::new(node)),
            });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        let tree = writer.update(None, changes).await?;
        if whole {
            let id = writer
                .commit(&Snapshot::new(time(self.count), tree), &lock)
                .await?;
            self.kept.push((id, tree, files.clone()));
        } else {
            writer.flush().await?;
        }
        lock.release().await
    }

    async fn take(&mut self, step: &Step) {
        match step {
            Step::Backup(files) | Step::Half(files) => {
                let whole = matches!(step, Step::Backup(_));
                let repository = self.repository.clone();
                self.backup(&repository, files, whole).await.unwrap();
            }
            Step::Killed(files, writes) => {
                let mortal = self.mortal(*writes).await;
                // Dead or alive: what it committed counts.
                drop(self.backup(&mortal, files, true).await);
                self.clock.advance(SignedDuration::from_mins(31));
            }
            Step::Forget(number) => {
                if !self.kept.is_empty() {
                    let at = usize::from(*number) % self.kept.len();
                    let (id, ..) = self.kept.remove(at);
                    self.repository.forget(&[id]).await.unwrap();
                }
            }
            Step::Prune {
                max_unused,
                max_repack_bytes,
                beside,
                killed,
            } => {
                let options = PruneOptions {
                    max_unused: *max_unused,
                    max_repack_bytes: *max_repack_bytes,
                    ..everything()
                };
                self.prune(&options, beside.as_ref(), *killed).await;
            }
        }
    }

    async fn prune(&mut self, options: &PruneOptions, beside: Option<&Files>, killed: Option<u8>) {
        let pruned = match killed {
            Some(writes) => self.mortal(writes).await,
            None => opened(Arc::clone(&self.store)).await,
        };
        let other = self.repository.clone();
        other.count_blobs().await.unwrap();
        let now = holder(&self.clock);
        let result = async {
            let plan = pruned.plan_prune(&now, options, &Silent).await?;
            let planned = *plan.report();
            if let Some(files) = beside {
                self.backup(&other, files, true).await.unwrap();
            }
            Ok::<_, repository::Error>((planned, plan.apply(&now, &Silent).await?))
        };
        match (result.await, killed) {
            (Ok((planned, done)), _) if beside.is_none() => {
                assert_eq!(
                    planned,
                    repository::PruneReport {
                        dry_run: true,
                        ..done
                    }
                );
            }
            (Err(error), None) => panic!("{error}"),
            _ => {}
        }
        if killed.is_some() {
            self.clock.advance(SignedDuration::from_mins(31));
        }
    }

    async fn verify(&self, repository: &Repository) {
        for (id, tree, files) in &self.kept {
            assert_eq!(repository.snapshot(*id).await.unwrap().tree, *tree);
            let mut found = Files::new();
            for (path, node) in repository.list(*tree).await.unwrap() {
                if node.is_file() {
                    let name = path.rsplit('/').next().unwrap().parse().unwrap();
                    let bytes = repository.read(&node).await.unwrap();
                    assert_eq!(bytes, content(files[&name]));
                    found.insert(name, files[&name]);
                }
            }
            assert_eq!(found, *files);
        }
    }

    /// A last prune leaves what is needed, and that alone.
    async fn end(&self) {
        let now = holder(&self.clock);
        let report = self.repository.prune(&now, &everything(), &Silent).await;
        let report = report.unwrap();
        let fresh = opened(Arc::clone(&self.store)).await;
        self.verify(&fresh).await;
        let all = CheckOptions {
            read_data: ReadData::All,
        };
        let found = fresh.check(&all).await.unwrap();
        assert_eq!(found.problems, []);
        assert_eq!(found.blobs, report.blobs_used);
        assert_eq!(report.bytes_unused, 0);
    }

    async fn judge(&self) {
        let folder = tempfile::tempdir().unwrap();
        let listed: Vec<_> = self.store.list(None).try_collect().await.unwrap();
        for file in listed {
            let path = folder.path().join(file.location.as_ref());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let bytes = self.store.get(&file.location).await.unwrap().bytes().await;
            std::fs::write(path, bytes.unwrap()).unwrap();
        }
        for folder_name in ["data", "index", "keys", "locks", "snapshots"] {
            std::fs::create_dir_all(folder.path().join(folder_name)).unwrap();
        }
        restic(folder.path(), PASSWORD, &["check", "--read-data"]);
        let shown = restic(folder.path(), PASSWORD, &["snapshots", "--json"]);
        let shown: Vec<serde_json::Value> = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown.len(), self.kept.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn prune_never_drops_what_a_snapshot_reaches(steps in steps()) {
        static SEEN: AtomicUsize = AtomicUsize::new(0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut history = History::new().await;
            for step in &steps {
                history.take(step).await;
                history.verify(&history.repository).await;
            }
            history.end().await;
            if SEEN.fetch_add(1, Ordering::Relaxed) < JUDGED {
                history.judge().await;
            }
        });
    }
}
