//! Copies to a second repository, and restic's word on them.

use std::sync::Arc;

use jiff::SignedDuration;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use repository::{
    CheckOptions, CopyOptions, CopyReport, REPAIRED_TAG, ReadData, Repository, Snapshot, SnapshotId,
};
use serde_json::Value;

use crate::support::*;

const OTHER: &str = "another password";

async fn copy(source: &Repository, target: &Repository) -> CopyReport {
    copy_these(source, target, &ids(source).await).await
}

async fn copy_these(source: &Repository, target: &Repository, ids: &[SnapshotId]) -> CopyReport {
    let now = holder(&TestClock::real());
    let options = CopyOptions::default();
    source
        .copy_to(target, ids, &now, &options, &Silent)
        .await
        .unwrap()
}

async fn ids(repository: &Repository) -> Vec<SnapshotId> {
    let snapshots = repository.snapshots().await.unwrap();
    snapshots.into_iter().map(|(id, _)| id).collect()
}

/// What is read back of a snapshot.
async fn content(repository: &Repository, snapshot: &Snapshot) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for (path, node) in repository.list(snapshot.tree).await.unwrap() {
        if node.is_file() {
            files.push((path, repository.read(&node).await.unwrap().to_vec()));
        }
    }
    files
}

/// Two snapshots that share most, one of them with a file of several chunks.
async fn two_snapshots(repository: &Repository) -> [Snapshot; 2] {
    let large = noise(7, 3 << 19);
    let files: Vec<(String, Vec<u8>)> = (0..40_u8)
        .map(|number| {
            (
                format!("items/{:02}/{number}/item.json", number % 4),
                vec![number; 200],
            )
        })
        .collect();
    let mut first: Vec<(&str, &[u8])> = vec![("git/pack", &large), ("empty", b"")];
    first.extend(
        files
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice())),
    );
    let first = commit(repository, None, &first).await;
    let second = commit(
        repository,
        Some(first.tree),
        &[("items/03/7/item.json", b"changed")],
    )
    .await;
    [first, second]
}

async fn empty(folder: &std::path::Path) -> Repository {
    let (store, _) = repository::store_from(folder.to_str().unwrap()).unwrap();
    Repository::init(store, &secret(OTHER), &options())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_copy_has_everything_and_restic_takes_it_for_one() {
    let disk = OnDisk::init().await;
    let snapshots = two_snapshots(&disk.repository).await;
    let place = disk.folder.path().join("copy");
    let target = empty(&place).await;
    let report = copy(&disk.repository, &target).await;
    assert_eq!((report.snapshots_copied, report.snapshots_present), (2, 0));
    let all = CheckOptions {
        read_data: ReadData::All,
    };
    let found = target.check(&all).await.unwrap();
    assert_eq!(found.problems, []);
    assert_eq!(found.blobs, report.blobs_copied, "nothing is there twice");
    for snapshot in &snapshots {
        assert_eq!(
            content(&target, snapshot).await,
            content(&disk.repository, snapshot).await
        );
    }
    assert!(target.locks().await.unwrap().is_empty());
    assert!(disk.repository.locks().await.unwrap().is_empty());

    restic(&place, OTHER, &["check", "--read-data"]);
    let shown = restic(&place, OTHER, &["snapshots", "--json"]);
    let shown: Vec<Value> = serde_json::from_str(&shown).unwrap();
    let mut originals: Vec<String> = shown
        .iter()
        .map(|snapshot| snapshot["original"].as_str().unwrap().to_owned())
        .collect();
    originals.sort_unstable();
    let mut expected: Vec<String> = ids(&disk.repository)
        .await
        .iter()
        .map(ToString::to_string)
        .collect();
    expected.sort_unstable();
    assert_eq!(originals, expected);

    let again = copy(&disk.repository, &target).await;
    assert_eq!(
        again,
        CopyReport {
            snapshots_present: 2,
            ..CopyReport::default()
        }
    );
}

#[tokio::test]
async fn restic_copies_nothing_that_we_copied_nor_we_what_it_did() {
    let disk = OnDisk::init().await;
    two_snapshots(&disk.repository).await;
    let place = disk.folder.path().join("copy");
    copy(&disk.repository, &empty(&place).await).await;
    let password = disk.folder.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let source = disk.path();
    let from = [
        "--from-repo",
        source.to_str().unwrap(),
        "--from-password-file",
        password.to_str().unwrap(),
    ];
    let told = restic(&place, OTHER, &[&["copy"], &from[..]].concat());
    assert_eq!(told.matches("skipping").count(), 2, "{told}");
    let third = disk.folder.path().join("by-restic");
    let by_restic = empty(&third).await;
    restic(&third, OTHER, &[&["copy"], &from[..]].concat());
    assert_eq!(
        copy(&disk.repository, &by_restic).await.snapshots_present,
        2
    );
}

#[tokio::test]
async fn a_later_copy_stores_only_what_changed() {
    let (source, _) = in_memory().await;
    let (target, _) = in_memory().await;
    let [_, second] = two_snapshots(&source).await;
    copy(&source, &target).await;
    let third = commit(
        &source,
        Some(second.tree),
        &[("items/02/6/item.json", b"new")],
    )
    .await;
    let report = copy(&source, &target).await;
    assert_eq!((report.snapshots_copied, report.snapshots_present), (1, 2));
    // Root, items, 02 and 6; and the document.
    assert_eq!(report.blobs_copied, 5, "{report:?}");
    assert_eq!(report.trees_proved, 4, "{report:?}");
    assert_eq!(
        content(&target, &third).await,
        content(&source, &third).await
    );
}

#[tokio::test]
async fn a_copy_brings_back_what_a_repair_found_lost() {
    let (source, _) = in_memory().await;
    let [first, second] = two_snapshots(&source).await;
    let disk = OnDisk::init().await;
    copy(&source, &disk.repository).await;
    let packs = disk.files("data").into_iter();
    let largest = packs.max_by_key(|file| file.metadata().unwrap().len());
    std::fs::remove_file(largest.unwrap()).unwrap();
    let damaged = disk.reopen().await;
    let lock = damaged.lock_exclusive(&holder(&TestClock::real())).await;
    let lock = lock.unwrap();
    damaged.repair_index(&lock, false, false).await.unwrap();
    // All of one time: the last by its id is what the next copy goes on from, and is to be one that lacks something.
    loop {
        let repaired = damaged.repair_snapshots(&lock, false, false).await.unwrap();
        assert!(!repaired.lost.is_empty());
        let mut made = damaged.snapshots().await.unwrap();
        let last = made.last().unwrap().0;
        made.retain(|(_, snapshot)| snapshot.tags.iter().any(|tag| tag == REPAIRED_TAG));
        let made: Vec<_> = made.into_iter().map(|(id, _)| id).collect();
        if !made.contains(&last) {
            break;
        }
        damaged.forget(&made).await.unwrap();
    }
    lock.release().await.unwrap();

    let changed: &[(&str, &[u8])] = &[("items/02/6/item.json", b"new")];
    let before = ids(&source).await;
    let third = commit(&source, Some(second.tree), changed).await;
    let newest = ids(&source).await.into_iter();
    let mut newest = newest.filter(|id| !before.contains(id));
    let target = disk.reopen().await;
    copy_these(&source, &target, &[newest.next().unwrap()]).await;
    assert_eq!(
        content(&disk.reopen().await, &third).await,
        content(&source, &third).await
    );
    let report = copy(&source, &target).await;
    assert_eq!((report.snapshots_copied, report.snapshots_present), (0, 3));
    let target = disk.reopen().await;
    for snapshot in [first, second, third] {
        assert_eq!(
            content(&target, &snapshot).await,
            content(&source, &snapshot).await
        );
    }
    let report = target.check(&CheckOptions::default()).await.unwrap();
    assert_eq!(report.problems, []);
}

/// Removes a pack, and what the index says of it.
async fn lose(disk: &OnDisk, pack: &std::path::Path) -> Repository {
    std::fs::remove_file(pack).unwrap();
    let damaged = disk.reopen().await;
    let lock = damaged.lock_exclusive(&holder(&TestClock::real())).await;
    let lock = lock.unwrap();
    damaged.repair_index(&lock, false, false).await.unwrap();
    lock.release().await.unwrap();
    disk.reopen().await
}

fn largest(disk: &OnDisk) -> std::path::PathBuf {
    let packs = disk.files("data").into_iter();
    packs
        .max_by_key(|file| file.metadata().unwrap().len())
        .unwrap()
}

#[tokio::test]
async fn a_copy_brings_back_whatever_the_target_lost_below_trees_that_it_has() {
    let (source, _) = in_memory().await;
    let [first, second] = two_snapshots(&source).await;
    let mut snapshots = vec![first, second];
    let disk = OnDisk::init().await;
    copy(&source, &disk.repository).await;
    let packs = disk.files("data");
    assert!(packs.len() > 1, "data and trees");
    for pack in packs {
        // With something new beside it, and then with every snapshot there.
        for is_new in [true, false] {
            let Ok(bytes) = std::fs::read(&pack) else {
                continue;
            };
            let damaged = lose(&disk, &pack).await;
            let mut copied = 0;
            if is_new {
                let tree = snapshots.last().unwrap().tree;
                let changed: &[(&str, &[u8])] = &[("items/02/6/item.json", &bytes[..40])];
                snapshots.push(commit(&source, Some(tree), changed).await);
                copied = 1;
            }
            let report = copy(&source, &damaged).await;
            let all = snapshots.len() as u64;
            assert_eq!(
                (report.snapshots_copied, report.snapshots_present),
                (copied, all - copied)
            );
            let target = disk.reopen().await;
            let found = target.check(&CheckOptions::default()).await.unwrap();
            assert_eq!(found.problems, []);
            for snapshot in &snapshots {
                let (ours, theirs) = (content(&target, snapshot), content(&source, snapshot));
                assert_eq!(ours.await, theirs.await);
            }
            // For the next round under its old name, known to no index.
            std::fs::write(&pack, bytes).unwrap();
        }
    }
}

#[tokio::test]
async fn what_both_ends_lost_is_named_and_all_else_is_copied() {
    let (from, to) = (OnDisk::init().await, OnDisk::init().await);
    let [first, _] = two_snapshots(&from.repository).await;
    let broken = ids(&from.repository).await;
    copy(&from.repository, &to.repository).await;
    let (source, target) = (
        lose(&from, &largest(&from)).await,
        lose(&to, &largest(&to)).await,
    );
    let kept = commit(&source, None, &[("kept", b"kept"), ("other", b"other")]).await;
    let now = holder(&TestClock::real());
    let wanted = ids(&source).await;
    let options = CopyOptions::default();
    let done = source.copy_to(&target, &wanted, &now, &options, &Silent);
    let error = done.await.unwrap_err();
    assert_eq!(error.code(), "repository-damaged", "{error}");
    let told = error.to_string();
    let named = broken.iter().any(|id| told.contains(&id.short()));
    assert!(named && told.contains("nor 1 others"), "{told}");
    let target = to.reopen().await;
    let there = target.snapshots().await.unwrap();
    assert_eq!(there.len(), 3);
    assert_eq!(content(&target, &kept).await, content(&source, &kept).await);
    assert!(
        target.list(first.tree).await.is_ok(),
        "its folders are there"
    );
}

#[tokio::test]
async fn what_the_source_lost_stops_no_other_snapshot_on_its_way_to_a_new_target() {
    let from = OnDisk::init().await;
    two_snapshots(&from.repository).await;
    let source = lose(&from, &largest(&from)).await;
    let mut kept = commit(&source, None, &[("kept", b"kept")]).await;
    // The same again, after all that is broken.
    kept.time = time(60);
    let clock = TestClock::real();
    let lock = source.lock_shared(&holder(&clock)).await.unwrap();
    source.writer().commit(&kept, &lock).await.unwrap();
    lock.release().await.unwrap();
    let (target, _) = in_memory().await;
    let (now, wanted) = (holder(&clock), ids(&source).await);
    let options = CopyOptions::default();
    let done = source.copy_to(&target, &wanted, &now, &options, &Silent);
    let told = done.await.unwrap_err().to_string();
    assert!(told.contains("nor 1 others"), "{told}");
    assert_eq!(ids(&target).await.len(), 2);
    assert_eq!(content(&target, &kept).await, content(&source, &kept).await);
}

#[tokio::test]
async fn what_the_source_lost_and_the_target_has_stops_no_copy() {
    let from = OnDisk::init().await;
    two_snapshots(&from.repository).await;
    let (target, _) = in_memory().await;
    copy(&from.repository, &target).await;
    for pack in from.files("data") {
        lose(&from, &pack).await;
    }
    let report = copy(&from.reopen().await, &target).await;
    assert_eq!((report.snapshots_copied, report.snapshots_present), (0, 2));
    assert_eq!(report.blobs_copied, 0);
}

#[tokio::test]
async fn a_copy_that_is_killed_anywhere_goes_on_and_stores_nothing_twice() {
    let (source, _) = in_memory().await;
    let snapshots = two_snapshots(&source).await;
    let wanted = ids(&source).await;
    let clock = TestClock::real();
    let options = CopyOptions {
        index_every: 1 << 18,
    };
    let new = Arc::new(InMemory::new());
    let place = Arc::clone(&new) as Arc<dyn ObjectStore>;
    Repository::init(place, &secret(PASSWORD), &crate::support::options())
        .await
        .unwrap();
    let mut writes = 0;
    loop {
        let store: Arc<dyn ObjectStore> = Arc::new(new.fork());
        let faulty = faulty(&store, &clock, after(writes));
        let killed = opened(Arc::new(faulty.clone())).await;
        let result = source
            .copy_to(&killed, &wanted, &holder(&clock), &options, &Silent)
            .await;
        clock.advance(SignedDuration::from_mins(31));
        let target = opened(Arc::clone(&store)).await;
        let all = CheckOptions {
            read_data: ReadData::All,
        };
        let before = target.check(&all).await.unwrap();
        assert!(before.is_clean(), "{writes}: {:?}", before.problems);
        let report = source
            .copy_to(&target, &wanted, &holder(&clock), &options, &Silent)
            .await
            .unwrap();
        let after = target.check(&all).await.unwrap();
        assert!(after.is_clean(), "{writes}: {:?}", after.problems);
        assert_eq!(after.blobs, before.blobs + report.blobs_copied, "{writes}");
        assert_eq!(after.snapshots, 2);
        for snapshot in &snapshots {
            assert_eq!(
                content(&target, snapshot).await,
                content(&source, snapshot).await
            );
        }
        if faulty.strikes().is_empty() {
            assert_eq!(result.unwrap().snapshots_copied, 2);
            break;
        }
        writes += 1;
    }
    assert!(
        writes > 8,
        "the test has to stop at many places, not {writes}"
    );
}

#[tokio::test]
async fn damage_in_the_source_is_named_and_not_copied() {
    let disk = OnDisk::init().await;
    two_snapshots(&disk.repository).await;
    let (target, _) = in_memory().await;
    let largest = disk
        .files("data")
        .into_iter()
        .max_by_key(|file| file.metadata().unwrap().len());
    let largest = largest.unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&largest, bytes).unwrap();
    let wanted = ids(&disk.repository).await;
    let now = holder(&TestClock::real());
    let options = CopyOptions::default();
    let error = disk
        .repository
        .copy_to(&target, &wanted, &now, &options, &Silent)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "repository-damaged", "{error}");
    assert!(target.snapshots().await.unwrap().is_empty());
}
