//! Which snapshots a keep rule forgets: restic's rules, and never the last good snapshot of a source.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use repository::{Id, Repository};
use serde::{Deserialize, Serialize};
use service::Service;

use crate::Result;
use crate::backup::{read_source, tags};

/// What to keep of each source; a count of 0 keeps nothing by that rule. Rules add up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    /// The newest so many snapshots.
    pub last: u32,
    /// The newest snapshot of each of the newest so many hours that have one; the others likewise.
    pub hourly: u32,
    pub daily: u32,
    /// ISO weeks, from Monday.
    pub weekly: u32,
    pub monthly: u32,
    pub yearly: u32,
    /// Everything that is younger than this, counted back from the source's newest snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<Within>,
    /// Each entry keeps the snapshots that carry all of its tags.
    pub tags: Vec<Vec<String>>,
}

impl Keep {
    /// No rule at all: [`decide`] then keeps everything, since forgetting all is never what was meant.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A length of time in calendar units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Within {
    pub years: u16,
    pub months: u16,
    pub days: u16,
    pub hours: u16,
}

impl Within {
    /// The instant so long before `newest`. A day that the month does not have runs over into the next one (31 March less a month is
    /// 3 March or 2 March), as restic counts.
    fn before(self, newest: &Zoned) -> Option<Zoned> {
        let date = newest.date();
        let month = i32::from(date.year()) * 12 + i32::from(date.month())
            - 1
            - i32::from(self.years) * 12
            - i32::from(self.months);
        let first = Date::new(
            i16::try_from(month.div_euclid(12)).ok()?,
            i8::try_from(month.rem_euclid(12) + 1).ok()?,
            1,
        )
        .ok()?;
        let day = first
            .checked_add((i64::from(date.day()) - 1 - i64::from(self.days)).days())
            .ok()?;
        let local = day
            .to_datetime(newest.time())
            .to_zoned(newest.time_zone().clone())
            .ok()?;
        local.checked_sub(i64::from(self.hours).hours()).ok()
    }
}

/// A snapshot as the rules see it.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub id: Id,
    pub time: Timestamp,
    /// What the rules are counted for: service, source and policy in one text.
    pub source: String,
    pub tags: Vec<String>,
    /// It was committed by the job that held the lease and holds what it was to hold.
    pub good: bool,
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

/// Decides on every snapshot, newest first within its source; `zone` says where a day begins.
pub fn decide(candidates: &[Candidate], keep: &Keep, zone: &TimeZone) -> Vec<Decision> {
    let mut sources: BTreeMap<&str, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates {
        sources
            .entry(&candidate.source)
            .or_default()
            .push(candidate);
    }
    sources
        .into_values()
        .flat_map(|snapshots| of_source(snapshots, keep, zone))
        .collect()
}

/// Decides on every snapshot that Keepward made, and forgets those without a reason to stay unless `dry_run` says so. Frees no space: that
/// is prune's. The newest snapshot of a source counts as good when none is without stale data.
pub async fn forget(
    repository: &Repository,
    service: &'static Service,
    keep: &Keep,
    zone: &TimeZone,
    dry_run: bool,
) -> Result<Vec<Decision>> {
    let mut candidates = Vec::new();
    for (id, snapshot) in repository.snapshots().await? {
        let source = snapshot
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix("source="));
        let Some(source) = source.filter(|source| {
            tags(service.name, source)
                .iter()
                .all(|tag| snapshot.tags.contains(tag))
        }) else {
            continue;
        };
        let good = read_source(repository, service, snapshot.tree)
            .await
            .is_ok_and(|file| file.stale.is_empty());
        candidates.push(Candidate {
            id,
            time: snapshot.time,
            source: source.to_owned(),
            tags: snapshot.tags,
            good,
        });
    }
    spare_the_newest(&mut candidates);
    let decisions = decide(&candidates, keep, zone);
    let gone: Vec<Id> = decisions
        .iter()
        .filter(|decision| !decision.keep())
        .map(|decision| decision.id)
        .collect();
    if !dry_run {
        repository.forget(&gone).await?;
    }
    Ok(decisions)
}

fn spare_the_newest(candidates: &mut [Candidate]) {
    let good: HashSet<String> = candidates
        .iter()
        .filter(|candidate| candidate.good)
        .map(|candidate| candidate.source.clone())
        .collect();
    let mut newest: HashMap<String, usize> = HashMap::new();
    for (place, candidate) in candidates
        .iter()
        .enumerate()
        .filter(|(_, candidate)| !good.contains(&candidate.source))
    {
        let best = newest.entry(candidate.source.clone()).or_insert(place);
        if candidates[*best].time <= candidate.time {
            *best = place;
        }
    }
    for place in newest.into_values() {
        candidates[place].good = true;
    }
}

fn of_source(mut snapshots: Vec<&Candidate>, keep: &Keep, zone: &TimeZone) -> Vec<Decision> {
    snapshots.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.id.cmp(&b.id)));
    let last_good = snapshots
        .iter()
        .find(|candidate| candidate.good)
        .map(|candidate| candidate.id);
    let since = keep
        .within
        .and_then(|within| within.before(&snapshots.first()?.time.to_zoned(zone.clone())));
    let mut buckets = Bucket::all(keep);
    let mut decisions = Vec::with_capacity(snapshots.len());
    for (place, candidate) in snapshots.into_iter().enumerate() {
        let time = candidate.time.to_zoned(zone.clone());
        let mut reasons = Vec::new();
        if keep.is_empty() {
            reasons.push("no rule".to_owned());
        }
        if last_good == Some(candidate.id) {
            reasons.push("last good snapshot of its source".to_owned());
        }
        for wanted in keep.tags.iter().filter(|wanted| {
            !wanted.is_empty() && wanted.iter().all(|tag| candidate.tags.contains(tag))
        }) {
            reasons.push(format!("tagged {}", wanted.join(", ")));
        }
        if since.as_ref().is_some_and(|since| time > *since) {
            reasons.push("within the time to keep".to_owned());
        }
        reasons.extend(
            buckets
                .iter_mut()
                .filter_map(|bucket| bucket.take(&time, place)),
        );
        decisions.push(Decision {
            id: candidate.id,
            reasons,
        });
    }
    decisions
}

/// One counted rule while it walks from the newest snapshot to the oldest.
struct Bucket {
    name: &'static str,
    left: u32,
    period: fn(&Zoned, usize) -> i64,
    previous: Option<i64>,
}

impl Bucket {
    fn all(keep: &Keep) -> [Self; 6] {
        let bucket = |name, left, period| Self {
            name,
            left,
            period,
            previous: None,
        };
        [
            bucket("last", keep.last, |_, place| {
                i64::try_from(place).unwrap_or(i64::MAX)
            }),
            bucket("hourly", keep.hourly, |time, _| {
                day(time) * 100 + i64::from(time.hour())
            }),
            bucket("daily", keep.daily, |time, _| day(time)),
            bucket("weekly", keep.weekly, |time, _| {
                let week = time.date().iso_week_date();
                i64::from(week.year()) * 100 + i64::from(week.week())
            }),
            bucket("monthly", keep.monthly, |time, _| day(time) / 100),
            bucket("yearly", keep.yearly, |time, _| i64::from(time.year())),
        ]
    }

    /// The reason to keep this snapshot, if it opens a new period and the count is not used up.
    fn take(&mut self, time: &Zoned, place: usize) -> Option<String> {
        let period = (self.period)(time, place);
        if self.left == 0 || self.previous == Some(period) {
            return None;
        }
        self.previous = Some(period);
        self.left -= 1;
        Some(format!("{} snapshot", self.name))
    }
}

fn day(time: &Zoned) -> i64 {
    (i64::from(time.year()) * 100 + i64::from(time.month())) * 100 + i64::from(time.day())
}
