//! The nodes of the snapshot by their ids, which lead to the same nodes at the target when these were renamed or moved there.

use std::collections::HashMap;
use std::sync::Arc;

use model::ItemRef;
use serde::Deserialize;
use service::{Result, Stored, Target};
use tokio::sync::Mutex;

use super::TREES;
use super::paths::below_root;
use crate::kinds::parts;
use crate::kinds::project::PROJECT;
use crate::raw::Number;

/// A kind of nodes and an id.
type Key = (&'static str, String);

/// A node as it is stored.
pub(crate) struct Node {
    pub(crate) id: String,
    /// From below the root on.
    pub(crate) names: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    id: Number,
    path: String,
}

/// The projects of the snapshot that its nodes lie in.
#[derive(Default)]
pub(crate) struct Owners(HashMap<Key, String>);

impl Owners {
    /// Around damage: what cannot be read here is named where it is restored itself.
    pub(crate) async fn read(stored: &dyn Stored) -> Result<Self> {
        let mut owners = HashMap::new();
        for project in stored.ids(PROJECT, "").await? {
            for tree in &TREES {
                let (ids, _) = stored.readable_ids(tree.kind, &project).await?;
                owners.extend(ids.into_iter().map(|id| ((tree.kind, id), project.clone())));
            }
        }
        Ok(Self(owners))
    }

    /// The id of the project of a node in the snapshot.
    pub(crate) fn project(&self, kind: &'static str, id: &str) -> Option<&str> {
        self.0.get(&(kind, id.to_owned())).map(String::as_str)
    }
}

/// Trees of the snapshot, read when they are needed.
pub(crate) struct Nodes<'a> {
    cx: &'a Target<'a>,
    /// By the kind and the project.
    trees: Mutex<HashMap<Key, Arc<Vec<Node>>>>,
}

impl<'a> Nodes<'a> {
    pub(crate) fn new(cx: &'a Target<'a>) -> Self {
        let trees = Mutex::default();
        Self { cx, trees }
    }

    /// One node of a project; `None` where its document cannot be read.
    pub(crate) async fn node(
        &self,
        kind: &'static str,
        project: &str,
        id: &str,
    ) -> Result<Option<Node>> {
        let item = ItemRef::new(kind, project, id);
        let document = match parts::document(self.cx.stored, &item).await {
            Err(error) if error.is_damage() => return Ok(None),
            document => document?,
        };
        let node: Document = parts::read(&item, &document)?;
        let names = below_root(&node.path);
        Ok(Some(Node {
            id: node.id.0.to_string(),
            names: names.into_iter().map(str::to_owned).collect(),
        }))
    }

    /// All nodes of one tree of a project.
    pub(crate) async fn tree(&self, kind: &'static str, project: &str) -> Result<Arc<Vec<Node>>> {
        let mut trees = self.trees.lock().await;
        let key = (kind, project.to_owned());
        if let Some(tree) = trees.get(&key) {
            return Ok(Arc::clone(tree));
        }
        let (ids, _) = self.cx.stored.readable_ids(kind, project).await?;
        let mut tree = Vec::with_capacity(ids.len());
        for id in ids {
            tree.extend(self.node(kind, project, &id).await?);
        }
        let tree = Arc::new(tree);
        trees.insert(key, Arc::clone(&tree));
        Ok(tree)
    }

    /// Stored names as they are at the target: each node on the way that is known there by its id has the names of today. `there` gives the
    /// names of a node of the target.
    pub(crate) async fn way(
        &self,
        kind: &'static str,
        project: &str,
        names: &[String],
        there: impl Fn(&str) -> Option<Vec<String>>,
    ) -> Result<Vec<String>> {
        let tree = self.tree(kind, project).await?;
        let mut way = Vec::with_capacity(names.len());
        for (depth, name) in names.iter().enumerate() {
            let stored = tree.iter().find(|node| same(&node.names, &names[..=depth]));
            let today = stored
                .and_then(|node| self.cx.ids.get(kind, &node.id))
                .and_then(|id| there(&id));
            match today {
                Some(today) => way = today,
                None => way.push(name.clone()),
            }
        }
        Ok(way)
    }
}

/// The service knows no case in names.
pub(crate) fn same<A: AsRef<str>, B: AsRef<str>>(one: &[A], other: &[B]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a.as_ref().to_lowercase() == b.as_ref().to_lowercase())
}
