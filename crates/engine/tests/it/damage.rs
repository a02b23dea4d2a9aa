//! Folders of the snapshot before that cannot be read: what lay in them comes from the service again, and nothing else is asked twice.

use engine::SnapshotReader;
use engine::backup::BackupReport;
use model::Class;
use repository::TreeId;
use service::Stored as _;

use crate::harness::{Harness, runtime};
use crate::world::Change;

/// Three logs in two groups, a note, and a backup of them.
async fn backed_up() -> (Harness, BackupReport) {
    let mut harness = Harness::new().await;
    harness.world().apply(&[
        Change::Event(3),
        Change::Event(4),
        Change::Remark(4),
        Change::Event(12),
        Change::Note(0, 1),
    ]);
    let first = harness.backup().await.unwrap();
    (harness, first)
}

/// What is told of damage: one issue for each folder.
fn told(report: &BackupReport) -> Vec<&str> {
    let issues = report.source.issues.iter();
    let damage = issues.filter(|issue| issue.code == "repository-damaged");
    damage.map(|issue| issue.message.as_str()).collect()
}

async fn folder(harness: &Harness, report: &BackupReport, path: &str) -> TreeId {
    let snapshot = harness.repository.snapshot(report.snapshot).await.unwrap();
    let node = harness.repository.find(snapshot.tree, path).await.unwrap();
    node.unwrap().subtree.unwrap()
}

/// The snapshot holds all that the service has, and no later run hears of the damage.
async fn assert_whole(harness: &mut Harness, report: &BackupReport) {
    let expected = harness.world().expected();
    assert_eq!(harness.files(report).await, expected);
    let counts = &report.source.counts;
    let logs = expected.keys().filter(|path| path.ends_with("log.json"));
    assert_eq!(counts["log"].items, logs.count() as u64, "{counts:?}");
    assert_eq!(counts["remark"].items, 1);
    assert_eq!(counts["project"].items, 1);
    harness.full = true;
    let next = harness.backup().await.unwrap();
    assert!(next.source.issues.is_empty(), "{:?}", next.source.issues);
    assert_eq!(harness.files(&next).await, expected);
}

#[test]
fn a_full_backup_stores_a_folder_anew_that_cannot_be_read() {
    runtime().block_on(async {
        for path in ["logs", "logs/0000", "projects/p0/notes", "projects"] {
            let (mut harness, first) = backed_up().await;
            let tree = harness.damage_folder(&first, path).await;
            harness.full = true;
            let second = harness.backup().await.unwrap();
            let told = told(&second);
            assert_eq!(told.len(), 1, "{path}: {told:?}");
            assert!(told[0].contains(&format!("`{path}`")), "{told:?}");
            assert!(told[0].contains(&tree.to_string()), "{told:?}");
            assert!(second.source.stale.is_empty(), "{path}");
            assert_whole(&mut harness, &second).await;
        }
    });
}

#[test]
fn what_a_stream_alone_tells_of_such_a_folder_is_not_taken_for_all_of_it() {
    runtime().block_on(async {
        for path in ["logs", "logs/0000", "logs/0000/4"] {
            let (mut harness, first) = backed_up().await;
            harness.damage_folder(&first, path).await;
            harness.world().apply(&[Change::Event(4)]);
            let second = harness.backup().await.unwrap();
            assert_eq!(told(&second).len(), 1, "{path}: {:?}", told(&second));
            assert_whole(&mut harness, &second).await;
        }
    });
}

#[test]
fn a_listing_alone_stores_its_folder_anew() {
    runtime().block_on(async {
        let (mut harness, first) = backed_up().await;
        harness.damage_folder(&first, "projects/p0/notes").await;
        let before = harness.world().requests;
        let second = harness.backup().await.unwrap();
        let requests = harness.world().requests - before;
        assert_eq!(told(&second).len(), 1);
        assert_whole(&mut harness, &second).await;
        let (mut healthy, _) = backed_up().await;
        let before = healthy.world().requests;
        healthy.backup().await.unwrap();
        assert_eq!(requests, healthy.world().requests - before);
    });
}

#[test]
fn nobody_looks_for_damage_where_nothing_happened() {
    runtime().block_on(async {
        let mut requests = Vec::new();
        for damaged in [false, true] {
            let (mut harness, first) = backed_up().await;
            if damaged {
                harness.damage_folder(&first, "logs/0000").await;
            }
            harness.world().apply(&[Change::Event(12)]);
            let before = harness.world().requests;
            let second = harness.backup().await.unwrap();
            assert!(second.source.issues.is_empty());
            requests.push(harness.world().requests - before);
        }
        assert_eq!(requests[0], requests[1]);
    });
}

#[test]
fn a_kind_that_cannot_be_read_whole_leaves_such_a_folder_as_it_is() {
    runtime().block_on(async {
        for answered in [0, 3] {
            let (mut harness, first) = backed_up().await;
            let tree = harness.damage_folder(&first, "logs/0000").await;
            harness.world().apply(&[Change::Event(4)]);
            harness
                .world()
                .fail_after("log", Class::Permission, answered);
            let second = harness.backup().await.unwrap();
            let stale: Vec<&String> = second.source.stale.keys().collect();
            assert_eq!(stale, ["log"]);
            assert_eq!(folder(&harness, &second, "logs/0000").await, tree);
            assert_eq!(second.source.cursors, first.source.cursors);
            harness.world().heal();
            let third = harness.backup().await.unwrap();
            assert_eq!(told(&third).len(), 1);
            assert_whole(&mut harness, &third).await;
        }
    });
}

#[test]
fn an_implausibly_short_list_does_not_stand_for_such_a_folder() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes: Vec<Change> = (0..12).map(|id| Change::Note(0, id)).collect();
        harness.world().apply(&notes);
        let first = harness.backup().await.unwrap();
        let path = "projects/p0/notes";
        let tree = harness.damage_folder(&first, path).await;
        let gone: Vec<Change> = (1..12).map(|id| Change::RemoveNote(0, id)).collect();
        harness.world().apply(&gone);
        let second = harness.backup().await.unwrap();
        assert_eq!(folder(&harness, &second, path).await, tree);
        assert_eq!(told(&second).len(), 1);
        let stale: Vec<&String> = second.source.stale.keys().collect();
        assert_eq!(stale, ["note/p0"]);
        harness.accept.insert("note".to_owned());
        let third = harness.backup().await.unwrap();
        assert_eq!(third.source.counts["note"].items, 1);
        let expected = harness.world().expected();
        assert_eq!(harness.files(&third).await, expected);
    });
}

#[test]
fn the_snapshot_that_still_has_a_folder_is_named() {
    runtime().block_on(async {
        let (mut harness, first) = backed_up().await;
        harness.world().apply(&[Change::Event(3)]);
        let second = harness.backup().await.unwrap();
        harness.damage_folder(&second, "logs/0000").await;
        harness.full = true;
        let third = harness.backup().await.unwrap();
        let hint = third.source.issues[0].hint.as_ref().unwrap();
        assert!(hint.contains(&first.snapshot.short()), "{hint}");
    });
}

#[test]
fn ids_are_told_around_a_folder_that_cannot_be_read() {
    runtime().block_on(async {
        let (mut harness, first) = backed_up().await;
        harness.damage_folder(&first, "logs/0000").await;
        let snapshot = harness.repository.snapshot(first.snapshot).await.unwrap();
        let repository = harness.repository.clone();
        let reader = SnapshotReader::new(repository, harness.service, Some(snapshot.tree));
        let error = reader.ids("log", "").await.unwrap_err();
        assert_eq!(error.code, "repository-damaged");
        let (ids, unreadable) = reader.readable_ids("log", "").await.unwrap();
        assert_eq!(ids, ["12"]);
        assert_eq!(unreadable[0].folder, "logs/0000");
        assert!(reader.gaps().is_empty());
    });
}

#[test]
fn rows_are_made_of_what_can_be_read() {
    runtime().block_on(async {
        let (mut harness, first) = backed_up().await;
        harness.world().apply(&[Change::Event(12)]);
        harness.backup().await.unwrap();
        harness.damage_folder(&first, "logs/0000").await;
        harness
            .assert_rows_of(first.snapshot, &["log 12", "note 1", "project p0"])
            .await;
    });
}
