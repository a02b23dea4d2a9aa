//! A tree blob read only as far as needed: where its nodes lie, and the few members that the editor looks at.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::name;
use super::node::{Node, Tree};
use crate::{Error, Result, TreeId};

/// The bytes of a tree blob and the ranges of its nodes.
pub(crate) struct RawTree {
    pub(crate) id: TreeId,
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
    sorted: OnceLock<bool>,
}

#[derive(Deserialize)]
struct TreeJson<'a> {
    #[serde(borrow)]
    nodes: Option<Vec<&'a RawValue>>,
}

/// Enough to find a node; its other members are passed over unread.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// What one needs to place a node among others.
#[derive(Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    pub(crate) mtime: Option<Timestamp>,
    pub(crate) subtree: Option<TreeId>,
}

impl Head<'_> {
    pub(crate) fn is_dir(&self) -> bool {
        self.kind == "dir"
    }
}

impl RawTree {
    pub(crate) fn parse(id: TreeId, bytes: Vec<u8>) -> Result<Self> {
        let tree: TreeJson<'_> =
            serde_json::from_slice(&bytes).map_err(|error| damaged(id, error))?;
        let start = bytes.as_ptr().addr();
        let range = |node: &RawValue| {
            let from = node.get().as_ptr().addr() - start;
            from..from + node.get().len()
        };
        let ranges = tree
            .nodes
            .unwrap_or_default()
            .into_iter()
            .map(range)
            .collect();
        Ok(Self {
            id,
            bytes,
            ranges,
            sorted: OnceLock::new(),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The node as it is stored.
    pub(crate) fn node_bytes(&self, index: usize) -> &[u8] {
        &self.bytes[self.ranges[index].clone()]
    }

    /// The node's name in bytes, and its head.
    pub(crate) fn head(&self, index: usize) -> Result<(Vec<u8>, Head<'_>)> {
        let head: Head<'_> = self.read(index)?;
        Ok((self.unquoted(&head.name)?, head))
    }

    fn name(&self, index: usize) -> Result<Vec<u8>> {
        let named: Named<'_> = self.read(index)?;
        self.unquoted(&named.name)
    }

    fn unquoted(&self, quoted: &str) -> Result<Vec<u8>> {
        name::unquote(quoted)
            .map(Cow::into_owned)
            .ok_or_else(|| damaged(self.id, "a name is not quoted as Go does"))
    }

    fn read<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T> {
        serde_json::from_slice(self.node_bytes(index)).map_err(|error| damaged(self.id, error))
    }

    pub(crate) fn node(&self, index: usize) -> Result<Node> {
        self.read(index)
    }

    pub(crate) fn tree(&self) -> Result<Tree> {
        Ok(Tree {
            nodes: (0..self.len())
                .map(|index| self.node(index))
                .collect::<Result<_>>()?,
        })
    }

    /// The entry of this name, wherever it stands: foreign trees need not be sorted.
    pub(crate) fn find(&self, wanted: &str) -> Result<Option<Node>> {
        if self.is_sorted()? {
            return self.search(wanted);
        }
        for index in 0..self.len() {
            if self.name(index)? == wanted.as_bytes() {
                return self.node(index).map(Some);
            }
        }
        Ok(None)
    }

    fn search(&self, wanted: &str) -> Result<Option<Node>> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.name(middle)?.as_slice().cmp(wanted.as_bytes()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return self.node(middle).map(Some),
            }
        }
        Ok(None)
    }

    /// Looked at once for each tree.
    fn is_sorted(&self) -> Result<bool> {
        if let Some(sorted) = self.sorted.get() {
            return Ok(*sorted);
        }
        let mut sorted = true;
        let mut before = Vec::new();
        for index in 0..self.len() {
            let name = self.name(index)?;
            sorted &= index == 0 || before < name;
            before = name;
        }
        Ok(*self.sorted.get_or_init(|| sorted))
    }
}

pub(crate) fn damaged(id: TreeId, reason: impl ToString) -> Error {
    Error::damaged(format_args!("tree {id}"), reason)
}
