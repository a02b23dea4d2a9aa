//! The tree editor: merges sorted changes with a parent tree and reads only directories that change.

use super::frame::{Closed, Frame, OldDir, empty_tree};
use super::name;
use super::node::Node;
use super::path::TreePath;
use crate::{BlobType, Error, Result, TreeId, Writer};

/// What happens to a path.
#[derive(Clone, Debug)]
pub enum Op {
    /// Replaces whatever is there. A directory without a subtree keeps its entries and gets this metadata.
    Put(Box<Node>),
    /// Removes a file or the like; a directory stays. Nothing there is fine.
    Remove,
    /// Removes the entry with all that is below it; later changes may fill it anew.
    RemoveAll,
}

/// A change at a path; see [`Writer::update`].
#[derive(Clone, Debug)]
pub struct Change {
    pub path: Vec<String>,
    pub op: Op,
}

/// Takes changes in strictly increasing order of their paths, component by component (`a/x` before `a.json`).
///
/// Memory is bounded by the directories on one path. Directories that change without an explicit node get the newest
/// `mtime` of their entries, so that equal contents give equal trees; directories without entries are dropped.
pub struct TreeEditor<'w> {
    writer: &'w mut Writer,
    parent: Option<TreeId>,
    /// From the root; empty before the first change.
    stack: Vec<Frame>,
    /// Components joined by NUL, which sorts as the components do.
    last: Option<String>,
}

impl<'w> TreeEditor<'w> {
    /// Starts from `parent`, or from an empty tree.
    pub fn new(writer: &'w mut Writer, parent: Option<TreeId>) -> Self {
        Self {
            writer,
            parent,
            stack: Vec::new(),
            last: None,
        }
    }

    /// The writer, to store the content of the next node.
    pub fn writer(&mut self) -> &mut Writer {
        self.writer
    }

    /// See [`Op::Put`]. The node gets the path's last component as its name.
    pub async fn put<P: TreePath + Sync + ?Sized>(&mut self, path: &P, node: Node) -> Result<()> {
        let result = self
            .put_components(&path.components().collect::<Vec<_>>(), node)
            .await;
        self.guard(result)
    }

    /// See [`Op::Remove`].
    pub async fn remove<P: TreePath + Sync + ?Sized>(&mut self, path: &P) -> Result<()> {
        let result = self
            .remove_components(&path.components().collect::<Vec<_>>(), false)
            .await;
        self.guard(result)
    }

    /// See [`Op::RemoveAll`].
    pub async fn remove_all<P: TreePath + Sync + ?Sized>(&mut self, path: &P) -> Result<()> {
        let result = self
            .remove_components(&path.components().collect::<Vec<_>>(), true)
            .await;
        self.guard(result)
    }

    pub async fn apply(&mut self, change: Change) -> Result<()> {
        match change.op {
            Op::Put(node) => self.put(&change.path, *node).await,
            Op::Remove => self.remove(&change.path).await,
            Op::RemoveAll => self.remove_all(&change.path).await,
        }
    }

    /// Writes what is open and returns the new root; the parent's id if nothing changed.
    pub async fn finish(mut self) -> Result<TreeId> {
        let result = self.finish_inner().await;
        self.guard(result)
    }

    /// A failed edit must never become a snapshot, even if the caller drops the error.
    fn guard<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.writer.poison(error);
        }
        result
    }

    async fn finish_inner(&mut self) -> Result<TreeId> {
        if self.stack.is_empty() {
            return match self.parent {
                Some(parent) => Ok(parent),
                None => self.writer.new_blob(BlobType::Tree, &empty_tree()).await,
            };
        }
        self.close_to(1).await?;
        let root = self.stack.pop().map(Frame::close).transpose()?;
        match (root, self.parent) {
            (Some(Closed::Unchanged), Some(parent)) => Ok(parent),
            (Some(Closed::Changed { bytes, .. }), _) => {
                self.writer.new_blob(BlobType::Tree, &bytes).await
            }
            _ => self.writer.new_blob(BlobType::Tree, &empty_tree()).await,
        }
    }

    async fn put_components(&mut self, path: &[&str], mut node: Node) -> Result<()> {
        let (name, folder) = self.check(path)?;
        self.descend(folder, true).await?;
        name.clone_into(&mut node.name);
        let opens = node.is_dir() && node.subtree.is_none();
        let frame = self.top();
        frame.copy_before(Some(name))?;
        if opens && frame.has(name) && !frame.has_dir(name) {
            frame.mark_dirty();
        }
        let old = frame.take(name)?;
        if opens {
            let child = self.open(name, old, Some(node)).await?;
            self.stack.push(child);
            return Ok(());
        }
        let frame = self.top();
        frame.push(&node);
        frame.sealed = Some(name.to_owned());
        Ok(())
    }

    async fn remove_components(&mut self, path: &[&str], all: bool) -> Result<()> {
        let (name, folder) = self.check(path)?;
        if !self.descend(folder, false).await? {
            return Ok(());
        }
        let frame = self.top();
        frame.copy_before(Some(name))?;
        if frame.has(name) && (all || !frame.has_dir(name)) {
            frame.take(name)?;
            frame.mark_dirty();
        }
        Ok(())
    }

    /// Refuses bad names and paths out of order; splits off the last component.
    fn check<'p>(&mut self, path: &'p [&'p str]) -> Result<(&'p str, &'p [&'p str])> {
        let Some((&name, folder)) = path.split_last() else {
            return Err(Error::InvalidName {
                name: String::new(),
                reason: "the root cannot be replaced",
            });
        };
        path.iter().try_for_each(|part| name::validate(part))?;
        let joined = path.join("\0");
        match &self.last {
            Some(last) if *last >= joined => Err(Error::OutOfOrder {
                previous: last.replace('\0', "/"),
                path: path.join("/"),
            }),
            _ => {
                self.last = Some(joined);
                Ok((name, folder))
            }
        }
    }

    /// Makes `folder` the top of the stack. Without `create`, stops where the parent has no such directory.
    async fn descend(&mut self, folder: &[&str], create: bool) -> Result<bool> {
        if self.stack.is_empty() {
            let source = match self.parent {
                Some(id) => Some(self.writer.read_tree(id).await?),
                None => None,
            };
            self.stack.push(Frame::new(String::new(), source)?);
        }
        let open = self.stack[1..]
            .iter()
            .zip(folder)
            .take_while(|(frame, name)| frame.name == **name)
            .count();
        self.close_to(open + 1).await?;
        for name in &folder[open..] {
            let frame = self.top();
            if frame.sealed.as_deref() == Some(name) {
                return Err(Error::NotADirectory {
                    path: folder.join("/"),
                });
            }
            frame.copy_before(Some(name))?;
            if !create && !frame.has_dir(name) {
                return Ok(false);
            }
            if create && frame.has(name) && !frame.has_dir(name) {
                frame.mark_dirty();
            }
            let old = frame.take(name)?;
            let child = self.open(name, old, None).await?;
            self.stack.push(child);
        }
        Ok(true)
    }

    async fn open(&mut self, name: &str, old: Option<OldDir>, meta: Option<Node>) -> Result<Frame> {
        let source = match &old {
            Some(old) => Some(self.writer.read_tree(old.subtree).await?),
            None => None,
        };
        let mut frame = Frame::new(name.to_owned(), source)?;
        (frame.old, frame.meta) = (old, meta);
        Ok(frame)
    }

    fn top(&mut self) -> &mut Frame {
        self.stack.last_mut().expect("descend has opened the root")
    }

    /// Closes directories until `depth` are open.
    async fn close_to(&mut self, depth: usize) -> Result<()> {
        while self.stack.len() > depth {
            let Some(mut frame) = self.stack.pop() else {
                break;
            };
            let (name, meta, old) = (
                std::mem::take(&mut frame.name),
                frame.meta.take(),
                frame.old.take(),
            );
            let closed = frame.close()?;
            let above = self.stack.last_mut().expect("the root is closed by finish");
            let (subtree, newest) = match (closed, &old) {
                (Closed::Empty, Some(_)) => {
                    above.mark_dirty();
                    continue;
                }
                (Closed::Empty | Closed::Unchanged, None) => continue,
                (Closed::Unchanged, Some(old)) if meta.is_none() => {
                    above.push_verbatim(&old.node)?;
                    continue;
                }
                (Closed::Unchanged, Some(old)) => (old.subtree, None),
                (Closed::Changed { bytes, newest }, _) => (
                    self.writer.new_blob(BlobType::Tree, &bytes).await?,
                    Some(newest),
                ),
            };
            let mut node = match (meta, &old) {
                (Some(meta), _) => meta,
                (None, Some(old)) => changed_dir(old, newest)?,
                (None, None) => Node::dir(name, newest.unwrap_or_default()),
            };
            node.subtree = Some(subtree);
            self.stack
                .last_mut()
                .expect("the root is closed by finish")
                .push(&node);
        }
        Ok(())
    }
}

/// The parent's node for a directory whose entries changed: its times follow the newest entry.
fn changed_dir(old: &OldDir, newest: Option<jiff::Timestamp>) -> Result<Node> {
    let mut node: Node = serde_json::from_slice(&old.node)
        .map_err(|error| super::raw::damaged(old.subtree, error))?;
    if let Some(newest) = newest {
        (node.mtime, node.atime, node.ctime) = (newest, newest, newest);
    }
    Ok(node)
}
