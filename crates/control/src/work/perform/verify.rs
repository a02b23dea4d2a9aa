//! The verification of a snapshot as a run.

use std::sync::Arc;

use catalog::{KnownSnapshot, RepositoryRow, SourceKey};
use engine::verify::VerifyReport;
use model::{Class, Finding, Issue, Severity};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::super::settle::{Failed, Outcome};
use super::super::watch::Tap;
use crate::maintenance::{VerifyJob, Wanted};
use crate::{Control, Error, Result};

impl Control {
    pub(super) async fn make_verify(
        &self,
        order: &VerifyJob,
        tap: &Arc<Tap>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        let row = self.catalog.repository(&order.repository).await?;
        let snapshot = self.wanted(&row, &order.wanted).await?;
        let damaged = |_| Error::Request {
            code: "catalog-damaged",
            message: format!("the id of snapshot {}", snapshot.id),
        };
        let id = snapshot.id.parse().map_err(damaged)?;
        let repository = self.read_repository(&row).await?;
        let verified = self
            .verify(&repository, id, &order.by, tap.as_ref(), cancel)
            .await;
        repository.close().await;
        Ok(outcome(&snapshot, &verified?))
    }

    async fn wanted(&self, row: &RepositoryRow, wanted: &Wanted) -> Result<KnownSnapshot> {
        let source = match wanted {
            Wanted::Snapshot(id) => return Ok(self.catalog.find_snapshot(id).await?),
            Wanted::Newest(source) => source,
        };
        let key = SourceKey {
            repository: row.id.clone(),
            id: source.clone(),
        };
        let newest = self.catalog.latest_snapshot(&key, None).await?;
        Ok(newest.ok_or_else(|| catalog::Error::SnapshotUnknown {
            id: format!("latest of {}", source.address),
        })?)
    }
}

fn outcome(snapshot: &KnownSnapshot, report: &VerifyReport) -> Outcome {
    let named = report
        .findings
        .iter()
        .filter(|finding| finding.severity != Severity::Note);
    let damage = report.damage;
    Outcome {
        snapshot: Some(snapshot.id.clone()),
        issues: named.map(issue).collect(),
        failed: (damage > 0).then(|| {
            let short = snapshot.id.get(..8).unwrap_or(&snapshot.id);
            Failed::damaged(format!(
                "snapshot {short} of {} is damaged: {damage} findings",
                snapshot.name
            ))
        }),
        result: Some(json!({
            "damage": damage, "doubts": report.doubts, "notes": report.notes, "items": report.items,
            "files": report.files, "bytes": report.bytes,
        })),
        ..Outcome::default()
    }
}

fn issue(finding: &Finding) -> Issue {
    let item = finding.item.as_ref();
    Issue {
        code: finding.code.clone(),
        class: Class::Storage,
        kind: item.map_or_else(String::new, |item| item.kind.clone()),
        scope: item.map_or_else(String::new, |item| item.scope.clone()),
        item: finding.item.clone(),
        message: finding.message.clone(),
        hint: None,
    }
}
