//! What a tree refers to, read without the rest of its nodes.

use serde::Deserialize;

use crate::crypto::Cipher;
use crate::pack::Entry;
use crate::tree::raw::damaged;
use crate::{Id, Result};

/// The trees and blobs that one tree names, as often as it names them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Links {
    pub(crate) trees: Vec<Id>,
    pub(crate) blobs: Vec<Id>,
    /// Files in the tree itself, and their sizes together.
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

#[derive(Deserialize)]
struct TreeJson {
    nodes: Option<Vec<NodeJson>>,
}

#[derive(Deserialize)]
struct NodeJson {
    #[serde(default)]
    size: u64,
    content: Option<Vec<Id>>,
    subtree: Option<Id>,
}

impl Links {
    pub(crate) fn parse(id: Id, tree: &[u8]) -> Result<Self> {
        let tree: TreeJson = serde_json::from_slice(tree).map_err(|error| damaged(id, error))?;
        let mut links = Self::default();
        for node in tree.nodes.into_iter().flatten() {
            links.trees.extend(node.subtree);
            if let Some(content) = node.content {
                links.files += 1;
                links.bytes = links.bytes.saturating_add(node.size);
                links.blobs.extend(content);
            }
        }
        Ok(links)
    }

    /// Opens the tree, which verifies it by its hash.
    pub(crate) fn open(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Self> {
        Self::parse(entry.id, &entry.decode(cipher, sealed)?)
    }
}
