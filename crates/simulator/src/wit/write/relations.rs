//! Relations in a change, and the other ends of links.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::draft::Draft;
use super::{rule_error, unknown_item};
use crate::server::ApiError;
use crate::wit::item::{Item, Relation, Relinked, Target, Update};
use crate::wit::links::{LinkType, RESOURCES};
use crate::wit::reporting::LinkChange;
use crate::wit::value::{FieldValue, parse_date};
use crate::world::{Organization, Person};

/// Attachments of one work item.
const MOST_ATTACHMENTS: usize = 100;
/// Links of one work item.
const MOST_LINKS: usize = 1000;

/// The relations that answers show: those that lead to deleted items are hidden.
pub(crate) fn visible(organization: &Organization, item: &Item) -> Vec<Relation> {
    item.relations
        .iter()
        .filter(|relation| is_visible(organization, relation))
        .cloned()
        .collect()
}

pub(crate) fn is_visible(organization: &Organization, relation: &Relation) -> bool {
    match relation.target {
        Target::Item { id, .. } => organization
            .wit
            .items
            .get(&id)
            .is_some_and(|item| item.deleted.is_none()),
        _ => true,
    }
}

fn error(message: impl Into<String>) -> ApiError {
    ApiError::new(
        StatusCode::BAD_REQUEST,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemLinkInvalidException",
        message,
    )
}

/// One operation on `/relations/{place}`.
pub(super) fn apply(
    draft: &mut Draft,
    organization: &Organization,
    seen: &[Relation],
    op: &str,
    place: &str,
    value: &Value,
) -> Result<(), ApiError> {
    if place == "-" && op == "add" {
        let relation = parse(organization, value)?;
        return add(draft, organization, relation);
    }
    let (index, rest) = place.split_once('/').unwrap_or((place, ""));
    let before = index
        .parse::<usize>()
        .ok()
        .and_then(|index| seen.get(index))
        .ok_or_else(|| {
            error(format!(
                "VS403387: Relations index {index} is out of range."
            ))
        })?
        .clone();
    match (op, rest) {
        ("remove", "") => {
            draft.revises |= !matches!(before.target, Target::Item { .. });
            draft.relinked.removed.push(before);
        }
        ("add" | "replace", "") => {
            let after = parse(organization, value)?;
            if after.is_same(&before) {
                change(draft, before, |relation| {
                    relation.comment = after.comment.or(relation.comment.take());
                });
            } else {
                draft.revises |= !matches!(before.target, Target::Item { .. });
                draft.relinked.removed.push(before);
                add(draft, organization, after)?;
            }
        }
        ("add" | "replace" | "remove", "attributes/comment") => change(draft, before, |relation| {
            relation.comment = value.as_str().map(Into::into);
        }),
        ("add" | "replace", "attributes/isLocked") => change(draft, before, |relation| {
            relation.locked = value.as_bool().unwrap_or(false);
        }),
        _ => {
            return Err(error(format!(
                "VS403359: The path /relations/{place} is not valid for a work item patch."
            )));
        }
    }
    Ok(())
}

fn change(draft: &mut Draft, before: Relation, edit: impl FnOnce(&mut Relation)) {
    let mut after = before.clone();
    edit(&mut after);
    draft.revises |= !matches!(before.target, Target::Item { .. });
    draft.relinked.changed.push((before, after));
}

/// The relations that the item has with all operations until now.
fn standing(draft: &Draft) -> Vec<Relation> {
    let mut relations = draft.item.relations.clone();
    draft.relinked.apply(&mut relations);
    relations
}

fn add(draft: &mut Draft, organization: &Organization, relation: Relation) -> Result<(), ApiError> {
    let all = standing(draft);
    if all.iter().any(|own| own.is_same(&relation)) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemResourceLinkException",
            "VS402379: Relation already exists.",
        ));
    }
    match &relation.target {
        Target::Item { link, id } => may_link(organization, &all, (draft.item.id, *link, *id))?,
        Target::Attachment { .. } => {
            let files = all
                .iter()
                .filter(|own| matches!(own.target, Target::Attachment { .. }));
            if files.count() >= MOST_ATTACHMENTS {
                return Err(rule_error(format!(
                    "VS403488: A work item cannot have more than {MOST_ATTACHMENTS} attachments."
                )));
            }
            draft.revises = true;
        }
        Target::Resource { .. } => draft.revises = true,
    }
    if all.len() >= MOST_LINKS {
        return Err(rule_error(format!(
            "VS403442: A work item cannot have more than {MOST_LINKS} links."
        )));
    }
    draft.relinked.added.push(relation);
    Ok(())
}

/// The rules of links between items: to another one that is there, to one parent alone, in no circle.
fn may_link(
    organization: &Organization,
    all: &[Relation],
    (from, link, to): (u32, &'static LinkType, u32),
) -> Result<(), ApiError> {
    if to == from {
        return Err(error(
            "TF201034: You cannot add a link that leads from a work item to itself.",
        ));
    }
    let target = organization
        .wit
        .items
        .get(&to)
        .filter(|item| item.deleted.is_none())
        .ok_or_else(|| unknown_item(to))?;
    let taken = |relations: &[Relation], wanted: &LinkType| {
        wanted.is_single() && relations.iter().any(|own| {
            matches!(own.target, Target::Item { link, .. } if link.reference == wanted.reference)
                && is_visible(organization, own)
        })
    };
    let single = if taken(all, link) {
        Some(link)
    } else {
        Some(link.opposite()).filter(|opposite| taken(&target.relations, opposite))
    };
    if let Some(single) = single {
        return Err(error(format!(
            "TF201036: You cannot add a {} link between work items {from} and {to} because a work item can have only one {} link.",
            link.name, single.name
        )));
    }
    if link.is_tree() && reaches(organization, to, link, from) {
        return Err(error(format!(
            "TF201035: You cannot add a {} link between work items {from} and {to} because it would make a circle.",
            link.name
        )));
    }
    Ok(())
}

/// Whether links of the kind lead from one item to the other.
fn reaches(organization: &Organization, from: u32, link: &LinkType, to: u32) -> bool {
    let mut seen = std::collections::HashSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        if id == to {
            return true;
        }
        if !seen.insert(id) {
            continue;
        }
        let relations = organization
            .wit
            .items
            .get(&id)
            .map(|item| item.relations.as_slice())
            .unwrap_or_default();
        open.extend(
            relations
                .iter()
                .filter_map(|relation| match relation.target {
                    Target::Item { link: own, id } if own.reference == link.reference => Some(id),
                    _ => None,
                }),
        );
    }
    false
}

fn parse(organization: &Organization, value: &Value) -> Result<Relation, ApiError> {
    let text = |name: &str| value[name].as_str().unwrap_or_default();
    let attributes = &value["attributes"];
    let attribute = |name: &str| attributes[name].as_str().map(Arc::<str>::from);
    let now = organization.clock.now();
    let created = attributes["resourceCreatedDate"].as_str();
    let mut relation = Relation {
        id: 0,
        target: target(organization, text("rel"), text("url"))?,
        comment: attribute("comment").filter(|comment| !comment.is_empty()),
        name: attribute("name"),
        locked: attributes["isLocked"].as_bool().unwrap_or(false),
        added: now,
        resource_created: created.and_then(parse_date).unwrap_or(now),
    };
    if let Target::Attachment { id, .. } = relation.target
        && let Some(file) = organization.wit.attachments.get(&id)
    {
        relation.name = relation
            .name
            .take()
            .or_else(|| Some(file.name.as_str().into()));
        relation.resource_created = file.created;
    }
    Ok(relation)
}

/// Where a relation leads: to an item of this organization, to a file of it, or to an address.
fn target(organization: &Organization, rel: &str, url: &str) -> Result<Target, ApiError> {
    if let Some(link) = LinkType::find(rel) {
        if link.is_remote() {
            return Ok(Target::Resource {
                rel: link.reference.into(),
                url: url.into(),
            });
        }
        let id = url.rsplit('/').next().and_then(|id| id.parse().ok());
        let not_one = || {
            error(format!(
                "VS402393: The address {url} is not one of a work item."
            ))
        };
        return Ok(Target::Item {
            link,
            id: id.ok_or_else(not_one)?,
        });
    }
    if rel.eq_ignore_ascii_case("AttachedFile") {
        let found = attachment_id(url).and_then(|id| organization.wit.attachments.get(&id));
        let file = found
            .ok_or_else(|| error(format!("VS402391: The attachment at {url} does not exist.")))?;
        return Ok(Target::Attachment {
            id: file.id,
            length: file.bytes.len(),
        });
    }
    let (rel, _) = RESOURCES
        .iter()
        .find(|(reference, _)| reference.eq_ignore_ascii_case(rel))
        .ok_or_else(|| error(format!("VS402374: The relation type {rel} does not exist.")))?;
    if url.is_empty()
        || (*rel == "ArtifactLink" && !url.starts_with("vstfs:///"))
        || (*rel == "Hyperlink" && url::Url::parse(url).is_err())
    {
        return Err(error(format!(
            "VS402394: Unrecognized Resource link: {url}"
        )));
    }
    Ok(Target::Resource {
        rel: (*rel).into(),
        url: url.into(),
    })
}

/// The id in `…/_apis/wit/attachments/{id}?fileName=…`.
fn attachment_id(url: &str) -> Option<uuid::Uuid> {
    let path = url.split(['?', '#']).next()?;
    let (before, id) = path.rsplit_once('/')?;
    before
        .to_ascii_lowercase()
        .ends_with("/wit/attachments")
        .then(|| uuid::Uuid::parse_str(id).ok())?
}

/// Gives the other end of each link its opposite, without a revision, and states the change in the stream of links.
pub(super) fn mirror(
    organization: &mut Organization,
    item: &Item,
    relinked: &Relinked,
    by: &Arc<Person>,
) {
    let date = organization.clock.now();
    let removed = relinked.removed.iter().map(|relation| (relation, false));
    let added = relinked.added.iter().map(|relation| (relation, true));
    for (relation, active) in removed.chain(added) {
        let Target::Item { link, id } = relation.target else {
            continue;
        };
        organization.wit.link_log.push(LinkChange::new(
            link,
            item.id,
            id,
            date,
            by,
            relation.comment.clone(),
            active,
        ));
        organization.wit.last_relation += 1;
        let new_id = organization.wit.last_relation;
        let Some(other) = organization.wit.items.get_mut(&id) else {
            continue;
        };
        let back = Relation {
            id: new_id,
            target: Target::Item {
                link: link.opposite(),
                id: item.id,
            },
            ..relation.clone()
        };
        let mut relinked = Relinked::default();
        if active {
            relinked.added.push(back);
        } else {
            let same = other.relations.iter().filter(|own| own.is_same(&back));
            relinked.removed.extend(same.take(1).cloned());
        }
        relinked.apply(&mut other.relations);
        other.updates.push(Update {
            rev: other.rev(),
            revises: false,
            by: FieldValue::Person(Arc::clone(by)),
            date,
            relinked,
        });
    }
}
