//! Areas and iterations.

mod requests;

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::fields::FieldId;
use super::ids;
use super::types::encode;
use super::value::{FieldValue, date_text, parse_date};
use crate::server::ApiError;
use crate::world::Organization;

pub(in crate::wit) use requests::route;

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

/// An iteration with its first moment and the one after its last.
pub(crate) struct Sprint<'a> {
    pub node: &'a Node,
    start: Timestamp,
    end: Timestamp,
}

impl Sprint<'_> {
    pub(crate) fn holds(&self, moment: Timestamp) -> bool {
        (self.start..self.end).contains(&moment)
    }
}

impl Node {
    fn sprint(&self) -> Option<Sprint<'_>> {
        let date = |name: &str| parse_date(self.attributes.get(name)?.as_str()?);
        let day = SignedDuration::from_hours(24);
        Some(Sprint {
            node: self,
            start: date("startDate")?,
            end: date("finishDate")?.checked_add(day).ok()?,
        })
    }
}

/// All trees of an organization.
#[derive(Debug, Default)]
pub(crate) struct Nodes {
    by_id: BTreeMap<u32, Node>,
    roots: HashMap<Uuid, [u32; 2]>,
    last: u32,
}

impl Nodes {
    pub(crate) fn get(&self, id: u32) -> Option<&Node> {
        self.by_id.get(&id)
    }

    pub(crate) fn root(&self, project: Uuid, structure: Structure) -> Option<&Node> {
        let roots = self.roots.get(&project)?;
        self.by_id
            .get(&roots[usize::from(structure == Structure::Iteration)])
    }

    /// By the path that fields hold: `Project\Team\Part`. Without regard to case.
    pub(crate) fn find(&self, project: Uuid, structure: Structure, path: &str) -> Option<&Node> {
        let mut parts = path.trim_matches('\\').split('\\');
        let mut node = self.root(project, structure)?;
        let first = parts.next()?;
        if !same(first, &node.name) {
            return None;
        }
        for part in parts {
            node = self.child(node, part)?;
        }
        Some(node)
    }

    fn child(&self, node: &Node, name: &str) -> Option<&Node> {
        node.children
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .find(|child| same(&child.name, name))
    }

    /// The iterations of a project that have dates, in the order of these.
    pub(crate) fn sprints(&self, project: Uuid) -> Vec<Sprint<'_>> {
        let own = self.by_id.values().filter(|node| node.project == project);
        let mut sprints: Vec<Sprint<'_>> = own.filter_map(Node::sprint).collect();
        sprints.sort_by_key(|sprint| sprint.start);
        sprints
    }

    /// Ids from the root to the node.
    pub(crate) fn chain(&self, node: &Node) -> Vec<Uuid> {
        let mut chain = Vec::new();
        let mut next = self.by_id.get(&node.id);
        while let Some(node) = next {
            chain.push(node.identifier);
            next = node.parent.and_then(|parent| self.by_id.get(&parent));
        }
        chain.reverse();
        chain
    }

    /// Names from the root to the node.
    pub(crate) fn names(&self, node: &Node) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = self.by_id.get(&node.id);
        while let Some(node) = next {
            names.push(node.name.as_str());
            next = node.parent.and_then(|parent| self.by_id.get(&parent));
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
            next = self.by_id.get(&id).and_then(|node| node.parent);
        }
        false
    }

    fn add(
        &mut self,
        identifier: Uuid,
        project: Uuid,
        structure: Structure,
        name: &str,
        parent: Option<u32>,
    ) -> u32 {
        self.last += 1;
        let id = self.last;
        let node = Node {
            id,
            identifier,
            project,
            structure,
            name: name.to_owned(),
            parent,
            children: Vec::new(),
            attributes: Map::new(),
        };
        self.by_id.insert(id, node);
        if let Some(parent) = parent.and_then(|parent| self.by_id.get_mut(&parent)) {
            parent.children.push(id);
        }
        id
    }

    fn remove(&mut self, id: u32) {
        if let Some(node) = self.by_id.remove(&id) {
            for child in node.children {
                self.remove(child);
            }
            if let Some(parent) = node.parent.and_then(|parent| self.by_id.get_mut(&parent)) {
                parent.children.retain(|child| *child != id);
            }
        }
    }

    pub(crate) fn take_project(&mut self, project: Uuid) -> Vec<Node> {
        self.roots.remove(&project);
        let own = self.by_id.extract_if(.., |_, node| node.project == project);
        own.map(|(_, node)| node).collect()
    }

    pub(crate) fn put_back(&mut self, nodes: Vec<Node>) {
        for node in nodes {
            if node.parent.is_none() {
                let roots = self.roots.entry(node.project).or_default();
                roots[usize::from(node.structure == Structure::Iteration)] = node.id;
            }
            self.by_id.insert(node.id, node);
        }
    }

    /// `…/classificationNodes/Areas/Web/Page%20two`.
    fn url(&self, node: &Node, base: &str) -> String {
        let root = format!(
            "{base}/{}/_apis/wit/classificationNodes/{}s",
            node.project,
            node.structure.title()
        );
        let names = self.names(node);
        names[1..]
            .iter()
            .fold(root, |url, name| format!("{url}/{}", encode(name)))
    }

    /// The document of a node with `depth` levels below it.
    pub(crate) fn document(&self, node: &Node, base: &str, depth: usize, links: bool) -> Value {
        let names = self.names(node);
        let root = format!("\\{}\\{}", names[0], node.structure.title());
        let path = names[1..]
            .iter()
            .fold(root, |path, name| format!("{path}\\{name}"));
        let url = self.url(node, base);
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
            value["children"] = node
                .children
                .iter()
                .filter_map(|id| self.by_id.get(id))
                .map(|child| self.document(child, base, depth - 1, false))
                .collect();
        }
        value["path"] = json!(path);
        if links {
            value["_links"] = json!({"self": {"href": url}});
            if let Some(parent) = node.parent.and_then(|parent| self.by_id.get(&parent)) {
                value["_links"]["parent"] = json!({"href": self.url(parent, base)});
            }
        }
        value["url"] = json!(url);
        value
    }
}

/// Without regard to case.
fn same(one: &str, two: &str) -> bool {
    one == two
        || (one.eq_ignore_ascii_case(two)
            || (!one.is_ascii() && one.to_lowercase() == two.to_lowercase()))
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
        if let Some(id) = organization
            .wit
            .nodes
            .root(project, structure)
            .map(|node| node.id)
        {
            rename(organization, id, |node| name.clone_into(&mut node.name));
        }
    }
    for item in organization
        .wit
        .items
        .values_mut()
        .filter(|item| item.project == project)
    {
        for revision in &mut item.revisions {
            revision
                .values
                .set(ids::TEAM_PROJECT, Some(FieldValue::text(name)));
        }
    }
}

/// Changes a node and the paths in every revision that names it: the service stores the node, not its path.
fn rename(organization: &mut Organization, id: u32, change: impl FnOnce(&mut Node)) {
    let wit = &mut organization.wit;
    let Some(node) = wit.nodes.by_id.get(&id) else {
        return;
    };
    let (project, field, old) = (
        node.project,
        node.structure.field(),
        wit.nodes.field_path(node),
    );
    if let Some(node) = wit.nodes.by_id.get_mut(&id) {
        change(node);
    }
    let new = wit
        .nodes
        .by_id
        .get(&id)
        .map(|node| wit.nodes.field_path(node))
        .unwrap_or_default();
    let below = format!("{old}\\");
    for item in wit
        .items
        .values_mut()
        .filter(|item| item.project == project)
    {
        for revision in &mut item.revisions {
            let path = revision.values.text(field);
            let moved = if path == old {
                Some(new.clone())
            } else {
                path.strip_prefix(&below)
                    .map(|rest| format!("{new}\\{rest}"))
            };
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
        format!(
            "VS402485: The classification node {path} does not exist or you do not have permission to access it."
        ),
    )
}

/// Makes a node below `parent`, or returns the error of the service if the name is taken.
pub(crate) fn create(
    organization: &mut Organization,
    parent: u32,
    name: &str,
    attributes: Map<String, Value>,
) -> Result<u32, ApiError> {
    let bad = name.trim().is_empty()
        || name.chars().count() > 255
        || name.contains([
            '\\', '/', '$', '?', '*', ':', '"', '&', '<', '>', '#', '%', '|', '+',
        ])
        || name.contains(char::is_control);
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
    let owner = nodes
        .get(parent)
        .ok_or_else(|| not_found(&parent.to_string()))?;
    let (project, structure) = (owner.project, owner.structure);
    let id = nodes.add(identifier, project, structure, name, Some(parent));
    set_attributes(organization, id, attributes);
    Ok(id)
}

fn check_free(organization: &Organization, parent: u32, name: &str) -> Result<(), ApiError> {
    let nodes = &organization.wit.nodes;
    let owner = nodes
        .get(parent)
        .ok_or_else(|| not_found(&parent.to_string()))?;
    if nodes.child(owner, name).is_none() {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::CONFLICT,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.ClassificationNodeDuplicateNameException",
        format!(
            "VS402371: Classification node name {name} is already in use by a different child of parent classification node {}. Choose a different name and try again.",
            owner.identifier
        ),
    ))
}

/// Dates are normalized; a null clears one.
fn set_attributes(organization: &mut Organization, id: u32, attributes: Map<String, Value>) {
    let Some(node) = organization.wit.nodes.by_id.get_mut(&id) else {
        return;
    };
    if node.structure == Structure::Area {
        return;
    }
    for (name, value) in attributes {
        match value {
            Value::Null => drop(node.attributes.remove(&name)),
            Value::String(text) => drop(
                node.attributes
                    .insert(name, json!(parse_date(&text).map_or(text, date_text))),
            ),
            other => drop(node.attributes.insert(name, other)),
        }
    }
}
