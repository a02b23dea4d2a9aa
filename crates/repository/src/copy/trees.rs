//! The trees below a root, level by level.

use std::collections::HashSet;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::links::Links;
use crate::pack::Entry;
use crate::{BlobType, Error, Id, Repository, Result, TreeId};

/// Trees whose places are in memory at once.
const TREES: usize = 8192;

/// A tree that was read.
pub(super) struct Found {
    pub(super) id: TreeId,
    pub(super) bytes: Vec<u8>,
    pub(super) links: Links,
}

type Batch = Vec<(Entry, Result<Found>)>;

/// Walks a tree of the source. What the source lost is read from the target, which may have it.
pub(super) struct Trees<'a> {
    source: &'a Repository,
    target: &'a Repository,
    /// Still to read on this level.
    level: Vec<TreeId>,
    below: Vec<TreeId>,
    reading: Option<BoxStream<'static, Result<Batch>>>,
    /// Of what is being read, those that the source's index does not name.
    unnamed: Vec<TreeId>,
    /// All that were or are to be read.
    pub(super) seen: HashSet<TreeId>,
}

impl<'a> Trees<'a> {
    pub(super) fn new(source: &'a Repository, target: &'a Repository, root: TreeId) -> Self {
        Self {
            source,
            target,
            level: Vec::new(),
            below: vec![root],
            reading: None,
            unnamed: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Some more trees, each once; those that are known to be whole need not be read.
    pub(super) async fn next(&mut self, whole: &HashSet<TreeId>) -> Result<Option<Vec<Found>>> {
        loop {
            if let Some(id) = self.unnamed.pop() {
                let kind = BlobType::Tree;
                let found = self.read_targets(id, Error::BlobMissing { kind, id });
                return Ok(Some(self.noted(vec![found.await?])));
            }
            if let Some(reading) = &mut self.reading {
                if let Some(batch) = reading.try_next().await? {
                    let mut found = Vec::with_capacity(batch.len());
                    for (entry, tree) in batch {
                        found.push(match tree {
                            Err(error) if error.is_damage() => {
                                self.read_targets(entry.id, error).await?
                            }
                            tree => tree?,
                        });
                    }
                    return Ok(Some(self.noted(found)));
                }
                self.reading = None;
            }
            if self.level.is_empty() && !self.descend(whole) {
                return Ok(None);
            }
            let rest = self.level.len().saturating_sub(TREES);
            let mut places = Vec::new();
            for id in self.level.split_off(rest) {
                match self.source.index().find(BlobType::Tree, &id).await? {
                    Some(place) => places.push(place),
                    None => self.unnamed.push(id),
                }
            }
            self.reading = Some(fetch(self.source, places, open).boxed());
        }
    }

    fn noted(&mut self, found: Vec<Found>) -> Vec<Found> {
        for tree in &found {
            self.below.extend(&tree.links.trees);
        }
        found
    }

    /// Goes to the next level; `false` if there is nothing on it.
    fn descend(&mut self, whole: &HashSet<TreeId>) -> bool {
        // As they were found is nearly as they lie in the packs. They are taken from the end.
        self.level = std::mem::take(&mut self.below);
        let seen = &mut self.seen;
        self.level
            .retain(|tree| !whole.contains(tree) && seen.insert(*tree));
        self.level.reverse();
        !self.level.is_empty()
    }

    /// The target's own, or why the source's cannot be read.
    async fn read_targets(&self, id: TreeId, why: Error) -> Result<Found> {
        match self.target.blob(BlobType::Tree, id).await {
            Ok(bytes) => parsed(id, bytes),
            Err(error) if error.is_damage() => Err(why),
            Err(error) => Err(error),
        }
    }
}

fn open(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Found> {
    parsed(entry.id, entry.decode(cipher, sealed)?)
}

fn parsed(id: Id, bytes: Vec<u8>) -> Result<Found> {
    let links = Links::parse(id, &bytes)?;
    Ok(Found { id, bytes, links })
}
