//! Work items as documents, written straight from what is stored.

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::fields::FieldId;
use super::ids;
use super::item::{Item, Relation, Revision, Target, Update};
use super::links::PARENT;
use super::nodes::Structure;
use super::tags;
use super::types::encode;
use super::value::{FieldValue, Identities, References, ValueView, date_text};
use super::write::visible;
use crate::world::Organization;

/// `9999-01-01T00:00:00Z`, the revised date of what is current.
pub(crate) const NEVER: &str = "9999-01-01T00:00:00Z";

/// Which fields of a revision are written.
#[derive(Clone, Copy)]
pub(crate) enum Select<'a> {
    /// What a plain read shows.
    Stored,
    /// Also what the service computes.
    All,
    /// All but long text: the stream of revisions without `$expand=fields`.
    Short,
    /// These alone.
    Named(&'a [FieldId]),
}

/// `{"System.Id": …}` of one revision.
pub(crate) struct FieldsView<'a> {
    pub organization: &'a Organization,
    pub item: &'a Item,
    /// From 1.
    pub rev: u32,
    pub revision: &'a Revision,
    pub select: Select<'a>,
    pub identities: Identities<'a>,
    /// Tags as objects.
    pub tag_refs: bool,
    /// Whether `System.Parent`, which follows the links and not the revisions, is shown.
    pub parent: bool,
}

impl FieldsView<'_> {
    fn wants(&self, field: FieldId) -> bool {
        match self.select {
            Select::Stored | Select::All => true,
            Select::Short => {
                field == ids::TAGS || !self.organization.wit.fields.get(field).kind.is_long()
            }
            Select::Named(fields) => fields.contains(&field),
        }
    }

    fn wants_computed(&self, field: FieldId) -> bool {
        !matches!(self.select, Select::Stored) && self.wants(field)
    }

    fn computed<M: serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let fields = &self.organization.wit.fields;
        let revision = self.revision;
        let number = |map: &mut M, id: FieldId, value: usize| {
            if self.wants_computed(id) {
                map.serialize_entry(&fields.get(id).reference, &value)
            } else {
                Ok(())
            }
        };
        number(map, ids::ID, self.item.id as usize)?;
        number(map, ids::REV, self.rev as usize)?;
        number(map, ids::WATERMARK, revision.watermark as usize)?;
        let count = |wanted: fn(&Target) -> bool| {
            self.item
                .relations
                .iter()
                .filter(|relation| wanted(&relation.target))
                .count()
        };
        if !matches!(self.select, Select::Short) {
            number(
                map,
                ids::RELATED_LINK_COUNT,
                count(|target| matches!(target, Target::Item { .. })),
            )?;
            number(
                map,
                ids::ATTACHED_FILE_COUNT,
                count(|target| matches!(target, Target::Attachment { .. })),
            )?;
            number(
                map,
                ids::HYPER_LINK_COUNT,
                count(
                    |target| matches!(target, Target::Resource { rel, .. } if &**rel == "Hyperlink"),
                ),
            )?;
            number(
                map,
                ids::EXTERNAL_LINK_COUNT,
                count(
                    |target| matches!(target, Target::Resource { rel, .. } if &**rel == "ArtifactLink"),
                ),
            )?;
        }
        let text = |map: &mut M, id: FieldId, value: &str| {
            if self.wants_computed(id) {
                map.serialize_entry(&fields.get(id).reference, value)
            } else {
                Ok(())
            }
        };
        text(map, ids::AUTHORIZED_DATE, &date_text(revision.authorized))?;
        let revised = self
            .item
            .revision(self.rev + 1)
            .map_or_else(|| NEVER.to_owned(), |next| date_text(next.changed));
        text(map, ids::REVISED_DATE, &revised)?;
        if self.wants_computed(ids::AUTHORIZED_AS) {
            let value = FieldValue::Person(std::sync::Arc::clone(&revision.authorized_as));
            map.serialize_entry(
                "System.AuthorizedAs",
                &ValueView {
                    value: &value,
                    identities: self.identities,
                },
            )?;
        }
        for (structure, id_field, level) in [
            (Structure::Area, ids::AREA_ID, ids::AREA_LEVEL1),
            (
                Structure::Iteration,
                ids::ITERATION_ID,
                ids::ITERATION_LEVEL1,
            ),
        ] {
            let path = revision.values.text(structure.field());
            let nodes = &self.organization.wit.nodes;
            if self.wants_computed(id_field)
                && let Some(node) = nodes.find(self.item.project, structure, path)
            {
                map.serialize_entry(&fields.get(id_field).reference, &node.id)?;
            }
            for (offset, name) in path.split('\\').take(4).enumerate() {
                let id = level + offset as FieldId;
                if self.wants_computed(id) {
                    map.serialize_entry(&fields.get(id).reference, name)?;
                }
            }
            if structure == Structure::Area && self.wants_computed(ids::NODE_NAME) {
                map.serialize_entry(
                    "System.NodeName",
                    path.rsplit('\\').next().unwrap_or_default(),
                )?;
            }
        }
        Ok(())
    }
}

impl Serialize for FieldsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.organization.wit.fields;
        let mut map = serializer.serialize_map(None)?;
        self.computed(&mut map)?;
        for (id, value) in self
            .revision
            .values
            .iter()
            .filter(|(id, _)| self.wants(*id))
        {
            let reference = &fields.get(id).reference;
            if id == ids::TAGS && self.tag_refs {
                map.serialize_entry(
                    reference,
                    &tags::references(self.item.project, &value.display()),
                )?;
            } else {
                map.serialize_entry(
                    reference,
                    &ValueView {
                        value,
                        identities: self.identities,
                    },
                )?;
            }
        }
        if self.parent && !self.item.relations.is_empty() && self.wants(ids::PARENT) {
            let parents = visible(self.organization, self.item);
            let parent = parents.iter().find_map(|relation| match relation.target {
                Target::Item { link, id } if link.reference == PARENT => Some(id),
                _ => None,
            });
            if let Some(parent) = parent {
                map.serialize_entry("System.Parent", &parent)?;
            }
        }
        map.end()
    }
}

/// What `$expand` asks for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Expand {
    pub relations: bool,
    pub fields: bool,
    pub links: bool,
}

impl Expand {
    pub(crate) fn parse(text: Option<&str>) -> Self {
        match text.unwrap_or_default().to_lowercase().as_str() {
            "all" => Self {
                relations: true,
                fields: true,
                links: true,
            },
            "relations" => Self {
                relations: true,
                ..Self::default()
            },
            "fields" => Self {
                fields: true,
                ..Self::default()
            },
            "links" => Self {
                links: true,
                ..Self::default()
            },
            _ => Self::default(),
        }
    }
}

/// A work item (or one of its revisions) as most operations answer it.
pub(crate) struct ItemView<'a> {
    pub organization: &'a Organization,
    pub item: &'a Item,
    /// From 1.
    pub rev: u32,
    pub references: &'a References<'a>,
    pub expand: Expand,
    /// These fields alone.
    pub named: Option<&'a [FieldId]>,
    /// The relations as they were then; absent for those of now.
    pub relations: Option<Vec<Relation>>,
    /// An address of a revision and not of the item.
    pub as_revision: bool,
    /// An item without relations says so.
    pub empty_relations: bool,
}

impl<'a> ItemView<'a> {
    /// The item as it is now.
    pub(crate) fn new(
        organization: &'a Organization,
        item: &'a Item,
        references: &'a References<'a>,
        expand: Expand,
    ) -> Self {
        Self {
            organization,
            item,
            rev: item.rev(),
            references,
            expand,
            named: None,
            relations: None,
            as_revision: false,
            empty_relations: false,
        }
    }
}

impl Serialize for ItemView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let item = self.item;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &item.id)?;
        map.serialize_entry("rev", &self.rev)?;
        let base = self.references.base;
        let project = format!("{base}/{}", item.project);
        let url = format!("{project}/_apis/wit/workItems/{}", item.id);
        if let Some(revision) = item.revision(self.rev) {
            let select = match self.named {
                Some(named) => Select::Named(named),
                None if self.expand.fields => Select::All,
                None => Select::Stored,
            };
            let identities = Identities::References(self.references);
            let parent = self.rev == item.rev();
            map.serialize_entry(
                "fields",
                &FieldsView {
                    organization: self.organization,
                    item,
                    rev: self.rev,
                    revision,
                    select,
                    identities,
                    tag_refs: false,
                    parent,
                },
            )?;
            if self.named.is_none() {
                map.serialize_entry(
                    "multilineFieldsFormat",
                    &formats(self.organization, revision),
                )?;
            }
            if let Some(reference) = comment_reference(item, self.rev, revision, &project) {
                map.serialize_entry("commentVersionRef", &reference)?;
            }
        }
        if self.expand.relations {
            let relations = match &self.relations {
                Some(relations) => relations.clone(),
                None => visible(self.organization, item),
            };
            if !relations.is_empty() || self.empty_relations {
                let documents: Vec<Value> = relations
                    .iter()
                    .map(|relation| {
                        relation_document(self.organization, relation, item.project, base)
                    })
                    .collect();
                map.serialize_entry("relations", &documents)?;
            }
        }
        if self.expand.links {
            map.serialize_entry("_links", &links(self.item, &project))?;
        }
        if self.as_revision {
            map.serialize_entry("url", &format_args!("{url}/revisions/{}", self.rev))?;
        } else {
            map.serialize_entry("url", &url)?;
        }
        map.end()
    }
}

fn links(item: &Item, project: &str) -> Value {
    let url = format!("{project}/_apis/wit/workItems/{}", item.id);
    json!({
        "self": {"href": url},
        "workItemUpdates": {"href": format!("{url}/updates")},
        "workItemRevisions": {"href": format!("{url}/revisions")},
        "workItemComments": {"href": format!("{url}/comments")},
        "html": {"href": format!("{project}/_workitems/edit/{}", item.id)},
        "workItemType": {"href": format!("{project}/_apis/wit/workItemTypes/{}", encode(item.type_name()))},
        "fields": {"href": format!("{project}/_apis/wit/fields")},
    })
}

/// `multilineFieldsFormat`: `html` or `markdown` for each long field that has a text.
pub(crate) fn formats(organization: &Organization, revision: &Revision) -> Map<String, Value> {
    let fields = &organization.wit.fields;
    let long = revision.values.iter().filter(|(id, _)| {
        *id != ids::TAGS && *id != ids::HISTORY && fields.get(*id).kind.is_long()
    });
    long.map(|(id, _)| {
        (
            fields.get(id).reference.clone(),
            json!(if revision.markdown.contains(&id) {
                "markdown"
            } else {
                "html"
            }),
        )
    })
    .collect()
}

pub(crate) fn comment_reference(
    item: &Item,
    rev: u32,
    revision: &Revision,
    project: &str,
) -> Option<Value> {
    let reference = revision.comment?;
    let comment = item
        .comments
        .iter()
        .find(|comment| comment.id == reference.comment)?;
    let version = comment.versions.get(reference.version as usize - 1)?;
    Some(json!({
        "commentId": reference.comment,
        "version": reference.version,
        "createdInRevision": rev,
        "isDeleted": version.deleted,
        "text": version.text.as_ref(),
        "url": format!("{project}/_apis/wit/workItems/{}/comments/{}/versions/{}", item.id, reference.comment, reference.version),
    }))
}

pub(crate) fn relation_document(
    organization: &Organization,
    relation: &Relation,
    project: uuid::Uuid,
    base: &str,
) -> Value {
    let mut attributes = Map::new();
    let (rel, url) = match &relation.target {
        Target::Item { link, id } => {
            attributes.insert("isLocked".to_owned(), json!(relation.locked));
            if let Some(comment) = &relation.comment {
                attributes.insert("comment".to_owned(), json!(&**comment));
            }
            attributes.insert("name".to_owned(), json!(link.name));
            let project = organization
                .wit
                .items
                .get(id)
                .map_or(project, |item| item.project);
            return json!({"rel": link.reference, "url": format!("{base}/{project}/_apis/wit/workItems/{id}"), "attributes": attributes});
        }
        Target::Attachment { id, .. } => (
            "AttachedFile",
            format!("{base}/{project}/_apis/wit/attachments/{id}"),
        ),
        Target::Resource { rel, url } => (&**rel, url.to_string()),
    };
    attributes.insert(
        "authorizedDate".to_owned(),
        json!(date_text(relation.added)),
    );
    attributes.insert("id".to_owned(), json!(relation.id));
    attributes.insert(
        "resourceCreatedDate".to_owned(),
        json!(date_text(relation.resource_created)),
    );
    attributes.insert(
        "resourceModifiedDate".to_owned(),
        json!(date_text(relation.resource_created)),
    );
    attributes.insert("revisedDate".to_owned(), json!(NEVER));
    if let Target::Attachment { length, .. } = relation.target {
        attributes.insert("resourceSize".to_owned(), json!(length));
    }
    if let Some(comment) = &relation.comment {
        attributes.insert("comment".to_owned(), json!(&**comment));
    }
    if let Some(name) = &relation.name {
        attributes.insert("name".to_owned(), json!(&**name));
    }
    json!({"rel": rel, "url": url, "attributes": attributes})
}

/// One entry of `updates`; `number` counts from 1.
pub(crate) fn update_document(
    organization: &Organization,
    item: &Item,
    number: usize,
    update: &Update,
    base: &str,
) -> Value {
    let references = References::new(base);
    let identities = Identities::References(&references);
    let by = match &update.by {
        FieldValue::Person(person) => json!({
            "id": person.id,
            "name": person.combined(),
            "displayName": person.display_name,
            "url": format!("{base}/_apis/Identities/{}", person.id),
            "_links": {"avatar": {"href": format!("{base}/_apis/GraphProfile/MemberAvatars/{}", person.descriptor)}},
            "uniqueName": person.unique_name,
            "imageUrl": format!("{base}/_apis/GraphProfile/MemberAvatars/{}", person.descriptor),
            "descriptor": person.descriptor,
        }),
        other => {
            json!({"id": uuid::Uuid::nil(), "name": other.display(), "displayName": other.display(), "uniqueName": other.display()})
        }
    };
    let next: Option<Timestamp> = item.updates[number..]
        .iter()
        .find(|later| later.revises)
        .map(|later| later.date);
    let url = format!(
        "{base}/{}/_apis/wit/workItems/{}/updates/{number}",
        item.project, item.id
    );
    let mut value = json!({
        "id": number,
        "workItemId": item.id,
        "rev": update.rev,
        "revisedBy": by,
        "revisedDate": next.map_or_else(|| NEVER.to_owned(), date_text),
    });
    if update.revises {
        value["fields"] = field_changes(organization, item, update.rev, identities);
    }
    let documents = |relations: &mut dyn Iterator<Item = &Relation>| -> Vec<Value> {
        relations
            .map(|relation| relation_document(organization, relation, item.project, base))
            .collect()
    };
    let sets = [
        ("removed", documents(&mut update.removed.iter())),
        ("added", documents(&mut update.added.iter())),
        (
            "updated",
            documents(&mut update.changed.iter().map(|(_, after)| after)),
        ),
    ];
    let relations: Map<String, Value> = sets
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), json!(list)))
        .collect();
    if !relations.is_empty() {
        value["relations"] = Value::Object(relations);
    }
    value["url"] = json!(url);
    value["_links"] = json!({"self": {"href": url}, "workItemUpdates": {"href": format!("{base}/{}/_apis/wit/workItems/{}/updates", item.project, item.id)}, "parent": {"href": format!("{base}/{}/_apis/wit/workItems/{}", item.project, item.id)}});
    value
}

/// `{"field": {"oldValue", "newValue"}}` of what a revision changed.
fn field_changes(
    organization: &Organization,
    item: &Item,
    rev: u32,
    identities: Identities<'_>,
) -> Value {
    let document = |rev: u32| -> Map<String, Value> {
        let view = item.revision(rev).map(|revision| FieldsView {
            organization,
            item,
            rev,
            revision,
            select: Select::All,
            identities,
            tag_refs: false,
            parent: false,
        });
        match view.and_then(|view| serde_json::to_value(view).ok()) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        }
    };
    let (mut before, after) = (document(rev - 1), document(rev));
    let mut changes = Map::new();
    for (name, new) in after {
        match before.remove(&name) {
            Some(old) if old == new => {}
            Some(old) => drop(changes.insert(name, json!({"oldValue": old, "newValue": new}))),
            None => drop(changes.insert(name, json!({"newValue": new}))),
        }
    }
    for (name, old) in before {
        changes.insert(name, json!({"oldValue": old}));
    }
    Value::Object(changes)
}
