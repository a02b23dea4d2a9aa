//! A snapshot and a sink that live in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use model::{Class, Issue, ItemRef};
use service::{Client, Crawl, Error, Item, Order, PartInfo, Result, Scope, Sink, Stored};
use tokio::io::{AsyncRead, AsyncWrite};

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) documents: Mutex<BTreeMap<ItemRef, Vec<u8>>>,
    pub(crate) kept: Mutex<Vec<ItemRef>>,
    pub(crate) names: Mutex<BTreeMap<ItemRef, String>>,
    pub(crate) parts: Mutex<BTreeMap<(String, String), Vec<u8>>>,
    pub(crate) issues: Mutex<Vec<Issue>>,
    /// Files that cannot be read any more: item and part, or an empty name for the document.
    pub(crate) damaged: Mutex<BTreeSet<(String, String)>>,
    selection: BTreeSet<String>,
    /// The last position, and the one to go on from.
    pub(crate) place: Mutex<Option<Vec<u8>>>,
    pub(crate) resumed: Option<Vec<u8>>,
}

impl Memory {
    pub(crate) fn crawl<'a>(&'a self, http: &'a Client, scope: &'a Scope) -> Crawl<'a> {
        Crawl {
            http,
            scope,
            cursor: None,
            order: Order::usual(jiff::Timestamp::UNIX_EPOCH),
            selection: &self.selection,
            sink: self,
            prior: self,
            work: Path::new("/nonexistent"),
        }
    }

    pub(crate) fn damage(&self, id: &str, part: &str) {
        let mut damaged = self.damaged.lock().unwrap();
        damaged.insert((id.to_owned(), part.to_owned()));
    }

    fn legible(&self, id: &str, part: &str) -> Result<()> {
        let damaged = self.damaged.lock().unwrap();
        if damaged.contains(&(id.to_owned(), part.to_owned())) {
            let message = format!("{id} {part} is damaged");
            return Err(Error::new(Class::Malformed, "repository-damaged", message));
        }
        Ok(())
    }

    pub(crate) fn store(&self, item: &ItemRef, document: &str) {
        self.documents
            .lock()
            .unwrap()
            .insert(item.clone(), document.into());
    }
}

fn unused() -> Error {
    Error::unsupported("table kinds do not call this")
}

#[async_trait]
impl Sink for Memory {
    async fn upsert(&self, item: &Item, document: &[u8]) -> Result<()> {
        self.documents
            .lock()
            .unwrap()
            .insert(item.item.clone(), document.to_vec());
        self.names
            .lock()
            .unwrap()
            .insert(item.item.clone(), item.name.clone());
        Ok(())
    }
    async fn keep(&self, item: &ItemRef) -> Result<()> {
        self.kept.lock().unwrap().push(item.clone());
        Ok(())
    }
    async fn delete(&self, item: &ItemRef) -> Result<()> {
        self.documents.lock().unwrap().remove(item);
        let mut parts = self.parts.lock().unwrap();
        parts.retain(|(id, _), _| *id != item.id);
        Ok(())
    }
    async fn part(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> Result<()> {
        self.parts
            .lock()
            .unwrap()
            .insert((item.id.clone(), part.to_owned()), bytes.to_vec());
        Ok(())
    }
    async fn append(&self, _: &ItemRef, _: &str, _: &[u8]) -> Result<()> {
        Err(unused())
    }
    async fn stream(
        &self,
        _: &ItemRef,
        _: &str,
        _: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<u64> {
        Err(unused())
    }
    async fn remove_part(&self, item: &ItemRef, part: &str) -> Result<()> {
        let key = (item.id.clone(), part.to_owned());
        self.parts.lock().unwrap().remove(&key);
        Ok(())
    }
    async fn position(&self, make: &(dyn Fn() -> Result<Vec<u8>> + Send + Sync)) -> Result<()> {
        *self.place.lock().unwrap() = Some(make()?);
        Ok(())
    }
    fn resumed(&self) -> Option<&[u8]> {
        self.resumed.as_deref()
    }
    fn issue(&self, issue: Issue) {
        self.issues.lock().unwrap().push(issue);
    }
    fn expect(&self, _: u64) {}
}

#[async_trait]
impl Stored for Memory {
    async fn ids(&self, kind: &str, _: &str) -> Result<Vec<String>> {
        let documents = self.documents.lock().unwrap();
        let items = documents.keys().filter(|item| item.kind == kind);
        Ok(items.map(|item| item.id.clone()).collect())
    }
    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        self.legible(&item.id, "")?;
        Ok(self
            .documents
            .lock()
            .unwrap()
            .get(item)
            .cloned()
            .map(Bytes::from))
    }
    async fn parts(&self, _: &ItemRef) -> Result<Vec<PartInfo>> {
        Err(unused())
    }
    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        self.legible(&item.id, part)?;
        let key = (item.id.clone(), part.to_owned());
        Ok(self
            .parts
            .lock()
            .unwrap()
            .get(&key)
            .cloned()
            .map(Bytes::from))
    }
    async fn copy(
        &self,
        _: &ItemRef,
        _: &str,
        _: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        Err(unused())
    }
}
