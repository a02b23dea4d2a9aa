//! Restores taken back.

use std::sync::Arc;

use engine::SnapshotReader;
use engine::apply::ApplyReport;
use engine::plan::PlanContext;
use engine::undo::{Before, UndoRequest};
use model::{Connector, Reporter, RestorePlan, Silent, Undone};
use repository::{ReadLock, Repository, SnapshotId};
use service::http::Usage;
use tokio_util::sync::CancellationToken;

use super::snapshot_of;
use crate::plans::CatalogPlanStore;
use crate::{Control, Error, Result};

/// The snapshot whose items a plan has written, which may lie in another repository than what it is taken back with.
struct Written {
    repository: Repository,
    lock: ReadLock,
    reader: SnapshotReader,
}

impl Control {
    /// Fills a plan that takes another one back. `repository` is that of the plan's own snapshot.
    pub(crate) async fn plan_undo_locked(
        &self,
        plan: &RestorePlan,
        undone: &Undone,
        repository: &Repository,
        connector: &Connector,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<(RestorePlan, Usage)> {
        let snapshot = snapshot_of(plan)?;
        let opened = self.open(repository, snapshot, connector, reporter).await?;
        let written = self.written(undone, opened.service).await?;
        let older = plan.snapshot != undone.snapshot;
        let taken = repository.snapshot(snapshot).await?.time;
        let store = CatalogPlanStore(self.catalog.clone());
        let context = self.context(&opened, reporter.as_ref());
        let request = UndoRequest {
            head: plan.clone(),
            made: &written.reader,
            before: older.then_some(Before {
                stored: context.stored,
                taken,
            }),
        };
        let planned = engine::undo::plan(&context, request, &store).await;
        written.close().await?;
        Ok((planned?, opened.client.usage()))
    }

    pub(super) async fn undo_locked(
        &self,
        context: &PlanContext<'_>,
        plan: &str,
        undone: &Undone,
        store: &CatalogPlanStore,
        cancel: &CancellationToken,
    ) -> Result<ApplyReport> {
        let written = self.written(undone, context.service).await?;
        let applied = engine::apply::undo(context, &written.reader, plan, store, cancel).await;
        written.close().await?;
        Ok(applied?)
    }

    async fn written(
        &self,
        undone: &Undone,
        service: &'static service::Service,
    ) -> Result<Written> {
        let damaged = |_| catalog::Error::Damaged {
            what: format!("the snapshot of plan {}", undone.plan),
        };
        let snapshot: SnapshotId = undone.snapshot.parse().map_err(damaged)?;
        let row = self.catalog.repository(&undone.repository).await?;
        let repository = self.read_repository(&row).await?;
        let lock = repository.lock_to_read(&self.holder(), &Silent).await?;
        let tree = repository
            .snapshot(snapshot)
            .await
            .map_err(Error::from)?
            .tree;
        Ok(Written {
            reader: SnapshotReader::new(repository.clone(), service, Some(tree)),
            repository,
            lock,
        })
    }
}

impl Written {
    async fn close(self) -> Result<()> {
        self.lock.release().await?;
        self.repository.close().await;
        Ok(())
    }
}
