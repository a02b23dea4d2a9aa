//! What differs between two trees, skipping all that is the same.

use futures::{Stream, stream};
use serde::Serialize;

use super::node::Node;
use super::walk::join;
use crate::{Repository, Result, TreeId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    Added,
    Removed,
    /// Other content; other metadata alone is no difference.
    Modified,
    TypeChanged,
}

/// A file or directory that is not the same in both trees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub path: String,
    pub kind: DifferenceKind,
    pub is_dir: bool,
    /// Of files, in bytes; `None` where there is none.
    pub old_size: Option<u64>,
    pub new_size: Option<u64>,
}

/// Two versions of an entry that may differ.
struct Pair {
    path: String,
    old: Option<Node>,
    new: Option<Node>,
}

impl Repository {
    /// Differences in order of their paths. A directory is listed only when it is added, removed or changes its type;
    /// everything below an added or removed directory is listed as well.
    pub fn diff(
        &self,
        old: Option<TreeId>,
        new: Option<TreeId>,
    ) -> impl Stream<Item = Result<Difference>> + Send + use<> {
        differences(self.clone(), old, new, false)
    }

    /// The same around damage: a directory that cannot be read in `new` is taken for unchanged, one that cannot be read in `old` for new.
    pub fn diff_around_damage(
        &self,
        old: Option<TreeId>,
        new: Option<TreeId>,
    ) -> impl Stream<Item = Result<Difference>> + Send + use<> {
        differences(self.clone(), old, new, true)
    }
}

fn differences(
    repository: Repository,
    old: Option<TreeId>,
    new: Option<TreeId>,
    around_damage: bool,
) -> impl Stream<Item = Result<Difference>> + Send {
    let walk = Walk {
        repository,
        around_damage,
        stack: Vec::new(),
    };
    let start = (walk, Some((old, new)));
    stream::try_unfold(start, |(mut walk, start)| async move {
        if let Some((old, new)) = start {
            walk.push_pairs("", old, new).await?;
        }
        while let Some(pair) = walk.stack.pop() {
            let subtree = |node: &Option<Node>| node.as_ref().and_then(|node| node.subtree);
            walk.push_pairs(&pair.path, subtree(&pair.old), subtree(&pair.new))
                .await?;
            if let Some(difference) = compare(pair) {
                return Ok(Some((difference, (walk, None))));
            }
        }
        Ok(None)
    })
}

/// Two trees on the way through them.
struct Walk {
    repository: Repository,
    around_damage: bool,
    stack: Vec<Pair>,
}

fn compare(Pair { path, old, new }: Pair) -> Option<Difference> {
    let kind = match (&old, &new) {
        (None, Some(_)) => DifferenceKind::Added,
        (Some(_), None) => DifferenceKind::Removed,
        (Some(old), Some(new)) if old.node_type != new.node_type => DifferenceKind::TypeChanged,
        (Some(old), Some(new))
            if old.content != new.content || old.link_target != new.link_target =>
        {
            DifferenceKind::Modified
        }
        _ => return None,
    };
    let size = |node: &Option<Node>| {
        node.as_ref()
            .filter(|node| node.is_file())
            .map(|node| node.size)
    };
    let is_dir = new.as_ref().or(old.as_ref()).is_some_and(Node::is_dir);
    Some(Difference {
        path,
        kind,
        is_dir,
        old_size: size(&old),
        new_size: size(&new),
    })
}

impl Walk {
    /// Pushes the entries of two directories side by side, last name first.
    async fn push_pairs(
        &mut self,
        folder: &str,
        old: Option<TreeId>,
        new: Option<TreeId>,
    ) -> Result<()> {
        if old == new {
            return Ok(());
        }
        let Some(mut new) = self.sorted(new).await? else {
            return Ok(());
        };
        let mut old = self.sorted(old).await?.unwrap_or_default();
        while let Some(name) = old
            .last()
            .into_iter()
            .chain(new.last())
            .map(|node| node.name.clone())
            .max()
        {
            let take = |nodes: &mut Vec<Node>| nodes.pop_if(|node| node.name == name);
            let (old, new) = (take(&mut old), take(&mut new));
            self.stack.push(Pair {
                path: join(folder, &name),
                old,
                new,
            });
        }
        Ok(())
    }

    /// `None` for a directory that cannot be read and may be passed over.
    async fn sorted(&self, tree: Option<TreeId>) -> Result<Option<Vec<Node>>> {
        let Some(tree) = tree else {
            return Ok(Some(Vec::new()));
        };
        let mut nodes = match self.repository.tree(tree).await {
            Err(error) if self.around_damage && error.is_damage() => return Ok(None),
            read => read?.nodes,
        };
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(nodes))
    }
}
