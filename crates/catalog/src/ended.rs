//! Beginnings and ends of runs: job, run, plan and issues go together, so that no kill leaves a run that nobody ends.

use jiff::Timestamp;
use model::{Issue, JobState, PlanState, Run, RunState};

use crate::db::{Tx, args, word};
use crate::{Catalog, Error, NewJob, Result};

impl Catalog {
    /// Makes a run and the job that `owner` is about to claim for it.
    pub async fn begin_run(&self, run: &Run, job: &NewJob, owner: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let (sql, values) = crate::runs::insert(run)?;
        tx.execute(sql, values).await?;
        let sql = "INSERT INTO job (id, run, payload, state, concurrency_key, token, attempt, cancel_requested, created, owner)
            VALUES ($1, $2, $3, 'queued', $4, 0, 0, 0, $5, $6)";
        let key = job.concurrency_key.as_deref();
        let values = args![&job.id, &run.id, &job.payload, key, job.created, owner];
        tx.execute(sql, values).await?;
        tx.commit().await
    }

    /// Ends a job, its run and its plan, with the issues; refused as a whole when the job was taken over, so that whoever lost it tells
    /// nothing about it any more.
    pub async fn end_run(
        &self,
        job: &str,
        token: i64,
        state: JobState,
        run: &Run,
        issues: &[Issue],
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE job SET state = $3, lease_until = NULL WHERE id = $1 AND token = $2 AND state = 'leased'";
        if tx.execute(sql, args![job, token, word(&state)?]).await? == 0 {
            drop(tx);
            return Err(self.lost(job, token).await?);
        }
        end_plan(&mut tx, run).await?;
        crate::issues::add(&mut tx, &run.id, issues).await?;
        let (sql, values) = crate::runs::finish(run)?;
        if tx.execute(sql, values).await? == 0 {
            return Err(Error::RunUnknown { id: run.id.clone() });
        }
        tx.commit().await
    }

    /// Asks a run to end: at once where nobody works on it, as soon as its worker hears of it otherwise. Answers how it stands now; one
    /// that has ended stays as it is.
    pub async fn cancel_run(&self, run: &str, now: Timestamp) -> Result<Run> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE job SET cancel_requested = 1, state = CASE WHEN state = 'queued' THEN 'canceled' ELSE state END
            WHERE run = $1 AND state IN ('queued', 'leased') RETURNING state";
        let mut working = false;
        for row in tx.rows(sql, args![run]).await? {
            working |= row.word::<JobState>(0)? == JobState::Leased;
        }
        if !working {
            let sql = "UPDATE run SET state = 'canceled', finished = $2, waiting = NULL
                WHERE id = $1 AND state IN ('queued', 'running')";
            if tx.execute(sql, args![run, now]).await? == 1 {
                let canceled = crate::runs::get(&mut tx, run).await?;
                end_plan(&mut tx, &canceled).await?;
            }
        }
        let found = crate::runs::get(&mut tx, run).await?;
        tx.commit().await?;
        Ok(found)
    }
}

/// A plan whose run ended early says so; it can be gone on with.
async fn end_plan(tx: &mut Tx, run: &Run) -> Result<()> {
    let state = match run.state {
        RunState::Failed => PlanState::Failed,
        RunState::Canceled => PlanState::Canceled,
        _ => return Ok(()),
    };
    let sql = "UPDATE plan SET state = $2, error = $3
        WHERE (plan_run = $1 AND state = 'planning') OR (apply_run = $1 AND state = 'applying')";
    let values = args![&run.id, word(&state)?, run.error.as_deref()];
    tx.execute(sql, values).await.map(drop)
}
