//! What a job is to do, as its row holds it.

use std::collections::BTreeSet;

use model::policy::Selection;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// A backup to be made by whatever worker takes the job; names only, since it may wait for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub backup: String,
    pub repository: String,
    #[serde(default)]
    pub selection: Selection,
    #[serde(default)]
    pub accept_deletions: BTreeSet<String>,
    #[serde(default)]
    pub full: bool,
    #[serde(default)]
    pub bytes_per_second: Option<u64>,
}

impl Order {
    pub(crate) fn read(payload: &str) -> Result<Self> {
        serde_json::from_str(payload).map_err(|error| Error::Request {
            code: "catalog-damaged",
            message: format!("the job's order is not understood: {error}"),
        })
    }

    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Request {
            code: "server-error",
            message: format!("the job's order cannot be written: {error}"),
        })
    }
}
