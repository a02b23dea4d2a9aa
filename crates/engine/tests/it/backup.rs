//! Backups of a small service with behavior, into an in-memory repository.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use engine::coordinator::RowChange;
use engine::{Error, SnapshotReader};
use model::{Class, Event, ItemRef};
use proptest::prelude::*;
use service::Stored as _;

use crate::harness::{Harness, notes, runtime};
use crate::world::{Change, change};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Chained increments hold what is there, byte for byte, and what one full crawl into a new repository holds.
    #[test]
    fn chained_increments_equal_one_full_crawl(histories in prop::collection::vec(prop::collection::vec(change(), 0..12), 1..5)) {
        runtime().block_on(async {
            let mut harness = Harness::new().await;
            // A scope that vanishes without a word is doubted otherwise.
            harness.accept.insert("project".to_owned());
            for changes in histories {
                harness.world().apply(&changes);
                let report = harness.backup().await.unwrap();
                prop_assert!(report.source.issues.is_empty(), "{:?}", report.source.issues);
                let files = harness.files(&report).await;
                prop_assert_eq!(report.source.counts["remark"].items, remarks(&files));
                prop_assert_eq!(files, harness.world().expected());
            }
            let chained = harness.backup().await.unwrap();
            let fresh = harness.fresh_repository().await.backup().await.unwrap();
            for kind in ["project", "note", "log", "remark"] {
                prop_assert_eq!(chained.source.counts[kind].items, fresh.source.counts[kind].items, "{}", kind);
            }
            Ok(())
        })?;
    }

    /// The catalog's rows can be made again from the repository alone.
    #[test]
    fn rows_of_the_run_equal_rows_made_from_the_repository(histories in prop::collection::vec(prop::collection::vec(change(), 0..12), 1..4)) {
        runtime().block_on(async {
            let mut harness = Harness::new().await;
            for changes in histories {
                harness.world().apply(&changes);
                harness.backup().await.unwrap();
            }
            harness.assert_rows_can_be_made_again().await;
        });
    }
}

fn remarks(files: &BTreeMap<String, Vec<u8>>) -> u64 {
    let of_remarks = files
        .iter()
        .filter(|(path, _)| path.ends_with("/remarks.ndjson"));
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').count() as u64;
    of_remarks.map(|(_, bytes)| lines(bytes)).sum()
}

/// Of each version of an item, its digest and what it held.
async fn versions(
    harness: &mut Harness,
    histories: &[Vec<Change>],
) -> Vec<(ItemRef, String, BTreeMap<String, Vec<u8>>)> {
    let mut versions = Vec::new();
    for changes in histories {
        harness.world().apply(changes);
        let report = harness.backup().await.unwrap();
        let files = harness.files(&report).await;
        let rows = harness.catalog().rows.last().unwrap().clone();
        for row in rows
            .into_iter()
            .filter(|row| row.change != RowChange::Removed)
        {
            let folder = format!("{}/", row.path);
            let own = files.iter().filter_map(|(path, bytes)| {
                let part = path.strip_prefix(&folder)?;
                // Notes of a project are items of their own.
                (!part.starts_with("notes/")).then(|| (part.to_owned(), bytes.clone()))
            });
            versions.push((row.item, row.digest, own.collect()));
        }
    }
    versions
}

/// What the same change made of different contents are different versions: a list of what differs leaves neither out.
#[test]
fn equal_digests_are_equal_contents() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let histories = [
            vec![Change::Event(1)],
            vec![Change::Bin(1)],
            vec![Change::Unbin(1)],
            vec![Change::Event(1)],
            vec![Change::Bin(1)],
            vec![Change::Unbin(1)],
        ];
        let versions = versions(&mut harness, &histories).await;
        let of_log: Vec<_> = versions.iter().filter(|one| one.0.kind == "log").collect();
        assert_eq!(of_log.len(), 6);
        for a in &of_log {
            for b in &of_log {
                assert_eq!(
                    a.1 == b.1,
                    a.2 == b.2,
                    "{:?} and {:?}",
                    a.2.keys(),
                    b.2.keys()
                );
            }
        }
        assert_eq!(of_log[0].1, of_log[2].1, "out of the bin it is as it was");
        assert_ne!(
            of_log[1].1, of_log[4].1,
            "binned twice, with another event between"
        );
    });
}

#[test]
fn a_quiet_run_stores_only_its_own_description() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Event(3), Change::Remark(3)]);
        let first = harness.backup().await.unwrap();
        let second = harness.backup().await.unwrap();
        assert_eq!(second.parent, Some(first.snapshot));
        assert_eq!(second.counts.blobs_stored, 2, "source.json and the root");
        assert!(harness.catalog().rows[1].is_empty());
    });
}

#[test]
fn a_kind_that_fails_is_carried_over_and_marked_stale() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Event(3)]);
        let first = harness.backup().await.unwrap();
        harness
            .world()
            .apply(&[Change::Note(0, 2), Change::Event(3)]);
        harness.world().fail("log", Class::Permission);
        let second = harness.backup().await.unwrap();
        assert_eq!(second.source.issues.len(), 1);
        assert_eq!(second.source.stale["log"], first.source.finished);
        assert_eq!(second.source.cursors["log"], first.source.cursors["log"]);
        let (old, new) = (harness.files(&first).await, harness.files(&second).await);
        let logs = |files: &BTreeMap<String, Vec<u8>>| {
            files
                .iter()
                .filter(|(path, _)| path.starts_with("logs/"))
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(logs(&old), logs(&new));
        assert!(
            new.contains_key("projects/p0/notes/2/note.json"),
            "what could be read is new"
        );

        harness.world().heal();
        let third = harness.backup().await.unwrap();
        assert!(third.source.stale.is_empty());
        assert_eq!(harness.files(&third).await, harness.world().expected());
    });
}

#[test]
fn what_lies_in_an_item_goes_with_it_in_the_counts_too() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.world().apply(&[
            Change::Event(16),
            Change::Event(17),
            Change::Remark(16),
            Change::Remark(17),
        ]);
        let first = harness.backup().await.unwrap();
        assert_eq!(first.source.counts["remark"].items, 2);
        harness.world().apply(&[Change::Destroy(16)]);
        let second = harness.backup().await.unwrap();
        assert_eq!(second.source.counts["remark"].items, 1);
        assert_eq!(second.source.counts["remark"].removed, 1);
    });
}

#[test]
fn what_came_into_the_recycle_bin_counts_as_removed_and_is_held_nevertheless() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let logs = [Change::Event(1), Change::Event(2), Change::Event(3)];
        harness.world().apply(&logs);
        harness.backup().await.unwrap();
        let mut told = Vec::new();
        for changes in [
            vec![Change::Bin(1), Change::Bin(2), Change::Event(3)],
            vec![Change::Unbin(1), Change::Destroy(2)],
        ] {
            harness.world().apply(&changes);
            let counts = harness.backup().await.unwrap().source.counts["log"].clone();
            told.push((counts.items, counts.added, counts.changed, counts.removed));
        }
        assert_eq!(told, [(3, 0, 1, 2), (2, 1, 0, 1)]);
    });
}

#[test]
fn a_kind_that_fails_midway_keeps_what_was_there() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes = notes(6);
        harness.world().apply(&notes);
        let first = harness.backup().await.unwrap();
        harness.world().apply(&notes);
        harness.world().fail_after("note", Class::Transient, 3);
        let second = harness.backup().await.unwrap();
        assert!(second.source.stale.contains_key("note/p0"));
        assert_eq!(harness.files(&second).await, harness.files(&first).await);
    });
}

#[test]
fn an_id_of_absurd_length_costs_its_kind_and_nothing_else() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.backup().await.unwrap();
        let changes = [Change::Note(0, 1), Change::Event(1)];
        harness.world().apply(&changes);
        let mut expected = harness.world().expected();
        harness.world().strange_project("z".repeat(70_000));
        let report = harness.backup().await.unwrap();
        let [issue] = report.source.issues.as_slice() else {
            panic!("{:?}", report.source.issues)
        };
        assert_eq!(
            (issue.code.as_str(), issue.kind.as_str()),
            ("answer-not-understood", "project")
        );
        assert!(issue.message.len() < 1000, "{}", issue.message.len());
        assert!(report.source.stale.contains_key("project"));
        expected.retain(|path, _| !path.contains("zzz"));
        assert_eq!(harness.files(&report).await, expected);
    });
}

#[test]
fn an_item_that_cannot_be_read_is_named_and_stays_as_it_was() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Note(0, 2)]);
        let first = harness.backup().await.unwrap();
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Note(0, 2)]);
        harness.world().hide_note(1);
        let second = harness.backup().await.unwrap();
        let [issue] = second.source.issues.as_slice() else {
            panic!("{:?}", second.source.issues)
        };
        assert_eq!(issue.item.as_ref().unwrap().id, "1");
        let (old, new) = (harness.files(&first).await, harness.files(&second).await);
        let note = |id: u8| format!("projects/p0/notes/{id}/note.json");
        assert_eq!(old[&note(1)], new[&note(1)]);
        assert_ne!(old[&note(2)], new[&note(2)]);
    });
}

#[test]
fn what_is_damaged_in_the_snapshot_before_stops_nothing_else() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Event(16), Change::Remark(16)]);
        let first = harness.backup().await.unwrap();
        let tree = harness
            .repository
            .snapshot(first.snapshot)
            .await
            .unwrap()
            .tree;
        harness.damage_contents(tree).await;
        harness
            .world()
            .apply(&[Change::Note(0, 2), Change::Event(16), Change::Remark(16)]);
        let second = harness.backup().await.unwrap();
        let told: Vec<(&str, &str)> = second
            .source
            .issues
            .iter()
            .map(|issue| (issue.code.as_str(), issue.kind.as_str()))
            .collect();
        assert_eq!(told, [("repository-damaged", "project")]);
        // How many there were can no longer be read; how many there are can.
        assert_eq!(second.source.counts["remark"].items, 2);
        let tree = harness
            .repository
            .snapshot(second.snapshot)
            .await
            .unwrap()
            .tree;
        let expected = harness.world().expected();
        for path in [
            "projects/p0/notes/2/note.json",
            "logs/0001/16/remarks.ndjson",
        ] {
            let node = harness.repository.find(tree, path).await.unwrap().unwrap();
            let read = harness.repository.read(&node).await.unwrap();
            assert_eq!(read, expected[path], "{path}");
        }
        let events = "logs/0001/16/events.ndjson";
        let node = harness
            .repository
            .find(tree, events)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(node.size, expected[events].len() as u64);
        assert_eq!(
            node.content.unwrap().len(),
            2,
            "the new end of a damaged file"
        );
    });
}

#[test]
fn a_backup_that_read_nothing_fails_for_the_reason_of_the_service() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.selection = BTreeSet::from(["log".to_owned()]);
        for (class, code) in [
            (Class::Missing, "not-found"),
            (Class::Permission, "permission-missing"),
        ] {
            harness.world().fail("log", class);
            let error = harness.backup().await.unwrap_err();
            assert_eq!(error.code(), Some(code), "{error}");
        }
    });
}

#[test]
fn a_refused_credential_leaves_no_snapshot() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.world().fail("log", Class::Credential);
        let error = harness.backup().await.unwrap_err();
        assert_eq!(error.code(), Some("credential-refused"));
        assert!(harness.repository.snapshots().await.unwrap().is_empty());
    });
}

#[test]
fn a_source_of_the_same_name_elsewhere_is_another_one() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let here = harness.url.clone();
        let first = harness.backup().await.unwrap();
        harness.url = "https://elsewhere.invalid/contoso".to_owned();
        assert_eq!(harness.backup().await.unwrap().parent, None);
        harness.url = here;
        let third = harness.backup().await.unwrap();
        assert_eq!(third.parent, Some(first.snapshot));
    });
}

#[test]
fn a_snapshot_is_never_older_than_the_one_that_it_goes_on_from() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.ticks.set("2027-03-01T00:00:00Z");
        let ahead = harness.backup().await.unwrap();
        harness.ticks.set("2026-03-01T00:00:00Z");
        let mut before = ahead;
        for _ in 0..2 {
            let next = harness.backup().await.unwrap();
            assert_eq!(next.parent, Some(before.snapshot));
            assert!(next.source.finished > before.source.finished);
            let codes: Vec<&str> = next
                .source
                .issues
                .iter()
                .map(|issue| issue.code.as_str())
                .collect();
            assert_eq!(codes, ["clock-behind"]);
            before = next;
        }
    });
}

#[test]
fn kinds_that_are_not_selected_stay_as_they_were() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Note(0, 1), Change::Event(3)]);
        harness.backup().await.unwrap();
        harness
            .world()
            .apply(&[Change::RemoveNote(0, 1), Change::Event(3)]);
        harness.selection = BTreeSet::from(["log".to_owned()]);
        let report = harness.backup().await.unwrap();
        assert_eq!(report.source.selection, ["log"]);
        assert!(
            harness
                .files(&report)
                .await
                .contains_key("projects/p0/notes/1/note.json")
        );
        // What it knew of the others when they are selected again: nothing is read twice, and nothing is missed.
        harness.selection = BTreeSet::from(["note".to_owned()]);
        let others = harness.backup().await.unwrap();
        assert_eq!(others.source.cursors, report.source.cursors);
        assert!(others.source.cursors.contains_key("log"));
        harness.selection = BTreeSet::from(["no-such-kind".to_owned()]);
        assert!(matches!(harness.backup().await, Err(Error::Request { .. })));
    });
}

/// In memory or on its way through a file: half of it is none of it.
#[test]
fn a_file_that_does_not_arrive_whole_leaves_the_one_before() {
    runtime().block_on(async {
        for size in [1000, 5 << 20] {
            let mut harness = Harness::new().await;
            harness.world().apply(&[Change::Event(3)]);
            harness.world().file(3, vec![1; size]);
            let first = harness.backup().await.unwrap();
            let before = harness.files(&first).await;
            harness.world().file(3, vec![2; size]);
            harness.world().cut = Some(size - 1);
            let second = harness.backup().await.unwrap();
            assert_eq!(second.source.issues[0].code, "answer-cut-short");
            assert!(second.source.stale.contains_key("log"));
            assert_eq!(harness.files(&second).await, before);
            assert_eq!(second.source.cursors, first.source.cursors);
            harness.world().cut = None;
            let third = harness.backup().await.unwrap();
            let files = harness.files(&third).await;
            assert_eq!(files["logs/0000/3/files/big"], vec![2; size]);
        }
    });
}

/// Another worker has taken the job over: two would go on from one snapshot.
#[test]
fn a_job_that_was_taken_over_commits_nothing() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let first = harness.backup().await.unwrap();
        harness.world().apply(&[Change::Event(1)]);
        harness.catalog().superseded = true;
        let refused = harness.backup().await.unwrap_err();
        assert_eq!(refused.code(), Some("job-superseded"));
        let snapshots = harness.repository.snapshots().await.unwrap();
        assert_eq!(snapshots.len(), 1);
        harness.catalog().superseded = false;
        assert_eq!(harness.backup().await.unwrap().parent, Some(first.snapshot));
    });
}

#[test]
fn parts_larger_than_memory_allows_are_streamed_and_read_back() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.world().apply(&[Change::Event(3)]);
        let bytes: Vec<u8> = (0..6_000_000_u32)
            .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        harness.world().file(3, bytes.clone());
        let report = harness.backup().await.unwrap();
        let tree = harness
            .repository
            .snapshot(report.snapshot)
            .await
            .unwrap()
            .tree;
        let reader = SnapshotReader::new(harness.repository.clone(), harness.service, Some(tree));
        let item = ItemRef::new("log", "", "3");
        assert_eq!(
            reader.part(&item, "files/big").await.unwrap().unwrap(),
            bytes
        );
        let mut copy = Vec::new();
        reader.copy(&item, "files/big", &mut copy).await.unwrap();
        assert_eq!(copy, bytes);
    });
}

#[test]
fn a_backup_tells_how_many_items_it_has_written() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes: Vec<Change> = (0..12).map(|id| Change::Note(0, id)).collect();
        harness.world().apply(&notes);
        harness.heard.take();
        harness.backup().await.unwrap();
        let events = harness.heard.take();
        let begins =
            |event: &Event, named: &str| matches!(event, Event::Phase { phase } if phase == named);
        let from = events.iter().position(|event| begins(event, "write"));
        let to = events.iter().position(|event| begins(event, "commit"));
        let told: Vec<(u64, u64)> = events[from.unwrap()..to.unwrap()]
            .iter()
            .filter_map(|event| match event {
                Event::Progress {
                    phase,
                    items,
                    bytes,
                    ..
                } if phase == "write" => Some((*items, *bytes)),
                _ => None,
            })
            .collect();
        // Twelve notes and their projects.
        let &(items, bytes) = told.last().unwrap();
        assert!(items > 12 && bytes > 0, "{told:?}");
    });
}

#[test]
fn a_crawl_that_takes_long_tells_each_second_how_far_it_is() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes: Vec<Change> = (0..12).map(|id| Change::Note(0, id)).collect();
        harness.world().apply(&notes);
        harness.heard.take();
        // The list of projects and the first notes are answered, then the service takes its time.
        tokio::time::pause();
        let requests = harness.world().requests;
        harness.world().last = Some(requests + 6);
        let waiting = tokio::time::timeout(Duration::from_mins(1), harness.backup());
        waiting.await.unwrap_err();
        let told: Vec<(String, Option<String>, u64)> = harness
            .heard
            .take()
            .into_iter()
            .filter_map(|event| match event {
                Event::Progress {
                    phase,
                    current,
                    items,
                    ..
                } => Some((phase, current, items)),
                _ => None,
            })
            .collect();
        let (phase, current, items) = told.last().unwrap();
        assert!(told.len() > 50 && *items > 1, "{told:?}");
        assert!(phase.starts_with("crawl ") && current.is_some(), "{told:?}");
    });
}
