//! Words of snapshots: made searchable beside the work, so that no backup waits for it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Control;

/// What another process has listed is found so soon.
const LOOK: Duration = Duration::from_mins(1);

impl Control {
    /// Makes what snapshots bring searchable, at once for those of this process, until it is canceled. What a killed process left comes first.
    pub async fn run_indexer(&self, cancel: &CancellationToken) {
        while !cancel.is_cancelled() {
            let round = async {
                if let Err(error) = self.catalog.index_texts().await {
                    tracing::warn!(%error, "words of snapshots are not searchable yet");
                }
                tokio::select! {
                    () = self.catalog.texts_came() => {}
                    () = tokio::time::sleep(LOOK) => {}
                }
            };
            tokio::select! {
                () = round => {}
                () = cancel.cancelled() => {}
            }
        }
    }
}
