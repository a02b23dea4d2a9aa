//! What a kind gets to restore with.

use std::path::Path;

use async_trait::async_trait;
use model::{Action, Conflict, ItemRef};

use crate::{Client, Result, Stored};

/// An item of a snapshot that is to be restored.
#[derive(Clone, Debug)]
pub struct StoredItem {
    pub item: ItemRef,
    pub name: String,
    /// What the plan says to do with it.
    pub action: Action,
    /// Its id at the target, once it is known.
    pub new_id: Option<String>,
    /// A write of this item was begun by an earlier, interrupted apply: look for it before writing again.
    pub open_intent: bool,
}

/// In which state an item stands at the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoundState {
    Present,
    /// In the service's recycle bin: it can be undeleted.
    Deleted,
    /// Made by the service together with its parent (default team, root area): merge into it.
    Automatic,
}

/// What stands at the target for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    pub state: FoundState,
}

/// Old id → id at the target.
pub trait Ids: Send + Sync {
    /// The id at the target: from this plan's journal; at the original place the old id itself, when nothing replaced it.
    fn get(&self, kind: &str, old: &str) -> Option<String>;

    /// Whether an item that lies in no container is at the target, or will be there once the plan that is being made is applied.
    fn is_expected(&self, kind: &str, old: &str) -> bool {
        self.get(kind, old).is_some()
    }

    /// Whether the item stands at the target, and stays there beside what the plan that is being made makes of it.
    fn is_doubled(&self, _kind: &str, _old: &str) -> bool {
        false
    }

    /// Whether another plan made what has this id at the target: an interrupted write of this one did not.
    fn is_of_another(&self, _kind: &str, _new: &str) -> bool {
        false
    }
}

/// Remembers every write, so that an interrupted restore neither forgets nor doubles.
#[async_trait]
pub trait Journal: Send + Sync {
    /// About to make this item, or to take it out of the bin. Noted before the request, and of nothing that was found.
    async fn intend(&self, item: &ItemRef) -> Result<()>;
    /// The service refused the request that was intended, and nothing came of it: whatever stands there later is not of this plan.
    async fn withdraw(&self, item: &ItemRef) -> Result<()>;
    /// The request that was intended made what has this id: taking the restore back removes it. Without an intent it counts as found.
    async fn made(&self, item: &ItemRef, new_id: &str) -> Result<()>;
    /// What has this id stood there and is written into: whoever takes the restore back leaves it. What an earlier, interrupted apply made stays
    /// made, though the next one finds it.
    async fn found(&self, item: &ItemRef, new_id: &str) -> Result<()>;
    /// How far the item's further writes have come, and what was noted then.
    async fn note(&self, item: &ItemRef, progress: &str) -> Result<()>;
    /// The last note.
    async fn noted(&self, item: &ItemRef) -> Result<Option<String>>;
}

/// Where a restore looks and reads; nothing is written through it.
pub struct Target<'a> {
    pub http: &'a Client,
    /// The target is the organization that the snapshot came from.
    pub original: bool,
    pub stored: &'a dyn Stored,
    pub ids: &'a dyn Ids,
    /// A private folder, deleted afterwards.
    pub work: &'a Path,
}

/// Where a restore writes.
pub struct Restore<'a> {
    pub target: Target<'a>,
    pub conflict: Conflict,
    pub journal: &'a dyn Journal,
}

/// Restores have two passes over all kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Makes the items.
    Create,
    /// Writes references to other items, once all new ids are known.
    Connect,
}

/// What [`crate::Kind::verify`] says of an item that is not there.
pub const GONE: &str = "it is not at the target";

/// What can be done with a restored item when the restore is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It stays, with the reason.
    Never(&'static str),
    /// It goes to the service's recycle bin.
    Bin,
    /// It goes for good.
    Forever,
}

/// What became of one item in one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done {
        new_id: String,
        /// What was lost beyond the kind's declared losses, in words.
        losses: Vec<String>,
    },
    /// Something stands there for it, which was left as it is; why, in words. The step counts as skipped.
    Left { new_id: String, why: String },
    /// Nothing to do in this pass.
    Unchanged,
    Failed {
        /// A code of [`model::code::CODES`].
        code: &'static str,
        message: String,
    },
}
