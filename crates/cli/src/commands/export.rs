//! `keepward export`.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::export::{ExportOptions, ExportReport, export};
use tokio_util::sync::CancellationToken;

use super::Global;
use super::snapshot::resolve;
use crate::app::App;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::new_file::{NewFile, is_standard_output};
use crate::output::{Output, bytes};
use crate::progress::Progress;
use crate::visible::visible;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  keepward export latest work-items/0000/17 --to out\n  keepward export latest git --to out\n  keepward export latest / --to everything\n  \
    keepward export latest work-items/0000/17 --zip 17.zip --server https://keepward.example.com\n  keepward export latest --project Payments --zip payments.zip\n\n\
    Names that would leave the folder are written in an escaped form and reported."
)]
pub(crate) struct Command {
    /// An id, the beginning of one, or `latest`
    snapshot: String,
    /// A file or folder in it, as `keepward snapshot browse` shows it; / for everything; several go into a ZIP alone
    #[arg(required_unless_present_any = ["project", "kind"])]
    path: Vec<String>,
    /// Into a ZIP: a project with all that belongs to it, wherever it lies in the snapshot, by name or id; may be given several times
    #[arg(long, value_name = "PROJECT", requires = "zip")]
    project: Vec<String>,
    /// Into a ZIP: all of a kind; may be given several times
    #[arg(long, value_name = "KIND", requires = "zip")]
    kind: Vec<String>,
    /// Into a ZIP: each at its place in the snapshot, a wiki with the repository of its pages
    #[arg(long, requires = "zip")]
    whole: bool,
    /// The folder to write to; made when it does not exist
    #[arg(long, value_name = "DIR", required_unless_present = "zip")]
    to: Option<PathBuf>,
    /// Write a ZIP instead, also from a server; - for standard output
    #[arg(long, value_name = "FILE", conflicts_with = "to")]
    zip: Option<PathBuf>,
    /// Replace files that are there; with --zip a regular file alone
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
    if let Some(zip) = &command.zip {
        return archive(&command, zip, global, output).await;
    }
    let to = command.to.as_deref().unwrap_or(Path::new("."));
    if is_standard_output(to) {
        return Err(Failure::usage(
            "a folder cannot be written to standard output",
            "one file can: --zip -; a folder with the name - is ./-",
        ));
    }
    let [path] = command.path.as_slice() else {
        return Err(Failure::usage(
            "one file or folder at a time is written to a folder",
            "several go into a ZIP: --zip FILE",
        ));
    };
    let app = App::open(&global.data()).await?;
    let (row, repository) = app.repository(command.repository.as_deref()).await?;
    let snapshot = repository.resolve(&command.snapshot).await?;
    let progress = Progress::new(output);
    let options = ExportOptions {
        overwrite: command.overwrite,
        reporter: progress.as_ref(),
        cancel,
    };
    let path = path.trim_matches('/');
    let exported = async { Ok(export(&repository, snapshot, path, to, &options).await?) };
    let subject = format!("snapshot/{snapshot}");
    let details = serde_json::json!({ "repository": row.name, "paths": [path], "to": to });
    let report = app
        .noted("snapshot.export", &subject, details, exported)
        .await;
    progress.finish();
    let report = report?;
    Ok(told(&report, to, output))
}

fn told(report: &ExportReport, to: &Path, output: &Output) -> Exit {
    for renamed in &report.renamed {
        output.line(format!(
            "renamed: {} is {}",
            visible(&renamed.from),
            renamed.to
        ));
    }
    for left in &report.left_out {
        output.line(format!(
            "left out: {}: {}",
            visible(&left.path),
            left.reason
        ));
    }
    output.event(&serde_json::json!({"event": "result", "report": report}));
    output.line(format!(
        "{} files, {} in {}",
        report.files,
        bytes(report.bytes),
        to.display()
    ));
    if report.left_out.is_empty() {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    }
}

/// The file gets its name when it is whole.
async fn archive(
    command: &Command,
    zip: &Path,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    // Before the server is asked for anything.
    let file = if is_standard_output(zip) {
        None
    } else {
        Some(NewFile::shared(zip, command.overwrite)?)
    };
    let api = Api::open(global).await?;
    let id = resolve(&api, &command.snapshot, command.repository.as_deref()).await?;
    let archive = format!("/snapshots/{id}/archive?{}", asked(command));
    let Some(file) = file else {
        api.copy_out(&archive, output).await?;
        return Ok(Exit::Done);
    };
    let mut handle = tokio::fs::File::from_std(file.handle()?);
    api.copy(&archive, &mut handle, |error| Err(file.unwritable(error)))
        .await?;
    let size = file.finish()?;
    output.result(&serde_json::json!({ "file": zip, "bytes": size }));
    output.line(format!("{} in {}", bytes(size), zip.display()));
    Ok(Exit::Done)
}

/// The query of what is to be in the archive.
fn asked(command: &Command) -> String {
    let all = [
        ("path", &command.path),
        ("project", &command.project),
        ("kind", &command.kind),
    ];
    let named = all
        .into_iter()
        .flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let mut words: Vec<String> = named
        .map(|(name, value)| format!("{name}={}", segment(value)))
        .collect();
    if command.whole {
        words.push("whole=true".to_owned());
    }
    words.join("&")
}
