//! A snapshot read by item: what kinds see of the snapshot before, and what a restore reads from.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use jiff::Timestamp;
use model::{Class, ItemRef};
use repository::{Node, NodeType, Repository, TreeId};
use service::text::Text;
use service::{Layout, PartInfo, Service, Stored, TextOf};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::coordinator::RowState;
use crate::layout::Layouts;
use crate::{Error, Result};

/// What a document says of its item.
pub(crate) struct Described {
    pub name: String,
    pub modified: Option<Timestamp>,
    pub project: String,
}

/// One snapshot; an empty one (`tree: None`) has nothing.
pub struct SnapshotReader {
    repository: Repository,
    layouts: Layouts,
    tree: Option<TreeId>,
}

impl SnapshotReader {
    pub fn new(repository: Repository, service: &'static Service, tree: Option<TreeId>) -> Self {
        Self {
            repository,
            layouts: Layouts::new(service),
            tree,
        }
    }

    pub fn tree_id(&self) -> Option<TreeId> {
        self.tree
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The node at a path, or `None`.
    pub async fn node(&self, path: &str) -> Result<Option<Node>> {
        match self.tree {
            Some(tree) => Ok(self.repository.find(tree, path).await?),
            None => Ok(None),
        }
    }

    /// A directory's nodes; empty when there is none at this path.
    pub async fn nodes(&self, path: &str) -> Result<Vec<Node>> {
        match self.node(path).await?.and_then(|node| node.subtree) {
            Some(tree) => Ok(self.repository.tree(tree).await?.nodes),
            None => Ok(Vec::new()),
        }
    }

    /// The ids of a kind's items in a scope.
    pub(crate) async fn item_ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        let Some(folder) = self.layouts.folder(kind, scope) else {
            return Ok(Vec::new());
        };
        let sharded =
            self.layouts.service().kind(kind).is_some_and(|kind| {
                matches!(kind.spec().layout, Layout::Item { shard: Some(_), .. })
            });
        let mut paths = vec![folder];
        if sharded {
            let folder = paths.remove(0);
            paths.extend(
                self.nodes(&folder)
                    .await?
                    .iter()
                    .map(|node| format!("{folder}/{}", node.name)),
            );
        }
        let mut ids = Vec::new();
        for path in paths {
            for node in self.nodes(&path).await? {
                let place = self.layouts.parse(&format!("{path}/{}", node.name));
                ids.extend(
                    place
                        .filter(|place| place.item.kind == kind)
                        .map(|place| place.item.id),
                );
            }
        }
        Ok(ids)
    }

    /// What a row of the search index says of an item's document: name, time and project.
    pub(crate) async fn described(&self, item: &ItemRef) -> Result<Described> {
        let document = match self.layouts.document(&item.kind) {
            Some(name) => match self.read_part(item, name).await {
                Err(error) if error.is_damage() => None,
                read => read?,
            },
            None => None,
        };
        let kind = self.layouts.service().kind(&item.kind);
        let said = document
            .as_ref()
            .and_then(|document| kind?.describe(document));
        let (name, modified) = said.unwrap_or_else(|| (item.id.clone(), None));
        let project = document.map(|document| self.layouts.project(&item.kind, &document));
        Ok(Described {
            name,
            modified,
            project: project.unwrap_or_default(),
        })
    }

    /// What can be searched of a file of an item.
    pub(crate) async fn text(&self, item: &ItemRef, part: &str, text: &TextOf) -> Result<Text> {
        let bytes = self.read_part(item, part).await?;
        Ok(bytes.map(|bytes| text.of(&bytes)).unwrap_or_default())
    }

    /// All that can be searched of an item.
    pub(crate) async fn all_text(&self, item: &ItemRef) -> Result<String> {
        let mut all = Text::default();
        for (file, of) in self.layouts.texts(&item.kind) {
            all.join(&self.text(item, file, of).await?.into_string());
        }
        Ok(all.into_string())
    }

    /// Whether the item is in the service's own recycle bin.
    pub(crate) async fn state(&self, item: &ItemRef) -> Result<RowState> {
        let kind = self.layouts.service().kind(&item.kind);
        Ok(match kind.and_then(|kind| kind.spec().bin) {
            Some(bin) if self.part_node(item, bin).await?.is_some() => RowState::Binned,
            _ => RowState::Live,
        })
    }

    async fn part_node(&self, item: &ItemRef, part: &str) -> Result<Option<Node>> {
        let Some(path) = self.layouts.path(item) else {
            return Ok(None);
        };
        Ok(self
            .node(&format!("{path}/{part}"))
            .await?
            .filter(|node| node.node_type == NodeType::File))
    }

    async fn read_part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        match self.part_node(item, part).await? {
            Some(node) => Ok(Some(self.repository.read(&node).await?)),
            None => Ok(None),
        }
    }

    /// All files below the item's folder that are not items of their own.
    async fn files(&self, item: &ItemRef) -> Result<Vec<PartInfo>> {
        Ok(self.parts_up_to(item, usize::MAX).await?.0)
    }

    /// The same, until there are `most` or a few more, and whether there are others: a large item has folders without end.
    pub async fn parts_up_to(&self, item: &ItemRef, most: usize) -> Result<(Vec<PartInfo>, bool)> {
        let (files, more) = self.files_up_to(item, most).await?;
        let part = |(name, node): (String, Node)| PartInfo {
            name,
            size: node.size,
        };
        let mut parts: Vec<PartInfo> = files.into_iter().map(part).collect();
        parts.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((parts, more))
    }

    /// The files of an item with their nodes, in no order.
    pub(crate) async fn own_files(&self, item: &ItemRef) -> Result<Vec<(String, Node)>> {
        Ok(self.files_up_to(item, usize::MAX).await?.0)
    }

    async fn files_up_to(
        &self,
        item: &ItemRef,
        most: usize,
    ) -> Result<(Vec<(String, Node)>, bool)> {
        let Some(root) = self.layouts.path(item) else {
            return Ok((Vec::new(), false));
        };
        let mut open = vec![String::new()];
        let mut files = Vec::new();
        while files.len() < most
            && let Some(folder) = open.pop()
        {
            for node in self.nodes(&format!("{root}{folder}")).await? {
                let path = format!("{folder}/{}", node.name);
                let place = self.layouts.parse(&format!("{root}{path}"));
                let own = place.as_ref().is_some_and(|place| place.item == *item);
                if own && node.node_type == NodeType::Dir {
                    // The folder of a child kind parses as the parent's part until an id follows.
                    if !self.layouts.is_child_folder(&item.kind, &path[1..]) {
                        open.push(path);
                    }
                } else if own {
                    files.push((path[1..].to_owned(), node));
                }
            }
        }
        Ok((files, !open.is_empty()))
    }

    async fn copy_part(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let node = self
            .part_node(item, part)
            .await?
            .ok_or_else(|| Error::missing(item, part))?;
        let mut pieces = std::pin::pin!(self.repository.stream(&node));
        let mut size = 0;
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            to.write_all(&piece)
                .await
                .map_err(Error::io(format!("cannot write {part} of {item}")))?;
            size += piece.len() as u64;
        }
        to.flush()
            .await
            .map_err(Error::io(format!("cannot write {part} of {item}")))?;
        Ok(size)
    }
}

#[async_trait]
impl Stored for SnapshotReader {
    async fn ids(&self, kind: &str, scope: &str) -> service::Result<Vec<String>> {
        self.item_ids(kind, scope)
            .await
            .map_err(Error::into_service)
    }

    async fn document(&self, item: &ItemRef) -> service::Result<Option<Bytes>> {
        let name = self.layouts.document(&item.kind).ok_or_else(|| {
            service::Error::new(
                Class::Unsupported,
                "answer-not-understood",
                format!("{item} has no document of its own"),
            )
        })?;
        self.read_part(item, name)
            .await
            .map_err(Error::into_service)
    }

    async fn parts(&self, item: &ItemRef) -> service::Result<Vec<PartInfo>> {
        self.files(item).await.map_err(Error::into_service)
    }

    async fn part(&self, item: &ItemRef, part: &str) -> service::Result<Option<Bytes>> {
        self.read_part(item, part)
            .await
            .map_err(Error::into_service)
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> service::Result<u64> {
        self.copy_part(item, part, to)
            .await
            .map_err(Error::into_service)
    }
}
