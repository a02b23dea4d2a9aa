//! What stands already: the snapshot before, and on top of it the whole items of a killed run that this one goes on from.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use model::ItemRef;
use repository::{FileContent, Node};
use service::{PartInfo, Result, Stored};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::Error;
use crate::layout::Layouts;
use crate::stored::SnapshotReader;

/// The files of an item that were sent; `None` for those that were removed.
pub(super) type Files = BTreeMap<String, Option<FileContent>>;

/// The snapshot before, as kinds see it.
pub(crate) struct Prior<'a> {
    pub(crate) base: &'a SnapshotReader,
    layouts: Layouts,
    kept: BTreeMap<ItemRef, Files>,
}

impl<'a> Prior<'a> {
    pub(super) fn new(
        base: &'a SnapshotReader,
        layouts: Layouts,
        kept: BTreeMap<ItemRef, Files>,
    ) -> Self {
        Self {
            base,
            layouts,
            kept,
        }
    }

    /// There is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.base.tree_id().is_none() && self.kept.is_empty()
    }

    fn file(&self, item: &ItemRef, part: &str) -> Option<&Option<FileContent>> {
        self.kept.get(item)?.get(part)
    }

    fn node(content: &FileContent) -> Node {
        Node::file("", content.clone(), jiff::Timestamp::UNIX_EPOCH)
    }
}

#[async_trait]
impl Stored for Prior<'_> {
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        let ids = self.base.ids(kind, scope).await?;
        let known: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let more: Vec<String> = self
            .kept
            .keys()
            .filter(|item| item.kind == kind && item.scope == scope)
            .filter(|item| !known.contains(item.id.as_str()))
            .map(|item| item.id.clone())
            .collect();
        Ok([ids, more].concat())
    }

    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        match self.layouts.document(&item.kind) {
            Some(name) if self.kept.contains_key(item) => self.part(item, name).await,
            _ => self.base.document(item).await,
        }
    }

    async fn parts(&self, item: &ItemRef) -> Result<Vec<PartInfo>> {
        let parts = self.base.parts(item).await?;
        let Some(files) = self.kept.get(item) else {
            return Ok(parts);
        };
        let mut sizes: BTreeMap<String, u64> = parts
            .into_iter()
            .map(|part| (part.name, part.size))
            .collect();
        for (name, content) in files {
            match content {
                Some(content) => sizes.insert(name.clone(), content.size),
                None => sizes.remove(name),
            };
        }
        let parts = sizes.into_iter();
        Ok(parts.map(|(name, size)| PartInfo { name, size }).collect())
    }

    async fn lost_parts(&self, item: &ItemRef) -> Result<Vec<String>> {
        let mut lost = self.base.lost_parts(item).await?;
        lost.retain(|part| self.file(item, part).is_none());
        Ok(lost)
    }

    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        match self.file(item, part) {
            None => self.base.part(item, part).await,
            Some(None) => Ok(None),
            Some(Some(content)) => {
                let read = self.base.repository().read(&Self::node(content)).await;
                read.map(Some)
                    .map_err(|error| Error::from(error).into_service())
            }
        }
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let content = match self.file(item, part) {
            None => return self.base.copy(item, part, to).await,
            Some(None) => return Err(Error::missing(item, part).into_service()),
            Some(Some(content)) => content,
        };
        let write = async {
            let mut pieces = std::pin::pin!(self.base.repository().stream(&Self::node(content)));
            while let Some(piece) = pieces.next().await {
                to.write_all(&piece?)
                    .await
                    .map_err(Error::io(format!("cannot write {part} of {item}")))?;
            }
            to.flush()
                .await
                .map_err(Error::io(format!("cannot write {part} of {item}")))?;
            Ok(content.size)
        };
        write.await.map_err(Error::into_service)
    }
}
