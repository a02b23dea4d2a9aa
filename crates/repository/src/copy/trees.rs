//! The trees below a root that another tree does not have, level by level.

use std::collections::HashSet;

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};

use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::index::table::Place;
use crate::links::Links;
use crate::pack::Entry;
use crate::{BlobType, Error, Repository, Result, TreeId};

/// Trees whose places are in memory at once.
const TREES: usize = 8192;

/// A tree that was read.
pub(super) struct Found {
    pub(super) id: TreeId,
    pub(super) bytes: Vec<u8>,
    pub(super) links: Links,
}

type Batch = Vec<(Entry, Result<Found>)>;

/// Walks a tree of one repository beside one of another, and leaves out the subtrees that both have in the same depth.
pub(super) struct NewTrees<'a> {
    repository: &'a Repository,
    other: &'a Repository,
    /// Still to read on this level.
    level: Vec<TreeId>,
    below: Vec<TreeId>,
    /// The other's trees on this level that are not on ours.
    base: Vec<TreeId>,
    reading: Option<BoxStream<'static, Result<Batch>>>,
}

impl<'a> NewTrees<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        other: &'a Repository,
        root: TreeId,
        base: Option<TreeId>,
    ) -> Self {
        Self {
            repository,
            other,
            level: Vec::new(),
            below: vec![root],
            base: base.into_iter().collect(),
            reading: None,
        }
    }

    /// Some more trees, each once; `seen` are those that need not be read.
    pub(super) async fn next(&mut self, seen: &mut HashSet<TreeId>) -> Result<Option<Vec<Found>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                if let Some(batch) = reading.try_next().await? {
                    let found = batch
                        .into_iter()
                        .map(|(_, found)| found)
                        .collect::<Result<Vec<_>>>()?;
                    for tree in &found {
                        self.below.extend(&tree.links.trees);
                    }
                    return Ok(Some(found));
                }
                self.reading = None;
            }
            if self.level.is_empty() && !self.descend(seen).await? {
                return Ok(None);
            }
            let rest = self.level.len().saturating_sub(TREES);
            let places = places(self.repository, self.level.split_off(rest)).await?;
            let places = places.into_iter().collect::<Result<_>>()?;
            self.reading = Some(fetch(self.repository, places, open).boxed());
        }
    }

    /// Goes to the next level; `false` if there is nothing on it.
    async fn descend(&mut self, seen: &mut HashSet<TreeId>) -> Result<bool> {
        let below = std::mem::take(&mut self.below);
        let theirs: HashSet<TreeId> = std::mem::take(&mut self.base).into_iter().collect();
        let both: HashSet<TreeId> = below
            .iter()
            .copied()
            .filter(|tree| theirs.contains(tree))
            .collect();
        // As they were found is nearly as they lie in the packs. They are taken from the end.
        self.level = below;
        self.level
            .retain(|tree| !both.contains(tree) && seen.insert(*tree));
        self.level.reverse();
        if self.level.is_empty() {
            return Ok(false);
        }
        let apart: Vec<TreeId> = theirs
            .into_iter()
            .filter(|tree| !both.contains(tree))
            .collect();
        for some in apart.chunks(TREES) {
            // One that cannot be read saves no work, and does no harm.
            let known = places(self.other, some.to_vec()).await?;
            let known = known.into_iter().flatten().collect();
            let mut read = fetch(self.other, known, Links::open).boxed();
            while let Some(batch) = read.try_next().await? {
                for (_, links) in batch {
                    self.base
                        .extend(links.into_iter().flat_map(|links| links.trees));
                }
            }
        }
        Ok(true)
    }
}

/// Where each of them is, or that it is in no index.
async fn places(repository: &Repository, ids: Vec<TreeId>) -> Result<Vec<Result<Place>>> {
    let kind = BlobType::Tree;
    let mut places = Vec::with_capacity(ids.len());
    for id in ids {
        let place = repository.index().find(kind, &id).await?;
        places.push(place.ok_or(Error::BlobMissing { kind, id }));
    }
    Ok(places)
}

fn open(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Found> {
    let bytes = entry.decode(cipher, sealed)?;
    let links = Links::parse(entry.id, &bytes)?;
    Ok(Found {
        id: entry.id,
        bytes,
        links,
    })
}
