//! `/__graph/…`: what people and administrators do in a tenant between two backups.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Collection, Relation, What, seed};
use crate::entra::{State, Tenant};
use crate::inspect::Sent;
use crate::server::{ApiError, Reply};

fn missing(what: &str) -> ApiError {
    ApiError::bad_request(format!("there is no {what}"))
}

/// `path` is what follows `__graph/`; the tenant is Contoso unless the body names another.
pub(crate) fn answer(
    state: &mut State,
    method: &Method,
    path: &str,
    sent: &Value,
) -> Result<Reply, ApiError> {
    let sent = Sent::new(sent);
    let tenant = state
        .tenant_mut(sent.tenant()?)
        .ok_or_else(|| missing("such tenant"))?;
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let gone = What::Removed {
        recoverable: !sent.flag("hard")?.unwrap_or(false),
    };
    match (method, &parts[..]) {
        (&Method::POST, ["change"]) => return demonstrate(tenant),
        (&Method::POST, ["groups"]) => return add_group(tenant, sent),
        (&Method::POST, ["sites"]) => return add_site(tenant, sent),
        (&Method::POST, ["bulk"]) => join_many(tenant, sent.number("users")?.unwrap_or(1_000)),
        (&Method::POST, ["expire"]) => expire(tenant),
        (&Method::POST, ["throttle"]) => {
            tenant.directory.throttle.count = sent.number("count")?.unwrap_or(1);
            tenant.directory.throttle.retry_after = sent.number("retryAfter")?.unwrap_or(1);
        }
        (&Method::PATCH, [list, id]) => edit(tenant, list, id, sent.value("properties"))?,
        (&Method::DELETE, ["users", id]) => remove_user(tenant, id, gone)?,
        (&Method::DELETE, ["groups", id]) => {
            let id = group(tenant, id)?.id;
            tenant.directory.groups.retain(|group| group.id != id);
            tenant.directory.note(Collection::Groups, id, gone);
        }
        (&Method::DELETE, ["sites", id]) => {
            let gone = What::Removed { recoverable: false };
            tenant.directory.sites.retain(|site| site.id != *id);
            tenant.directory.note(Collection::Sites, *id, gone);
        }
        (&Method::POST | &Method::DELETE, ["groups", id, list @ ("members" | "owners")]) => {
            let relation = match *list {
                "owners" => Relation::Owners,
                _ => Relation::Members,
            };
            let member = sent.required("member")?;
            let member = tenant
                .user(member)
                .map(|user| user.id)
                .or_else(|| Uuid::parse_str(member).ok())
                .ok_or_else(|| missing("such member"))?;
            relate(tenant, id, relation, member, method == Method::POST)?;
        }
        _ => return Err(ApiError::no_route_path(path)),
    }
    Ok(Reply::no_content())
}

fn join_many(tenant: &mut Tenant, count: u64) {
    let domain = tenant.domain().to_owned();
    for _ in 0..count {
        let number = tenant.users.len();
        let mail = format!("person{number}@{domain}");
        let id = crate::entra::seed::join(tenant, &format!("Person {number}"), &mail, false);
        tenant.directory.note_user(id);
    }
}

/// A change that nobody asked for moves the record past every token.
fn expire(tenant: &mut Tenant) {
    tenant
        .directory
        .note(Collection::Sites, String::new(), What::Changed);
    tenant.directory.oldest = tenant.directory.log.len();
}

/// Changes properties of a person, a group or a site.
fn edit(tenant: &mut Tenant, list: &str, id: &str, with: &Value) -> Result<(), ApiError> {
    let (collection, id, properties) = match list {
        "users" => {
            let user = tenant.user_mut(id).ok_or_else(|| missing("such person"))?;
            let id = user.id.to_string();
            (Collection::Users, id, &mut user.properties)
        }
        "groups" => {
            let group = group(tenant, id)?;
            let id = group.id.to_string();
            (Collection::Groups, id, &mut group.properties)
        }
        "sites" => {
            let mut sites = tenant.directory.sites.iter_mut();
            let site = sites.find(|site| site.id == id);
            let site = site.ok_or_else(|| missing("such site"))?;
            (Collection::Sites, site.id.clone(), &mut site.properties)
        }
        _ => return Err(missing("such list")),
    };
    let cleared = merge(properties, with);
    tenant.directory.clear(&id, cleared);
    tenant.directory.note(collection, id, What::Changed);
    Ok(())
}

/// The properties that lost their values.
fn merge(object: &mut serde_json::Map<String, Value>, with: &Value) -> Vec<String> {
    let mut cleared = Vec::new();
    for (name, value) in with.as_object().into_iter().flatten() {
        let before = object.insert(name.clone(), value.clone());
        if value.is_null() && before.is_some_and(|before| !before.is_null()) {
            cleared.push(name.clone());
        }
    }
    cleared
}

/// By id or nickname.
fn group<'a>(tenant: &'a mut Tenant, name: &str) -> Result<&'a mut super::Group, ApiError> {
    tenant
        .directory
        .groups
        .iter_mut()
        .find(|group| group.id.to_string() == name || group.properties["mailNickname"] == name)
        .ok_or_else(|| missing("such group"))
}

fn remove_user(tenant: &mut Tenant, name: &str, gone: What) -> Result<(), ApiError> {
    let id = tenant.user(name).ok_or_else(|| missing("such person"))?.id;
    tenant.users.retain(|user| user.id != id);
    for relation in [Relation::Members, Relation::Owners] {
        let groups: Vec<Uuid> = tenant
            .directory
            .groups
            .iter()
            .filter(|group| group.list(relation).contains(&id))
            .map(|group| group.id)
            .collect();
        for group in groups {
            relate(tenant, &group.to_string(), relation, id, false)?;
        }
    }
    tenant.directory.note(Collection::Users, id, gone);
    Ok(())
}

fn relate(
    tenant: &mut Tenant,
    name: &str,
    relation: Relation,
    other: Uuid,
    add: bool,
) -> Result<(), ApiError> {
    let group = group(tenant, name)?;
    let list = group.list_mut(relation);
    list.retain(|own| *own != other);
    if add {
        list.push(other);
    }
    let id = group.id;
    let what = if add {
        What::Joined(relation, other)
    } else {
        What::Left(relation, other)
    };
    tenant.directory.note(Collection::Groups, id, what);
    Ok(())
}

fn add_group(tenant: &mut Tenant, sent: Sent<'_>) -> Result<Reply, ApiError> {
    let name = sent.required("displayName")?;
    let nick = sent
        .text("mailNickname")?
        .map_or_else(|| name.to_lowercase().replace(' ', "-"), str::to_owned);
    let group = seed::unified(tenant, name, &nick);
    let id = group.id;
    tenant.directory.groups.push(group);
    tenant.directory.note(Collection::Groups, id, What::Changed);
    Ok(Reply::json(json!({"id": id})).with_status(StatusCode::CREATED))
}

fn add_site(tenant: &mut Tenant, sent: Sent<'_>) -> Result<Reply, ApiError> {
    let id = found_site(tenant, sent.required("path")?, sent.required("title")?);
    Ok(Reply::json(json!({"id": id})).with_status(StatusCode::CREATED))
}

fn found_site(tenant: &mut Tenant, path: &str, title: &str) -> String {
    let site = seed::new_site(tenant, path, title);
    let id = site.id.clone();
    tenant.directory.sites.push(site);
    tenant.directory.note(Collection::Sites, &id, What::Changed);
    id
}

/// A day in the tenant: somebody comes, somebody goes, somebody is promoted; a group and a site change.
fn demonstrate(tenant: &mut Tenant) -> Result<Reply, ApiError> {
    let count = tenant.directory.log.len();
    let mail = format!("new.person.{count}@{}", tenant.domain());
    let added = crate::entra::seed::join(tenant, "New Person", &mail, false);
    tenant.directory.note_user(added);
    let last = tenant.users.len() - 2;
    let gone = tenant.users[last].upn().to_owned();
    remove_user(tenant, &gone, What::Removed { recoverable: true })?;
    let promoted = &mut tenant.users[1];
    promoted
        .properties
        .insert("jobTitle".to_owned(), json!(format!("Promoted {count}")));
    let (promoted, name) = (promoted.id, promoted.upn().to_owned());
    tenant.directory.note_user(promoted);
    let first = tenant.directory.groups[0].id.to_string();
    relate(tenant, &first, Relation::Members, added, true)?;
    let site = found_site(tenant, &format!("sites/new-{count}"), "New site");
    Ok(Reply::json(json!({
        "added": {"user": added, "site": site},
        "removed": {"user": gone},
        "changed": {"user": name, "group": first},
        "entries": {"users": 3, "groups": 1, "sites": 1},
    })))
}

/// Everything that the simulator holds of a tenant.
pub(crate) fn state(tenant: &Tenant) -> Value {
    let directory = &tenant.directory;
    let group = |group: &super::Group| json!({"properties": group.properties, "members": group.members, "owners": group.owners});
    json!({
        "id": tenant.id,
        "domains": tenant.domains,
        "users": tenant.users.iter().map(|user| &user.properties).collect::<Vec<_>>(),
        "groups": directory.groups.iter().map(group).collect::<Vec<_>>(),
        "sites": directory.sites.iter().map(|site| &site.properties).collect::<Vec<_>>(),
    })
}

/// What a backup of the directory has to read, in numbers, and the requests that it cannot do without.
pub(crate) fn inventory(tenant: &Tenant) -> Value {
    let directory = &tenant.directory;
    let (users, groups, sites) = (
        tenant.users.len(),
        directory.groups.len(),
        directory.sites.len(),
    );
    let members: usize = directory
        .groups
        .iter()
        .map(|group| group.members.len())
        .sum();
    let guests = tenant
        .users
        .iter()
        .filter(|user| user.properties["userType"] == "Guest")
        .count();
    let licensed = tenant
        .users
        .iter()
        .filter(|user| {
            user.properties["assignedLicenses"]
                .as_array()
                .is_some_and(|list| !list.is_empty())
        })
        .count();
    let pages = |count: usize| count.div_ceil(999).max(1);
    json!({
        "tenant": tenant.id,
        "users": users,
        "guests": guests,
        "licensedUsers": licensed,
        "groups": groups,
        "groupMembers": members,
        "sites": sites,
        // One round of delta each; a quiet round is one request each.
        "floor": {"first": pages(users) + pages(groups) + pages(sites), "quiet": 3, "tokens": 1},
    })
}
