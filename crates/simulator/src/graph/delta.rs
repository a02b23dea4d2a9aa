//! Changes since a token. Tokens carry what was asked for first: the collection, the selection, the place in the record.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::answer::{Context, Request};
use super::directory::{GROUP, READ_GROUPS, READ_USERS, USER, type_of};
use super::error::GraphError;
use super::filter::Filter;
use super::list::{self, Shape, bad_token, decode, encode};
use super::sites::{READ_SITES, SITE};
use super::{Collection, Group, Relation, Site, What};
use crate::entra::{Tenant, User};
use crate::server::Reply;

/// A group with more members comes twice in a first round, each time with some of them.
const MEMBERS: usize = 4;
const PAGE: usize = 100;

/// Where a round stands.
struct Place {
    /// Changes before this one in the record are known to the client; absent in a first round.
    since: Option<usize>,
    /// The end of the record when the round began.
    until: usize,
    /// The key of the last entry that was sent: what changes between two pages moves nothing past the client.
    after: String,
    select: Option<String>,
    /// Only these objects are of interest.
    ids: Option<Vec<String>>,
}

impl Place {
    fn token(&self, collection: Collection) -> String {
        encode(
            &json!({"c": format!("{collection:?}"), "s": self.since, "u": self.until, "n": self.after, "f": self.select, "i": self.ids}),
        )
    }

    /// Whether the client follows the object.
    fn follows(&self, id: &str) -> bool {
        let ids = self.ids.as_ref();
        ids.is_none_or(|ids| ids.iter().any(|own| own.eq_ignore_ascii_case(id)))
    }

    fn of(
        request: &Request,
        collection: Collection,
        tenant: &Tenant,
        names: (&str, &str),
    ) -> Result<Self, GraphError> {
        let until = tenant.directory.log.len();
        let query = &request.query;
        let paging = query.get("$skiptoken");
        let token = paging
            .or_else(|| query.get(names.0))
            .or_else(|| query.get(names.1));
        let begin = |since| -> Result<Self, GraphError> {
            Ok(Self {
                since,
                until,
                after: String::new(),
                select: query.get("$select").map(str::to_owned),
                ids: query.get("$filter").map(only_ids).transpose()?,
            })
        };
        let Some(token) = token else {
            return begin(None);
        };
        if token.eq_ignore_ascii_case("latest") {
            return begin(Some(until));
        }
        let value = decode(token)
            .filter(|value| value["c"] == format!("{collection:?}"))
            .ok_or_else(bad_token)?;
        let number = |name: &str| value[name].as_u64().map(|number| number as usize);
        let ids = serde_json::from_value(value["i"].clone()).map_err(|_| bad_token())?;
        let place = Self {
            ids,
            since: number("s"),
            until: number("u").ok_or_else(bad_token)?,
            after: value["n"].as_str().ok_or_else(bad_token)?.to_owned(),
            select: value["f"].as_str().map(str::to_owned),
        };
        let place = if paging.is_some() {
            place
        } else {
            Self {
                since: Some(place.until),
                until,
                after: String::new(),
                ..place
            }
        };
        if place.since.unwrap_or(place.until) < tenant.directory.oldest || place.until > until {
            let fresh = format!("{}/{}?{}=", request.root(), list::path(request), names.0);
            return Err(GraphError::new(
                StatusCode::GONE,
                "syncStateNotFound",
                "The sync state generation is not found; start over with a full synchronization.",
            )
            .with_header("location", fresh));
        }
        Ok(place)
    }
}

/// "Scoping filters allow you to track changes to one or more specific users or groups, filtering only by object ID."
fn only_ids(filter: &str) -> Result<Vec<String>, GraphError> {
    let ids = Filter::parse(filter)?.ids();
    ids.ok_or_else(|| GraphError::unsupported("Unsupported Query."))
}

fn refuse(request: &Request, names: &[&str]) -> Result<(), GraphError> {
    match names.iter().find(|name| request.query.get(name).is_some()) {
        Some(name) => Err(GraphError::unsupported(format!(
            "The query option '{name}' is not supported with delta."
        ))),
        None => Ok(()),
    }
}

/// A page of entries, and the way on.
fn reply(
    request: &Request,
    collection: Collection,
    mut place: Place,
    mut entries: Vec<(String, Value)>,
    names: (&str, &str),
) -> Reply {
    let size = request.max_page_size().unwrap_or(PAGE).clamp(1, 999);
    // The second part of a large group has a mark behind its id.
    entries.retain(|(key, _)| place.follows(key.trim_end_matches('#')));
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.retain(|(key, _)| *key > place.after);
    let more = entries.len() > size;
    entries.truncate(size);
    if let Some((key, _)) = entries.last() {
        place.after.clone_from(key);
    }
    let page: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
    let address = format!("{}/{}", request.root(), list::path(request));
    let context = format!("{collection:?}").to_lowercase();
    let mut value = json!({"@odata.context": request.context(&context)});
    if more {
        value["@odata.nextLink"] =
            json!(format!("{address}?$skiptoken={}", place.token(collection)));
    } else {
        value["@odata.deltaLink"] =
            json!(format!("{address}?{}={}", names.0, place.token(collection)));
    }
    value["value"] = json!(page);
    Reply::json(value)
}

/// Ids that changed between two places, in the order of their last change, with what removed them.
fn changed(tenant: &Tenant, collection: Collection, place: &Place) -> Vec<(String, Option<bool>)> {
    let mut found: Vec<(String, Option<bool>)> = Vec::new();
    let from = place.since.unwrap_or(0);
    for change in tenant
        .directory
        .log
        .get(from..place.until)
        .unwrap_or_default()
    {
        if change.collection != collection {
            continue;
        }
        found.retain(|(id, _)| *id != change.id);
        let removed = match change.what {
            What::Removed { recoverable } => Some(recoverable),
            _ => None,
        };
        found.push((change.id.clone(), removed));
    }
    found
}

fn removed(id: &str, recoverable: bool) -> Value {
    json!({"id": id, "@removed": {"reason": if recoverable { "changed" } else { "deleted" }}})
}

/// What a round shows of an object: all that is selected, changed or not. Properties that were never set are left out; those that lost
/// their values are null in later rounds.
fn shown(
    (tenant, place): (&Tenant, &Place),
    object: &Map<String, Value>,
    select: Option<&str>,
    shape: &Shape<'_>,
) -> Result<Value, GraphError> {
    let mut value = list::select(object, select, shape)?;
    let cleared = object
        .get("id")
        .and_then(Value::as_str)
        .filter(|_| place.since.is_some())
        .and_then(|id| tenant.directory.cleared.get(id));
    if let Some(map) = value.as_object_mut() {
        map.retain(|name, value| {
            !value.is_null() || cleared.is_some_and(|cleared| cleared.contains(name))
        });
    }
    Ok(value)
}

pub(super) const DELTA: (&str, &str) = ("$deltatoken", "deltatoken");

pub(super) fn users(context: &Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    context.require(&READ_USERS)?;
    refuse(request, &["$expand", "$orderby", "$search"])?;
    let tenant = &*context.tenant;
    let place = Place::of(request, Collection::Users, tenant, DELTA)?;
    let select = place.select.as_deref();
    let of = |user: &User| {
        let value = shown((tenant, &place), &user.properties, select, &USER)?;
        Ok((user.id.to_string(), value))
    };
    let entries: Result<Vec<(String, Value)>, GraphError> = if place.since.is_none() {
        tenant.users.iter().map(of).collect()
    } else {
        changed(tenant, Collection::Users, &place)
            .iter()
            .filter_map(|(id, gone)| match (gone, tenant.user(id)) {
                (Some(recoverable), None) => Some(Ok((id.clone(), removed(id, *recoverable)))),
                (_, Some(user)) => Some(of(user)),
                (None, None) => None,
            })
            .collect()
    };
    Ok(reply(request, Collection::Users, place, entries?, DELTA))
}

pub(super) fn groups(context: &Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    context.require(&READ_GROUPS)?;
    refuse(request, &["$expand", "$orderby", "$search"])?;
    let tenant = &*context.tenant;
    let place = Place::of(request, Collection::Groups, tenant, DELTA)?;
    let select = place.select.as_deref();
    let asked: BTreeSet<&str> = select
        .into_iter()
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let mut lists = Vec::new();
    if asked.contains("members") {
        lists.push(Relation::Members);
    }
    if asked.contains("owners") {
        lists.push(Relation::Owners);
    }
    let rest: Vec<&str> = asked
        .iter()
        .copied()
        .filter(|name| !matches!(*name, "members" | "owners"))
        .collect();
    let own = rest.join(",");
    let properties = select.map(|_| own.as_str());
    let whole = |group: &Group| shown((tenant, &place), &group.properties, properties, &GROUP);
    let mut entries = Vec::new();
    if place.since.is_none() {
        for group in &tenant.directory.groups {
            first(tenant, group, whole(group)?, &lists, &mut entries);
        }
    } else {
        for (id, gone) in changed(tenant, Collection::Groups, &place) {
            match (gone, tenant.directory.group(&id)) {
                (Some(recoverable), None) => {
                    let value = removed(&id, recoverable);
                    entries.push((id, value));
                }
                (_, Some(group)) => {
                    let mut value = whole(group)?;
                    for list in &lists {
                        let moved = moves(tenant, &place, &id, *list);
                        if !moved.is_empty() {
                            value[format!("{}@delta", list.name())] = json!(moved);
                        }
                    }
                    entries.push((id, value));
                }
                (None, None) => {}
            }
        }
    }
    Ok(reply(request, Collection::Groups, place, entries, DELTA))
}

fn member(tenant: &Tenant, id: Uuid) -> Value {
    json!({"@odata.type": type_of(tenant, id), "id": id})
}

/// A group in a first round: once, or twice if it has many members.
fn first(
    tenant: &Tenant,
    group: &Group,
    mut value: Value,
    lists: &[Relation],
    entries: &mut Vec<(String, Value)>,
) {
    let mut rest = json!({"id": group.id});
    for list in lists {
        let name = format!("{}@delta", list.name());
        let all = group.list(*list);
        let split = all.len() > MEMBERS;
        let (later, now): (Vec<&Uuid>, Vec<&Uuid>) =
            all.iter().partition(|id| split && id.as_u128() % 2 == 1);
        let of =
            |ids: Vec<&Uuid>| -> Value { ids.into_iter().map(|id| member(tenant, *id)).collect() };
        if !later.is_empty() {
            rest[&name] = of(later);
        }
        if !all.is_empty() {
            value[&name] = of(now);
        }
    }
    entries.push((group.id.to_string(), value));
    if rest.as_object().is_some_and(|rest| rest.len() > 1) {
        entries.push((format!("{}#", group.id), rest));
    }
}

/// Who came into a list, and who went.
fn moves(tenant: &Tenant, place: &Place, group: &str, list: Relation) -> Vec<Value> {
    let mut last: Vec<(Uuid, bool)> = Vec::new();
    let from = place.since.unwrap_or(0);
    for change in tenant
        .directory
        .log
        .get(from..place.until)
        .unwrap_or_default()
    {
        if change.collection != Collection::Groups || change.id != group {
            continue;
        }
        let (id, came) = match change.what {
            What::Joined(of, id) if of == list => (id, true),
            What::Left(of, id) if of == list => (id, false),
            _ => continue,
        };
        last.retain(|(own, _)| *own != id);
        last.push((id, came));
    }
    last.into_iter()
        .map(|(id, came)| {
            let mut value = member(tenant, id);
            if !came {
                value["@removed"] = json!({"reason": "deleted"});
            }
            value
        })
        .collect()
}

pub(super) fn sites(context: &Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    const TOKEN: (&str, &str) = ("token", "$deltatoken");
    context.require(&READ_SITES)?;
    let tenant = &*context.tenant;
    let place = Place::of(request, Collection::Sites, tenant, TOKEN)?;
    let select = place.select.as_deref();
    let of = |site: &Site| {
        let value = shown((tenant, &place), &site.properties, select, &SITE)?;
        Ok((site.id.clone(), value))
    };
    let all = &tenant.directory.sites;
    let entries: Result<Vec<(String, Value)>, GraphError> = if place.since.is_none() {
        all.iter().map(of).collect()
    } else {
        changed(tenant, Collection::Sites, &place)
            .into_iter()
            .map(|(id, _)| match all.iter().find(|site| site.id == id) {
                Some(site) => of(site),
                None => Ok((id.clone(), removed(&id, false))),
            })
            .collect()
    };
    Ok(reply(request, Collection::Sites, place, entries?, TOKEN))
}
