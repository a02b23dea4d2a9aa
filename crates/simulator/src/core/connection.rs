//! Who the caller is and where services are.

use axum::http::Method;
use serde_json::{Value, json};

use super::identities::legacy_descriptor;
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::date_text;
use crate::world::{Organization, Person};

/// `GET connectionData`.
pub(crate) fn data(organization: &Organization, call: &Call) -> Reply {
    let person = &call.identity.person;
    let user = json!({
        "id": person.id,
        "descriptor": legacy_descriptor(organization, person),
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
        json!({"members": members, "items": members, "totalCount": members.len(), "continuationToken": ""}),
    ))
}
