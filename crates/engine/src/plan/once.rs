//! One item of the snapshot whose records are read once, though several ask for them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use model::ItemRef;
use service::{PartInfo, Result, Stored, Unreadable};
use tokio::io::AsyncWrite;

use super::people::is_record;

/// All other items are read as ever.
pub(super) struct Once<'a> {
    stored: &'a dyn Stored,
    item: &'a ItemRef,
    /// The name of its document.
    document: Option<&'static str>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    parts: Option<Vec<PartInfo>>,
    /// Records, by the names of the parts.
    records: BTreeMap<String, Option<Bytes>>,
}

impl<'a> Once<'a> {
    pub(super) fn new(
        stored: &'a dyn Stored,
        item: &'a ItemRef,
        document: Option<&'static str>,
    ) -> Self {
        Self {
            stored,
            item,
            document,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self, part: &str) -> Option<Option<Bytes>> {
        self.known().records.get(part).cloned()
    }

    fn listed(&self) -> Option<Vec<PartInfo>> {
        self.known().parts.clone()
    }
}

#[async_trait]
impl Stored for Once<'_> {
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        self.stored.ids(kind, scope).await
    }

    async fn readable_ids(
        &self,
        kind: &str,
        scope: &str,
    ) -> Result<(Vec<String>, Vec<Unreadable>)> {
        self.stored.readable_ids(kind, scope).await
    }

    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        match self.document {
            Some(name) if item == self.item => self.part(item, name).await,
            _ => self.stored.document(item).await,
        }
    }

    async fn parts(&self, item: &ItemRef) -> Result<Vec<PartInfo>> {
        if item != self.item {
            return self.stored.parts(item).await;
        }
        if let Some(parts) = self.listed() {
            return Ok(parts);
        }
        let parts = self.stored.parts(item).await?;
        self.known().parts = Some(parts.clone());
        Ok(parts)
    }

    async fn lost_parts(&self, item: &ItemRef) -> Result<Vec<String>> {
        self.stored.lost_parts(item).await
    }

    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        if item != self.item || !is_record(part) {
            return self.stored.part(item, part).await;
        }
        if let Some(bytes) = self.record(part) {
            return Ok(bytes);
        }
        let bytes = self.stored.part(item, part).await?;
        let name = part.to_owned();
        self.known().records.insert(name, bytes.clone());
        Ok(bytes)
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        self.stored.copy(item, part, to).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Has one file of every name, and counts how often it is asked.
    #[derive(Default)]
    struct Counting(AtomicUsize);

    #[async_trait]
    impl Stored for Counting {
        async fn ids(&self, _: &str, _: &str) -> Result<Vec<String>> {
            Ok(Vec::new())
        }

        async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
            self.part(item, "thing.json").await
        }

        async fn parts(&self, _: &ItemRef) -> Result<Vec<PartInfo>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Vec::new())
        }

        async fn part(&self, _: &ItemRef, part: &str) -> Result<Option<Bytes>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Some(Bytes::from(part.to_owned())))
        }

        async fn copy(
            &self,
            _: &ItemRef,
            _: &str,
            _: &mut (dyn AsyncWrite + Send + Unpin),
        ) -> Result<u64> {
            Ok(0)
        }
    }

    #[tokio::test]
    async fn records_of_the_item_are_read_once_and_all_else_each_time() {
        let stored = Counting::default();
        let (item, other) = (
            ItemRef::new("thing", "", "1"),
            ItemRef::new("thing", "", "2"),
        );
        let once = Once::new(&stored, &item, Some("thing.json"));
        let asked = || stored.0.swap(0, Ordering::Relaxed);
        for _ in 0..2 {
            let document = once.document(&item).await.unwrap();
            assert_eq!(document.as_deref(), Some(&b"thing.json"[..]));
            once.part(&item, "thing.json").await.unwrap();
            once.part(&item, "lines.ndjson").await.unwrap();
            once.parts(&item).await.unwrap();
        }
        assert_eq!(asked(), 3);
        for _ in 0..2 {
            once.part(&item, "files/photo").await.unwrap();
            once.document(&other).await.unwrap();
            once.part(&other, "lines.ndjson").await.unwrap();
        }
        assert_eq!(asked(), 6);
    }
}
