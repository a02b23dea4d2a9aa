//! Forgetting snapshots by rule.

use engine::retention::{Decision, Keep};
use jiff::tz::TimeZone;
use repository::Repository;
use service::Service;

use crate::{Control, Result};

impl Control {
    /// Forgets the snapshots of a service that no rule keeps, in the repository and then in the catalog. `zone` says where a day begins;
    /// `dry_run` only tells. Frees no space.
    pub async fn forget(
        &self,
        repository: &Repository,
        service: &'static Service,
        keep: &Keep,
        zone: &TimeZone,
        dry_run: bool,
    ) -> Result<Vec<Decision>> {
        let lock = repository.lock_shared(&self.holder()).await?;
        let decided = engine::retention::forget(repository, service, keep, zone, dry_run).await;
        lock.release().await?;
        let decided = decided?;
        if !dry_run {
            self.sync(repository).await?;
        }
        Ok(decided)
    }
}
