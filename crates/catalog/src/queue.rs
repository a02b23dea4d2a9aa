//! The queue: jobs are leased, and every lease has a token that grows, so that a worker that lost its job notices.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use model::JobState;

use crate::db::{Row, args, word};
use crate::{Catalog, Error, Result};

/// A job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    pub id: String,
    /// What to do; opaque here.
    pub payload: String,
    /// Jobs of one key never run at once.
    pub concurrency_key: Option<String>,
    /// The oldest is claimed first.
    pub created: Timestamp,
}

/// A job that this worker holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: String,
    pub run: String,
    /// Greater than that of every lease of this job before.
    pub token: i64,
    pub payload: String,
    /// What the attempt before left; opaque here.
    pub checkpoint: Option<String>,
    /// From 1.
    pub attempt: i64,
}

impl Job {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.text(0)?,
            run: row.text(1)?,
            token: row.int(2)?,
            payload: row.text(3)?,
            checkpoint: row.opt_text(4)?,
            attempt: row.int(5)?,
        })
    }
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    pub cancel_requested: bool,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: String,
    pub run: String,
    pub state: JobState,
    pub concurrency_key: Option<String>,
    pub token: i64,
    pub attempt: i64,
    /// The worker that holds or held it.
    pub owner: Option<String>,
    pub lease_until: Option<Timestamp>,
    pub cancel_requested: bool,
    pub created: Timestamp,
    /// Claimed by whoever made it and by no worker's loop.
    pub direct: bool,
}

impl JobRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.text(0)?,
            run: row.text(1)?,
            state: row.word(2)?,
            concurrency_key: row.opt_text(3)?,
            token: row.int(4)?,
            attempt: row.int(5)?,
            owner: row.opt_text(6)?,
            lease_until: row.opt_time(7)?,
            cancel_requested: row.flag(8)?,
            created: row.time(9)?,
            direct: row.flag(10)?,
        })
    }
}

pub(crate) fn end(now: Timestamp, lease: Duration) -> i64 {
    now.as_microsecond()
        .saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
}

/// The time now, for who asked at `now` and had to wait for others to write: leases count from when they are given.
pub(crate) fn later(now: Timestamp, asked: Instant) -> Timestamp {
    let waited = Duration::from_secs(asked.elapsed().as_secs());
    now.checked_add(waited).unwrap_or(now)
}

impl Catalog {
    pub async fn enqueue(&self, run: &str, job: &NewJob) -> Result<()> {
        let sql = "INSERT INTO job (id, run, payload, state, concurrency_key, token, attempt, cancel_requested, created)
            VALUES ($1, $2, $3, 'queued', $4, 0, 0, 0, $5)";
        let values = args![
            &job.id,
            run,
            &job.payload,
            job.concurrency_key.as_deref(),
            job.created
        ];
        match self.db.write(sql, values).await {
            Err(error) if error.is_foreign_key() => Err(Error::RunUnknown { id: run.to_owned() }),
            other => other.map(drop),
        }
    }

    /// Leases the oldest job that is queued, or whose lease ran out, and whose key no other leased job has.
    pub async fn claim(
        &self,
        worker: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        self.claim_any(worker, None, now, lease).await
    }

    /// As [`Catalog::claim`], among the jobs of one run.
    pub async fn claim_for_run(
        &self,
        worker: &str,
        run: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        self.claim_any(worker, Some(run), now, lease).await
    }

    async fn claim_any(
        &self,
        worker: &str,
        run: Option<&str>,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        loop {
            match self.try_claim(worker, run, now, lease).await {
                // Two workers chose jobs of one key at the same moment; the other one won: look again.
                Err(error) if error.is_unique() => {}
                other => return other,
            }
        }
    }

    async fn try_claim(
        &self,
        worker: &str,
        run: Option<&str>,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Option<Job>> {
        let asked = Instant::now();
        let mut tx = self.db.begin().await?;
        let now = later(now, asked);
        let Some(row) = tx
            .one(
                self.db.dialect().claim,
                args![worker, now, end(now, lease), run],
            )
            .await?
        else {
            return Ok(None);
        };
        let job = Job::read(&row)?;
        tx.execute(
            "UPDATE run SET state = 'running' WHERE id = $1 AND state = 'queued'",
            args![&job.run],
        )
        .await?;
        tx.commit().await?;
        Ok(Some(job))
    }

    /// Extends the lease, also one that ran out while nobody else took the job; [`Error::Superseded`] otherwise.
    pub async fn heartbeat(
        &self,
        job: &str,
        token: i64,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Beat> {
        let sql =
            "UPDATE job SET lease_until = $3 WHERE id = $1 AND token = $2 AND state = 'leased'
            RETURNING cancel_requested";
        let asked = Instant::now();
        let mut tx = self.db.begin().await?;
        let until = end(later(now, asked), lease);
        let Some(row) = tx.one(sql, args![job, token, until]).await? else {
            drop(tx);
            return Err(self.lost(job, token).await?);
        };
        tx.commit().await?;
        Ok(Beat {
            cancel_requested: row.flag(0)?,
        })
    }

    /// Remembers how far the job has come, for the next attempt or for another job of its key; `None` forgets it.
    pub async fn checkpoint(&self, job: &str, token: i64, text: Option<&str>) -> Result<()> {
        let sql =
            "UPDATE job SET checkpoint = $3 WHERE id = $1 AND token = $2 AND state = 'leased'";
        self.write_leased(sql, args![job, token, text], job, token)
            .await
    }

    /// The checkpoint of an earlier attempt, or the newest of jobs of the same key that ended: it is this job's from now on.
    pub async fn take_checkpoint(&self, job: &str, token: i64) -> Result<Option<String>> {
        let mut tx = self.db.begin().await?;
        let own = "SELECT checkpoint FROM job WHERE id = $1 AND token = $2 AND state = 'leased'";
        let Some(own) = tx.one(own, args![job, token]).await? else {
            drop(tx);
            return Err(self.lost(job, token).await?);
        };
        let mut text = own.opt_text(0)?;
        if text.is_none() {
            let newest = "SELECT checkpoint FROM job
                WHERE concurrency_key = (SELECT concurrency_key FROM job WHERE id = $1)
                  AND id <> $1 AND checkpoint IS NOT NULL AND state NOT IN ('queued', 'leased')
                ORDER BY created DESC, id DESC LIMIT 1";
            if let Some(row) = tx.one(newest, args![job]).await? {
                text = row.opt_text(0)?;
            }
            let take = "UPDATE job SET checkpoint = $2 WHERE id = $1";
            tx.execute(take, args![job, text.as_deref()]).await?;
        }
        let superseded = "UPDATE job SET checkpoint = NULL
            WHERE concurrency_key = (SELECT concurrency_key FROM job WHERE id = $1)
              AND id <> $1 AND checkpoint IS NOT NULL AND state NOT IN ('queued', 'leased')";
        tx.execute(superseded, args![job]).await?;
        tx.commit().await?;
        Ok(text)
    }

    /// The checkpoints that wait for another attempt, with the keys of their jobs.
    pub async fn checkpoints(&self) -> Result<Vec<(String, String)>> {
        let sql = "SELECT concurrency_key, checkpoint FROM job
            WHERE checkpoint IS NOT NULL AND concurrency_key IS NOT NULL ORDER BY created, id";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?)))
            .collect()
    }

    /// Ends the lease. `Queued` gives the job back, with its checkpoint, for another attempt.
    pub async fn finish(&self, job: &str, token: i64, state: JobState) -> Result<()> {
        if state == JobState::Leased {
            return Err(Error::damaged("a job cannot finish as leased"));
        }
        let sql = "UPDATE job SET state = $3, lease_until = NULL WHERE id = $1 AND token = $2 AND state = 'leased'";
        self.write_leased(sql, args![job, token, word(&state)?], job, token)
            .await
    }

    /// May the holder of this token write its snapshot? Not when the job was taken over, is to be canceled, or when the
    /// lease ran out, since another worker may take it at any moment then.
    pub async fn permit_commit(&self, job: &str, token: i64, now: Timestamp) -> Result<()> {
        let sql = "SELECT cancel_requested, lease_until FROM job WHERE id = $1 AND token = $2 AND state = 'leased'";
        // On the writer: a reader may still see the time before the last claim.
        let rows = self.db.write_rows(sql, args![job, token]).await?;
        let Some(row) = rows.first() else {
            return Err(self.lost(job, token).await?);
        };
        if row.flag(0)? {
            return Err(Error::Canceled {
                job: job.to_owned(),
            });
        }
        match row.opt_time(1)? {
            Some(until) if until > now => Ok(()),
            _ => Err(Error::LeaseExpired {
                job: job.to_owned(),
            }),
        }
    }

    /// A queued job is canceled at once, a leased one when its worker asks next.
    pub async fn request_cancel(&self, job: &str) -> Result<()> {
        let sql = "UPDATE job SET cancel_requested = 1, state = CASE WHEN state = 'queued' THEN 'canceled' ELSE state END
            WHERE id = $1";
        match self.db.write(sql, args![job]).await? {
            0 => Err(Error::JobUnknown { id: job.to_owned() }),
            _ => Ok(()),
        }
    }

    /// Ends the leases of a worker that is known to be dead, so that nobody waits for them; it stays fenced by its tokens
    /// as soon as the jobs are claimed.
    pub async fn void_leases(&self, worker: &str) -> Result<u64> {
        let sql = "UPDATE job SET lease_until = 0 WHERE owner = $1 AND state = 'leased'";
        self.db.write(sql, args![worker]).await
    }

    pub async fn job(&self, id: &str) -> Result<JobRow> {
        let sql = "SELECT id, run, state, concurrency_key, token, attempt, owner, lease_until, cancel_requested, created, direct
            FROM job WHERE id = $1";
        let row = self.db.read_one(sql, args![id]).await?;
        row.as_ref().map_or_else(
            || Err(Error::JobUnknown { id: id.to_owned() }),
            JobRow::read,
        )
    }

    /// The jobs of a run, the oldest first.
    pub async fn jobs(&self, run: &str) -> Result<Vec<JobRow>> {
        let sql = "SELECT id, run, state, concurrency_key, token, attempt, owner, lease_until, cancel_requested, created, direct
            FROM job WHERE run = $1 ORDER BY created, id";
        self.db
            .read(sql, args![run])
            .await?
            .iter()
            .map(JobRow::read)
            .collect()
    }

    /// The jobs that are queued or leased, the oldest first.
    pub async fn open_jobs(&self) -> Result<Vec<JobRow>> {
        let sql = "SELECT id, run, state, concurrency_key, token, attempt, owner, lease_until, cancel_requested, created, direct
            FROM job WHERE state IN ('queued', 'leased') ORDER BY created, id";
        self.db
            .read(sql, args![])
            .await?
            .iter()
            .map(JobRow::read)
            .collect()
    }

    async fn write_leased(
        &self,
        sql: &'static str,
        values: Vec<crate::db::Value>,
        job: &str,
        token: i64,
    ) -> Result<()> {
        match self.db.write(sql, values).await? {
            0 => Err(self.lost(job, token).await?),
            _ => Ok(()),
        }
    }

    pub(crate) async fn lost(&self, job: &str, token: i64) -> Result<Error> {
        let known = self
            .db
            .read_one("SELECT id FROM job WHERE id = $1", args![job])
            .await?;
        Ok(match known {
            Some(_) => Error::Superseded {
                job: job.to_owned(),
                token,
            },
            None => Error::JobUnknown { id: job.to_owned() },
        })
    }
}
