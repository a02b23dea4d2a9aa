//! Asking for restores: what is refused at once, and what goes into the queue.

use std::sync::Arc;

use catalog::{NewJob, Placement, PlanRow, QueuedRun, RepositoryRow, SnapshotFilter};
use engine::plan::{Select, Selector};
use model::{
    Action, Conflict, Connector, PlanState, Reason, Reporter, RestorePlan, RestoreTarget, Run,
    RunKind, SourceFile, Undone,
};

use super::restore_target;
use crate::jobs::restore_key;
use crate::work::{HERE, Order};
use crate::{Control, Error, Result};

/// A restore that somebody wants planned.
#[derive(Clone, Debug)]
pub struct PlanWish {
    /// The whole id of a snapshot that the catalog knows.
    pub snapshot: String,
    /// The target.
    pub connector: String,
    pub conflict: Conflict,
    pub select: Select,
    /// Who wants it.
    pub by: String,
}

/// A plan, and the run that fills it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub plan: PlanRow,
    pub run: Run,
}

fn refused(code: &'static str, message: impl Into<String>) -> Error {
    Error::Request {
        code,
        message: message.into(),
    }
}

impl Control {
    /// The restore plan that a run makes or applies; `None` for other runs, and when the plan is gone.
    pub async fn plan_of(&self, run: &Run) -> Result<Option<String>> {
        if !matches!(run.kind, RunKind::Plan | RunKind::Restore) {
            return Ok(None);
        }
        for job in self.catalog.jobs(&run.id).await? {
            let order = Order::read(&self.catalog.payload(&job.id).await?)?;
            let (Order::Plan(id) | Order::Restore(id)) = order else {
                continue;
            };
            return match self.catalog.plan(&id).await {
                Ok(plan) => Ok(Some(plan.id)),
                Err(catalog::Error::PlanUnknown { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
        Ok(None)
    }

    /// Makes a plan without steps, and queues the run that fills it.
    pub async fn request_plan(&self, wish: &PlanWish) -> Result<Asked> {
        let snapshot = self.catalog.find_snapshot(&wish.snapshot).await?;
        let repository = self.repository_of(&snapshot.source.repository).await?;
        let connector = self.catalog.connector(&wish.connector).await?;
        let source = self.source_file(&snapshot.id).await?;
        let service = self.service(&connector.service)?;
        let target = restore_target(service, &connector, &source)?;
        Self::known(&wish.select, service)?;
        let text = serde_json::to_string(&wish.select)
            .map_err(|error| refused("server-error", error.to_string()))?;
        let head = RestorePlan {
            id: self.new_id(),
            snapshot: snapshot.id,
            source: Some(source.id()),
            repository: repository.name,
            target,
            conflict: wish.conflict,
            state: PlanState::Planning,
            created: self.now(),
            planned: None,
            undoes: None,
        };
        self.queue_plan(head, &connector, Some(text), &wish.by)
            .await
    }

    /// Makes a plan that takes an applied one back.
    pub async fn request_undo(&self, plan: &str, by: &str) -> Result<Asked> {
        let (head, connector) = self.undo_head(plan).await?;
        self.queue_plan(head, &connector, None, by).await
    }

    /// The same at once, without the queue.
    pub async fn plan_undo(&self, plan: &str, reporter: Arc<dyn Reporter>) -> Result<RestorePlan> {
        let (head, connector) = self.undo_head(plan).await?;
        let filled = self.fill_plan(&head, None, &connector, &reporter).await;
        filled.map(|(plan, _)| plan)
    }

    async fn undo_head(&self, plan: &str) -> Result<(RestorePlan, Connector)> {
        let row = self.catalog.plan_row(plan).await?;
        let done = row.plan;
        if matches!(done.state, PlanState::Planning | PlanState::Applying) {
            return Err(catalog::Error::PlanBusy { id: done.id }.into());
        }
        let Some(begun) = row.begun.filter(|_| done.undoes.is_none()) else {
            let message = if done.undoes.is_some() {
                format!("plan {} takes back another one", done.id)
            } else {
                format!("plan {} has written nothing", done.id)
            };
            return Err(refused("plan-not-undone", message));
        };
        let connector = self.target_of(&done).await?;
        let before = self.snapshot_before(&connector, begun).await?;
        let (snapshot, repository) =
            before.unwrap_or_else(|| (done.snapshot.clone(), done.repository.clone()));
        let head = RestorePlan {
            id: self.new_id(),
            // What stood there before is of the target itself; else it is what the plan had written, and nothing is put back.
            source: Some(done.target.source().clone()),
            snapshot,
            repository,
            target: RestoreTarget::Original {
                connector: connector.name.clone(),
                source: done.target.source().clone(),
            },
            conflict: Conflict::Replace,
            state: PlanState::Planning,
            created: self.now(),
            planned: None,
            undoes: Some(Undone {
                original: matches!(done.target, RestoreTarget::Original { .. }),
                plan: done.id,
                snapshot: done.snapshot,
                repository: done.repository,
            }),
        };
        Ok((head, connector))
    }

    /// Queues the apply of a plan. `confirm` is what somebody typed: the name of the target organization, when anything there is replaced or removed.
    pub async fn request_apply(&self, plan: &str, confirm: Option<&str>) -> Result<Run> {
        let plan = self.catalog.plan(plan).await?;
        let connector = self.confirmed(&plan, confirm).await?;
        let order = Order::Restore(plan.id.clone());
        let key = restore_key(&self.source_of(&connector)?);
        let queued = self.own_run(
            RunKind::Restore,
            &connector.name,
            &plan.repository,
            key,
            &order,
        )?;
        self.catalog.queue_apply(&plan.id, &queued).await?;
        Ok(queued.run)
    }

    /// Refuses a plan that replaces or removes something at its target, unless `confirm` is the name of the organization.
    pub async fn confirmed(&self, plan: &RestorePlan, confirm: Option<&str>) -> Result<Connector> {
        let connector = self.target_of(plan).await?;
        let touched = self.touched(&plan.id).await?;
        let organization = connector.organization.as_str();
        if touched > 0 && confirm.map(str::trim) != Some(organization) {
            let message = format!(
                "{touched} items of {organization} are replaced or removed: type {organization} to confirm"
            );
            return Err(refused("plan-confirm", message));
        }
        Ok(connector)
    }

    /// How many items that stand at the target a plan replaces or removes.
    pub async fn touched(&self, plan: &str) -> Result<u64> {
        let counts = self.catalog.step_counts(plan).await?;
        let touched = counts
            .iter()
            .filter(|count| matches!(count.action, Action::Replace | Action::Remove));
        Ok(touched.map(|count| count.steps).sum())
    }

    async fn queue_plan(
        &self,
        head: RestorePlan,
        connector: &Connector,
        wish: Option<String>,
        by: &str,
    ) -> Result<Asked> {
        let order = Order::Plan(head.id.clone());
        let key = format!("plan/{}", head.id);
        let queued = self.own_run(
            RunKind::Plan,
            &connector.name,
            &head.repository,
            key,
            &order,
        )?;
        let plan = PlanRow {
            plan: head,
            wish,
            created_by: Some(by.to_owned()),
            plan_run: Some(queued.run.id.clone()),
            apply_run: None,
            begun: None,
            error: None,
        };
        self.catalog.queue_plan(&plan, &queued).await?;
        Ok(Asked {
            plan,
            run: queued.run,
        })
    }

    /// A run for the worker in this process, which alone reaches catalog, vault and every repository.
    pub(crate) fn own_run(
        &self,
        kind: RunKind,
        connector: &str,
        repository: &str,
        key: String,
        order: &Order,
    ) -> Result<QueuedRun> {
        let run = self.new_run(kind, (connector, repository), Reason::Request);
        let job = NewJob {
            id: self.new_id(),
            payload: order.text()?,
            concurrency_key: Some(key),
            created: run.created,
        };
        let placement = Placement {
            connector: connector.to_owned(),
            storage: Some(HERE.to_owned()),
            ..Placement::default()
        };
        Ok(QueuedRun {
            run,
            job,
            placement,
        })
    }

    fn known(select: &Select, service: &service::Service) -> Result<()> {
        let Select::Items(selectors) = select else {
            return Ok(());
        };
        if selectors.is_empty() {
            return Err(refused(
                "selection-empty",
                "nothing is selected, so nothing would be restored",
            ));
        }
        let unknown = |selector: &&Selector| {
            let kind = selector.kind.as_deref();
            kind.is_some_and(|kind| service.kind(kind).is_none())
        };
        match selectors.iter().find(unknown) {
            None => Ok(()),
            Some(selector) => Err(refused(
                "kind-unknown",
                format!(
                    "{} has no kind `{}`",
                    service.title,
                    selector.kind.as_deref().unwrap_or("")
                ),
            )),
        }
    }

    pub(super) async fn source_file(&self, snapshot: &str) -> Result<SourceFile> {
        let text = self.catalog.source_file(snapshot).await?;
        serde_json::from_str(&text).map_err(|error| {
            let what = format!("the description of snapshot {snapshot}: {error}");
            catalog::Error::Damaged { what }.into()
        })
    }

    async fn repository_of(&self, id: &str) -> Result<RepositoryRow> {
        let rows = self.catalog.repositories().await?;
        let found = rows.into_iter().find(|row| row.id == id);
        found.ok_or_else(|| {
            refused(
                "repository-unknown",
                "the repository of this snapshot is not known here any more",
            )
        })
    }

    /// The newest snapshot of the connector's own organization from before a time, with the name of its repository.
    async fn snapshot_before(
        &self,
        connector: &Connector,
        time: jiff::Timestamp,
    ) -> Result<Option<(String, String)>> {
        let repositories = self.catalog.repositories().await?;
        let filter = SnapshotFilter {
            sources: Some(vec![self.source_of(connector)?]),
            ..SnapshotFilter::default()
        };
        let mut page = catalog::Page::first(100);
        loop {
            let listed = self.catalog.list_snapshots(&filter, &page).await?;
            for snapshot in listed.items.iter().filter(|one| one.time < time) {
                let id = &snapshot.source.repository;
                let Some(repository) = repositories.iter().find(|row| row.id == *id) else {
                    continue;
                };
                return Ok(Some((snapshot.id.clone(), repository.name.clone())));
            }
            match page.following(&listed) {
                Some(next) => page = next,
                None => return Ok(None),
            }
        }
    }
}
