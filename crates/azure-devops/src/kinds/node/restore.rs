//! Nodes written back below their parents, from the root down; what is there already is matched by its path.

use std::collections::HashMap;

use model::{Action, ItemRef};
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::{Answer, Method, segment};
use service::{Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use super::paths::below_root;
use super::slice::Slice;
use super::stored::{Nodes, same};
use super::{Tree, read_trees};
use crate::api::{DEV, STABLE};
use crate::kinds::parts::{self, Stands, failed};
use crate::kinds::project::PROJECT;
use crate::raw::Members;

/// The nodes of one tree in each project that stands at the target.
struct There<'t> {
    tree: &'t Tree,
    projects: HashMap<String, Vec<Slice>>,
}

impl<'t> There<'t> {
    async fn read(tree: &'t Tree, cx: &Target<'_>, items: &[StoredItem]) -> Result<Self> {
        let mut projects = HashMap::new();
        for item in items {
            let Some(project) = cx.ids.get(PROJECT, &item.item.scope) else {
                continue;
            };
            if projects.contains_key(&project) {
                continue;
            }
            let nodes = parts::there(read_trees(cx.http, &project).await)?.unwrap_or_default();
            projects.insert(
                project,
                nodes
                    .into_iter()
                    .filter(|node| node.kind == tree.kind)
                    .collect(),
            );
        }
        Ok(Self { tree, projects })
    }

    fn node(&self, project: &str, names: &[String]) -> Option<&Slice> {
        self.projects
            .get(project)?
            .iter()
            .find(|node| same(&below_root(&node.path), names))
    }

    fn by_id(&self, project: &str, id: &str) -> Option<&Slice> {
        self.projects
            .get(project)?
            .iter()
            .find(|node| node.id.to_string() == id)
    }

    /// Whether the node has other attributes than these.
    fn differs(&self, project: &str, id: &str, attributes: &RawValue) -> Result<bool> {
        match self.by_id(project, id) {
            Some(node) => Ok(!same_attributes(&node.document, attributes)?),
            None => Ok(true),
        }
    }

    /// What stands for an item under an id that is known.
    fn known(&self, cx: &Target<'_>, item: &StoredItem, project: &str) -> Option<&Slice> {
        let known = item.new_id.clone();
        let known = known.or_else(|| cx.ids.get(self.tree.kind, &item.item.id));
        self.by_id(project, &known?)
    }

    /// The stored names of a node as they are at the target, where its parents may have been renamed or moved since.
    async fn names(
        &self,
        nodes: &Nodes<'_>,
        cx: &Target<'_>,
        item: &StoredItem,
        path: &str,
    ) -> Result<Vec<String>> {
        let names: Vec<String> = below_root(path).into_iter().map(str::to_owned).collect();
        let project = cx.ids.get(PROJECT, &item.item.scope);
        let (Some(project), Some((name, parents))) = (project, names.split_last()) else {
            return Ok(names);
        };
        // Only where something is not at its stored place all stored nodes have to be read.
        let is_as_stored = match self.known(cx, item, &project) {
            Some(node) => below_root(&node.path) == names,
            None => parents.is_empty() || self.node(&project, parents).is_some(),
        };
        if is_as_stored {
            return Ok(names);
        }
        let today = |id: &str| {
            let names = below_root(&self.by_id(&project, id)?.path);
            Some(names.into_iter().map(str::to_owned).collect())
        };
        let scope = &item.item.scope;
        let mut way = nodes.way(self.tree.kind, scope, parents, today).await?;
        way.push(name.clone());
        Ok(way)
    }

    /// Takes note of a node that was renamed or moved, with all that lies below it.
    fn relocate(&mut self, project: &str, from: &[String], to: &[String]) {
        for node in self.projects.get_mut(project).into_iter().flatten() {
            let names = below_root(&node.path);
            if names.len() < from.len() || names[..from.len()] != *from {
                continue;
            }
            let root = node.path.split('\\').filter(|name| !name.is_empty());
            let below = to.iter().map(String::as_str);
            let all = root
                .take(2)
                .chain(below)
                .chain(names[from.len()..].iter().copied());
            node.path = format!("\\{}", all.collect::<Vec<_>>().join("\\"));
        }
    }

    fn find(&self, cx: &Target<'_>, item: &StoredItem, names: &[String]) -> Result<Option<Found>> {
        let Some(project) = cx.ids.get(PROJECT, &item.item.scope) else {
            return Ok(None);
        };
        let by_id = self.known(cx, item, &project);
        let Some(node) = by_id.or_else(|| self.node(&project, names)) else {
            return Ok(None);
        };
        // The service gives the nodes that it makes with a project no dates: those that have some were given them by somebody.
        let made = by_id.is_none() && !cx.original && attributes_of(&node.document)?.is_empty();
        let automatic = names.is_empty() || made;
        Ok(Some(Found {
            id: node.id.to_string(),
            state: if automatic {
                FoundState::Automatic
            } else {
                FoundState::Present
            },
        }))
    }
}

async fn stored_path(cx: &Target<'_>, item: &ItemRef) -> Result<(bytes::Bytes, String)> {
    let document = parts::document(cx.stored, item).await?;
    let path = parts::read::<Members<'_>>(item, &document)?.text("path");
    let path =
        path.ok_or_else(|| Error::malformed(format!("{item}: its stored document has no path")))?;
    Ok((document, path))
}

pub(super) async fn find(
    tree: &Tree,
    cx: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<Found>>> {
    let there = There::read(tree, cx, items).await?;
    let nodes = Nodes::new(cx);
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let (_, path) = stored_path(cx, &item.item).await?;
        let names = there.names(&nodes, cx, item, &path).await?;
        all.push(there.find(cx, item, &names)?);
    }
    Ok(all)
}

/// Shallow nodes first, whatever the order of the items.
pub(super) async fn create(
    tree: &Tree,
    cx: &Restore<'_>,
    items: &[StoredItem],
) -> Result<Vec<Outcome>> {
    let mut there = There::read(tree, &cx.target, items).await?;
    let nodes = Nodes::new(&cx.target);
    let mut order = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let (document, path) = stored_path(&cx.target, &item.item).await?;
        order.push((below_root(&path).len(), at, document, path));
    }
    order.sort_by_key(|(depth, at, ..)| (*depth, *at));
    let mut outcomes = vec![Outcome::Unchanged; items.len()];
    for (_, at, document, path) in order {
        let item = &items[at];
        // Not before their parents are where they belong.
        let names = there.names(&nodes, &cx.target, item, &path).await?;
        outcomes[at] = create_one(cx, &mut there, item, &document, &names)
            .await
            .or_else(failed)?;
    }
    Ok(outcomes)
}

async fn create_one(
    cx: &Restore<'_>,
    there: &mut There<'_>,
    item: &StoredItem,
    document: &[u8],
    names: &[String],
) -> Result<Outcome> {
    if matches!(item.action, Action::Skip | Action::Export | Action::Remove) {
        return Ok(Outcome::Unchanged);
    }
    let project = cx.target.ids.get(PROJECT, &item.item.scope);
    let project = project.ok_or_else(|| {
        Error::unsupported(format!("{}: its project is not at the target", item.item))
    })?;
    let members: Members<'_> = parts::read(&item.item, document)?;
    let attributes = members
        .get("attributes")
        .filter(|attributes| attributes.get() != "null");
    let mut losses = Vec::new();
    let stands = if let Some(found) = there.find(&cx.target, item, names)? {
        if found.state == FoundState::Present
            && let Some(left) = parts::stays(cx, item, &found.id)
        {
            return Ok(left);
        }
        if item.action == Action::Replace {
            losses.extend(put(cx, there, &project, &found.id, names).await?);
        }
        amend(cx, there, &project, &found.id, attributes).await?;
        Stands::Found(found.id)
    } else {
        losses.extend(parents(cx, there, &project, names).await?);
        let making = make(cx, there, &project, names, attributes);
        Stands::Made(parts::intended(cx, item, making).await?)
    };
    let new_id = stands.noted(cx, &item.item).await?;
    Ok(Outcome::Done { new_id, losses })
}

/// Makes what is missing on the way to a node.
async fn parents(
    cx: &Restore<'_>,
    there: &mut There<'_>,
    project: &str,
    names: &[String],
) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    for depth in 1..names.len() {
        if there.node(project, &names[..depth]).is_none() {
            make(cx, there, project, &names[..depth], None).await?;
            losses.push(format!(
                "{} was not restored on its own: it is made without its dates",
                names[..depth].join("\\")
            ));
        }
    }
    Ok(losses)
}

/// Moves a node that stands at the target below its parent, and renames it.
async fn put(
    cx: &Restore<'_>,
    there: &mut There<'_>,
    project: &str,
    id: &str,
    names: &[String],
) -> Result<Vec<String>> {
    let mut losses = Vec::new();
    let (Some(node), Some((name, above))) = (there.by_id(project, id), names.split_last()) else {
        return Ok(losses);
    };
    let (id, path) = (node.id, node.path.clone());
    let mut now: Vec<String> = below_root(&path).into_iter().map(str::to_owned).collect();
    let Some((old, above_now)) = now.split_last() else {
        return Ok(losses);
    };
    if !same(above, above_now) {
        losses = parents(cx, there, project, names).await?;
        let body = Body {
            id: Some(id),
            ..Body::default()
        };
        write(
            cx,
            Method::POST,
            &address(there.tree, project, above),
            &body,
        )
        .await?;
        let moved = [above, std::slice::from_ref(old)].concat();
        there.relocate(project, &now, &moved);
        now = moved;
    }
    if now.last() != Some(name) {
        let body = Body {
            name: Some(name),
            ..Body::default()
        };
        write(
            cx,
            Method::PATCH,
            &address(there.tree, project, &now),
            &body,
        )
        .await?;
        there.relocate(project, &now, names);
    }
    Ok(losses)
}

/// Gives a node that stands at the target the stored attributes.
async fn amend(
    cx: &Restore<'_>,
    there: &There<'_>,
    project: &str,
    id: &str,
    attributes: Option<&RawValue>,
) -> Result<()> {
    let (Some(attributes), Some(node)) = (attributes, there.by_id(project, id)) else {
        return Ok(());
    };
    if !there.differs(project, id, attributes)? {
        return Ok(());
    }
    let path = address(there.tree, project, &below_root(&node.path));
    let body = Body {
        attributes: Some(attributes),
        ..Body::default()
    };
    write(cx, Method::PATCH, &path, &body).await.map(drop)
}

async fn write(cx: &Restore<'_>, method: Method, path: &str, body: &Body<'_>) -> Result<Answer> {
    let call = cx.target.http.call(method, DEV, path).version(STABLE);
    call.json(body).send().await
}

#[derive(Default, serde::Serialize)]
struct Body<'a> {
    /// Of a node that is moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Made {
    id: u64,
}

/// Creates a node below its parent, which stands already.
async fn make(
    cx: &Restore<'_>,
    there: &mut There<'_>,
    project: &str,
    names: &[String],
    attributes: Option<&RawValue>,
) -> Result<String> {
    let (name, parents) = names
        .split_last()
        .ok_or_else(|| Error::unsupported("a root node is made with its project"))?;
    let body = Body {
        id: None,
        name: Some(name),
        attributes,
    };
    let path = address(there.tree, project, parents);
    let answer = write(cx, Method::POST, &path, &body).await?;
    let made: Made = answer.json()?;
    let node = Slice {
        kind: there.tree.kind,
        id: made.id,
        name: name.clone(),
        path: format!("\\{project}\\{}\\{}", there.tree.group, names.join("\\")),
        document: String::from_utf8_lossy(&answer.body).into_owned(),
    };
    there
        .projects
        .entry(project.to_owned())
        .or_default()
        .push(node);
    Ok(made.id.to_string())
}

fn address<N: AsRef<str>>(tree: &Tree, project: &str, names: &[N]) -> String {
    let mut path = format!(
        "/{}/_apis/wit/classificationnodes/{}",
        segment(project),
        tree.group
    );
    for name in names {
        path.push('/');
        path.push_str(&segment(name.as_ref()));
    }
    path
}

fn misread(error: serde_json::Error) -> Error {
    let message = format!("the attributes of a classification node are not understood: {error}");
    Error::malformed(message).caused_by(error)
}

/// The attributes that have a value. Dates are the same when they name the same moment.
fn normal(attributes: &RawValue) -> Result<HashMap<String, String>> {
    let members: Option<HashMap<String, serde_json::Value>> =
        serde_json::from_str(attributes.get()).map_err(misread)?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text
            .parse::<jiff::Timestamp>()
            .map_or(text, |time| time.to_string()),
        other => other.to_string(),
    };
    let members = members.into_iter().flatten();
    let given = members.filter(|(_, value)| !value.is_null());
    Ok(given.map(|(name, value)| (name, text(value))).collect())
}

fn attributes_of(document: &str) -> Result<HashMap<String, String>> {
    let members: Members<'_> = serde_json::from_str(document).map_err(misread)?;
    let attributes = members.get("attributes");
    attributes.map_or_else(|| Ok(HashMap::new()), normal)
}

fn same_attributes(document: &str, wanted: &RawValue) -> Result<bool> {
    Ok(normal(wanted)? == attributes_of(document)?)
}

pub(super) async fn verify(
    tree: &Tree,
    cx: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Vec<String>>> {
    let there = There::read(tree, cx, items).await?;
    let nodes = Nodes::new(cx);
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let (document, path) = stored_path(cx, &item.item).await?;
        let names = there.names(&nodes, cx, item, &path).await?;
        let project = cx.ids.get(PROJECT, &item.item.scope).unwrap_or_default();
        let Some(node) = item
            .new_id
            .as_deref()
            .and_then(|id| there.by_id(&project, id))
        else {
            all.push(vec![service::GONE.to_owned()]);
            continue;
        };
        let mut differences = parts::Differences::default();
        differences.compare(
            "path",
            &names.join("\\"),
            &below_root(&node.path).join("\\"),
        );
        let members: Members<'_> = parts::read(&item.item, &document)?;
        if let Some(attributes) = members
            .get("attributes")
            .filter(|attributes| attributes.get() != "null")
            && !same_attributes(&node.document, attributes)?
        {
            differences.0.push("its dates differ".to_owned());
        }
        all.push(differences.0);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_compared_as_moments() {
        let raw = |text: &str| serde_json::from_str::<Box<RawValue>>(text).unwrap();
        let same = |document, wanted| same_attributes(document, &raw(wanted)).unwrap();
        let document =
            r#"{"id":1,"attributes":{"startDate":"2026-01-01T00:00:00Z","finishDate":null}}"#;
        assert!(same(
            document,
            r#"{"startDate":"2026-01-01T00:00:00.000Z"}"#
        ));
        assert!(!same(document, r#"{"startDate":"2026-01-02T00:00:00Z"}"#));
        let other = r#"{"startDate":"2026-01-02T00:00:00Z"}"#;
        assert!(!same(r#"{"id":1}"#, other));
        assert!(!same(r#"{"id":1,"attributes":null}"#, other));
    }

    #[test]
    fn attributes_that_are_no_object_are_not_taken_for_none() {
        let tree = &super::super::TREES[1];
        for attributes in ["[]", "\"2026-01-01\"", "7"] {
            let document = format!(r#"{{"id":1,"attributes":{attributes}}}"#);
            let node = Slice {
                kind: tree.kind,
                id: 1,
                name: "Sprint 1".to_owned(),
                path: "\\P\\Iteration\\Sprint 1".to_owned(),
                document: document.clone(),
            };
            let there = There {
                tree,
                projects: HashMap::from([("p".to_owned(), vec![node])]),
            };
            let wanted: Box<RawValue> =
                serde_json::from_str(r#"{"startDate":"2026-01-02T00:00:00Z"}"#).unwrap();
            let error = there.differs("p", "1", &wanted).unwrap_err();
            assert_eq!(error.class, model::Class::Malformed, "{error}");
            assert!(attributes_of(&document).is_err(), "{attributes}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_address() {
        assert_eq!(
            address(&super::super::TREES[0], "p", &["a/b", "c d"]),
            "/p/_apis/wit/classificationnodes/Areas/a%2Fb/c%20d"
        );
    }
}
