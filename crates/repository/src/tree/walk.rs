//! Everything below a tree, in the order of the editor.

use futures::{Stream, stream};

use super::node::Node;
use super::path::TreePath;
use crate::{Repository, Result, TreeId};

/// Directories to go on with: their path and the nodes that are left, last first.
type Stack = Vec<(String, Vec<Node>)>;

impl Repository {
    /// All nodes below `prefix` (the root if empty) with their full paths, directories before their entries.
    /// Nothing if `prefix` does not exist or is no directory.
    pub fn walk<P: TreePath + Sync + ?Sized>(
        &self,
        tree: TreeId,
        prefix: &P,
    ) -> impl Stream<Item = Result<(String, Node)>> + Send + use<P> {
        let prefix = prefix.components().collect::<Vec<_>>().join("/");
        let start = (self.clone(), Stack::new(), Some((tree, prefix)));
        stream::try_unfold(start, |(repository, mut stack, start)| async move {
            if let Some((tree, prefix)) = start {
                let root = match prefix.as_str() {
                    "" => Some(tree),
                    path => repository
                        .find(tree, path)
                        .await?
                        .and_then(|node| node.subtree),
                };
                if let Some(root) = root {
                    stack.push((prefix, entries(&repository, root).await?));
                }
            }
            while let Some((folder, nodes)) = stack.last_mut() {
                let Some(node) = nodes.pop() else {
                    stack.pop();
                    continue;
                };
                let path = join(folder, &node.name);
                if let Some(subtree) = node.subtree {
                    let below = entries(&repository, subtree).await?;
                    stack.push((path.clone(), below));
                }
                return Ok(Some(((path, node), (repository, stack, None))));
            }
            Ok(None)
        })
    }
}

async fn entries(repository: &Repository, tree: TreeId) -> Result<Vec<Node>> {
    let mut nodes = repository.tree(tree).await?.nodes;
    nodes.reverse();
    Ok(nodes)
}

pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
