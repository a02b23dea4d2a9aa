//! What a person should know about a run.

use serde::{Deserialize, Serialize};

use crate::ItemRef;

/// What kind of trouble it is; it decides whether a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The credential is refused: nothing more can be read until someone signs in again.
    Credential,
    /// The identity may not read or write this.
    Permission,
    /// The service asked us to slow down and we ran out of patience.
    Throttled,
    /// The service or the network failed for a while.
    Transient,
    /// The answer does not make sense: not JSON, cut short, a wrong checksum.
    Malformed,
    /// It is not there.
    Missing,
    /// Far fewer items than before: kept as they were.
    Implausible,
    /// The product cannot do this with this kind of data.
    Unsupported,
    /// The same thing is already there.
    Conflict,
    /// Our own store is at fault.
    Storage,
}

/// Something in a run that a person should know (design rule 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Stable, in [`crate::code::CODES`]; `keepward explain CODE` tells what to do.
    pub code: String,
    pub class: Class,
    pub kind: String,
    /// The project or empty for the whole organization.
    pub scope: String,
    /// The item, when one alone is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemRef>,
    /// Names the thing and what happened, without secrets.
    pub message: String,
    /// What the person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
