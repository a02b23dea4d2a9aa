//! The engine's `Coordinator`, in process, on the catalog.

use std::sync::Arc;

use async_trait::async_trait;
use catalog::{Catalog, Change, IndexChange, ItemState, SnapshotRow, SourceKey};
use engine::coordinator::{
    Beat, Coordinator, IndexRow, Pace, RowChange, RowState, Rows, SnapshotInfo,
};
use model::{Clock, Resumed};
use tokio_util::sync::CancellationToken;

use crate::jobs::LEASE;
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
        self.catalog
            .checkpoint(&self.job, self.token, text)
            .await
            .map_err(failed)
    }

    async fn beat(&self) -> engine::Result<Beat> {
        let beat = self
            .catalog
            .heartbeat(&self.job, self.token, self.clock.now(), LEASE)
            .await
            .map_err(failed)?;
        Ok(Beat {
            cancel: beat.cancel_requested || self.cancel.is_cancelled(),
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
        match add_snapshot(&self.catalog, &self.repository, snapshot, rows).await {
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

/// Lists a snapshot with its rows, all or nothing; one that is listed already stays as it is.
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
            service: source.service.clone(),
            name: source.source.clone(),
        },
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
    // The snapshot is listed; if this fails, the next one makes up for it.
    if let Err(error) = catalog.index_texts().await {
        tracing::warn!(%error, "words of the snapshot are not searchable yet");
    }
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
