//! Work items as documents, written straight from what is stored.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::fields::FieldId;
use super::ids;
use super::item::{Item, Relation, Relinked, Revision, Target, Update};
use super::links::PARENT;
use super::nodes::Structure;
use super::tags;
use super::types::encode;
use super::value::{FieldValue, Identities, References, ValueView, date_text};
use super::write::visible;
use crate::server::ApiError;
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
}

/// Writes those of the fields that the service computes which are asked for.
struct Computed<'v, 'a, M> {
    view: &'v FieldsView<'a>,
    map: &'v mut M,
}

impl<M: SerializeMap> Computed<'_, '_, M> {
    fn all(&mut self) -> Result<(), M::Error> {
        if matches!(self.view.select, Select::Stored) {
            return Ok(());
        }
        self.put(ids::ID, &self.view.item.id)?;
        self.put(ids::REV, &self.view.rev)?;
        if !matches!(self.view.select, Select::Short) {
            self.counts()?;
        }
        self.signature()?;
        self.place(Structure::Area, ids::AREA_ID, ids::AREA_LEVEL1)?;
        self.place(
            Structure::Iteration,
            ids::ITERATION_ID,
            ids::ITERATION_LEVEL1,
        )
    }

    fn put(&mut self, field: FieldId, value: &(impl Serialize + ?Sized)) -> Result<(), M::Error> {
        if !self.view.wants(field) {
            return Ok(());
        }
        let fields = &self.view.organization.wit.fields;
        self.map
            .serialize_entry(&fields.get(field).reference, value)
    }

    /// How many relations of each kind there are now: revisions keep no count.
    fn counts(&mut self) -> Result<(), M::Error> {
        let relations = &self.view.item.relations;
        let count = |wanted: fn(&Target) -> bool| {
            let of_kind = relations.iter().filter(|relation| wanted(&relation.target));
            of_kind.count()
        };
        let items = count(|target| matches!(target, Target::Item { .. }));
        let files = count(|target| matches!(target, Target::Attachment { .. }));
        let hyperlinks =
            count(|target| matches!(target, Target::Resource { rel, .. } if &**rel == "Hyperlink"));
        let artifacts = count(
            |target| matches!(target, Target::Resource { rel, .. } if &**rel == "ArtifactLink"),
        );
        self.put(ids::RELATED_LINK_COUNT, &items)?;
        self.put(ids::ATTACHED_FILE_COUNT, &files)?;
        self.put(ids::HYPER_LINK_COUNT, &hyperlinks)?;
        self.put(ids::EXTERNAL_LINK_COUNT, &artifacts)
    }

    /// Who wrote the revision when, whatever its author and date say.
    fn signature(&mut self) -> Result<(), M::Error> {
        let (item, revision) = (self.view.item, self.view.revision);
        self.put(ids::WATERMARK, &revision.watermark)?;
        self.put(ids::AUTHORIZED_DATE, &date_text(revision.authorized))?;
        let next = item.revision(self.view.rev + 1);
        let revised = next.map_or_else(|| NEVER.to_owned(), |next| date_text(next.changed));
        self.put(ids::REVISED_DATE, &revised)?;
        let person = &revision.authorized_as;
        // The number of a person in the tables of old, which has 31 bits.
        self.put(ids::PERSON_ID, &(person.id.as_u128() as u32 & 0x7fff_ffff))?;
        let value = FieldValue::Person(std::sync::Arc::clone(person));
        let identities = self.view.identities;
        self.put(
            ids::AUTHORIZED_AS,
            &ValueView {
                value: &value,
                identities,
            },
        )
    }

    /// The node of a path, and its names from the root on.
    fn place(&mut self, structure: Structure, id: FieldId, level: FieldId) -> Result<(), M::Error> {
        let path = self.view.revision.values.text(structure.field());
        let nodes = &self.view.organization.wit.nodes;
        if self.view.wants(id)
            && let Some(node) = nodes.find(self.view.item.project, structure, path)
        {
            self.put(id, &node.id)?;
        }
        for (offset, name) in path.split('\\').take(4).enumerate() {
            self.put(level + offset as FieldId, name)?;
        }
        if structure == Structure::Area {
            let name = path.rsplit('\\').next().unwrap_or_default();
            self.put(ids::NODE_NAME, name)?;
        }
        Ok(())
    }
}

impl Serialize for FieldsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.organization.wit.fields;
        let mut map = serializer.serialize_map(None)?;
        let mut computed = Computed {
            view: self,
            map: &mut map,
        };
        computed.all()?;
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

    /// The relations, where they are asked for and there are some.
    fn relation_documents(&self) -> Option<Vec<Value>> {
        if !self.expand.relations {
            return None;
        }
        let now;
        let relations = if let Some(then) = &self.relations {
            then
        } else {
            now = visible(self.organization, self.item);
            &now
        };
        let (project, base) = (self.item.project, self.references.base);
        let document = |relation| relation_document(self.organization, relation, project, base);
        (!relations.is_empty() || self.empty_relations)
            .then(|| relations.iter().map(document).collect())
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
        if let Some(relations) = self.relation_documents() {
            map.serialize_entry("relations", &relations)?;
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
) -> Result<Value, ApiError> {
    let references = References::new(base);
    let later = &item.updates[number..];
    let next = later.iter().find(|later| later.revises);
    let parent = format!("{base}/{}/_apis/wit/workItems/{}", item.project, item.id);
    let url = format!("{parent}/updates/{number}");
    let mut value = json!({
        "id": number,
        "workItemId": item.id,
        "rev": update.rev,
        "revisedBy": revised_by(&update.by, base),
        "revisedDate": next.map_or_else(|| NEVER.to_owned(), |next| date_text(next.date)),
    });
    if update.revises {
        let identities = Identities::References(&references);
        value["fields"] = field_changes(organization, item, update.rev, identities)?;
    }
    if !update.relinked.is_nothing() {
        let document =
            |relation: &Relation| relation_document(organization, relation, item.project, base);
        value["relations"] = relation_changes(&update.relinked, document);
    }
    value["url"] = json!(url);
    value["_links"] = json!({
        "self": {"href": url},
        "workItemUpdates": {"href": format!("{parent}/updates")},
        "parent": {"href": parent},
    });
    Ok(value)
}

/// The author of an update, with a `name` that no other answer has; text where nobody is known.
fn revised_by(by: &FieldValue, base: &str) -> Value {
    match by {
        FieldValue::Person(person) => {
            let mut value = person.reference(base);
            value["name"] = json!(person.combined());
            value
        }
        other => {
            let name = other.display();
            json!({"id": uuid::Uuid::nil(), "name": name, "displayName": name, "uniqueName": name})
        }
    }
}

/// `{"removed", "added", "updated"}`, those of them that are not empty.
fn relation_changes(relinked: &Relinked, document: impl Fn(&Relation) -> Value) -> Value {
    let updated = relinked.changed.iter().map(|(_, after)| after);
    let sets: [(&str, Vec<Value>); 3] = [
        ("removed", relinked.removed.iter().map(&document).collect()),
        ("added", relinked.added.iter().map(&document).collect()),
        ("updated", updated.map(&document).collect()),
    ];
    let sets = sets.into_iter().filter(|(_, list)| !list.is_empty());
    sets.map(|(name, list)| (name.to_owned(), Value::from(list)))
        .collect::<Map<_, _>>()
        .into()
}

/// `{"field": {"oldValue", "newValue"}}` of what a revision changed.
fn field_changes(
    organization: &Organization,
    item: &Item,
    rev: u32,
    identities: Identities<'_>,
) -> Result<Value, ApiError> {
    let document = |rev: u32| -> Result<Map<String, Value>, ApiError> {
        // Before the first there is none.
        let Some(revision) = item.revision(rev) else {
            return Ok(Map::new());
        };
        let view = FieldsView {
            organization,
            item,
            rev,
            revision,
            select: Select::All,
            identities,
            tag_refs: false,
            parent: false,
        };
        let fields = serde_json::to_value(view).map_err(ApiError::internal)?;
        serde_json::from_value(fields).map_err(ApiError::internal)
    };
    let (mut before, after) = (document(rev - 1)?, document(rev)?);
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
    Ok(Value::Object(changes))
}
