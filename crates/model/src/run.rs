//! Runs and jobs: one execution of a request, and its unit of work.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Reason, Waiting};

/// What a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    Backup,
    /// Says what a restore would do.
    Plan,
    Restore,
    Check,
    Prune,
    /// Reads snapshots back.
    Verify,
    /// Makes the catalog agree with a repository.
    Sync,
}

/// How a run stands. `SucceededWithIssues` is exit code 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Queued,
    Running,
    Succeeded,
    SucceededWithIssues,
    Failed,
    Canceled,
}

/// How a job stands in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Leased,
    Succeeded,
    Failed,
    Canceled,
}

/// What one kind held and what changed since the snapshot before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindCounts {
    /// Items of this kind in the snapshot.
    pub items: u64,
    pub added: u64,
    pub changed: u64,
    pub removed: u64,
    /// Bytes received for this kind in this run, before compression.
    pub bytes: u64,
    pub requests: u64,
}

/// What a run did in all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub kinds: BTreeMap<String, KindCounts>,
    pub requests: u64,
    pub bytes_received: u64,
    /// Bytes that were new to the repository, after compression and encryption.
    pub bytes_stored: u64,
    pub blobs_stored: u64,
    /// What could not be read and stayed as it was, as in [`crate::SourceFile::stale`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stale: BTreeMap<String, Timestamp>,
}

impl Counts {
    /// Of a backup that ended then: when everything that was selected had been read. What could not be read since is as old as when it was.
    pub fn whole(&self, finished: Timestamp) -> Timestamp {
        self.stale.values().copied().fold(finished, Timestamp::min)
    }
}

/// The checkpoint that a run went on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// The run that made it.
    pub run: String,
    pub at: Timestamp,
}

/// One execution of a policy or request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub kind: RunKind,
    pub connector: String,
    pub repository: String,
    pub state: RunState,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
    pub snapshot: Option<String>,
    pub counts: Counts,
    /// The error that ended it, for `Failed`.
    pub error: Option<String>,
    /// It did not begin anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Resumed>,
    /// The policy that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    #[serde(default)]
    pub reason: Reason,
    /// The run that this one tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// What keeps it from going on, as it was last seen; `None` while it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// What it came to beside its counts: what a check found, what a prune freed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<serde_json::Value>,
}
