//! Policies as documents of the interface.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::Policy;
use model::policy::Schedule;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FieldError, Problem};

/// What is backed up, when, where to, and how long it stays.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Policy)]
pub(crate) struct PolicyBody {
    #[schema(min_length = 1, max_length = 64)]
    pub(crate) name: String,
    /// One that is not enabled can still be run by hand.
    #[serde(default = "yes")]
    enabled: bool,
    /// Names or patterns of connectors; empty for those that no other enabled policy names.
    #[serde(default)]
    connectors: Vec<String>,
    #[serde(default)]
    selection: SelectionBody,
    #[serde(default)]
    schedule: ScheduleBody,
    /// What to keep of each source; rules add up, and without any everything stays.
    #[serde(default)]
    retention: KeepBody,
    /// Absent for the default repository at the time of each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    /// Labels that a worker must have; a worker's name is one of its labels. Empty for any worker.
    #[serde(default)]
    worker: BTreeSet<String>,
    #[serde(default)]
    limits: LimitsBody,
    /// Another person has to agree before its retention is shortened.
    #[serde(default)]
    four_eyes: bool,
}

/// What a policy selects.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Selection)]
pub(crate) struct SelectionBody {
    /// Kinds of data; empty for all.
    kinds: BTreeSet<String>,
    /// By kind (`project`, `git-repository`, `user`): which of its items.
    items: BTreeMap<String, ChoiceBody>,
}

/// Which items of a kind: ids, names (`web`, `Payments/web`) or patterns with `*` and `?`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Choice)]
pub(crate) struct ChoiceBody {
    /// Empty for all.
    #[serde(default)]
    include: Vec<String>,
    /// Wins over `include`.
    #[serde(default)]
    exclude: Vec<String>,
    /// Whether items that appear at the service later are taken when they fit.
    #[serde(default = "yes")]
    new: bool,
    /// Since when new ones are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(read_only, value_type = Option<String>)]
    closed: Option<Timestamp>,
}

/// When a policy runs.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Schedule)]
pub(crate) struct ScheduleBody {
    when: WhenBody,
    /// An IANA name.
    #[schema(example = json!("Europe/Berlin"))]
    time_zone: String,
    /// Each policy runs later by up to so many minutes, always by the same ones.
    #[schema(maximum = 1440)]
    jitter_minutes: u32,
    missed: MissedBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<WindowBody>,
}

impl Default for ScheduleBody {
    fn default() -> Self {
        Self {
            when: WhenBody::Hours {
                at: BTreeSet::from(["00:00".to_owned()]),
                days: BTreeSet::new(),
            },
            time_zone: "UTC".to_owned(),
            jitter_minutes: 300,
            missed: MissedBody::RunOnce,
            window: None,
        }
    }
}

/// What makes a policy run.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "every", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = When)]
pub(crate) enum WhenBody {
    /// Only by hand.
    Manual,
    /// Minute, hour, day of month, month, day of week.
    Cron { expression: String },
    Interval {
        #[schema(minimum = 5)]
        minutes: u32,
    },
    /// At these times (`22:00`) of these days (`mon` to `sun`; none for all).
    Hours {
        at: BTreeSet<String>,
        #[serde(default)]
        days: BTreeSet<String>,
    },
}

/// What becomes of runs whose time passed while the server was away.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = Missed)]
pub(crate) enum MissedBody {
    Skip,
    RunOnce,
    CatchUp,
}

/// Between these times of the day runs may begin.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Window)]
pub(crate) struct WindowBody {
    from: String,
    to: String,
}

/// Snapshots to keep: the newest of each period, or all of a length of time.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Keep)]
pub(crate) struct KeepBody {
    last: u32,
    hourly: u32,
    daily: u32,
    weekly: u32,
    monthly: u32,
    yearly: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<WithinBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_hourly: Option<WithinBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_daily: Option<WithinBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_weekly: Option<WithinBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_monthly: Option<WithinBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within_yearly: Option<WithinBody>,
    /// Each entry keeps the snapshots that carry all of its tags.
    tags: Vec<Vec<String>>,
}

/// A length of time.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Within)]
pub(crate) struct WithinBody {
    years: u16,
    months: u16,
    days: u16,
    hours: u16,
}

/// How much its runs may take.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Limits)]
pub(crate) struct LimitsBody {
    /// Runs of this policy at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    runs: Option<u32>,
    /// Bytes received from the service in a second, for each run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1024)]
    bytes_per_second: Option<u64>,
}

fn yes() -> bool {
    true
}

/// The members have the same names on both sides.
fn same<T: DeserializeOwned>(value: &impl Serialize) -> Result<T, Problem> {
    let value = serde_json::to_value(value)
        .and_then(serde_json::from_value)
        .map_err(|error| Problem::refused("policy-refused", error.to_string()))?;
    Ok(value)
}

impl ScheduleBody {
    pub(crate) fn of(schedule: &Schedule) -> Result<Self, Problem> {
        same(schedule)
    }

    /// As it was sent; whether it can be right is not looked at.
    pub(crate) fn schedule(&self) -> Result<Schedule, Problem> {
        same(self)
    }
}

impl PolicyBody {
    pub(crate) fn of(policy: &Policy) -> Result<Self, Problem> {
        same(policy)
    }

    /// The policy, if all of its members can be right. New items are left out since `now` where that was switched on now.
    pub(crate) fn policy(
        &self,
        before: Option<&Policy>,
        now: Timestamp,
    ) -> Result<Policy, Problem> {
        let mut policy: Policy = same(self)?;
        let wrong = policy.check();
        if !wrong.is_empty() {
            let errors = wrong
                .into_iter()
                .map(|one| FieldError::pointer(one.pointer, one.message));
            return Err(Problem::fields(errors.collect()));
        }
        for (kind, choice) in &mut policy.selection.items {
            let known = before
                .and_then(|before| before.selection.items.get(kind))
                .filter(|before| !before.new)
                .and_then(|before| before.closed);
            choice.closed = (!choice.new).then(|| known.unwrap_or(now));
        }
        Ok(policy)
    }
}
