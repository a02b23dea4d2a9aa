//! What is no longer listed, or could not be read: it is kept and marked until it is read again or a person agrees.

use std::collections::BTreeSet;

use engine::coordinator::RowChange;
use model::Class;

use crate::harness::{Harness, notes, runtime};
use crate::world::{Change, World};

#[test]
fn one_item_that_a_filtered_listing_lost_stays_and_is_marked_until_a_person_agrees() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes = notes(12);
        harness.world().apply(&notes);
        harness.world().filtered = true;
        harness.backup().await.unwrap();
        harness.world().apply(&[Change::RemoveNote(0, 7)]);
        for _ in 0..2 {
            let kept = harness.backup().await.unwrap();
            assert_eq!(kept.source.issues[0].code, "implausible-drop");
            assert_eq!(kept.source.counts["note"].items, 12);
            let stale: Vec<&str> = kept
                .source
                .stale_items
                .iter()
                .map(|stale| stale.item.kind.as_str())
                .collect();
            assert_eq!(stale, ["note"]);
        }
        harness.accept = BTreeSet::from(["note".to_owned()]);
        let agreed = harness.backup().await.unwrap();
        assert!(agreed.source.issues.is_empty());
        assert_eq!(agreed.source.counts["note"].items, 11);
    });
}

#[test]
fn a_listing_that_lost_most_of_its_items_deletes_nothing_until_a_person_agrees() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes = notes(12);
        harness.world().apply(&notes);
        harness.backup().await.unwrap();
        harness.world().apply(
            &(0..12)
                .map(|id| Change::RemoveNote(0, id))
                .collect::<Vec<_>>(),
        );
        let kept = harness.backup().await.unwrap();
        assert_eq!(kept.source.issues[0].code, "implausible-drop");
        assert_eq!(kept.source.counts["note"].items, 12);
        harness.accept = BTreeSet::from(["note".to_owned()]);
        let agreed = harness.backup().await.unwrap();
        assert!(agreed.source.issues.is_empty());
        assert_eq!(agreed.source.counts["note"].items, 0);
        let removed = harness.catalog().rows.pop().unwrap();
        assert_eq!(
            removed
                .iter()
                .filter(|row| row.change == RowChange::Removed)
                .count(),
            12
        );
    });
}

#[test]
fn what_was_kept_in_doubt_stays_marked_until_a_person_agrees() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let logs: Vec<Change> = (0..12).map(Change::Event).collect();
        harness.world().apply(&logs);
        harness.backup().await.unwrap();
        *harness.world() = World::default();
        harness.world().apply(&logs[..1]);
        harness.full = true;
        let doubted = harness.backup().await.unwrap().source;
        assert_eq!(doubted.issues[0].code, "implausible-drop");
        assert_eq!(doubted.stale_items.len(), 11);
        harness.full = false;
        // One whose crawl asks for changes alone, and one that does not ask at all.
        for kinds in [&[][..], &["note"]] {
            harness.selection = kinds.iter().copied().map(str::to_owned).collect();
            let quiet = harness.backup().await.unwrap().source;
            assert_eq!(quiet.stale_items, doubted.stale_items);
            assert_eq!(quiet.issues, doubted.issues);
        }
        harness.selection.clear();
        harness.full = true;
        // A crawl of everything that fails has not read them either.
        harness.world().fail("log", Class::Permission);
        let failed = harness.backup().await.unwrap().source;
        assert_eq!(failed.stale_items, doubted.stale_items);
        harness.world().heal();
        harness.accept = BTreeSet::from(["log".to_owned()]);
        let agreed = harness.backup().await.unwrap().source;
        assert!(agreed.issues.is_empty() && agreed.stale_items.is_empty());
        assert_eq!(agreed.counts["log"].items, 1);
    });
}

#[test]
fn items_that_one_issue_tells_of_are_each_marked_until_they_are_read_again() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let logs = [Change::Event(3), Change::Event(4), Change::Event(5)];
        harness.world().apply(&logs);
        harness.backup().await.unwrap();
        harness.world().doubt_logs(&[3, 4]);
        let marked = |source: &model::SourceFile| -> Vec<String> {
            let stale = source.stale_items.iter();
            stale.map(|stale| stale.item.id.clone()).collect()
        };
        let doubted = harness.backup().await.unwrap().source;
        assert_eq!(doubted.issues.len(), 1);
        assert_eq!(marked(&doubted), ["3", "4"]);
        harness.world().heal();
        let quiet = harness.backup().await.unwrap().source;
        assert_eq!(
            (marked(&quiet), &quiet.issues),
            (marked(&doubted), &doubted.issues)
        );
        harness.world().apply(&logs[..1]);
        let one = harness.backup().await.unwrap().source;
        assert_eq!((marked(&one), one.issues.len()), (vec!["4".to_owned()], 1));
        harness.world().apply(&logs[1..2]);
        let seen = harness.backup().await.unwrap().source;
        assert!(seen.issues.is_empty() && seen.stale_items.is_empty());
    });
}

#[test]
fn an_item_of_which_a_stream_tells_again_is_no_longer_marked() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let both = [Change::Event(3), Change::Event(4)];
        harness.world().apply(&both);
        harness.backup().await.unwrap();
        harness.world().apply(&both);
        harness.world().hide_log(3);
        harness.world().hide_log(4);
        let hidden = harness.backup().await.unwrap().source;
        assert_eq!((hidden.stale_items.len(), hidden.issues.len()), (2, 2));
        // Told again, and still hidden: no issue is there twice.
        harness.world().apply(&both);
        let again = harness.backup().await.unwrap().source;
        assert_eq!(again.stale_items, hidden.stale_items);
        assert_eq!(again.issues, hidden.issues);
        harness.world().heal();
        harness.world().apply(&both[..1]);
        let one = harness.backup().await.unwrap().source;
        let left: Vec<&str> = one
            .stale_items
            .iter()
            .map(|stale| stale.item.id.as_str())
            .collect();
        assert_eq!(left, ["4"]);
        let [issue] = &one.issues[..] else {
            panic!("{:?}", one.issues);
        };
        assert_eq!(issue.item.as_ref(), Some(&one.stale_items[0].item));
        harness.world().apply(&[Change::Destroy(4)]);
        let gone = harness.backup().await.unwrap().source;
        assert!(gone.stale_items.is_empty() && gone.issues.is_empty());
    });
}

#[test]
fn a_kind_that_could_not_be_read_stays_stale_in_backups_that_leave_it_out() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness
            .world()
            .apply(&[Change::Event(1), Change::Note(0, 1)]);
        harness.backup().await.unwrap();
        harness.world().fail("log", Class::Permission);
        let failed = harness.backup().await.unwrap().source;
        assert!(failed.stale.contains_key("log"), "{:?}", failed.stale);
        harness.world().heal();
        harness.selection = BTreeSet::from(["note".to_owned()]);
        let notes = harness.backup().await.unwrap().source;
        assert_eq!(notes.stale, failed.stale);
        assert_eq!(notes.issues, failed.issues);
        harness.selection.clear();
        let read = harness.backup().await.unwrap().source;
        assert!(read.stale.is_empty() && read.issues.is_empty());
    });
}

#[test]
fn the_mark_on_what_lies_in_a_container_goes_with_it() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let changes = [Change::Project(1), Change::Note(1, 1)];
        harness.world().apply(&changes);
        harness.backup().await.unwrap();
        harness.world().fail("note", Class::Permission);
        let failed = harness.backup().await.unwrap().source;
        let stale: Vec<&String> = failed.stale.keys().collect();
        assert_eq!(stale, ["note/p0", "note/p1"]);
        harness.world().heal();
        harness.world().apply(&[Change::RemoveProject(1)]);
        harness.accept.insert("project".to_owned());
        let gone = harness.backup().await.unwrap().source;
        assert!(gone.stale.is_empty(), "{:?}", gone.stale);
        assert!(gone.issues.is_empty(), "{:?}", gone.issues);
    });
}

#[test]
fn after_a_repair_a_listing_that_lost_most_of_its_items_still_deletes_nothing() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let notes = notes(12);
        harness.world().apply(&notes);
        harness
            .world()
            .apply(&[Change::Event(3), Change::Event(12)]);
        let first = harness.backup().await.unwrap();
        let logs = harness.world().expected();
        harness.damage_folder(&first, "logs/0000").await;
        harness.repair().await;
        let lost: Vec<Change> = (1..12).map(|id| Change::RemoveNote(0, id)).collect();
        harness.world().apply(&lost);
        let second = harness.backup().await.unwrap();
        assert_eq!(second.source.issues[0].code, "implausible-drop");
        assert_eq!(second.source.counts["note"].items, 12);
        assert_eq!(second.source.counts["log"].items, 2);
        // What the repair had to leave out comes from the service again.
        assert_eq!(harness.files(&second).await, logs);
    });
}

#[test]
fn a_container_that_vanishes_without_a_word_stays_with_all_that_is_in_it() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        let changes = [Change::Project(1), Change::Note(1, 1), Change::Note(0, 2)];
        harness.world().apply(&changes);
        let first = harness.backup().await.unwrap();
        let before = harness.files(&first).await;
        harness.world().apply(&[Change::RemoveProject(1)]);
        let second = harness.backup().await.unwrap();
        let [issue] = second.source.issues.as_slice() else {
            panic!("{:?}", second.source.issues)
        };
        assert_eq!(issue.code, "implausible-drop");
        assert_eq!(issue.kind, "project");
        assert_eq!(harness.files(&second).await, before);
        harness.accept.insert("project".to_owned());
        let third = harness.backup().await.unwrap();
        let left = harness.world().expected();
        assert_eq!(harness.files(&third).await, left);
    });
}
