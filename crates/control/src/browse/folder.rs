//! Folders and files as they lie in the snapshot.

use repository::Node;

use super::{OpenSnapshot, no_such};
use crate::Result;

impl OpenSnapshot {
    /// Entries of a folder from this number on, in the order of their names, and the number of the one that follows. Reads the folders on
    /// the path and nothing else.
    pub async fn folder(
        &self,
        path: &str,
        from: usize,
        most: usize,
    ) -> Result<(Vec<Node>, Option<usize>)> {
        let tree = if path.is_empty() {
            self.tree
        } else {
            let node = self.node(path).await?;
            node.subtree.ok_or_else(|| no_such("folder", path))?
        };
        Ok(self.repository.entries(tree, from, most).await?)
    }

    /// The file at a path; its content is read with [`repository::Repository::stream_range`].
    pub async fn file(&self, path: &str) -> Result<Node> {
        let node = self.node(path).await?;
        if node.is_file() {
            return Ok(node);
        }
        Err(no_such("file", path))
    }
}
