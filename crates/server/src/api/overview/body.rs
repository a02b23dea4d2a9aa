//! The overview as a document.

use catalog::{EndedRuns, KnownSnapshot, RepositoryRow, Unprotected};
use control::{Protection, Standing};
use jiff::Timestamp;
use model::{RunState, SourceId};
use serde::Serialize;
use utoipa::ToSchema;

/// Whether all is well.
#[derive(Serialize, ToSchema)]
pub(super) struct Overview {
    pub(super) sources: Vec<SourceView>,
    pub(super) storage: StorageView,
    pub(super) requests: TrafficView,
    pub(super) alarms: OpenAlarms,
    /// What syncs found and no policy took up: the first hundred.
    pub(super) unprotected: Vec<UnprotectedView>,
    /// The soonest of each connector: the first twenty.
    pub(super) next_runs: Vec<NextRun>,
    pub(super) runs: RunsView,
    pub(super) waiting_proposals: u64,
}

/// A connector and how it stands.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceView {
    /// Absent for what has snapshots and no connector: it has to be connected again.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    service: String,
    organization: String,
    /// Where that is: two organizations at two addresses may have one name. Null where nobody can tell.
    address: Option<String>,
    /// Why nobody can; the connector stands for no source until that is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    address_error: Option<String>,
    /// `protected`; `partial`: the last backup could not read everything, and what it could not is younger than the objective; `late`: the last good backup is older than its objective; `failing`: the last one failed, or nobody is signed in;
    /// `never`: there was no good one yet; `unprotected`: no policy that is switched on is for it, or no connector.
    state: &'static str,
    last_good: Option<LastGood>,
    /// How old the last good backup may be, in days: 26 hours are 1.08.
    objective_days: f64,
    /// In the last good backup.
    items: u64,
    policy: Option<String>,
    #[schema(format = DateTime)]
    next_run: Option<String>,
    /// How much would be lost now: since the last good backup, or since the connector was made.
    age_seconds: i64,
}

/// The last backup that a restore can rely on.
#[derive(Serialize, ToSchema)]
struct LastGood {
    snapshot: Option<String>,
    /// When everything that is to be backed up had been read. The snapshot is younger where a part of it could not be read again.
    #[schema(format = DateTime)]
    at: String,
}

impl SourceView {
    pub(super) fn of(
        standing: Standing,
        source: control::Result<SourceId>,
        now: Timestamp,
    ) -> Self {
        let age_seconds = standing.age(now).as_secs();
        let hours = u32::try_from(standing.objective.as_hours()).unwrap_or(u32::MAX);
        let items = standing.last_good.as_ref().map_or(0, |run| run.items);
        let (address, address_error) = match source {
            Ok(id) => (Some(id.address), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self {
            connector: Some(standing.connector.name),
            service: standing.connector.service,
            organization: standing.connector.organization,
            address,
            address_error,
            state: standing.state.name(),
            last_good: standing.last_good.map(|run| LastGood {
                snapshot: run.snapshot,
                at: run.whole.to_string(),
            }),
            objective_days: (f64::from(hours) / 24.0 * 100.0).round() / 100.0,
            items,
            policy: standing.policy,
            next_run: standing.next_run.map(|at| at.to_string()),
            age_seconds,
        }
    }

    /// What has snapshots and no connector.
    pub(super) fn orphan(
        id: SourceId,
        organization: String,
        newest: Option<&KnownSnapshot>,
        now: Timestamp,
    ) -> Self {
        let age = newest.map_or(0, |newest| now.duration_since(newest.time).as_secs());
        Self {
            connector: None,
            service: id.service,
            organization,
            address: Some(id.address),
            address_error: None,
            state: Protection::Unprotected.name(),
            last_good: newest.map(|newest| LastGood {
                snapshot: Some(newest.id.clone()),
                at: newest.time.to_string(),
            }),
            objective_days: 0.0,
            items: newest.map_or(0, |newest| {
                newest.counts.values().map(|counts| counts.items).sum()
            }),
            policy: None,
            next_run: None,
            age_seconds: age,
        }
    }
}

/// What is stored, and how it grew.
#[derive(Serialize, ToSchema)]
pub(super) struct StorageView {
    pub(super) repositories: Vec<StoredIn>,
    /// What all backups received, before anything was found to be there already.
    pub(super) raw_bytes: u64,
    /// What of it was new to repositories, after compression and encryption.
    pub(super) stored_bytes: u64,
    /// Of the last 30 days, the oldest first.
    pub(super) growth: Vec<Growth>,
}

/// A repository.
#[derive(Serialize, ToSchema)]
pub(super) struct StoredIn {
    name: String,
    location: String,
    /// When it was measured last (by a check or prune), and what backups added since.
    bytes: u64,
    #[schema(format = DateTime)]
    checked: Option<String>,
    #[schema(format = DateTime)]
    pruned: Option<String>,
    /// Since when a check has found damage that no later one could show to be gone.
    #[schema(format = DateTime)]
    damaged: Option<String>,
}

impl StoredIn {
    pub(super) fn of(row: RepositoryRow, since_measured: u64) -> Self {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            name: row.name,
            location: row.location,
            bytes: row.bytes.unwrap_or(0) + since_measured,
            checked: time(row.checked),
            pruned: time(row.pruned),
            damaged: time(row.damaged),
        }
    }
}

/// What one day added (UTC).
#[derive(Serialize, ToSchema)]
pub(super) struct Growth {
    #[schema(format = Date)]
    day: String,
    added_bytes: u64,
}

impl Growth {
    pub(super) fn of(day: Timestamp, added_bytes: u64) -> Self {
        Self {
            day: day.strftime("%Y-%m-%d").to_string(),
            added_bytes,
        }
    }
}

/// Requests to services.
#[derive(Serialize, ToSchema)]
pub(super) struct TrafficView {
    /// Of the runs that ended in the last 24 hours.
    pub(super) last_day: u64,
    /// In the last 24 hours, or since the server started.
    pub(super) throttled_seconds: u64,
    /// Those that waited longest and asked most: the first twenty.
    pub(super) connectors: Vec<RequestsOf>,
}

/// Requests of one connector.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct RequestsOf {
    /// In lower case.
    pub(super) connector: String,
    pub(super) requests: u64,
    pub(super) throttled_seconds: u64,
}

/// Alarms that nobody has acknowledged.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenAlarms {
    pub(super) open: usize,
    /// Of these.
    pub(super) critical: usize,
}

/// Something that no policy protects.
#[derive(Serialize, ToSchema)]
pub(super) struct UnprotectedView {
    connector: String,
    kind: String,
    name: String,
}

impl From<Unprotected> for UnprotectedView {
    fn from(one: Unprotected) -> Self {
        Self {
            connector: one.connector,
            kind: one.kind,
            name: one.name,
        }
    }
}

/// What a schedule will do.
#[derive(Serialize, ToSchema)]
pub(super) struct NextRun {
    pub(super) policy: String,
    pub(super) connector: String,
    #[schema(format = DateTime)]
    pub(super) at: String,
}

/// What runs came to.
#[derive(Serialize, ToSchema)]
pub(super) struct RunsView {
    pub(super) last_day: RunsOfDay,
}

/// Runs that ended in the last 24 hours.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct RunsOfDay {
    succeeded: u64,
    with_issues: u64,
    failed: u64,
    canceled: u64,
}

impl RunsOfDay {
    pub(super) fn of(ended: &[EndedRuns]) -> Self {
        let mut this = Self::default();
        for one in ended {
            let count = match one.state {
                RunState::Succeeded => &mut this.succeeded,
                RunState::SucceededWithIssues => &mut this.with_issues,
                RunState::Failed => &mut this.failed,
                RunState::Canceled => &mut this.canceled,
                RunState::Queued | RunState::Running => continue,
            };
            *count += one.runs;
        }
        this
    }
}
