//! When a policy runs. Times are those of a clock on the wall in its zone: one that the clock jumps over runs at the jump, and one that
//! comes twice runs once.

use std::collections::BTreeSet;

use cronexpr::{Crontab, parse_crontab};
use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A run that begins so late is not a missed one yet.
pub(super) const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// Missed runs that are made up for at most.
const CATCH_UP: usize = 24;
/// A window opens at least once in so much time, also when the clock jumps.
const OPENS: SignedDuration = SignedDuration::from_hours(50);

/// What makes a policy run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "every", rename_all = "kebab-case", deny_unknown_fields)]
pub enum When {
    /// Only by hand.
    Manual,
    /// Five fields: minute, hour, day of month, month, day of week.
    Cron { expression: String },
    /// Always so many minutes, whatever the clock on the wall shows.
    Interval { minutes: u32 },
    /// At these times (`"22:00"`) of these days (`mon` to `sun`; none for all).
    Hours {
        at: BTreeSet<String>,
        #[serde(default)]
        days: BTreeSet<String>,
    },
}

/// What becomes of runs whose time passed while the server was away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    Skip,
    /// One run for all of them, as soon as possible.
    #[default]
    RunOnce,
    /// A run for each, one after the other; at most the last 24.
    CatchUp,
}

/// Between these two times of the day runs may begin (`"22:00"` to `"06:00"`); what falls outside waits until it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    pub from: String,
    pub to: String,
}

/// When a policy runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    pub when: When,
    /// An IANA name: `Europe/Berlin`.
    pub time_zone: String,
    /// Each policy runs later by up to so many minutes, always by the same ones, so that not all begin at once.
    pub jitter_minutes: u32,
    pub missed: Missed,
    pub window: Option<Window>,
}

impl Default for Schedule {
    /// Daily, at some minute of the night's hours that the policy's name decides.
    fn default() -> Self {
        Self {
            when: When::Hours {
                at: BTreeSet::from(["00:00".to_owned()]),
                days: BTreeSet::new(),
            },
            time_zone: "UTC".to_owned(),
            jitter_minutes: 300,
            missed: Missed::default(),
            window: None,
        }
    }
}

/// What a policy's schedule asks for at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The times to run for now, the oldest first.
    pub fire: Vec<Timestamp>,
    /// They should have been earlier.
    pub missed: bool,
    /// Times up to this one are dealt with.
    pub handled: Option<Timestamp>,
    /// The next time after now.
    pub next: Option<Timestamp>,
}

pub(super) fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

pub(super) fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| -> Option<i8> {
        (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse().ok())?
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

pub(super) fn weekday(text: &str) -> Option<Weekday> {
    use Weekday as W;
    let all = [
        ("mon", W::Monday),
        ("tue", W::Tuesday),
        ("wed", W::Wednesday),
        ("thu", W::Thursday),
        ("fri", W::Friday),
        ("sat", W::Saturday),
        ("sun", W::Sunday),
    ];
    all.into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, day)| day)
}

/// In the clock of the wall; the zone comes afterwards, so that no library's idea of a jump counts.
pub(super) fn cron(expression: &str) -> Result<Crontab, String> {
    if expression.split_whitespace().count() != 5 {
        return Err("it needs five fields: minute, hour, day of month, month, day of week; the time zone is a member of its own".to_owned());
    }
    parse_crontab(&format!("{expression} UTC")).map_err(|error| error.to_string())
}

/// The moment at which the clock on the wall shows this; where it jumps over it, the moment of the jump.
fn instant(zone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(wall);
    let jump = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    let found = ambiguous.compatible().ok()?;
    if jump {
        return zone
            .preceding(found)
            .next()
            .map(|transition| transition.timestamp());
    }
    Some(found)
}

/// How much later than its schedule says this policy runs.
fn jitter(schedule: &Schedule, name: &str) -> SignedDuration {
    let seconds = u128::from(schedule.jitter_minutes) * 60;
    if seconds == 0 {
        return SignedDuration::ZERO;
    }
    let number = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.to_lowercase().as_bytes()).as_u128();
    SignedDuration::from_secs(i64::try_from(number % seconds).unwrap_or(0))
}

/// The schedule's own times after a moment, without jitter and window.
fn own_times(
    when: &When,
    zone: &TimeZone,
    after: Timestamp,
) -> Box<dyn Iterator<Item = Timestamp>> {
    let wall = after.to_zoned(zone.clone()).datetime();
    let zone = zone.clone();
    match when {
        When::Manual => Box::new(std::iter::empty()),
        When::Interval { minutes } => {
            let step = i64::from((*minutes).max(1)) * 60;
            let first = after.as_second().div_euclid(step) + 1;
            Box::new(
                (first..).map_while(move |number| {
                    Timestamp::from_second(number.checked_mul(step)?).ok()
                }),
            )
        }
        When::Hours { at, days } => {
            let times: BTreeSet<Time> = at.iter().filter_map(|text| time(text)).collect();
            let days: Vec<Weekday> = days.iter().filter_map(|text| weekday(text)).collect();
            if times.is_empty() {
                return Box::new(std::iter::empty());
            }
            let walls = wall
                .date()
                .series(1.day())
                .filter(move |date| days.is_empty() || days.contains(&date.weekday()))
                .flat_map(move |date| {
                    times
                        .clone()
                        .into_iter()
                        .map(move |time| date.to_datetime(time))
                });
            Box::new(walls.filter_map(move |wall| instant(&zone, wall)))
        }
        When::Cron { expression } => {
            let start = TimeZone::UTC.to_timestamp(wall);
            let Some(mut at) = start.ok() else {
                return Box::new(std::iter::empty());
            };
            let Ok(crontab) = cron(expression) else {
                return Box::new(std::iter::empty());
            };
            let walls = std::iter::from_fn(move || {
                let found = crontab.find_next(at).ok()?;
                at = found.timestamp();
                Some(found.datetime())
            });
            Box::new(walls.filter_map(move |wall| instant(&zone, wall)))
        }
    }
}

/// The moment itself when the window is open then, else when it opens next.
fn opening(window: Option<&Window>, zone: &TimeZone, at: Timestamp) -> Timestamp {
    let Some((from, to)) = window.and_then(|window| Some((time(&window.from)?, time(&window.to)?)))
    else {
        return at;
    };
    let wall = at.to_zoned(zone.clone()).datetime();
    let now = wall.time();
    let open = if from < to {
        from <= now && now < to
    } else {
        from <= now || now < to
    };
    if open || from == to {
        return at;
    }
    let days = wall.date().series(1.day());
    days.take(3)
        .filter_map(|date| instant(zone, date.to_datetime(from)))
        .find(|opening| *opening > at)
        .unwrap_or(at)
}

fn times_after(
    schedule: &Schedule,
    name: &str,
    after: Timestamp,
) -> impl Iterator<Item = Timestamp> {
    let zone = zone(&schedule.time_zone).unwrap_or(TimeZone::UTC);
    let jitter = jitter(schedule, name);
    // What waits for a window may have been due long before.
    let wait = if schedule.window.is_some() {
        OPENS
    } else {
        SignedDuration::ZERO
    };
    let start = after.checked_sub(jitter + wait).unwrap_or(Timestamp::MIN);
    let window = schedule.window.clone();
    let mut last = after;
    own_times(&schedule.when, &zone, start)
        .map_while(move |time| time.checked_add(jitter).ok())
        .map(move |time| opening(window.as_ref(), &zone, time))
        .filter(move |time| {
            let later = *time > last;
            last = last.max(*time);
            later
        })
}

/// The next `n` times after a moment; fewer when the schedule ends before.
pub fn next_runs(schedule: &Schedule, name: &str, after: Timestamp, n: usize) -> Vec<Timestamp> {
    times_after(schedule, name, after).take(n).collect()
}

/// What is due at `now`, when all up to `handled` has been dealt with.
pub fn due(schedule: &Schedule, name: &str, handled: Timestamp, now: Timestamp) -> Due {
    if handled.duration_since(now) > GRACE {
        // The clock was far ahead: until that time comes nothing would ever be due. What it has run is not run again.
        return Due {
            handled: Some(now),
            next: times_after(schedule, name, now).next(),
            ..Due::default()
        };
    }
    // One that was set back a little must not run everything again.
    let handled = handled.min(now);
    let mut passed: Vec<Timestamp> = Vec::new();
    let mut next = None;
    for time in times_after(schedule, name, handled) {
        if time > now {
            next = Some(time);
            break;
        }
        if passed.len() == CATCH_UP {
            passed.remove(0);
        }
        passed.push(time);
    }
    let Some(&last) = passed.last() else {
        return Due {
            next,
            ..Due::default()
        };
    };
    let late = |time: Timestamp| now.duration_since(time) > GRACE;
    let is_open = {
        let zone = zone(&schedule.time_zone).unwrap_or(TimeZone::UTC);
        opening(schedule.window.as_ref(), &zone, now)
    };
    if late(last) && is_open > now && schedule.missed != Missed::Skip {
        // They are made up for as soon as the window lets them.
        return Due {
            next: Some(next.map_or(is_open, |next| next.min(is_open))),
            ..Due::default()
        };
    }
    let fire = match schedule.missed {
        Missed::Skip => passed.into_iter().filter(|time| !late(*time)).collect(),
        Missed::RunOnce => vec![last],
        Missed::CatchUp => passed,
    };
    Due {
        missed: fire.iter().any(|time| late(*time)),
        fire,
        handled: Some(last),
        next,
    }
}

/// Times that are stored come back rounded; who is behind by no more than this set nothing back.
const ROUNDED: SignedDuration = SignedDuration::from_secs(1);

/// How far one server has come with a schedule, by its own clock. What is written for all servers is set back by one whose clock is far behind:
/// what this one has dealt with is not due again then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached(Option<Timestamp>);

impl Reached {
    /// It wrote that times up to this one are dealt with.
    pub fn at(handled: Timestamp) -> Self {
        Self(Some(handled))
    }

    /// How far it came, where somebody set it back since. What lies after `now` it reached by a clock that was ahead, and that does not count.
    pub fn beyond(self, handled: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let is_set_back = |own: &Timestamp| own.duration_since(handled) > ROUNDED;
        self.0.filter(|own| is_set_back(own) && *own <= now)
    }

    /// As [`due`], without what this server has dealt with already.
    pub fn due(self, schedule: &Schedule, name: &str, handled: Timestamp, now: Timestamp) -> Due {
        let Some(own) = self.beyond(handled, now) else {
            return due(schedule, name, handled, now);
        };
        let asked = due(schedule, name, own, now);
        // It is written again, or the other one would run at these times when its clock gets there.
        Due {
            handled: asked.handled.or(Some(own)),
            ..asked
        }
    }
}
