//! `keepward backup`.

mod ask;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use control::{BackupOrder, Control};
use engine::backup::BackupReport;
use engine::coordinator::Pace;
use model::{Clock as _, Reporter, Run, RunState};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::App;
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, table};
use crate::progress::Progress;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward backup contoso\n  keepward backup contoso --kind work-item --kind git-repository\n  keepward backup contoso --full\n\n\
    The policy for the connector says what is backed up and where to, as over a server. Nothing is forgotten afterwards: here that is `keepward snapshot forget`.\n\
    Exit code 3 means that a snapshot was made and something could not be read: see the issues it lists."
)]
pub(crate) struct Command {
    /// The connector
    connector: String,
    /// Only these kinds of data, with what they need [default: those of the policy for the connector]
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Read everything again instead of what changed
    #[arg(long)]
    full: bool,
    /// Believe that most items of this kind were really deleted
    #[arg(long, value_name = "KIND")]
    accept_deletions: Vec<String>,
    /// The repository's name here [default: that of the policy, or the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
    /// The least time between two checkpoints, in milliseconds
    #[arg(long, value_name = "TIME", hide = true)]
    checkpoint_pause: Option<u64>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    if global.server.is_some() {
        return Box::pin(ask::run(command, global, output, cancel)).await;
    }
    let app = App::open(&global.data()).await?;
    let connector = app.catalog.connector(&command.connector).await?;
    let policy = app.control.policy_for(&connector, None).await?;
    let service = app.control.service(&connector.service)?;
    let kinds = BTreeSet::from_iter(command.kind);
    let selection = Control::selection(service, &policy, &kinds)?;
    let named = command.repository.as_deref();
    let (row, repository) = app
        .repository_to_write(named.or(policy.repository.as_deref()))
        .await?;
    let picks = app.control.picks(&connector, &selection).await?;
    let order = BackupOrder {
        connector: &connector,
        repository: &repository,
        repository_name: &row.name,
        selection: selection.kinds,
        picks,
        accept_deletions: command.accept_deletions.into_iter().collect(),
        full: command.full,
        pace: pace(command.checkpoint_pause),
        policy: Some(&policy),
    };
    let started = SystemClock.now();
    let progress = Progress::new(output);
    let reporter: Arc<dyn Reporter> = Arc::<Progress>::clone(&progress);
    let ended = app.control.backup(&order, reporter, cancel).await;
    progress.finish();
    repository.close().await;
    let seconds = SystemClock.now().duration_since(started).as_secs_f64();
    let ended = ended?;
    let report = ended.result?;
    show(&report, &ended.run, seconds, output);
    if ended.run.state != RunState::SucceededWithIssues {
        return Ok(Exit::Done);
    }
    let (issues, run) = (ended.issues.len(), &ended.run.id);
    output.line(format!("{issues} issues: keepward run issues {run}"));
    Ok(Exit::DoneWithIssues)
}

/// What a backup came to, kind by kind.
fn show(report: &BackupReport, run: &Run, seconds: f64, output: &Output) {
    output.event(&json!({
        "event": "result", "snapshot": report.snapshot.to_string(), "parent": report.parent.map(|parent| parent.to_string()),
        "state": run.state, "run": run.id, "policy": run.policy, "counts": report.counts, "issues": report.source.issues.len(), "seconds": seconds,
    }));
    let counts = &report.counts;
    let head = [
        "kind", "items", "added", "changed", "removed", "requests", "received",
    ];
    let rows = counts.kinds.iter().map(|(kind, of)| {
        let numbers = [of.items, of.added, of.changed, of.removed, of.requests];
        let numbers = numbers.map(|number| number.to_string());
        [vec![kind.clone()], numbers.to_vec(), vec![bytes(of.bytes)]].concat()
    });
    output.line(table(&head, rows));
    output.line(format!(
        "snapshot {} in {seconds:.1} s: {} requests, {} received, {} stored",
        report.snapshot.short(),
        counts.requests,
        bytes(counts.bytes_received),
        bytes(counts.bytes_stored),
    ));
}

fn pace(pause: Option<u64>) -> Pace {
    match pause {
        Some(pause) => Pace {
            least: Duration::from_millis(pause),
            rest: 0,
            requests: 1,
            percent: 0,
        },
        None => Pace::default(),
    }
}
