//! Rows for the search index on their way through a spool: made while trees are merged, wanted when the snapshot is committed.

use async_trait::async_trait;
use jiff::Timestamp;
use model::ItemRef;
use serde::{Deserialize, Serialize};

use crate::coordinator::{IndexRow, RowChange, RowState, Rows};
use crate::spool::{Sorted, Spool};
use crate::{Error, Result, change};

/// A row without its path, which is the record's key.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    kind: &'a str,
    scope: &'a str,
    id: &'a str,
    name: &'a str,
    digest: &'a str,
    size: u64,
    #[serde(with = "jiff::fmt::serde::timestamp::nanosecond::optional")]
    modified: Option<Timestamp>,
    state: RowState,
    change: RowChange,
    text: &'a str,
    project: &'a str,
}

pub(crate) fn push(spool: &mut Spool, row: &IndexRow) -> Result<()> {
    let stored = Stored {
        kind: &row.item.kind,
        scope: &row.item.scope,
        id: &row.item.id,
        name: &row.name,
        digest: &row.digest,
        size: row.size,
        modified: row.modified,
        state: row.state,
        change: row.change,
        text: &row.text,
        project: &row.project,
    };
    let bytes = postcard::to_stdvec(&stored).map_err(|error| broken(&error))?;
    spool.push(&change::key(&row.path, ""), &[&bytes])
}

/// The rows of a spool in the order of their paths.
pub(crate) struct SpooledRows(pub Sorted);

#[async_trait]
impl Rows for SpooledRows {
    async fn next(&mut self) -> Result<Option<IndexRow>> {
        let Some(record) = self.0.next()? else {
            return Ok(None);
        };
        let row: Stored<'_> =
            postcard::from_bytes(&record.payload).map_err(|error| broken(&error))?;
        Ok(Some(IndexRow {
            item: ItemRef::new(row.kind, row.scope, row.id),
            name: row.name.to_owned(),
            path: change::path(&record.key)?,
            digest: row.digest.to_owned(),
            size: row.size,
            modified: row.modified,
            state: row.state,
            change: row.change,
            text: row.text.to_owned(),
            project: row.project.to_owned(),
        }))
    }
}

fn broken(error: &postcard::Error) -> Error {
    Error::io("cannot read the spool")(std::io::Error::other(error.to_string()))
}
