//! The keep rules: against a slow restatement of them, and their promises.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use std::process::Command;
use std::sync::Arc;

use engine::retention::{Candidate, Keep, Within, decide};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Clock, Secret};
use proptest::prelude::*;
use repository::{BlobType, Holder, Id, InitOptions, Repository, Snapshot, store_from};

fn candidate(number: usize, hours: i64, source: u8, good: bool, tagged: bool) -> Candidate {
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
        good,
    }
}

fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    proptest::collection::vec(
        (
            0i64..40_000,
            0u8..3,
            any::<bool>(),
            proptest::bool::weighted(0.1),
        ),
        1..60,
    )
    .prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(number, (hours, source, good, tagged))| {
                candidate(number, hours, source, good, tagged)
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
                tags: Vec::new(),
            },
        )
}

fn kept(candidates: &[Candidate], keep: &Keep) -> BTreeSet<Id> {
    decide(candidates, keep, &TimeZone::UTC)
        .into_iter()
        .filter(engine::retention::Decision::keep)
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
            if let Some(last_good) = snapshots.iter().find(|candidate| candidate.good) {
                prop_assert!(kept.contains(&last_good.id));
            }
        }
    }

    #[test]
    fn every_snapshot_is_decided_once(candidates in candidates(), keep in rules()) {
        let decided: Vec<Id> = decide(&candidates, &keep, &TimeZone::UTC).into_iter().map(|decision| decision.id).collect();
        let all: BTreeSet<Id> = candidates.iter().map(|candidate| candidate.id).collect();
        prop_assert_eq!(decided.len(), candidates.len());
        prop_assert_eq!(decided.into_iter().collect::<BTreeSet<_>>(), all);
    }

    #[test]
    fn daily_keeps_the_newest_of_the_newest_days(candidates in candidates(), days in 1u32..6) {
        let candidates: Vec<Candidate> = candidates.into_iter().map(|candidate| Candidate { good: false, ..candidate }).collect();
        let kept = kept(&candidates, &Keep { daily: days, ..Keep::default() });
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
        .map(|number| candidate(number, 24, 0, false, false))
        .collect();
    assert_eq!(kept(&candidates, &Keep::default()).len(), 5);
}

#[test]
fn a_tag_rule_wants_all_of_its_tags() {
    let candidates = [
        candidate(0, 0, 0, false, true),
        candidate(1, 24, 0, false, false),
    ];
    let keep = |tags: &[&str]| Keep {
        tags: vec![tags.iter().map(|tag| (*tag).to_owned()).collect()],
        ..Keep::default()
    };
    assert_eq!(
        kept(&candidates, &keep(&["keep", "audit"])),
        BTreeSet::from([candidates[0].id])
    );
    assert_eq!(kept(&candidates, &keep(&["audit"])).len(), 2);
    assert_eq!(kept(&candidates, &keep(&["keep", "other"])).len(), 0);
}

#[test]
fn within_is_counted_back_from_the_newest_snapshot() {
    let at = |number: usize, time: &str| Candidate {
        time: time.parse().unwrap(),
        ..candidate(number, 0, 0, false, false)
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
fn a_day_begins_where_the_person_lives() {
    let at = |number: usize, time: &str| Candidate {
        time: time.parse().unwrap(),
        ..candidate(number, 0, 0, false, false)
    };
    let candidates = [at(0, "2025-06-01T23:30:00Z"), at(1, "2025-06-01T20:30:00Z")];
    let keep = Keep {
        daily: 2,
        ..Keep::default()
    };
    let count = |zone: &TimeZone| {
        decide(&candidates, &keep, zone)
            .iter()
            .filter(|decision| decision.keep())
            .count()
    };
    assert_eq!(count(&TimeZone::UTC), 1);
    assert_eq!(count(&TimeZone::fixed(jiff::tz::offset(2))), 2);
}

struct At;

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

/// Snapshots over three years, denser towards the end, some at the edges of days, weeks, months and years.
fn times() -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> = (1i64..60)
        .map(|step| {
            Timestamp::from_second(1_772_000_000 - step * step * step * 450 - step * 977).unwrap()
        })
        .collect();
    let edges = [
        "2024-12-31T23:59:59Z",
        "2025-01-01T00:00:00Z",
        "2024-12-29T23:59:59Z",
        "2024-12-30T00:00:00Z",
        "2026-02-01T00:00:00Z",
        "2026-01-31T23:59:59Z",
    ];
    times.extend(edges.map(|edge| edge.parse::<Timestamp>().unwrap()));
    times
}

/// The rules as restic's arguments, and as ours.
fn rule_sets() -> Vec<(Vec<&'static str>, Keep)> {
    let within = |years, months, days, hours| {
        Some(Within {
            years,
            months,
            days,
            hours,
        })
    };
    vec![
        (
            vec!["--keep-last", "4"],
            Keep {
                last: 4,
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-hourly", "7", "--keep-daily", "5"],
            Keep {
                hourly: 7,
                daily: 5,
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-weekly", "60"],
            Keep {
                weekly: 60,
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-monthly", "14", "--keep-yearly", "9"],
            Keep {
                monthly: 14,
                yearly: 9,
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-within", "1y2m3d4h"],
            Keep {
                within: within(1, 2, 3, 4),
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-within", "9d", "--keep-daily", "3"],
            Keep {
                within: within(0, 0, 9, 0),
                daily: 3,
                ..Keep::default()
            },
        ),
        (
            vec!["--keep-tag", "red,blue", "--keep-tag", "green"],
            Keep {
                tags: vec![
                    vec!["red".to_owned(), "blue".to_owned()],
                    vec!["green".to_owned()],
                ],
                ..Keep::default()
            },
        ),
    ]
}

#[tokio::test]
async fn restic_forgets_the_same_snapshots() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("repository");
    let (store, _) = store_from(place.to_str().unwrap()).unwrap();
    let options = InitOptions {
        created: At.now(),
        hostname: "host".to_owned(),
        username: "user".to_owned(),
    };
    let repository = Repository::init(store, &Secret::new("password"), &options)
        .await
        .unwrap();
    let mut writer = repository.writer();
    let tree = writer
        .blob(BlobType::Tree, b"{\"nodes\":[]}\n")
        .await
        .unwrap();
    let lock = repository
        .lock_shared(&Holder::new("user", Arc::new(At)))
        .await
        .unwrap();
    let mut candidates = Vec::new();
    for (number, time) in times().into_iter().enumerate() {
        let tags: Vec<String> = ["red", "blue", "green"]
            .into_iter()
            .enumerate()
            .filter(|(bit, _)| (number % 11) >> bit & 1 == 1)
            .map(|(_, tag)| tag.to_owned())
            .collect();
        let snapshot = Snapshot {
            hostname: "host".to_owned(),
            paths: vec!["/source".to_owned()],
            tags: tags.clone(),
            ..Snapshot::new(time, tree)
        };
        let id = writer.commit(&snapshot, &lock).await.unwrap();
        candidates.push(Candidate {
            id,
            time,
            source: "source".to_owned(),
            tags,
            good: false,
        });
    }
    lock.release().await.unwrap();
    for (arguments, keep) in rule_sets() {
        let mut command = Command::new("restic");
        command
            .args([
                "forget",
                "--dry-run",
                "--json",
                "--no-lock",
                "--group-by",
                "host",
                "--repo",
            ])
            .arg(&place)
            .args(&arguments);
        command
            .env("RESTIC_PASSWORD", "password")
            .env("RESTIC_CACHE_DIR", folder.path().join("cache"));
        let output = command.output().expect("restic is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let groups: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let of_restic = groups[0]["keep"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|snapshot| snapshot["id"].as_str().unwrap().parse::<Id>().unwrap());
        let ours = kept(&candidates, &keep);
        assert!(
            !ours.is_empty() && ours.len() < candidates.len(),
            "{arguments:?}: the rule says nothing"
        );
        assert_eq!(ours, of_restic.collect::<BTreeSet<_>>(), "{arguments:?}");
    }
}
