//! Encrypted, deduplicated snapshots in the restic repository format (version 2) on object storage.
//!
//! The order that keeps a crash harmless: packs, then the index that names them, then the snapshot. See
//! [`Writer::commit`].

mod ahead;
mod browse;
mod check;
mod chunk;
mod config;
mod copy;
mod crypto;
mod error;
mod fetch;
mod files;
#[cfg(test)]
mod fuzz;
mod id;
mod index;
mod inventory;
mod key;
mod links;
mod lock;
mod many;
mod pack;
mod progress;
mod prune;
mod repair;
mod repository;
mod snapshot;
mod stats;
mod store;
mod tree;
mod writer;

pub use check::{CheckOptions, CheckReport, Problem, ProblemKind, ReadData};
pub use copy::{CopyOptions, CopyReport};
pub use error::{Error, Result};
pub use files::FileKind;
pub use id::{BlobId, Id, PackId, SnapshotId, TreeId};
pub use key::KeyInfo;
pub use lock::{Holder, LockGuard, LockInfo, ReadLock, locks_given_back};
pub use pack::BlobType;
pub use prune::{InvalidLimit, Limit, PruneOptions, PrunePlan, PruneReport, parse_size};
pub use repair::{LOST_MEMBER, REPAIRED_TAG, RepairReport, Step};
pub use repository::{InitOptions, Repository};
pub use snapshot::{OWN_TAG, Snapshot};
pub use stats::{SourceStats, Stats};
pub use store::{
    Access, Bucket, Cloud, Location, LockMode, Names, ObjectLock, ObjectLockRule, Store,
    StoreCredential, open_locked_store, open_store, store_from,
};
pub use tree::diff::{Difference, DifferenceKind};
pub use tree::editor::{Change, Op, TreeEditor};
pub use tree::node::{Node, NodeType, Tree};
pub use tree::path::TreePath;
pub use writer::{FileContent, Stored, Writer};
