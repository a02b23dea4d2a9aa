//! Reading what a snapshot holds, by item and part.

use async_trait::async_trait;
use bytes::Bytes;
use model::ItemRef;
use tokio::io::AsyncWrite;

use crate::Result;

/// A part of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartInfo {
    /// Relative path below the item's folder, the document included.
    pub name: String,
    pub size: u64,
}

/// A folder of a snapshot that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub folder: String,
    pub why: String,
}

/// One snapshot, read by item.
#[async_trait]
pub trait Stored: Send + Sync {
    /// The ids of all items of a kind in a scope (empty scope: those without one).
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>>;
    /// The same around damage: the ids that can be told, and the folders that cannot be read.
    async fn readable_ids(
        &self,
        kind: &str,
        scope: &str,
    ) -> Result<(Vec<String>, Vec<Unreadable>)> {
        Ok((self.ids(kind, scope).await?, Vec::new()))
    }
    /// The document, or `None` when the snapshot does not have the item.
    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>>;
    /// All files of the item; empty when the snapshot does not have it.
    async fn parts(&self, item: &ItemRef) -> Result<Vec<PartInfo>>;
    /// Those of them whose content is lost: they are there, and have to come anew.
    async fn lost_parts(&self, _item: &ItemRef) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>>;
    /// Writes a part to `to` piece by piece; an error when it is not there.
    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64>;
}
