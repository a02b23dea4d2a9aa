//! What the two databases do differently, side by side.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::db::{Db, Value};
use crate::index::{Part, Query};

/// The few words and statements that differ.
pub(crate) struct Dialect {
    /// Text that sorts by its bytes.
    pub(crate) text: &'static str,
    pub(crate) blob: &'static str,
    /// A number that the database gives to a new row.
    pub(crate) serial: &'static str,
    /// After a table whose rows are only ever found by their primary key's order.
    pub(crate) clustered: &'static str,
    /// Two programs must not change the schema at once.
    pub(crate) schema_lock: Option<&'static str>,
    /// A row if any version of the schema was made.
    pub(crate) schema_made: &'static str,
    /// Takes the oldest job that is queued or whose lease ran out: `$1` worker, `$2` now, `$3` lease end, `$4` run or null.
    pub(crate) claim: &'static str,
    /// Triggers that refuse to change or remove rows of the table `audit`.
    pub(crate) audit_is_append_only: &'static str,
    /// Workers look for work one after the other, so that each sees what the others have taken.
    pub(crate) queue_lock: Option<&'static str>,
    /// `LIKE` without regard to case.
    pub(crate) like: &'static str,
    /// Looks how many rows there are and what is in them, after many came: until PostgreSQL has done that by itself, its plans are for small tables.
    pub(crate) analyze: Option<&'static str>,
    pub(crate) search: Search,
}

/// So many rows at once make a table another one.
pub(crate) const MANY_ROWS: u64 = 4000;

/// Full-text search. Both index the same words (`index/words.rs`) and find the same.
pub(crate) struct Search {
    /// The table `text_words`.
    pub(crate) tables: &'static str,
    /// The table `text_vocabulary`, where there is one.
    pub(crate) vocabulary: &'static str,
    /// Its number of a text.
    pub(crate) id: &'static str,
    /// `$1` numbers for new texts.
    pub(crate) new_ids: &'static str,
    /// Head, columns and tail of a statement with many rows.
    pub(crate) insert: (&'static str, usize, &'static str),
    /// The values after the number, for the words of the name and those of the text.
    pub(crate) document: fn(&[String], &[String]) -> Vec<Value>,
    /// The newest texts: `$1` expression, `$2` only texts of a smaller number, `$3` limit.
    pub(crate) newest: &'static str,
    /// The newest texts, each with 1 if it is found and 0 if not, without the index: `$1`, `$2` and `$3` as above. `None` where the index can be
    /// asked for a part of what it finds, and is soon ready with it.
    pub(crate) newest_looked_at: Option<&'static str>,
    /// About how often the words from `$1` to `$2` are there, up to `$3`.
    pub(crate) places: &'static str,
    /// After an alias of `text_words`, before and after the parameter with an expression.
    pub(crate) matches: (&'static str, &'static str),
    pub(crate) expression: fn(&Query, Part) -> String,
    /// A join whose left side is read first: the planner cannot know how rare a word is.
    pub(crate) ordered_join: &'static str,
}

impl Db {
    pub(crate) fn dialect(&self) -> &'static Dialect {
        match self {
            Self::Sqlite { .. } => &sqlite::DIALECT,
            Self::Postgres(_) => &postgres::DIALECT,
        }
    }
}
