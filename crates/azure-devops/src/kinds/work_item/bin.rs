//! The service's recycle bin of work items.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use service::{Error, Item, Kind as _, Result};

use super::crawl::{Run, item};
use super::marks::{DELETED, Marks};
use super::unread::read;
use super::{RECYCLE_BIN, WORK_ITEM, WorkItemKind};
use crate::api::{self, DEV, Paging, STABLE};
use crate::raw::Number;

#[derive(Deserialize)]
struct Entry {
    id: Number,
}

/// The bin's own entries of items that were deleted, or whose entries could not be read before; read only when there are such.
pub(super) async fn entries(run: &Run<'_>, marks: &Marks) -> Result<()> {
    let mut open: BTreeSet<u32> = marks.ids(DELETED, 0).collect();
    if open.is_empty() {
        return Ok(());
    }
    match take(run, &mut open).await {
        Err(error) if !error.is_fatal() => {
            tracing::warn!(
                host = DEV,
                "the recycle bin of work items cannot be read: {error}"
            );
            for id in open {
                run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
            }
            Ok(())
        }
        taken => taken,
    }
}

/// Takes the entries of these items; of those that are left it is known that they have none, unless this fails.
async fn take(run: &Run<'_>, open: &mut BTreeSet<u32>) -> Result<()> {
    let bin = "/_apis/wit/recyclebin";
    let entries = api::pages(&run.http, bin, STABLE, Paging::Whole, &[]).await?;
    let mut wrong: Option<Error> = None;
    for entry in entries.values()? {
        match read::<Entry>(entry) {
            Ok(Entry { id: Number(id) }) if open.remove(&id) => {
                let text = entry.get().as_bytes();
                run.cx.sink.part(&item(id), RECYCLE_BIN, text).await?;
            }
            Ok(_) => {}
            Err(error) => wrong = Some(error),
        }
    }
    wrong.map_or(Ok(()), Err)
}

/// The document of an item in the bin is the one that it had last. Where none is stored that can be read, it is the revision that says that
/// the item was deleted.
pub(super) async fn document(run: &Run<'_>, id: u32, deleted: Option<&RawValue>) -> Result<()> {
    let before = run.before(id).await?;
    let deleted = deleted.map(|record| record.get().as_bytes());
    let mut documents = [before.as_deref(), deleted].into_iter().flatten();
    let described = |document| Some((document, WorkItemKind.describe(document)?));
    let Some((document, (name, modified))) = documents.find_map(described) else {
        return Ok(());
    };
    let item = Item {
        item: item(id),
        name,
        modified,
    };
    run.cx.sink.upsert(&item, document).await
}
