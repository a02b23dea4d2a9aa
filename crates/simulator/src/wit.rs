//! Work item tracking.

pub(crate) mod attachments;
mod batch;
pub(crate) mod comments;
mod dump;
pub(crate) mod fields;
mod ids;
pub(crate) mod item;
mod links;
pub(crate) mod nodes;
pub(crate) mod patch;
mod read;
mod recycle_bin;
mod render;
pub(crate) mod reporting;
mod tags;
pub(crate) mod types;
pub(crate) mod value;
mod wiql;
pub(crate) mod write;

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use uuid::Uuid;

use crate::core::access;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, SharedWorld};

pub(crate) use dump::{inventory, state};

/// Work items in one answer of `workItemsBatch` and `workItems?ids=`.
pub(crate) const BATCH: usize = 200;

#[derive(Default)]
pub(crate) struct State {
    pub items: BTreeMap<u32, item::Item>,
    pub last_item: u32,
    pub last_relation: u32,
    pub last_comment: u32,
    /// Item, revision, when the service took it: the stream of revisions.
    pub log: Vec<(u32, u32, Timestamp)>,
    pub link_log: Vec<reporting::LinkChange>,
    pub attachments: BTreeMap<Uuid, attachments::Attachment>,
    pub fields: fields::Fields,
    pub nodes: nodes::Nodes,
    pub tags: tags::Tags,
}

pub(crate) fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    if is_read(call) {
        let guard = world.read();
        return read(guard.organization(&call.organization)?, call);
    }
    let mut guard = world.write();
    route(guard.organization_mut(&call.organization)?, call)
}

/// Whether the request is one of the frequent ones that change nothing.
fn is_read(call: &Call) -> bool {
    match call
        .segments
        .get(1)
        .map(|segment| segment.to_lowercase())
        .as_deref()
    {
        Some("reporting" | "workitemsbatch" | "wiql") => true,
        Some("workitems") => {
            call.method == Method::GET
                && call
                    .segments
                    .get(3)
                    .is_none_or(|part| !part.eq_ignore_ascii_case("comments"))
        }
        _ => false,
    }
}

fn read(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let lower = call.lower();
    let parts: Vec<&str> = lower.iter().skip(1).map(String::as_str).collect();
    match (&call.method, &parts[..]) {
        (&Method::GET | &Method::POST, ["reporting", "workitemrevisions"]) => {
            reporting::revisions(organization, call, false)
        }
        (&Method::GET, ["reporting", "workitemrevisions", "discussions"]) => {
            reporting::revisions(organization, call, true)
        }
        (&Method::GET, ["reporting", "workitemlinks"]) => reporting::links(organization, call),
        (&Method::POST, ["workitemsbatch"]) => read::batch(organization, call),
        (&Method::POST, ["wiql"]) => wiql::query(organization, call),
        (&Method::GET, ["workitems"]) => read::list(organization, call),
        (&Method::GET, ["workitems", id]) if id.starts_with('$') => {
            read::template(organization, call, &call.segments[2][1..])
        }
        (&Method::GET, ["workitems", id, rest @ ..]) => read::one(organization, call, id, rest),
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// Everything else, and what is inside a batch.
fn route(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    if is_read(call) {
        return read(organization, call);
    }
    let rest = call.segments.get(2..).unwrap_or_default();
    let area = call.segments.get(1).map(|segment| segment.to_lowercase());
    match (area.as_deref(), rest) {
        (Some("recyclebin" | "tags" | "classificationnodes"), [])
        | (
            Some(
                "workitemtypes"
                | "workitemtypecategories"
                | "workitemrelationtypes"
                | "artifactlinktypes",
            ),
            _,
        ) => call.only_read()?,
        _ => {}
    }
    match area.as_deref() {
        Some("workitems") => match rest {
            [id, part, more @ ..] if part.eq_ignore_ascii_case("comments") => comments::route(
                organization,
                call,
                id.parse().map_err(|_| ApiError::no_route(call))?,
                more,
            ),
            [id] => change(organization, call, id),
            _ => Err(ApiError::no_route(call)),
        },
        Some("$batch") => batch::run(organization, call),
        Some("workitemsdelete") => recycle_bin::delete_many(organization, call),
        Some("recyclebin") => recycle_bin::route(organization, call, rest),
        Some("attachments") => attachments::route(organization, call, rest),
        Some("classificationnodes") => nodes::route(organization, call, rest),
        Some("fields") => fields::route(organization, call, rest),
        Some("workitemtypes") => types::route(organization, call, rest),
        Some("workitemtypecategories") => types::categories(organization, call, rest),
        Some("workitemrelationtypes") => links::relation_types(call, rest),
        Some("tags") => tags::route(organization, call, rest),
        Some("artifactlinktypes") => Ok(Reply::list(Vec::new())),
        Some("artifacturiquery") => read::of_artifacts(organization, call),
        _ => Err(ApiError::no_route(call)),
    }
}

/// `POST workItems/${type}`, `PATCH` and `DELETE workItems/{id}`.
fn change(organization: &mut Organization, call: &Call, id: &str) -> Result<Reply, ApiError> {
    let options = write::Options {
        bypass_rules: call.query.flag("bypassRules"),
        validate_only: call.query.flag("validateOnly"),
    };
    let by = std::sync::Arc::clone(&call.identity.person);
    if call.query.flag("suppressNotifications") {
        organization.require(
            "SUPPRESS_NOTIFICATIONS",
            "Suppress notifications for work item updates",
            &by,
        )?;
    }
    let item = match (&call.method, id.strip_prefix('$')) {
        (&Method::POST | &Method::PATCH, Some(kind)) => {
            let project = call.project(organization)?.id;
            write::create(
                organization,
                project,
                kind,
                &patch::operations(call)?,
                &by,
                options,
            )?
        }
        (method, None) => {
            // Ids below 1 do not fit the route.
            let id: u32 = id
                .parse()
                .ok()
                .filter(|id| *id > 0)
                .ok_or_else(|| ApiError::no_route(call))?;
            read::check_place(organization, call, id)?;
            match *method {
                Method::PATCH => {
                    write::update(organization, id, &patch::operations(call)?, &by, options)?
                }
                Method::DELETE => return recycle_bin::delete(organization, call, id),
                _ => return Err(ApiError::method_not_allowed(call)),
            }
        }
        _ => return Err(ApiError::method_not_allowed(call)),
    };
    let expand = render::Expand {
        links: true,
        relations: true,
        fields: render::Expand::parse(call.query.get("$expand")).fields,
    };
    let references = value::References::new(&call.base);
    Ok(Reply::serialized(&render::ItemView {
        empty_relations: call.method == Method::PATCH && !id.starts_with('$'),
        ..render::ItemView::new(organization, &item, &references, expand)
    }))
}

impl Organization {
    /// Whether the caller may not see an item: its project is hidden, or its area denied.
    pub(crate) fn hides_item(&self, item: &item::Item) -> bool {
        let area = || {
            let path = item.latest().values.text(ids::AREA_PATH);
            let nodes = &self.wit.nodes;
            let node = nodes.find(item.project, nodes::Structure::Area, path);
            node.map_or_else(Vec::new, |node| nodes.chain(node))
        };
        self.hides(item.project) || !access::reads_area(area)
    }
}

/// What a deleted project had.
pub(crate) struct Taken {
    items: Vec<item::Item>,
    nodes: Vec<nodes::Node>,
}

impl State {
    pub(crate) fn take_project(&mut self, project: Uuid) -> Taken {
        let own = self.items.extract_if(.., |_, item| item.project == project);
        Taken {
            items: own.map(|(_, item)| item).collect(),
            nodes: self.nodes.take_project(project),
        }
    }

    pub(crate) fn put_back(&mut self, taken: Taken) {
        self.items
            .extend(taken.items.into_iter().map(|item| (item.id, item)));
        self.nodes.put_back(taken.nodes);
    }
}
