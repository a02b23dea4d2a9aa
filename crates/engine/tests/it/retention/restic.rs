//! `restic forget --dry-run` decides the same on the same snapshots.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use engine::retention::{Candidate, Keep, Standing, Within};
use jiff::Timestamp;
use model::Clock;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use repository::{BlobType, Holder, Id, Snapshot};

use super::rules::by_rule;
use crate::harness::At;
use crate::quick;

const POLICIES: usize = 40;
const SOURCES: usize = 6;
/// Later than every snapshot but those that are dated in the future.
const NOW: &str = "2026-01-01T00:00:00Z";

/// Times of one source: a base distance of minutes to months, and some at the edges of days, weeks, months and years.
fn times(random: &mut StdRng) -> BTreeSet<Timestamp> {
    let edges = [
        "2025-12-31T23:59:59Z",
        "2025-01-01T00:00:00Z",
        "2024-12-29T23:59:59Z",
        "2024-12-30T00:00:00Z",
        "2024-02-29T12:00:00Z",
        "2025-03-31T00:00:00.5Z",
        "2100-01-01T00:00:00Z",
    ];
    let mut times: BTreeSet<Timestamp> = edges
        .iter()
        .filter(|_| random.random_bool(0.3))
        .map(|edge| edge.parse().unwrap())
        .collect();
    let step = 60 << random.random_range(0..15);
    let mut second = NOW.parse::<Timestamp>().unwrap().as_second();
    for _ in 0..random.random_range(1..40) {
        second -= random.random_range(1..=step * 2);
        times.insert(Timestamp::from_second(second).unwrap());
    }
    times
}

fn within(random: &mut StdRng) -> Option<Within> {
    let within = Within {
        years: random.random_range(0..3_u16).saturating_sub(1),
        months: random.random_range(0..4_u16).saturating_sub(1),
        days: random.random_range(0..40),
        hours: random.random_range(0..30),
    };
    (random.random_bool(0.3) && within != Within::default()).then_some(within)
}

fn policy(random: &mut StdRng) -> Keep {
    let mut count = |most: u32| {
        if random.random_bool(0.3) {
            random.random_range(1..most)
        } else {
            0
        }
    };
    let (last, hourly, daily) = (count(5), count(30), count(20));
    let (weekly, monthly, yearly) = (count(12), count(12), count(5));
    let tags: [&[&[&str]]; 4] = [&[], &[], &[&["red", "blue"], &["green"]], &[&["blue"]]];
    Keep {
        last,
        hourly,
        daily,
        weekly,
        monthly,
        yearly,
        within: within(random),
        within_hourly: within(random),
        within_daily: within(random),
        within_weekly: within(random),
        within_monthly: within(random),
        within_yearly: within(random),
        tags: tags[random.random_range(0..tags.len())]
            .iter()
            .map(|tags| tags.iter().map(|tag| (*tag).to_owned()).collect())
            .collect(),
    }
}

/// The rules as restic's arguments.
fn arguments(keep: &Keep) -> Vec<String> {
    let counted = [
        ("last", keep.last),
        ("hourly", keep.hourly),
        ("daily", keep.daily),
        ("weekly", keep.weekly),
        ("monthly", keep.monthly),
        ("yearly", keep.yearly),
    ];
    let timed = [
        ("within", keep.within),
        ("within-hourly", keep.within_hourly),
        ("within-daily", keep.within_daily),
        ("within-weekly", keep.within_weekly),
        ("within-monthly", keep.within_monthly),
        ("within-yearly", keep.within_yearly),
    ];
    let counted = counted.iter().filter(|(_, count)| *count > 0);
    let mut all: Vec<String> = counted
        .map(|(name, count)| format!("--keep-{name}={count}"))
        .collect();
    for (name, within) in timed {
        let Some(within) = within else { continue };
        let mut text = String::new();
        for (count, unit) in [
            (within.years, 'y'),
            (within.months, 'm'),
            (within.days, 'd'),
            (within.hours, 'h'),
        ] {
            if count > 0 {
                write!(text, "{count}{unit}").unwrap();
            }
        }
        all.push(format!("--keep-{name}={text}"));
    }
    all.extend(
        keep.tags
            .iter()
            .map(|tags| format!("--keep-tag={}", tags.join(","))),
    );
    all
}

/// Snapshots of several sources, each a host to restic.
async fn write(folder: &Path, random: &mut StdRng) -> Vec<Candidate> {
    let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(folder).unwrap());
    quick::make(store.as_ref()).await;
    let repository = quick::open(&store).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(At(NOW.parse().unwrap()));
    let lock = repository
        .lock_shared(&Holder::new("user", clock))
        .await
        .unwrap();
    let mut writer = repository.writer();
    let tree = writer
        .blob(BlobType::Tree, b"{\"nodes\":[]}\n")
        .await
        .unwrap();
    let mut candidates = Vec::new();
    for source in 0..SOURCES {
        for time in times(random) {
            let tags: Vec<String> = ["red", "blue", "green"]
                .into_iter()
                .filter(|_| random.random_bool(0.2))
                .map(str::to_owned)
                .collect();
            let snapshot = Snapshot {
                hostname: format!("source-{source}"),
                paths: vec!["/source".to_owned()],
                tags: tags.clone(),
                ..Snapshot::new(time, tree)
            };
            candidates.push(Candidate {
                id: writer.commit(&snapshot, &lock).await.unwrap(),
                time,
                source: snapshot.hostname,
                tags,
                standing: Standing::Whole,
            });
        }
    }
    lock.release().await.unwrap();
    candidates
}

fn kept_by_restic(folder: &Path, arguments: &[String]) -> BTreeSet<Id> {
    let output = Command::new("restic")
        .args(["forget", "--dry-run", "--json", "--no-lock", "--no-cache"])
        .args(["--group-by", "host", "--repo"])
        .arg(folder)
        .args(arguments)
        .env("RESTIC_PASSWORD", quick::PASSWORD)
        // It must not matter where restic runs.
        .env("TZ", "Asia/Tokyo")
        .output()
        .expect("restic is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let groups: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    groups
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|group| group["keep"].as_array().into_iter().flatten())
        .map(|snapshot| snapshot["id"].as_str().unwrap().parse::<Id>().unwrap())
        .collect()
}

#[tokio::test]
async fn restic_forgets_the_same_snapshots() {
    let mut random = StdRng::seed_from_u64(3);
    let folder = tempfile::tempdir().unwrap();
    let candidates = write(folder.path(), &mut random).await;
    let mut telling = 0;
    for _ in 0..POLICIES {
        let keep = policy(&mut random);
        if keep.is_empty() {
            continue;
        }
        let arguments = arguments(&keep);
        let ours = by_rule(&candidates, &keep, NOW.parse().unwrap());
        assert_eq!(
            ours,
            kept_by_restic(folder.path(), &arguments),
            "{arguments:?}"
        );
        telling += usize::from(ours.len() > SOURCES && ours.len() < candidates.len());
    }
    assert!(
        telling > POLICIES / 2,
        "only {telling} policies keep some and forget some"
    );
}
