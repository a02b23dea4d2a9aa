//! The engine's `Coordinator`, in process, on the catalog.

use std::sync::Arc;

use async_trait::async_trait;
use catalog::{Catalog, Change, IndexChange, ItemState, SnapshotRow, SourceKey};
use engine::coordinator::{
    Beat, Coordinator, IndexRow, Pace, RowChange, RowState, Rows, SnapshotInfo,
};
use model::{Clock, Resumed};
use repository::Repository;
use service::Service;
use tokio_util::sync::CancellationToken;

use crate::jobs::{LEASE, is_lost};
use crate::sync::list_missing;
use crate::{Error, Result};

/// What one leased job of a backup sees of the catalog.
pub struct CatalogCoordinator {
    pub catalog: Catalog,
    pub clock: Arc<dyn Clock>,
    pub job: String,
    /// The lease's token.
    pub token: i64,
    /// The id of the repository that the snapshot goes to.
    pub repository: String,
    /// The repository itself, where this process reaches it: what the catalog lacks of its source is read from there.
    pub reached: Option<(Repository, &'static Service)>,
    /// Asks for the end in process.
    pub cancel: CancellationToken,
    /// The job's run.
    pub run: String,
    pub pace: Pace,
}

pub(crate) fn failed(error: catalog::Error) -> engine::Error {
    match error {
        catalog::Error::Canceled { .. } => engine::Error::Canceled,
        other => engine::Error::Control {
            code: other.code().unwrap_or("catalog-failed"),
            message: other.to_string(),
        },
    }
}

#[async_trait]
impl Coordinator for CatalogCoordinator {
    fn pace(&self) -> Option<Pace> {
        Some(self.pace)
    }

    async fn left(&self) -> engine::Result<Option<String>> {
        self.catalog
            .take_checkpoint(&self.job, self.token)
            .await
            .map_err(failed)
    }

    async fn resumed(&self, from: &Resumed) -> engine::Result<()> {
        self.catalog
            .set_resumed(&self.run, from)
            .await
            .map_err(failed)
    }

    async fn checkpoint(&self, text: Option<&str>) -> engine::Result<()> {
        match self.catalog.checkpoint(&self.job, self.token, text).await {
            // Worth less than the work that goes on: the next one may be kept.
            Err(error) if !is_lost(&error) => {
                tracing::warn!(run = self.run, %error, "a checkpoint was not kept");
                Ok(())
            }
            kept => kept.map_err(failed),
        }
    }

    async fn beat(&self) -> engine::Result<Beat> {
        let now = self.clock.now();
        let beaten = self
            .catalog
            .heartbeat(&self.job, self.token, now, LEASE)
            .await;
        let asked = match beaten {
            Ok(beat) => beat.cancel_requested,
            Err(error) if is_lost(&error) => return Err(failed(error)),
            // While the catalog is away nobody can take the job, and without a permit nothing is committed.
            Err(error) => {
                tracing::warn!(run = self.run, %error, "the lease was not extended");
                false
            }
        };
        Ok(Beat {
            cancel: asked || self.cancel.is_cancelled(),
        })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        if self.cancel.is_cancelled() {
            return Err(engine::Error::Canceled);
        }
        // A long last step may have outlived the lease while nobody else wanted the job.
        self.catalog
            .heartbeat(&self.job, self.token, self.clock.now(), LEASE)
            .await
            .map_err(failed)?;
        self.catalog
            .permit_commit(&self.job, self.token, self.clock.now())
            .await
            .map_err(failed)
    }

    async fn index(&self, snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        let listed = add_snapshot(&self.catalog, &self.repository, snapshot, rows).await;
        let listed = match (listed, &self.reached) {
            // A kill came between the parent and its rows. The repository has both, and this snapshot too.
            (
                Err(Error::Catalog(catalog::Error::SnapshotUnknown { id })),
                Some((from, service)),
            ) => {
                let source = snapshot.source.id();
                tracing::warn!(
                    snapshot = id,
                    source = source.address,
                    "the catalog lacks a snapshot: its source is listed anew"
                );
                list_missing(&self.catalog, from, service, &source).await
            }
            (listed, _) => listed,
        };
        match listed {
            Ok(()) => Ok(()),
            Err(Error::Engine(error)) => Err(error),
            Err(Error::Catalog(error)) => Err(failed(error)),
            Err(other) => Err(engine::Error::Control {
                code: "catalog-failed",
                message: other.to_string(),
            }),
        }
    }
}

/// Lists a snapshot with its rows, all or nothing; one that is listed already stays as it is. Its words can be found when somebody has
/// indexed them: [`Control::run_indexer`](crate::Control::run_indexer).
pub(crate) async fn add_snapshot(
    catalog: &Catalog,
    repository: &str,
    info: &SnapshotInfo,
    rows: &mut dyn Rows,
) -> Result<()> {
    let source = &info.source;
    let text = serde_json::to_string(source).map_err(|error| Error::Request {
        code: "repository-damaged",
        message: format!("the snapshot's description cannot be written: {error}"),
    })?;
    let row = SnapshotRow {
        source: SourceKey {
            repository: repository.to_owned(),
            id: source.id(),
        },
        name: source.source.clone(),
        id: info.id.to_string(),
        time: info.time,
        run: source.run.clone(),
        tree: info.tree.to_string(),
        parent: info.parent.map(|parent| parent.to_string()),
        counts: source.counts.clone(),
        source_file: text,
    };
    let mut writer = catalog.begin_snapshot(&row).await?;
    while let Some(row) = rows.next().await? {
        writer.push(change(row)).await?;
    }
    writer.commit().await?;
    Ok(())
}

fn change(row: IndexRow) -> IndexChange {
    IndexChange {
        item: row.item,
        name: row.name,
        path: row.path,
        digest: row.digest,
        size: row.size,
        modified: row.modified,
        state: match row.state {
            RowState::Live => ItemState::Live,
            RowState::Binned => ItemState::Binned,
        },
        change: match row.change {
            RowChange::Added => Change::Added,
            RowChange::Changed => Change::Changed,
            RowChange::Removed => Change::Removed,
        },
        text: row.text,
        project: row.project,
    }
}
