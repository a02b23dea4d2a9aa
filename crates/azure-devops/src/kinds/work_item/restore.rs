//! Work items written back: made with their first revision, then every later one replayed with its author and date.

mod connect;
mod links;
mod patch;
mod place;
mod replace;
mod source;
mod talk;
mod upload;

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use model::{Action, Class};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service::http::{Answer, Method, segment};
use service::{Client, Error, Outcome, Restore, Result, StoredItem};

use super::history;
use crate::api::{self, DEV, STABLE};
use crate::kinds::parts::{self, failed};
use patch::Patch;
pub(super) use place::Place;
use source::Source;
use upload::Uploads;

/// What reading back, and telling what will be lost, needs of the source.
pub(super) mod check {
    pub(in crate::kinds::work_item) use super::links::{Lost, lost};
    pub(in crate::kinds::work_item) use super::source::{
        Comment, Leads, Relation, Source, comments, relations,
    };
}

/// Formats of texts are only described since this version.
const WITH_FORMATS: &str = "7.2-preview.3";
const CONCURRENCY: usize = 4;

/// How far the writes of one item have come; the journal's note.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// The next step of the replay.
    next: usize,
    /// The item's revision at the target after the last noted write.
    rev: u32,
    /// Attachments that were uploaded, old id → new address.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    uploads: BTreeMap<String, String>,
    /// What was lost until then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    losses: Vec<String>,
    /// Relations that the service refused with their revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Value>,
}

impl Progress {
    async fn of(cx: &Restore<'_>, item: &StoredItem) -> Result<Option<Self>> {
        let Some(note) = cx.journal.noted(&item.item).await? else {
            return Ok(None);
        };
        serde_json::from_str(&note).map(Some).map_err(|error| {
            Error::malformed(format!(
                "{}: its note of the interrupted restore is not understood: {error}",
                item.item
            ))
        })
    }

    /// Notes uploads before a write refers to them: a resumed restore then writes the same addresses again instead of uploading anew, and
    /// sees what it has written already.
    async fn note_uploads(
        &mut self,
        cx: &Restore<'_>,
        item: &StoredItem,
        uploads: &Uploads<'_>,
    ) -> Result<()> {
        if self.uploads == *uploads.done() {
            return Ok(());
        }
        self.uploads.clone_from(uploads.done());
        self.note(cx, item).await
    }

    async fn note(&self, cx: &Restore<'_>, item: &StoredItem) -> Result<()> {
        let text =
            serde_json::to_string(self).map_err(|error| Error::malformed(error.to_string()))?;
        cx.journal.note(&item.item, &text).await
    }
}

/// What an answer to a write says.
#[derive(Deserialize)]
struct Written {
    id: u32,
    rev: u32,
}

/// `Pass::Create`: undeletes, or makes the item as it was at first.
pub(super) async fn create(cx: &Restore<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    let place = Place::load(&cx.target).await?;
    let place = &place;
    let open: Vec<_> = items
        .iter()
        .map(|item| async move { create_item(cx, place, item).await.or_else(failed) })
        .collect();
    stream::iter(open).buffered(CONCURRENCY).try_collect().await
}

async fn create_item(cx: &Restore<'_>, place: &Place<'_>, item: &StoredItem) -> Result<Outcome> {
    match (item.action, &item.new_id) {
        (Action::Skip | Action::Export | Action::Remove, _) => Ok(Outcome::Unchanged),
        (Action::Undelete, _) => undelete(cx, item).await,
        (Action::Create | Action::Merge | Action::Replace, Some(new_id)) => {
            let noted = Progress::of(cx, item).await?;
            Ok(Outcome::Done {
                new_id: new_id.clone(),
                losses: noted.map_or_else(Vec::new, |noted| noted.losses),
            })
        }
        (Action::Merge | Action::Replace, None) => Err(Error::unsupported(format!(
            "{}: it is not at the target",
            item.item
        ))),
        (Action::Create, None) => make(cx, place, item).await,
    }
}

async fn undelete(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    let id = item.new_id.as_deref().unwrap_or(&item.item.id);
    let path = format!("/_apis/wit/recyclebin/{}", segment(id));
    let http = cx.target.http;
    let call = http.call(Method::PATCH, DEV, &path).version(STABLE);
    let call = call.json(&serde_json::json!({ "isDeleted": false }));
    parts::intended(cx, item, call.send()).await?;
    cx.journal.made(&item.item, id).await?;
    Ok(Outcome::Done {
        new_id: id.to_owned(),
        losses: Vec::new(),
    })
}

async fn make(cx: &Restore<'_>, place: &Place<'_>, item: &StoredItem) -> Result<Outcome> {
    let source = Source::read(cx.target.stored, item).await?;
    let Some(first) = source.replay.steps.first() else {
        return Err(Error::new(
            Class::Missing,
            "restore-failed",
            format!("{}: the snapshot has no revision of it", item.item),
        ));
    };
    let project = place.home(&source)?;
    // Not even the first revision is written: both numbers are 0.
    let mut progress = Progress::of(cx, item).await?.unwrap_or_default();
    let mut uploads = Uploads::new(cx, &item.item, &source, project, progress.uploads.clone());
    let mut patch = Patch::for_step(place, &source, first, project, &mut uploads).await?;
    patch.set(history::CREATED_DATE, source.replay.created.as_str());
    patch.set(history::CREATED_BY, source.replay.created_by.as_str());
    progress.note_uploads(cx, item, &uploads).await?;
    let kind = patch.kind.take().unwrap_or_else(|| "Task".to_owned());
    let path = format!(
        "/{}/_apis/wit/workitems/${}",
        segment(&project.name),
        segment(&kind)
    );
    let http = cx.target.http;
    let mut refused = Vec::new();
    let asking = async {
        match send(http, Method::POST, &path, &patch.operations(true)).await {
            Err(error) if api::is_refusal(&error) && patch.has_relations() => {
                refused = patch.take_relations();
                send(http, Method::POST, &path, &patch.operations(false)).await
            }
            other => other,
        }
    };
    let answer = parts::intended(cx, item, asking).await?;
    let made: Written = answer.json()?;
    let new_id = made.id.to_string();
    cx.journal.made(&item.item, &new_id).await?;
    let uploads = uploads.finish(&mut patch.losses);
    Progress {
        next: 1,
        rev: made.rev,
        uploads,
        losses: patch.losses.clone(),
        refused,
    }
    .note(cx, item)
    .await?;
    Ok(Outcome::Done {
        new_id,
        losses: patch.losses,
    })
}

/// Sends a patch that may write the past and tells nobody.
async fn send(http: &Client, method: Method, path: &str, operations: &[Value]) -> Result<Answer> {
    let formats = operations.iter().any(|operation| {
        operation["path"]
            .as_str()
            .is_some_and(|path| path.starts_with("/multilineFieldsFormat/"))
    });
    let body =
        serde_json::to_vec(operations).map_err(|error| Error::malformed(error.to_string()))?;
    let call = http
        .call(method, DEV, path)
        .version(if formats { WITH_FORMATS } else { STABLE });
    call.query("bypassRules", "true")
        .query("suppressNotifications", "true")
        .body("application/json-patch+json", body)
        .send()
        .await
}

/// Changes the item at the target; its revision afterwards.
async fn change(http: &Client, new_id: &str, operations: &[Value]) -> Result<u32> {
    let answer = send(
        http,
        Method::PATCH,
        &format!("/_apis/wit/workitems/{}", segment(new_id)),
        operations,
    )
    .await?;
    Ok(answer.json::<Written>()?.rev)
}

/// `Pass::Connect`: the rest of the history, then links and edited comments.
pub(super) async fn connect(cx: &Restore<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    connect::connect(cx, items).await
}
