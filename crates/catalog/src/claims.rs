//! The queue as workers' loops see it: who may take which job next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use model::{JobState, Run, Waiting};

use crate::db::{Row, Tx, args, json};
use crate::queue::{end, later};
use crate::{Catalog, Job, NewJob, Result};

/// Jobs of one connector that are looked at in one claim: one that must wait holds up so many of its own connector, and none of others.
const LOOKED_AT: u64 = 50;

/// Where a job may run, and beside what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    pub connector: String,
    pub policy: Option<String>,
    /// Runs of its policy at the same time.
    pub policy_runs: Option<u32>,
    /// Labels that its worker must have; a worker's name is one of its labels.
    pub labels: BTreeSet<String>,
    /// The repository, when only workers that say so reach it.
    pub storage: Option<String>,
    pub not_before: Option<Timestamp>,
}

/// A run with its job, on their way into the queue.
#[derive(Clone, Debug)]
pub struct QueuedRun {
    pub run: Run,
    pub job: NewJob,
    pub placement: Placement,
}

/// Who looks for work.
#[derive(Clone, Debug)]
pub struct Claimant<'a> {
    pub name: &'a str,
    pub labels: &'a BTreeSet<String>,
    /// The storages that it reaches beside those that everybody reaches; `None` for all.
    pub storages: Option<&'a BTreeSet<String>>,
    /// The jobs that it is working on: after a pause of the machine their leases may have run out, and they are not lost.
    pub at_work: &'a BTreeSet<String>,
}

impl Claimant<'_> {
    fn may(&self, placement: &Placement) -> bool {
        let labeled = placement
            .labels
            .iter()
            .all(|label| self.labels.contains(label) || label.eq_ignore_ascii_case(self.name));
        let reached = match (&placement.storage, self.storages) {
            (Some(storage), Some(own)) => own.contains(storage),
            _ => true,
        };
        labeled && reached
    }
}

/// How many jobs run at the same time, over all workers.
#[derive(Clone, Copy, Debug)]
pub struct QueueLimits {
    pub runs: u32,
    pub of_connector: u32,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            runs: 32,
            of_connector: 4,
        }
    }
}

/// A job that waits or is at work.
#[derive(Clone, Debug)]
pub struct OpenJob {
    pub id: String,
    pub run: String,
    pub state: JobState,
    pub key: Option<String>,
    pub owner: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub created: Timestamp,
    pub placement: Placement,
    /// When a job of its connector was leased last.
    last: Option<Timestamp>,
}

const OPEN: &str = "SELECT id, run, state, concurrency_key, owner, lease_until, created, connector, policy, policy_runs, labels,
        storage, not_before, (SELECT max(o.claimed) FROM job o WHERE o.connector = q.connector)";

impl OpenJob {
    fn read(row: &Row) -> Result<Self> {
        let labels: Option<String> = row.opt_text(10)?;
        let labels = labels.map(|text| serde_json::from_str(&text)).transpose();
        Ok(Self {
            id: row.text(0)?,
            run: row.text(1)?,
            state: row.word(2)?,
            key: row.opt_text(3)?,
            owner: row.opt_text(4)?,
            lease_until: row.opt_time(5)?,
            created: row.time(6)?,
            placement: Placement {
                connector: row.opt_text(7)?.unwrap_or_default(),
                policy: row.opt_text(8)?,
                policy_runs: row
                    .opt_int(9)?
                    .map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
                labels: labels
                    .map_err(|_| crate::Error::damaged("the labels of a job"))?
                    .unwrap_or_default(),
                storage: row.opt_text(11)?,
                not_before: row.opt_time(12)?,
            },
            last: row.opt_time(13)?,
        })
    }

    /// A worker holds it, and its lease has not run out.
    pub fn is_at_work(&self, now: Timestamp) -> bool {
        self.state == JobState::Leased && self.lease_until.is_some_and(|until| until > now)
    }
}

/// What is at work, counted.
#[derive(Default)]
struct AtWork {
    all: u32,
    connectors: BTreeMap<String, u32>,
    policies: BTreeMap<String, u32>,
}

impl AtWork {
    fn of<'a>(jobs: impl Iterator<Item = &'a OpenJob>) -> Self {
        let mut this = Self::default();
        for job in jobs {
            this.all += 1;
            *this.of_connector_mut(&job.placement.connector) += 1;
            if let Some(policy) = &job.placement.policy {
                *this.policies.entry(policy.clone()).or_default() += 1;
            }
        }
        this
    }

    fn of_connector_mut(&mut self, connector: &str) -> &mut u32 {
        self.connectors.entry(connector.to_owned()).or_default()
    }

    fn of_connector(&self, connector: &str) -> u32 {
        self.connectors.get(connector).copied().unwrap_or(0)
    }

    /// What is in the way of one more job; `None` when it may begin.
    fn full(&self, placement: &Placement, limits: QueueLimits) -> Option<(&'static str, String)> {
        let own = self.of_connector(&placement.connector);
        let policy = placement.policy.as_ref();
        let of_policy = policy.and_then(|policy| self.policies.get(policy)).copied();
        if self.all >= limits.runs {
            return Some((
                "workers-busy",
                format!("{} runs are at work, as many as may be", self.all),
            ));
        }
        if own >= limits.of_connector {
            return Some((
                "connector-busy",
                format!(
                    "{own} runs of {} are at work, as many as may be",
                    placement.connector
                ),
            ));
        }
        if let (Some(limit), Some(count), Some(policy)) = (placement.policy_runs, of_policy, policy)
            && count >= limit
        {
            return Some((
                "policy-busy",
                format!("{count} runs of policy {policy} are at work, as many as it allows"),
            ));
        }
        None
    }
}

impl Catalog {
    /// Makes a run and its job, which the next fitting worker takes.
    pub async fn queue_run(&self, queued: &QueuedRun) -> Result<()> {
        let mut tx = self.db.begin().await?;
        Self::queue_in(&mut tx, queued).await?;
        tx.commit().await
    }

    /// The same for several, all or none of them.
    pub async fn queue_runs(&self, all: &[QueuedRun]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        for queued in all {
            Self::queue_in(&mut tx, queued).await?;
        }
        tx.commit().await
    }

    pub(crate) async fn queue_in(tx: &mut Tx, queued: &QueuedRun) -> Result<()> {
        let (sql, values) = crate::runs::insert(&queued.run)?;
        tx.execute(sql, values).await?;
        let (job, place) = (&queued.job, &queued.placement);
        let sql = "INSERT INTO job (id, run, payload, state, concurrency_key, token, attempt, cancel_requested, created,
                direct, connector, policy, policy_runs, labels, storage, not_before)
            VALUES ($1, $2, $3, 'queued', $4, 0, 0, 0, $5, 0, $6, $7, $8, $9, $10, $11)";
        let values = args![
            &job.id,
            &queued.run.id,
            &job.payload,
            job.concurrency_key.as_deref(),
            job.created,
            &place.connector,
            place.policy.as_deref(),
            place.policy_runs.map(i64::from),
            json(&place.labels)?,
            place.storage.as_deref(),
            place.not_before,
        ];
        tx.execute(sql, values).await.map(drop)
    }

    /// Leases a job to a worker's loop: of the connectors with the fewest runs at work, the one that waited longest goes first, and its
    /// oldest job that fits the worker and the limits.
    pub async fn claim_next(
        &self,
        claimant: &Claimant<'_>,
        limits: QueueLimits,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        loop {
            match self.try_claim_next(claimant, limits, now, lease).await {
                // A command took a job of the same key at the same moment: look again.
                Err(error) if error.is_unique() => {}
                other => return other,
            }
        }
    }

    async fn try_claim_next(
        &self,
        claimant: &Claimant<'_>,
        limits: QueueLimits,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        let asked = Instant::now();
        let mut tx = self.db.begin().await?;
        if let Some(lock) = self.db.dialect().queue_lock {
            tx.rows(lock, args![]).await?;
        }
        let now = later(now, asked);
        let at_work = format!("{OPEN} FROM job q WHERE state = 'leased' AND lease_until > $1");
        let at_work = tx.rows(sqlx::AssertSqlSafe(at_work), args![now]).await?;
        let at_work: Vec<OpenJob> = at_work.iter().map(OpenJob::read).collect::<Result<_>>()?;
        let at_work = AtWork::of(at_work.iter());
        let ready = format!(
            "{OPEN} FROM (SELECT j.*, row_number() OVER (PARTITION BY j.connector ORDER BY j.created, j.id) AS place FROM job j
                WHERE j.direct = 0
                  AND ((j.state = 'queued' AND (j.not_before IS NULL OR j.not_before <= $1))
                    OR (j.state = 'leased' AND j.lease_until <= $1))
                  AND NOT EXISTS (SELECT 1 FROM job o
                    WHERE o.concurrency_key = j.concurrency_key AND o.state = 'leased' AND o.id <> j.id)) q
             WHERE q.place <= $2"
        );
        let ready = tx
            .rows(sqlx::AssertSqlSafe(ready), args![now, LOOKED_AT])
            .await?;
        let mut ready: Vec<OpenJob> = ready.iter().map(OpenJob::read).collect::<Result<_>>()?;
        ready.sort_by_key(|job| {
            let running = at_work.of_connector(&job.placement.connector);
            (running, job.last, job.created, job.id.clone())
        });
        let chosen = ready.iter().find(|job| {
            claimant.may(&job.placement)
                && !claimant.at_work.contains(&job.id)
                && at_work.full(&job.placement, limits).is_none()
        });
        let Some(chosen) = chosen else {
            return Ok(None);
        };
        let sql = "UPDATE job SET state = 'leased', owner = $2, lease_until = $3, claimed = $4, token = token + 1,
                attempt = attempt + 1
            WHERE id = $1 AND state IN ('queued', 'leased')
            RETURNING id, run, token, payload, checkpoint, attempt";
        let values = args![&chosen.id, claimant.name, end(now, lease), now];
        let Some(row) = tx.one(sql, values).await? else {
            return Ok(None);
        };
        let job = Job::read(&row)?;
        let sql = "UPDATE run SET state = 'running', waiting = NULL WHERE id = $1 AND state IN ('queued', 'running')";
        tx.execute(sql, args![&job.run]).await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    /// Gives a job back for another attempt, not before the time; its run is queued again. Without a time the attempt does not count: it was
    /// the worker that stopped.
    pub async fn requeue(
        &self,
        job: &str,
        token: i64,
        not_before: Option<Timestamp>,
        why: Option<&Waiting>,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE job SET state = 'queued', lease_until = NULL, not_before = $3,
                attempt = attempt - CASE WHEN $3 IS NULL THEN 1 ELSE 0 END
            WHERE id = $1 AND token = $2 AND state = 'leased' RETURNING run";
        let Some(row) = tx.one(sql, args![job, token, not_before]).await? else {
            drop(tx);
            return Err(self.lost(job, token).await?);
        };
        let why = why.map(json).transpose()?;
        let sql =
            "UPDATE run SET state = 'queued', waiting = $2 WHERE id = $1 AND state = 'running'";
        tx.execute(sql, args![row.text(0)?, why]).await?;
        tx.commit().await
    }

    /// What a run at work waits for, as its worker says.
    pub async fn set_waiting(&self, run: &str, waiting: Option<&Waiting>) -> Result<()> {
        let sql = "UPDATE run SET waiting = $2 WHERE id = $1 AND state = 'running'";
        let waiting = waiting.map(json).transpose()?;
        self.db.write(sql, args![run, waiting]).await.map(drop)
    }

    /// Everything that waits or is at work, the oldest first.
    pub async fn open_work(&self) -> Result<Vec<OpenJob>> {
        let sql =
            format!("{OPEN} FROM job q WHERE state IN ('queued', 'leased') ORDER BY created, id");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), args![]).await?;
        rows.iter().map(OpenJob::read).collect()
    }

    /// Whether a run of this policy and connector waits in the queue already: another one would do the same.
    pub async fn is_queued(&self, policy: &str, connector: &str) -> Result<bool> {
        let sql =
            "SELECT 1 FROM job WHERE state = 'queued' AND policy = $1 AND connector = $2 LIMIT 1";
        let row = self.db.read_one(sql, args![policy, connector]).await?;
        Ok(row.is_some())
    }

    /// The token and order of a job, for one that comes back to it.
    pub async fn payload(&self, job: &str) -> Result<String> {
        let sql = "SELECT payload FROM job WHERE id = $1";
        let row = self.db.read_one(sql, args![job]).await?;
        row.map_or_else(
            || Err(crate::Error::JobUnknown { id: job.to_owned() }),
            |row| row.text(0),
        )
    }
}

/// Why a job is not at work, among all that are open; `None` when a worker may take it at any moment.
pub fn why_queued(
    job: &OpenJob,
    open: &[OpenJob],
    limits: QueueLimits,
    now: Timestamp,
) -> Option<Waiting> {
    let waiting = |code: &str, message: String, until| {
        Some(Waiting {
            code: code.to_owned(),
            message,
            until,
        })
    };
    let place = &job.placement;
    let holder = open.iter().find(|other| {
        other.id != job.id
            && other.key.is_some()
            && other.key == job.key
            && other.state == JobState::Leased
    });
    if let Some(holder) = holder {
        let message = format!("{} is busy with run {}", place.connector, holder.run);
        return waiting("source-busy", message, None);
    }
    if let Some(until) = place.not_before.filter(|until| *until > now) {
        return waiting(
            "retry-later",
            format!("it is tried again at {until:.0}"),
            Some(until),
        );
    }
    let at_work = AtWork::of(open.iter().filter(|other| other.is_at_work(now)));
    let (code, message) = at_work.full(place, limits)?;
    waiting(code, message, None)
}
