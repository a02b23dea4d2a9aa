//! Areas and iterations.

use std::collections::{BTreeMap, HashMap};

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fields::FieldId;
use super::types::encode;
use super::value::{FieldValue, date_text, parse_date};
use super::{ids, write};
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Structure {
    Area,
    Iteration,
}

impl Structure {
    fn parse(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "areas" | "area" => Some(Self::Area),
            "iterations" | "iteration" => Some(Self::Iteration),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Area => "area",
            Self::Iteration => "iteration",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Area => "Area",
            Self::Iteration => "Iteration",
        }
    }

    pub(crate) fn field(self) -> FieldId {
        match self {
            Self::Area => ids::AREA_PATH,
            Self::Iteration => ids::ITERATION_PATH,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub id: u32,
    pub identifier: Uuid,
    pub project: Uuid,
    pub structure: Structure,
    pub name: String,
    /// `None` for a root, whose name is the project's.
    pub parent: Option<u32>,
    pub children: Vec<u32>,
    /// `startDate` and `finishDate` of an iteration.
    pub attributes: Map<String, Value>,
}

/// All trees of an organization.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    nodes: BTreeMap<u32, Node>,
    roots: HashMap<Uuid, [u32; 2]>,
    last: u32,
}

impl Nodes {
    pub(crate) fn get(&self, id: u32) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn root(&self, project: Uuid, structure: Structure) -> Option<&Node> {
        let roots = self.roots.get(&project)?;
        self.nodes.get(&roots[usize::from(structure == Structure::Iteration)])
    }

    /// By the path that fields hold: `Project\Team\Part`. Without regard to case.
    pub(crate) fn find(&self, project: Uuid, structure: Structure, path: &str) -> Option<&Node> {
        let mut parts = path.trim_matches('\\').split('\\');
        let mut node = self.root(project, structure)?;
        let first = parts.next()?;
        if first.to_lowercase() != node.name.to_lowercase() {
            return None;
        }
        for part in parts {
            node = self.child(node, part)?;
        }
        Some(node)
    }

    fn child(&self, node: &Node, name: &str) -> Option<&Node> {
        node.children.iter().filter_map(|id| self.nodes.get(id)).find(|child| child.name.to_lowercase() == name.to_lowercase())
    }

    /// Names from the root to the node.
    pub(crate) fn names(&self, node: &Node) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = self.nodes.get(&node.id);
        while let Some(node) = next {
            names.push(node.name.as_str());
            next = node.parent.and_then(|parent| self.nodes.get(&parent));
        }
        names.reverse();
        names
    }

    /// The path that fields hold.
    pub(crate) fn field_path(&self, node: &Node) -> String {
        self.names(node).join("\\")
    }

    fn is_below(&self, node: u32, ancestor: u32) -> bool {
        let mut next = Some(node);
        while let Some(id) = next {
            if id == ancestor {
                return true;
            }
            next = self.nodes.get(&id).and_then(|node| node.parent);
        }
        false
    }

    fn add(&mut self, identifier: Uuid, project: Uuid, structure: Structure, name: &str, parent: Option<u32>) -> u32 {
        self.last += 1;
        let id = self.last;
        let node = Node { id, identifier, project, structure, name: name.to_owned(), parent, children: Vec::new(), attributes: Map::new() };
        self.nodes.insert(id, node);
        if let Some(parent) = parent.and_then(|parent| self.nodes.get_mut(&parent)) {
            parent.children.push(id);
        }
        id
    }

    fn remove(&mut self, id: u32) {
        if let Some(node) = self.nodes.remove(&id) {
            for child in node.children {
                self.remove(child);
            }
            if let Some(parent) = node.parent.and_then(|parent| self.nodes.get_mut(&parent)) {
                parent.children.retain(|child| *child != id);
            }
        }
    }

    pub(crate) fn remove_project(&mut self, project: Uuid) {
        self.roots.remove(&project);
        self.nodes.retain(|_, node| node.project != project);
    }

    /// The document of a node with `depth` levels below it.
    pub(crate) fn document(&self, node: &Node, base: &str, depth: usize, links: bool) -> Value {
        let names = self.names(node);
        let title = node.structure.title();
        let mut url = format!("{base}/{}/_apis/wit/classificationNodes/{title}s", node.project);
        let mut parent = url.clone();
        for name in &names[1..] {
            parent.clone_from(&url);
            url = format!("{url}/{}", encode(name));
        }
        let mut path = format!("\\{}\\{title}", names[0]);
        for name in &names[1..] {
            path = format!("{path}\\{name}");
        }
        let mut value = json!({
            "id": node.id,
            "identifier": node.identifier,
            "name": node.name,
            "structureType": node.structure.name(),
            "hasChildren": !node.children.is_empty(),
        });
        if !node.attributes.is_empty() {
            value["attributes"] = Value::Object(node.attributes.clone());
        }
        if depth > 0 && !node.children.is_empty() {
            value["children"] = node.children.iter().filter_map(|id| self.nodes.get(id)).map(|child| self.document(child, base, depth - 1, false)).collect();
        }
        value["path"] = json!(path);
        if links {
            value["_links"] = json!({"self": {"href": url}});
            if node.parent.is_some() {
                value["_links"]["parent"] = json!({"href": parent});
            }
        }
        value["url"] = json!(url);
        value
    }
}

pub(crate) fn project_created(organization: &mut Organization, project: Uuid, name: &str) {
    let (area, iteration) = (organization.ids.guid(), organization.ids.guid());
    let nodes = &mut organization.wit.nodes;
    let iteration = nodes.add(iteration, project, Structure::Iteration, name, None);
    let area = nodes.add(area, project, Structure::Area, name, None);
    nodes.roots.insert(project, [area, iteration]);
}

pub(crate) fn project_renamed(organization: &mut Organization, project: Uuid, name: &str) {
    for structure in [Structure::Area, Structure::Iteration] {
        if let Some(id) = organization.wit.nodes.root(project, structure).map(|node| node.id) {
            rename(organization, id, |node| name.clone_into(&mut node.name));
        }
    }
    for item in organization.wit.items.values_mut().filter(|item| item.project == project) {
        for revision in &mut item.revisions {
            revision.values.set(ids::TEAM_PROJECT, Some(FieldValue::text(name)));
        }
    }
}

/// Changes a node and the paths in every revision that names it: the service stores the node, not its path.
fn rename(organization: &mut Organization, id: u32, change: impl FnOnce(&mut Node)) {
    let wit = &mut organization.wit;
    let Some(node) = wit.nodes.nodes.get(&id) else { return };
    let (project, field, old) = (node.project, node.structure.field(), wit.nodes.field_path(node));
    if let Some(node) = wit.nodes.nodes.get_mut(&id) {
        change(node);
    }
    let new = wit.nodes.nodes.get(&id).map(|node| wit.nodes.field_path(node)).unwrap_or_default();
    let below = format!("{old}\\");
    for item in wit.items.values_mut().filter(|item| item.project == project) {
        for revision in &mut item.revisions {
            let path = revision.values.text(field);
            let moved = if path == old { Some(new.clone()) } else { path.strip_prefix(&below).map(|rest| format!("{new}\\{rest}")) };
            if let Some(path) = moved {
                revision.values.set(field, Some(FieldValue::text(&path)));
            }
        }
    }
}

fn not_found(path: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.WorkItemTrackingTreeNodeNotFoundException",
        format!("VS402485: The classification node {path} does not exist or you do not have permission to access it."),
    )
}

/// Makes a node below `parent`, or returns the error of the service if the name is taken.
pub(crate) fn create(organization: &mut Organization, parent: u32, name: &str, attributes: Map<String, Value>) -> Result<u32, ApiError> {
    let bad = name.trim().is_empty() || name.chars().count() > 255 || name.contains(['\\', '/', '$', '?', '*', ':', '"', '&', '<', '>', '#', '%', '|', '+']) || name.contains(char::is_control);
    if bad {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.WorkItemTracking.Server.ClassificationNodeInvalidNameException",
            format!("TF50309: The classification node name '{name}' is not valid."),
        ));
    }
    check_free(organization, parent, name)?;
    let identifier = organization.ids.guid();
    organization.clock.tick();
    let nodes = &mut organization.wit.nodes;
    let owner = nodes.get(parent).ok_or_else(|| not_found(&parent.to_string()))?;
    let (project, structure) = (owner.project, owner.structure);
    let id = nodes.add(identifier, project, structure, name, Some(parent));
    set_attributes(organization, id, attributes);
    Ok(id)
}

fn check_free(organization: &Organization, parent: u32, name: &str) -> Result<(), ApiError> {
    let nodes = &organization.wit.nodes;
    let owner = nodes.get(parent).ok_or_else(|| not_found(&parent.to_string()))?;
    if nodes.child(owner, name).is_none() {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::CONFLICT,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.ClassificationNodeDuplicateNameException",
        format!("VS402371: Classification node name {name} is already in use by a different child of parent classification node {}. Choose a different name and try again.", owner.identifier),
    ))
}

/// Dates are normalized; a null clears one.
fn set_attributes(organization: &mut Organization, id: u32, attributes: Map<String, Value>) {
    let Some(node) = organization.wit.nodes.nodes.get_mut(&id) else { return };
    if node.structure == Structure::Area {
        return;
    }
    for (name, value) in attributes {
        match value {
            Value::Null => drop(node.attributes.remove(&name)),
            Value::String(text) => drop(node.attributes.insert(name, json!(parse_date(&text).map_or(text, date_text)))),
            other => drop(node.attributes.insert(name, other)),
        }
    }
}

/// Below `{project}/_apis/wit/classificationNodes`.
pub(crate) fn route(organization: &mut Organization, call: &Call, rest: &[String]) -> Result<Reply, ApiError> {
    let project = call.project(organization)?.id;
    let depth = call.query.number("$depth")?.unwrap_or(0);
    let Some(structure) = rest.first() else { return roots(organization, call, project, depth) };
    let structure = Structure::parse(structure).ok_or_else(|| ApiError::no_route(call))?;
    let root = organization.wit.nodes.root(project, structure).ok_or_else(|| not_found(""))?.id;
    let mut id = root;
    for part in rest[1..].iter().flat_map(|segment| segment.split(['\\', '/'])).filter(|part| !part.is_empty()) {
        let nodes = &organization.wit.nodes;
        id = nodes.get(id).and_then(|node| nodes.child(node, part)).ok_or_else(|| not_found(part))?.id;
    }
    match call.method {
        Method::GET => answer(organization, call, id, depth, StatusCode::OK),
        Method::POST => post(organization, call, id),
        Method::PATCH => patch(organization, call, id, root),
        Method::DELETE if id == root => Err(ApiError::bad_request("VS402370: The root classification node cannot be deleted.")),
        Method::DELETE => delete(organization, call, id),
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn answer(organization: &Organization, call: &Call, id: u32, depth: usize, status: StatusCode) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let node = nodes.get(id).ok_or_else(|| not_found(&id.to_string()))?;
    Ok(Reply::json(nodes.document(node, &call.base, depth, true)).with_status(status))
}

fn roots(organization: &Organization, call: &Call, project: Uuid, depth: usize) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let Some(wanted) = call.query.list("ids") else {
        let roots = [Structure::Area, Structure::Iteration].into_iter().filter_map(|structure| nodes.root(project, structure));
        return Ok(Reply::list(roots.map(|node| nodes.document(node, &call.base, depth, false)).collect()));
    };
    let omit = call.query.get("errorPolicy").is_some_and(|policy| policy.eq_ignore_ascii_case("omit"));
    let mut found = Vec::new();
    for id in wanted {
        match id.parse().ok().and_then(|id| nodes.get(id)).filter(|node| node.project == project) {
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
        let id = create(organization, parent, body["name"].as_str().unwrap_or_default(), attributes)?;
        return answer(organization, call, id, 0, StatusCode::CREATED);
    };
    let moved = moved as u32;
    let nodes = &organization.wit.nodes;
    let (node, target) = (nodes.get(moved).ok_or_else(|| not_found(&moved.to_string()))?, nodes.get(parent).ok_or_else(|| not_found(""))?);
    if node.project != target.project || node.structure != target.structure || nodes.is_below(parent, moved) {
        return Err(ApiError::bad_request("VS402489: The classification node cannot be moved there."));
    }
    let (name, old_parent) = (node.name.clone(), node.parent);
    check_free(organization, parent, &name)?;
    if let Some(old) = old_parent.and_then(|old| organization.wit.nodes.nodes.get_mut(&old)) {
        old.children.retain(|child| *child != moved);
    }
    if let Some(new) = organization.wit.nodes.nodes.get_mut(&parent) {
        new.children.push(moved);
    }
    rename(organization, moved, |node| node.parent = Some(parent));
    organization.clock.tick();
    answer(organization, call, moved, 0, StatusCode::OK)
}

fn patch(organization: &mut Organization, call: &Call, id: u32, root: u32) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let current = organization.wit.nodes.get(id).map(|node| (node.name.clone(), node.parent));
    if let (Some(name), Some((old, parent))) = (body["name"].as_str(), current)
        && name != old
        && id != root
    {
        if let Some(parent) = parent.filter(|_| name.to_lowercase() != old.to_lowercase()) {
            check_free(organization, parent, name)?;
        }
        rename(organization, id, |node| name.clone_into(&mut node.name));
    }
    set_attributes(organization, id, body["attributes"].as_object().cloned().unwrap_or_default());
    organization.clock.tick();
    answer(organization, call, id, 0, StatusCode::OK)
}

/// Items below the node get a revision with the node of `$reclassifyId`, or the parent.
fn delete(organization: &mut Organization, call: &Call, id: u32) -> Result<Reply, ApiError> {
    let nodes = &organization.wit.nodes;
    let node = nodes.get(id).ok_or_else(|| not_found(&id.to_string()))?.clone();
    let target = match call.query.number("$reclassifyId")? {
        Some(target) => target as u32,
        None => node.parent.unwrap_or_default(),
    };
    let target = nodes
        .get(target)
        .filter(|target| target.project == node.project && target.structure == node.structure && !nodes.is_below(target.id, id))
        .ok_or_else(|| not_found(&target.to_string()))?;
    let (old, new, field) = (nodes.field_path(&node), nodes.field_path(target), node.structure.field());
    let below = format!("{old}\\");
    let inside = |path: &str| path == old || path.starts_with(&below);
    let affected: Vec<u32> =
        organization.wit.items.values().filter(|item| item.project == node.project && inside(item.latest().values.text(field))).map(|item| item.id).collect();
    for item in affected {
        write::set_field(organization, item, field, &FieldValue::text(&new), &call.identity.person);
    }
    organization.wit.nodes.remove(id);
    organization.clock.tick();
    Ok(Reply::no_content())
}
