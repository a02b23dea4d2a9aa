//! Makes runs of the times of maintenance that have come.

use std::collections::BTreeSet;

use catalog::{MaintenanceRow, QueuedRun, RepositoryRow};
use jiff::Timestamp;
use model::{Reason, Run, RunKind, Task};

use super::job::{CheckJob, PruneJob, VerifyJob, Wanted};
use crate::work::{Order, Remembered};
use crate::{Control, Result};

/// Who asks for it, as marks on snapshots name it.
const SCHEDULE: &str = "schedule";

impl Control {
    /// One look at the clock: the runs that were made.
    pub(crate) async fn schedule_maintenance(
        &self,
        remembered: &mut Remembered,
    ) -> Result<Vec<Run>> {
        let (now, mut made) = (self.now(), Vec::new());
        for row in self.catalog.all_maintenance().await? {
            let one = &row.maintenance;
            let what = one.label(&row.repository);
            if row.handled == Timestamp::UNIX_EPOCH {
                let first = self.catalog.fire_maintenance(&row, now, row.position, &[]);
                if first.await? {
                    remembered.wrote(what, now);
                }
                continue;
            }
            let asked = remembered.due(&what, (&one.schedule, &what), row.handled, now);
            let Some(handled) = asked.handled else {
                continue;
            };
            let waits = self
                .catalog
                .is_waiting(one.task.run_kind(), &row.repository)
                .await?;
            // A second one after the first would find nothing else: missed times are never made up for one by one.
            let runs = if asked.fire.is_empty() || waits {
                Vec::new()
            } else {
                let reason = if asked.missed {
                    Reason::Missed
                } else {
                    Reason::Schedule
                };
                self.maintenance_runs(&row, reason).await?
            };
            let position = next_position(&row, !runs.is_empty());
            if self
                .catalog
                .fire_maintenance(&row, handled, position, &runs)
                .await?
            {
                remembered.wrote(what, handled);
                made.extend(runs.into_iter().map(|queued| queued.run));
            }
        }
        Ok(made)
    }

    async fn maintenance_runs(
        &self,
        row: &MaintenanceRow,
        reason: Reason,
    ) -> Result<Vec<QueuedRun>> {
        let repository = self.catalog.repository(&row.repository).await?;
        let name = repository.name.clone();
        let task = row.maintenance.task;
        let order = match task {
            Task::Check => Order::Check(CheckJob {
                repository: name,
                read_percent: row.maintenance.read_percent,
                position: row.position,
            }),
            Task::Prune => Order::Prune(PruneJob {
                repository: name,
                dry_run: false,
                accept_drop: BTreeSet::new(),
            }),
            Task::Verify => return self.verify_runs(&repository, reason).await,
        };
        Ok(vec![self.maintenance_run(
            task.run_kind(),
            &repository,
            "",
            reason,
            &order,
        )?])
    }

    /// One for each source that has a snapshot.
    async fn verify_runs(
        &self,
        repository: &RepositoryRow,
        reason: Reason,
    ) -> Result<Vec<QueuedRun>> {
        let mut runs = Vec::new();
        for source in self.catalog.sources().await? {
            let source = source.key;
            if source.repository != repository.id
                || self.catalog.latest_snapshot(&source, None).await?.is_none()
            {
                continue;
            }
            let connector = self.named_for(&source.id).await?;
            let order = Order::Verify(VerifyJob {
                repository: repository.name.clone(),
                wanted: Wanted::Newest(source.id),
                by: SCHEDULE.to_owned(),
            });
            runs.push(self.maintenance_run(
                RunKind::Verify,
                repository,
                &connector,
                reason,
                &order,
            )?);
        }
        Ok(runs)
    }
}

/// The next check begins where this one ends.
fn next_position(row: &MaintenanceRow, fired: bool) -> u8 {
    let read = if fired {
        row.maintenance.read_percent
    } else {
        0
    };
    u8::try_from((u16::from(row.position) + u16::from(read)) % 100).unwrap_or(0)
}
