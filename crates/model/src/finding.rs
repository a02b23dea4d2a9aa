//! What a verification found out about a snapshot.

use serde::{Deserialize, Serialize};

use crate::ItemRef;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The snapshot holds all that the service gave; the organization itself is like this, or the run said so.
    Note,
    /// The snapshot alone cannot tell whether something is missing.
    Doubt,
    /// Something that the snapshot is to hold is missing or wrong.
    Damage,
}

/// Something that a person should know about a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable, in [`crate::code::CODES`].
    pub code: String,
    pub severity: Severity,
    /// The item, when one alone is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemRef>,
    /// In the snapshot: a file or folder; empty when it is not about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    pub message: String,
}
