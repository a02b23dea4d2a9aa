//! What a check found.

use std::fmt;

use serde::Serialize;

use crate::{Error, Result};

/// Millions of blobs may miss for one reason: so many problems are kept, all others counted.
const MOST: usize = 10_000;

/// What is wrong; the name is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The repository cannot be opened at all.
    AccessLost,
    ConfigDamaged,
    KeyDamaged,
    KeyMissing,
    LockDamaged,
    SnapshotDamaged,
    /// Its second copy is there, and its data.
    SnapshotMissing,
    /// A second copy is damaged: nothing is lost as long as the file is whole.
    CopyDamaged,
    /// It lies where nobody looks for it, and nothing is in its place.
    FileMisplaced,
    IndexDamaged,
    IndexNonsense,
    /// A pack that is needed is in no index.
    IndexMissing,
    PackMissing,
    PackSize,
    PackDamaged,
    BlobDamaged,
    BlobMissing,
    TreeDamaged,
    TreeOrder,
    NodeName,
    NodeSize,
    NodeContent,
    /// A note: restic would write other bytes for the same tree.
    TreeNotCanonical,
    /// A note: left over from a run that ended early; prune removes it.
    PackUnindexed,
    /// A note: it lies where nobody looks for it, and its place has one.
    FileStray,
    /// A note: another program forgot the snapshot and pruned its data.
    SnapshotForgotten,
}

impl ProblemKind {
    /// Nothing is lost; unlike an error it needs no action.
    pub fn is_note(self) -> bool {
        matches!(
            self,
            Self::TreeNotCanonical
                | Self::PackUnindexed
                | Self::FileStray
                | Self::SnapshotForgotten
        )
    }
}

/// Something wrong with a file or blob of the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The file of the repository that is damaged or missing, as a path in it; `None` if no file can be named.
    pub file: Option<String>,
    /// The file itself, or the blob, tree or item that is hit.
    pub subject: String,
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) if *file != self.subject => {
                write!(f, "{file}: {}: {}", self.subject, self.reason)
            }
            _ => write!(f, "{}: {}", self.subject, self.reason),
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// At most 10,000.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: u64,
    pub snapshots: u64,
    pub trees: u64,
    pub blobs: u64,
    pub packs: u64,
    /// Packs whose every byte was read.
    pub packs_read: u64,
    pub bytes_read: u64,
    /// Keys, snapshots and the config that lie here once alone; a repair makes their second copies.
    pub copies_missing: u64,
}

impl CheckReport {
    /// Whether there are no errors; there may be notes.
    pub fn is_clean(&self) -> bool {
        self.more_problems == 0 && self.problems.iter().all(|problem| problem.kind.is_note())
    }

    /// Something within a file.
    pub(super) fn add(
        &mut self,
        kind: ProblemKind,
        file: Option<String>,
        subject: impl fmt::Display,
        reason: impl fmt::Display,
    ) {
        if self.problems.len() >= MOST {
            self.more_problems += 1;
            return;
        }
        self.problems.push(Problem {
            kind,
            file,
            subject: subject.to_string(),
            reason: reason.to_string(),
        });
    }

    /// A file as a whole.
    pub(super) fn add_file(
        &mut self,
        kind: ProblemKind,
        file: impl fmt::Display,
        reason: impl fmt::Display,
    ) {
        let file = file.to_string();
        self.add(kind, Some(file.clone()), file, reason);
    }

    /// Damage goes into the report; that the storage cannot be read is an error.
    pub(super) fn add_error(
        &mut self,
        kind: ProblemKind,
        file: impl fmt::Display,
        error: Error,
    ) -> Result<()> {
        match error {
            Error::Damaged { reason, .. } => self.add_file(kind, file, reason),
            Error::FileMissing { .. } => self.add_file(kind, file, "it does not exist"),
            other => return Err(other),
        }
        Ok(())
    }

    /// Like [`Self::add_error`], for something within a file.
    pub(super) fn add_error_in(
        &mut self,
        kind: ProblemKind,
        file: Option<String>,
        subject: impl fmt::Display,
        error: Error,
    ) -> Result<()> {
        match error {
            Error::Damaged { reason, .. } => self.add(kind, file, subject, reason),
            Error::BlobMissing { .. } | Error::FileMissing { .. } => {
                self.add(kind, file, subject, error);
            }
            other => return Err(other),
        }
        Ok(())
    }

    pub(super) fn names(&self, file: &impl ToString) -> bool {
        let file = file.to_string();
        self.problems
            .iter()
            .any(|problem| problem.file.as_ref() == Some(&file))
    }

    pub(super) fn sort(&mut self) {
        self.problems
            .sort_by(|a, b| (a.kind, &a.file, &a.subject).cmp(&(b.kind, &b.file, &b.subject)));
    }
}
