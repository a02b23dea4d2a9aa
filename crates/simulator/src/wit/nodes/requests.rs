//! Requests for areas and iterations.

use axum::http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use super::{Structure, check_free, create, not_found, rename, set_attributes};
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::FieldValue;
use crate::wit::write;
use crate::world::Organization;

/// Below `{project}/_apis/wit/classificationNodes`.
pub(in crate::wit) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let project = call.project(organization)?.id;
    let depth = call.query.number("$depth")?.unwrap_or(0);
    let Some(structure) = rest.first() else {
        return roots(organization, call, project, depth);
    };
    let structure = Structure::parse(structure).ok_or_else(|| ApiError::no_route(call))?;
    let root = organization
        .wit
        .nodes
        .root(project, structure)
        .ok_or_else(|| not_found(""))?
        .id;
    let mut id = root;
    for part in rest[1..]
        .iter()
        .flat_map(|segment| segment.split(['\\', '/']))
        .filter(|part| !part.is_empty())
    {
        let nodes = &organization.wit.nodes;
        id = nodes
            .get(id)
            .and_then(|node| nodes.child(node, part))
            .ok_or_else(|| not_found(part))?
            .id;
    }
    match call.method {
        Method::GET => answer(organization, call, id, depth, StatusCode::OK),
        Method::POST => post(organization, call, id),
        Method::PATCH => patch(organization, call, id, root),
        Method::DELETE if id == root => Err(ApiError::bad_request(
            "VS402370: The root classification node cannot be deleted.",
        )),
        Method::DELETE => delete(organization, call, id),
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn answer(
    organization: &Organization,
    call: &Call,
    id: u32,
    depth: usize,
    status: StatusCode,
) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let node = nodes.get(id).ok_or_else(|| not_found(&id.to_string()))?;
    Ok(Reply::json(nodes.document(node, &call.base, depth, true)).with_status(status))
}

/// What a `POST` made or moved, and where it is now.
fn placed(
    organization: &Organization,
    call: &Call,
    id: u32,
    status: StatusCode,
) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let url = nodes.get(id).map(|node| nodes.url(node, &call.base));
    let reply = answer(organization, call, id, 0, status)?;
    Ok(reply.header("location", url.unwrap_or_default()))
}

fn roots(
    organization: &Organization,
    call: &Call,
    project: Uuid,
    depth: usize,
) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let Some(wanted) = call.query.list("ids") else {
        let roots = [Structure::Area, Structure::Iteration]
            .into_iter()
            .filter_map(|structure| nodes.root(project, structure));
        return Ok(Reply::list(
            roots
                .map(|node| nodes.document(node, &call.base, depth, false))
                .collect(),
        ));
    };
    let omit = call
        .query
        .get("errorPolicy")
        .is_some_and(|policy| policy.eq_ignore_ascii_case("omit"));
    let mut found = Vec::new();
    for id in wanted {
        match id
            .parse()
            .ok()
            .and_then(|id| nodes.get(id))
            .filter(|node| node.project == project)
        {
            Some(node) => found.push(nodes.document(node, &call.base, depth, true)),
            None if omit => found.push(Value::Null),
            None => return Err(not_found(id)),
        }
    }
    Ok(Reply::list(found))
}

/// A body with `id` moves that node here, one with `name` makes a node.
fn post(organization: &mut Organization, call: &Call, parent: u32) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let attributes = body["attributes"].as_object().cloned().unwrap_or_default();
    let Some(moved) = body["id"].as_u64().filter(|id| *id > 0) else {
        let id = create(
            organization,
            parent,
            body["name"].as_str().unwrap_or_default(),
            attributes,
        )?;
        return placed(organization, call, id, StatusCode::CREATED);
    };
    let moved = moved as u32;
    let nodes = &organization.wit.nodes;
    let (node, target) = (
        nodes
            .get(moved)
            .ok_or_else(|| not_found(&moved.to_string()))?,
        nodes.get(parent).ok_or_else(|| not_found(""))?,
    );
    if node.project != target.project
        || node.structure != target.structure
        || nodes.is_below(parent, moved)
    {
        return Err(ApiError::bad_request(
            "VS402489: The classification node cannot be moved there.",
        ));
    }
    let (name, old_parent) = (node.name.clone(), node.parent);
    check_free(organization, parent, &name)?;
    if let Some(old) = old_parent.and_then(|old| organization.wit.nodes.by_id.get_mut(&old)) {
        old.children.retain(|child| *child != moved);
    }
    if let Some(new) = organization.wit.nodes.by_id.get_mut(&parent) {
        new.children.push(moved);
    }
    rename(organization, moved, |node| node.parent = Some(parent));
    organization.clock.tick();
    placed(organization, call, moved, StatusCode::OK)
}

fn patch(
    organization: &mut Organization,
    call: &Call,
    id: u32,
    root: u32,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let current = organization
        .wit
        .nodes
        .get(id)
        .map(|node| (node.name.clone(), node.parent));
    if let (Some(name), Some((old, parent))) = (body["name"].as_str(), current)
        && name != old
        && id != root
    {
        if let Some(parent) = parent.filter(|_| name.to_lowercase() != old.to_lowercase()) {
            check_free(organization, parent, name)?;
        }
        rename(organization, id, |node| name.clone_into(&mut node.name));
    }
    set_attributes(
        organization,
        id,
        body["attributes"].as_object().cloned().unwrap_or_default(),
    );
    organization.clock.tick();
    answer(organization, call, id, 0, StatusCode::OK)
}

/// Items below the node get a revision with the node of `$reclassifyId`, or the parent.
fn delete(organization: &mut Organization, call: &Call, id: u32) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let node = nodes
        .get(id)
        .ok_or_else(|| not_found(&id.to_string()))?
        .clone();
    let target = match call.query.number("$reclassifyId")? {
        Some(target) => target as u32,
        None => node.parent.unwrap_or_default(),
    };
    let target = nodes
        .get(target)
        .filter(|target| {
            target.project == node.project
                && target.structure == node.structure
                && !nodes.is_below(target.id, id)
        })
        .ok_or_else(|| not_found(&target.to_string()))?;
    let (old, new, field) = (
        nodes.field_path(&node),
        nodes.field_path(target),
        node.structure.field(),
    );
    let below = format!("{old}\\");
    let inside = |path: &str| path == old || path.starts_with(&below);
    let affected: Vec<u32> = organization
        .wit
        .items
        .values()
        .filter(|item| item.project == node.project && inside(item.latest().values.text(field)))
        .map(|item| item.id)
        .collect();
    for item in affected {
        write::set_field(
            organization,
            item,
            field,
            &FieldValue::text(&new),
            &call.identity.person,
        );
    }
    organization.wit.nodes.remove(id);
    organization.clock.tick();
    Ok(Reply::no_content())
}
