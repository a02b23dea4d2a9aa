//! What the two databases do differently, side by side.

pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::db::Db;

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
    /// Takes the oldest job that is queued or whose lease ran out: `$1` worker, `$2` now, `$3` lease end, `$4` run or null.
    pub(crate) claim: &'static str,
    /// Triggers that refuse to change or remove rows of the table `audit`.
    pub(crate) audit_is_append_only: &'static str,
    /// Workers look for work one after the other, so that each sees what the others have taken.
    pub(crate) queue_lock: Option<&'static str>,
    /// `LIKE` without regard to case.
    pub(crate) like: &'static str,
}

impl Db {
    pub(crate) fn dialect(&self) -> &'static Dialect {
        match self {
            Self::Sqlite { .. } => &sqlite::DIALECT,
            Self::Postgres(_) => &postgres::DIALECT,
        }
    }
}
