//! What a kind gets to crawl with: its client, cursor, scope and a sink; never the repository, the catalog, the clock or the environment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use model::{Issue, ItemRef, Picks};
use tokio::io::AsyncRead;

use crate::{Client, Result, Stored};

/// The opaque point to go on from; stored in the snapshot as it is.
pub type Cursor = String;

/// What is crawled: the whole source (both empty), or one item of the kind's parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    pub id: String,
    pub name: String,
}

/// An item as a kind reports it.
#[derive(Clone, Debug)]
pub struct Item {
    pub item: ItemRef,
    /// What a person would search for: a title, a repository's name.
    pub name: String,
    /// When the service says that it changed; becomes the file's time.
    pub modified: Option<Timestamp>,
}

/// What a kind may know of the run that it is crawled in.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// When the run began. Kinds have no clock; this is for what is due every so often.
    pub started: Timestamp,
    /// Everything is to be read again, also what could be told to be unchanged.
    pub full: bool,
    /// Kinds whose implausible drop a person has confirmed.
    pub accepted: &'a BTreeSet<String>,
    /// Which items of a kind are selected; kinds that are not named are taken whole. What is not selected is kept as it was, also when
    /// the service no longer has it: a kind that lists everything tells the sink so.
    pub picks: &'a Picks,
    /// What this run found of kinds that hold others, ids in lower case. A kind that was not listed whole is missing.
    pub listed: &'a BTreeMap<String, BTreeSet<String>>,
}

impl Order<'static> {
    /// A run in which nothing is asked for beyond the usual.
    pub fn usual(started: Timestamp) -> Self {
        static NONE: BTreeSet<String> = BTreeSet::new();
        static ALL: Picks = Picks(BTreeMap::new());
        static NOTHING: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        Self {
            started,
            full: false,
            accepted: &NONE,
            picks: &ALL,
            listed: &NOTHING,
        }
    }
}

/// One crawl of one kind in one scope.
pub struct Crawl<'a> {
    pub http: &'a Client,
    pub scope: &'a Scope,
    pub cursor: Option<&'a str>,
    pub order: Order<'a>,
    /// The kinds that the run is to back up, for kinds that bring others along.
    pub selection: &'a BTreeSet<String>,
    pub sink: &'a dyn Sink,
    /// What the snapshot before holds; empty on the first run.
    pub prior: &'a dyn Stored,
    /// A private folder for what does not fit into memory (packs); it is deleted afterwards.
    pub work: &'a Path,
}

impl Crawl<'_> {
    /// The document as the snapshot before has it. One that is damaged is named, and is as good as empty: it is there and says nothing.
    pub async fn before(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        match self.prior.document(item).await {
            Err(error) if error.is_damage() => {
                let issue = error.to_issue(&item.kind, &item.scope, Some(item.clone()));
                self.sink.issue(issue);
                Ok(Some(Bytes::new()))
            }
            document => document,
        }
    }

    /// The same of an item that is no longer listed; `None` for one that is damaged too: nothing can be said of it, so that it is kept with an
    /// issue.
    pub async fn legible(&self, item: &ItemRef) -> Result<Option<Bytes>> {
        match self.prior.document(item).await {
            Err(error) if error.is_damage() => Ok(None),
            document => document,
        }
    }
}

/// Takes what a crawl finds. Calls for one item may come in any order and from several streams; later ones win.
///
/// Documents and parts are stored byte for byte. A part is a file beside the document, named by a relative path of safe ASCII names
/// (`comments.ndjson`, `objects/pack/pack-….pack`). Parts that are not mentioned stay as they were in the snapshot before.
#[async_trait]
pub trait Sink: Send + Sync {
    /// The item exists and this is its document.
    async fn upsert(&self, item: &Item, document: &[u8]) -> Result<()>;
    /// The item exists and is as it was in the snapshot before; its document was not read.
    async fn keep(&self, item: &ItemRef) -> Result<()>;
    /// The service itself says that the item is gone for good.
    async fn delete(&self, item: &ItemRef) -> Result<()>;
    /// Replaces a part.
    async fn part(&self, item: &ItemRef, part: &str, bytes: &[u8]) -> Result<()>;
    /// Adds one record to the end of a part of lines; the newline is added here. Without a cursor (a complete crawl) the part begins anew.
    async fn append(&self, item: &ItemRef, part: &str, line: &[u8]) -> Result<()>;
    /// Replaces a part with what the reader gives, up to its end; an error of the reader leaves the part as it was. Returns the bytes.
    async fn stream(
        &self,
        item: &ItemRef,
        part: &str,
        from: &mut (dyn AsyncRead + Send + Unpin),
    ) -> Result<u64>;
    /// Removes a part.
    async fn remove_part(&self, item: &ItemRef, part: &str) -> Result<()>;
    /// Something could not be read: the item (or with none, what the issue's kind and scope name) stays as it was and is marked stale.
    fn issue(&self, issue: Issue);
    /// The same of several items for one reason, which the issue itself need not name one by one. Only sinks that mark what is stale tell the
    /// items apart.
    fn doubt(&self, issue: Issue, _items: &[ItemRef]) {
        self.issue(issue);
    }
    /// How many items a listing promises, for progress.
    fn expect(&self, items: u64);
    /// Everything of this item has been sent. A run that goes on after a kill keeps such items of a crawl that lists everything and appends
    /// nothing: `Crawl::prior` shows them, and the crawl, which begins again, can `keep` them.
    async fn done(&self, _item: &ItemRef) -> Result<()> {
        Ok(())
    }
    /// A place to go on from after a kill: what was sent until now stays, what is sent from now on is sent again. `make` is called only when
    /// it is time for a checkpoint, and before anything else is polled.
    async fn position(&self, _make: &(dyn Fn() -> Result<Vec<u8>> + Send + Sync)) -> Result<()> {
        Ok(())
    }
    /// The last [`Sink::position`] of a killed run that this crawl goes on from; [`crate::Error::start_again`] when it is of no use.
    fn resumed(&self) -> Option<&[u8]> {
        None
    }
}
