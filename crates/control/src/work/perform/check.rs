//! The check of a repository as a run.

use std::sync::Arc;

use model::{Class, Issue};
use repository::{CheckOptions, CheckReport};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::settle::{Failed, Outcome};
use super::super::watch::Tap;
use crate::maintenance::{CheckJob, problems};
use crate::{Control, Result};

/// Problems that are issues of the run; all are counted.
const NAMED: usize = 1000;

impl Control {
    pub(super) async fn make_check(
        &self,
        order: &CheckJob,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let row = self.catalog.repository(&order.repository).await?;
        let options = CheckOptions {
            read_data: order.read_data(),
        };
        let report = tokio::select! {
            report = self.check_repository(&row, &options, tap.as_ref()) => report?,
            () = cancel.cancelled() => return Err(engine::Error::Canceled.into()),
        };
        Ok(outcome(&row.name, order, &report))
    }
}

fn outcome(name: &str, order: &CheckJob, report: &CheckReport) -> Outcome {
    let count = problems(report);
    let errors = report
        .problems
        .iter()
        .filter(|problem| !problem.kind.is_note());
    let issues = errors.take(NAMED).map(|problem| Issue {
        code: "repository-damaged".to_owned(),
        class: Class::Storage,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: problem.to_string(),
        hint: None,
    });
    let notes = report.problems.len() as u64 + report.more_problems - count;
    Outcome {
        issues: issues.collect(),
        failed: (count > 0)
            .then(|| Failed::damaged(format!("repository {name} is damaged: {count} problems"))),
        result: Some(json!({
            "damage": count, "notes": notes, "snapshots": report.snapshots, "trees": report.trees, "blobs": report.blobs,
            "packs": report.packs, "packs_read": report.packs_read, "bytes_read": report.bytes_read,
            "copies_missing": report.copies_missing, "read_percent": order.read_percent,
        })),
        ..Outcome::default()
    }
}
