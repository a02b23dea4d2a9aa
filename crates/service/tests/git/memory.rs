//! Snapshots of one repository in memory: a sink that keeps what the engine would keep.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use bytes::Bytes;
use model::{Issue, ItemRef};
use service::{Error, Ids, Item, Journal, PartInfo, Result, Sink, Stored};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The parts of one item in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(pub(crate) BTreeMap<String, Vec<u8>>);

impl Snapshot {
    pub(crate) fn packs(&self) -> Vec<&str> {
        self.0
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("objects/pack/") && name.as_bytes().ends_with(b".pack"))
            .collect()
    }
}

#[async_trait]
impl Stored for Snapshot {
    async fn ids(&self, _: &str, _: &str) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn document(&self, _: &ItemRef) -> Result<Option<Bytes>> {
        Ok(None)
    }
    async fn parts(&self, _: &ItemRef) -> Result<Vec<PartInfo>> {
        Ok(self
            .0
            .iter()
            .map(|(name, bytes)| PartInfo {
                name: name.clone(),
                size: bytes.len() as u64,
            })
            .collect())
    }
    async fn part(&self, _: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        Ok(self.0.get(part).map(|bytes| Bytes::from(bytes.clone())))
    }
    async fn copy(
        &self,
        _: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let bytes = self
            .0
            .get(part)
            .ok_or_else(|| Error::storage(format!("{part} is not there")))?;
        to.write_all(bytes).await.unwrap();
        Ok(bytes.len() as u64)
    }
}

/// Takes one crawl.
pub(crate) struct Recorder {
    next: Mutex<BTreeMap<String, Vec<u8>>>,
    pub(crate) touched: Mutex<Vec<String>>,
    pub(crate) issues: Mutex<Vec<Issue>>,
}

impl Recorder {
    pub(crate) fn new(before: &Snapshot) -> Self {
        Self {
            next: Mutex::new(before.0.clone()),
            touched: Mutex::default(),
            issues: Mutex::default(),
        }
    }

    pub(crate) fn commit(self) -> (Snapshot, Vec<Issue>, Vec<String>) {
        (
            Snapshot(self.next.into_inner().unwrap()),
            self.issues.into_inner().unwrap(),
            self.touched.into_inner().unwrap(),
        )
    }

    fn set(&self, part: &str, bytes: Option<Vec<u8>>) {
        self.touched.lock().unwrap().push(part.to_owned());
        let mut next = self.next.lock().unwrap();
        match bytes {
            Some(bytes) => next.insert(part.to_owned(), bytes),
            None => Some(
                next.remove(part)
                    .expect("only what is there can be removed"),
            ),
        };
    }
}

#[async_trait]
impl Sink for Recorder {
    async fn upsert(&self, _: &Item, _: &[u8]) -> Result<()> {
        unreachable!("the document is the caller's")
    }
    async fn keep(&self, _: &ItemRef) -> Result<()> {
        unreachable!("the document is the caller's")
    }
    async fn delete(&self, _: &ItemRef) -> Result<()> {
        unreachable!("a repository is never deleted by its own crawl")
    }
    async fn part(&self, _: &ItemRef, part: &str, bytes: &[u8]) -> Result<()> {
        self.set(part, Some(bytes.to_vec()));
        Ok(())
    }
    async fn append(&self, _: &ItemRef, _: &str, _: &[u8]) -> Result<()> {
        unreachable!("git has no parts of lines")
    }
    async fn stream(
        &self,
        _: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<u64> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)
            .await
            .map_err(Error::from_read)?;
        let length = bytes.len() as u64;
        self.set(part, Some(bytes));
        Ok(length)
    }
    async fn remove_part(&self, _: &ItemRef, part: &str) -> Result<()> {
        self.set(part, None);
        Ok(())
    }
    fn issue(&self, issue: Issue) {
        assert!(model::code::find(&issue.code).is_some(), "{}", issue.code);
        self.issues.lock().unwrap().push(issue);
    }
    fn expect(&self, _: u64) {}
}

/// Git restores need neither.
pub(crate) struct Nothing;

impl Ids for Nothing {
    fn get(&self, _: &str, _: &str) -> Option<String> {
        None
    }
}

#[async_trait]
impl Journal for Nothing {
    async fn intend(&self, _: &ItemRef) -> Result<()> {
        Ok(())
    }
    async fn withdraw(&self, _: &ItemRef) -> Result<()> {
        Ok(())
    }
    async fn made(&self, _: &ItemRef, _: &str) -> Result<()> {
        Ok(())
    }
    async fn found(&self, _: &ItemRef, _: &str) -> Result<()> {
        Ok(())
    }
    async fn note(&self, _: &ItemRef, _: &str) -> Result<()> {
        Ok(())
    }
    async fn noted(&self, _: &ItemRef) -> Result<Option<String>> {
        Ok(None)
    }
}

pub(crate) fn selection() -> BTreeSet<String> {
    BTreeSet::new()
}
