//! `keepward run`.

mod act;

use catalog::Page;
use clap::{Args, Subcommand};
use model::{Resumed, Run};

use super::Global;
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The newest runs
    #[command(after_help = "Example:\n  keepward run list --limit 5")]
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// A run: what it did and how it ended
    #[command(after_help = "Example:\n  keepward run show 01a20184-5804-7ad7-ada3-4e217e220162")]
    Show {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// The issues of a run
    #[command(after_help = "Example:\n  keepward run issues 01a20184-5804-7ad7-ada3-4e217e220162")]
    Issues(Issues),
    /// Ask a run to end
    #[command(after_help = "Example:\n  keepward run cancel 01a20184-5804-7ad7-ada3-4e217e220162")]
    Cancel {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// Make the same backup again; what the run before got is not read again
    #[command(after_help = "Example:\n  keepward run retry 01a20184-5804-7ad7-ada3-4e217e220162")]
    Retry {
        /// The run's id, as `run list` shows it
        run: String,
    },
    /// Issues of the last 30 days, each once over all runs that had it
    #[command(after_help = "Example:\n  keepward run recurring --connector contoso")]
    Recurring {
        /// Only of this connector
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
    },
    /// Say that you have seen an issue, so that nobody is told of it again
    #[command(
        after_help = "Example:\n  keepward run acknowledge contoso git-repository-disabled --kind git-repository --item 4c1e… --until 2027-01-01T00:00:00Z"
    )]
    Acknowledge(Acknowledge),
}

#[derive(Args)]
pub(crate) struct Acknowledge {
    /// The connector, or with `--repository` the repository that the issue is about alone
    subject: String,
    /// The issue's code, as `run recurring` shows it
    code: String,
    /// It is about a repository: checks and prunes find such issues
    #[arg(long)]
    repository: bool,
    /// The issue's kind of data
    #[arg(long, default_value = "")]
    kind: String,
    /// The issue's project
    #[arg(long, default_value = "")]
    scope: String,
    /// The issue's item
    #[arg(long, default_value = "")]
    item: String,
    /// Until then; for good when not said
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why it is all right
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args)]
pub(crate) struct Issues {
    /// The run's id, as `run list` shows it
    run: String,
    /// At most this many
    #[arg(long, default_value_t = 1000)]
    limit: u32,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        command if global.server.is_some() => return act::run(command, global, output).await,
        Command::List { limit } => {
            let app = App::open(&global.data()).await?;
            let runs = app.catalog.runs(&Page::first(limit)).await?;
            output.rows(
                &["run", "what", "connector", "state", "begun", "requests"],
                &runs.items,
                |run| {
                    let requests = run.counts.requests.to_string();
                    vec![
                        run.id.clone(),
                        word(&run.kind),
                        run.connector.clone(),
                        word(&run.state),
                        moment(&run.created),
                        requests,
                    ]
                },
            );
        }
        Command::Show { run } => {
            let app = App::open(&global.data()).await?;
            show(&app.catalog.run(&run).await?, output);
        }
        Command::Issues(issues) => {
            let app = App::open(&global.data()).await?;
            let listed = app
                .catalog
                .issues(&issues.run, &Page::first(issues.limit))
                .await?;
            for row in &listed.items {
                output.event(&row.issue);
                output.line(format!("{}: {}", row.issue.code, row.issue.message));
                if let Some(hint) = &row.issue.hint {
                    output.line(format!("  hint: {hint}"));
                }
            }
        }
        other => return act::run(other, global, output).await,
    }
    Ok(Exit::Done)
}

fn show(run: &Run, output: &Output) {
    output.event(run);
    output.line(format!("run        {}", run.id));
    let (kind, state) = (word(&run.kind), word(&run.state));
    output.line(format!(
        "what       {kind} of {} in {}",
        run.connector, run.repository
    ));
    output.line(format!("state      {state}"));
    output.line(format!("begun      {}", moment(&run.created)));
    if let Some(finished) = &run.finished {
        output.line(format!("finished   {}", moment(finished)));
    }
    if let Some(Resumed { run, at }) = &run.resumed {
        let at = moment(at);
        output.line(format!(
            "resumed    from the checkpoint of {at} by run {run}"
        ));
    }
    if let Some(snapshot) = &run.snapshot {
        output.line(format!("snapshot   {snapshot}"));
    }
    let counts = &run.counts;
    output.line(format!(
        "requests   {} ({} received, {} stored)",
        counts.requests,
        bytes(counts.bytes_received),
        bytes(counts.bytes_stored)
    ));
    if let Some(error) = &run.error {
        output.line(format!("error      {error}"));
    }
}

/// An enum's word, as in the JSON output.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}
