//! What a job sees of the control side; implemented in process by `control`, over HTTPS by a worker later.

use async_trait::async_trait;
use jiff::Timestamp;
use model::{ItemRef, SourceFile};
use repository::Id;
use serde::{Deserialize, Serialize};

use crate::Result;

/// The answer to a sign of life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Somebody asked for the job to end.
    pub cancel: bool,
}

/// A snapshot as the catalog lists it.
#[derive(Clone, Debug)]
pub struct SnapshotInfo {
    pub id: Id,
    pub time: Timestamp,
    pub tree: Id,
    /// The parent by whose difference the rows were made; `None` when they are everything there is.
    pub parent: Option<Id>,
    pub source: SourceFile,
}

/// How an item stands in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowState {
    Live,
    /// In the service's own recycle bin.
    Binned,
}

/// What happened to an item between a snapshot and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowChange {
    Added,
    Changed,
    Removed,
}

/// One row of the search index: a version of an item that begins (or an item that ends) with this snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexRow {
    pub item: ItemRef,
    pub name: String,
    /// The item's folder in the snapshot.
    pub path: String,
    /// The tree id of the item's folder: equal digests are equal contents.
    pub digest: String,
    pub size: u64,
    pub modified: Option<Timestamp>,
    pub state: RowState,
    pub change: RowChange,
}

/// Rows one at a time, so that a large first run needs no memory for them.
#[async_trait]
pub trait Rows: Send {
    async fn next(&mut self) -> Result<Option<IndexRow>>;
}

/// The control side as a backup sees it.
#[async_trait]
pub trait Coordinator: Send + Sync {
    /// Extends the lease; fails when another worker has taken the job over.
    async fn beat(&self) -> Result<Beat>;
    /// May the snapshot be written? Refused when the job's token is no longer the newest.
    async fn permit_commit(&self) -> Result<()>;
    /// The snapshot is committed: list it, with what changed.
    async fn index(&self, snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> Result<()>;
}
