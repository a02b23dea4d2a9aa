//! What comes among work items and is not understood: it is named, and all others are read.

use model::Issue;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::{Error, Result};

use super::WORK_ITEM;
use super::crawl::{Run, item};
use super::progress::Known;
use crate::raw::Number;

/// So many records of a crawl may name no item. More of them are a stream that nobody here understands.
const MOST: usize = 100;
/// So much of an id is told.
const TOLD: usize = 40;

/// What a record says of its item, whatever that is.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

impl Named<'_> {
    fn number(&self) -> Option<u32> {
        let id: Number = serde_json::from_str(self.id?.get()).ok()?;
        Some(id.0)
    }
}

/// One record.
pub(super) fn read<'a, T: Deserialize<'a>>(record: &'a RawValue) -> Result<T> {
    serde_json::from_str(record.get()).map_err(|error| {
        let id = serde_json::from_str::<Named<'_>>(record.get());
        let id = id.ok().and_then(|named| named.id);
        let id = id.map_or_else(String::new, |id| {
            let id: String = id.get().chars().take(TOLD).collect();
            format!(" (its id is {id})")
        });
        Error::malformed(format!(
            "a record of a work item stream is not understood{id}: {error}"
        ))
    })
}

/// The item that a text is about, if it says so.
pub(super) fn named(text: &RawValue) -> Option<u32> {
    serde_json::from_str::<Named<'_>>(text.get()).ok()?.number()
}

pub(super) fn issue(message: &str) -> Issue {
    Error::malformed(message.to_owned()).to_issue(WORK_ITEM, "", None)
}

/// Names the item of a record that is not understood, and tells which it is; one that names none is told of until everything is read again.
pub(super) fn note(
    run: &Run<'_>,
    known: &mut Known,
    record: &RawValue,
    error: Error,
) -> Result<Option<u32>> {
    if let Some(id) = named(record) {
        run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
        return Ok(Some(id));
    }
    if known.position.unread.len() >= MOST {
        return Err(error);
    }
    run.cx.sink.issue(issue(&error.message));
    known.position.unread.insert(error.message);
    Ok(None)
}
