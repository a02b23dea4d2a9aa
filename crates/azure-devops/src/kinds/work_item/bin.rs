//! The service's recycle bin of work items.

use serde::Deserialize;
use service::Result;

use super::crawl::{Run, item};
use super::marks::{DELETED, Marks};
use super::unread::{self, read};
use super::{RECYCLE_BIN, WORK_ITEM};
use crate::api::{self, DEV, Paging, STABLE};
use crate::raw::Number;

#[derive(Deserialize)]
struct Entry {
    id: Number,
}

/// The bin's own entries of items that were deleted; read only when one was.
pub(super) async fn entries(run: &Run<'_>, marks: &Marks) -> Result<()> {
    let bin = "/_apis/wit/recyclebin";
    let entries = match api::pages(&run.http, bin, STABLE, Paging::Whole, &[]).await {
        Ok(entries) => entries,
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => {
            tracing::warn!(
                host = DEV,
                "the recycle bin of work items cannot be read: {error}"
            );
            for id in marks.ids(DELETED, 0) {
                let issue = error.to_issue(WORK_ITEM, "", Some(item(id)));
                run.cx.sink.issue(issue);
            }
            return Ok(());
        }
    };
    for entry in entries.values()? {
        let Number(id) = match read::<Entry>(entry) {
            Ok(entry) => entry.id,
            Err(error) => {
                run.cx.sink.issue(unread::issue(&error.message));
                continue;
            }
        };
        if marks.get(id) & DELETED != 0 {
            let text = entry.get().as_bytes();
            run.cx.sink.part(&item(id), RECYCLE_BIN, text).await?;
        }
    }
    Ok(())
}
