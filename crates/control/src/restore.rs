//! Restores: plans, and applies through the queue.

use std::sync::Arc;

use catalog::Job;
use engine::SnapshotReader;
use engine::apply::ApplyReport;
use engine::backup::read_source;
use engine::plan::{PlanContext, PlanRequest, Select};
use model::{Conflict, Connector, PlanState, Reporter, RestorePlan, RestoreTarget, RunKind};
use repository::{Holder, Repository, SnapshotId};
use service::{Client, Service};
use tokio_util::sync::CancellationToken;

use crate::backup::address;
use crate::jobs::{Ended, NewRun};
use crate::observe::Observed;
use crate::plans::CatalogPlanStore;
use crate::{Control, Error, Result};

/// What to restore, and where to.
pub struct PlanOrder<'a> {
    pub repository: &'a Repository,
    /// The name that the catalog has for it.
    pub repository_name: &'a str,
    pub snapshot: SnapshotId,
    /// The target: the original organization when it is the one that the snapshot came from.
    pub connector: &'a Connector,
    pub select: Select,
    pub conflict: Conflict,
}

/// What planning and applying read from.
struct Opened {
    service: &'static Service,
    client: Client,
    reader: SnapshotReader,
    work: tempfile::TempDir,
}

impl Control {
    /// Makes a plan; only reads.
    pub async fn plan_restore(
        &self,
        order: PlanOrder<'_>,
        reporter: Arc<dyn Reporter>,
    ) -> Result<RestorePlan> {
        let lock = order.repository.lock_shared(&self.holder()).await?;
        let planned = self.plan_locked(order, reporter).await;
        lock.release().await?;
        planned
    }

    async fn plan_locked(
        &self,
        order: PlanOrder<'_>,
        reporter: Arc<dyn Reporter>,
    ) -> Result<RestorePlan> {
        let opened = self
            .open(order.repository, order.snapshot, order.connector, &reporter)
            .await?;
        let tree = opened
            .reader
            .tree_id()
            .ok_or_else(|| repository::Error::SnapshotUnknown(order.snapshot.to_string()))?;
        let source = read_source(order.repository, opened.service, tree).await?;
        if source.service != opened.service.name {
            let message = format!(
                "the snapshot is of {} and `{}` of {}",
                source.service, order.connector.name, opened.service.name
            );
            return Err(Error::Request {
                code: "restore-target",
                message,
            });
        }
        let connector = order.connector.name.clone();
        let same = source.source == order.connector.organization.to_lowercase()
            && source
                .url
                .eq_ignore_ascii_case(&address(opened.service, order.connector)?);
        let request = PlanRequest {
            plan_id: self.new_id(),
            snapshot: order.snapshot,
            repository_name: order.repository_name.to_owned(),
            target: if same {
                RestoreTarget::Original { connector }
            } else {
                RestoreTarget::Other { connector }
            },
            conflict: order.conflict,
            select: order.select,
        };
        let store = CatalogPlanStore(self.catalog.clone());
        Ok(engine::plan::plan(&self.context(&opened, reporter.as_ref()), &request, &store).await?)
    }

    /// Applies a plan: run, job, lease, engine, end. `repository` is the one that the plan names. An error here means that there is no run.
    pub async fn apply_restore(
        &self,
        plan: &str,
        repository: &Repository,
        reporter: Arc<dyn Reporter>,
        cancel: &CancellationToken,
    ) -> Result<Ended<ApplyReport>> {
        let plan = self.catalog.plan(plan).await?;
        let connector = self.catalog.connector(plan.target.connector()).await?;
        let damaged = |_| catalog::Error::Damaged {
            what: format!("the snapshot's id of plan {}", plan.id),
        };
        let snapshot: SnapshotId = plan.snapshot.parse().map_err(damaged)?;
        let observed = Arc::new(Observed::new(reporter));
        let watched: Arc<dyn Reporter> = Arc::<Observed>::clone(&observed);
        let opened = self
            .open(repository, snapshot, &connector, &watched)
            .await?;
        let (mut run, job) = self
            .begin(NewRun {
                kind: RunKind::Restore,
                connector: &connector.name,
                repository: &plan.repository,
                key: format!(
                    "restore/{}/{}",
                    connector.service,
                    connector.organization.to_lowercase()
                ),
                payload: serde_json::json!({ "restore": plan.id }).to_string(),
            })
            .await?;
        run.snapshot = Some(plan.snapshot.clone());
        let result = self
            .apply_locked(
                &plan.id,
                repository,
                &opened,
                watched.as_ref(),
                &job,
                cancel,
            )
            .await;
        let usage = opened.client.usage();
        run.counts.requests = usage.requests;
        run.counts.bytes_received = usage.bytes;
        let mut issues = observed.take();
        if let Ok(ApplyReport {
            state: PlanState::Applied,
            ..
        }) = &result
        {
            // What an earlier attempt could not do may have worked in the end.
            issues.clear();
        }
        self.end(run, &job, issues, result).await
    }

    async fn apply_locked(
        &self,
        plan: &str,
        repository: &Repository,
        opened: &Opened,
        reporter: &dyn Reporter,
        job: &Job,
        cancel: &CancellationToken,
    ) -> Result<ApplyReport> {
        let lock = repository.lock_shared(&self.holder()).await?;
        let store = CatalogPlanStore(self.catalog.clone());
        let stop = cancel.child_token();
        let context = self.context(opened, reporter);
        let applied = tokio::select! {
            report = engine::apply::apply(&context, plan, &store, &stop) => report.map_err(Error::from),
            lost = self.keep_alive(job, &stop) => Err(lost),
        };
        lock.release().await?;
        applied
    }

    async fn open(
        &self,
        repository: &Repository,
        snapshot: SnapshotId,
        connector: &Connector,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<Opened> {
        let service = self.service(&connector.service)?;
        let tree = repository.snapshot(snapshot).await?.tree;
        Ok(Opened {
            service,
            client: self
                .restore_client(connector, Some(Arc::clone(reporter)))
                .await?,
            reader: SnapshotReader::new(repository.clone(), service, Some(tree)),
            work: self.temporary()?,
        })
    }

    fn context<'a>(&'a self, opened: &'a Opened, reporter: &'a dyn Reporter) -> PlanContext<'a> {
        PlanContext {
            service: opened.service,
            http: &opened.client,
            stored: &opened.reader,
            clock: self.clock.as_ref(),
            reporter,
            work: opened.work.path(),
        }
    }

    pub(crate) fn holder(&self) -> Holder {
        Holder::new("keepward", Arc::clone(&self.clock))
    }
}
