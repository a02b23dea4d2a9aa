//! Folders of the snapshot before that cannot be read: what lay in them comes from the service again, and nothing else is asked twice.

use engine::SnapshotReader;
use engine::backup::BackupReport;
use model::Class;
use repository::TreeId;
use service::Stored as _;

use crate::harness::{Harness, notes, runtime};
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
        let notes = notes(12);
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
fn kinds_that_are_not_selected_keep_what_lies_in_such_a_folder() {
    runtime().block_on(async {
        for path in ["projects", "projects/p0"] {
            let (mut harness, first) = backed_up().await;
            let tree = harness.damage_folder(&first, path).await;
            harness.selection = ["project".to_owned()].into();
            harness.full = true;
            let second = harness.backup().await.unwrap();
            assert_eq!(folder(&harness, &second, path).await, tree);
            let stale: Vec<&String> = second.source.stale.keys().collect();
            assert_eq!(stale, ["project"], "{path}");
            harness.selection.clear();
            let third = harness.backup().await.unwrap();
            assert_whole(&mut harness, &third).await;
        }
    });
}

#[test]
fn a_crawl_that_has_no_place_in_one_folder_begins_no_other_anew() {
    runtime().block_on(async {
        let paths = ["projects/p0", "projects/p1"];
        let mut harness = Harness::new().await;
        let changes = [Change::Project(1), Change::Note(0, 1), Change::Note(1, 1)];
        harness.world().apply(&changes);
        let first = harness.backup().await.unwrap();
        let mut trees = Vec::new();
        for path in paths {
            trees.push(harness.damage_folder(&first, path).await);
        }
        harness.full = true;
        harness.world().close("p1");
        let second = harness.backup().await.unwrap();
        let stale: Vec<&String> = second.source.stale.keys().collect();
        assert_eq!(stale, ["note/p0", "note/p1", "project"]);
        for (path, tree) in paths.iter().zip(trees) {
            assert_eq!(folder(&harness, &second, path).await, tree, "{path}");
        }
        harness.world().heal();
        let third = harness.backup().await.unwrap();
        assert_eq!(told(&third).len(), 2);
        let expected = harness.world().expected();
        assert_eq!(harness.files(&third).await, expected);
    });
}

/// Whoever only hears that items are kept would believe that they can be read.
#[test]
fn what_is_kept_and_lost_is_named_and_what_the_service_gives_is_stored_again() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes = notes(12);
        harness.world().apply(&notes);
        let first = harness.backup().await.unwrap();
        let tree = harness.repository.snapshot(first.snapshot).await.unwrap();
        harness.damage_contents(tree.tree).await;
        harness.repair_index().await;
        let gone: Vec<Change> = (1..12).map(|id| Change::RemoveNote(0, id)).collect();
        harness.world().apply(&gone);
        harness.full = true;
        let second = harness.backup().await.unwrap();
        let told = told(&second);
        let lost = told.iter().filter(|told| told.contains("is lost"));
        let lost: Vec<_> = lost.collect();
        assert_eq!(lost.len(), 1, "{told:?}");
        assert!(lost[0].starts_with("11 items of kind note"), "{lost:?}");
        let repository = &harness.repository;
        let tree = repository.snapshot(second.snapshot).await.unwrap().tree;
        let mut read = 0;
        for (path, node) in repository.list(tree).await.unwrap() {
            if node.is_file() && repository.read(&node).await.is_ok() {
                read += usize::from(path.ends_with("note.json"));
            }
        }
        assert_eq!(read, 1);
    });
}

#[test]
fn the_newest_snapshot_that_still_has_a_folder_is_named() {
    runtime().block_on(async {
        let (mut harness, _) = backed_up().await;
        let mut reports = Vec::new();
        // The last two have the same folder.
        for id in [3, 3, 12] {
            harness.world().apply(&[Change::Event(id)]);
            reports.push(harness.backup().await.unwrap());
        }
        harness.damage_folder(&reports[2], "logs/0000").await;
        harness.full = true;
        let healed = harness.backup().await.unwrap();
        let hint = healed.source.issues[0].hint.as_ref().unwrap();
        assert!(hint.contains(&reports[0].snapshot.short()), "{hint}");
    });
}

#[test]
fn a_folder_that_nothing_is_left_of_is_gone() {
    runtime().block_on(async {
        let (mut harness, first) = backed_up().await;
        let path = "projects/p0/notes";
        harness.damage_folder(&first, path).await;
        harness.world().apply(&[Change::RemoveNote(0, 1)]);
        harness.accept.insert("note".to_owned());
        let second = harness.backup().await.unwrap();
        let expected = harness.world().expected();
        assert_eq!(harness.files(&second).await, expected);
        assert_eq!(second.source.counts["note"].items, 0);
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

#[test]
fn what_stands_in_the_place_of_a_file_is_named_and_the_file_comes_anew() {
    runtime().block_on(async {
        let files = ["logs/0000/3/log.json", "projects/p0/notes/1/note.json"];
        for path in files {
            let (mut harness, first) = backed_up().await;
            harness.displace(&first, path).await;
            let second = harness.backup().await.unwrap();
            let told = told(&second);
            let named = format!("`{path}` of the snapshot before is a symlink and no file");
            assert!(told.iter().any(|told| told.contains(&named)), "{told:?}");
            assert_whole(&mut harness, &second).await;
        }
    });
}
