//! Verification of a snapshot under a lock, remembered in the catalog.

use catalog::Verification;
use engine::verify::{VerifyContext, VerifyReport, verify};
use model::Reporter;
use repository::{Repository, Snapshot, SnapshotId};
use service::Service;
use tokio_util::sync::CancellationToken;

use crate::{Control, Error, Result};

impl Control {
    /// Reads a snapshot back and looks for what is missing or wrong; asks no service. Damage is in the report; the snapshot is marked
    /// as verified by `by`.
    pub async fn verify(
        &self,
        repository: &Repository,
        snapshot: SnapshotId,
        by: &str,
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<VerifyReport> {
        let lock = repository.lock_to_read(&self.holder(), reporter).await?;
        let verified = self
            .verify_locked(repository, snapshot, reporter, cancel)
            .await;
        lock.release().await?;
        let report = verified?;
        let made = Verification {
            time: self.now(),
            damage: report.damage,
            doubts: report.doubts,
            differences: None,
            by: by.to_owned(),
        };
        self.catalog
            .set_verification(&snapshot.to_string(), &made)
            .await?;
        Ok(report)
    }

    async fn verify_locked(
        &self,
        repository: &Repository,
        snapshot: SnapshotId,
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<VerifyReport> {
        let service = service_of(self.services, &repository.snapshot(snapshot).await?)?;
        let cx = VerifyContext {
            repository,
            service,
            reporter,
            cancel,
            work: &self.work,
        };
        Ok(verify(&cx, snapshot).await?)
    }
}

/// The service that a snapshot is of, by its tags.
pub fn service_of(services: &[&'static Service], snapshot: &Snapshot) -> Result<&'static Service> {
    let name = snapshot
        .tags
        .iter()
        .find_map(|tag| tag.strip_prefix("service="));
    let name = name.ok_or_else(|| Error::Request {
        code: "snapshot-foreign",
        message: "the snapshot was made by another program: it has no tag that names a service"
            .to_owned(),
    })?;
    services
        .iter()
        .copied()
        .find(|service| service.name == name)
        .ok_or_else(|| Error::Request {
            code: "service-unknown",
            message: format!("this program does not know the service `{name}`"),
        })
}
