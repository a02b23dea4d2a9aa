//! Reading a repository's index into the catalog as a run.

use std::sync::Arc;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::settle::Outcome;
use super::super::watch::Tap;
use crate::{Control, Result};

impl Control {
    /// What was listed until a cancel stays listed, and the next sync goes on from there.
    pub(super) async fn make_sync(
        &self,
        repository: &str,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let row = self.catalog.repository(repository).await?;
        let repository = self.read_repository(&row).await?;
        let synced = tokio::select! {
            synced = self.sync_and_tell(&repository, tap.as_ref()) => synced,
            () = cancel.cancelled() => Err(engine::Error::Canceled.into()),
        };
        repository.close().await;
        let synced = synced?;
        Ok(Outcome {
            result: Some(json!({ "added": synced.added, "removed": synced.removed })),
            ..Outcome::default()
        })
    }
}
