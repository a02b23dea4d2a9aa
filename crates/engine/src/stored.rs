//! A snapshot read by item: what kinds see of the snapshot before, and what a restore reads from.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use jiff::Timestamp;
use model::{Class, ItemRef};
use repository::{BlobType, Node, NodeType, Repository, TreeId};
use service::text::Text;
use service::{Layout, PartInfo, Service, Stored, TextOf, Unreadable};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::coordinator::RowState;
use crate::error::DAMAGED;
use crate::layout::{Layouts, is_within};
use crate::{Error, Result};

/// What a document says of its item.
pub(crate) struct Described {
    pub name: String,
    pub modified: Option<Timestamp>,
    pub project: String,
}

/// A folder whose tree cannot be read.
#[derive(Clone, Debug)]
pub struct Gap {
    pub folder: String,
    pub tree: TreeId,
    error: repository::Error,
}

/// One snapshot; an empty one (`tree: None`) has nothing.
pub struct SnapshotReader {
    repository: Repository,
    layouts: Layouts,
    tree: Option<TreeId>,
    /// Of one that reads around damage: what it left out, by folder.
    gaps: Option<Mutex<BTreeMap<String, Gap>>>,
}

impl SnapshotReader {
    pub fn new(repository: Repository, service: &'static Service, tree: Option<TreeId>) -> Self {
        Self {
            repository,
            layouts: Layouts::new(service),
            tree,
            gaps: None,
        }
    }

    /// From now on a folder whose tree cannot be read is taken for empty, and is one of [`SnapshotReader::gaps`]. To kinds an item whose own
    /// folder is one is still damaged: it is there, and nothing can be said of it.
    #[must_use]
    pub fn around_damage(mut self) -> Self {
        self.gaps = Some(Mutex::default());
        self
    }

    /// The folders that were left out until now, in the order of their paths.
    pub fn gaps(&self) -> Vec<Gap> {
        self.found_gaps()
            .map_or_else(Vec::new, |gaps| gaps.values().cloned().collect())
    }

    fn found_gaps(&self) -> Option<MutexGuard<'_, BTreeMap<String, Gap>>> {
        let gaps = self.gaps.as_ref()?;
        let gaps = gaps.lock().unwrap_or_else(PoisonError::into_inner);
        Some(gaps).filter(|gaps| !gaps.is_empty())
    }

    /// Notes a folder that cannot be read. An error that is not about damage, and any error of a reader that leaves nothing out, stays one.
    fn leave_out(&self, folder: &str, tree: TreeId, error: repository::Error) -> Result<()> {
        let Some(gaps) = self.gaps.as_ref().filter(|_| error.is_damage()) else {
            return Err(error.into());
        };
        let folder = folder.to_owned();
        let gap = Gap {
            folder: folder.clone(),
            tree,
            error,
        };
        let mut gaps = gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.entry(folder).or_insert(gap);
        Ok(())
    }

    /// Fails where the reader left out, of an item that is there, what `asked` is true of.
    fn refuse_gap(&self, item: &ItemRef, asked: impl Fn(&str) -> bool) -> Result<()> {
        let Some(gaps) = self.found_gaps() else {
            return Ok(());
        };
        let Some(root) = self.layouts.path(item) else {
            return Ok(());
        };
        let mut own = gaps.values().filter(|gap| is_within(&gap.folder, &root));
        own.find(|gap| asked(&gap.folder))
            .map_or(Ok(()), |gap| Err(gap.error.clone().into()))
    }

    pub fn tree_id(&self) -> Option<TreeId> {
        self.tree
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The node at a path, or `None`.
    pub async fn node(&self, path: &str) -> Result<Option<Node>> {
        let Some(tree) = self.tree else {
            return Ok(None);
        };
        match self.repository.find(tree, path).await {
            Err(error) if self.gaps.is_some() && error.is_damage() => {
                self.search(tree, path, error).await
            }
            found => Ok(found?),
        }
    }

    /// Looks for the folder on the way that `error` is about.
    async fn search(
        &self,
        mut tree: TreeId,
        path: &str,
        error: repository::Error,
    ) -> Result<Option<Node>> {
        let mut folder = String::new();
        for name in path.split('/') {
            match self.repository.find(tree, name).await {
                Err(error) => return self.leave_out(&folder, tree, error).map(|()| None),
                Ok(found) => match found.and_then(|node| node.subtree) {
                    Some(below) => tree = below,
                    None => break,
                },
            }
            if !folder.is_empty() {
                folder.push('/');
            }
            folder.push_str(name);
        }
        Err(error.into())
    }

    /// A directory's nodes; empty when there is none at this path.
    pub async fn nodes(&self, path: &str) -> Result<Vec<Node>> {
        let tree = match path {
            "" => self.tree,
            path => self.node(path).await?.and_then(|node| node.subtree),
        };
        let Some(tree) = tree else {
            return Ok(Vec::new());
        };
        match self.repository.tree(tree).await {
            Ok(tree) => Ok(tree.nodes),
            Err(error) => self.leave_out(path, tree, error).map(|()| Vec::new()),
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

    /// All that can be searched of an item; what is damaged says nothing.
    pub(crate) async fn all_text(&self, item: &ItemRef) -> Result<String> {
        let mut all = Text::default();
        for (file, of) in self.layouts.texts(&item.kind) {
            match self.text(item, file, of).await {
                Err(error) if error.is_damage() => {}
                text => all.join(&text?.into_string()),
            }
        }
        Ok(all.into_string())
    }

    /// Whether the item is in the service's own recycle bin.
    pub(crate) async fn state(&self, item: &ItemRef) -> Result<RowState> {
        let kind = self.layouts.service().kind(&item.kind);
        Ok(match kind.and_then(|kind| kind.spec().bin) {
            Some(bin) if self.entry(item, bin).await?.is_some() => RowState::Binned,
            _ => RowState::Live,
        })
    }

    /// What stands at the place of a part.
    async fn entry(&self, item: &ItemRef, part: &str) -> Result<Option<Node>> {
        match self.layouts.path(item) {
            Some(path) => self.node(&format!("{path}/{part}")).await,
            None => Ok(None),
        }
    }

    /// The file of a part. Whatever else stands in its place is damage: another program may have written the snapshot.
    async fn part_node(&self, item: &ItemRef, part: &str) -> Result<Option<Node>> {
        let node = self.entry(item, part).await?;
        match node.as_ref().map(|node| &node.node_type) {
            None | Some(NodeType::File) => Ok(node),
            Some(other) => Err(Error::Request {
                code: DAMAGED,
                message: format!("{item}: {part} is a {} and no file", other.as_str()),
            }),
        }
    }

    fn refuse_part(&self, item: &ItemRef, part: &str) -> Result<()> {
        let path = self.layouts.path(item).map(|root| format!("{root}/{part}"));
        let is_above = |gap: &str| path.as_ref().is_some_and(|path| is_within(path, gap));
        self.refuse_gap(item, is_above)
    }

    /// Whether a folder holds parts of this item, and not items that lie in it.
    fn is_own(&self, item: &ItemRef, folder: &str) -> bool {
        let place = self.layouts.parse(folder);
        place.is_some_and(|place| {
            place.item == *item && self.layouts.child_at(&item.kind, &place.part).is_none()
        })
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

    /// The files of which the index does not know everything, and what stands in the place of a file.
    async fn lost_files(&self, item: &ItemRef) -> Result<Vec<String>> {
        let mut lost = Vec::new();
        for (name, node) in self.own_files(item).await? {
            if !node.is_file() {
                lost.push(name);
                continue;
            }
            for blob in node.content.iter().flatten() {
                if !self.repository.has(BlobType::Data, *blob).await? {
                    lost.push(name);
                    break;
                }
            }
        }
        Ok(lost)
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
        let Some(node) = self.part_node(item, part).await? else {
            self.refuse_part(item, part)?;
            return Err(Error::missing(item, part));
        };
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

    async fn readable_ids(
        &self,
        kind: &str,
        scope: &str,
    ) -> service::Result<(Vec<String>, Vec<Unreadable>)> {
        let around = Self {
            repository: self.repository.clone(),
            gaps: Some(Mutex::default()),
            ..*self
        };
        let ids = around.ids(kind, scope).await?;
        let unreadable = around.gaps().into_iter().map(|gap| Unreadable {
            folder: gap.folder,
            why: gap.error.to_string(),
        });
        Ok((ids, unreadable.collect()))
    }

    async fn document(&self, item: &ItemRef) -> service::Result<Option<Bytes>> {
        let name = self.layouts.document(&item.kind).ok_or_else(|| {
            service::Error::new(
                Class::Unsupported,
                "answer-not-understood",
                format!("{item} has no document of its own"),
            )
        })?;
        self.part(item, name).await
    }

    async fn parts(&self, item: &ItemRef) -> service::Result<Vec<PartInfo>> {
        let read = async {
            let files = self.files(item).await?;
            self.refuse_gap(item, |gap| self.is_own(item, gap))?;
            Ok(files)
        };
        read.await.map_err(Error::into_service)
    }

    async fn lost_parts(&self, item: &ItemRef) -> service::Result<Vec<String>> {
        self.lost_files(item).await.map_err(Error::into_service)
    }

    async fn part(&self, item: &ItemRef, part: &str) -> service::Result<Option<Bytes>> {
        let read = async {
            let bytes = self.read_part(item, part).await?;
            if bytes.is_none() {
                self.refuse_part(item, part)?;
            }
            Ok(bytes)
        };
        read.await.map_err(Error::into_service)
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
