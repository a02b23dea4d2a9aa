//! `keepward repository prune`.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use control::PruneRequest;
use jiff::SignedDuration;
use repository::{Limit, PruneOptions, PruneReport, parse_size};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Which;
use crate::app::App;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::{Output, bytes};
use crate::progress::Progress;

#[derive(Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    which: Which,
    /// Only say what would be done, to the byte
    #[arg(long)]
    dry_run: bool,
    /// Unused data that may stay in packs that are partly used: a share of what is left, a size like 500M, or `unlimited`
    #[arg(long, value_name = "LIMIT", default_value = "5%")]
    max_unused: Limit,
    /// Rewrite packs of this size at most, like 20G
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_repack_size: Option<u64>,
    /// Leave alone what is younger than this
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = super::time)]
    grace: Duration,
    /// How long to wait for running backups before anything is removed
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = super::time)]
    wait: Duration,
    /// Prune although the newest snapshot of this organization has far fewer items than one before
    #[arg(long, value_name = "ORGANIZATION")]
    accept_drop: Vec<String>,
}

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).ok_or_else(|| format!("{text:?} is not a size; write it like 500M or 20G"))
}

pub(super) async fn prune(app: &App, options: Prune, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app.repository_to_write(options.which.name()).await?;
    let request = PruneRequest {
        options: PruneOptions {
            max_unused: options.max_unused,
            max_repack_bytes: options.max_repack_size,
            grace: SignedDuration::try_from(options.grace).unwrap_or(SignedDuration::MAX),
        },
        accept_drop: BTreeSet::from_iter(options.accept_drop),
        dry_run: options.dry_run,
        patience: options.wait,
    };
    let progress = Progress::new(output);
    let pruned = async {
        let pruned = app.control.prune(&repository, &request, progress.as_ref());
        Ok(pruned.await?)
    };
    let report = if request.dry_run {
        pruned.await
    } else {
        let subject = format!("repository/{}", row.name);
        let details = json!({ "accept_drop": request.accept_drop });
        app.noted("repository.prune", &subject, details, pruned)
            .await
    };
    progress.finish();
    show(&report?, output);
    Ok(Exit::Done)
}

fn show(report: &PruneReport, output: &Output) {
    output.result(report);
    let PruneReport {
        packs_kept,
        packs_repacked,
        packs_removed,
        ..
    } = report;
    output.line(format!(
        "packs: {packs_kept} kept, {packs_repacked} rewritten into {}, {packs_removed} removed",
        bytes(report.bytes_repacked)
    ));
    for (count, what) in [
        (
            report.unindexed_removed,
            "packs removed that no index named: left by killed backups",
        ),
        (
            report.leftovers_removed,
            "halves of files removed: left by killed uploads",
        ),
        (
            report.packs_young,
            "of the kept packs are too young to look at (--grace)",
        ),
    ] {
        if count > 0 {
            output.line(format!("{count} {what}"));
        }
    }
    if report.snapshots_lost > 0 {
        output.line(format!(
            "{} snapshots have lost their file; their data stays. Bring them back: keepward repository repair snapshots. Or let them go: keepward snapshot forget ID \
             (keepward repository check names them)",
            report.snapshots_lost
        ));
    }
    if report.bytes_unused > 0 {
        let unused = bytes(report.bytes_unused);
        output.line(format!(
            "{unused} stay unused in packs that are partly used (--max-unused)"
        ));
    }
    let verb = if report.dry_run {
        "would free"
    } else {
        "freed"
    };
    let (freed, before) = (bytes(report.bytes_freed), bytes(report.bytes_before));
    output.line(format!("{verb} {freed} of {before}"));
}

/// A server prunes by its own measures.
pub(super) async fn ask(
    api: &Api,
    options: Prune,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let name = options.which.asked(api).await?;
    let body = json!({ "dry_run": options.dry_run, "accept_drop": options.accept_drop });
    let path = format!("/repositories/{}/prune", segment(&name));
    let queued = api.post(&path, Some(&body)).await?;
    let run = follow::follow(api, &queued, output, cancel).await?;
    let exit = follow::exit(&run)?;
    output.result(&follow::result(&run));
    let report = &run["result"];
    let size = |key: &str| bytes(report[key].as_u64().unwrap_or(0));
    output.line(format!(
        "packs: {} kept, {} rewritten, {} removed",
        report["packs_kept"], report["packs_repacked"], report["packs_removed"]
    ));
    let verb = if options.dry_run {
        "would free"
    } else {
        "freed"
    };
    output.line(format!(
        "{verb} {} of {}",
        size("bytes_freed"),
        size("bytes_before")
    ));
    Ok(exit)
}
