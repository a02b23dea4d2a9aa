//! An item that stands at the target brought to what the snapshot has, as one more revision of it.

use model::Class;
use serde_json::{Value, json};
use service::{Error, Restore, Result, StoredItem};

use super::patch::Patch;
use super::place::{Place, Project};
use super::source::{Leads, Source, relations};
use super::upload::Uploads;
use super::{change, links};
use crate::api;
use crate::kinds::work_item::batch;
use crate::kinds::work_item::history::{self, Fields, Revision};

/// Writes the fields that differ, and the files and addresses that are missing.
pub(super) async fn to_snapshot(
    cx: &Restore<'_>,
    place: &Place<'_>,
    item: &StoredItem,
    source: &mut Source,
    project: &Project,
    losses: &mut Vec<String>,
) -> Result<()> {
    losses.clear();
    let new_id = item.new_id.as_deref().unwrap_or_default();
    let answer = batch::ask(cx.target.http, &[new_id.parse().unwrap_or(0)]).await?;
    let values = answer.values()?;
    let Some(document) = values.into_iter().find(|value| value.get() != "null") else {
        return Err(Error::new(
            Class::Conflict,
            "restore-conflict",
            format!("work item {new_id} is no longer at the target, or hidden from this identity"),
        ));
    };
    let there = Revision::read(document.get())?;
    let have = relations(document.get())?;
    let mut uploads = Uploads::new(
        cx,
        &item.item,
        source,
        project,
        std::collections::BTreeMap::new(),
    );
    let mut patch = Patch::default();
    let wanted = at_target(place, &source.now.fields, project).await?;
    patch
        .changes(
            place,
            &history::changes(&there.fields, &wanted),
            project,
            &mut uploads,
        )
        .await?;
    let new: Vec<String> = source
        .now
        .markdown
        .iter()
        .filter(|field| !there.markdown.contains(field))
        .cloned()
        .collect();
    patch.formats(place, &new);
    for (at, relation) in source.relations.iter().enumerate() {
        let present = match relation.leads() {
            Leads::ToFile | Leads::ToAddress => relation.is_among(&have),
            Leads::ToArtifact => {
                let wanted = links::artifact(&relation.url, place.cx);
                let wanted = wanted.as_deref().unwrap_or(&relation.url);
                have.iter().any(|other| {
                    other.rel == relation.rel && other.url.eq_ignore_ascii_case(wanted)
                })
            }
            Leads::ToItem | Leads::Elsewhere => true,
        };
        if !present {
            patch.relation(place, source, at, &mut uploads).await?;
        }
    }
    if !patch.is_empty() {
        // An edit between reading and writing is not written over.
        let test = json!({ "op": "test", "path": "/rev", "value": there.rev });
        let unedited = |operations: Vec<Value>| [vec![test.clone()], operations].concat();
        match change(cx.target.http, new_id, &unedited(patch.operations(true))).await {
            // One link that is refused must not cost the fields.
            Err(error) if api::is_refusal(&error) && patch.has_relations() => {
                let relations = patch.take_relations();
                change(cx.target.http, new_id, &unedited(patch.operations(false))).await?;
                losses.extend(links::one_by_one(cx, new_id, &relations).await?);
            }
            other => drop(other?),
        }
        losses.push("what differed was written as a new revision by the restoring identity; the history between stays".to_owned());
    }
    if !source.comments.is_empty() {
        losses.push("comments were not compared: those of the target stay as they are".to_owned());
    }
    losses.append(&mut patch.losses);
    uploads.finish(losses);
    Ok(())
}

/// Paths as they are at the target, so that they do not differ by the name of the project alone.
async fn at_target(place: &Place<'_>, fields: &Fields, project: &Project) -> Result<Fields> {
    let mut fields = fields.clone();
    for (field, area) in [(history::AREA_PATH, true), (history::ITERATION_PATH, false)] {
        if let Some(path) = fields
            .get(field)
            .and_then(|path| path.as_str())
            .map(str::to_owned)
        {
            fields.insert(
                field.to_owned(),
                place
                    .path(area, &path, project, &mut Vec::new())
                    .await?
                    .into(),
            );
        }
    }
    Ok(fields)
}
