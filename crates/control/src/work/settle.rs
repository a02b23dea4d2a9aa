//! What becomes of a run when the work on its job ends, here or at a worker elsewhere.

use catalog::Job;
use engine::backup::BackupReport;
use jiff::SignedDuration;
use model::{Class, Counts, Issue, JobState, Run, RunKind, RunState, Waiting};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::backup::extent;
use crate::standing::class_of;
use crate::work::Retained;
use crate::{Control, Error, Result};

/// How often a job is begun at most, over failures that may pass and workers that were lost.
const ATTEMPTS: i64 = 4;

/// What came of the work on a job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outcome {
    pub snapshot: Option<String>,
    pub counts: Counts,
    pub issues: Vec<Issue>,
    /// `None` for work that was done.
    pub failed: Option<Failed>,
    /// What it came to beside its counts.
    pub result: Option<Value>,
}

impl Outcome {
    /// A backup that has its snapshot; `full` says that everything was to be read again.
    pub(crate) fn backed_up(full: bool, report: BackupReport) -> Self {
        Self {
            result: extent(full, &report),
            snapshot: Some(report.snapshot.to_string()),
            counts: report.counts,
            issues: report.source.issues,
            failed: None,
        }
    }

    /// Adds what retention did afterwards: the snapshots that it forgot, or what stood in the way.
    pub(crate) fn retained(&mut self, retained: Retained) {
        self.issues.extend(retained.issue);
        if retained.forgotten.is_empty() {
            return;
        }
        let (name, gone) = ("forgotten", Value::Array(retained.forgotten));
        match &mut self.result {
            Some(Value::Object(result)) => drop(result.insert(name.to_owned(), gone)),
            other => *other = Some(json!({ name: gone })),
        }
    }
}

/// Why it was not done, or what is so wrong that it counts as failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    pub message: String,
    /// What is wrong at the service; `None` for trouble of our own.
    #[serde(default)]
    pub class: Option<Class>,
    /// It may be another story a little later.
    pub passing: bool,
    pub canceled: bool,
}

impl From<&Error> for Failed {
    fn from(error: &Error) -> Self {
        let class = class_of(error);
        Self {
            message: error.to_string(),
            class,
            // Whoever excludes everybody else from a repository does so for a while.
            passing: matches!(class, Some(Class::Transient | Class::Throttled))
                || matches!(error.code(), Some("lock-held" | "catalog-failed")),
            canceled: matches!(error, Error::Engine(engine::Error::Canceled)),
        }
    }
}

impl Failed {
    /// The work was done, and found damage.
    pub(crate) fn damaged(message: String) -> Self {
        Self {
            message,
            class: Some(Class::Storage),
            passing: false,
            canceled: false,
        }
    }
}

/// 1, 4, 16 minutes.
fn pause(attempt: i64) -> SignedDuration {
    let exponent = u32::try_from(attempt.clamp(1, 4) - 1).unwrap_or(0);
    SignedDuration::from_mins(4_i64.pow(exponent))
}

impl Control {
    /// Refuses a job at which so many workers were lost that it must be the job.
    pub(crate) fn not_too_often(job: &Job) -> Result<()> {
        if job.attempt > ATTEMPTS {
            return Err(Error::Request {
                code: "run-interrupted",
                message: format!("{} workers were lost at it", job.attempt - 1),
            });
        }
        Ok(())
    }

    /// Ends the run, or gives its job back for another attempt: after a failure that may pass, and when the worker stops. `stopping` says
    /// that this worker was told to stop, so that being canceled is nobody's wish.
    pub(crate) async fn settle(&self, job: &Job, outcome: Outcome, stopping: bool) -> Result<Run> {
        let wished = self.catalog.job(&job.id).await?.cancel_requested;
        let failed = outcome.failed.as_ref();
        let again = failed.and_then(|failed| self.again(job, failed, stopping, wished));
        if let Some(why) = again {
            self.catalog
                .requeue(&job.id, job.token, why.until, Some(&why))
                .await?;
            return Ok(self.catalog.run(&job.run).await?);
        }
        let mut run = self.catalog.run(&job.run).await?;
        let (state, job_state) = ended(&outcome);
        run.state = state;
        if state == RunState::Failed {
            run.error = failed.map(|failed| failed.message.clone());
        }
        run.finished = Some(self.now());
        run.snapshot = outcome.snapshot;
        run.counts = outcome.counts;
        run.result = outcome.result;
        let issues = &outcome.issues;
        let ended = self
            .catalog
            .end_run(&job.id, job.token, job_state, &run, issues);
        ended.await?;
        // Others may sign in as somebody else, or not at all: only backups tell how the connector stands.
        if run.kind == RunKind::Backup {
            let ended = outcome.failed.map(|failed| (failed.class, failed.message));
            self.note_backup(&run.connector, ended).await?;
        }
        run.waiting = None;
        Ok(run)
    }

    /// What the next attempt waits for, where there is to be one.
    fn again(&self, job: &Job, failed: &Failed, stopping: bool, wished: bool) -> Option<Waiting> {
        if wished {
            return None;
        }
        if failed.canceled && stopping {
            return Some(Waiting {
                code: "worker-stopped".to_owned(),
                message: "its worker was stopped; another one goes on".to_owned(),
                until: None,
            });
        }
        (failed.passing && job.attempt < ATTEMPTS).then(|| Waiting {
            code: "retry-later".to_owned(),
            message: format!("attempt {} failed: {}", job.attempt, failed.message),
            until: self.now().checked_add(pause(job.attempt)).ok(),
        })
    }
}

/// How a run and its job end that nobody tries again.
fn ended(outcome: &Outcome) -> (RunState, JobState) {
    match &outcome.failed {
        None if outcome.issues.is_empty() => (RunState::Succeeded, JobState::Succeeded),
        None => (RunState::SucceededWithIssues, JobState::Succeeded),
        Some(failed) if failed.canceled => (RunState::Canceled, JobState::Canceled),
        Some(_) => (RunState::Failed, JobState::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_retention_dropped_is_added_to_whatever_came_before() {
        let gone = || Retained {
            forgotten: vec![json!({ "id": "aa" })],
            issue: None,
        };
        let told = json!([{ "id": "aa" }]);
        for (before, after) in [
            (None, json!({ "forgotten": told })),
            (
                Some(json!({ "full": true })),
                json!({ "full": true, "forgotten": told }),
            ),
            // Nobody knows what a worker elsewhere reports.
            (Some(json!("done")), json!({ "forgotten": told })),
        ] {
            let mut outcome = Outcome {
                result: before,
                ..Outcome::default()
            };
            outcome.retained(gone());
            assert_eq!(outcome.result, Some(after));
        }
        let mut quiet = Outcome::default();
        quiet.retained(Retained::default());
        assert_eq!(quiet, Outcome::default());
    }
}
