//! Documents, two hundred at a request, with what belongs to each.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use futures::stream::{self, TryStreamExt as _};
use model::{Class, Issue};
use serde_json::value::RawValue;
use service::http::{Answer, Method};
use service::{Client, Item, Result};

use super::attachments::{self, Sizes};
use super::comments;
use super::crawl::{Run, Said, item};
use super::document::Head;
use super::marks::{Marks, REVISED, TALKED};
use super::picked::NOT_SELECTED;
use super::{COMMENTS, WORK_ITEM, unread};
use crate::api::{DEV, STABLE};

/// The service's own limit.
pub(super) const AT_ONCE: usize = 200;
const BATCHES: usize = 4;
const ITEMS: usize = 2;

#[derive(serde::Serialize)]
struct Ask<'a> {
    ids: &'a [u32],
    #[serde(rename = "$expand")]
    expand: &'static str,
    #[serde(rename = "errorPolicy")]
    errors: &'static str,
}

/// Work items with everything that a document has; ids that cannot be read are left out or null.
pub(super) async fn ask(http: &Client, ids: &[u32]) -> Result<Answer> {
    let body = Ask {
        ids,
        // `all` adds computed fields that the revisions have too, and links that follow from the id.
        expand: "relations",
        errors: "omit",
    };
    http.call(Method::POST, DEV, "/_apis/wit/workitemsbatch")
        .version(STABLE)
        .json(&body)
        .safe()
        .send()
        .await
}

pub(super) async fn documents(
    run: &Run<'_>,
    marks: &Marks,
    said: &Said,
    ids: &[u32],
) -> Result<()> {
    let chunks = ids.chunks(AT_ONCE).map(Ok);
    stream::iter(chunks)
        .try_for_each_concurrent(BATCHES, |chunk| documents_of(run, marks, said, chunk))
        .await
}

/// Answers that may be spoiled one after another beyond those on the way to one item.
const PATIENCE: u32 = 4;

/// One request's worth. When the whole answer is spoiled, it is asked for in halves until the one that spoils it is alone. Where one half
/// after another is spoiled it is no item that does it: nothing is cut then until an answer is good again.
async fn documents_of(run: &Run<'_>, marks: &Marks, said: &Said, ids: &[u32]) -> Result<()> {
    let most = ids.len().max(1).ilog2() + 2 + PATIENCE;
    let mut spoiled = 0;
    let mut open = vec![ids];
    while let Some(ids) = open.pop() {
        let error = match ask(&run.http, ids).await {
            Ok(answer) => {
                spoiled = 0;
                run.hopeless.store(false, Ordering::Relaxed);
                store(run, marks, said, ids, &answer).await?;
                continue;
            }
            Err(error) => error,
        };
        if error.is_fatal() || matches!(error.class, Class::Transient | Class::Throttled) {
            return Err(error);
        }
        spoiled += 1;
        if spoiled >= most {
            run.hopeless.store(true, Ordering::Relaxed);
        }
        if ids.len() > 1 && !run.hopeless.load(Ordering::Relaxed) {
            let (first, second) = ids.split_at(ids.len() / 2);
            open.extend([second, first]);
            continue;
        }
        let given_up = if spoiled >= most {
            std::mem::take(&mut open)
        } else {
            Vec::new()
        };
        for &id in ids.iter().chain(given_up.into_iter().flatten()) {
            run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
        }
    }
    Ok(())
}

async fn store(
    run: &Run<'_>,
    marks: &Marks,
    said: &Said,
    ids: &[u32],
    answer: &Answer,
) -> Result<()> {
    let mut missing: BTreeSet<u32> = ids.iter().copied().collect();
    let mut found: Vec<(&RawValue, Head<'_>)> = Vec::with_capacity(ids.len());
    for document in answer.values()? {
        if document.get() == "null" {
            continue;
        }
        let head: Head<'_> = match unread::read(document) {
            Ok(head) => head,
            Err(error) => {
                // One that names no item is missed below.
                if let Some(id) = unread::named(document).filter(|id| missing.remove(id)) {
                    run.failed(id, error.to_issue(WORK_ITEM, "", Some(item(id))));
                    run.done(id);
                }
                continue;
            }
        };
        if missing.remove(&head.id) {
            found.push((document, head));
        }
    }
    let (found, left): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, head)| run.takes(head));
    for (_, head) in left {
        run.leave(marks, head.id).await?;
        run.done(head.id);
    }
    for id in missing {
        lost(run, marks, said, id).await?;
        run.done(id);
    }
    stream::iter(found.iter().map(Ok))
        .try_for_each_concurrent(ITEMS, |(document, head)| async move {
            // One after another too: how far the crawl is counts them, and what belongs to them takes the longest.
            upsert(run, document, head).await?;
            belongings(run, marks, said, document, head).await?;
            run.done(head.id);
            Ok(())
        })
        .await
}

async fn upsert(run: &Run<'_>, document: &RawValue, head: &Head<'_>) -> Result<()> {
    if run.again || !run.full {
        let item = item(head.id);
        run.cx.sink.remove_part(&item, NOT_SELECTED).await?;
    }
    let item = Item {
        item: item(head.id),
        name: head.fields.name(),
        modified: head.fields.modified(),
    };
    run.cx.sink.upsert(&item, document.get().as_bytes()).await
}

/// A hole in the answer. Ids that only a link named may belong to nobody whom this identity can see.
async fn lost(run: &Run<'_>, marks: &Marks, said: &Said, id: u32) -> Result<()> {
    let is_known = marks.get(id) & REVISED != 0
        || run
            .parts_before(&item(id))
            .await?
            .is_none_or(|parts| !parts.is_empty());
    if !is_known {
        return Ok(());
    }
    run.failed(
        id,
        Issue {
            code: "work-item-missing".to_owned(),
            class: Class::Missing,
            kind: WORK_ITEM.to_owned(),
            scope: String::new(),
            item: Some(item(id)),
            message: format!("work item {id} has revisions, but the service does not give it"),
            hint: Some(
                "It was destroyed meanwhile, or the identity lacks View work items on its area. What is no longer there goes with a full backup that says so: --full --accept-deletions work-item."
                    .to_owned(),
            ),
        },
    );
    // Others may share its files.
    match said.files.get(&id) {
        Some(files) => attachments::fetch(run, id, files.clone(), &Sizes::new()).await,
        None => Ok(()),
    }
}

/// Comments and attachments of one item.
async fn belongings(
    run: &Run<'_>,
    marks: &Marks,
    said: &Said,
    document: &RawValue,
    head: &Head<'_>,
) -> Result<()> {
    let mut files = said.files.get(&head.id).cloned().unwrap_or_default();
    if run.wanted.attachments {
        attachments::scan(document.get(), &run.organization()?, &mut files);
    }
    if run.wanted.comments && talked(run, marks, head).await? {
        match comments::read(run, said, head).await {
            Ok(texts) if run.wanted.attachments => {
                attachments::scan(&texts, &run.organization()?, &mut files);
            }
            Ok(_) => {}
            Err(error) if error.is_fatal() || error.class == Class::Throttled => return Err(error),
            Err(error) => run.failed(head.id, error.to_issue("comment", "", Some(item(head.id)))),
        }
    }
    if files.is_empty() {
        return Ok(());
    }
    let sizes = attachments::sizes(document.get()).unwrap_or_else(|error| {
        run.failed(head.id, error.to_issue(WORK_ITEM, "", Some(item(head.id))));
        Sizes::new()
    });
    attachments::fetch(run, head.id, files, &sizes).await
}

async fn has_comments(run: &Run<'_>, id: u32) -> Result<bool> {
    let parts = run.parts_before(&item(id)).await?;
    Ok(parts.is_none_or(|parts| parts.iter().any(|part| part == COMMENTS)))
}

/// Whether the discussion has to be read: always the first time, later when a stream says so or the number of comments changed.
async fn talked(run: &Run<'_>, marks: &Marks, head: &Head<'_>) -> Result<bool> {
    // Comments that were deleted are not counted, but their revisions tell of them.
    if marks.get(head.id) & TALKED != 0 {
        return Ok(true);
    }
    let count = head.fields.comments.unwrap_or(0);
    if run.full {
        // A discussion that is stored and no longer counted was deleted.
        return Ok(count > 0 || (run.again && has_comments(run, head.id).await?));
    }
    if count == 0 {
        return Ok(false);
    }
    let Some(before) = run.before(head.id).await? else {
        return Ok(true);
    };
    let before = serde_json::from_slice::<Head<'_>>(&before)
        .ok()
        .and_then(|before| before.fields.comments);
    Ok(before != Some(count))
}
