//! One open directory of the editor: the parent's entries on one side, the new bytes on the other.

use std::sync::Arc;

use jiff::Timestamp;

use super::node::Node;
use super::raw::{RawTree, damaged};
use crate::{Id, Result, TreeId};

/// A directory of the parent snapshot that a frame may replace.
pub(crate) struct OldDir {
    pub(crate) node: Vec<u8>,
    pub(crate) subtree: TreeId,
}

/// The next entry of the parent's directory.
struct Next {
    name: Vec<u8>,
    subtree: Option<TreeId>,
    mtime: Timestamp,
}

/// What a closed frame leaves for the directory above it.
pub(crate) enum Closed {
    /// No entries: the directory is dropped.
    Empty,
    /// The same bytes as before.
    Unchanged,
    Changed {
        bytes: Vec<u8>,
        newest: Timestamp,
    },
}

/// Merges sorted changes into one directory.
pub(crate) struct Frame {
    pub(crate) name: String,
    /// Given by an explicit [`Node`] for this directory.
    pub(crate) meta: Option<Node>,
    pub(crate) old: Option<OldDir>,
    source: Option<Arc<RawTree>>,
    cursor: usize,
    next: Option<Next>,
    out: Vec<u8>,
    count: usize,
    /// Something differs from `source`.
    dirty: bool,
    newest: Timestamp,
    /// The last entry that was put: nothing can be put below it.
    pub(crate) sealed: Option<String>,
}

pub(crate) const OPENING: &[u8] = b"{\"nodes\":[";
pub(crate) const CLOSING: &[u8] = b"]}\n";

impl Frame {
    pub(crate) fn new(name: String, source: Option<Arc<RawTree>>) -> Result<Self> {
        let capacity = source.as_ref().map_or(0, |tree| tree.bytes().len() + 512);
        let mut out = Vec::with_capacity(capacity);
        out.extend_from_slice(OPENING);
        let mut frame = Self {
            name,
            meta: None,
            old: None,
            source,
            cursor: 0,
            next: None,
            out,
            count: 0,
            dirty: false,
            newest: Timestamp::MIN,
            sealed: None,
        };
        frame.read_next()?;
        Ok(frame)
    }

    fn read_next(&mut self) -> Result<()> {
        let previous = self.next.take();
        let Some(source) = self
            .source
            .as_ref()
            .filter(|source| self.cursor < source.len())
        else {
            return Ok(());
        };
        let (name, head) = source.head(self.cursor)?;
        if previous.is_some_and(|previous| previous.name >= name) {
            return Err(damaged(source.id, "its entries are not in order"));
        }
        let subtree = if head.is_dir() { head.subtree } else { None };
        self.next = Some(Next {
            name,
            subtree,
            mtime: head.mtime.unwrap_or(Timestamp::MIN),
        });
        Ok(())
    }

    /// Copies the parent's entries before `name`; all that are left without one.
    pub(crate) fn copy_before(&mut self, name: Option<&str>) -> Result<()> {
        while let Some(next) = &self.next {
            if name.is_some_and(|name| next.name.as_slice() >= name.as_bytes()) {
                break;
            }
            self.newest = self.newest.max(next.mtime);
            if let Some(source) = &self.source {
                separate(&mut self.out, &mut self.count);
                self.out.extend_from_slice(source.node_bytes(self.cursor));
            }
            self.advance()?;
        }
        Ok(())
    }

    fn advance(&mut self) -> Result<()> {
        self.cursor += 1;
        self.read_next()
    }

    /// Whether the parent has this entry, given that all before it are copied.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.next
            .as_ref()
            .is_some_and(|next| next.name == name.as_bytes())
    }

    pub(crate) fn has_dir(&self, name: &str) -> bool {
        self.has(name)
            && self
                .next
                .as_ref()
                .is_some_and(|next| next.subtree.is_some())
    }

    /// Takes the parent's entry out, if it has this one; `Some` if it is a directory.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<OldDir>> {
        if !self.has(name) {
            return Ok(None);
        }
        let subtree = self.next.as_ref().and_then(|next| next.subtree);
        let old = subtree.zip(self.source.as_ref()).map(|(subtree, source)| {
            let node = source.node_bytes(self.cursor).to_vec();
            OldDir { node, subtree }
        });
        self.advance()?;
        Ok(old)
    }

    pub(crate) fn mark_dirty(&mut self) {
        self.dirty = true;
    }

    pub(crate) fn push(&mut self, node: &Node) {
        separate(&mut self.out, &mut self.count);
        node.write_json(&mut self.out);
        self.newest = self.newest.max(node.mtime);
        self.dirty = true;
    }

    /// Appends an entry of the parent again, as it was.
    pub(crate) fn push_verbatim(&mut self, node: &[u8]) -> Result<()> {
        let old: Node =
            serde_json::from_slice(node).map_err(|error| damaged(self.tree_id(), error))?;
        separate(&mut self.out, &mut self.count);
        self.out.extend_from_slice(node);
        self.newest = self.newest.max(old.mtime);
        Ok(())
    }

    fn tree_id(&self) -> TreeId {
        self.source.as_ref().map_or(Id([0; 32]), |source| source.id)
    }

    /// Copies what is left and tells what became of the directory.
    pub(crate) fn close(mut self) -> Result<Closed> {
        if !self.dirty && self.source.is_some() {
            return Ok(Closed::Unchanged);
        }
        self.copy_before(None)?;
        if self.count == 0 {
            return Ok(Closed::Empty);
        }
        self.out.extend_from_slice(CLOSING);
        if self.source.is_some_and(|source| source.bytes() == self.out) {
            return Ok(Closed::Unchanged);
        }
        Ok(Closed::Changed {
            bytes: self.out,
            newest: self.newest,
        })
    }
}

fn separate(out: &mut Vec<u8>, count: &mut usize) {
    if *count > 0 {
        out.push(b',');
    }
    *count += 1;
}

/// The tree blob of a directory without entries.
pub(crate) fn empty_tree() -> Vec<u8> {
    [OPENING, CLOSING].concat()
}
