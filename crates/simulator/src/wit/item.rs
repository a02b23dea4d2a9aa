//! A work item with everything that ever happened to it.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::comments::Comment;
use super::fields::FieldId;
use super::ids;
use super::links::LinkType;
use super::value::FieldValue;
use crate::world::Person;

/// Values by field, in the order of the fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(Vec<(FieldId, FieldValue)>);

impl Values {
    pub(crate) fn get(&self, field: FieldId) -> Option<&FieldValue> {
        self.0
            .binary_search_by_key(&field, |(id, _)| *id)
            .ok()
            .map(|at| &self.0[at].1)
    }

    pub(crate) fn text(&self, field: FieldId) -> &str {
        match self.get(field) {
            Some(FieldValue::Text(text)) => text,
            _ => "",
        }
    }

    /// `None` clears the field.
    pub(crate) fn set(&mut self, field: FieldId, value: Option<FieldValue>) {
        match (self.0.binary_search_by_key(&field, |(id, _)| *id), value) {
            (Ok(at), Some(value)) => self.0[at].1 = value,
            (Ok(at), None) => drop(self.0.remove(at)),
            (Err(at), Some(value)) => self.0.insert(at, (field, value)),
            (Err(_), None) => {}
        }
    }

    /// Lets equal texts be one; with `learn`, texts that are new are kept for others.
    fn share_texts(&mut self, texts: &mut HashSet<Arc<str>>, learn: bool) {
        for (_, value) in &mut self.0 {
            if let FieldValue::Text(text) = value {
                match texts.get(text) {
                    Some(same) => *text = Arc::clone(same),
                    None if learn => drop(texts.insert(Arc::clone(text))),
                    None => {}
                }
            }
        }
        self.0.shrink_to_fit();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (FieldId, &FieldValue)> {
        self.0.iter().map(|(id, value)| (*id, value))
    }
}

/// One revision. Computed fields (ids, levels, counts) are added when it is written out.
#[derive(Clone, Debug)]
pub(crate) struct Revision {
    pub values: Values,
    /// `System.ChangedDate`; strictly increasing.
    pub changed: Timestamp,
    /// When the service took it, which bypassing rules cannot change.
    pub authorized: Timestamp,
    pub authorized_as: Arc<Person>,
    /// Position in the stream of revisions, from 1.
    pub watermark: u32,
    /// The comment that this revision added, changed or deleted.
    pub comment: Option<CommentRef>,
    /// Long fields whose text is Markdown.
    pub markdown: Vec<FieldId>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CommentRef {
    pub comment: u32,
    pub version: u32,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// Another work item of the organization; the other end has the opposite link.
    Item { link: &'static LinkType, id: u32 },
    /// A file that was uploaded before.
    Attachment { id: Uuid, length: usize },
    /// `Hyperlink`, `ArtifactLink` or a link to another organization, with its address.
    Resource { rel: Arc<str>, url: Arc<str> },
}

#[derive(Clone, Debug)]
pub(crate) struct Relation {
    /// Unique in the organization.
    pub id: u32,
    pub target: Target,
    pub comment: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub locked: bool,
    pub added: Timestamp,
    pub resource_created: Timestamp,
}

impl Relation {
    /// Whether both lead to the same place in the same way.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.target, &other.target) {
            (
                Target::Item { link, id },
                Target::Item {
                    link: other_link,
                    id: other_id,
                },
            ) => link.reference == other_link.reference && id == other_id,
            (Target::Attachment { id, .. }, Target::Attachment { id: other_id, .. }) => {
                id == other_id
            }
            (
                Target::Resource { rel, url },
                Target::Resource {
                    rel: other_rel,
                    url: other_url,
                },
            ) => rel == other_rel && url == other_url,
            _ => false,
        }
    }
}

/// One save: a revision, or a change of links between work items, which makes none.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub rev: u32,
    /// Whether it made the revision `rev`.
    pub revises: bool,
    pub by: FieldValue,
    pub date: Timestamp,
    pub relinked: Relinked,
}

/// What a save did to relations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Relinked {
    pub added: Vec<Relation>,
    pub removed: Vec<Relation>,
    /// Before and after.
    pub changed: Vec<(Relation, Relation)>,
}

impl Relinked {
    pub(crate) fn is_nothing(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    pub(crate) fn apply(&self, relations: &mut Vec<Relation>) {
        exchange(relations, &self.removed, &self.added);
        for (_, after) in &self.changed {
            put(relations, after);
        }
    }

    fn undo(&self, relations: &mut Vec<Relation>) {
        for (before, _) in &self.changed {
            put(relations, before);
        }
        exchange(relations, &self.added, &self.removed);
    }
}

fn exchange(relations: &mut Vec<Relation>, out: &[Relation], into: &[Relation]) {
    relations.retain(|relation| !out.iter().any(|gone| gone.id == relation.id));
    relations.extend(into.iter().cloned());
}

/// A relation keeps its id when it changes.
fn put(relations: &mut [Relation], relation: &Relation) {
    if let Some(own) = relations.iter_mut().find(|own| own.id == relation.id) {
        own.clone_from(relation);
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Deletion {
    pub by: Arc<Person>,
    pub date: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub id: u32,
    pub project: Uuid,
    /// Never empty; the revision number is the index plus 1.
    pub revisions: Vec<Revision>,
    pub relations: Vec<Relation>,
    pub updates: Vec<Update>,
    pub comments: Vec<Comment>,
    pub deleted: Option<Deletion>,
}

impl Item {
    /// See [`Values::share_texts`].
    pub(crate) fn share_texts(&mut self, texts: &mut HashSet<Arc<str>>, learn: bool) {
        for revision in &mut self.revisions {
            revision.values.share_texts(texts, learn);
        }
        self.revisions.shrink_to_fit();
        self.updates.shrink_to_fit();
    }

    pub(crate) fn rev(&self) -> u32 {
        self.revisions.len() as u32
    }

    pub(crate) fn latest(&self) -> &Revision {
        &self.revisions[self.revisions.len() - 1]
    }

    pub(crate) fn revision(&self, rev: u32) -> Option<&Revision> {
        self.revisions.get((rev as usize).checked_sub(1)?)
    }

    /// The number of the revision that was the newest at the moment.
    pub(crate) fn rev_at(&self, moment: Timestamp) -> Option<u32> {
        let count = self
            .revisions
            .partition_point(|revision| revision.changed <= moment);
        (count > 0).then_some(count as u32)
    }

    /// The relations as they were before the updates that `is_later` names.
    pub(crate) fn relations_before(&self, is_later: impl Fn(&Update) -> bool) -> Vec<Relation> {
        let mut relations = self.relations.clone();
        for update in self.updates.iter().rev().filter(|update| is_later(update)) {
            update.relinked.undo(&mut relations);
        }
        relations
    }

    pub(crate) fn type_name(&self) -> &str {
        self.latest().values.text(ids::WORK_ITEM_TYPE)
    }

    pub(crate) fn title(&self) -> &str {
        self.latest().values.text(ids::TITLE)
    }

    /// Comments that are not deleted.
    pub(crate) fn comment_count(&self) -> i64 {
        let live = self.comments.iter().filter(|comment| !comment.is_deleted());
        live.map(|_| 1).sum()
    }
}
