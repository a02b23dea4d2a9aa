//! What can go wrong, with a stable code for users.

use std::sync::Arc;

use crate::{BlobType, FileKind, Id, LockInfo, SnapshotId};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the repository; [`Error::code`] is what `keepward explain` knows.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("there is no repository at {0}")]
    NotFound(String),
    #[error("there is already a repository at {0}")]
    Exists(String),
    #[error("the password opens none of the repository's {keys} keys")]
    WrongPassword { keys: usize },
    #[error("the repository has version {0} of the format, only version 2 is supported")]
    UnsupportedVersion(u64),
    #[error("the location {location:?} is not supported: {reason}")]
    UnsupportedLocation {
        location: String,
        reason: &'static str,
    },
    #[error("the credential of the storage cannot be used: {0}")]
    StoreCredential(&'static str),
    /// Object lock was asked for, and the storage did not prove that it keeps it.
    #[error("{place} is not proved to be immutable: {reason}")]
    NotImmutable { place: String, reason: String },
    #[error("cannot {action}: it is locked until {until}")]
    ObjectLocked {
        action: String,
        until: jiff::Timestamp,
    },
    #[error("{what} is damaged: {reason}")]
    Damaged { what: String, reason: String },
    #[error("{kind} blob {id} is in no index")]
    BlobMissing { kind: BlobType, id: Id },
    /// Neither end of a copy has it; all other snapshots were copied.
    #[error("snapshot {} cannot be copied whole{}: {cause}", snapshot.short(), and_others(*others))]
    CopyBroken {
        snapshot: SnapshotId,
        others: usize,
        cause: Arc<Self>,
    },
    #[error("{kind} file {id} does not exist")]
    FileMissing { kind: FileKind, id: Id },
    #[error("no snapshot has the id {0:?}")]
    SnapshotUnknown(String),
    #[error("several snapshots begin with {prefix:?}: {}", list(candidates))]
    SnapshotAmbiguous { prefix: String, candidates: Vec<Id> },
    #[error("the key {0} is the one in use and cannot be removed")]
    KeyInUse(Id),
    #[error("the repository is locked {} {by}", if by.exclusive { "exclusively by" } else { "by" })]
    Locked { by: Box<LockInfo> },
    #[error("our lock on the repository was lost: {0}")]
    LockLost(&'static str),
    #[error("the index changed below a running writer: another process removed data")]
    IndexReplaced,
    #[error("the snapshot is refused because an earlier write failed: {0}")]
    WriteFailed(Arc<Self>),
    #[error("{name:?} cannot be a name in a snapshot: {reason}")]
    InvalidName { name: String, reason: &'static str },
    #[error("change {path:?} does not come after {previous:?}")]
    OutOfOrder { previous: String, path: String },
    #[error("{path:?} is put below an entry that is not an open directory")]
    NotADirectory { path: String },
    #[error("cannot {0}: no space is left in the repository's storage")]
    StorageFull(String),
    #[error("reading the content to store failed: {0}")]
    Source(String),
    #[error("cannot {action}: {source}")]
    Storage {
        action: String,
        source: Arc<object_store::Error>,
    },
    #[error("cannot {action}: {source}")]
    Io {
        action: String,
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// Stable, kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "repository-not-found",
            Self::Exists(_) => "repository-exists",
            Self::WrongPassword { .. } => "wrong-password",
            Self::UnsupportedVersion(_) => "repository-version",
            Self::UnsupportedLocation { .. } => "repository-location",
            Self::StoreCredential(_) => "storage-credential",
            Self::NotImmutable { .. } => "object-lock-unproved",
            Self::ObjectLocked { .. } => "object-locked",
            Self::Damaged { .. } | Self::BlobMissing { .. } | Self::FileMissing { .. } => {
                "repository-damaged"
            }
            Self::SnapshotUnknown(_) => "snapshot-unknown",
            Self::SnapshotAmbiguous { .. } => "snapshot-ambiguous",
            Self::KeyInUse(_) => "key-in-use",
            Self::Locked { .. } => "lock-held",
            Self::LockLost(_) | Self::IndexReplaced => "lock-lost",
            Self::CopyBroken { cause, .. } | Self::WriteFailed(cause) => cause.code(),
            Self::InvalidName { .. } => "name-refused",
            Self::OutOfOrder { .. } | Self::NotADirectory { .. } => "tree-order",
            Self::StorageFull(_) => "disk-full",
            Self::Source(_) => "source-failed",
            Self::Storage { .. } | Self::Io { .. } => "storage-failed",
        }
    }

    /// Something stored cannot be read back; the storage itself answers.
    pub fn is_damage(&self) -> bool {
        self.code() == "repository-damaged"
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers pass `format_args!`")]
    pub(crate) fn damaged(what: impl ToString, reason: impl ToString) -> Self {
        Self::Damaged {
            what: what.to_string(),
            reason: reason.to_string(),
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers pass `format_args!`")]
    pub(crate) fn storage(action: impl ToString, source: object_store::Error) -> Self {
        let action = action.to_string();
        if is_full(&source) {
            Self::StorageFull(action)
        } else if let Some(until) = locked_until(&source) {
            Self::ObjectLocked { action, until }
        } else {
            Self::Storage {
                action,
                source: Arc::new(source),
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "callers pass `format_args!`")]
    pub(crate) fn io(action: impl ToString, source: std::io::Error) -> Self {
        Self::Io {
            action: action.to_string(),
            source: Arc::new(source),
        }
    }
}

/// Looks for "disk full" or "quota exceeded" anywhere in the chain of causes.
fn is_full(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            );
        }
        cause = error.source();
    }
    false
}

fn locked_until(error: &object_store::Error) -> Option<jiff::Timestamp> {
    let object_store::Error::PermissionDenied { source, .. } = error else {
        return None;
    };
    Some(source.downcast_ref::<crate::store::LockedUntil>()?.until)
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        count => format!(", nor {count} others"),
    }
}

fn list(ids: &[Id]) -> String {
    ids.iter().map(Id::short).collect::<Vec<_>>().join(", ")
}
