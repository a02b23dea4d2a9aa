//! Prune keeps what a snapshot reaches, and nothing else.

use proptest::prelude::*;
use repository::{CheckOptions, Error, ReadData, Repository};

use crate::support::*;

async fn prune(repository: &Repository, dry_run: bool) -> repository::PruneReport {
    let lock = repository
        .lock_exclusive(&holder(&TestClock::real()))
        .await
        .unwrap();
    let report = repository.prune(&lock, dry_run).await.unwrap();
    lock.release().await.unwrap();
    report
}

#[tokio::test]
async fn a_dry_run_tells_what_a_prune_then_does() {
    let disk = OnDisk::init().await;
    let large = noise(1, 2 << 20);
    let first = commit(&disk.repository, None, &[("a", &large), ("b", b"stays")]).await;
    commit(&disk.repository, Some(first.tree), &[("a", b"small")]).await;
    let before = disk.repository.snapshots().await.unwrap();
    let gone = before
        .iter()
        .find(|(_, snapshot)| snapshot.tree == first.tree)
        .unwrap()
        .0;
    assert_eq!(prune(&disk.repository, false).await.blobs_removed, 0);
    disk.repository.forget(&[gone]).await.unwrap();
    let planned = prune(&disk.repository, true).await;
    assert_eq!(
        disk.repository
            .check(&CheckOptions::default())
            .await
            .unwrap()
            .packs,
        4
    );
    let done = prune(&disk.repository, false).await;
    assert_eq!(
        (planned.packs_repacked, planned.packs_removed),
        (done.packs_repacked, done.packs_removed)
    );
    assert!(done.bytes_freed > 2 << 20, "{done:?}");
    disk.restic(&["check", "--read-data"]);
    let unused = disk.restic(&["prune", "--dry-run"]);
    assert!(
        unused.contains("0 B") && !unused.contains("to delete: 1"),
        "{unused}"
    );
    assert_eq!(prune(&disk.repository, false).await.blobs_removed, 0);
}

#[tokio::test]
async fn a_shared_lock_is_not_enough() {
    let (repository, _) = in_memory().await;
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    assert!(matches!(
        repository.prune(&lock, false).await,
        Err(Error::LockLost(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Snapshots of random files from a small set of contents; some are forgotten.
    #[test]
    fn what_is_left_after_prune_is_complete_and_minimal(
        snapshots in proptest::collection::vec((proptest::collection::btree_map(0..6_u8, 0..8_u8, 0..6), any::<bool>()), 1..6),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (repository, store) = in_memory().await;
            let mut kept = Vec::new();
            for (files, keep) in &snapshots {
                let files: Vec<(String, Vec<u8>)> = files.iter().map(|(name, content)| (format!("d{}/{name}", name % 2), vec![*content; 100])).collect();
                let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();
                let snapshot = commit(&repository, None, &borrowed).await;
                if *keep {
                    kept.push((snapshot.tree, files.clone()));
                }
            }
            let listed = repository.snapshots().await.unwrap();
            let forget: Vec<_> = listed.iter().filter(|(_, snapshot)| kept.iter().all(|(tree, _)| *tree != snapshot.tree)).map(|(id, _)| *id).collect();
            repository.forget(&forget).await.unwrap();
            let report = prune(&repository, false).await;
            for repository in [repository, Repository::open(store, &secret(PASSWORD)).await.unwrap()] {
                for (tree, files) in &kept {
                    for (path, bytes) in files {
                        let node = repository.find(*tree, path).await.unwrap().unwrap();
                        assert_eq!(repository.read(&node).await.unwrap(), bytes);
                    }
                }
                let found = repository.check(&CheckOptions { read_data: ReadData::All }).await.unwrap();
                assert_eq!(found.problems, []);
                assert_eq!(found.blobs, report.blobs_used);
            }
        });
    }
}
