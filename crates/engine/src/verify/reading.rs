//! One item as its kind sees it while it is verified: what was read already is not read again, and what the kind reads whole counts as read.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use model::ItemRef;
use service::{PartInfo, Stored};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::walk::{Gathered, StoredFile};
use crate::layout::Layouts;
use crate::stored::SnapshotReader;
use crate::{Error, Result};

pub(super) struct Reading<'a> {
    reader: &'a SnapshotReader,
    gathered: &'a Gathered,
    document: Option<&'static str>,
    files: HashMap<&'a str, &'a StoredFile>,
    /// Documents and lines that were read already.
    cache: HashMap<&'a str, Bytes>,
    read: Mutex<HashSet<String>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        reader: &'a SnapshotReader,
        layouts: Layouts,
        gathered: &'a Gathered,
        cache: HashMap<&'a str, Bytes>,
    ) -> Self {
        Self {
            reader,
            gathered,
            document: layouts.document(&gathered.item.kind),
            files: gathered
                .files
                .iter()
                .map(|file| (file.part.as_str(), file))
                .collect(),
            cache,
            read: Mutex::default(),
        }
    }

    /// The parts that the kind has read to their end.
    pub(super) fn into_read(self) -> HashSet<String> {
        self.read
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self, item: &ItemRef, part: &str) -> Option<&'a StoredFile> {
        if *item == self.gathered.item {
            self.files.get(part).copied()
        } else {
            None
        }
    }

    fn note(&self, file: &StoredFile, size: u64) {
        if size == file.node.size {
            self.read
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(file.part.clone());
        }
    }

    async fn bytes(&self, file: &StoredFile) -> Result<Bytes> {
        if let Some(bytes) = self.cache.get(file.part.as_str()) {
            return Ok(bytes.clone());
        }
        let bytes = self.reader.repository().read(&file.node).await?;
        self.note(file, bytes.len() as u64);
        Ok(bytes)
    }

    async fn stream(
        &self,
        file: &StoredFile,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let cannot = || format!("cannot write {} of {}", file.part, self.gathered.item);
        let mut size = 0;
        let mut pieces = std::pin::pin!(self.reader.repository().stream(&file.node));
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            to.write_all(&piece).await.map_err(Error::io(cannot()))?;
            size += piece.len() as u64;
        }
        to.flush().await.map_err(Error::io(cannot()))?;
        self.note(file, size);
        Ok(size)
    }
}

#[async_trait]
impl Stored for Reading<'_> {
    async fn ids(&self, kind: &str, scope: &str) -> service::Result<Vec<String>> {
        self.reader.ids(kind, scope).await
    }

    async fn document(&self, item: &ItemRef) -> service::Result<Option<Bytes>> {
        match self.document.and_then(|name| self.own(item, name)) {
            Some(file) => self
                .bytes(file)
                .await
                .map(Some)
                .map_err(Error::into_service),
            None => self.reader.document(item).await,
        }
    }

    async fn parts(&self, item: &ItemRef) -> service::Result<Vec<PartInfo>> {
        if *item != self.gathered.item {
            return self.reader.parts(item).await;
        }
        let part = |file: &StoredFile| PartInfo {
            name: file.part.clone(),
            size: file.node.size,
        };
        Ok(self.gathered.files.iter().map(part).collect())
    }

    async fn part(&self, item: &ItemRef, part: &str) -> service::Result<Option<Bytes>> {
        match self.own(item, part) {
            Some(file) => self
                .bytes(file)
                .await
                .map(Some)
                .map_err(Error::into_service),
            None if *item == self.gathered.item => Ok(None),
            None => self.reader.part(item, part).await,
        }
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> service::Result<u64> {
        match self.own(item, part) {
            Some(file) => self.stream(file, to).await.map_err(Error::into_service),
            None => self.reader.copy(item, part, to).await,
        }
    }
}
