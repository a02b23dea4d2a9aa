//! What a job sees of the control side; implemented by `control`, in process and over HTTPS.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use model::{ItemRef, Resumed, SourceFile};
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
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Hash over all files of the item, not those alone that changed: equal digests are equal contents. Empty for the end of an item.
    pub digest: String,
    /// Of all its files.
    pub size: u64,
    pub modified: Option<Timestamp>,
    pub state: RowState,
    pub change: RowChange,
    /// What can be searched of this version beside its name.
    pub text: String,
    /// The name or id of its project, where its document says one.
    pub project: String,
}

/// Rows one at a time, so that a large first run needs no memory for them.
#[async_trait]
pub trait Rows: Send {
    async fn next(&mut self) -> Result<Option<IndexRow>>;
}

/// When a checkpoint is due: each costs a few small files in the repository, and a kill costs what came since the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The least time between two.
    pub least: Duration,
    /// And at least so many times what the last one took.
    pub rest: u32,
    /// At least so many requests between two, unless they take minutes.
    pub requests: u64,
    /// So much of the requests or minutes so far must have been spent since the last one: a kill costs no more than that.
    pub percent: u8,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            least: Duration::from_millis(500),
            rest: 3,
            requests: 30,
            percent: 4,
        }
    }
}

/// The control side as a backup sees it.
#[async_trait]
pub trait Coordinator: Send + Sync {
    /// `None` where checkpoints are of no use, since nothing keeps them.
    fn pace(&self) -> Option<Pace> {
        None
    }
    /// What [`Coordinator::checkpoint`] kept of an attempt on the same source and repository that did not reach its snapshot.
    async fn left(&self) -> Result<Option<String>> {
        Ok(None)
    }
    /// The job goes on from there.
    async fn resumed(&self, _from: &Resumed) -> Result<()> {
        Ok(())
    }
    /// Keeps how far the job has come for another attempt; `None` forgets it.
    async fn checkpoint(&self, _text: Option<&str>) -> Result<()> {
        Ok(())
    }
    /// Extends the lease; fails when another worker has taken the job over.
    async fn beat(&self) -> Result<Beat>;
    /// May the snapshot be written? Refused when the job's token is no longer the newest.
    async fn permit_commit(&self) -> Result<()>;
    /// The snapshot is committed: list it, with what changed.
    async fn index(&self, snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> Result<()>;
}
