//! What a verification came to.

use std::collections::BTreeMap;

use model::{Finding, ItemRef, Severity};
use repository::{SnapshotId, TreeId};
use serde::Serialize;

/// Findings of each severity that are named; the counts are of all.
const NAMED: u64 = 1000;

/// What was read, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    pub snapshot: SnapshotId,
    pub tree: TreeId,
    /// Items by kind, comments and files of items included.
    pub items: BTreeMap<String, u64>,
    pub files: u64,
    /// Of all files, clear. Content that several files share counts for each.
    pub bytes: u64,
    pub damage: u64,
    pub doubts: u64,
    pub notes: u64,
    /// The first thousand of each severity, the worst first.
    pub findings: Vec<Finding>,
}

impl VerifyReport {
    pub(super) fn new(snapshot: SnapshotId, tree: TreeId) -> Self {
        Self {
            snapshot,
            tree,
            items: BTreeMap::new(),
            files: 0,
            bytes: 0,
            damage: 0,
            doubts: 0,
            notes: 0,
            findings: Vec::new(),
        }
    }

    /// Nothing is missing or wrong, and nothing is in doubt.
    pub fn is_clean(&self) -> bool {
        self.damage == 0 && self.doubts == 0
    }

    pub(super) fn add(
        &mut self,
        code: &str,
        severity: Severity,
        item: Option<ItemRef>,
        path: &str,
        message: String,
    ) {
        self.push(Finding {
            code: code.to_owned(),
            severity,
            item,
            path: path.to_owned(),
            message,
        });
    }

    pub(super) fn push(&mut self, finding: Finding) {
        let count = match finding.severity {
            Severity::Damage => &mut self.damage,
            Severity::Doubt => &mut self.doubts,
            Severity::Note => &mut self.notes,
        };
        *count += 1;
        if *count <= NAMED {
            self.findings.push(finding);
        }
    }

    pub(super) fn finish(&mut self) {
        self.findings.sort_by(|a, b| {
            (b.severity, &a.path, &a.code, &a.message)
                .cmp(&(a.severity, &b.path, &b.code, &b.message))
        });
    }
}
