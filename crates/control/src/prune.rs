//! Pruning: the repository knows what snapshots need, the catalog knows what unfinished jobs need.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::backup::Checkpoint;
use jiff::{SignedDuration, Timestamp};
use model::Reporter;
use repository::{PruneOptions, PruneReport, Repository};

use crate::maintenance::is_maintenance;
use crate::{Control, Result};

/// A checkpoint that nobody went on from for so long does not hold up prunes any more; its run then begins anew.
const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a person asked of a prune.
#[derive(Clone, Debug)]
pub struct PruneRequest {
    pub options: PruneOptions,
    /// Organizations whose newest snapshot may have far fewer items than one before.
    pub accept_drop: BTreeSet<String>,
    /// Only tells what would be done.
    pub dry_run: bool,
    /// How long to wait for running jobs before anything is removed.
    pub patience: Duration,
}

impl Control {
    /// Frees the space of what no snapshot reaches. What jobs that have not ended left behind stays, whatever the grace period.
    pub async fn prune(
        &self,
        repository: &Repository,
        request: &PruneRequest,
        reporter: &dyn Reporter,
    ) -> Result<PruneReport> {
        let holder = self.holder().with_patience(request.patience);
        let lock = repository.lock_to_read(&holder, reporter).await?;
        let asked = self
            .refuse_suspicious(repository, &request.accept_drop)
            .await;
        lock.release().await?;
        asked?;
        let mut options = request.options.clone();
        if let Some(oldest) = self.oldest_work(repository).await? {
            options.grace = options.grace.max(self.now().duration_since(oldest));
        }
        let plan = repository.plan_prune(&holder, &options, reporter).await?;
        if request.dry_run {
            let report = *plan.report();
            plan.release().await?;
            return Ok(report);
        }
        let report = plan.apply(&holder, reporter).await?;
        let id = repository.id().to_string();
        self.catalog.note_pruned(&id, self.now()).await?;
        self.measure(repository).await?;
        Ok(report)
    }

    /// When the oldest of the jobs began that are at work, or have left a checkpoint to go on from.
    async fn oldest_work(&self, repository: &Repository) -> Result<Option<Timestamp>> {
        let own = repository.id().to_string();
        let open = self.catalog.open_jobs().await?;
        let of_us = |key: &str| !is_maintenance(key) && key.split('/').any(|part| part == own);
        let running = open
            .iter()
            .filter(|job| job.concurrency_key.as_deref().is_some_and(of_us))
            .map(|job| job.created);
        let checkpoints = self.catalog.checkpoints().await?;
        let left = checkpoints
            .iter()
            .filter(|(key, _)| of_us(key))
            .filter_map(|(_, text)| Checkpoint::read(text))
            .filter(|checkpoint| self.now().duration_since(checkpoint.at) < WAITS)
            .map(|checkpoint| checkpoint.started);
        Ok(running.chain(left).min())
    }
}
