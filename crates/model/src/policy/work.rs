//! Why a run exists, and what it waits for.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why a run was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Somebody started it at the command line and waits for it there.
    #[default]
    Command,
    /// Somebody asked the server for it.
    Request,
    /// Its policy's schedule.
    Schedule,
    /// Its policy's schedule, while the server was away.
    Missed,
    /// An earlier run had failed.
    Retry,
}

/// What keeps a run from going on, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Stable: `source-busy`, `worker-missing`, `workers-busy`, `policy-busy`, `connector-busy`, `retry-later`, `throttled`, `approval`.
    pub code: String,
    pub message: String,
    /// When it goes on, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
