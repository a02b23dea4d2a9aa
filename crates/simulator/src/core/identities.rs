//! Identities: people and the groups of the organization in the form of old.

use std::sync::Arc;

use serde_json::{Value, json};

use super::groups::Group;
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::date_text;
use crate::world::{Organization, Person};

/// The descriptor that access control lists hold.
pub(super) fn legacy_descriptor(organization: &Organization, person: &Person) -> String {
    format!(
        "Microsoft.IdentityModel.Claims.ClaimsIdentity;{}\\{}",
        organization.access.tenant, person.unique_name
    )
}

enum Subject {
    Group(Group),
    Person(Arc<Person>),
}

impl Subject {
    /// By a descriptor of either form, by id or name.
    fn find(organization: &Organization, key: &str) -> Option<Self> {
        if let Some(group) = Group::find(organization, key) {
            return Some(Self::Group(group));
        }
        let by_descriptor = organization
            .people
            .iter()
            .find(|person| legacy_descriptor(organization, person).eq_ignore_ascii_case(key));
        by_descriptor
            .cloned()
            .or_else(|| organization.subject(key))
            .map(Self::Person)
    }

    /// With members and containers if they were asked for.
    fn identity(&self, organization: &Organization, members: bool) -> Value {
        match self {
            Self::Group(group) => group.identity(organization, members),
            Self::Person(person) => identity(organization, person, members),
        }
    }
}

fn identity(organization: &Organization, person: &Person, members: bool) -> Value {
    let text = |text: &str| json!({"$type": "System.String", "$value": text});
    let own = Group::ALL
        .into_iter()
        .filter(|group| members && group.has(organization, person));
    let own: Vec<String> = own.map(|group| group.legacy(organization)).collect();
    let alias = person.unique_name.split('@').next().unwrap_or_default();
    json!({
        "id": person.id,
        "descriptor": legacy_descriptor(organization, person),
        "subjectDescriptor": person.descriptor,
        "providerDisplayName": person.display_name,
        "isActive": true,
        "members": [],
        "memberOf": own,
        "memberIds": [],
        "properties": {
            "SchemaClassName": text("User"),
            "Description": text(""),
            "Domain": text(&organization.access.tenant.to_string()),
            "Account": text(&person.unique_name),
            "DN": text(""),
            "Mail": text(&person.unique_name),
            "SpecialType": text("Generic"),
            "PUID": text("aad:"),
            "ComplianceValidated": {"$type": "System.DateTime", "$value": date_text(organization.clock.now())},
            "http://schemas.microsoft.com/identity/claims/objectidentifier": text(&person.id.to_string()),
            "DirectoryAlias": text(alias),
        },
        "resourceVersion": 2,
        "metaTypeId": 255,
    })
}

/// `GET identities[/{id}]`, by ids, descriptors or a search.
pub(super) fn list(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let members = call
        .query
        .get("queryMembership")
        .is_some_and(|text| !text.eq_ignore_ascii_case("none"));
    if let Some(key) = call.segments.get(1) {
        let found = Subject::find(organization, key).ok_or_else(|| ApiError::no_route(call))?;
        return Ok(Reply::json(found.identity(organization, members)));
    }
    let keys = ["identityIds", "descriptors", "subjectDescriptors"]
        .iter()
        .find_map(|name| call.query.list(name));
    if let Some(keys) = keys {
        // A key that nobody has leaves a hole.
        let show = |subject: Subject| subject.identity(organization, members);
        let found = keys
            .iter()
            .map(|key| Subject::find(organization, key).map_or(Value::Null, show));
        return Ok(Reply::list(found.collect()));
    }
    let filter = call.query.get("filterValue").ok_or_else(|| {
        ApiError::bad_request("VS403283: A search filter or a list of identities is needed.")
    })?;
    let groups = Group::ALL.into_iter();
    let groups = groups
        .filter(|group| group.is_found_by(organization, filter))
        .map(|group| group.identity(organization, members));
    let people = search(organization, filter).map(|person| identity(organization, person, members));
    Ok(Reply::list(groups.chain(people).collect()))
}

/// Those whose mail, or a word of whose name, starts with the text.
fn search<'a>(organization: &'a Organization, text: &str) -> impl Iterator<Item = &'a Person> {
    let exact = organization.people.find(text).map(|person| person.id);
    let text = text.to_lowercase();
    organization
        .people
        .iter()
        .map(AsRef::as_ref)
        .filter(move |person: &&Person| {
            let name = person.display_name.to_lowercase();
            exact.map_or_else(
                || {
                    person.unique_name.to_lowercase().starts_with(&text)
                        || name.starts_with(&text)
                        || name.split(' ').any(|word| word.starts_with(&text))
                },
                |id| id == person.id,
            )
        })
}
