//! Relations in a change, and the other ends of links.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::draft::Draft;
use super::{rule_error, unknown_item};
use crate::server::ApiError;
use crate::wit::item::{Item, Relation, Target, Update};
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
            draft.removed.push(before);
        }
        ("add" | "replace", "") => {
            let after = parse(organization, value)?;
            if after.is_same(&before) {
                change(draft, before, |relation| {
                    relation.comment = after.comment.or(relation.comment.take());
                });
            } else {
                draft.revises |= !matches!(before.target, Target::Item { .. });
                draft.removed.push(before);
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
    draft.changed.push((before, after));
}

fn add(draft: &mut Draft, organization: &Organization, relation: Relation) -> Result<(), ApiError> {
    let standing = |draft: &Draft| -> Vec<Relation> {
        let kept = draft
            .item
            .relations
            .iter()
            .filter(|own| !draft.removed.iter().any(|removed| removed.id == own.id));
        kept.chain(&draft.added).cloned().collect()
    };
    let all = standing(draft);
    if all.iter().any(|own| own.is_same(&relation)) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemResourceLinkException",
            "VS402379: Relation already exists.",
        ));
    }
    match &relation.target {
        Target::Item { link, id } => {
            if *id == draft.item.id {
                return Err(error(
                    "TF201034: You cannot add a link that leads from a work item to itself.",
                ));
            }
            let target = organization
                .wit
                .items
                .get(id)
                .filter(|item| item.deleted.is_none())
                .ok_or_else(|| unknown_item(id))?;
            let taken = |relations: &[Relation], wanted: &LinkType| {
                relations.iter().any(|own| matches!(own.target, Target::Item { link, .. } if link.reference == wanted.reference) && is_visible(organization, own))
            };
            if (link.is_single() && taken(&all, link))
                || (link.opposite().is_single() && taken(&target.relations, link.opposite()))
            {
                return Err(error(format!(
                    "TF201036: You cannot add a {} link between work items {} and {id} because a work item can have only one {} link.",
                    link.name,
                    draft.item.id,
                    if link.is_single() {
                        link.name
                    } else {
                        link.opposite().name
                    }
                )));
            }
            if link.is_tree() && reaches(organization, *id, link, draft.item.id) {
                return Err(error(format!(
                    "TF201035: You cannot add a {} link between work items {} and {id} because it would make a circle.",
                    link.name, draft.item.id
                )));
            }
        }
        Target::Attachment { .. } => {
            let count = all
                .iter()
                .filter(|own| matches!(own.target, Target::Attachment { .. }))
                .count();
            if count >= MOST_ATTACHMENTS {
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
    draft.added.push(relation);
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
    let rel = value["rel"].as_str().unwrap_or_default();
    let url = value["url"].as_str().unwrap_or_default();
    let attribute = |name: &str| value["attributes"][name].as_str().map(Arc::<str>::from);
    let now = organization.clock.now();
    let mut name = attribute("name");
    let mut resource_created = attribute("resourceCreatedDate")
        .and_then(|date| parse_date(&date))
        .unwrap_or(now);
    let target = match LinkType::find(rel) {
        Some(link) if !link.is_remote() => {
            let id = url
                .rsplit('/')
                .next()
                .and_then(|id| id.parse().ok())
                .ok_or_else(|| {
                    error(format!(
                        "VS402393: The address {url} is not one of a work item."
                    ))
                })?;
            Target::Item { link, id }
        }
        Some(link) => Target::Resource {
            rel: link.reference.into(),
            url: url.into(),
        },
        None if rel.eq_ignore_ascii_case("AttachedFile") => {
            let found = attachment_id(url).and_then(|id| organization.wit.attachments.get(&id));
            let attachment = found.ok_or_else(|| {
                error(format!("VS402391: The attachment at {url} does not exist."))
            })?;
            name = name.or_else(|| Some(attachment.name.as_str().into()));
            resource_created = attachment.created;
            Target::Attachment {
                id: attachment.id,
                length: attachment.bytes.len(),
            }
        }
        None => {
            let known = RESOURCES
                .iter()
                .find(|(reference, _)| reference.eq_ignore_ascii_case(rel));
            let (rel, _) = known.ok_or_else(|| {
                error(format!("VS402374: The relation type {rel} does not exist."))
            })?;
            if url.is_empty()
                || (*rel == "ArtifactLink" && !url.starts_with("vstfs:///"))
                || (*rel == "Hyperlink" && url::Url::parse(url).is_err())
            {
                return Err(error(format!(
                    "VS402394: Unrecognized Resource link: {url}"
                )));
            }
            Target::Resource {
                rel: (*rel).into(),
                url: url.into(),
            }
        }
    };
    Ok(Relation {
        id: 0,
        target,
        comment: attribute("comment").filter(|comment| !comment.is_empty()),
        name,
        locked: value["attributes"]["isLocked"].as_bool().unwrap_or(false),
        added: now,
        resource_created,
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
    added: &[Relation],
    removed: &[Relation],
    by: &Arc<Person>,
) {
    let date = organization.clock.now();
    for (relation, active) in removed
        .iter()
        .map(|relation| (relation, false))
        .chain(added.iter().map(|relation| (relation, true)))
    {
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
        let mut update = Update {
            rev: other.rev(),
            revises: false,
            by: FieldValue::Person(Arc::clone(by)),
            date,
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
        };
        if active {
            other.relations.push(back.clone());
            update.added.push(back);
        } else if let Some(at) = other.relations.iter().position(|own| own.is_same(&back)) {
            update.removed.push(other.relations.remove(at));
        }
        other.updates.push(update);
    }
}
