//! The keep rules: against a slow restatement of them, and their promises.

use std::collections::{BTreeMap, BTreeSet};

use engine::retention::{Candidate, Keep, Standing, Within, decide};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use repository::Id;

fn candidate(number: usize, hours: i64, source: u8, standing: Standing, tagged: bool) -> Candidate {
    Candidate {
        id: Id::of(&number.to_be_bytes()),
        time: Timestamp::from_second(1_700_000_000 + hours * 3600 + i64::try_from(number).unwrap())
            .unwrap(),
        source: format!("source-{source}"),
        tags: if tagged {
            vec!["keep".to_owned(), "audit".to_owned()]
        } else {
            vec!["audit".to_owned()]
        },
        standing,
    }
}

fn standing() -> impl Strategy<Value = Standing> {
    prop_oneof![
        Just(Standing::Unreadable),
        Just(Standing::Stale),
        Just(Standing::Issues),
        Just(Standing::Whole),
    ]
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    proptest::collection::vec(
        (
            0i64..40_000,
            0u8..3,
            standing(),
            proptest::bool::weighted(0.1),
        ),
        1..60,
    )
    .prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(number, (hours, source, standing, tagged))| {
                candidate(number, hours, source, standing, tagged)
            })
            .collect()
    })
}

fn rules() -> impl Strategy<Value = Keep> {
    (
        0u32..4,
        0u32..4,
        0u32..4,
        0u32..4,
        0u32..4,
        0u32..4,
        proptest::option::of(0u16..900),
    )
        .prop_map(
            |(last, hourly, daily, weekly, monthly, yearly, days)| Keep {
                last,
                hourly,
                daily,
                weekly,
                monthly,
                yearly,
                within: days.map(|days| Within {
                    days,
                    ..Within::default()
                }),
                ..Keep::default()
            },
        )
}

fn kept(candidates: &[Candidate], keep: &Keep) -> BTreeSet<Id> {
    decide(candidates, keep, Timestamp::MAX)
        .into_iter()
        .filter(engine::retention::Decision::keep)
        .map(|decision| decision.id)
        .collect()
}

/// What the rules keep, without what is kept because it is the last good one.
pub(crate) fn by_rule(candidates: &[Candidate], keep: &Keep, now: Timestamp) -> BTreeSet<Id> {
    decide(candidates, keep, now)
        .into_iter()
        .filter(|decision| {
            let own = |reason: &String| reason != "last good snapshot of its source";
            decision.reasons.iter().any(own)
        })
        .map(|decision| decision.id)
        .collect()
}

fn by_source(candidates: &[Candidate]) -> BTreeMap<&str, Vec<&Candidate>> {
    let mut sources: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        sources
            .entry(&candidate.source)
            .or_default()
            .push(candidate);
    }
    for snapshots in sources.values_mut() {
        snapshots.sort_by_key(|candidate| {
            std::cmp::Reverse((candidate.time, std::cmp::Reverse(candidate.id)))
        });
    }
    sources
}

proptest! {
    #[test]
    fn the_last_good_snapshot_of_each_source_stays(candidates in candidates(), keep in rules()) {
        let kept = kept(&candidates, &keep);
        for snapshots in by_source(&candidates).values() {
            let best = snapshots.iter().map(|candidate| candidate.standing).max();
            let last_good = snapshots.iter().find(|candidate| Some(candidate.standing) == best).unwrap();
            prop_assert!(kept.contains(&last_good.id));
        }
    }

    #[test]
    fn what_cannot_be_read_stays(candidates in candidates(), keep in rules()) {
        let kept = kept(&candidates, &keep);
        let unreadable = candidates.iter().filter(|candidate| candidate.standing == Standing::Unreadable);
        prop_assert!(unreadable.into_iter().all(|candidate| kept.contains(&candidate.id)));
    }

    #[test]
    fn every_snapshot_is_decided_once(candidates in candidates(), keep in rules()) {
        let decided: Vec<Id> = decide(&candidates, &keep, Timestamp::MAX).into_iter().map(|decision| decision.id).collect();
        let all: BTreeSet<Id> = candidates.iter().map(|candidate| candidate.id).collect();
        prop_assert_eq!(decided.len(), candidates.len());
        prop_assert_eq!(decided.into_iter().collect::<BTreeSet<_>>(), all);
    }

    #[test]
    fn daily_keeps_the_newest_of_the_newest_days(candidates in candidates(), days in 1u32..6) {
        let candidates: Vec<Candidate> = candidates.into_iter().map(|candidate| Candidate { standing: Standing::Whole, ..candidate }).collect();
        let kept = by_rule(&candidates, &Keep { daily: days, ..Keep::default() }, Timestamp::MAX);
        let mut expected = BTreeSet::new();
        for snapshots in by_source(&candidates).values() {
            let mut seen = BTreeSet::new();
            for candidate in snapshots {
                let day = candidate.time.to_zoned(TimeZone::UTC).date();
                if seen.len() < days as usize && seen.insert(day) {
                    expected.insert(candidate.id);
                }
            }
        }
        prop_assert_eq!(kept, expected);
    }

    #[test]
    fn what_was_forgotten_once_changes_nothing_the_second_time(candidates in candidates(), keep in rules()) {
        let first = kept(&candidates, &keep);
        let rest: Vec<Candidate> = candidates.into_iter().filter(|candidate| first.contains(&candidate.id)).collect();
        prop_assert_eq!(kept(&rest, &keep), first);
    }

    #[test]
    fn a_rule_more_never_forgets_more(candidates in candidates(), keep in rules(), more in 1u32..4) {
        prop_assume!(!keep.is_empty());
        let wider = Keep { monthly: keep.monthly + more, last: keep.last + more, ..keep.clone() };
        prop_assert!(kept(&candidates, &keep).is_subset(&kept(&candidates, &wider)));
    }
}

#[test]
fn no_rule_forgets_nothing() {
    let candidates: Vec<Candidate> = (0..5)
        .map(|number| candidate(number, 24, 0, Standing::Whole, false))
        .collect();
    assert_eq!(kept(&candidates, &Keep::default()).len(), 5);
}

#[test]
fn a_tag_rule_wants_all_of_its_tags() {
    let candidates = [
        candidate(0, 0, 0, Standing::Whole, true),
        candidate(1, 24, 0, Standing::Whole, false),
    ];
    let keep = |tags: &[&str]| Keep {
        tags: vec![tags.iter().map(|tag| (*tag).to_owned()).collect()],
        ..Keep::default()
    };
    assert_eq!(
        by_rule(&candidates, &keep(&["keep", "audit"]), Timestamp::MAX),
        BTreeSet::from([candidates[0].id])
    );
    assert_eq!(kept(&candidates, &keep(&["audit"])).len(), 2);
    assert_eq!(
        by_rule(&candidates, &keep(&["keep", "other"]), Timestamp::MAX).len(),
        0
    );
}

#[test]
fn within_is_counted_back_from_the_newest_snapshot() {
    let at = |number: usize, time: &str| Candidate {
        time: time.parse().unwrap(),
        ..candidate(number, 0, 0, Standing::Whole, false)
    };
    let candidates = [
        at(0, "2025-03-31T12:00:00Z"),
        at(1, "2025-03-03T12:00:01Z"),
        at(2, "2025-03-03T12:00:00Z"),
        at(3, "2024-12-31T00:00:00Z"),
    ];
    let keep = Keep {
        within: Some(Within {
            months: 1,
            ..Within::default()
        }),
        ..Keep::default()
    };
    assert_eq!(
        kept(&candidates, &keep),
        BTreeSet::from([candidates[0].id, candidates[1].id])
    );
}

#[test]
fn a_snapshot_from_the_future_does_not_make_the_others_old() {
    let at = |number: usize, time: &str| Candidate {
        time: time.parse().unwrap(),
        ..candidate(number, 0, 0, Standing::Whole, false)
    };
    let candidates = [
        at(0, "2099-01-01T00:00:00Z"),
        at(1, "2025-06-02T00:00:00Z"),
        at(2, "2025-06-01T12:00:00Z"),
        at(3, "2025-05-01T00:00:00Z"),
    ];
    let keep = Keep {
        within: Some(Within {
            days: 1,
            ..Within::default()
        }),
        ..Keep::default()
    };
    let now = "2025-06-02T08:00:00Z".parse().unwrap();
    let expected = candidates[..3].iter().map(|candidate| candidate.id);
    assert_eq!(
        by_rule(&candidates, &keep, now),
        expected.collect::<BTreeSet<_>>()
    );
}
