//! The keep rules over a list of snapshots, without any repository.
//!
//! Hours, days and weeks are those of UTC: that is the offset in our snapshot files, and restic counts in the offset that it finds there, so
//! `restic forget` with the same rules keeps the same snapshots wherever it runs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use model::policy::{Keep, Within};
use repository::Id;

use super::within::before;

/// How much of its source a snapshot holds; the greater the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// What it says about itself cannot be read. Such a snapshot is kept: it may be the only one of its source that can be repaired.
    Unreadable,
    /// A kind could not be read and was carried over from an older snapshot; or a repair left out what was lost.
    Stale,
    /// Single items are missing or old.
    Issues,
    Whole,
}

/// A snapshot as the rules see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: Id,
    pub time: Timestamp,
    /// What the rules are counted for, in one text.
    pub source: String,
    pub tags: Vec<String>,
    pub standing: Standing,
}

/// What the rules say about a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub id: Id,
    /// Why it stays, in words; it is forgotten when there is no reason.
    pub reasons: Vec<String>,
}

impl Decision {
    pub fn keep(&self) -> bool {
        !self.reasons.is_empty()
    }
}

/// Decides on every snapshot, newest first within its source.
///
/// Beside what the rules keep, the last good snapshot of each source stays: the newest of those that hold most ([`Standing`]).
pub fn decide(candidates: &[Candidate], keep: &Keep, now: Timestamp) -> Vec<Decision> {
    let mut sources: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        sources
            .entry(&candidate.source)
            .or_default()
            .push(candidate);
    }
    sources
        .into_values()
        .flat_map(|snapshots| of_source(snapshots, keep, now))
        .collect()
}

fn of_source(mut snapshots: Vec<&Candidate>, keep: &Keep, now: Timestamp) -> Vec<Decision> {
    snapshots.sort_by_key(|candidate| (Reverse(candidate.time), candidate.id));
    let last_good = snapshots
        .iter()
        .max_by_key(|candidate| (candidate.standing, candidate.time, Reverse(candidate.id)))
        .map(|candidate| candidate.id);
    let newest = snapshots
        .iter()
        .map(|candidate| candidate.time)
        .find(|time| *time <= now);
    let since = |within: Option<Within>| {
        let within = within.filter(|within| *within != Within::default())?;
        let since = newest.and_then(|newest| before(within, newest));
        Some(since.unwrap_or(Timestamp::MIN))
    };
    let within = since(keep.within);
    let mut buckets = Bucket::all(keep, since);
    let mut decisions = Vec::with_capacity(snapshots.len());
    for (place, candidate) in snapshots.into_iter().enumerate() {
        let mut reasons = Vec::new();
        if keep.is_empty() {
            reasons.push("no rule".to_owned());
        }
        if last_good == Some(candidate.id) {
            reasons.push("last good snapshot of its source".to_owned());
        }
        if candidate.standing == Standing::Unreadable {
            reasons.push("its description cannot be read".to_owned());
        }
        for wanted in keep.tags.iter().filter(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|tag| candidate.tags.contains(tag))
        }) {
            reasons.push(format!("tagged {}", wanted.join(", ")));
        }
        if within.is_some_and(|since| candidate.time > since) {
            reasons.push("within the time to keep".to_owned());
        }
        let local = candidate.time.to_zoned(TimeZone::UTC);
        reasons.extend(
            buckets
                .iter_mut()
                .filter_map(|bucket| bucket.take(&local, place)),
        );
        decisions.push(Decision {
            id: candidate.id,
            reasons,
        });
    }
    decisions
}

/// A snapshot's period, from its time and its place in the list.
type Period = fn(&Zoned, usize) -> i64;

/// One rule that keeps the newest of each period, while it walks from the newest snapshot to the oldest.
struct Bucket {
    name: &'static str,
    period: Period,
    /// Periods that it may still keep.
    left: u32,
    /// Snapshots up to this time are none of its business.
    since: Timestamp,
    previous: Option<i64>,
}

impl Bucket {
    fn all(keep: &Keep, since: impl Fn(Option<Within>) -> Option<Timestamp>) -> Vec<Self> {
        let hour: Period = |time, _| day(time) * 100 + i64::from(time.hour());
        let week: Period = |time, _| {
            let week = time.date().iso_week_date();
            i64::from(week.year()) * 100 + i64::from(week.week())
        };
        let month: Period = |time, _| day(time) / 100;
        let year: Period = |time, _| i64::from(time.year());
        let counted = [
            (
                "last snapshot",
                keep.last,
                (|_, place| i64::try_from(place).unwrap_or(i64::MAX)) as Period,
            ),
            ("hourly snapshot", keep.hourly, hour),
            ("daily snapshot", keep.daily, |time, _| day(time)),
            ("weekly snapshot", keep.weekly, week),
            ("monthly snapshot", keep.monthly, month),
            ("yearly snapshot", keep.yearly, year),
        ];
        let timed = [
            ("hourly within the time to keep", keep.within_hourly, hour),
            (
                "daily within the time to keep",
                keep.within_daily,
                |time, _| day(time),
            ),
            ("weekly within the time to keep", keep.within_weekly, week),
            (
                "monthly within the time to keep",
                keep.within_monthly,
                month,
            ),
            ("yearly within the time to keep", keep.within_yearly, year),
        ];
        let bucket = |name, period, left, since| Self {
            name,
            period,
            left,
            since,
            previous: None,
        };
        let counted = counted
            .into_iter()
            .map(|(name, left, period)| bucket(name, period, left, Timestamp::MIN));
        let timed = timed.into_iter().filter_map(|(name, within, period)| {
            Some(bucket(name, period, u32::MAX, since(within)?))
        });
        counted.chain(timed).collect()
    }

    /// The reason to keep this snapshot, if it opens a new period and the rule has not ended.
    fn take(&mut self, time: &Zoned, place: usize) -> Option<String> {
        let period = (self.period)(time, place);
        if self.left == 0 || self.previous == Some(period) || time.timestamp() <= self.since {
            return None;
        }
        self.previous = Some(period);
        self.left -= 1;
        Some(self.name.to_owned())
    }
}

fn day(time: &Zoned) -> i64 {
    (i64::from(time.year()) * 100 + i64::from(time.month())) * 100 + i64::from(time.day())
}
