//! Everything that a snapshot holds, item by item, in the order of the tree. A folder that cannot be read is told, and the walk goes on.

use std::collections::VecDeque;

use model::ItemRef;
use repository::{Node, NodeType, Repository, TreeId};

use crate::layout::Layouts;
use crate::{Error, Result};

/// An item's folder.
#[derive(Debug)]
pub(super) struct Gathered {
    pub item: ItemRef,
    pub path: String,
    /// All files below the folder that belong to no other item.
    pub files: Vec<StoredFile>,
}

#[derive(Debug)]
pub(super) struct StoredFile {
    /// Relative to the item's folder.
    pub part: String,
    pub node: Node,
}

#[derive(Debug)]
pub(super) enum Step {
    Item(Gathered),
    /// Something that lies in no item.
    Loose {
        path: String,
        node: Node,
    },
    /// A folder that cannot be read.
    Broken {
        path: String,
        reason: String,
    },
}

pub(super) struct Walk<'a> {
    repository: &'a Repository,
    layouts: Layouts,
    /// Folders to go on with, the next one last.
    open: Vec<(String, TreeId)>,
    ready: VecDeque<Step>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(repository: &'a Repository, layouts: Layouts, root: Option<TreeId>) -> Self {
        Self {
            repository,
            layouts,
            open: root.map(|root| (String::new(), root)).into_iter().collect(),
            ready: VecDeque::new(),
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<Step>> {
        loop {
            if let Some(step) = self.ready.pop_front() {
                return Ok(Some(step));
            }
            let Some((path, tree)) = self.open.pop() else {
                return Ok(None);
            };
            let place = self.layouts.parse(&path);
            match place.filter(|place| place.part.is_empty()) {
                Some(place) => self.item(place.item, path, tree).await?,
                None => self.folder(&path, tree).await?,
            }
        }
    }

    /// A folder above the items.
    async fn folder(&mut self, path: &str, tree: TreeId) -> Result<()> {
        for node in self.nodes(path, tree).await?.into_iter().rev() {
            let path = join(path, &node.name);
            match node.subtree {
                Some(tree) => self.open.push((path, tree)),
                None if node.node_type == NodeType::Dir => self.broken(path, "it has no content"),
                None => self.ready.push_back(Step::Loose { path, node }),
            }
        }
        Ok(())
    }

    async fn item(&mut self, item: ItemRef, path: String, tree: TreeId) -> Result<()> {
        let mut files = Vec::new();
        let mut inner = vec![(String::new(), tree)];
        while let Some((part, tree)) = inner.pop() {
            for node in self
                .nodes(&join(&path, &part), tree)
                .await?
                .into_iter()
                .rev()
            {
                let part = join(&part, &node.name);
                match node.subtree {
                    Some(tree) if self.layouts.is_child_folder(&item.kind, &part) => {
                        self.open.push((join(&path, &part), tree));
                    }
                    Some(tree) => inner.push((part, tree)),
                    None if node.node_type == NodeType::Dir => {
                        self.broken(join(&path, &part), "it has no content");
                    }
                    None => files.push(StoredFile { part, node }),
                }
            }
        }
        self.ready
            .push_back(Step::Item(Gathered { item, path, files }));
        Ok(())
    }

    async fn nodes(&mut self, path: &str, tree: TreeId) -> Result<Vec<Node>> {
        match self.repository.tree(tree).await {
            Ok(tree) => Ok(tree.nodes),
            Err(error) if is_damage(&error) => {
                self.broken(path.to_owned(), &error.to_string());
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn broken(&mut self, path: String, reason: &str) {
        self.ready.push_back(Step::Broken {
            path,
            reason: reason.to_owned(),
        });
    }
}

/// The repository does not have it, or has something else; other errors are about reaching it.
pub(super) fn is_damage(error: &repository::Error) -> bool {
    error.code() == "repository-damaged"
}

pub(super) fn unreadable(error: repository::Error) -> Result<String> {
    if is_damage(&error) {
        Ok(error.to_string())
    } else {
        Err(Error::Repository(error))
    }
}

pub(super) fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_owned(),
        (folder, "") => folder.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}
