//! Backups that are killed and go on.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::backup::BackupReport;
use engine::coordinator::Pace;
use proptest::prelude::*;

use crate::harness::{Harness, runtime};
use crate::world::{Change, change};

/// With a checkpoint at every place that allows one. Scopes that vanish without a word, and large drops, are believed: they are not what these
/// tests are about.
async fn harness() -> Harness {
    let mut harness = Harness::new().await;
    harness.accept = ["project", "note", "log"].map(str::to_owned).into();
    harness.catalog().pace = Some(Pace {
        least: Duration::ZERO,
        rest: 0,
        requests: 0,
        percent: 0,
    });
    harness
}

fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 0..most)
}

fn issues(report: &BackupReport) -> BTreeSet<String> {
    let issues = report.source.issues.iter();
    issues.map(|issue| issue.message.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Killed again and again, with changes in between: the snapshot in the end is that of one who reads everything then.
    #[test]
    fn a_killed_backup_that_goes_on_equals_one_full_crawl(
        hidden in prop::collection::vec(0..3_u8, 0..3),
        before in prop::option::of(changes(20)),
        attempts in prop::collection::vec((changes(20), 1..40_u64), 1..4),
        last in changes(8),
        full in any::<bool>(),
    ) {
        runtime().block_on(async {
            let mut harness = harness().await;
            for log in hidden {
                harness.world().hide_log(log);
            }
            let mut base = None;
            if let Some(before) = before {
                harness.world().apply(&before);
                base = Some(harness.backup().await.unwrap());
            }
            harness.full = full;
            let whole = base.is_none() || full;
            for (changes, request) in attempts {
                harness.world().apply(&changes);
                if let Some(report) = harness.killed_at(request).await {
                    base = Some(report.unwrap());
                }
            }
            let whole = whole && base.as_ref().is_none_or(|_| full);
            harness.world().apply(&last);
            let report = harness.backup().await.unwrap();
            let fresh_harness = &mut harness.fresh_repository().await;
            let fresh = fresh_harness.backup().await.unwrap();

            prop_assert_eq!(harness.files(&report).await, fresh_harness.files(&fresh).await);
            if whole {
                prop_assert!(issues(&report).is_superset(&issues(&fresh)), "{:?}", report.source.issues);
            }
            for kind in ["project", "note", "log"] {
                prop_assert_eq!(report.source.counts[kind].items, fresh.source.counts[kind].items, "{}", kind);
            }
            prop_assert_eq!(&harness.catalog().checkpoint, &None);
            harness.assert_rows_can_be_made_again().await;
            Ok(())
        })?;
    }
}

/// Four projects and forty logs: a first backup of some 110 requests.
async fn large() -> Harness {
    let harness = harness().await;
    let projects = (0..4).map(Change::Project);
    let events = (0..40).map(|id| Change::Event(id % 40));
    let changes: Vec<Change> = projects.chain(events).collect();
    harness.world().apply(&changes);
    harness
}

async fn requests(harness: &mut Harness) -> u64 {
    let before = harness.world().requests;
    harness.backup().await.unwrap();
    let after = harness.world().requests;
    after - before
}

#[test]
fn what_was_read_is_not_read_again() {
    runtime().block_on(async {
        let whole = requests(&mut large().await).await;
        for request in (1..whole).step_by(9) {
            let mut harness = large().await;
            assert!(harness.killed_at(request).await.is_none());
            let again = request + requests(&mut harness).await - whole;
            // Lists, and what was under way in two crawls.
            let lists = 1 + 4;
            assert!(again <= lists + 4, "{again} after {request} of {whole}");
            assert_eq!(harness.catalog().resumed.len(), usize::from(request > 2));
        }
    });
}

/// Whatever its kind says of it: without all of it, and without a word of that, it must not get into the snapshot.
#[test]
fn an_item_that_could_not_be_read_whole_is_read_again_by_who_goes_on() {
    runtime().block_on(async {
        let whole = requests(&mut large().await).await;
        for request in (4..whole).step_by(9) {
            let mut harness = large().await;
            harness.world().no_details = true;
            assert!(harness.killed_at(request).await.is_none());
            harness.world().no_details = false;
            let report = harness.backup().await.unwrap();
            assert_eq!(issues(&report), BTreeSet::new(), "{request}");
            let expected = harness.world().expected();
            assert_eq!(harness.files(&report).await, expected, "{request}");
        }
    });
}

/// A killed backup; `disturb` does something before the next one.
async fn begins_anew(disturb: impl AsyncFnOnce(&mut Harness)) -> Harness {
    let mut harness = large().await;
    assert!(harness.killed_at(60).await.is_none());
    assert!(harness.catalog().checkpoint.is_some());
    disturb(&mut harness).await;
    let report = harness.backup().await.unwrap();
    let fresh_harness = &mut harness.fresh_repository().await;
    let fresh = fresh_harness.backup().await.unwrap();
    assert_eq!(
        harness.files(&report).await,
        fresh_harness.files(&fresh).await
    );
    assert_eq!(harness.catalog().checkpoint, None);
    harness
}

#[test]
fn a_checkpoint_that_was_pruned_is_not_trusted() {
    runtime().block_on(async {
        let harness = begins_anew(async |harness| harness.prune().await).await;
        assert!(harness.catalog().resumed.is_empty());
    });
}

#[test]
fn a_checkpoint_of_which_a_part_was_pruned_is_not_trusted() {
    runtime().block_on(async {
        let harness = begins_anew(async |harness| {
            let text = harness.catalog().checkpoint.clone().unwrap();
            harness.keep_checkpoint_alone(&text).await;
        })
        .await;
        assert!(harness.catalog().resumed.is_empty());
    });
}

#[test]
fn a_checkpoint_whose_place_the_service_forgot_is_of_no_use() {
    runtime().block_on(async {
        let harness = begins_anew(async |harness| harness.world().forgetful = true).await;
        assert_eq!(harness.catalog().resumed.len(), 1);
    });
}

#[test]
fn a_checkpoint_of_another_backup_is_not_used() {
    runtime().block_on(async {
        let harness = begins_anew(async |harness| {
            harness.selection = ["project", "note", "log"].map(str::to_owned).into();
        })
        .await;
        assert!(harness.catalog().resumed.is_empty());
        let harness = begins_anew(async |harness| harness.full = true).await;
        assert!(harness.catalog().resumed.is_empty());
        let harness = begins_anew(async |harness| {
            let text = harness.catalog().checkpoint.clone();
            harness.backup().await.unwrap();
            harness.catalog().resumed.clear();
            harness.catalog().checkpoint = text;
        })
        .await;
        assert!(
            harness.catalog().resumed.is_empty(),
            "its base is not the newest"
        );
    });
}

#[test]
fn what_another_version_wrote_is_not_read() {
    runtime().block_on(async {
        for text in ["", "{}", "[]", "nonsense"] {
            let harness = begins_anew(async |harness| {
                harness.catalog().checkpoint = Some(text.to_owned());
            })
            .await;
            assert!(harness.catalog().resumed.is_empty());
        }
    });
}
