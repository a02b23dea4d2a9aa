//! What a snapshot holds: items, and the file that describes them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Issue, KindCounts, Picks};

/// One item of a source by the service's own stable id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ItemRef {
    pub kind: String,
    /// The project's id for kinds that live in a project, else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    pub id: String,
}

impl ItemRef {
    pub fn new(kind: &str, scope: &str, id: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            scope: scope.to_owned(),
            id: id.to_owned(),
        }
    }
}

impl std::fmt::Display for ItemRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// An item that could not be read; the snapshot has it as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaleItem {
    pub item: ItemRef,
    /// When it was last read.
    pub read: Timestamp,
}

/// The content of `source.json` at the top of a snapshot: with it the repository alone is enough to go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceFile {
    /// 1.
    pub schema: u32,
    /// The name of the service: `azure-devops`.
    pub service: String,
    /// The organization, lower case.
    pub source: String,
    pub url: String,
    pub connector: String,
    pub run: String,
    pub job: String,
    /// The fencing token of the job that wrote it (design section 7).
    pub token: i64,
    pub started: Timestamp,
    pub finished: Timestamp,
    /// The kinds that the run was to back up; others are "not selected", never deleted.
    pub selection: Vec<String>,
    /// Items by kind; others are "not selected" and as they were when they last were.
    #[serde(default, skip_serializing_if = "Picks::is_empty")]
    pub picks: Picks,
    /// Kinds whose drop a person has confirmed for this run.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub accepted: BTreeSet<String>,
    /// Cursor by `kind` or `kind/scope`.
    pub cursors: BTreeMap<String, String>,
    pub counts: BTreeMap<String, KindCounts>,
    /// `kind` or `kind/scope` whose content was carried over from the snapshot before, with the time it was last read.
    #[serde(default)]
    pub stale: BTreeMap<String, Timestamp>,
    /// Single items that were carried over, of kinds that could be read otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stale_items: Vec<StaleItem>,
    #[serde(default)]
    pub issues: Vec<Issue>,
    #[serde(default)]
    pub requests: u64,
}
