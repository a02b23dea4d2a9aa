//! One revision as a JSON patch.

use serde_json::{Value, json};
use service::Result;

use super::links;
use super::place::{Place, Project};
use super::source::{Leads, Source};
use super::upload::Uploads;
use crate::kinds::node::{AREA, ITERATION};
use crate::kinds::work_item::attachments::references;
use crate::kinds::work_item::filed::Filed;
use crate::kinds::work_item::history::{self, Step};

/// The operations of one write.
#[derive(Debug, Default)]
pub(super) struct Patch {
    /// The type, when this write gives or changes it.
    pub(super) kind: Option<String>,
    fields: Vec<Value>,
    relations: Vec<Value>,
    pub(super) losses: Vec<String>,
}

impl Patch {
    /// What a step of the replay writes into a project of the target.
    pub(super) async fn for_step(
        place: &Place<'_>,
        source: &Source,
        step: &Step,
        project: &Project,
        uploads: &mut Uploads<'_>,
    ) -> Result<Self> {
        let mut patch = Self::default();
        patch
            .changes(place, &step.changes, &step.filed, project, uploads)
            .await?;
        patch.formats(place, &step.markdown);
        if let Some(history) = &step.history {
            patch.set("System.History", uploads.rewrite(history).await?);
        }
        patch.set(history::CHANGED_DATE, step.date.as_str());
        patch.set(history::CHANGED_BY, step.by.as_str());
        for &at in &step.relations {
            patch.relation(place, source, at, uploads).await?;
        }
        Ok(patch)
    }

    /// Values of fields as they are at the target.
    pub(super) async fn changes(
        &mut self,
        place: &Place<'_>,
        changes: &history::Changes,
        filed: &Filed,
        project: &Project,
        uploads: &mut Uploads<'_>,
    ) -> Result<()> {
        for (field, change) in changes {
            if !place.knows(field) {
                let loss = format!("field {field} does not exist at the target");
                if !self.losses.contains(&loss) {
                    self.losses.push(loss);
                }
                continue;
            }
            let Some(value) = change.value() else {
                self.fields
                    .push(json!({ "op": "remove", "path": format!("/fields/{field}") }));
                continue;
            };
            match (field.as_str(), value) {
                (history::TYPE, Value::String(kind)) => self.kind = Some(kind.clone()),
                (history::PROJECT, Value::String(name)) => {
                    if let Some(project) = place.project(filed, name) {
                        self.set(field, project.name.as_str());
                    }
                }
                (history::AREA_PATH | history::ITERATION_PATH, Value::String(path)) => {
                    let kind = if field == history::AREA_PATH {
                        AREA
                    } else {
                        ITERATION
                    };
                    let losses = &mut self.losses;
                    let path = place.path(kind, filed, path, project, losses).await?;
                    self.set(field, path);
                }
                // Tags that are added join those that are there.
                (history::TAGS, tags) if matches!(change, history::Change::Replaced(_)) => {
                    self.write("replace", field, tags.clone());
                }
                (_, Value::String(text)) => {
                    let text = uploads.rewrite(text).await?;
                    self.set(field, text);
                }
                (_, value) => self.set(field, value.clone()),
            }
        }
        Ok(())
    }

    /// Texts that are Markdown from now on; without saying so they would become HTML.
    pub(super) fn formats(&mut self, place: &Place<'_>, markdown: &[String]) {
        for field in markdown.iter().filter(|field| place.knows(field)) {
            self.fields.push(json!({ "op": "add", "path": format!("/multilineFieldsFormat/{field}"), "value": "Markdown" }));
        }
    }

    pub(super) fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.write("add", field, value.into());
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it becomes part of the patch"
    )]
    fn write(&mut self, op: &str, field: &str, value: Value) {
        self.fields
            .push(json!({ "op": op, "path": format!("/fields/{field}"), "value": value }));
    }

    /// A relation that makes a revision: a file, an address, an artifact.
    pub(super) async fn relation(
        &mut self,
        place: &Place<'_>,
        source: &Source,
        at: usize,
        uploads: &mut Uploads<'_>,
    ) -> Result<()> {
        let relation = &source.relations[at];
        let mut attributes = serde_json::Map::new();
        for (name, value) in [
            ("name", &relation.attributes.name),
            ("comment", &relation.attributes.comment),
        ] {
            if let Some(value) = value {
                attributes.insert(name.to_owned(), Value::from(value.as_str()));
            }
        }
        let url = match relation.leads() {
            Leads::ToFile => {
                let Some(guid) = references(&relation.url)
                    .next()
                    .map(|reference| reference.guid)
                else {
                    self.losses.push(format!(
                        "the attached file at {} cannot be told by its address",
                        relation.url
                    ));
                    return Ok(());
                };
                match uploads.url(guid).await? {
                    Some(url) => url,
                    None => return Ok(()),
                }
            }
            Leads::ToAddress => relation.url.clone(),
            Leads::ToArtifact => match links::artifact(&relation.url, place.cx) {
                Ok(url) => url,
                Err(loss) => {
                    self.losses.push(loss);
                    return Ok(());
                }
            },
            Leads::ToItem | Leads::Elsewhere => return Ok(()),
        };
        self.relations.push(json!({ "op": "add", "path": "/relations/-", "value": { "rel": relation.rel, "url": url, "attributes": attributes } }));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.kind.is_none() && self.fields.is_empty() && self.relations.is_empty()
    }

    pub(super) fn has_relations(&self) -> bool {
        !self.relations.is_empty()
    }

    /// The relations alone, for when the service refuses some of them.
    pub(super) fn take_relations(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.relations)
    }

    /// The type first: the values that follow are checked against it.
    pub(super) fn operations(&self, relations: bool) -> Vec<Value> {
        let kind = self.kind.iter().map(|kind| json!({ "op": "add", "path": format!("/fields/{}", history::TYPE), "value": kind }));
        let related = self.relations.iter().filter(|_| relations).cloned();
        kind.chain(self.fields.iter().cloned())
            .chain(related)
            .collect()
    }
}
