//! Creating and changing work items.

mod draft;
mod relations;

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::fields::FieldId;
use super::item::{CommentRef, Deletion, Item, Relinked, Revision, Target, Update, Values};
use super::patch::Operation;
use super::reporting::LinkChange;
use super::value::FieldValue;
use super::{State, comments, ids};
use crate::server::ApiError;
use crate::world::{Organization, Person};

use draft::Draft;
pub(crate) use relations::visible;

/// How a change is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// Takes dates, authors, states and identities as they come.
    pub bypass_rules: bool,
    /// Checks without saving.
    pub validate_only: bool,
}

pub(crate) fn rule_error(message: impl Into<String>) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.RuleValidationException",
        message,
    )
}

pub(crate) fn unknown_item(id: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemUnauthorizedAccessException",
        format!(
            "TF401232: Work item {id} does not exist, or you do not have permissions to read it."
        ),
    )
}

/// Creates a work item and returns it as it was saved (or would be).
pub(crate) fn create(
    organization: &mut Organization,
    project: Uuid,
    type_name: &str,
    patch: &[Operation],
    by: &Arc<Person>,
    options: Options,
) -> Result<Item, ApiError> {
    allow_bypass(organization, by, options)?;
    let draft = Draft::new_item(organization, project, type_name, by, options)?;
    let draft = draft.apply(organization, patch)?;
    Ok(save(organization, draft, by, options))
}

/// Changes a work item that is not deleted and returns it as it was saved (or would be).
pub(crate) fn update(
    organization: &mut Organization,
    id: u32,
    patch: &[Operation],
    by: &Arc<Person>,
    options: Options,
) -> Result<Item, ApiError> {
    allow_bypass(organization, by, options)?;
    let item = organization
        .wit
        .items
        .get(&id)
        .filter(|item| item.deleted.is_none())
        .ok_or_else(|| unknown_item(id))?;
    let draft = Draft::of(organization, item, by, options).apply(organization, patch)?;
    Ok(save(organization, draft, by, options))
}

fn allow_bypass(
    organization: &Organization,
    by: &Person,
    options: Options,
) -> Result<(), ApiError> {
    if options.bypass_rules {
        organization.require("BYPASS_RULES", "Bypass rules on work item updates", by)
    } else {
        Ok(())
    }
}

fn save(organization: &mut Organization, draft: Draft, by: &Arc<Person>, options: Options) -> Item {
    let Draft {
        mut item,
        values,
        markdown,
        mut relinked,
        comment,
        revises,
        moved_to,
        ..
    } = draft;
    item.project = moved_to.unwrap_or(item.project);
    let now = organization.clock.tick();
    // Where there is no revision to say otherwise, it is the caller, and now.
    let (author, date) = if revises {
        signature(&values, by, now)
    } else {
        (FieldValue::Person(Arc::clone(by)), now)
    };
    if options.validate_only {
        if revises {
            item.revisions.push(Revision {
                values,
                changed: date,
                authorized: now,
                authorized_as: Arc::clone(by),
                watermark: 0,
                comment: None,
                markdown,
            });
        }
        return item;
    }
    organization.wit.number(&mut item, &mut relinked, date);
    relinked.apply(&mut item.relations);
    if revises {
        let last = &mut organization.wit.last_comment;
        let comment =
            comment.map(|text| comments::from_history(last, &mut item, &text, &author, date));
        push_revision(organization, &mut item, values, date, by, comment, markdown);
    }
    relations::mirror(organization, &item, &relinked, by);
    if revises || !relinked.is_nothing() {
        item.updates.push(Update {
            rev: item.rev(),
            revises,
            by: author,
            date,
            relinked,
        });
    }
    organization.wit.items.insert(item.id, item.clone());
    item
}

/// Author and date of a revision, which need not be the caller and now.
fn signature(values: &Values, by: &Arc<Person>, now: Timestamp) -> (FieldValue, Timestamp) {
    let author = values
        .get(ids::CHANGED_BY)
        .cloned()
        .unwrap_or_else(|| FieldValue::Person(Arc::clone(by)));
    let date = match values.get(ids::CHANGED_DATE) {
        Some(FieldValue::Date(date)) => *date,
        _ => now,
    };
    (author, date)
}

impl State {
    /// Gives a new item and its new relations their ids.
    fn number(&mut self, item: &mut Item, relinked: &mut Relinked, date: Timestamp) {
        if item.id == 0 {
            self.last_item += 1;
            item.id = self.last_item;
        }
        for relation in &mut relinked.added {
            self.last_relation += 1;
            relation.id = self.last_relation;
            relation.added = date;
        }
    }
}

/// Appends a revision and puts it into the stream.
fn push_revision(
    organization: &mut Organization,
    item: &mut Item,
    mut values: Values,
    changed: Timestamp,
    by: &Arc<Person>,
    comment: Option<CommentRef>,
    markdown: Vec<FieldId>,
) {
    values.set(
        ids::COMMENT_COUNT,
        Some(FieldValue::Integer(item.comment_count())),
    );
    let authorized = organization.clock.now();
    organization
        .wit
        .log
        .push((item.id, item.rev() + 1, authorized));
    let watermark = organization.wit.log.len() as u32;
    item.revisions.push(Revision {
        values,
        changed,
        authorized,
        authorized_as: Arc::clone(by),
        watermark,
        comment,
        markdown,
    });
}

/// Adds a revision that changes values as the service itself does: no rules, the next moment, the caller as author.
pub(crate) fn revise(
    organization: &mut Organization,
    id: u32,
    by: &Arc<Person>,
    comment: Option<CommentRef>,
    change: impl FnOnce(&mut Values),
) {
    let now = organization.clock.tick();
    let Some(mut item) = organization.wit.items.remove(&id) else {
        return;
    };
    let mut values = item.latest().values.clone();
    values.set(ids::HISTORY, None);
    let date = now.max(item.latest().changed + jiff::SignedDuration::from_millis(3));
    values.set(ids::CHANGED_DATE, Some(FieldValue::Date(date)));
    values.set(ids::CHANGED_BY, Some(FieldValue::Person(Arc::clone(by))));
    change(&mut values);
    let markdown = item.latest().markdown.clone();
    push_revision(organization, &mut item, values, date, by, comment, markdown);
    item.updates.push(Update {
        rev: item.rev(),
        revises: true,
        by: FieldValue::Person(Arc::clone(by)),
        date,
        relinked: Relinked::default(),
    });
    organization.wit.items.insert(id, item);
}

pub(crate) fn set_field(
    organization: &mut Organization,
    id: u32,
    field: FieldId,
    value: &FieldValue,
    by: &Arc<Person>,
) {
    revise(organization, id, by, None, |values| {
        values.set(field, Some(value.clone()));
    });
}

/// Moves an item to the recycle bin: a revision with `System.IsDeleted`.
pub(crate) fn delete(
    organization: &mut Organization,
    id: u32,
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    organization.require("WORK_ITEM_DELETE", "Delete and restore work items", by)?;
    if organization
        .wit
        .items
        .get(&id)
        .is_none_or(|item| item.deleted.is_some())
    {
        return Err(unknown_item(id));
    }
    revise(organization, id, by, None, |values| {
        values.set(ids::IS_DELETED, Some(FieldValue::Boolean(true)));
    });
    let date = organization.clock.now();
    if let Some(item) = organization.wit.items.get_mut(&id) {
        item.deleted = Some(Deletion {
            by: Arc::clone(by),
            date,
        });
    }
    state_links(organization, id, by, false);
    Ok(())
}

/// Takes an item out of the recycle bin with everything that it had.
pub(crate) fn restore(
    organization: &mut Organization,
    id: u32,
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    organization.require("WORK_ITEM_DELETE", "Delete and restore work items", by)?;
    if organization
        .wit
        .items
        .get(&id)
        .is_none_or(|item| item.deleted.is_none())
    {
        return Err(unknown_item(id));
    }
    revise(organization, id, by, None, |values| {
        values.set(ids::IS_DELETED, None);
    });
    if let Some(item) = organization.wit.items.get_mut(&id) {
        item.deleted = None;
    }
    state_links(organization, id, by, true);
    Ok(())
}

/// Removes an item for good, and the links that lead to it.
pub(crate) fn destroy(
    organization: &mut Organization,
    id: u32,
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    organization.require(
        "WORK_ITEM_PERMANENTLY_DELETE",
        "Permanently delete work items",
        by,
    )?;
    let item = organization
        .wit
        .items
        .get(&id)
        .ok_or_else(|| unknown_item(id))?;
    if item.deleted.is_none() {
        state_links(organization, id, by, false);
    }
    organization.wit.items.remove(&id);
    for item in organization.wit.items.values_mut() {
        item.relations.retain(
            |relation| !matches!(relation.target, Target::Item { id: target, .. } if target == id),
        );
    }
    Ok(())
}

/// Says in the stream of links that those of an item went or came back with it.
fn state_links(organization: &mut Organization, id: u32, by: &Arc<Person>, active: bool) {
    let date = organization.clock.now();
    let Some(item) = organization.wit.items.get(&id) else {
        return;
    };
    let changes: Vec<LinkChange> = item
        .relations
        .iter()
        .filter_map(|relation| match relation.target {
            Target::Item { link, id: target } => Some(LinkChange::new(
                link,
                id,
                target,
                date,
                by,
                relation.comment.clone(),
                active,
            )),
            _ => None,
        })
        .collect();
    organization.wit.link_log.extend(changes);
}
