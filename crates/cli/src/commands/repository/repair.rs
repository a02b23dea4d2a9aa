//! `keepward repository repair`.

use std::sync::Arc;

use clap::{Args, Subcommand};
use repository::{LockGuard, RepairReport, Repository};
use serde_json::json;

use super::by;
use super::place::{Found, Place, holder};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Repair {
    /// Bring back damaged key files and the config, from their second copies where there are any; remove damaged locks
    #[command(
        after_help = "Examples:\n  keepward repository repair access --dry-run\n  keepward repository repair access /backup/contoso --password-file ~/contoso.password\n\n\
        A key file that cannot be brought back costs its password alone, as long as another key opens the repository: add the password again. \
        A config that is lost with its copy is made anew; everything stays readable."
    )]
    Access(Access),
    /// Make the index anew from the packs: after index files were lost, or packs damaged
    #[command(
        after_help = "Examples:\n  keepward repository repair index --dry-run\n  keepward repository repair index --read-data\n\n\
        What is still readable in damaged packs is saved into new ones. Damage inside a pack shows with --read-data alone. \
        Afterwards `repair snapshots` says which items are lost."
    )]
    Index(Index),
    /// Bring back snapshot files; write new snapshots without the items that are lost, and name these
    #[command(
        after_help = "Examples:\n  keepward repository repair snapshots --dry-run\n  keepward repository repair snapshots --forget\n\n\
        The index is repaired before, as by `repair index`. The new snapshots have the tag keepward-repaired, and the next backup reads everything anew."
    )]
    Snapshots(Snapshots),
}

#[derive(Args)]
pub(crate) struct Access {
    #[command(flatten)]
    place: Place,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Index {
    #[command(flatten)]
    place: Place,
    /// Read all packs whole, not only their headers
    #[arg(long)]
    read_data: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Args)]
pub(crate) struct Snapshots {
    #[command(flatten)]
    place: Place,
    /// Forget the damaged originals
    #[arg(long)]
    forget: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn repair(
    global: &Global,
    command: Repair,
    output: &Output,
) -> Result<Exit, Failure> {
    let (place, what, details, dry_run) = match &command {
        Repair::Access(options) => (&options.place, "access", json!({}), options.dry_run),
        Repair::Index(options) => {
            let details = json!({ "read_data": options.read_data });
            (&options.place, "index", details, options.dry_run)
        }
        Repair::Snapshots(options) => {
            let details = json!({ "forget": options.forget });
            (&options.place, "snapshots", details, options.dry_run)
        }
    };
    let found = place.find(global).await?;
    let repaired = Box::pin(mend(&found, &command));
    let report = match &found.known {
        Some(known) if !dry_run => {
            let action = format!("repository.repair-{what}");
            let subject = format!("repository/{}", known.row.name);
            known
                .app
                .noted(&action, &subject, details, repaired)
                .await?
        }
        _ => repaired.await?,
    };
    let exit = show(&report, output);
    if let Some(next) = next(&command, &report) {
        output.line(next);
    }
    Ok(exit)
}

async fn mend(found: &Found, command: &Repair) -> Result<RepairReport, Failure> {
    match command {
        Repair::Access(options) => {
            let known = found.known.as_ref();
            let id = known.and_then(|known| known.row.id.parse().ok());
            let store = Arc::clone(&found.store);
            Ok(
                Repository::repair_access(store, &found.password, &by(), id, options.dry_run)
                    .await?,
            )
        }
        Repair::Index(options) => {
            let repository = found.open().await?;
            let lock = repository.lock_exclusive(&holder()).await?;
            let report = repository
                .repair_index(&lock, options.read_data, options.dry_run)
                .await;
            released(lock, report).await
        }
        Repair::Snapshots(options) => {
            let repository = found.open().await?;
            let lock = repository.lock_exclusive(&holder()).await?;
            let report = repository
                .repair_snapshots(&lock, options.forget, options.dry_run)
                .await;
            let report = released(lock, report).await?;
            if let Some(known) = &found.known
                && !report.dry_run
                && let Err(error) = known.app.control.sync(&repository).await
            {
                // What was repaired is told all the same; the damaged originals cannot be listed.
                tracing::warn!(%error, "the catalog does not list all that the repository has now");
            }
            Ok(report)
        }
    }
}

async fn released(
    lock: LockGuard,
    report: repository::Result<RepairReport>,
) -> Result<RepairReport, Failure> {
    let released = lock.release().await;
    let report = report?;
    released?;
    Ok(report)
}

/// What may still be to do.
fn next(command: &Repair, report: &RepairReport) -> Option<&'static str> {
    let read_data = match command {
        Repair::Access(_) => return None,
        Repair::Index(options) => options.read_data,
        Repair::Snapshots(_) => false,
    };
    if report.is_nothing() {
        let unread = "the content of packs was not read: `keepward repository repair index --read-data` does";
        return (!read_data).then_some(unread);
    }
    let changed = matches!(command, Repair::Index(_)) && !report.dry_run;
    changed
        .then_some("next: `keepward repository repair snapshots`, for what this means to snapshots")
}

fn show(report: &RepairReport, output: &Output) -> Exit {
    let (would, lost) = if report.dry_run {
        ("would repair", "would be lost")
    } else {
        ("repaired", "lost")
    };
    for (event, verb, steps) in [
        ("repaired", would, &report.repaired),
        ("lost", lost, &report.lost),
    ] {
        for step in steps {
            output.event(
                &serde_json::json!({"event": event, "subject": step.subject, "what": step.what}),
            );
            output.line(format!("{verb}: {step}"));
        }
    }
    output.event(&serde_json::json!({
        "event": "result", "dry_run": report.dry_run, "repaired": report.repaired.len(), "lost": report.lost.len(),
    }));
    if report.is_nothing() {
        output.line("there is nothing to repair");
    }
    if report.lost.is_empty() {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    }
}
