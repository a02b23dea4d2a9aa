//! `keepward restore`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use control::PlanOrder;
use engine::backup::read_source;
use engine::plan::{Select, Selector, What};
use model::{Action, Conflict, PlanState, Reporter, Step, StepState};
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment, table};
use crate::progress::Progress;
use crate::services;

/// Steps that are read from the catalog in one call.
const PAGE: u32 = 500;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say what a restore would do; writes nothing to the service
    #[command(
        after_help = "Examples:\n  keepward restore plan latest --kind work-item --id 4711 --id 4712\n  keepward restore plan latest --missing\n  \
        keepward restore plan 1f3a --everything --into contoso-new\n\nNothing selected restores nothing."
    )]
    Plan(Plan),
    /// Do what a plan says, read everything back, and report
    #[command(
        after_help = "Example:\n  keepward restore apply 01a20184-5804-7ad7-ada3-4e217e220162\n\nAn interrupted apply goes on where it stopped: run the same command again."
    )]
    Apply(Id),
    /// The plans
    #[command(after_help = "Example:\n  keepward restore list --json")]
    List,
    /// The steps of a plan
    #[command(
        after_help = "Example:\n  keepward restore show 01a20184-5804-7ad7-ada3-4e217e220162 --limit 50"
    )]
    Show(Show),
}

#[derive(Args)]
pub(crate) struct Plan {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// The connector to restore into [default: the one that made the snapshot]
    #[arg(long, value_name = "CONNECTOR")]
    into: Option<String>,
    /// Everything in the snapshot
    #[arg(long, conflicts_with_all = ["kind", "id", "under"])]
    everything: bool,
    /// What the snapshot has and the target lacks
    #[arg(long, conflicts_with_all = ["everything", "id", "under"])]
    missing: bool,
    /// Items of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Items of this project (id or name)
    #[arg(long)]
    project: Option<String>,
    /// Items with these ids
    #[arg(long, requires = "kind")]
    id: Vec<String>,
    /// Items below this folder of the snapshot
    #[arg(long, value_name = "PATH")]
    under: Option<String>,
    /// What to do with items that the target has already
    #[arg(long, value_enum, default_value = "skip")]
    conflict: OnConflict,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnConflict {
    Skip,
    Replace,
    Duplicate,
}

#[derive(Args)]
pub(crate) struct Id {
    /// The plan's id, as `restore plan` printed it
    plan: String,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The plan's id
    plan: String,
    /// At most this many steps
    #[arg(long, default_value_t = 1000)]
    limit: usize,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let app = App::open(&global.data()).await?;
    match command {
        Command::Plan(plan) => make(&app, plan, output).await,
        Command::Apply(id) => apply(&app, &id.plan, output, cancel).await,
        Command::List => list(&app, output).await,
        Command::Show(show) => steps(&app, &show, output).await,
    }
}

impl Plan {
    fn select(&self) -> Result<Select, Failure> {
        let what = match (&self.under, self.id.is_empty()) {
            _ if self.everything && self.project.is_none() => return Ok(Select::Everything),
            _ if self.missing => What::Deleted,
            (Some(path), _) => What::Under(path.trim_matches('/').to_owned()),
            (None, false) => What::Ids(self.id.clone()),
            (None, true) if self.kind.is_some() || self.project.is_some() => What::All,
            (None, true) => {
                let hint = "--everything, --missing, --kind KIND [--id ID …], --project PROJECT or --under PATH";
                return Err(Failure::usage(
                    "nothing is selected, so nothing would be restored",
                    hint,
                ));
            }
        };
        Ok(Select::Items(vec![Selector {
            kind: self.kind.clone(),
            scope: self.project.clone(),
            what,
        }]))
    }
}

async fn make(app: &App, plan: Plan, output: &Output) -> Result<Exit, Failure> {
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
        conflict: match plan.conflict {
            OnConflict::Skip => Conflict::Skip,
            OnConflict::Replace => Conflict::Replace,
            OnConflict::Duplicate => Conflict::Duplicate,
        },
    };
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let made = app.control.plan_restore(order, reporter).await;
    progress.finish();
    repository.close().await;
    let made = made?;
    let summary = Summary::of(app, &made.id).await?;
    let steps: u64 = summary.actions.values().sum();
    output.event(&serde_json::json!({"event": "plan", "id": made.id, "steps": steps, "actions": summary.actions, "losses": summary.losses}));
    output.line(format!(
        "plan {}: snapshot {} into {} ({})\n",
        made.id,
        snapshot.short(),
        connector.name,
        connector.organization
    ));
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
    output.line(format!(
        "\nnothing has been written; to do it: keepward restore apply {}",
        made.id
    ));
    Ok(Exit::Done)
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
                if step.action != Action::Skip {
                    summary.losses.extend(step.losses);
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
        Action::Skip => "skip",
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

async fn apply(
    app: &App,
    plan: &str,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let planned = app.catalog.plan(plan).await?;
    let (_, repository) = app.repository(Some(&planned.repository)).await?;
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let started = std::time::Instant::now();
    let ended = app
        .control
        .apply_restore(plan, &repository, reporter, cancel)
        .await;
    progress.finish();
    repository.close().await;
    let ended = ended?;
    let report = ended.result?;
    let seconds = started.elapsed().as_secs_f64();
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
    let mut result = serde_json::json!({"event": "result", "plan": plan, "run": ended.run.id, "requests": ended.run.counts.requests, "seconds": seconds});
    if let (Some(result), Ok(serde_json::Value::Object(report))) =
        (result.as_object_mut(), serde_json::to_value(&report))
    {
        result.extend(report.into_iter().filter(|(name, _)| name != "troubles"));
    }
    output.event(&result);
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
    Ok(if report.state == PlanState::Applied {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}

async fn list(app: &App, output: &Output) -> Result<Exit, Failure> {
    let plans = app.catalog.plans().await?;
    output.rows(
        &["plan", "created", "snapshot", "into", "state"],
        &plans,
        |plan| {
            let snapshot = plan.snapshot.get(..8).unwrap_or(&plan.snapshot).to_owned();
            vec![
                plan.id.clone(),
                moment(&plan.created),
                snapshot,
                plan.target.connector().to_owned(),
                format!("{:?}", plan.state).to_lowercase(),
            ]
        },
    );
    Ok(Exit::Done)
}

async fn steps(app: &App, show: &Show, output: &Output) -> Result<Exit, Failure> {
    app.catalog.plan(&show.plan).await?;
    let mut rows: Vec<Step> = Vec::new();
    while rows.len() < show.limit {
        let page = app
            .catalog
            .steps(&show.plan, rows.last().map(|step| step.position), PAGE)
            .await?;
        if page.is_empty() {
            break;
        }
        rows.extend(page);
    }
    rows.truncate(show.limit);
    output.rows(
        &["kind", "id", "name", "action", "state", "new id", "why"],
        &rows,
        |step| {
            let why = step
                .detail
                .clone()
                .or_else(|| step.reason.clone())
                .unwrap_or_else(String::new);
            let new_id = step.new_id.clone().unwrap_or_else(String::new);
            vec![
                step.item.kind.clone(),
                step.item.id.clone(),
                step.name.clone(),
                action_word(step.action).to_owned(),
                state_word(step.state).to_owned(),
                new_id,
                why,
            ]
        },
    );
    Ok(Exit::Done)
}
