//! Who the caller is and where services are.

use axum::http::Method;
use serde_json::{Value, json};

use super::groups::Group;
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::date_text;
use crate::world::{Organization, Person};

pub(super) fn legacy_descriptor(person: &Person) -> String {
    format!(
        "Microsoft.IdentityModel.Claims.ClaimsIdentity;00000000-0000-0000-0000-000000000000\\{}",
        person.unique_name
    )
}

/// `GET connectionData`.
pub(crate) fn data(organization: &Organization, call: &Call) -> Reply {
    let person = &call.identity.person;
    let user = json!({
        "id": person.id,
        "descriptor": legacy_descriptor(person),
        "subjectDescriptor": person.descriptor,
        "providerDisplayName": person.display_name,
        "customDisplayName": person.display_name,
        "isActive": true,
        "properties": {"Account": {"$type": "System.String", "$value": person.unique_name}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    });
    Reply::json(json!({
        "authenticatedUser": user,
        "authorizedUser": user,
        "instanceId": organization.id,
        "deploymentId": "ed30ce5c-9d0a-f73c-3580-4315c7f84d83",
        "deploymentType": "hosted",
        "locationServiceData": {
            "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
            "defaultAccessMappingMoniker": "PublicAccessMapping",
            "lastChangeId": 424_239_147,
            "lastChangeId64": 424_239_147,
        },
    }))
}

/// `GET projectCollections[/{id}]`.
pub(crate) fn collection(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let url = format!("{}/_apis/projectCollections/{}", call.base, organization.id);
    let reference = json!({"id": organization.id, "name": organization.name, "url": url});
    match (&call.method, call.segments.len()) {
        (&Method::GET, 1) => Ok(Reply::list(vec![reference])),
        (&Method::GET, 2) => {
            let mut value = reference;
            value["state"] = json!("Started");
            value["processCustomizationType"] = json!("inherited");
            value["_links"] = json!({"self": {"href": url}, "web": {"href": call.base}});
            Ok(Reply::json(value))
        }
        _ => Err(ApiError::no_route(call)),
    }
}

/// `GET identities`, by ids, descriptors or a search.
pub(crate) fn identities(
    organization: &Organization,
    call: &Call,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let text = |text: &str| json!({"$type": "System.String", "$value": text});
    let person = |person: &Person| {
        json!({
            "id": person.id,
            "descriptor": legacy_descriptor(person),
            "subjectDescriptor": person.descriptor,
            "providerDisplayName": person.display_name,
            "isActive": true,
            "members": [],
            "memberOf": [],
            "memberIds": [],
            "properties": {
                "SchemaClassName": text("User"),
                "Description": text(""),
                "Account": text(&person.unique_name),
                "Mail": text(&person.unique_name),
                "SpecialType": text("Generic"),
                "ComplianceValidated": {"$type": "System.DateTime", "$value": date_text(organization.clock.now())},
            },
            "resourceVersion": 2,
            "metaTypeId": 255,
        })
    };
    let find = |key: &str| {
        organization
            .people
            .iter()
            .find(|candidate| legacy_descriptor(candidate).eq_ignore_ascii_case(key))
            .cloned()
            .or_else(|| organization.subject(key))
    };
    let members = call
        .query
        .get("queryMembership")
        .is_some_and(|text| !text.eq_ignore_ascii_case("none"));
    let group = |key: &str| {
        Group::find(organization, key).map(|group| group.identity(organization, members))
    };
    let person = |found: &Person| {
        let mut value = person(found);
        if members {
            let own = Group::ALL
                .into_iter()
                .filter(|group| group.has(organization, found));
            value["memberOf"] = own
                .map(|group| json!(group.descriptor(organization)))
                .collect();
        }
        value
    };
    if let [id] = rest {
        if let Some(group) = group(&call.segments[1]) {
            return Ok(Reply::json(group));
        }
        let found = find(id).ok_or_else(|| ApiError::no_route(call))?;
        return Ok(Reply::json(person(&found)));
    }
    let keys = ["identityIds", "descriptors", "subjectDescriptors"]
        .iter()
        .find_map(|name| call.query.list(name));
    let found: Vec<Value> = match (keys, call.query.get("filterValue")) {
        // A key that nobody has leaves a hole.
        (Some(keys), _) => keys
            .iter()
            .map(|key| match group(key) {
                Some(group) => group,
                None => find(key).map_or(Value::Null, |found| person(&found)),
            })
            .collect(),
        (None, Some(filter)) => match group(filter) {
            Some(group) => vec![group],
            None => search(organization, filter).map(person).collect(),
        },
        (None, None) => {
            return Err(ApiError::bad_request(
                "VS403283: A search filter or a list of identities is needed.",
            ));
        }
    };
    Ok(Reply::list(found))
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

/// `GET userentitlements[/{id}]`.
pub(crate) fn entitlements(
    organization: &Organization,
    call: &Call,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let document = |person: &Person| {
        let membership = organization.access.membership(person.id);
        let (kind, name) = if membership.stakeholder {
            ("stakeholder", "Stakeholder")
        } else {
            ("express", "Basic")
        };
        json!({
            "id": person.id,
            "user": super::graph::user(person, &call.base),
            "accessLevel": {"licensingSource": "account", "accountLicenseType": kind, "msdnLicenseType": "none", "gitHubLicenseType": "none", "licenseDisplayName": name, "status": "active", "statusMessage": "", "assignmentSource": "unknown"},
            "lastAccessedDate": date_text(organization.clock.now()),
            "dateCreated": date_text(crate::world::Clock::default().now()),
            "projectEntitlements": [],
            "extensions": [],
            "groupAssignments": [],
        })
    };
    if let [id] = rest {
        let found = organization
            .subject(id)
            .filter(|person| organization.access.membership(person.id).member)
            .ok_or_else(|| {
                ApiError::new(
                    axum::http::StatusCode::NOT_FOUND,
                    "Microsoft.VisualStudio.Services.MemberEntitlementManagement.MemberNotFoundException",
                    format!("VS860011: The member {id} is not in the organization."),
                )
            })?;
        return Ok(Reply::json(document(&found)));
    }
    let people = organization.people.iter();
    let members: Vec<Value> = people
        .filter(|person| organization.access.membership(person.id).member)
        .map(|person| document(person))
        .collect();
    Ok(Reply::json(
        json!({"members": members, "items": members, "totalCount": members.len(), "continuationToken": null}),
    ))
}
