//! Forgetting snapshots by rule, and what has to be asked before anything is removed for good.

use std::collections::BTreeSet;

use engine::retention::{self, ForgetPlan, ForgetRequest};
use repository::{LockGuard, Repository, SnapshotId};
use service::Service;

use crate::{Control, Result};

impl Control {
    /// Forgets the snapshots of a service that no rule keeps, in the repository and then in the catalog. Frees no space.
    pub async fn forget(
        &self,
        repository: &Repository,
        service: &'static Service,
        request: &ForgetRequest,
    ) -> Result<ForgetPlan> {
        let lock = self.lock_to_forget(repository).await?;
        let plan = retention::forget(repository, service, request, self.now()).await;
        let dropped = if request.dry_run {
            Ok(0)
        } else {
            self.drop_forgotten(repository).await
        };
        release(lock).await?;
        let plan = plan?;
        dropped?;
        Ok(plan)
    }

    /// Forgets these snapshots, in the repository and then in the catalog. When that fails in the middle, the catalog says what is left.
    pub async fn forget_these(&self, repository: &Repository, ids: &[SnapshotId]) -> Result<()> {
        let lock = self.lock_to_forget(repository).await?;
        let forgotten = repository.forget(ids).await;
        let dropped = self.drop_forgotten(repository).await;
        release(lock).await?;
        forgotten?;
        dropped?;
        Ok(())
    }

    /// None where the storage is full: forgetting is how room is made there. It takes no data from whoever is at work, and who excludes us has
    /// been waited for before a lock is written.
    async fn lock_to_forget(&self, repository: &Repository) -> Result<Option<LockGuard>> {
        match repository.lock_shared(&self.holder()).await {
            Ok(lock) => Ok(Some(lock)),
            Err(repository::Error::StorageFull(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Fails with `suspicious-drop` while the newest snapshot of a source has far fewer items than one before: ask before a prune, under a
    /// lock. `accepted` names the organizations whose drop a person has confirmed.
    pub async fn refuse_suspicious(
        &self,
        repository: &Repository,
        accepted: &BTreeSet<String>,
    ) -> Result<()> {
        let mut all = Vec::new();
        for service in self.services {
            all.extend(retention::suspicions(repository, service).await?);
        }
        Ok(retention::refuse(&all, accepted)?)
    }
}

async fn release(lock: Option<LockGuard>) -> Result<()> {
    match lock {
        Some(lock) => Ok(lock.release().await?),
        None => Ok(()),
    }
}
