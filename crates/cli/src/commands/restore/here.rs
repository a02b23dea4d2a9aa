//! `keepward restore` on a data directory, without a server: at once, in this process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use control::PlanOrder;
use engine::apply::ApplyReport;
use engine::backup::read_source;
use model::{Action, PlanState, Reporter, StepState};
use tokio_util::sync::CancellationToken;

use super::{Apply, Plan, SKIP};
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, table};
use crate::progress::Progress;
use crate::services;

/// Steps that are read from the catalog in one call.
const PAGE: u32 = 500;

pub(super) async fn plan(app: &App, plan: &Plan, output: &Output) -> Result<Exit, Failure> {
    let select = plan.select()?;
    let (row, repository) = app.repository(plan.repository.as_deref()).await?;
    let snapshot = repository.resolve(&plan.snapshot).await?;
    let target = match &plan.into {
        Some(name) => name.clone(),
        None => maker(&repository, snapshot).await?,
    };
    let connector = app.catalog.connector(&target).await?;
    let order = PlanOrder {
        repository: &repository,
        repository_name: &row.name,
        snapshot,
        connector: &connector,
        select,
        conflict: plan.conflict.into(),
    };
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let made = app.control.plan_restore(order, reporter).await;
    progress.finish();
    repository.close().await;
    let made = made?;
    output.line(format!(
        "plan {}: snapshot {} into {} ({})\n",
        made.id,
        snapshot.short(),
        connector.name,
        connector.organization
    ));
    tell(app, &made.id, output).await
}

/// Plans to take a restore back.
pub(super) async fn undo(app: &App, plan: &str, output: &Output) -> Result<Exit, Failure> {
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let made = app.control.plan_undo(plan, reporter).await;
    progress.finish();
    let made = made?;
    output.line(format!("plan {}: takes back plan {plan}\n", made.id));
    tell(app, &made.id, output).await
}

/// What a plan will do.
async fn tell(app: &App, id: &str, output: &Output) -> Result<Exit, Failure> {
    let summary = Summary::of(app, id).await?;
    let steps: u64 = summary.actions.values().sum();
    output.event(&serde_json::json!({"event": "plan", "id": id, "steps": steps, "actions": summary.actions, "losses": summary.losses, "unread": summary.unread}));
    output.line(table(
        &["kind", "action", "items"],
        summary
            .kinds
            .iter()
            .map(|((kind, action), count)| vec![kind.clone(), action.clone(), count.to_string()]),
    ));
    for reason in &summary.reasons {
        output.line(format!("  {reason}"));
    }
    if !summary.losses.is_empty() {
        output.line("\nWhat will not come back as it was:");
        summary
            .losses
            .iter()
            .for_each(|loss| output.line(format!("  - {loss}")));
    }
    if !summary.unread.is_empty() {
        output.line("\nWhat cannot be read and is left out:");
        summary
            .unread
            .iter()
            .for_each(|why| output.line(format!("  - {why}")));
    }
    let writes = summary.actions.keys().any(|action| action != SKIP);
    super::tell_next(id, writes, output);
    Ok(if summary.unread.is_empty() {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}

/// The connector that made a snapshot.
async fn maker(
    repository: &repository::Repository,
    snapshot: repository::SnapshotId,
) -> Result<String, Failure> {
    let snapshot = repository.snapshot(snapshot).await?;
    let service = snapshot
        .tags
        .iter()
        .find_map(|tag| services::find(tag.strip_prefix("service=")?));
    let service = service.ok_or_else(|| {
        Failure::usage(
            "the snapshot was not made by Keepward",
            "export it, or give --into CONNECTOR",
        )
    })?;
    Ok(read_source(repository, service, snapshot.tree)
        .await?
        .connector)
}

/// A plan's steps, counted.
#[derive(Default)]
struct Summary {
    actions: BTreeMap<String, u64>,
    kinds: BTreeMap<(String, String), u64>,
    losses: BTreeSet<String>,
    reasons: BTreeSet<String>,
    /// What of the snapshot is damaged.
    unread: Vec<String>,
}

impl Summary {
    async fn of(app: &App, plan: &str) -> Result<Self, Failure> {
        let mut summary = Self::default();
        let mut after = None;
        loop {
            let page = app.catalog.steps(plan, after, PAGE).await?;
            let Some(last) = page.last() else {
                return Ok(summary);
            };
            after = Some(last.position);
            for step in page {
                let action = action_word(step.action).to_owned();
                *summary.actions.entry(action.clone()).or_default() += 1;
                *summary
                    .kinds
                    .entry((step.item.kind.clone(), action))
                    .or_default() += 1;
                summary.losses.extend(step.losses);
                // Nothing has been applied: what failed could not be read.
                if step.state == StepState::Failed {
                    summary.unread.extend(step.reason);
                    continue;
                }
                if let Some(reason) = step.reason.filter(|_| summary.reasons.len() < 20) {
                    summary.reasons.insert(format!(
                        "{} {}: {reason}",
                        action_word(step.action),
                        step.item.kind
                    ));
                }
            }
        }
    }
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Undelete => "undelete",
        Action::Create => "create",
        Action::Replace => "replace",
        Action::Merge => "merge",
        Action::Skip => SKIP,
        Action::Export => "export",
        Action::Remove => "remove",
    }
}

fn state_word(state: StepState) -> &'static str {
    match state {
        StepState::Planned => "planned",
        StepState::Intended => "intended",
        StepState::Done => "done",
        StepState::Verified => "verified",
        StepState::Differs => "differs",
        StepState::Failed => "failed",
        StepState::Skipped => "skipped",
    }
}

pub(super) async fn apply(
    app: &App,
    apply: &Apply,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let plan = apply.plan.as_str();
    let planned = app.catalog.plan(plan).await?;
    let touches = app.control.touched(plan).await? > 0;
    let connector = app.catalog.connector(planned.target.connector()).await?;
    let organization = touches.then_some(connector.organization.as_str());
    let confirm = apply.confirmation(organization, cancel).await?;
    app.control.confirmed(&planned, confirm.as_deref()).await?;
    let (_, repository) = app.repository(Some(&planned.repository)).await?;
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let started = Instant::now();
    let applied = Box::pin(async {
        let applied = app
            .control
            .apply_restore(plan, &repository, reporter, cancel);
        let ended = applied.await?;
        Ok((ended.result?, ended.run))
    });
    let subject = format!("restore-plan/{plan}");
    let details =
        serde_json::json!({ "connector": connector.name, "organization": connector.organization });
    let applied = app.noted("restore.apply", &subject, details, applied).await;
    progress.finish();
    repository.close().await;
    let (report, run) = applied?;
    let seconds = started.elapsed().as_secs_f64();
    let mut result = serde_json::json!({"event": "result", "plan": plan, "run": run.id, "requests": run.counts.requests, "seconds": seconds});
    if let (Some(result), Ok(serde_json::Value::Object(report))) =
        (result.as_object_mut(), serde_json::to_value(&report))
    {
        result.extend(report.into_iter().filter(|(name, _)| name != "troubles"));
    }
    show(&report, seconds, output);
    output.event(&result);
    Ok(if report.state == PlanState::Applied {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}

/// What a restore came to, each trouble by its name.
fn show(report: &ApplyReport, seconds: f64, output: &Output) {
    for trouble in &report.troubles {
        output.event(&serde_json::json!({"event": "trouble", "item": trouble.item, "name": trouble.name, "state": trouble.state, "detail": trouble.detail}));
        output.line(format!(
            "{} {} {:?}: {}",
            state_word(trouble.state),
            trouble.item,
            trouble.name,
            trouble.detail
        ));
    }
    output.line(format!(
        "created {}, undeleted {}, merged {}, replaced {}, removed {}, skipped {}, to be exported {}, failed {}",
        report.created, report.undeleted, report.merged, report.replaced, report.removed, report.skipped, report.exported, report.failed
    ));
    output.line(format!(
        "read back: {} equal, {} differ, {} could not be read ({seconds:.1} s)",
        report.verified, report.differs, report.unread
    ));
    if !report.losses.is_empty() {
        output.line("what does not come back as it was, and for how many items that may matter:");
    }
    for (loss, count) in &report.losses {
        output.line(format!("{count:>6}  {loss}"));
    }
}
