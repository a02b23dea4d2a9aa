//! What is to be said about repositories and costs a walk through their storage: looked for once for all who ask.

use std::sync::Arc;
use std::time::Duration;

use catalog::RepositoryRow;
use control::{RepositoryState, RetentionPreview};
use jiff::Timestamp;
use model::{Policy, Silent};
use repository::Stats;
use sha2::{Digest as _, Sha256};

use crate::kept::{Kept, Patience};
use crate::{Problem, Server};

const SIZE: Patience = Patience {
    wait: Duration::from_secs(5),
    fresh: Duration::from_mins(15),
};
const STATE: Patience = Patience {
    // It gives up by itself before that.
    wait: Duration::from_mins(1),
    fresh: Duration::from_secs(10),
};
const STATS: Patience = Patience {
    wait: Duration::from_mins(1),
    fresh: Duration::from_secs(30),
};
const PREVIEW: Patience = Patience {
    wait: Duration::from_mins(5),
    fresh: Duration::from_secs(10),
};

/// A repository, counted.
pub(crate) struct Counted {
    pub at: Timestamp,
    pub stats: Stats,
}

/// What was found last.
pub(crate) struct Looks {
    sizes: Kept<u64>,
    states: Kept<Arc<RepositoryState>>,
    stats: Kept<Arc<Counted>>,
    previews: Kept<Arc<Vec<RetentionPreview>>>,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            sizes: Kept::new(8),
            states: Kept::new(8),
            stats: Kept::new(1),
            previews: Kept::new(2),
        }
    }
}

/// The same place, reached in the same way.
fn key(row: &RepositoryRow) -> String {
    let credential = row.storage_credential.as_deref().unwrap_or_default();
    format!("{}\n{}\n{credential}", row.id, row.location)
}

impl Server {
    /// The bytes of all files: as they were counted in the last quarter of an hour, or else as they were measured some time; unknown where
    /// neither came to an end yet.
    pub(crate) async fn repository_size(&self, row: &RepositoryRow) -> Option<u64> {
        let (control, of) = (self.control.clone(), row.clone());
        let look = async move { Ok(control.repository_size(&of).await?) };
        match self.looks.sizes.get(key(row), SIZE, look).await {
            Ok(Some(bytes)) => Some(bytes),
            Ok(None) => row.bytes,
            Err(problem) => {
                tracing::debug!(
                    repository = row.name,
                    code = problem.code(),
                    "it was not measured"
                );
                row.bytes
            }
        }
    }

    /// Whether the storage answers.
    pub(crate) async fn repository_state(
        &self,
        row: &RepositoryRow,
    ) -> Result<Arc<RepositoryState>, Problem> {
        let (control, of) = (self.control.clone(), row.clone());
        let look = async move { Ok(Arc::new(control.repository_state(&of).await)) };
        let found = self.looks.states.get(key(row), STATE, look).await?;
        found.ok_or_else(|| Problem::unavailable("storage-failed", "the storage does not answer"))
    }

    /// How large it is and what makes it so; a large one is counted for longer than a request may take, and what was counted before stands meanwhile.
    pub(crate) async fn repository_stats(
        &self,
        row: &RepositoryRow,
    ) -> Result<Arc<Counted>, Problem> {
        let (control, name) = (self.control.clone(), row.name.clone());
        let look = async move {
            let stats = control.repository_stats(&name, &Silent).await?;
            let at = control.clock.now();
            Ok(Arc::new(Counted { at, stats }))
        };
        let found = self.looks.stats.get(key(row), STATS, look).await?;
        found.ok_or_else(|| {
            let detail = format!("repository {} is being counted", row.name);
            Problem::unavailable("repository-counting", detail).after(30)
        })
    }

    /// What a policy would forget now.
    pub(crate) async fn retention_preview(
        &self,
        policy: Policy,
    ) -> Result<Arc<Vec<RetentionPreview>>, Problem> {
        let text = serde_json::to_vec(&policy)
            .map_err(|error| Problem::refused("policy-refused", error.to_string()))?;
        let (control, key) = (self.control.clone(), hex::encode(Sha256::digest(text)));
        let look = async move { Ok(Arc::new(control.preview_retention(&policy).await?)) };
        let found = self.looks.previews.get(key, PREVIEW, look).await?;
        found.ok_or_else(|| {
            Problem::unavailable("repository-counting", "the snapshots are being read").after(30)
        })
    }
}
