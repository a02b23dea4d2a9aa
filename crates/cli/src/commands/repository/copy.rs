//! `keepward repository copy`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use repository::{CopyOptions, Repository, SnapshotId};
use serde_json::json;

use super::place;
use crate::app::{self, App};
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes};
use crate::progress::Progress;

#[derive(Args)]
pub(crate) struct Copy {
    /// Ids, or beginnings of ids [default: all that the target does not have]
    snapshots: Vec<String>,
    /// The repository to copy from: its name here, or its path together with --from-password-file
    #[arg(long, value_name = "NAME|PATH")]
    from: String,
    /// The file whose first line opens the repository at the path
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// The repository to copy into: its name here, or its path together with --to-password-file
    #[arg(long, value_name = "NAME|PATH")]
    to: String,
    /// The file whose first line opens the repository at the path
    #[arg(long, value_name = "FILE")]
    to_password_file: Option<PathBuf>,
    /// How long to wait while one of them is locked exclusively
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = super::time)]
    wait: Duration,
}

/// One side of a copy.
struct Side {
    shown: String,
    /// The catalog lists its snapshots.
    is_known: bool,
    repository: Repository,
}

async fn side(app: &App, named: &str, password_file: Option<&PathBuf>) -> Result<Side, Failure> {
    if let Some(file) = password_file {
        let (store, location) = repository::store_from(named)?;
        let repository = Repository::open(store, &app::read_secret(file)?).await?;
        return Ok(Side {
            shown: location.to_string(),
            is_known: false,
            repository,
        });
    }
    let (row, repository) = app.repository(Some(named)).await?;
    Ok(Side {
        shown: row.name,
        is_known: true,
        repository,
    })
}

pub(super) async fn copy(app: &App, options: Copy, output: &Output) -> Result<Exit, Failure> {
    let from = side(app, &options.from, options.from_password_file.as_ref()).await?;
    let to = side(app, &options.to, options.to_password_file.as_ref()).await?;
    if from.repository.id() == to.repository.id() {
        return Err(Failure::usage(
            format!("{} and {} are the same repository", from.shown, to.shown),
            "give another one: --to NAME, or --to PATH --to-password-file FILE",
        ));
    }
    let wanted = wanted(&from.repository, &options.snapshots).await?;
    let holder = place::holder().with_patience(options.wait);
    let progress = Progress::new(output);
    let how = CopyOptions::default();
    let copied = async {
        let (from, to) = (&from.repository, &to.repository);
        let copied = from.copy_to(to, &wanted, &holder, &how, progress.as_ref());
        Ok(Box::pin(copied).await?)
    };
    let details = json!({ "to": to.shown, "snapshots": wanted.len() });
    let subject = format!("repository/{}", from.shown);
    let copied = app
        .noted("repository.copy", &subject, details, copied)
        .await;
    progress.finish();
    // Also after a failure: the snapshots that were copied before it are there.
    if to.is_known {
        app.control.sync(&to.repository).await?;
    }
    let report = copied?;
    output.result(&report);
    output.line(format!(
        "{} snapshots copied from {} to {}, {} were there already",
        report.snapshots_copied, from.shown, to.shown, report.snapshots_present
    ));
    output.line(format!(
        "{} blobs, {}, stored as {}; {} folders read back and found whole",
        report.blobs_copied,
        bytes(report.bytes_copied),
        bytes(report.bytes_stored),
        report.trees_proved
    ));
    Ok(Exit::Done)
}

async fn wanted(from: &Repository, names: &[String]) -> Result<Vec<SnapshotId>, Failure> {
    let mut ids = Vec::new();
    if names.is_empty() {
        let snapshots = from.snapshots().await?;
        ids.extend(snapshots.into_iter().map(|(id, _)| id));
    }
    for name in names {
        ids.push(from.resolve(name).await?);
    }
    Ok(ids)
}
