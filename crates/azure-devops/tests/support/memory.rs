//! A snapshot as a map, written through `Sink` and read through `Stored`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use azure_devops::AZURE_DEVOPS;
use bytes::Bytes;
use model::{Class, Issue, ItemRef};
use service::{Item, Layout, PartInfo, Result, Sink, Stored};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) items: BTreeMap<ItemRef, BTreeMap<String, Bytes>>,
    pub(crate) names: BTreeMap<ItemRef, String>,
    pub(crate) cursors: BTreeMap<String, String>,
    pub(crate) issues: Vec<Issue>,
    /// Items whose documents cannot be read any more.
    pub(crate) damaged: BTreeSet<ItemRef>,
    /// Items whose folders cannot be read any more.
    pub(crate) shut: BTreeSet<ItemRef>,
    /// Documents and whole parts in the order in which they came.
    pub(crate) came: Vec<(ItemRef, String)>,
    /// Items that issues are about and whose documents have not come since.
    pub(crate) stale: BTreeSet<ItemRef>,
}

pub(crate) fn document_name(kind: &str) -> &'static str {
    match AZURE_DEVOPS.kind(kind).unwrap().spec().layout {
        Layout::Item { document, .. } => document,
        Layout::Lines { .. } | Layout::Files { .. } => panic!("{kind} has no documents"),
    }
}

impl Snapshot {
    pub(crate) fn of_kind(&self, kind: &str) -> Vec<&ItemRef> {
        self.items.keys().filter(|item| item.kind == kind).collect()
    }

    /// What is in use, of some kinds: what lies in the recycle bin aside.
    pub(crate) fn in_use(&self, wanted: impl Fn(&str) -> bool) -> Vec<ItemRef> {
        let parts = self.items.iter();
        let in_use = parts
            .filter(|(item, parts)| wanted(&item.kind) && !parts.contains_key("recycle-bin.json"));
        in_use.map(|(item, _)| item.clone()).collect()
    }

    pub(crate) fn part_text(&self, item: &ItemRef, part: &str) -> String {
        self.items
            .get(item)
            .and_then(|parts| parts.get(part))
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .unwrap_or_default()
    }

    /// What is stored, without what only says how it was read.
    pub(crate) fn content(&self) -> &BTreeMap<ItemRef, BTreeMap<String, Bytes>> {
        &self.items
    }
}

/// One crawl's way into the next snapshot.
pub(crate) struct Writer<'a> {
    next: &'a Mutex<Snapshot>,
    complete: bool,
    mentioned: Mutex<BTreeSet<ItemRef>>,
    begun: Mutex<BTreeSet<(ItemRef, String)>>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(next: &'a Mutex<Snapshot>, complete: bool) -> Self {
        Self {
            next,
            complete,
            mentioned: Mutex::default(),
            begun: Mutex::default(),
        }
    }

    fn mention(&self, item: &ItemRef) {
        self.mentioned.lock().unwrap().insert(item.clone());
    }

    fn put(&self, item: &ItemRef, part: &str, bytes: Vec<u8>) {
        self.next
            .lock()
            .unwrap()
            .items
            .entry(item.clone())
            .or_default()
            .insert(part.to_owned(), Bytes::from(bytes));
    }

    /// After a complete crawl: what was not mentioned is gone, or kept with an issue where that proves nothing. The ids that were mentioned.
    pub(crate) fn finish(
        &self,
        kind: &str,
        scope: &str,
        accepted: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let mentioned = self.mentioned.lock().unwrap();
        let ids = mentioned
            .iter()
            .map(|item| item.id.to_lowercase())
            .collect();
        if !self.complete {
            return ids;
        }
        let ours = |item: &ItemRef| {
            let with = AZURE_DEVOPS
                .kind(&item.kind)
                .and_then(|kind| kind.spec().with);
            (item.kind == kind || with == Some(kind)) && (scope.is_empty() || item.scope == scope)
        };
        let is_gone = |item: &ItemRef| ours(item) && !mentioned.contains(item);
        let mut next = self.next.lock().unwrap();
        next.stale.retain(|item| !mentioned.contains(item));
        let filtered = AZURE_DEVOPS.kind(kind).unwrap().is_filtered();
        if filtered && !accepted.contains(kind) {
            let kept: Vec<ItemRef> = next
                .items
                .keys()
                .filter(|item| is_gone(item))
                .cloned()
                .collect();
            next.issues.extend(kept.into_iter().map(|item| Issue {
                code: "implausible-drop".to_owned(),
                class: Class::Implausible,
                kind: kind.to_owned(),
                scope: String::new(),
                message: item.to_string(),
                item: Some(item),
                hint: None,
            }));
        } else {
            next.items.retain(|item, _| !is_gone(item));
        }
        ids
    }
}

#[async_trait]
impl Sink for Writer<'_> {
    async fn upsert(&self, item: &Item, document: &[u8]) -> Result<()> {
        let kind = AZURE_DEVOPS.kind(&item.item.kind).unwrap();
        assert_eq!(
            kind.describe(document),
            Some((item.name.clone(), item.modified)),
            "{}",
            item.item
        );
        self.mention(&item.item);
        self.put(
            &item.item,
            document_name(&item.item.kind),
            document.to_vec(),
        );
        let mut next = self.next.lock().unwrap();
        next.names.insert(item.item.clone(), item.name.clone());
        let document = document_name(&item.item.kind).to_owned();
        next.came.push((item.item.clone(), document));
        next.damaged.remove(&item.item);
        next.stale.remove(&item.item);
        Ok(())
    }

    async fn keep(&self, item: &ItemRef) -> Result<()> {
        self.mention(item);
        Ok(())
    }

    async fn delete(&self, item: &ItemRef) -> Result<()> {
        self.next.lock().unwrap().items.remove(item);
        Ok(())
    }

    async fn part(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> Result<()> {
        let came = (item.clone(), part.to_owned());
        self.next.lock().unwrap().came.push(came);
        self.put(item, part, bytes.to_vec());
        Ok(())
    }

    async fn append(&self, item: &ItemRef, part: &str, line: &[u8]) -> Result<()> {
        assert!(!line.contains(&b'\n'));
        let anew = self.complete
            && self
                .begun
                .lock()
                .unwrap()
                .insert((item.clone(), part.to_owned()));
        let mut next = self.next.lock().unwrap();
        let stored = next
            .items
            .entry(item.clone())
            .or_default()
            .entry(part.to_owned())
            .or_default();
        let mut bytes = if anew { Vec::new() } else { stored.to_vec() };
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        *stored = Bytes::from(bytes);
        Ok(())
    }

    async fn stream(
        &self,
        item: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<u64> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes)
            .await
            .map_err(|error| service::Error::malformed(error.to_string()))?;
        let length = bytes.len() as u64;
        self.put(item, part, bytes);
        Ok(length)
    }

    async fn remove_part(&self, item: &ItemRef, part: &str) -> Result<()> {
        if let Some(parts) = self.next.lock().unwrap().items.get_mut(item) {
            parts.remove(part);
        }
        Ok(())
    }

    fn issue(&self, issue: Issue) {
        if let Some(item) = &issue.item {
            self.mention(item);
        }
        self.next.lock().unwrap().issues.push(issue);
    }

    fn expect(&self, _items: u64) {}
}

fn refuse(damaged: &BTreeSet<ItemRef>, item: &ItemRef) -> Result<()> {
    if !damaged.contains(item) {
        return Ok(());
    }
    let message = format!("{item} is damaged");
    let error = service::Error::new(Class::Malformed, "repository-damaged", message);
    Err(error)
}

#[async_trait]
impl Stored for Snapshot {
    async fn ids(&self, kind: &str, scope: &str) -> Result<Vec<String>> {
        Ok(self
            .items
            .keys()
            .filter(|item| item.kind == kind && item.scope == scope)
            .map(|item| item.id.clone())
            .collect())
    }

    async fn document(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        refuse(&self.damaged, item)?;
        self.part(item, document_name(&item.kind)).await
    }

    async fn parts(&self, item: &ItemRef) -> Result<Vec<PartInfo>> {
        refuse(&self.shut, item)?;
        let parts = self.items.get(item).into_iter().flatten();
        Ok(parts
            .map(|(name, bytes)| PartInfo {
                name: name.clone(),
                size: bytes.len() as u64,
            })
            .collect())
    }

    async fn part(&self, item: &ItemRef, part: &str) -> Result<Option<Bytes>> {
        refuse(&self.shut, item)?;
        Ok(self
            .items
            .get(item)
            .and_then(|parts| parts.get(part))
            .cloned())
    }

    async fn copy(
        &self,
        item: &ItemRef,
        part: &str,
        to: &mut (dyn AsyncWrite + Send + Unpin),
    ) -> Result<u64> {
        let bytes = self
            .part(item, part)
            .await?
            .ok_or_else(|| service::Error::storage(format!("{item}: no {part}")))?;
        to.write_all(&bytes)
            .await
            .map_err(|error| service::Error::storage(error.to_string()))?;
        Ok(bytes.len() as u64)
    }
}
