//! What several kinds share when they write back, and the kinds whose items are parts of others.

use std::fmt::Display;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use model::{Action, Class, Conflict, ItemRef};
use serde::Deserialize;
use service::http::Method;
use service::{
    Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, Inspection, Kind, KindSpec, Layout,
    Loss, Outcome, Pass, Permission, Restore, Result, Scope, Stored, StoredItem, Target,
};

use crate::api::{DEV, STABLE};

/// The stored document of an item that the snapshot says it has.
pub(crate) async fn document(stored: &dyn Stored, item: &ItemRef) -> Result<Bytes> {
    stored.document(item).await?.ok_or_else(|| {
        Error::new(
            Class::Missing,
            "restore-failed",
            format!("{item}: the snapshot has no document of it"),
        )
    })
}

/// An item that is not selected stays as it was, if it is there at all.
pub(crate) async fn unpicked(cx: &Crawl<'_>, item: &ItemRef) -> Result<()> {
    match cx.before(item).await? {
        Some(_) => cx.sink.keep(item).await,
        None => Ok(()),
    }
}

/// Reads a stored document.
pub(crate) fn read<'a, T: Deserialize<'a>>(item: &ItemRef, document: &'a [u8]) -> Result<T> {
    serde_json::from_slice(document).map_err(|error| {
        Error::malformed(format!(
            "{item}: its stored document is not understood: {error}"
        ))
    })
}

/// Begins an inspection with what is read of the stored document; without it nothing more can be said of the item.
pub(crate) fn inspected<'a, T: Deserialize<'a>>(
    document: &'a [u8],
    found: &mut Inspection,
) -> Option<T> {
    match serde_json::from_slice(document) {
        Ok(read) => Some(read),
        Err(error) => {
            let message = format!("its document is not understood: {error}");
            found.damage("document-malformed", "", message);
            None
        }
    }
}

/// `None` for what is not at the target.
pub(crate) fn there<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// It is not there; of a project that is asked for by its id (VS800075) the service does not tell whether it is gone or hidden.
pub(crate) fn is_missing(error: &Error) -> bool {
    let code = error.fault().and_then(|fault| fault.code.as_deref());
    error.class == Class::Missing || code == Some("VS800075")
}

/// Sends the one request that makes an item, or takes it out of the bin. What the service refuses made nothing; but it says nothing of an earlier
/// request, whose answer was lost.
pub(crate) async fn intended<T>(
    cx: &Restore<'_>,
    item: &StoredItem,
    request: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    cx.journal.intend(&item.item).await?;
    let answer = request.await;
    let refused = matches!(&answer, Err(error) if error.did_nothing());
    if refused && !item.open_intent {
        cx.journal.withdraw(&item.item).await?;
    }
    answer
}

/// The same under a name: where it is another than the item's own, nothing else tells a resumed restore what is ours.
pub(crate) async fn asked_as<T>(
    cx: &Restore<'_>,
    item: &StoredItem,
    name: &str,
    request: impl Future<Output = Result<T>> + Send,
) -> Result<T> {
    cx.journal.note(&item.item, name).await?;
    intended(cx, item, request).await
}

/// The name under which an interrupted restore asked for an item, if it did.
pub(crate) async fn asked(cx: &Restore<'_>, item: &StoredItem) -> Result<Option<String>> {
    if !item.open_intent {
        return Ok(None);
    }
    let noted = cx.journal.noted(&item.item).await?;
    Ok(noted.filter(|name| !name.is_empty()))
}

/// Of kinds whose items have a name, or a place, that no second one can have beside them.
pub(crate) const ONE_OF_A_NAME: &str =
    "there can be one of this name: that of the target stays as it is";

/// What becomes of an item that was to be duplicated, where the service has one of a name: what was found there stays as it is.
pub(crate) fn stays(cx: &Restore<'_>, item: &StoredItem, found: &str) -> Option<Outcome> {
    let second =
        item.action == Action::Create && cx.conflict == Conflict::Duplicate && !item.open_intent;
    second.then(|| Outcome::Left {
        new_id: found.to_owned(),
        why: ONE_OF_A_NAME.to_owned(),
    })
}

/// What stands at the target for an item, by its id.
pub(crate) enum Stands {
    /// This restore made it, now or before it was interrupted.
    Made(String),
    /// It stood there, and is written into.
    Found(String),
}

impl Stands {
    /// Notes it in the journal; the id.
    pub(crate) async fn noted(self, cx: &Restore<'_>, item: &ItemRef) -> Result<String> {
        match &self {
            Self::Made(id) => cx.journal.made(item, id).await?,
            Self::Found(id) => cx.journal.found(item, id).await?,
        }
        let (Self::Made(id) | Self::Found(id)) = self;
        Ok(id)
    }
}

/// Sends each item of the target to the recycle bin, or away for good where its kind has none. What is gone already is as good.
pub(crate) async fn remove(
    cx: &Target<'_>,
    items: &[StoredItem],
    path: impl Fn(&str) -> String + Send + Sync,
) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let id = item.new_id.as_deref().unwrap_or(&item.item.id);
        let call = cx
            .http
            .call(Method::DELETE, DEV, &path(id))
            .version(STABLE)
            .safe();
        outcomes.push(match there(call.send().await) {
            Ok(_) => Outcome::Done {
                new_id: id.to_owned(),
                losses: Vec::new(),
            },
            Err(error) => failed(error)?,
        });
    }
    Ok(outcomes)
}

/// A page of the organization about what an item became.
pub(crate) fn page(
    cx: &Target<'_>,
    item: &StoredItem,
    path: impl FnOnce(&str) -> String,
) -> Result<Option<String>> {
    let base = crate::api::base(cx.http)?;
    let id = item.new_id.as_deref();
    Ok(id.map(|id| format!("{base}/{}", path(id))))
}

/// One item that could not be written does not end the restore, a dead credential does.
pub(crate) fn failed(error: Error) -> Result<Outcome> {
    if error.is_fatal() {
        return Err(error);
    }
    let code = match error.code {
        code @ ("restore-conflict"
        | "throttled"
        | "service-unavailable"
        | "permission-missing"
        | "git-object-missing"
        | "git-refused") => code,
        _ => "restore-failed",
    };
    let hint = error
        .hint
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    Ok(Outcome::Failed {
        code,
        message: format!("{}{hint}", error.message),
    })
}

/// It gets another id: it is made, or written into what has one of its own.
pub(crate) fn gets_another_id(item: &StoredItem) -> bool {
    let new = item.new_id.as_deref();
    new.is_none_or(|new| !new.eq_ignore_ascii_case(&item.item.id))
}

/// The losses that an item has, each beside whether it does.
pub(crate) fn had<const N: usize>(losses: [(Loss, bool); N]) -> Vec<Loss> {
    let had = losses.into_iter().filter(|(_, has)| *has);
    had.map(|(loss, _)| loss).collect()
}

/// Differences in words.
#[derive(Debug, Default)]
pub(crate) struct Differences(pub(crate) Vec<String>);

impl Differences {
    pub(crate) fn compare<T: PartialEq + Display + ?Sized>(
        &mut self,
        what: &str,
        wanted: &T,
        there: &T,
    ) {
        if wanted != there {
            self.0.push(format!(
                "{what}: {} instead of {}",
                short(there),
                short(wanted)
            ));
        }
    }
}

/// Long texts are cut: a report names differences, it does not repeat documents.
pub(crate) fn short(value: &(impl Display + ?Sized)) -> String {
    const LONGEST: usize = 60;
    let text = value.to_string();
    if text.is_empty() {
        return "nothing".to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

pub(crate) const EDITED: Loss = "Earlier versions of an edited comment are not written back; its newest text, or its deletion, is, as an edit by the restoring identity.";
pub(crate) const MARKDOWN: Loss = "A Markdown comment is written as HTML by its author first, and made Markdown by an edit of the restoring identity.";
pub(crate) const REACTIONS: Loss = "Reactions to comments are not written back.";
pub(crate) const LATE: Loss = "Comments that belong to no revision are written by the restoring identity, with the date of the restore.";
pub(crate) const COMMENTS_STAY: Loss = "Comments are not written into a work item that stands at the target: those of the target stay as they are.";
pub(crate) const NEW_FILE: Loss =
    "An attachment gets another id; all references to it are rewritten.";
pub(crate) const NO_FILE: Loss =
    "Of an attachment that is not in the snapshot, what refers to it still names the source.";

/// A kind whose items are parts of work items: crawled and restored with them.
pub(crate) struct PartKind(KindSpec);

pub(crate) static COMMENT: PartKind = PartKind(KindSpec {
    name: "comment",
    title: "Comments",
    parent: None,
    crawled: Crawled::Once,
    with: Some("work-item"),
    after: &[],
    layout: Layout::Lines {
        part: "comments.ndjson",
    },
    bin: None,
    search: service::Searched::NAMES,
    read: &[Permission {
        scope: "vso.work",
        why: "Without it the discussions of work items are not read.",
    }],
    write: &[Permission {
        scope: "vso.work_write",
        why: "To write comments with their author and date.",
    }],
    restore: Fidelity::Partial(&[EDITED, MARKDOWN, REACTIONS, LATE, COMMENTS_STAY]),
});

pub(crate) static ATTACHMENT: PartKind = PartKind(KindSpec {
    name: "attachment",
    title: "Attachments",
    parent: None,
    crawled: Crawled::Once,
    with: Some("work-item"),
    after: &[],
    layout: Layout::Files {
        folder: "attachments",
    },
    bin: None,
    search: service::Searched::NAMES,
    read: &[Permission {
        scope: "vso.work",
        why: "Without it files and images of work items are not read.",
    }],
    write: &[Permission {
        scope: "vso.work_write",
        why: "To upload files and images.",
    }],
    restore: Fidelity::Partial(&[NEW_FILE, NO_FILE]),
});

#[async_trait]
impl Kind for PartKind {
    fn spec(&self) -> &KindSpec {
        &self.0
    }

    fn describe(&self, _document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        None
    }

    async fn crawl(&self, _cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        Ok(None)
    }

    async fn probe(&self, http: &Client, scope: &Scope) -> Result<()> {
        super::work_item::WorkItemKind.probe(http, scope).await
    }

    async fn find(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        Ok(vec![None; items.len()])
    }

    async fn restore(
        &self,
        _cx: &Restore<'_>,
        _pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        items
            .iter()
            .map(|item| failed(service::kind::not_restorable(&self.0, &item.item)))
            .collect()
    }

    async fn verify(&self, _cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        Ok(vec![Vec::new(); items.len()])
    }
}
