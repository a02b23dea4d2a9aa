//! `keepward export`.

use std::path::PathBuf;

use clap::Args;
use engine::export::{ExportOptions, export};
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes};
use crate::progress::Progress;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward export latest work-items/0000/17 --to out\n  keepward export latest git --to out\n  keepward export latest / --to everything\n\n\
    Names that would leave the folder are written in an escaped form and reported."
)]
pub(crate) struct Command {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// A file or folder in it, as `keepward snapshot browse` shows it
    path: String,
    /// The folder to write to; made when it does not exist
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Replace files that are there
    #[arg(long)]
    overwrite: bool,
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let app = App::open(&global.data()).await?;
    let (_, repository) = app.repository(command.repository.as_deref()).await?;
    let snapshot = repository.resolve(&command.snapshot).await?;
    let progress = Progress::new(output);
    let options = ExportOptions {
        overwrite: command.overwrite,
        reporter: progress.as_ref(),
        cancel,
    };
    let report = export(
        &repository,
        snapshot,
        command.path.trim_matches('/'),
        &command.to,
        &options,
    )
    .await;
    progress.finish();
    let report = report?;
    for renamed in &report.renamed {
        output.line(format!(
            "renamed: {} is {}",
            renamed.from.escape_debug(),
            renamed.to
        ));
    }
    for left in &report.left_out {
        output.line(format!(
            "left out: {}: {}",
            left.path.escape_debug(),
            left.reason
        ));
    }
    output.event(&serde_json::json!({"event": "result", "report": report}));
    output.line(format!(
        "{} files, {} in {}",
        report.files,
        bytes(report.bytes),
        command.to.display()
    ));
    Ok(if report.left_out.is_empty() {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}
