//! Nodes written back below their parents, from the root down; what is there already is matched by its path.

use std::collections::HashMap;

use model::{Action, ItemRef};
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::{Method, segment};
use service::{Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use super::paths::below_root;
use super::slice::Slice;
use super::{Tree, read_trees};
use crate::api::{DEV, STABLE};
use crate::kinds::parts::{self, failed};
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

    fn node(&self, project: &str, names: &[&str]) -> Option<&Slice> {
        let same = |path: &str| {
            let there = below_root(path);
            there.len() == names.len()
                && there
                    .iter()
                    .zip(names)
                    .all(|(a, b)| a.to_lowercase() == b.to_lowercase())
        };
        self.projects
            .get(project)?
            .iter()
            .find(|node| same(&node.path))
    }

    fn by_id(&self, project: &str, id: &str) -> Option<&Slice> {
        self.projects
            .get(project)?
            .iter()
            .find(|node| node.id.to_string() == id)
    }

    fn find(&self, cx: &Target<'_>, item: &StoredItem, names: &[&str]) -> Option<Found> {
        let project = cx.ids.get(PROJECT, &item.item.scope)?;
        let known = item
            .new_id
            .clone()
            .or_else(|| cx.ids.get(self.tree.kind, &item.item.id));
        let by_id = known.and_then(|id| self.by_id(&project, &id));
        let node = by_id.or_else(|| self.node(&project, names))?;
        // The service gives the nodes that it makes with a project no dates: those that have some were given them by somebody.
        let made = by_id.is_none() && !cx.original && !has_attributes(&node.document);
        let automatic = names.is_empty() || made;
        Some(Found {
            id: node.id.to_string(),
            state: if automatic {
                FoundState::Automatic
            } else {
                FoundState::Present
            },
        })
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
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let (_, path) = stored_path(cx, &item.item).await?;
        all.push(there.find(cx, item, &below_root(&path)));
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
    let mut order = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let (document, path) = stored_path(&cx.target, &item.item).await?;
        order.push((below_root(&path).len(), at, document, path));
    }
    order.sort_by_key(|(depth, at, ..)| (*depth, *at));
    let mut outcomes = vec![Outcome::Unchanged; items.len()];
    for (_, at, document, path) in order {
        outcomes[at] = create_one(cx, &mut there, &items[at], &document, &below_root(&path))
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
    names: &[&str],
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
    let new_id = if let Some(found) = there.find(&cx.target, item, names) {
        let before = there.by_id(&project, &found.id);
        let differs = |attributes: &&RawValue| {
            before.is_none_or(|node| !same_attributes(&node.document, attributes))
        };
        let stays = parts::stays(cx, item).filter(|_| found.state == FoundState::Present);
        if let Some(attributes) = attributes.filter(differs).filter(|_| stays.is_none()) {
            let path = address(there.tree, &project, names);
            cx.target
                .http
                .call(Method::PATCH, DEV, &path)
                .version(STABLE)
                .json(&Body {
                    name: None,
                    attributes: Some(attributes),
                })
                .send()
                .await?;
        }
        losses.extend(stays);
        found.id
    } else {
        for depth in 1..names.len() {
            if there.node(&project, &names[..depth]).is_none() {
                make(cx, there, &project, &names[..depth], None).await?;
                losses.push(format!(
                    "{} was not restored on its own: it is made without its dates",
                    names[..depth].join("\\")
                ));
            }
        }
        cx.journal.intend(&item.item).await?;
        make(cx, there, &project, names, attributes).await?
    };
    cx.journal.created(&item.item, &new_id).await?;
    Ok(Outcome::Done { new_id, losses })
}

#[derive(serde::Serialize)]
struct Body<'a> {
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
    names: &[&str],
    attributes: Option<&RawValue>,
) -> Result<String> {
    let (name, parents) = names
        .split_last()
        .ok_or_else(|| Error::unsupported("a root node is made with its project"))?;
    let body = Body {
        name: Some(name),
        attributes,
    };
    let answer = cx
        .target
        .http
        .call(Method::POST, DEV, &address(there.tree, project, parents))
        .version(STABLE)
        .json(&body)
        .send()
        .await?;
    let made: Made = answer.json()?;
    let node = Slice {
        kind: there.tree.kind,
        id: made.id,
        name: (*name).to_owned(),
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

fn address(tree: &Tree, project: &str, names: &[&str]) -> String {
    let mut path = format!(
        "/{}/_apis/wit/classificationnodes/{}",
        segment(project),
        tree.group
    );
    for name in names {
        path.push('/');
        path.push_str(&segment(name));
    }
    path
}

/// The attributes that have a value; of what is no object, none. Dates are the same when they name the same moment.
fn normal(attributes: &str) -> HashMap<String, String> {
    let members: HashMap<String, serde_json::Value> =
        serde_json::from_str(attributes).unwrap_or_default();
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text
            .parse::<jiff::Timestamp>()
            .map_or(text, |time| time.to_string()),
        other => other.to_string(),
    };
    let given = members.into_iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| (name, text(value))).collect()
}

fn attributes_of(document: &str) -> HashMap<String, String> {
    let members: Members<'_> = serde_json::from_str(document).unwrap_or_default();
    let attributes = members.get("attributes");
    attributes.map_or_else(HashMap::new, |attributes| normal(attributes.get()))
}

fn has_attributes(document: &str) -> bool {
    !attributes_of(document).is_empty()
}

fn same_attributes(document: &str, wanted: &RawValue) -> bool {
    normal(wanted.get()) == attributes_of(document)
}

pub(super) async fn verify(
    tree: &Tree,
    cx: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Vec<String>>> {
    let there = There::read(tree, cx, items).await?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let (document, path) = stored_path(cx, &item.item).await?;
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
            &below_root(&path).join("\\"),
            &below_root(&node.path).join("\\"),
        );
        let members: Members<'_> = parts::read(&item.item, &document)?;
        if let Some(attributes) = members
            .get("attributes")
            .filter(|attributes| attributes.get() != "null")
            && !same_attributes(&node.document, attributes)
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
        let document =
            r#"{"id":1,"attributes":{"startDate":"2026-01-01T00:00:00Z","finishDate":null}}"#;
        assert!(same_attributes(
            document,
            &raw(r#"{"startDate":"2026-01-01T00:00:00.000Z"}"#)
        ));
        assert!(!same_attributes(
            document,
            &raw(r#"{"startDate":"2026-01-02T00:00:00Z"}"#)
        ));
        assert!(!same_attributes(
            r#"{"id":1}"#,
            &raw(r#"{"startDate":"2026-01-02T00:00:00Z"}"#)
        ));
    }

    #[test]
    fn a_name_cannot_leave_its_place_in_the_address() {
        assert_eq!(
            address(&super::super::TREES[0], "p", &["a/b", "c d"]),
            "/p/_apis/wit/classificationnodes/Areas/a%2Fb/c%20d"
        );
    }
}
