//! Brings back what can be brought back after damage, and names what cannot.
//!
//! The order of repairs: access (nothing else works without it), index, snapshots. Each writes what is new before it removes
//! what it replaces, so that a crash in between costs nothing but another repair.

mod access;
mod index;
mod snapshots;
mod trees;

use std::fmt;

use serde::Serialize;

pub use snapshots::{LOST_MEMBER, REPAIRED_TAG};

use crate::{Error, LockGuard, Repository, Result};

/// What a repair did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepairReport {
    pub dry_run: bool,
    pub repaired: Vec<Step>,
    /// What cannot be brought back from this repository alone.
    pub lost: Vec<Step>,
}

/// A file, or a path in a snapshot, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub subject: String,
    pub what: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.what)
    }
}

impl RepairReport {
    fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            ..Self::default()
        }
    }

    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.repaired.is_empty() && self.lost.is_empty()
    }

    fn repaired(&mut self, subject: impl fmt::Display, what: impl fmt::Display) {
        self.repaired.push(step(subject, what));
    }

    fn lost(&mut self, subject: impl fmt::Display, what: impl fmt::Display) {
        self.lost.push(step(subject, what));
    }
}

fn step(subject: impl fmt::Display, what: impl fmt::Display) -> Step {
    Step {
        subject: subject.to_string(),
        what: what.to_string(),
    }
}

async fn need_exclusive(repository: &Repository, lock: &LockGuard) -> Result<()> {
    if !lock.is_exclusive() {
        return Err(Error::LockLost("a repair needs an exclusive lock"));
    }
    lock.verify(repository).await
}

/// What the storage holds for a time stays beside what replaces it.
fn unless_held(removed: Result<()>) -> Result<()> {
    match removed {
        Err(Error::ObjectLocked { .. }) => Ok(()),
        other => other,
    }
}

/// `None` for damage; errors of the storage stay errors.
fn unless_damaged<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Damaged { .. } | Error::FileMissing { .. } | Error::BlobMissing { .. }) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
