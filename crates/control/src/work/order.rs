//! What a job is to do, as its row holds it.

use std::collections::BTreeSet;

use model::policy::Selection;
use serde::{Deserialize, Serialize};

use crate::maintenance::{CheckJob, PruneJob, VerifyJob};
use crate::{Error, Result};

/// The storage of jobs that are for the worker in a server's own process alone: no other names it as one that it reaches.
pub(crate) const HERE: &str = "";

/// Names only, since a job may wait for long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    Backup(BackupJob),
    /// Makes the restore plan of this id.
    Plan(String),
    /// Applies the restore plan of this id.
    Restore(String),
    Check(CheckJob),
    Prune(PruneJob),
    Verify(VerifyJob),
    /// Makes the catalog agree with the repository of this name.
    Sync(String),
}

/// A backup to be made by whatever worker takes the job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupJob {
    pub connector: String,
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

    /// The backup; workers elsewhere are given no other work.
    pub(crate) fn backup(payload: &str) -> Result<BackupJob> {
        match Self::read(payload)? {
            Self::Backup(backup) => Ok(backup),
            _ => Err(Error::Request {
                code: "catalog-damaged",
                message: "the job is no backup, and a worker elsewhere has it".to_owned(),
            }),
        }
    }

    pub(crate) fn text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::Request {
            code: "server-error",
            message: format!("the job's order cannot be written: {error}"),
        })
    }
}
