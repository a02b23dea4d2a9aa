//! People, groups and the organization itself.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Context, Request, authenticate};
use super::error::GraphError;
use super::list::{self, Shape};
use super::{Group, sites};
use crate::entra::seed::LICENCE;
use crate::entra::token::pairwise;
use crate::entra::{State, Tenant};
use crate::server::Reply;

pub(super) const USER: Shape<'_> = Shape {
    context: "users",
    default: Some(&[
        "businessPhones",
        "displayName",
        "givenName",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
        "id",
    ]),
    further: &[
        "ageGroup",
        "assignedPlans",
        "city",
        "consentProvidedForMinor",
        "country",
        "creationType",
        "employeeHireDate",
        "employeeLeaveDateTime",
        "employeeOrgData",
        "employeeType",
        "faxNumber",
        "identities",
        "imAddresses",
        "isResourceAccount",
        "lastPasswordChangeDateTime",
        "legalAgeGroupClassification",
        "licenseAssignmentStates",
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesExtensionAttributes",
        "onPremisesImmutableId",
        "onPremisesLastSyncDateTime",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesUserPrincipalName",
        "passwordPolicies",
        "postalCode",
        "preferredDataLocation",
        "provisionedPlans",
        "securityIdentifier",
        "showInAddressList",
        "signInSessionsValidFromDateTime",
        "state",
        "streetAddress",
        "externalUserStateChangeDateTime",
        "manager",
    ],
    page: 100,
    most: 999,
};

pub(super) const GROUP: Shape<'_> = Shape {
    context: "groups",
    default: None,
    further: &[
        "allowExternalSenders",
        "assignedLabels",
        "assignedLicenses",
        "isArchived",
        "membershipRuleProcessingState",
        "onPremisesDomainName",
        "onPremisesLastSyncDateTime",
        "onPremisesNetBiosName",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "uniqueName",
    ],
    page: 100,
    most: 999,
};

const OBJECT: Shape<'_> = Shape {
    context: "directoryObjects",
    default: None,
    further: &[],
    page: 100,
    most: 999,
};

pub(super) const READ_USERS: [&str; 5] = [
    "User.Read.All",
    "User.ReadBasic.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
pub(super) const READ_GROUPS: [&str; 5] = [
    "Group.Read.All",
    "GroupMember.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const READ_ORGANIZATION: [&str; 3] = [
    "Organization.Read.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

type Listing = fn(&Request, &Shape<'_>, &[&Map<String, Value>]) -> Result<Reply, GraphError>;

/// Whether a list ends the address, or its length.
fn is_count(tail: &[&str]) -> bool {
    matches!(tail, [] | ["$count"])
}

/// A list, or with `$count` behind it its length.
fn listed(rest: &[&str]) -> Listing {
    if rest.last() == Some(&"$count") {
        list::count
    } else {
        list::reply
    }
}

/// Below `users`.
pub(super) fn users(
    context: &Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    let own = rest
        .first()
        .is_some_and(|id| *id == context.bearer.subject.to_string())
        && context.bearer.person;
    if own {
        context.require(&[&READ_USERS[..], &["User.Read", "User.ReadWrite"]].concat())?;
    } else {
        context.require(&READ_USERS)?;
    }
    let tenant = &*context.tenant;
    let find = |id: &str| tenant.user(id).ok_or_else(|| GraphError::not_found(id));
    match rest {
        [] | ["$count"] => {
            let all: Vec<&Map<String, Value>> =
                tenant.users.iter().map(|user| &user.properties).collect();
            listed(rest)(request, &USER, &all)
        }
        [id] => list::single(request, &USER, &find(id)?.properties),
        [id, "licenseDetails"] => {
            let licensed = find(id)?.properties["assignedLicenses"]
                .as_array()
                .is_some_and(|list| !list.is_empty());
            let details = licensed.then(|| json!({"id": list::encode(&json!(LICENCE)), "skuId": LICENCE, "skuPartNumber": "SPE_E5", "servicePlans": plans()}));
            Ok(Reply::json(
                json!({"@odata.context": request.context("users/licenseDetails"), "value": details.into_iter().collect::<Vec<_>>()}),
            ))
        }
        [id, kind @ ("memberOf" | "transitiveMemberOf")] => {
            let id = find(id)?.id;
            let direct = *kind == "memberOf";
            let groups: Vec<Uuid> = if direct {
                tenant
                    .directory
                    .groups
                    .iter()
                    .filter(|group| group.members.contains(&id))
                    .map(|group| group.id)
                    .collect()
            } else {
                tenant.directory.groups_of(id)
            };
            objects(tenant, request, &groups, &[])
        }
        [id, "manager"] => Err(GraphError::not_found(&format!("{id}/manager"))),
        [_, other, ..] => Err(GraphError::no_segment(other)),
    }
}

/// Below `groups`.
pub(super) fn groups(
    context: &mut Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    if let [id, "sites" | "drive" | "drives", ..] = rest {
        let tenant = &*context.tenant;
        let nick = tenant
            .directory
            .group(id)
            .map(|group| group.properties["mailNickname"].clone());
        let nick = nick
            .and_then(|nick| nick.as_str().map(str::to_owned))
            .ok_or_else(|| GraphError::not_found(id))?;
        return sites::of_group(context, request, &nick, &rest[1..]);
    }
    context.require(&READ_GROUPS)?;
    let tenant = &*context.tenant;
    let find = |id: &str| {
        tenant
            .directory
            .group(id)
            .ok_or_else(|| GraphError::not_found(id))
    };
    match rest {
        [] | ["$count"] => {
            let groups = tenant.directory.groups.iter();
            let all: Vec<&Map<String, Value>> = groups.map(|group| &group.properties).collect();
            listed(rest)(request, &GROUP, &all)
        }
        [id] => list::single(request, &GROUP, &find(id)?.properties),
        [id, "members", tail @ ..] if is_count(tail) => {
            objects(tenant, request, &find(id)?.members, tail)
        }
        [id, "owners", tail @ ..] if is_count(tail) => {
            objects(tenant, request, &find(id)?.owners, tail)
        }
        [id, "transitiveMembers", tail @ ..] if is_count(tail) => {
            objects(tenant, request, &transitive(tenant, find(id)?), tail)
        }
        [_, other, ..] => Err(GraphError::no_segment(other)),
    }
}

fn transitive(tenant: &Tenant, group: &Group) -> Vec<Uuid> {
    let mut found: Vec<Uuid> = Vec::new();
    let mut next: Vec<Uuid> = group.members.clone();
    while let Some(id) = next.pop() {
        if !found.contains(&id) {
            found.push(id);
            let inner = tenant.directory.groups.iter().find(|group| group.id == id);
            next.extend(inner.into_iter().flat_map(|group| &group.members));
        }
    }
    found
}

pub(super) fn type_of(tenant: &Tenant, id: Uuid) -> &'static str {
    if tenant.user_by_id(id).is_some() {
        "#microsoft.graph.user"
    } else {
        "#microsoft.graph.group"
    }
}

fn objects(
    tenant: &Tenant,
    request: &Request,
    ids: &[Uuid],
    tail: &[&str],
) -> Result<Reply, GraphError> {
    let typed = |id: &Uuid| -> Option<Map<String, Value>> {
        let user = tenant.user_by_id(*id).map(|user| &user.properties);
        let group = || {
            tenant
                .directory
                .groups
                .iter()
                .find(|group| group.id == *id)
                .map(|group| &group.properties)
        };
        let mut map = Map::new();
        map.insert("@odata.type".to_owned(), json!(type_of(tenant, *id)));
        let own = user.or_else(group)?;
        let shown = if user.is_some() && request.query.get("$select").is_none() {
            USER.default
        } else {
            None
        };
        map.extend(
            own.iter()
                .filter(|(key, _)| shown.is_none_or(|shown| shown.contains(&key.as_str())))
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        Some(map)
    };
    let all: Vec<Map<String, Value>> = ids.iter().filter_map(typed).collect();
    let all: Vec<&Map<String, Value>> = all.iter().collect();
    let shape = Shape {
        further: USER.further,
        ..OBJECT
    };
    listed(tail)(request, &shape, &all)
}

fn plans() -> Value {
    json!([
        {"servicePlanId": "efb87545-963c-4e0d-99df-69c6916d9eb0", "servicePlanName": "EXCHANGE_S_ENTERPRISE", "provisioningStatus": "Success", "appliesTo": "User"},
        {"servicePlanId": "5dbe027f-2339-4123-9542-606e4d348a72", "servicePlanName": "SHAREPOINTENTERPRISE", "provisioningStatus": "Success", "appliesTo": "User"},
        {"servicePlanId": "57ff2da0-773e-42df-b2af-ffb7a2317929", "servicePlanName": "TEAMS1", "provisioningStatus": "Success", "appliesTo": "User"},
    ])
}

/// `subscribedSkus`.
pub(super) fn skus(context: &Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    context.require(&[&READ_ORGANIZATION[..], &["LicenseAssignment.Read.All"]].concat())?;
    let tenant = &*context.tenant;
    let used = tenant
        .users
        .iter()
        .filter(|user| {
            user.properties["assignedLicenses"]
                .as_array()
                .is_some_and(|list| !list.is_empty())
        })
        .count();
    Ok(Reply::json(
        json!({"@odata.context": request.context("subscribedSkus"), "value": [{
            "id": format!("{}_{LICENCE}", tenant.id),
            "accountId": tenant.id,
            "accountName": tenant.name,
            "appliesTo": "User",
            "capabilityStatus": "Enabled",
            "consumedUnits": used,
            "prepaidUnits": {"enabled": used + 5, "suspended": 0, "warning": 0, "lockedOut": 0},
            "servicePlans": plans(),
            "skuId": LICENCE,
            "skuPartNumber": "SPE_E5",
            "subscriptionIds": [Uuid::new_v5(&tenant.id, b"subscription")],
        }]}),
    ))
}

/// `organization[/{id}]`.
pub(super) fn organization(
    context: &Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    let whole = context.require(&READ_ORGANIZATION).is_ok();
    if !whole {
        // Of people alone, and for no more than who the tenant is.
        context.require(&["User.Read"])?;
    }
    let tenant = &*context.tenant;
    let domains: Vec<Value> = tenant.domains.iter().enumerate().map(|(at, name)| json!({"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": at == 1, "isInitial": at == 0, "name": name, "type": "Managed"})).collect();
    let mut value = json!({
        "id": tenant.id,
        "deletedDateTime": null,
        "businessPhones": [],
        "city": "Berlin",
        "country": null,
        "countryLetterCode": "DE",
        "createdDateTime": "2024-02-12T09:00:00Z",
        "displayName": tenant.name,
        "onPremisesSyncEnabled": null,
        "preferredLanguage": "en",
        "technicalNotificationMails": [tenant.users[0].upn()],
        "tenantType": "AAD",
        "assignedPlans": [],
        "verifiedDomains": domains,
    });
    let shape = Shape {
        context: "organization",
        default: None,
        further: &["directorySizeQuota", "privacyProfile"],
        page: 100,
        most: 999,
    };
    let mut empty = Map::new();
    let object = value.as_object_mut().unwrap_or(&mut empty);
    if !whole {
        for (name, value) in object.iter_mut() {
            if !matches!(name.as_str(), "id" | "displayName" | "verifiedDomains") {
                *value = Value::Null;
            }
        }
    }
    let object = &*object;
    match rest {
        [] => list::reply(request, &shape, &[object]),
        [id] if *id == tenant.id.to_string() => list::single(request, &shape, object),
        [id, ..] => Err(GraphError::not_found(id)),
    }
}

/// `domains`.
pub(super) fn domains(context: &Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    context.require(&[&READ_ORGANIZATION[..], &["Domain.Read.All"]].concat())?;
    let list: Vec<Value> = context.tenant.domains.iter().enumerate().map(|(at, name)| json!({"id": name, "authenticationType": "Managed", "isDefault": at == 1, "isInitial": at == 0, "isVerified": true, "supportedServices": ["Email"]})).collect();
    Ok(Reply::json(
        json!({"@odata.context": request.context("domains"), "value": list}),
    ))
}

/// `oidc/userinfo`.
pub(super) fn userinfo(state: &State, request: &Request) -> Result<Reply, GraphError> {
    let bearer = authenticate(state, request)?;
    let user = state
        .tenant(bearer.tenant)
        .and_then(|tenant| tenant.user_by_id(bearer.subject))
        .ok_or_else(|| GraphError::unauthorized("The token is not one of a person."))?;
    Ok(Reply::json(
        json!({"sub": pairwise(user.id, bearer.client), "name": user.name(), "email": user.properties["mail"], "picture": format!("{}/v1.0/me/photo/$value", request.base)}),
    ))
}
