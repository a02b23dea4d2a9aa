//! Planning and applying restores as jobs of the queue.

use std::sync::Arc;

use engine::apply::ApplyReport;
use engine::plan::Select;
use model::{Connector, Counts, Reporter, RestorePlan};
use service::http::Usage;
use tokio_util::sync::CancellationToken;

use super::super::settle::Outcome;
use super::super::watch::Tap;
use super::failed;
use crate::observe::Observed;
use crate::restore::{issues_of, snapshot_of};
use crate::{Control, Error, PlanOrder, Result};

fn counts(usage: &Usage) -> Counts {
    Counts {
        requests: usage.requests,
        bytes_received: usage.bytes,
        ..Counts::default()
    }
}

/// What a restore did; its troubles are in its plan's steps.
fn in_numbers(report: &ApplyReport) -> serde_json::Value {
    serde_json::json!({
        "created": report.created, "undeleted": report.undeleted, "replaced": report.replaced, "merged": report.merged,
        "removed": report.removed, "skipped": report.skipped, "exported": report.exported, "failed": report.failed,
        "verified": report.verified, "differs": report.differs, "unread": report.unread,
    })
}

impl Control {
    /// Fills a plan with its steps; begun anew when an earlier attempt was lost.
    pub(super) async fn make_plan(
        &self,
        id: &str,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let row = self.catalog.plan_row(id).await?;
        let connector = self.target_of(&row.plan).await?;
        let observed = Arc::new(Observed::new(Arc::<Tap>::clone(tap)));
        let reporter: Arc<dyn Reporter> = Arc::<Observed>::clone(&observed);
        let planned = tokio::select! {
            planned = self.fill_plan(&row.plan, row.wish.as_deref(), &connector, &reporter) => planned,
            () = cancel.cancelled() => Err(engine::Error::Canceled.into()),
        };
        let (plan, usage) = planned?;
        Ok(Outcome {
            snapshot: Some(plan.snapshot),
            counts: counts(&usage),
            issues: observed.take(),
            ..Outcome::default()
        })
    }

    pub(crate) async fn fill_plan(
        &self,
        plan: &RestorePlan,
        wish: Option<&str>,
        connector: &Connector,
        reporter: &Arc<dyn Reporter>,
    ) -> Result<(RestorePlan, Usage)> {
        let row = self.catalog.repository(&plan.repository).await?;
        let repository = self.read_repository(&row).await?;
        let lock = repository.lock_to_read(&self.holder(), &**reporter).await?;
        let filled = match &plan.undoes {
            Some(undone) => {
                self.plan_undo_locked(plan, undone, &repository, connector, reporter)
                    .await
            }
            None => match wish.map(serde_json::from_str::<Select>) {
                Some(Ok(select)) => {
                    let order = PlanOrder {
                        repository: &repository,
                        repository_name: &row.name,
                        snapshot: snapshot_of(plan)?,
                        connector,
                        select,
                        conflict: plan.conflict,
                    };
                    self.plan_locked(plan.id.clone(), order, reporter).await
                }
                _ => Err(Error::Request {
                    code: "catalog-damaged",
                    message: format!("what plan {} is to restore is not known", plan.id),
                }),
            },
        };
        lock.release().await?;
        repository.close().await;
        filled
    }

    /// Goes on with a plan wherever an earlier attempt stopped.
    pub(super) async fn make_restore(
        &self,
        id: &str,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let plan = self.catalog.plan(id).await?;
        let connector = self.target_of(&plan).await?;
        let row = self.catalog.repository(&plan.repository).await?;
        let repository = self.read_repository(&row).await?;
        let observed = Arc::new(Observed::new(Arc::<Tap>::clone(tap)));
        let reporter: Arc<dyn Reporter> = Arc::<Observed>::clone(&observed);
        let opened = self
            .open(&repository, snapshot_of(&plan)?, &connector, &reporter)
            .await?;
        let result = self
            .apply_locked(&plan, &repository, &opened, reporter.as_ref(), cancel)
            .await;
        repository.close().await;
        let mut outcome = result.as_ref().err().map(failed).unwrap_or_default();
        outcome.issues.extend(issues_of(&result, &observed));
        outcome.counts = counts(&opened.client.usage());
        outcome.snapshot = Some(plan.snapshot);
        outcome.result = result.ok().map(|report| in_numbers(&report));
        Ok(outcome)
    }
}
