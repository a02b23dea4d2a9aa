//! Checks, prunes and verifications as runs: who asks for one, and what is done by itself.

mod check;
mod fire;
mod job;

use catalog::{KnownSnapshot, MaintenanceRow, NewJob, Placement, QueuedRun, RepositoryRow};
use model::{Maintenance, Reason, Run, RunKind, SourceId, Task};

pub(crate) use check::problems;
pub(crate) use job::is_maintenance;
pub use job::{CheckJob, PruneJob, VerifyJob, Wanted};

use crate::work::{HERE, Order};
use crate::{Control, Error, Result};

impl Control {
    /// Queues a check that reads so much of the packs: another part each day.
    pub async fn request_check(
        &self,
        repository: &str,
        read_percent: u8,
        reason: Reason,
    ) -> Result<Run> {
        let row = self.catalog.repository(repository).await?;
        let day = self.now().as_second() / (24 * 60 * 60);
        let begins = day.wrapping_mul(i64::from(read_percent)).rem_euclid(100);
        let order = Order::Check(CheckJob {
            repository: row.name.clone(),
            read_percent,
            position: u8::try_from(begins).unwrap_or(0),
        });
        self.queue(Task::Check, &row, "", reason, &order).await
    }

    /// Queues a prune, or one that only tells what it would do.
    pub async fn request_prune(
        &self,
        repository: &str,
        mut wish: PruneJob,
        reason: Reason,
    ) -> Result<Run> {
        let row = self.catalog.repository(repository).await?;
        wish.repository.clone_from(&row.name);
        self.queue(Task::Prune, &row, "", reason, &Order::Prune(wish))
            .await
    }

    /// Queues the verification of a snapshot, which `by` asks for.
    pub async fn request_verify(
        &self,
        snapshot: &KnownSnapshot,
        by: &str,
        reason: Reason,
    ) -> Result<Run> {
        let id = &snapshot.source.repository;
        let known = self.catalog.repositories().await?;
        let row = known.into_iter().find(|row| row.id == *id);
        let row = row.ok_or_else(|| catalog::Error::RepositoryUnknown { name: id.clone() })?;
        let order = Order::Verify(VerifyJob {
            repository: row.name.clone(),
            wanted: Wanted::Snapshot(snapshot.id.clone()),
            by: by.to_owned(),
        });
        let connector = self.named_for(&snapshot.source.id).await?;
        self.queue(Task::Verify, &row, &connector, reason, &order)
            .await
    }

    /// Queues what [`Control::sync`] does.
    pub async fn request_sync(&self, repository: &str, reason: Reason) -> Result<Run> {
        let row = self.catalog.repository(repository).await?;
        let order = Order::Sync(row.name.clone());
        let queued = self.maintenance_run(RunKind::Sync, &row, "", reason, &order)?;
        self.catalog.queue_run(&queued).await?;
        Ok(queued.run)
    }

    /// Replaces what is done for a repository by itself, if it is still at `version`; what is not named is switched off.
    pub async fn set_maintenance(
        &self,
        repository: &str,
        tasks: &[Maintenance],
        version: Option<i64>,
    ) -> Result<()> {
        let wrong = tasks.iter().find_map(|one| one.faults().into_iter().next());
        if let Some(fault) = wrong {
            return Err(Error::Request {
                code: "request-refused",
                message: format!("{}: {}", fault.pointer, fault.message),
            });
        }
        let row = self.catalog.repository(repository).await?;
        self.catalog
            .set_maintenance(&row.name, tasks, version, self.now())
            .await?;
        Ok(())
    }

    /// What is done for a repository by itself.
    pub async fn maintenance(&self, repository: &str) -> Result<Vec<MaintenanceRow>> {
        let row = self.catalog.repository(repository).await?;
        Ok(self.catalog.maintenance(&row.name).await?)
    }

    async fn queue(
        &self,
        task: Task,
        row: &RepositoryRow,
        connector: &str,
        reason: Reason,
        order: &Order,
    ) -> Result<Run> {
        let queued = self.maintenance_run(task.run_kind(), row, connector, reason, order)?;
        self.catalog.queue_run(&queued).await?;
        Ok(queued.run)
    }

    /// A run with its job. Of one repository, one is at work at a time: each would hold the other up.
    fn maintenance_run(
        &self,
        kind: RunKind,
        row: &RepositoryRow,
        connector: &str,
        reason: Reason,
        order: &Order,
    ) -> Result<QueuedRun> {
        let run = self.new_run(kind, (connector, &row.name), reason);
        Ok(QueuedRun {
            job: NewJob {
                id: self.new_id(),
                payload: order.text()?,
                concurrency_key: Some(job::key(&row.id)),
                created: run.created,
            },
            run,
            placement: Placement {
                // No connector has a blank in its name: these wait for each other, and for no backup.
                connector: format!("repository {}", row.name),
                storage: Some(HERE.to_owned()),
                ..Placement::default()
            },
        })
    }

    /// The name of the connector that a source belongs to; empty where it was removed.
    async fn named_for(&self, source: &SourceId) -> Result<String> {
        let found = self.connector_of(source).await?;
        Ok(found.map_or_else(String::new, |connector| connector.name))
    }
}
