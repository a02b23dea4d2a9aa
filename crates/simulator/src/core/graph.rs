//! Users, groups of teams and memberships, as far as teams need them.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::groups::Group;
use super::teams;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person};

pub(crate) fn user(person: &Person, base: &str) -> Value {
    let url = format!("{base}/_apis/Graph/Users/{}", person.descriptor);
    json!({
        "subjectKind": "user",
        "metaType": "member",
        "directoryAlias": person.unique_name.split('@').next(),
        "domain": crate::auth::TENANT,
        "principalName": person.unique_name,
        "mailAddress": person.unique_name,
        "origin": "aad",
        "originId": person.id,
        "displayName": person.display_name,
        "_links": {
            "self": {"href": url},
            "memberships": {"href": format!("{base}/_apis/Graph/Memberships/{}", person.descriptor)},
            "membershipState": {"href": format!("{base}/_apis/Graph/MembershipStates/{}", person.descriptor)},
            "storageKey": {"href": format!("{base}/_apis/Graph/StorageKeys/{}", person.descriptor)},
            "avatar": {"href": format!("{base}/_apis/GraphProfile/MemberAvatars/{}", person.descriptor)},
        },
        "url": url,
        "descriptor": person.descriptor,
    })
}

/// `GraphServicePrincipal`.
fn application(person: &Person, principal: Uuid, base: &str) -> Value {
    let mut value = user(person, base);
    value["subjectKind"] = json!("servicePrincipal");
    value["metaType"] = json!("application");
    value["applicationId"] = json!(person.unique_name);
    value["originId"] = json!(principal);
    value["directoryAlias"] = Value::Null;
    value["mailAddress"] = json!("");
    value
}

fn group(organization: &Organization, team: &super::Team, base: &str) -> Value {
    let project = organization
        .project_by_id(team.project)
        .map_or("", |project| project.name.as_str());
    let descriptor = team.descriptor();
    let url = format!("{base}/_apis/Graph/Groups/{descriptor}");
    json!({
        "subjectKind": "group",
        "description": team.description,
        "domain": format!("vstfs:///Classification/TeamProject/{}", team.project),
        "principalName": format!("[{project}]\\{}", team.name),
        "mailAddress": null,
        "origin": "vsts",
        "originId": team.id,
        "displayName": team.name,
        "_links": {
            "self": {"href": url},
            "memberships": {"href": format!("{base}/_apis/Graph/Memberships/{descriptor}")},
            "membershipState": {"href": format!("{base}/_apis/Graph/MembershipStates/{descriptor}")},
            "storageKey": {"href": format!("{base}/_apis/Graph/StorageKeys/{descriptor}")},
        },
        "url": url,
        "descriptor": descriptor,
    })
}

fn membership(member: &str, container: &str, base: &str) -> Value {
    json!({
        "containerDescriptor": container,
        "memberDescriptor": member,
        "_links": {
            "self": {"href": format!("{base}/_apis/Graph/Memberships/{member}/{container}")},
            "member": {"href": format!("{base}/_apis/Graph/{}/{member}", resource(member))},
            "container": {"href": format!("{base}/_apis/Graph/Groups/{container}")},
        },
    })
}

fn no_subject(descriptor: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.VisualStudio.Services.Graph.GraphSubjectNotFoundException",
        format!("VS860010: The graph subject {descriptor} could not be found."),
    )
}

pub(crate) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let base = &call.base;
    match (&call.method, rest) {
        (&Method::GET, ["users"]) => Ok(Reply::list(
            organization
                .people
                .iter()
                .map(|person| user(person, base))
                .collect(),
        )),
        (&Method::GET, ["users", _]) => {
            let person = organization
                .people
                .find(&call.segments[2])
                .ok_or_else(|| no_subject(&call.segments[2]))?;
            Ok(Reply::json(user(&person, base)))
        }
        (&Method::GET, ["groups"]) => groups(organization, call),
        (&Method::GET, ["serviceprincipals"]) => {
            let all = organization.access.applications();
            let list = all.map(|(person, principal)| application(person, principal, base));
            Ok(Reply::list(list.collect()))
        }
        (&Method::GET, ["serviceprincipals", _]) => {
            let wanted = &call.segments[2];
            let mut all = organization.access.applications();
            let (person, principal) = all
                .find(|(person, _)| person.descriptor == *wanted)
                .ok_or_else(|| no_subject(wanted))?;
            Ok(Reply::json(application(person, principal, base)))
        }
        (&Method::GET, ["groups", _]) => {
            if let Some(own) = Group::find(organization, &call.segments[2]) {
                return Ok(Reply::json(own.document(organization, base)));
            }
            let team = organization
                .core
                .teams
                .iter()
                .find(|team| team.descriptor() == call.segments[2])
                .ok_or_else(|| no_subject(&call.segments[2]))?;
            Ok(Reply::json(group(organization, team, base)))
        }
        (&Method::GET, ["descriptors", key]) => descriptor(organization, base, key),
        (&Method::GET, ["storagekeys", _]) => storage_key(organization, base, &call.segments[2]),
        (&Method::GET, ["membershipstates", _]) => state(organization, base, &call.segments[2]),
        (&Method::POST, ["subjectlookup"]) => lookup(organization, call),
        (_, ["memberships", ..]) => memberships(organization, call),
        _ => Err(ApiError::no_route(call)),
    }
}

/// The groups of the organization and its projects, or of the project alone that `scopeDescriptor` names.
fn groups(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let scope = call.query.get("scopeDescriptor");
    let within = scope
        .map(|scope| {
            let mut projects = organization.core.projects.iter();
            projects
                .find(|project| scope_of(project.id) == scope)
                .map(|project| project.id)
                .ok_or_else(|| no_subject(scope))
        })
        .transpose()?;
    let teams = organization.core.teams.iter();
    let mut found: Vec<Value> = teams
        .filter(|team| within.is_none_or(|project| team.project == project))
        .map(|team| group(organization, team, &call.base))
        .collect();
    if within.is_none() {
        found.extend(Group::ALL.map(|own| own.document(organization, &call.base)));
    }
    Ok(Reply::list(found))
}

/// The descriptor of a project as the place where groups are.
fn scope_of(project: Uuid) -> String {
    format!("scp.{}", URL_SAFE_NO_PAD.encode(project.to_string()))
}

/// Descriptors and storage keys of all that has them.
fn subjects(organization: &Organization) -> Vec<(String, Uuid)> {
    let person = |person: &Person| (person.descriptor.clone(), person.id);
    let people = organization.people.iter().map(|own| person(own));
    let applications = organization.access.applications();
    let teams = organization.core.teams.iter();
    let groups = Group::ALL.iter();
    let projects = organization.core.projects.iter();
    people
        .chain(applications.map(|(own, _)| person(own)))
        .chain(teams.map(|team| (team.descriptor(), team.id)))
        .chain(groups.map(|own| (own.descriptor(organization), own.id(organization))))
        .chain(projects.map(|project| (scope_of(project.id), project.id)))
        .collect()
}

/// Where a subject is read.
fn resource(descriptor: &str) -> &'static str {
    match descriptor.split_once('.') {
        Some(("scp", _)) => "Scopes",
        Some(("vssgp", _)) => "Groups",
        Some(("aadsp", _)) => "ServicePrincipals",
        _ => "Users",
    }
}

fn descriptor(organization: &Organization, base: &str, key: &str) -> Result<Reply, ApiError> {
    let mut all = subjects(organization).into_iter();
    let (value, _) = all
        .find(|(_, own)| own.to_string().eq_ignore_ascii_case(key))
        .ok_or_else(|| no_subject(key))?;
    Ok(Reply::json(json!({
        "value": value,
        "_links": {
            "self": {"href": format!("{base}/_apis/Graph/Descriptors/{key}")},
            "storageKey": {"href": format!("{base}/_apis/Graph/StorageKeys/{value}")},
            "subject": {"href": format!("{base}/_apis/Graph/{}/{value}", resource(&value))},
        },
    })))
}

fn subject_key(organization: &Organization, descriptor: &str) -> Result<Uuid, ApiError> {
    let mut all = subjects(organization).into_iter();
    let found = all.find(|(own, _)| own == descriptor);
    let (_, key) = found.ok_or_else(|| no_subject(descriptor))?;
    Ok(key)
}

/// `GraphStorageKeyResult`.
fn storage_key(
    organization: &Organization,
    base: &str,
    descriptor: &str,
) -> Result<Reply, ApiError> {
    let key = subject_key(organization, descriptor)?;
    Ok(Reply::json(json!({
        "value": key,
        "_links": {
            "self": {"href": format!("{base}/_apis/Graph/StorageKeys/{descriptor}")},
            "descriptor": {"href": format!("{base}/_apis/Graph/Descriptors/{key}")},
        },
    })))
}

/// `GraphMembershipState`.
fn state(organization: &Organization, base: &str, descriptor: &str) -> Result<Reply, ApiError> {
    subject_key(organization, descriptor)?;
    Ok(Reply::json(json!({
        "active": true,
        "_links": {"self": {"href": format!("{base}/_apis/Graph/MembershipStates/{descriptor}")}},
    })))
}

fn lookup(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let keys = body["lookupKeys"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if keys.len() > 500 {
        return Err(ApiError::bad_request(format!(
            "TF400049: There were too many requested items: {}. The maximum number is 500.",
            keys.len()
        )));
    }
    let mut found = Map::new();
    for key in keys {
        let key = key["descriptor"]
            .as_str()
            .ok_or_else(|| ApiError::bad_body("a lookup key has no descriptor"))?;
        let person = organization
            .people
            .find(key)
            .map(|person| user(&person, &call.base));
        let team = organization
            .core
            .teams
            .iter()
            .find(|team| team.descriptor() == key)
            .map(|team| group(organization, team, &call.base));
        let own = Group::find(organization, key).map(|own| own.document(organization, &call.base));
        if let Some(value) = person.or(team).or(own) {
            found.insert(key.to_owned(), value);
        }
    }
    Ok(Reply::json(json!({"count": found.len(), "value": found})))
}

/// `memberships/{subject}?direction=` and `memberships/{member}/{container}`.
fn memberships(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    match call.segments.get(2..).unwrap_or_default() {
        [subject] => Ok(around(organization, call, subject)),
        [member, container] => between(organization, call, member, container),
        _ => Err(ApiError::no_route(call)),
    }
}

/// What a subject is a member of, or with `direction=down` its members.
fn around(organization: &Organization, call: &Call, subject: &str) -> Reply {
    let down = call
        .query
        .get("direction")
        .is_some_and(|direction| direction.eq_ignore_ascii_case("down"));
    let of_teams = organization.core.teams.iter().flat_map(|team| {
        let members = team.members.iter();
        members.map(move |member| (member.person.descriptor.clone(), team.descriptor()))
    });
    let of_groups = Group::ALL.into_iter().flat_map(|group| {
        let container = group.descriptor(organization);
        let members = group.members(organization).into_iter();
        members.map(move |member| (member.descriptor.clone(), container.clone()))
    });
    let wanted = of_teams
        .chain(of_groups)
        .filter(|(member, container)| subject == if down { container } else { member });
    Reply::list(
        wanted
            .map(|(member, container)| membership(&member, &container, &call.base))
            .collect(),
    )
}

/// Whether somebody is in a team or group; only teams take and lose members here.
fn between(
    organization: &mut Organization,
    call: &Call,
    member: &str,
    container: &str,
) -> Result<Reply, ApiError> {
    let person = organization
        .subject(member)
        .ok_or_else(|| no_subject(member))?;
    let teams = &organization.core.teams;
    let team = teams.iter().position(|team| team.descriptor() == container);
    let is_member = match (Group::find(organization, container), team) {
        (Some(group), _) => group.has(organization, &person),
        (None, Some(at)) => teams[at]
            .members
            .iter()
            .any(|member| member.person.id == person.id),
        (None, None) => return Err(no_subject(container)),
    };
    let document = membership(&person.descriptor, container, &call.base);
    match (&call.method, team) {
        (&Method::HEAD, _) if is_member => Ok(Reply::status(StatusCode::OK)),
        (&Method::HEAD, _) => Ok(Reply::status(StatusCode::NOT_FOUND)),
        (&Method::GET, _) if is_member => Ok(Reply::json(document)),
        (&Method::GET, _) => Err(no_subject(member)),
        (&Method::PUT, Some(at)) => {
            if !is_member {
                let id = teams[at].id;
                teams::add_member(organization, id, &person, false);
            }
            Ok(Reply::json(document).with_status(StatusCode::CREATED))
        }
        (&Method::DELETE, Some(at)) => {
            let members = &mut organization.core.teams[at].members;
            members.retain(|member| member.person.id != person.id);
            Ok(Reply::status(StatusCode::OK))
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}
