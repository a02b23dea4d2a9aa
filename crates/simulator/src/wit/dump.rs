//! What the simulator holds of work item tracking, for tests that compare.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::item::{Item, Relation, Target};
use super::nodes::Structure;
use super::render::{FieldsView, Select};
use super::value::{FieldValue, Identities, date_text};
use super::{BATCH, comments, ids, reporting};
use crate::server::ApiError;
use crate::world::Organization;

/// `workItems`, `areas`, `iterations`, `attachments`.
pub(crate) fn state(organization: &Organization) -> Result<Map<String, Value>, ApiError> {
    let wit = &organization.wit;
    let trees = |structure: Structure| -> Vec<Value> {
        let roots = organization
            .core
            .projects
            .iter()
            .filter_map(|project| Some((project, wit.nodes.root(project.id, structure)?)));
        roots.map(|(project, root)| json!({"project": project.name, "root": wit.nodes.document(root, "", usize::MAX, false)})).collect()
    };
    let attachments: Vec<Value> = wit
        .attachments
        .values()
        .map(|attachment| json!({"id": attachment.id, "name": attachment.name, "length": attachment.bytes.len(), "sha256": hex::encode(Sha256::digest(&attachment.bytes)), "createdDate": date_text(attachment.created), "createdBy": attachment.by.combined()}))
        .collect();
    let items = |deleted: bool| -> Result<Vec<Value>, ApiError> {
        wit.items
            .values()
            .filter(|item| item.deleted.is_some() == deleted)
            .map(|item| item_state(organization, item))
            .collect()
    };
    let mut map = Map::new();
    map.insert("areas".to_owned(), trees(Structure::Area).into());
    map.insert("iterations".to_owned(), trees(Structure::Iteration).into());
    map.insert("workItems".to_owned(), items(false)?.into());
    map.insert("recycleBin".to_owned(), items(true)?.into());
    map.insert("attachments".to_owned(), attachments.into());
    Ok(map)
}

fn item_state(organization: &Organization, item: &Item) -> Result<Value, ApiError> {
    let revisions: Result<Vec<Value>, ApiError> = (1..)
        .zip(&item.revisions)
        .map(|(rev, revision)| {
            let fields = FieldsView {
                organization,
                item,
                rev,
                revision,
                select: Select::Stored,
                identities: Identities::Combined,
                tag_refs: false,
                parent: false,
            };
            let markdown: Vec<&str> = revision
                .markdown
                .iter()
                .map(|id| organization.wit.fields.get(*id).reference.as_str())
                .collect();
            let fields = serde_json::to_value(fields).map_err(ApiError::internal)?;
            Ok(json!({"rev": rev, "fields": fields, "markdown": markdown}))
        })
        .collect();
    let comments: Vec<Value> = item
        .comments
        .iter()
        .map(|comment| {
            let versions = comment.versions.iter().map(|version| json!({"text": &*version.text, "by": version.by.display(), "date": date_text(version.date), "isDeleted": version.deleted}));
            let reactions = comment.reactions.iter().map(|(person, kind)| json!({"by": person.combined(), "type": kind}));
            json!({"id": comment.id, "format": if comment.markdown { "markdown" } else { "html" }, "isDeleted": comment.is_deleted(), "versions": versions.collect::<Value>(), "reactions": reactions.collect::<Value>()})
        })
        .collect();
    let mut value = json!({
        "id": item.id,
        "rev": item.rev(),
        "project": organization.project_by_id(item.project).map(|project| project.name.as_str()),
        "type": item.type_name(),
        "title": item.title(),
        "createdBy": item.revisions[0].values.get(ids::CREATED_BY).map(FieldValue::display),
        "createdDate": item.revisions[0].values.get(ids::CREATED_DATE).map(FieldValue::display),
        "revisions": revisions?,
        "relations": item.relations.iter().map(|relation| relation_state(organization, relation)).collect::<Value>(),
        "comments": comments,
    });
    if let Some(deletion) = &item.deleted {
        value["deletedBy"] = json!(deletion.by.combined());
        value["deletedDate"] = json!(date_text(deletion.date));
    }
    Ok(value)
}

fn relation_state(organization: &Organization, relation: &Relation) -> Value {
    let mut value = match &relation.target {
        Target::Item { link, id } => json!({"rel": link.reference, "target": id}),
        Target::Attachment { id, length } => {
            let sha256 = organization
                .wit
                .attachments
                .get(id)
                .map(|attachment| hex::encode(Sha256::digest(&attachment.bytes)));
            json!({"rel": "AttachedFile", "attachment": id, "length": length, "sha256": sha256})
        }
        Target::Resource { rel, url } => json!({"rel": &**rel, "url": &**url}),
    };
    value["comment"] = json!(relation.comment.as_deref());
    value["name"] = json!(relation.name.as_deref());
    value["isLocked"] = json!(relation.locked);
    value
}

/// Counts of what a complete backup reads, and the page sizes.
pub(crate) fn inventory(organization: &Organization) -> Map<String, Value> {
    let wit = &organization.wit;
    let live: Vec<&Item> = wit
        .items
        .values()
        .filter(|item| item.deleted.is_none())
        .collect();
    let deleted: Vec<&Item> = wit
        .items
        .values()
        .filter(|item| item.deleted.is_some())
        .collect();
    let all = || live.iter().chain(&deleted);
    let relations = |wanted: fn(&Target) -> bool| {
        live.iter()
            .flat_map(|item| &item.relations)
            .filter(|relation| wanted(&relation.target))
            .count()
    };
    let pairs = [
        ("workItems", live.len()),
        ("deletedWorkItems", deleted.len()),
        ("revisions", all().map(|item| item.revisions.len()).sum()),
        ("links", wit.link_log.len()),
        ("relations", relations(|_| true)),
        (
            "discussionRevisions",
            all()
                .flat_map(|item| &item.revisions)
                .filter(|revision| revision.comment.is_some())
                .count(),
        ),
        (
            "commentedItems",
            live.iter().filter(|item| !item.comments.is_empty()).count(),
        ),
        (
            "comments",
            live.iter().map(|item| item.comments.len()).sum(),
        ),
        ("attachments", reachable(organization)),
        ("attachmentsUploaded", wit.attachments.len()),
        (
            "attachmentRelations",
            relations(|target| matches!(target, Target::Attachment { .. })),
        ),
        ("areas", node_count(organization, Structure::Area)),
        ("iterations", node_count(organization, Structure::Iteration)),
    ];
    let mut map: Map<String, Value> = pairs
        .into_iter()
        .map(|(name, count)| (name.to_owned(), json!(count)))
        .collect();
    map.insert(
        "pageSizes".to_owned(),
        json!({"revisions": reporting::PAGE_WITH_FIELDS, "revisionsWithoutFields": reporting::PAGE, "links": reporting::PAGE, "discussions": reporting::PAGE, "workItemsBatch": BATCH, "comments": comments::PAGE, "projects": 100, "teams": 100, "teamMembers": 100}),
    );
    map
}

fn node_count(organization: &Organization, structure: Structure) -> usize {
    fn below(value: &Value) -> usize {
        1 + value["children"]
            .as_array()
            .map_or(0, |children| children.iter().map(below).sum())
    }
    let nodes = &organization.wit.nodes;
    organization
        .core
        .projects
        .iter()
        .filter_map(|project| nodes.root(project.id, structure))
        .map(|root| below(&nodes.document(root, "", usize::MAX, false)))
        .sum()
}

/// Files that the relations of live items name, or a text of any item: what a backup can know of.
fn reachable(organization: &Organization) -> usize {
    let wit = &organization.wit;
    let mut found = BTreeSet::new();
    for item in wit.items.values() {
        let attached = item.relations.iter().filter(|_| item.deleted.is_none());
        found.extend(attached.filter_map(|relation| match relation.target {
            Target::Attachment { id, .. } => Some(id),
            _ => None,
        }));
        for (_, value) in item
            .revisions
            .iter()
            .flat_map(|revision| revision.values.iter())
        {
            if let FieldValue::Text(text) = value {
                found.extend(inline(text));
            }
        }
        let versions = item.comments.iter().flat_map(|comment| &comment.versions);
        found.extend(versions.flat_map(|version| inline(&version.text)));
    }
    found
        .iter()
        .filter(|id| wit.attachments.contains_key(id))
        .count()
}

/// The ids in `…/_apis/wit/attachments/{id}` of a text.
fn inline(text: &str) -> impl Iterator<Item = Uuid> {
    let places = text.split("/_apis/wit/attachments/").skip(1);
    places.filter_map(|rest| Uuid::parse_str(rest.get(..36)?).ok())
}
