//! Restores: plans and applies.

mod people;
mod request;
mod undo;

use std::sync::Arc;

use engine::SnapshotReader;
use engine::apply::ApplyReport;
use engine::backup::read_source;
use engine::plan::{PlanContext, PlanRequest, Select};
use model::{
    Conflict, Connector, Issue, PlanState, Reporter, RestorePlan, RestoreTarget, RunKind,
    SourceFile,
};
use repository::{Holder, Repository, SnapshotId};
use service::http::Usage;
use service::{Client, Service};
use tokio_util::sync::CancellationToken;

use crate::connectors::source_id;
use crate::jobs::{Ended, NewRun, restore_key};
use crate::observe::Observed;
use crate::plans::CatalogPlanStore;
use crate::work::Order;
use crate::{Control, Error, Result};

pub use people::Known;
pub use request::{Asked, PlanWish};

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
pub(crate) struct Opened {
    pub(crate) service: &'static Service,
    pub(crate) client: Client,
    reader: SnapshotReader,
    work: tempfile::TempDir,
}

/// The target of a restore of this source: the original organization when it is the one that the snapshot came from.
fn restore_target(
    service: &Service,
    connector: &Connector,
    source: &SourceFile,
) -> Result<RestoreTarget> {
    if source.service != service.name {
        let message = format!(
            "the snapshot is of {} and `{}` of {}",
            source.service, connector.name, service.name
        );
        return Err(Error::Request {
            code: "restore-target",
            message,
        });
    }
    let there = source_id(service, connector)?;
    let same = source.id() == there;
    let (connector, source) = (connector.name.clone(), there);
    Ok(if same {
        RestoreTarget::Original { connector, source }
    } else {
        RestoreTarget::Other { connector, source }
    })
}

pub(crate) fn snapshot_of(plan: &RestorePlan) -> Result<SnapshotId> {
    let damaged = |_| catalog::Error::Damaged {
        what: format!("the snapshot's id of plan {}", plan.id),
    };
    Ok(plan.snapshot.parse().map_err(damaged)?)
}

/// The issues of a run that applied a plan.
pub(crate) fn issues_of(result: &Result<ApplyReport>, observed: &Observed) -> Vec<Issue> {
    let issues = observed.take();
    match result {
        // What an earlier attempt could not do may have worked in the end.
        Ok(ApplyReport {
            state: PlanState::Applied,
            ..
        }) => Vec::new(),
        _ => issues,
    }
}

impl Control {
    /// Makes a plan at once, without the queue; only reads.
    pub async fn plan_restore(
        &self,
        order: PlanOrder<'_>,
        reporter: Arc<dyn Reporter>,
    ) -> Result<RestorePlan> {
        let holder = self.holder();
        let lock = order.repository.lock_to_read(&holder, &*reporter).await?;
        let planned = self.plan_locked(self.new_id(), order, &reporter).await;
        lock.release().await?;
        planned.map(|(plan, _)| plan)
    }

    /// The plan, and what reading the target for it took.
    pub(crate) async fn plan_locked(
        &self,
        plan_id: String,
        order: PlanOrder<'_>,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<(RestorePlan, Usage)> {
        let opened = self
            .open(order.repository, order.snapshot, order.connector, reporter)
            .await?;
        let tree = opened
            .reader
            .tree_id()
            .ok_or_else(|| repository::Error::SnapshotUnknown(order.snapshot.to_string()))?;
        let source = read_source(order.repository, opened.service, tree).await?;
        let target = restore_target(opened.service, order.connector, &source)?;
        let request = PlanRequest {
            plan_id,
            snapshot: order.snapshot,
            source: source.id(),
            repository_name: order.repository_name.to_owned(),
            target,
            conflict: order.conflict,
            select: order.select,
        };
        let store = CatalogPlanStore(self.catalog.clone());
        let context = self.context(&opened, reporter.as_ref());
        let plan = engine::plan::plan(&context, &request, &store).await?;
        Ok((plan, opened.client.usage()))
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
        let connector = self.target_of(&plan).await?;
        let observed = Arc::new(Observed::new(reporter));
        let watched: Arc<dyn Reporter> = Arc::<Observed>::clone(&observed);
        let opened = self
            .open(repository, snapshot_of(&plan)?, &connector, &watched)
            .await?;
        let (mut run, job) = self
            .begin(NewRun {
                kind: RunKind::Restore,
                connector: &connector.name,
                repository: &plan.repository,
                policy: None,
                key: restore_key(&self.source_of(&connector)?),
                payload: Order::Restore(plan.id.clone()).text()?,
            })
            .await?;
        self.catalog
            .plan_applied_by(&plan.id, &run.id, self.now())
            .await?;
        run.snapshot = Some(plan.snapshot.clone());
        let stop = cancel.child_token();
        let holding = self.holding(&job);
        let result = tokio::select! {
            report = holding.apply_locked(&plan, repository, &opened, watched.as_ref(), &stop) => report,
            lost = self.keep_alive(&job, &stop) => Err(lost),
        };
        let usage = opened.client.usage();
        run.counts.requests = usage.requests;
        run.counts.bytes_received = usage.bytes;
        let issues = issues_of(&result, &observed);
        self.end(run, &job, issues, result).await
    }

    /// The connector that a plan is applied through. Another organization that has its name by now is none of the plan's business: there the
    /// same ids are other items.
    pub(crate) async fn target_of(&self, plan: &RestorePlan) -> Result<Connector> {
        let connector = self.catalog.connector(plan.target.connector()).await?;
        if self.is_for(&connector, plan.target.source()) {
            return Ok(connector);
        }
        Err(Error::Request {
            code: "plan-target-changed",
            message: format!(
                "plan {} was made for {}, and `{}` stands for {} now",
                plan.id,
                plan.target.source().address,
                connector.name,
                self.source_of(&connector)?.address,
            ),
        })
    }

    pub(crate) async fn apply_locked(
        &self,
        plan: &RestorePlan,
        repository: &Repository,
        opened: &Opened,
        reporter: &dyn Reporter,
        cancel: &CancellationToken,
    ) -> Result<ApplyReport> {
        let lock = repository.lock_to_read(&self.holder(), reporter).await?;
        let store = CatalogPlanStore(self.catalog.clone());
        let context = self.context(opened, reporter);
        let applied = match &plan.undoes {
            None => engine::apply::apply(&context, &plan.id, &store, cancel)
                .await
                .map_err(Error::from),
            Some(undone) => {
                self.undo_locked(&context, &plan.id, undone, &store, cancel)
                    .await
            }
        };
        lock.release().await?;
        applied
    }

    pub(crate) async fn open(
        &self,
        repository: &Repository,
        snapshot: SnapshotId,
        connector: &Connector,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<Opened> {
        let service = self.service(&connector.service)?;
        let tree = match repository.snapshot(snapshot).await {
            Ok(snapshot) => snapshot.tree,
            // Somebody forgot it since the plan was made: that is no damage.
            Err(repository::Error::FileMissing { .. }) => {
                return Err(Error::Request {
                    code: "snapshot-unknown",
                    message: format!(
                        "the snapshot {} is no longer in the repository: it was forgotten, or lost since; make a new plan from another snapshot",
                        snapshot.short()
                    ),
                });
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Opened {
            service,
            client: self
                .restore_client(connector, Some(Arc::clone(reporter)))
                .await?,
            reader: SnapshotReader::new(repository.clone(), service, Some(tree)),
            work: self.temporary()?,
        })
    }

    pub(crate) fn context<'a>(
        &'a self,
        opened: &'a Opened,
        reporter: &'a dyn Reporter,
    ) -> PlanContext<'a> {
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
