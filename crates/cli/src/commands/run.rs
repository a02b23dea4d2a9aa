//! `keepward run`.

use catalog::Page;
use clap::{Args, Subcommand};

use super::Global;
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The newest runs
    #[command(after_help = "Example:\n  keepward run list --limit 5")]
    List {
        /// How many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// The issues of a run
    #[command(after_help = "Example:\n  keepward run issues 01a20184-5804-7ad7-ada3-4e217e220162")]
    Issues(Issues),
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
    let app = App::open(&global.data()).await?;
    match command {
        Command::List { limit } => {
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
        Command::Issues(issues) => {
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
    }
    Ok(Exit::Done)
}

/// An enum's word, as in the JSON output.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(other) => other.to_string(),
        Err(error) => error.to_string(),
    }
}
