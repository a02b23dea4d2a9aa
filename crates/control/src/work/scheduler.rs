//! Schedules: makes runs of the times that have come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{PolicyRow, QueuedRun};
use jiff::Timestamp;
use model::policy::{Due, Missed, Reached, Schedule, covering};
use model::{Policy, Reason, Run, RunKind, RunState};
use tokio_util::sync::CancellationToken;

use super::ask::BackupWish;
use super::watch::RunObserver;
use crate::{Control, Error, Result};

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// How far one scheduler has come with each schedule, for as long as it runs: what it remembers where another server's clock is behind.
#[derive(Debug, Default)]
pub struct Remembered {
    reached: BTreeMap<String, Reached>,
    warned: bool,
}

impl Remembered {
    /// What is due of a schedule; `what` names its row.
    pub(crate) fn due(
        &mut self,
        what: &str,
        (schedule, name): (&Schedule, &str),
        handled: Timestamp,
        now: Timestamp,
    ) -> Due {
        let reached = self.reached.get(what).copied().unwrap_or_default();
        if !self.warned && reached.beyond(handled, now).is_some() {
            self.warned = true;
            tracing::warn!(
                schedule = what,
                "another server set a schedule back: the clocks of two servers on this catalog differ"
            );
        }
        reached.due(schedule, name, handled, now)
    }

    /// It is written that times up to `handled` are dealt with.
    pub(crate) fn wrote(&mut self, what: String, handled: Timestamp) {
        self.reached.insert(what, Reached::at(handled));
    }
}

impl Control {
    /// Fires policies, maintenance and syncs when their time has come, until `cancel`. Several schedulers on one catalog fire each time once.
    pub async fn run_scheduler(&self, observer: &Arc<dyn RunObserver>, cancel: &CancellationToken) {
        let mut remembered = Remembered::default();
        while !cancel.is_cancelled() {
            if let Err(error) = self.schedule(observer, &mut remembered).await {
                tracing::warn!(%error, "policies cannot be looked at");
            }
            let round = async {
                if let Err(error) = self.find_new_due(&mut remembered).await {
                    tracing::warn!(%error, "syncs cannot be looked at");
                }
                tokio::time::sleep(LOOK).await;
            };
            tokio::select! {
                () = round => {}
                () = cancel.cancelled() => {}
            }
        }
    }

    /// One look at the clock: the runs that were made.
    pub async fn schedule(
        &self,
        observer: &Arc<dyn RunObserver>,
        remembered: &mut Remembered,
    ) -> Result<Vec<Run>> {
        let now = self.now();
        let rows = self.catalog.policies().await?;
        let policies: Vec<Policy> = rows.iter().map(|row| row.policy.clone()).collect();
        let mut made = Vec::new();
        for row in rows.iter().filter(|row| row.policy.enabled) {
            let what = format!("policy {}", row.policy.name.to_lowercase());
            if row.handled == Timestamp::UNIX_EPOCH {
                if self.catalog.fire_policy(row, now, &[]).await? {
                    remembered.wrote(what, now);
                }
                continue;
            }
            let schedule = (&row.policy.schedule, row.policy.name.as_str());
            let asked = remembered.due(&what, schedule, row.handled, now);
            let Some(handled) = asked.handled else {
                continue;
            };
            let (runs, refused) = self.runs_for(row, &policies, &asked).await?;
            if !self.catalog.fire_policy(row, handled, &runs).await? {
                continue;
            }
            remembered.wrote(what, handled);
            made.extend(runs.into_iter().map(|queued| queued.run));
            for run in refused {
                self.catalog.create_run(&run).await?;
                made.push(run);
            }
        }
        made.extend(self.schedule_maintenance(remembered).await?);
        for run in &made {
            observer.changed(run);
        }
        Ok(made)
    }

    /// The runs that a policy's times ask for, and those that cannot be made, which have failed before they began.
    async fn runs_for(
        &self,
        row: &PolicyRow,
        policies: &[Policy],
        asked: &Due,
    ) -> Result<(Vec<QueuedRun>, Vec<Run>)> {
        let policy = &row.policy;
        let each = policy.schedule.missed == Missed::CatchUp;
        let times = if each {
            asked.fire.len()
        } else {
            asked.fire.len().min(1)
        };
        let (mut runs, mut refused) = (Vec::new(), Vec::new());
        for connector in self.catalog.connectors().await? {
            let fits = covering(policies, &connector.name)
                .iter()
                .any(|one| one.name == policy.name);
            if !fits || times == 0 {
                continue;
            }
            // One that waits already will do the same.
            if !each
                && self
                    .catalog
                    .is_queued(&policy.name, &connector.name)
                    .await?
            {
                continue;
            }
            let wish = BackupWish {
                connector: connector.name.clone(),
                policy: Some(policy.name.clone()),
                reason: if asked.missed {
                    Reason::Missed
                } else {
                    Reason::Schedule
                },
                ..BackupWish::default()
            };
            for _ in 0..times {
                match self.prepare(&wish).await {
                    Ok(queued) => runs.push(queued),
                    Err(error @ (Error::Request { .. } | Error::Catalog(_)))
                        if error.code().is_some() =>
                    {
                        refused.push(self.refused_run(&wish, &error));
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok((runs, refused))
    }

    fn refused_run(&self, wish: &BackupWish, error: &Error) -> Run {
        let run = self.new_run(RunKind::Backup, (&wish.connector, ""), wish.reason);
        Run {
            state: RunState::Failed,
            finished: Some(run.created),
            error: Some(error.to_string()),
            policy: wish.policy.clone(),
            ..run
        }
    }
}
