//! The prune of a repository as a run.

use std::sync::Arc;
use std::time::Duration;

use repository::PruneOptions;
use tokio_util::sync::CancellationToken;

use super::super::settle::Outcome;
use super::super::watch::Tap;
use crate::maintenance::PruneJob;
use crate::{Control, Error, PruneRequest, Result};

/// Before anything is removed, running backups may go on for so long.
const PATIENCE: Duration = Duration::from_hours(1);

impl Control {
    pub(super) async fn make_prune(
        &self,
        order: &PruneJob,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let row = self.catalog.repository(&order.repository).await?;
        let repository = self.open_repository(&row).await?;
        let request = PruneRequest {
            options: PruneOptions::default(),
            accept_drop: order.accept_drop.clone(),
            dry_run: order.dry_run,
            patience: PATIENCE,
        };
        let pruned = tokio::select! {
            pruned = self.prune(&repository, &request, tap.as_ref()) => pruned,
            // The next one goes on: nothing that is needed goes before what takes its place is there.
            () = cancel.cancelled() => Err(engine::Error::Canceled.into()),
        };
        repository.close().await;
        let result = serde_json::to_value(pruned?).map_err(|error| Error::Request {
            code: "server-error",
            message: format!("what a prune did cannot be written: {error}"),
        })?;
        Ok(Outcome {
            result: Some(result),
            ..Outcome::default()
        })
    }
}
