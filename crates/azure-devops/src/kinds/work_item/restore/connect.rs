//! The second pass: revisions after the first, links, comments. It goes on where an interrupted one stopped.

use std::collections::HashMap;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use model::{Action, Class};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use service::http::segment;
use service::{Error, Outcome, Restore, Result, StoredItem};

use super::links::{self, Known};
use super::patch::Patch;
use super::place::{Place, Project};
use super::source::{Relation, Source};
use super::upload::Uploads;
use super::{CONCURRENCY, Progress, change, replace, talk};
use crate::api::{self, DEV, STABLE};
use crate::kinds::parts::failed;
use crate::kinds::work_item::{batch, history};

/// An item as it stands at the target.
#[derive(Deserialize)]
struct There {
    id: u32,
    rev: u32,
    relations: Option<Vec<Relation>>,
}

/// An item on its way, with what was lost so far.
struct Open {
    source: Source,
    project: Project,
    /// With the losses, and the relations that were refused, until then.
    progress: Progress,
    losses: Vec<String>,
}

pub(super) async fn connect(cx: &Restore<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    let place = Place::load(&cx.target).await?;
    let mut there = HashMap::new();
    let mut known = Known::new();
    let wanted: Vec<u32> = items
        .iter()
        .filter(|item| is_written(item))
        .filter_map(|item| item.new_id.as_deref()?.parse().ok())
        .collect();
    for ids in wanted.chunks(batch::AT_ONCE) {
        let answer = batch::ask(cx.target.http, ids).await?;
        for value in answer
            .values()?
            .into_iter()
            .filter(|value| value.get() != "null")
        {
            let item: There = serde_json::from_str(value.get())
                .map_err(|error| Error::malformed(format!("a work item of the target: {error}")))?;
            links::note(
                &mut known,
                item.id,
                item.relations.as_deref().unwrap_or_default(),
            );
            there.insert(item.id.to_string(), item.rev);
        }
    }
    let replays: Vec<_> = items
        .iter()
        .map(|item| replay(cx, &place, item, &there))
        .collect();
    let opened: Vec<Result<Option<Open>>> =
        stream::iter(replays).buffered(CONCURRENCY).collect().await;
    let mut outcomes = Vec::with_capacity(items.len());
    // Links last and one item after another: each is written from one end only.
    for (item, open) in items.iter().zip(opened) {
        let outcome = match open {
            Ok(Some(open)) => finish(cx, &place, item, open, &mut known).await,
            Ok(None) => Ok(Outcome::Unchanged),
            Err(error) => Err(error),
        };
        outcomes.push(outcome.or_else(failed)?);
    }
    Ok(outcomes)
}

fn is_written(item: &StoredItem) -> bool {
    matches!(
        item.action,
        Action::Create | Action::Merge | Action::Replace
    )
}

async fn replay(
    cx: &Restore<'_>,
    place: &Place<'_>,
    item: &StoredItem,
    there: &HashMap<String, u32>,
) -> Result<Option<Open>> {
    if !is_written(item) {
        return Ok(None);
    }
    let gone = || {
        Error::new(
            Class::Missing,
            "restore-failed",
            format!("{}: what was made for it is not at the target", item.item),
        )
    };
    let new_id = item.new_id.as_deref().ok_or_else(gone)?;
    let rev = *there.get(new_id).ok_or_else(gone)?;
    let source = Source::read(cx.target.stored, item).await?;
    let noted = Progress::of(cx, item).await?;
    let mut open = Open {
        losses: source.replay.losses.clone(),
        project: place.home(&source)?.clone(),
        source,
        progress: noted.unwrap_or(Progress {
            next: 1,
            rev: 1,
            ..Progress::default()
        }),
    };
    if item.action == Action::Create {
        open.catch_up(cx, place, item, (new_id, rev)).await?;
        steps(cx, place, item, new_id, &mut open).await?;
    } else {
        open.at_once(cx, place, item).await?;
        open.progress.rev = rev;
    }
    Ok(Some(open))
}

impl Open {
    /// Writes all that the target lacks as one revision; nothing is left of the replay then.
    async fn at_once(
        &mut self,
        cx: &Restore<'_>,
        place: &Place<'_>,
        item: &StoredItem,
    ) -> Result<()> {
        let (source, project) = (&self.source, &self.project);
        replace::to_snapshot(cx, place, item, source, project, &mut self.losses).await?;
        self.progress.next = usize::MAX;
        Ok(())
    }

    /// Takes note of revisions at the target that no note tells of. A write that was answered but not noted is there all the same: the next
    /// one, and no other.
    async fn catch_up(
        &mut self,
        cx: &Restore<'_>,
        place: &Place<'_>,
        item: &StoredItem,
        (new_id, rev): (&str, u32),
    ) -> Result<()> {
        let next = self.source.replay.steps.get(self.progress.next);
        let Some(next) = next.filter(|_| rev > self.progress.rev) else {
            self.progress.rev = self.progress.rev.max(rev);
            return Ok(());
        };
        let first = self.progress.rev + 1;
        let ours = is_ours(made_at(cx, new_id, first).await?, &next.date);
        self.progress.next += usize::from(ours);
        if !ours || rev > first {
            // Dates of the past are refused after an edit of today: the rest of the history is written as one revision.
            self.at_once(cx, place, item).await?;
            let loss = "it was changed at the target while it was restored".to_owned();
            self.progress.losses.push(loss);
        }
        // At once, so that never more than one write is not noted.
        self.progress.rev = rev;
        self.progress.note(cx, item).await
    }
}

/// A revision that does not say when it was made could be anybody's.
fn is_ours(made: Option<Timestamp>, date: &str) -> bool {
    made.is_some() && made == date.parse().ok()
}

/// When a revision of the item at the target was made, as the service has it.
async fn made_at(cx: &Restore<'_>, new_id: &str, rev: u32) -> Result<Option<Timestamp>> {
    let path = format!("/_apis/wit/workItems/{}/revisions/{rev}", segment(new_id));
    let call = cx.target.http.get(DEV, &path).version(STABLE);
    let answer = call.send().await?;
    let document: &RawValue = answer.json()?;
    let revision = history::Revision::read(document.get())?;
    Ok(revision.changed.and_then(|date| date.parse().ok()))
}

async fn steps(
    cx: &Restore<'_>,
    place: &Place<'_>,
    item: &StoredItem,
    new_id: &str,
    open: &mut Open,
) -> Result<()> {
    let mut uploads = Uploads::new(
        cx,
        &item.item,
        &open.source,
        &open.project,
        open.progress.uploads.clone(),
    );
    let count = open.source.replay.steps.len();
    let mut project = place.home(&open.source)?.clone();
    for (at, step) in open.source.replay.steps.iter().enumerate() {
        let moved = step.changes.get(history::PROJECT);
        if let Some(Value::String(name)) = moved.and_then(history::Change::value)
            && let Some(moved) = place.project(&step.filed, name)
        {
            project = moved.clone();
        }
        if at < open.progress.next {
            continue;
        }
        let mut patch = Patch::for_step(place, &open.source, step, &project, &mut uploads).await?;
        open.progress.note_uploads(cx, item, &uploads).await?;
        let test = json!({ "op": "test", "path": "/rev", "value": open.progress.rev });
        let with_test = |operations: Vec<Value>| {
            std::iter::once(test.clone())
                .chain(operations)
                .collect::<Vec<_>>()
        };
        let rev = match change(cx.target.http, new_id, &with_test(patch.operations(true))).await {
            Err(error) if api::is_refusal(&error) && patch.has_relations() => {
                open.progress.refused.extend(patch.take_relations());
                change(cx.target.http, new_id, &with_test(patch.operations(false))).await
            }
            other => other,
        };
        open.progress.rev = rev.map_err(|error| at_step(error, at, count))?;
        open.progress.losses.append(&mut patch.losses);
        open.progress.next = at + 1;
        open.progress.note(cx, item).await?;
    }
    open.project = project;
    uploads.finish(&mut open.losses);
    Ok(())
}

fn at_step(mut error: Error, at: usize, count: usize) -> Error {
    error.message = format!("revision {} of {count}: {}", at + 1, error.message);
    error
}

async fn finish(
    cx: &Restore<'_>,
    place: &Place<'_>,
    item: &StoredItem,
    mut open: Open,
    known: &mut Known,
) -> Result<Outcome> {
    let new_id = item.new_id.as_deref().unwrap_or_default();
    open.losses
        .extend(links::add(cx, place, &open.source, new_id, known).await?);
    open.losses
        .extend(links::one_by_one(cx, new_id, &open.progress.refused).await?);
    open.losses.extend(open.progress.losses.iter().cloned());
    if item.action == Action::Create {
        let mut uploads = Uploads::new(
            cx,
            &item.item,
            &open.source,
            &open.project,
            open.progress.uploads.clone(),
        );
        let talk = talk::Talk {
            cx,
            item,
            source: &open.source,
            project: &open.project,
        };
        open.losses
            .extend(talk.mend(&mut open.progress, &mut uploads).await?);
        uploads.finish(&mut open.losses);
    }
    open.losses.sort_unstable();
    open.losses.dedup();
    Ok(links::done(item, open.losses))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_without_a_date_is_not_ours() {
        let date = "2026-01-02T03:04:05.67Z";
        assert!(is_ours(date.parse().ok(), date));
        assert!(!is_ours("2026-01-02T03:04:05Z".parse().ok(), date));
        assert!(!is_ours(None, date));
        assert!(!is_ours(None, "no date"));
    }
}
