//! `keepward repository check`.

use std::str::FromStr;
use std::sync::Arc;

use clap::Args;
use model::Clock as _;
use repository::{CheckOptions, CheckReport, Problem, ProblemKind, ReadData, Repository};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::place::{Found, Known, Place, holder};
use crate::app::only_here;
use crate::client::{Api, segment};
use crate::clock::SystemClock;
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::{Output, bytes};
use crate::progress::Progress;

/// Problems that are shown as text; `--json` has all of them.
const MOST_SHOWN: usize = 100;
const SECONDS_A_DAY: i64 = 86_400;

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    place: Place,
    /// Read and verify every pack too, or a part of them: `5%` is another twentieth each day, `2/7` the second seventh
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "100%", value_name = "N%|N/M")]
    read_data: Option<Part>,
}

/// Which packs to read.
#[derive(Clone, Copy)]
enum Part {
    Share(f64),
    Slice(u32, u32),
}

impl FromStr for Part {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected a share like 5% or a part like 2/7";
        if let Some(percent) = text.strip_suffix('%') {
            let percent: f64 = percent.parse().map_err(|_| EXPECTED)?;
            return if percent > 0.0 && percent <= 100.0 {
                Ok(Self::Share(percent / 100.0))
            } else {
                Err("a share is more than 0% and at most 100%")
            };
        }
        let (number, count) = text.split_once('/').ok_or(EXPECTED)?;
        let (number, count) = (number.parse(), count.parse());
        match (number, count) {
            (Ok(number), Ok(count)) if (1..=count).contains(&number) => {
                Ok(Self::Slice(number, count))
            }
            (Ok(_), Ok(_)) => Err("the parts of N/M are numbered from 1 to M"),
            _ => Err(EXPECTED),
        }
    }
}

impl Part {
    fn today(self) -> ReadData {
        match self {
            Self::Share(1.0) => ReadData::All,
            Self::Share(share) => {
                let day = SystemClock.now().as_second() / SECONDS_A_DAY;
                ReadData::daily(share, u32::try_from(day).unwrap_or(0))
            }
            Self::Slice(number, count) => ReadData::slice(number, count),
        }
    }
}

pub(super) async fn check(
    global: &Global,
    options: Check,
    output: &Output,
) -> Result<Exit, Failure> {
    let found = options.place.find_to_read(global).await?;
    let read_data = options.read_data.map_or(ReadData::None, Part::today);
    let options = CheckOptions { read_data };
    let report = examine(&found, &options, output).await?;
    if let Some(Known { app, row }) = &found.known {
        app.control.note_checked(row, &options, &report).await?;
    }
    show(&report, &found.location, output)
}

async fn examine(
    found: &Found,
    options: &CheckOptions,
    output: &Output,
) -> Result<CheckReport, Failure> {
    let opened = Repository::open(Arc::clone(&found.store), &found.password).await;
    let repository = match opened {
        Ok(repository) => repository,
        Err(error) => {
            let store = Arc::clone(&found.store);
            let checked = Repository::check_damaged(store, &found.password, error, options);
            return checked.await.map_err(|error| found.failure(error));
        }
    };
    let progress = Progress::new(output);
    let lock = repository
        .lock_to_read(&holder(), progress.as_ref())
        .await?;
    let report = repository.check_reporting(options, progress.as_ref()).await;
    progress.finish();
    lock.release().await?;
    let mut report = report?;
    if let Some(known) = &found.known {
        report.problems.extend(
            known
                .app
                .control
                .lost_snapshots(&repository, &report)
                .await?,
        );
    }
    Ok(report)
}

fn show(report: &CheckReport, location: &str, output: &Output) -> Result<Exit, Failure> {
    let (notes, problems): (Vec<_>, Vec<_>) = report
        .problems
        .iter()
        .partition(|problem| problem.kind.is_note());
    for problem in &problems {
        output.event(&serde_json::json!({
            "event": "problem", "kind": problem.kind, "file": problem.file, "subject": problem.subject,
            "reason": problem.reason, "message": problem.to_string(),
        }));
    }
    for problem in problems.iter().take(MOST_SHOWN) {
        output.line(format!("problem: {problem}"));
    }
    let count = problems.len() as u64 + report.more_problems;
    if count > MOST_SHOWN as u64 {
        let more = count - MOST_SHOWN as u64;
        output.line(format!("and {more} more problems (--json shows them)"));
    }
    tell_notes(&notes, report, output);
    output.event(&serde_json::json!({
        "event": "result", "repository": location, "ok": count == 0, "problems": count, "notes": notes.len(),
        "snapshots": report.snapshots, "trees": report.trees, "blobs": report.blobs, "packs": report.packs,
        "packs_read": report.packs_read, "bytes_read": report.bytes_read, "copies_missing": report.copies_missing,
    }));
    if count == 0 {
        output.line(format!(
            "{location}: no problem found in {} snapshots, {} trees and {} packs, {} of them read whole ({})",
            report.snapshots,
            report.trees,
            report.packs,
            report.packs_read,
            bytes(report.bytes_read)
        ));
        return Ok(Exit::Done);
    }
    Err(Failure::coded(
        "repository-damaged",
        format!("{location}: {count} problems found"),
    ))
}

/// What is no damage, and worth to know.
fn tell_notes(notes: &[&Problem], report: &CheckReport, output: &Output) {
    for note in notes {
        output.event(&serde_json::json!({
            "event": "note", "kind": note.kind, "file": note.file, "message": note.to_string(),
        }));
    }
    let left = notes
        .iter()
        .filter(|note| note.kind == ProblemKind::PackUnindexed)
        .count();
    if left > 0 {
        output.line(format!("note: {left} packs are in no index and not needed: `keepward repository prune` removes them"));
    }
    for stray in notes
        .iter()
        .filter(|note| note.kind == ProblemKind::FileStray)
    {
        output.line(format!("note: {stray}"));
    }
    if report.copies_missing > 0 {
        output.line(format!(
            "note: {} small files have no second copy yet: `keepward repository repair access` and `repair snapshots` make them",
            report.copies_missing
        ));
    }
}

/// A server checks the repositories that it knows, all packs or a share of them.
pub(super) async fn ask(
    api: &Api,
    options: Check,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let which = options.place.known().ok_or_else(only_here)?;
    let name = which.asked(api).await?;
    let percent = match options.read_data {
        None => 0,
        Some(Part::Share(share)) => {
            let whole = (1..=100_u8).find(|percent| f64::from(*percent) >= share * 100.0);
            whole.unwrap_or(100)
        }
        Some(Part::Slice(..)) => return Err(only_here()),
    };
    let path = format!("/repositories/{}/check", segment(&name));
    let body = json!({ "read_percent": percent });
    let queued = api.post(&path, Some(&body)).await?;
    let run = follow::follow(api, &queued, output, cancel).await?;
    follow::tell_issues(api, &run, "problem", MOST_SHOWN, output).await?;
    let exit = follow::exit(&run);
    output.result(&follow::result(&run));
    let found = &run["result"];
    if !found.is_null() {
        output.line(format!(
            "{name}: {} problems in {} snapshots, {} trees and {} packs, {} of them read whole",
            found["damage"],
            found["snapshots"],
            found["trees"],
            found["packs"],
            found["packs_read"]
        ));
    }
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_shares_or_slices() {
        for text in ["5%", "0.5%", "100%", "1/1", "7/7"] {
            assert!(text.parse::<Part>().is_ok(), "{text}");
        }
        for text in ["", "%", "0%", "101%", "-1%", "0/7", "8/7", "1/", "5", "all"] {
            assert!(text.parse::<Part>().is_err(), "{text}");
        }
    }
}
