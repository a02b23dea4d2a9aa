//! Sites, with the names of their lists and libraries.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Site;
use super::answer::{Context, Request};
use super::error::GraphError;
use super::list::{self, Shape};
use crate::server::Reply;

pub(super) const SITE: Shape<'_> = Shape {
    context: "sites",
    default: None,
    further: &[
        "description",
        "eTag",
        "createdBy",
        "lastModifiedBy",
        "sharepointIds",
        "parentReference",
        "isArchived",
        "archivalDetails",
    ],
    page: 200,
    most: 999,
};

pub(super) const READ_SITES: [&str; 4] = [
    "Sites.Read.All",
    "Sites.ReadWrite.All",
    "Sites.Manage.All",
    "Sites.FullControl.All",
];

/// Below `sites`.
pub(super) fn route(
    context: &Context<'_>,
    request: &Request,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    context.require(&READ_SITES)?;
    let all = &context.tenant.directory.sites;
    let shown = |sites: &mut dyn Iterator<Item = &Site>| {
        let maps: Vec<Map<String, Value>> = sites.map(|site| site.properties.clone()).collect();
        list::reply(request, &SITE, &maps.iter().collect::<Vec<_>>())
    };
    match rest {
        [] => match request.query.get("search") {
            // The search leaves out personal sites and subsites that are not indexed yet: it is no complete listing.
            Some(text) => {
                let text = text.trim_matches('*').to_lowercase();
                shown(&mut all.iter().filter(|site| {
                    let name = site.properties["displayName"]
                        .as_str()
                        .unwrap_or_default()
                        .to_lowercase();
                    !site.personal && site.parent.is_none() && name.contains(&text)
                }))
            }
            None => shown(
                &mut all
                    .iter()
                    .filter(|site| !site.personal && site.parent.is_none()),
            ),
        },
        ["getAllSites" | "getAllSites()" | "microsoft.graph.getAllSites()"] => {
            if context.bearer.person {
                return Err(super::error::denied());
            }
            shown(&mut all.iter())
        }
        ["root"] => one(request, all.first()),
        [id, "sites"] => {
            let parent = find(all, id)?.id.clone();
            shown(
                &mut all
                    .iter()
                    .filter(|site| site.parent.as_ref() == Some(&parent)),
            )
        }
        [id, kind @ ("lists" | "drives")] => lists(request, find(all, id)?, *kind == "drives"),
        [id, "drive"] => Ok(Reply::json(drive(find(all, id)?, "Documents"))),
        // `{host}:/{path}` names a site by its address.
        [host, path @ ..] if host.ends_with(':') => {
            let wanted = format!("https://{}/{}", host.trim_end_matches(':'), path.join("/"));
            one(
                request,
                all.iter()
                    .find(|site| site.properties["webUrl"] == wanted.trim_end_matches([':', '/'])),
            )
        }
        [id] => one(request, Some(find(all, id)?)),
        [_, other, ..] => Err(GraphError::no_segment(other)),
    }
}

/// Below `groups/{id}/sites` and `groups/{id}/drive`.
pub(super) fn of_group(
    context: &Context<'_>,
    request: &Request,
    nick: &str,
    rest: &[&str],
) -> Result<Reply, GraphError> {
    context.require(&[&READ_SITES[..], &["Group.Read.All", "Files.Read.All"]].concat())?;
    let end = format!("/sites/{nick}");
    let found = context.tenant.directory.sites.iter().find(|site| {
        site.properties["webUrl"]
            .as_str()
            .is_some_and(|url| url.ends_with(&end))
    });
    match (rest, found) {
        (["sites", "root"], found) => one(request, found),
        (["drive"], Some(site)) => Ok(Reply::json(drive(site, "Documents"))),
        (["drives"], Some(site)) => lists(request, site, true),
        _ => Err(GraphError::item_not_found()),
    }
}

fn find<'a>(all: &'a [Site], id: &str) -> Result<&'a Site, GraphError> {
    let of = |site: &&Site| {
        let mut parts = site.id.split(',');
        let host = parts.next();
        site.id == id
            || parts.any(|part| part == id)
            || (host == Some(id) && site.parent.is_none() && site.properties["name"] == "root")
    };
    if id == "root" {
        return all.first().ok_or_else(GraphError::item_not_found);
    }
    all.iter().find(of).ok_or_else(GraphError::item_not_found)
}

fn one(request: &Request, site: Option<&Site>) -> Result<Reply, GraphError> {
    list::single(
        request,
        &SITE,
        &site.ok_or_else(GraphError::item_not_found)?.properties,
    )
}

fn drive(site: &Site, name: &str) -> Value {
    json!({
        "id": format!("b!{}", list::encode(&json!(format!("{}/{name}", site.id)))),
        "driveType": "documentLibrary",
        "name": name,
        "webUrl": format!("{}/{}", site.properties["webUrl"].as_str().unwrap_or_default(), name.replace(' ', "%20")),
        "quota": {"deleted": 0, "remaining": 27_487_790_694_400_u64, "state": "normal", "total": 27_487_790_694_400_u64, "used": 0},
    })
}

fn lists(request: &Request, site: &Site, drives: bool) -> Result<Reply, GraphError> {
    let web = Uuid::new_v5(&Uuid::NAMESPACE_URL, site.id.as_bytes());
    let of = |name: &String| {
        if drives {
            return (name == "Documents").then(|| drive(site, name));
        }
        Some(json!({
            "id": Uuid::new_v5(&web, name.as_bytes()),
            "name": name,
            "displayName": name,
            "createdDateTime": "2024-03-01T10:05:00Z",
            "lastModifiedDateTime": "2026-01-05T08:00:00Z",
            "webUrl": format!("{}/Lists/{name}", site.properties["webUrl"].as_str().unwrap_or_default()),
            "list": {"contentTypesEnabled": false, "hidden": false, "template": if name == "Documents" { "documentLibrary" } else { "genericList" }},
        }))
    };
    let list: Vec<Value> = site.lists.iter().filter_map(of).collect();
    let empty = Map::new();
    let maps: Vec<&Map<String, Value>> = list
        .iter()
        .map(|value| value.as_object().unwrap_or(&empty))
        .collect();
    let shape = Shape {
        context: if drives { "drives" } else { "lists" },
        ..SITE
    };
    list::reply(request, &shape, &maps)
}
