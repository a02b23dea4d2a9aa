//! The search index: one row for each interval of snapshots in which a version of an item did not change.

mod counts;
mod diff;
mod excerpt;
mod forget;
mod full_text;
mod list;
mod named;
mod newest;
mod query;
mod read;
mod settle;
mod text;
mod words;
mod write;

use jiff::Timestamp;
use model::ItemRef;

use crate::Result;
use crate::db::Row;

pub use counts::ProjectCount;
pub use diff::ItemChange;
pub use excerpt::Piece;
pub(crate) use forget::drop_source;
pub use full_text::{TextFilter, TextHit};
pub use list::ItemFilter;
pub use query::Query;
pub(crate) use query::{Part, Term};
pub use write::SnapshotWriter;

/// How an item stands in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemState {
    Live,
    /// In the service's own recycle bin.
    Binned,
}

/// What happened to an item since the snapshot before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    Added,
    Changed,
    Removed,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Added, Self::Changed, Self::Removed];

    /// As people and programs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.name() == name)
    }
}

/// A version of an item that begins with a snapshot, or an item that ends with it. An item comes at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexChange {
    pub item: ItemRef,
    pub name: String,
    /// The item's folder in the snapshot.
    pub path: String,
    /// Of all that the item holds, not of what changed alone: equal digests are equal contents.
    pub digest: String,
    pub size: u64,
    pub modified: Option<Timestamp>,
    pub state: ItemState,
    /// For `Removed`, of the rest only `item` counts.
    pub change: Change,
    /// What can be searched of this version beside its name and id.
    pub text: String,
    /// The name or id of its project, where its document says one; others have it in their scope.
    pub project: String,
}

/// A version of an item and the snapshots that hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    pub item: ItemRef,
    pub name: String,
    pub path: String,
    pub digest: String,
    pub size: u64,
    pub modified: Option<Timestamp>,
    pub state: ItemState,
    /// The first snapshot that holds this version.
    pub first_seq: i64,
    /// The first snapshot that no longer holds it; `None` while it is current.
    pub gone_seq: Option<i64>,
}

/// The columns that [`entry`] reads, of the table alias `v`.
macro_rules! columns {
    ($alias:literal) => {
        concat!(
            $alias,
            ".item, ",
            $alias,
            ".name, ",
            $alias,
            ".path, ",
            $alias,
            ".digest, ",
            $alias,
            ".size, ",
            $alias,
            ".modified, ",
            $alias,
            ".binned, ",
            $alias,
            ".first_seq, ",
            $alias,
            ".gone_seq"
        )
    };
}
use columns;

/// How many columns [`columns`] names.
const WIDTH: usize = 9;

/// Reads the columns from `from` on.
fn entry(row: &Row, from: usize, kind: &str, scope: &str) -> Result<IndexEntry> {
    Ok(IndexEntry {
        item: ItemRef {
            kind: kind.to_owned(),
            scope: scope.to_owned(),
            id: row.text(from)?,
        },
        name: row.text(from + 1)?,
        path: row.text(from + 2)?,
        digest: row.text(from + 3)?,
        size: row.unsigned(from + 4)?,
        modified: row.opt_time(from + 5)?,
        state: if row.flag(from + 6)? {
            ItemState::Binned
        } else {
            ItemState::Live
        },
        first_seq: row.int(from + 7)?,
        gone_seq: row.opt_int(from + 8)?,
    })
}

/// A `LIKE` pattern (escape character `\`) for text that is anywhere within; the column is in lower case.
pub(crate) fn within(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for char in text.to_lowercase().chars() {
        if matches!(char, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(char);
    }
    pattern.push('%');
    pattern
}
