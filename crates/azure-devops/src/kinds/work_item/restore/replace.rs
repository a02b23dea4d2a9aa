//! An item that stands at the target brought to what the snapshot has, as one more revision of it.

use std::collections::BTreeMap;

use model::Class;
use serde_json::{Value, json};
use service::{Error, Restore, Result, StoredItem};

use super::patch::Patch;
use super::place::{Place, Project};
use super::source::{Leads, Relation, Source, relations};
use super::upload::Uploads;
use super::{change, links};
use crate::api;
use crate::kinds::work_item::batch;
use crate::kinds::work_item::filed::PATHS;
use crate::kinds::work_item::history::{self, Fields, Revision};

/// Writes the fields that differ, and the files and addresses that are missing.
pub(super) async fn to_snapshot(
    cx: &Restore<'_>,
    place: &Place<'_>,
    item: &StoredItem,
    source: &Source,
    project: &Project,
    losses: &mut Vec<String>,
) -> Result<()> {
    losses.clear();
    let unknown = || {
        let message = format!("{}: its number at the target is not known", item.item);
        Error::malformed(message)
    };
    let new_id = item.new_id.as_deref().ok_or_else(unknown)?;
    let there = There::read(cx, new_id.parse().map_err(|_| unknown())?).await?;
    let mut uploads = Uploads::new(cx, &item.item, source, project, BTreeMap::new());
    let mut patch = there.lacks(place, source, &mut uploads).await?;
    if !patch.is_empty() {
        losses.extend(write(cx, new_id, there.now.rev, &mut patch).await?);
        losses.push("what differed was written as a new revision by the restoring identity; the history between stays".to_owned());
    }
    if !source.comments.is_empty() {
        losses.push("comments were not compared: those of the target stay as they are".to_owned());
    }
    losses.append(&mut patch.losses);
    uploads.finish(losses);
    Ok(())
}

/// The item as it stands at the target.
struct There {
    now: Revision,
    relations: Vec<Relation>,
}

impl There {
    async fn read(cx: &Restore<'_>, id: u32) -> Result<Self> {
        let answer = batch::ask(cx.target.http, &[id]).await?;
        let values = answer.values()?;
        let Some(document) = values.into_iter().find(|value| value.get() != "null") else {
            return Err(Error::new(
                Class::Conflict,
                "restore-conflict",
                format!("work item {id} is no longer at the target, or hidden from this identity"),
            ));
        };
        Ok(Self {
            now: Revision::read(document.get())?,
            relations: relations(document.get())?,
        })
    }

    /// What the snapshot has beyond it.
    async fn lacks(
        &self,
        place: &Place<'_>,
        source: &Source,
        uploads: &mut Uploads<'_>,
    ) -> Result<Patch> {
        let mut patch = Patch::default();
        let project = place.present(source)?;
        let wanted = self
            .wanted(place, source, project, &mut patch.losses)
            .await?;
        let mut changes = history::changes(&self.now.fields, &wanted);
        // These are as the target has them already.
        for field in [
            history::PROJECT,
            history::AREA_PATH,
            history::ITERATION_PATH,
        ] {
            if let Some(change) = changes.remove(field)
                && let Some(value) = change.value()
            {
                patch.set(field, value.clone());
            }
        }
        let filed = &source.now.filed;
        patch
            .changes(place, &changes, filed, project, uploads)
            .await?;
        let markdown = source.now.markdown.iter();
        let new: Vec<String> = markdown
            .filter(|field| !self.now.markdown.contains(field))
            .cloned()
            .collect();
        patch.formats(place, &new);
        for (at, relation) in source.relations.iter().enumerate() {
            if !self.has(place, relation) {
                patch.relation(place, source, at, uploads).await?;
            }
        }
        Ok(patch)
    }

    /// The stored fields with the project and the paths as the target has them. No ancestor is written over the node that an item of the same
    /// project is filed under.
    async fn wanted(
        &self,
        place: &Place<'_>,
        source: &Source,
        project: &Project,
        losses: &mut Vec<String>,
    ) -> Result<Fields> {
        let (mut fields, filed) = (source.now.fields.clone(), &source.now.filed);
        let stays = self.now.text(history::PROJECT).to_lowercase() == project.name.to_lowercase();
        if let Some(name) = fields.get_mut(history::PROJECT) {
            *name = project.name.as_str().into();
        }
        for (field, kind) in PATHS {
            let old = source.now.text(field);
            if old.is_empty() {
                continue;
            }
            let there = self.now.text(field);
            let path = if stays && !there.is_empty() {
                let spot = place.spot(kind, filed, old, project).await?;
                if spot.exact {
                    spot.path
                } else {
                    losses.push(format!(
                        "{kind} {old} is not at the target: the item stays in {there}"
                    ));
                    there.to_owned()
                }
            } else {
                place.path(kind, filed, old, project, losses).await?
            };
            fields.insert(field.to_owned(), path.into());
        }
        Ok(fields)
    }

    /// Links to items are written apart from all others.
    fn has(&self, place: &Place<'_>, relation: &Relation) -> bool {
        match relation.leads() {
            Leads::ToFile | Leads::ToAddress => relation.is_among(&self.relations),
            Leads::ToArtifact => {
                let wanted = links::artifact(&relation.url, place.cx);
                let wanted = wanted.as_deref().unwrap_or(&relation.url);
                self.relations.iter().any(|other| {
                    other.rel == relation.rel && other.url.eq_ignore_ascii_case(wanted)
                })
            }
            Leads::ToItem | Leads::Elsewhere => true,
        }
    }
}

/// Writes onto the revision that was read: an edit since then is not written over. Returns what of the relations was refused.
async fn write(cx: &Restore<'_>, id: &str, rev: u32, patch: &mut Patch) -> Result<Vec<String>> {
    let test = json!({ "op": "test", "path": "/rev", "value": rev });
    let unedited = |operations: Vec<Value>| [vec![test.clone()], operations].concat();
    match change(cx.target.http, id, &unedited(patch.operations(true))).await {
        // One link that is refused must not cost the fields.
        Err(error) if api::is_refusal(&error) && patch.has_relations() => {
            let relations = patch.take_relations();
            change(cx.target.http, id, &unedited(patch.operations(false))).await?;
            links::one_by_one(cx, id, &relations).await
        }
        other => other.map(|_| Vec::new()),
    }
}
