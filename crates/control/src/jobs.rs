//! Runs and their jobs: into the queue, out of it with a lease, to their end.

use std::time::Duration;

use catalog::{Job, NewJob};
use jiff::SignedDuration;
use model::{Counts, Issue, JobState, Reason, Run, RunKind, RunState, SourceId};
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, Result};

/// How long a job is held without a sign of life.
pub(crate) const LEASE: Duration = Duration::from_mins(1);

/// A job of another worker that no loop takes, and whose lease ran out so long ago, has nobody any more.
const FORSAKEN: SignedDuration = SignedDuration::from_hours(1);

/// Whether somebody else has the job, or nobody ever had it.
pub(crate) fn is_lost(error: &catalog::Error) -> bool {
    use catalog::Error::{JobUnknown, Superseded};
    matches!(error, Superseded { .. } | JobUnknown { .. })
}

/// Backups of one source into one repository go one after the other.
pub(crate) fn backup_key(repository: &str, source: &SourceId) -> String {
    format!("backup/{repository}/{}/{}", source.service, source.address)
}

/// Restores into one organization go one after the other.
pub(crate) fn restore_key(target: &SourceId) -> String {
    format!("restore/{}/{}", target.service, target.address)
}

/// A run at its end, as the catalog has it.
#[derive(Debug)]
pub struct Ended<T> {
    pub run: Run,
    pub issues: Vec<Issue>,
    pub result: Result<T>,
}

/// What a run is about.
pub(crate) struct NewRun<'a> {
    pub kind: RunKind,
    pub connector: &'a str,
    pub repository: &'a str,
    pub policy: Option<&'a str>,
    /// Jobs of one key never run at once.
    pub key: String,
    pub payload: String,
}

impl Control {
    /// The same for the work on one job: nothing is written to its plan once another worker has it.
    pub(crate) fn holding(&self, job: &Job) -> Self {
        Self {
            catalog: self.catalog.held(&job.id, job.token),
            ..self.clone()
        }
    }

    /// A run that nobody has worked on yet, of `connector` or of a repository alone.
    pub(crate) fn new_run(
        &self,
        kind: RunKind,
        (connector, repository): (&str, &str),
        reason: Reason,
    ) -> Run {
        Run {
            id: self.new_id(),
            kind,
            connector: connector.to_owned(),
            repository: repository.to_owned(),
            state: RunState::Queued,
            created: self.now(),
            finished: None,
            snapshot: None,
            counts: Counts::default(),
            error: None,
            resumed: None,
            policy: None,
            reason,
            retry_of: None,
            waiting: None,
            result: None,
        }
    }

    /// Makes a run with one job and leases it; refused while another run works on the same.
    pub(crate) async fn begin(&self, new: NewRun<'_>) -> Result<(Run, Job)> {
        let place = (new.connector, new.repository);
        let mut run = self.new_run(new.kind, place, Reason::Command);
        run.policy = new.policy.map(str::to_owned);
        let now = run.created;
        let job = NewJob {
            id: self.new_id(),
            payload: new.payload,
            concurrency_key: Some(new.key),
            created: now,
        };
        self.catalog.begin_run(&run, &job, &self.worker).await?;
        if let Some(job) = self
            .catalog
            .claim_for_run(&self.worker, &run.id, now, LEASE)
            .await?
        {
            run.state = RunState::Running;
            return Ok((run, job));
        }
        let message = format!("another run works on `{}` right now", new.connector);
        run.state = RunState::Failed;
        run.finished = Some(self.now());
        run.error = Some(message.clone());
        self.catalog.finish_run(&run).await?;
        self.catalog.request_cancel(&job.id).await?;
        Err(Error::Request {
            code: "run-busy",
            message,
        })
    }

    /// Ends job and run as `result` says. The run keeps its snapshot and counts, which the caller has filled in.
    pub(crate) async fn end<T>(
        &self,
        mut run: Run,
        job: &Job,
        mut issues: Vec<Issue>,
        result: Result<T>,
    ) -> Result<Ended<T>> {
        run.finished = Some(self.now());
        let state = match &result {
            Ok(_) => {
                run.state = if issues.is_empty() {
                    RunState::Succeeded
                } else {
                    RunState::SucceededWithIssues
                };
                JobState::Succeeded
            }
            Err(Error::Engine(engine::Error::Canceled)) => {
                run.state = RunState::Canceled;
                JobState::Canceled
            }
            Err(error) => {
                run.state = RunState::Failed;
                run.error = Some(error.to_string());
                if let Error::Service(error) | Error::Engine(engine::Error::Service(error)) = error
                {
                    issues.push(error.to_issue("", "", None));
                }
                JobState::Failed
            }
        };
        let ended = self
            .catalog
            .end_run(&job.id, job.token, state, &run, &issues);
        ended.await?;
        Ok(Ended {
            run,
            issues,
            result,
        })
    }

    /// Extends the lease until the job is lost; asks for the end through `cancel`. While the catalog is away nobody can take the job.
    pub(crate) async fn keep_alive(&self, job: &Job, cancel: &CancellationToken) -> Error {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            match self
                .catalog
                .heartbeat(&job.id, job.token, self.now(), LEASE)
                .await
            {
                Ok(beat) if beat.cancel_requested => cancel.cancel(),
                Ok(_) => {}
                Err(error) if is_lost(&error) => return error.into(),
                Err(error) => tracing::warn!(run = job.run, %error, "the lease was not extended"),
            }
        }
    }

    /// Ends what a killed process of this worker left behind: call it when no other process can be this worker. The runs; a canceled or
    /// failed run can simply be started again, and a restore goes on with its plan. What waits for a worker's loop, or was in the hands of
    /// this one, stays in the queue.
    pub async fn recover(&self) -> Result<Vec<Run>> {
        self.catalog.void_leases(&self.worker).await?;
        self.interrupt_proposals().await?;
        self.catalog
            .void_plans("the process ended before the plan was made")
            .await?;
        let mut ended = Vec::new();
        for row in self.catalog.open_jobs().await? {
            let others = row
                .owner
                .as_ref()
                .is_some_and(|owner| *owner != self.worker);
            let forsaken = row
                .lease_until
                .is_some_and(|until| until + FORSAKEN < self.now());
            if (others && !forsaken) || !row.direct {
                continue;
            }
            let Some(job) = self
                .catalog
                .claim_for_run(&self.worker, &row.run, self.now(), LEASE)
                .await?
            else {
                continue;
            };
            let run = self.catalog.run(&job.run).await?;
            let message = "the process ended before the run did".to_owned();
            let result: Result<()> = Err(Error::Request {
                code: "run-interrupted",
                message,
            });
            ended.push(self.end(run, &job, Vec::new(), result).await?.run);
        }
        Ok(ended)
    }
}
