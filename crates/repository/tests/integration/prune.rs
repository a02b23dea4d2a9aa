//! Prune keeps what a snapshot reaches, and nothing else.

use std::sync::Arc;

use fault_store::Plan;
use futures::TryStreamExt as _;
use jiff::SignedDuration;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{
    CheckOptions, Error, Limit, PruneOptions, PruneReport, ReadData, Repository, Snapshot,
    SnapshotId,
};

use crate::gate::{At, Gate};
use crate::support::*;

async fn plan(repository: &Repository, options: &PruneOptions) -> PruneReport {
    let now = holder(&TestClock::real());
    let plan = repository.plan_prune(&now, options, &Silent).await.unwrap();
    let report = *plan.report();
    plan.release().await.unwrap();
    report
}

async fn apply(repository: &Repository, options: &PruneOptions) -> PruneReport {
    let now = holder(&TestClock::real());
    repository.prune(&now, options, &Silent).await.unwrap()
}

/// Commits, and forgets at once.
async fn forgotten(repository: &Repository, files: &[(&str, &[u8])]) {
    let before = ids(repository).await;
    commit(repository, None, files).await;
    let new = ids(repository).await;
    let new: Vec<_> = new.into_iter().filter(|id| !before.contains(id)).collect();
    repository.forget(&new).await.unwrap();
}

async fn ids(repository: &Repository) -> Vec<SnapshotId> {
    let snapshots = repository.snapshots().await.unwrap();
    snapshots.into_iter().map(|(id, _)| id).collect()
}

async fn forget(repository: &Repository, snapshot: &Snapshot) {
    let snapshots = repository.snapshots().await.unwrap();
    let found = snapshots
        .iter()
        .find(|(_, other)| other.tree == snapshot.tree);
    repository.forget(&[found.unwrap().0]).await.unwrap();
}

async fn assert_clean(repository: &Repository) {
    let all = CheckOptions {
        read_data: ReadData::All,
    };
    assert_eq!(repository.check(&all).await.unwrap().problems, []);
}

fn wait_for_nobody() -> repository::Holder {
    holder(&TestClock::real())
}

#[tokio::test]
async fn a_dry_run_tells_to_the_byte_what_a_prune_then_does() {
    let disk = OnDisk::init().await;
    let large = noise(1, 2 << 20);
    let first = commit(&disk.repository, None, &[("a", &large), ("b", b"stays")]).await;
    commit(&disk.repository, Some(first.tree), &[("a", b"small")]).await;
    assert_eq!(prune(&disk.repository).await.blobs_removed, 0);
    forget(&disk.repository, &first).await;
    let planned = plan(&disk.repository, &everything()).await;
    assert_eq!(
        plan(&disk.repository, &everything()).await,
        planned,
        "a plan changes nothing"
    );
    let before = disk.size();
    let done = prune(&disk.repository).await;
    assert_eq!(
        planned,
        PruneReport {
            dry_run: true,
            ..done
        }
    );
    assert!(done.packs_repacked > 0, "{done:?}");
    let freed = i128::from(before) - i128::from(disk.size());
    // The index files are not counted.
    assert!(
        (freed - i128::from(done.bytes_freed)).abs() < 2000,
        "{freed} {done:?}"
    );
    disk.restic(&["check", "--read-data"]);
    let unused = disk.restic(&["prune", "--dry-run", "--max-unused", "0"]);
    assert!(
        unused.contains("0 B") && !unused.contains("to delete: 1"),
        "{unused}"
    );
    assert_eq!(prune(&disk.repository).await.blobs_removed, 0);
}

#[tokio::test]
async fn as_much_stays_unused_as_is_tolerated() {
    let (repository, _) = in_memory().await;
    let (used, unused) = (noise(1, 900_000), noise(2, 100_000));
    let both = commit(&repository, None, &[("used", &used), ("unused", &unused)]).await;
    let all = ids(&repository).await;
    repository.forget(&all).await.unwrap();
    commit(&repository, None, &[("used", &used)]).await;
    assert_ne!(both.tree, repository.snapshots().await.unwrap()[0].1.tree);
    let with = |max_unused| PruneOptions {
        max_unused,
        ..everything()
    };
    for tolerant in [
        Limit::Percent(11.0),
        Limit::Bytes(200_000),
        Limit::Unlimited,
    ] {
        let report = plan(&repository, &with(tolerant)).await;
        assert_eq!(report.packs_repacked, 0, "{tolerant}: {report:?}");
        assert!(
            (100_000..101_000).contains(&report.bytes_unused),
            "{tolerant}: {report:?}"
        );
    }
    let small = PruneOptions {
        max_repack_bytes: Some(999_999),
        ..everything()
    };
    assert_eq!(plan(&repository, &small).await.packs_repacked, 0);
    for strict in [Limit::Percent(9.0), Limit::Bytes(50_000), Limit::Bytes(0)] {
        let report = plan(&repository, &with(strict)).await;
        assert_eq!(report.packs_repacked, 1, "{strict}: {report:?}");
        assert!(
            (900_000..901_000).contains(&report.bytes_repacked),
            "{strict}: {report:?}"
        );
    }
    let report = apply(&repository, &with(Limit::Percent(9.0))).await;
    assert_eq!((report.packs_repacked, report.bytes_unused), (1, 0));
    assert_clean(&repository).await;
}

#[tokio::test]
async fn many_small_packs_and_index_files_become_few() {
    let disk = OnDisk::init().await;
    for number in 0..12_u8 {
        commit(
            &disk.repository,
            None,
            &[(&format!("f{number}"), &[number; 100])],
        )
        .await;
    }
    let tolerant = PruneOptions {
        max_unused: Limit::Unlimited,
        ..everything()
    };
    let planned = plan(&disk.repository, &tolerant).await;
    let report = apply(&disk.repository, &tolerant).await;
    assert_eq!(
        (report.packs_repacked, report.blobs_removed),
        (24, 0),
        "{report:?}"
    );
    assert_eq!(planned.bytes_freed, report.bytes_freed);
    assert_eq!(disk.files("data").len(), 2);
    assert_eq!(disk.files("index").len(), 1);
    assert_clean(&disk.repository).await;
    disk.restic(&["check", "--read-data"]);
    assert_eq!(apply(&disk.repository, &tolerant).await.packs_repacked, 0);
}

#[tokio::test]
async fn what_is_young_stays_with_all_that_it_refers_to() {
    let disk = OnDisk::init().await;
    // A crawl that stopped halfway: its tree names a blob of a pack that is otherwise unneeded and old.
    forgotten(
        &disk.repository,
        &[("a", b"relied on"), ("b", b"not relied on")],
    )
    .await;
    forgotten(&disk.repository, &[("c", b"nobody needs this")]).await;
    disk.age();
    let clock = TestClock::real();
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    let mut writer = disk.repository.writer();
    let content = writer.bytes(b"relied on").await.unwrap();
    let node = repository::Node::file("", content, time(0));
    let path = vec!["kept".to_owned()];
    let op = repository::Op::Put(Box::new(node));
    let tree = writer
        .update(None, [repository::Change { path, op }])
        .await
        .unwrap();
    writer.flush().await.unwrap();
    assert_eq!(writer.stored().blobs, 1);
    lock.release().await.unwrap();

    let grace = PruneOptions {
        grace: SignedDuration::from_hours(1),
        ..everything()
    };
    let report = apply(&disk.repository, &grace).await;
    assert_eq!(report.packs_young, 1, "{report:?}");
    assert_eq!(report.blobs_used, 2, "{report:?}");
    let repository = disk.reopen().await;
    let node = repository.find(tree, "kept").await.unwrap().unwrap();
    assert_eq!(repository.read(&node).await.unwrap(), "relied on");

    disk.age();
    let report = apply(&repository, &grace).await;
    assert_eq!((report.packs_kept, report.blobs_used), (0, 0), "{report:?}");
    assert!(disk.files("data").is_empty() && disk.files("index").is_empty());
}

/// Our own clock may be days off: packs are dated by the storage.
#[tokio::test]
async fn what_is_young_is_told_by_the_clock_of_the_storage_alone() {
    for days in [-2, 2] {
        let (ours, theirs) = (TestClock::real(), TestClock::real());
        ours.advance(SignedDuration::from_hours(24 * days));
        let (_, store) = in_memory().await;
        let dated = faulty(&store, &theirs, Plan::default());
        let repository = opened(Arc::new(dated)).await;
        forgotten(&repository, &[("a", b"of a run that was killed")]).await;
        let grace = PruneOptions {
            grace: SignedDuration::from_hours(1),
            ..everything()
        };
        for (hours, removed) in [(0, 0), (2, 2)] {
            ours.advance(SignedDuration::from_hours(hours));
            theirs.advance(SignedDuration::from_hours(hours));
            let report = repository.prune(&holder(&ours), &grace, &Silent).await;
            let report = report.unwrap();
            assert_eq!(report.packs_removed, removed, "{days} days, {report:?}");
            assert_eq!(report.packs_young, 2 - removed, "{days} days, {report:?}");
        }
    }
}

#[tokio::test]
async fn what_killed_uploads_left_goes_once_it_is_old() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"content")]).await;
    let name = "5".repeat(64);
    let left = disk.path().join(format!("data/55/{name}#1"));
    let other = disk.path().join("data/55/notes#1");
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::create_dir_all(disk.path().join("data/56")).unwrap();
    std::fs::write(&left, vec![1; 3000]).unwrap();
    std::fs::write(disk.path().join(format!("index/{name}#2")), b"half").unwrap();
    std::fs::write(
        disk.path().join(format!("data/56/5{}", "6".repeat(63))),
        b"no pack",
    )
    .unwrap();
    std::fs::write(&other, b"of the user").unwrap();

    let grace = PruneOptions {
        grace: SignedDuration::from_hours(1),
        ..everything()
    };
    let report = apply(&disk.repository, &grace).await;
    assert_eq!(
        (report.leftovers_removed, report.unindexed_removed),
        (0, 0),
        "{report:?}"
    );
    assert!(left.exists());
    disk.age();
    let planned = plan(&disk.repository, &grace).await;
    let report = apply(&disk.repository, &grace).await;
    assert_eq!(
        (report.leftovers_removed, report.unindexed_removed),
        (2, 1),
        "{report:?}"
    );
    assert_eq!((planned.bytes_freed, report.bytes_freed), (3011, 3011));
    assert!(!left.exists() && other.exists());
    assert_eq!(disk.files("index").len(), 1);
    assert_clean(&disk.repository).await;
}

#[tokio::test]
async fn a_repository_with_missing_data_is_not_pruned() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", &noise(1, 5000))]).await;
    let needed = disk.files("data");
    forgotten(&disk.repository, &[("c", b"unneeded")]).await;
    let before = disk.files("data");
    for pack in &needed {
        let bytes = std::fs::read(pack).unwrap();
        let astray = disk.path().join("data").join(pack.file_name().unwrap());
        for damage in ["missing", "astray", "cut short"] {
            match damage {
                "missing" => std::fs::remove_file(pack).unwrap(),
                "astray" => std::fs::rename(pack, &astray).unwrap(),
                _ => std::fs::write(pack, &bytes[1..]).unwrap(),
            }
            let repository = disk.reopen().await;
            let now = wait_for_nobody();
            let refused = repository
                .prune(&now, &everything(), &Silent)
                .await
                .unwrap_err();
            assert_eq!(refused.code(), "repository-damaged", "{damage}: {refused}");
            assert!(repository.locks().await.unwrap().is_empty());
            std::fs::write(pack, &bytes).unwrap();
        }
        // It was never taken for a leftover, either.
        std::fs::remove_file(astray).unwrap();
    }
    assert_eq!(disk.files("data"), before);
    // What nobody needs may be as damaged as it likes.
    let unneeded: Vec<_> = before
        .iter()
        .filter(|pack| !needed.contains(pack))
        .collect();
    std::fs::remove_file(unneeded[0]).unwrap();
    std::fs::write(unneeded[1], b"cut").unwrap();
    assert_eq!(prune(&disk.reopen().await).await.packs_removed, 2);
    disk.restic(&["check", "--read-data"]);
}

/// Nobody knows what hangs on it.
#[tokio::test]
async fn a_repository_with_a_tree_that_cannot_be_read_is_not_pruned() {
    let disk = OnDisk::init().await;
    let large = noise(1, 50_000);
    commit(&disk.repository, None, &[("deep/in/it", &large)]).await;
    let mut packs = disk.files("data");
    packs.sort_by_key(|pack| pack.metadata().unwrap().len());
    let trees = &packs[0];
    let bytes = std::fs::read(trees).unwrap();
    let (now, options) = (wait_for_nobody(), everything());
    for at in (0..bytes.len() * 3 / 4).step_by(40) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        std::fs::write(trees, flipped).unwrap();
        let repository = disk.reopen().await;
        let refused = repository.prune(&now, &options, &Silent);
        let refused = refused.await.unwrap_err();
        assert_eq!(refused.code(), "repository-damaged", "{at}: {refused}");
    }
    std::fs::write(trees, bytes).unwrap();
    assert_clean(&disk.reopen().await).await;
}

/// In a new pack with a sound hash nobody would look for it.
#[tokio::test]
async fn what_is_damaged_is_not_rewritten_as_if_it_were_sound() {
    let disk = OnDisk::init().await;
    let files: &[(&str, &[u8])] = &[("a", &noise(1, 50_000)), ("b", b"goes")];
    let both = commit(&disk.repository, None, files).await;
    commit(&disk.repository, Some(both.tree), &[("b", b"instead")]).await;
    forget(&disk.repository, &both).await;
    let mut packs = disk.files("data");
    packs.sort_by_key(|pack| pack.metadata().unwrap().len());
    let largest = packs.last().unwrap();
    let mut bytes = std::fs::read(largest).unwrap();
    bytes[25_000] ^= 1;
    std::fs::write(largest, bytes).unwrap();
    let repository = disk.reopen().await;
    let (now, options) = (wait_for_nobody(), everything());
    let refused = repository.prune(&now, &options, &Silent);
    assert_eq!(refused.await.unwrap_err().code(), "repository-damaged");
    for pack in packs {
        assert!(pack.exists(), "{}", pack.display());
    }
}

#[tokio::test]
async fn the_data_of_a_snapshot_whose_file_was_lost_stays() {
    let disk = OnDisk::init().await;
    let snapshot = commit(&disk.repository, None, &[("a", b"content")]).await;
    std::fs::remove_file(&disk.files("snapshots")[0]).unwrap();
    let report = prune(&disk.repository).await;
    assert_eq!(
        (report.snapshots_lost, report.packs_removed),
        (1, 0),
        "{report:?}"
    );
    let node = disk
        .repository
        .find(snapshot.tree, "a")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(disk.repository.read(&node).await.unwrap(), "content");
}

#[tokio::test]
async fn packs_that_vanish_on_their_own_are_no_error() {
    let disk = OnDisk::init().await;
    forgotten(&disk.repository, &[("a", b"unneeded")]).await;
    let unneeded = disk.files("data");
    commit(&disk.repository, None, &[("b", b"needed")]).await;
    let now = wait_for_nobody();
    let plan = disk
        .repository
        .plan_prune(&now, &everything(), &Silent)
        .await
        .unwrap();
    assert_eq!(plan.report().packs_removed, 2);
    std::fs::remove_file(&unneeded[0]).unwrap();
    plan.apply(&now, &Silent).await.unwrap();
    assert_eq!(disk.files("data").len(), 2);
    assert_clean(&disk.repository).await;
}

#[tokio::test]
async fn what_restic_wrote_is_pruned_and_restic_can_go_on() {
    let disk = OnDisk::init().await;
    let source = disk.folder.path().join("source");
    std::fs::create_dir(&source).unwrap();
    let path = source.to_str().unwrap();
    for round in 0..4_u64 {
        for name in 0..30_u64 {
            let changes = name % 3 == 0;
            let bytes = noise(name * 100 + if changes { round } else { 0 }, 3000);
            std::fs::write(source.join(name.to_string()), bytes).unwrap();
        }
        std::fs::write(source.join("large"), noise(9000 + round, 2 << 20)).unwrap();
        disk.restic(&["backup", path]);
    }
    disk.restic(&["forget", "--keep-last", "2"]);
    let planned = plan(&disk.reopen().await, &everything()).await;
    let done = prune(&disk.reopen().await).await;
    assert_eq!(
        planned,
        PruneReport {
            dry_run: true,
            ..done
        }
    );
    assert!(done.bytes_freed > 4 << 20, "{done:?}");
    disk.restic(&["check", "--read-data"]);
    disk.restic(&["backup", path]);
    disk.restic(&["prune", "--max-unused", "0"]);
    disk.restic(&["check", "--read-data"]);
    assert_clean(&disk.reopen().await).await;
}

/// A repository over a store, with something to rewrite and something to remove.
async fn prepared() -> (Repository, Arc<dyn ObjectStore>) {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options()).await;
    let repository = repository.unwrap();
    let both = commit(&repository, None, &[("a", b"stays"), ("b", b"goes")]).await;
    commit(&repository, Some(both.tree), &[("b", b"instead")]).await;
    forget(&repository, &both).await;
    (repository, store)
}

#[tokio::test]
async fn backups_run_while_packs_are_rewritten_and_what_they_rely_on_stays() {
    let (repository, store) = prepared().await;
    let gate = Gate::new(Arc::clone(&store), At::Write, "data/");
    let pruned = opened(gate.clone()).await;
    let options = everything();
    let (now, beside) = (wait_for_nobody(), async {
        gate.reached().await;
        // Finds the blob of the forgotten snapshot in the index, and relies on it.
        let snapshot = commit(&repository, None, &[("again", b"goes")]).await;
        gate.open();
        snapshot
    });
    let (report, snapshot) = tokio::join!(pruned.prune(&now, &options, &Silent), beside);
    let report = report.unwrap();
    assert_eq!(
        report.packs_repacked, 0,
        "what was rewritten is needed whole again: {report:?}"
    );
    for repository in [repository, opened(store).await] {
        let node = repository
            .find(snapshot.tree, "again")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(repository.read(&node).await.unwrap(), "goes");
        assert_clean(&repository).await;
    }
}

#[tokio::test]
async fn nobody_gets_in_while_packs_are_removed() {
    let (repository, store) = prepared().await;
    for folder in ["index/", "data/"] {
        forgotten(&repository, &[("x", folder.as_bytes())]).await;
        let gate = Gate::new(Arc::clone(&store), At::Remove, folder);
        let pruned = opened(gate.clone()).await;
        let (now, options) = (wait_for_nobody(), everything());
        let beside = async {
            gate.reached().await;
            let refused = repository
                .lock_shared(&wait_for_nobody())
                .await
                .unwrap_err();
            assert!(
                matches!(&refused, Error::Locked { by } if by.exclusive),
                "{refused}"
            );
            // Whoever has patience gets in afterwards.
            let patient = wait_for_nobody().with_patience(std::time::Duration::from_mins(1));
            let (lock, ()) = tokio::join!(repository.lock_shared(&patient), async { gate.open() });
            lock.unwrap().release().await.unwrap();
        };
        let (report, ()) = tokio::join!(pruned.prune(&now, &options, &Silent), beside);
        assert!(report.unwrap().packs_removed > 0);
        assert_clean(&repository).await;
    }
}

/// Between its two locks another one may come and go: what was counted before is worth nothing then.
#[tokio::test]
async fn a_prune_that_another_one_overtakes_loses_nothing() {
    let (repository, store) = in_memory().await;
    forgotten(&repository, &[("f", b"goes")]).await;
    let first = commit(&repository, None, &[("a", b"goes meanwhile")]).await;
    let gate = Gate::new(Arc::clone(&store), At::Write, "locks/");
    let pruned = opened(gate.clone()).await;
    let beside = async {
        gate.reached().await;
        gate.pass();
        gate.reached().await;
        forget(&repository, &first).await;
        // As many blobs as there were, so that each has a number that meant another one.
        commit(&repository, None, &[("d/x", b"1"), ("d/y", b"2")]).await;
        let other = prune(&opened(Arc::clone(&store)).await).await;
        assert_eq!(other.packs_removed, 4, "{other:?}");
        gate.open();
    };
    let (now, options) = (wait_for_nobody(), everything());
    let (report, ()) = tokio::join!(pruned.prune(&now, &options, &Silent), beside);
    assert_eq!(report.unwrap().packs_removed, 0);
    assert_clean(&opened(store).await).await;
}

/// Whoever took it away may have begun to rely on the packs.
#[tokio::test]
async fn a_prune_that_loses_its_lock_removes_no_pack_any_more() {
    let (repository, store) = prepared().await;
    let list = async |folder: &str| -> Vec<Path> {
        let listed = store.list(Some(&folder.into()));
        let listed = listed.map_ok(|object| object.location);
        let mut paths: Vec<_> = listed.try_collect().await.unwrap();
        paths.sort_unstable();
        paths
    };
    let gate = Gate::new(Arc::clone(&store), At::Remove, "index/");
    let pruned = opened(gate.clone()).await;
    let beside = async {
        gate.reached().await;
        for lock in list("locks").await {
            store.delete(&lock).await.unwrap();
        }
        let packs = list("data").await;
        gate.open();
        packs
    };
    let (now, options) = (wait_for_nobody(), everything());
    let (result, packs) = tokio::join!(pruned.prune(&now, &options, &Silent), beside);
    assert_eq!(result.unwrap_err().code(), "lock-lost");
    assert_eq!(list("data").await, packs);
    let again = opened(Arc::clone(&store)).await;
    assert!(prune(&again).await.unindexed_removed > 0);
    for repository in [repository, again] {
        assert_clean(&repository).await;
    }
}

#[tokio::test]
async fn a_prune_that_finds_a_backup_at_work_keeps_what_it_rewrote() {
    let (repository, store) = prepared().await;
    let now = wait_for_nobody();
    let running = repository.lock_shared(&now).await.unwrap();
    let refused = repository
        .prune(&now, &everything(), &Silent)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Locked { by } if !by.exclusive),
        "{refused}"
    );
    assert_eq!(repository.locks().await.unwrap().len(), 1);
    running.release().await.unwrap();
    let again = opened(store).await;
    let report = prune(&again).await;
    assert_eq!(report.packs_repacked, 0, "{report:?}");
    assert!(report.packs_removed > 0, "{report:?}");
    assert_clean(&again).await;
}
