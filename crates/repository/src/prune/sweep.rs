//! Removes, under an exclusive lock: first the new index, then the old index files, and only then the packs.

use std::collections::HashSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use model::Reporter;

use super::plan::{Decisions, Fate, Rules};
use crate::index::file::{self, IndexedPack, MOST_BLOBS};
use crate::inventory::Inventory;
use crate::progress::Progress;
use crate::{Error, FileKind, Id, LockGuard, Repository, Result};

/// Removals side by side, and how many of them follow one look at the lock.
const AT_ONCE: usize = 8;
const BETWEEN_LOOKS: usize = 256;

/// What the storage's object lock holds.
#[derive(Default)]
pub(super) struct Locked {
    pub(super) packs: u64,
    pub(super) bytes: u64,
}

pub(super) async fn sweep(
    repository: &Repository,
    lock: &LockGuard,
    inventory: &Inventory,
    decisions: &Decisions,
    rules: &Rules<'_>,
    reporter: &dyn Reporter,
) -> Result<Locked> {
    let mut locked = Locked::default();
    let indexes = replace_index(repository, inventory, decisions).await?;
    let packs = decisions.packs_to(inventory, Fate::Remove);
    let packs = packs.iter().filter_map(|pack| pack.stored);
    let unindexed = inventory
        .unindexed
        .iter()
        .filter(|file| file.modified <= rules.cutoff);
    let packs: Vec<(Id, u64)> = packs
        .chain(unindexed.copied())
        .map(|file| (file.id, file.size))
        .collect();
    let indexes: Vec<(Id, u64)> = indexes.into_iter().map(|id| (id, 0)).collect();
    let leftovers = inventory
        .leftovers
        .iter()
        .filter(|file| file.modified <= rules.cutoff);
    let leftovers: Vec<_> = leftovers.collect();
    let count = indexes.len() + packs.len() + leftovers.len();
    let mut progress = Progress::begin(reporter, "remove", Some(count as u64));
    // Until an index file is gone, whoever took our lock away may rely on the packs that it names.
    for (kind, ids) in [(FileKind::Index, indexes), (FileKind::Pack, packs)] {
        for some in ids.chunks(BETWEEN_LOOKS) {
            lock.verify(repository).await?;
            let mut removals = stream::iter(some.to_vec())
                .map(|(id, size)| remove(repository.clone(), kind, id, size))
                .buffer_unordered(AT_ONCE);
            while let Some(held) = removals.try_next().await? {
                locked.packs += u64::from(held.is_some());
                locked.bytes += held.unwrap_or(0);
                progress.add(1, 0);
            }
        }
    }
    for leftover in leftovers {
        repository.files().delete(&leftover.at).await?;
        progress.add(1, 0);
    }
    repository.index().refresh().await?;
    Ok(locked)
}

/// Writes what only obsolete index files have to say of packs that stay. Returns those files.
async fn replace_index(
    repository: &Repository,
    inventory: &Inventory,
    decisions: &Decisions,
) -> Result<Vec<Id>> {
    let (files, cipher) = (repository.files(), repository.cipher());
    let (obsolete, kept) = decisions.obsolete(inventory);
    let named: HashSet<usize> = kept
        .iter()
        .flat_map(|index| index.packs.iter().copied())
        .collect();
    let mut seen = HashSet::new();
    let mut batch: Vec<IndexedPack> = Vec::new();
    for number in obsolete
        .iter()
        .flat_map(|index| index.packs.iter().copied())
    {
        if named.contains(&number) || !decisions.keeps(number) || !seen.insert(number) {
            continue;
        }
        batch.push(inventory.indexed(&inventory.packs[number]));
        if batch.iter().map(|pack| pack.entries.len()).sum::<usize>() >= MOST_BLOBS {
            file::write(files, cipher, &std::mem::take(&mut batch)).await?;
        }
    }
    if !batch.is_empty() {
        file::write(files, cipher, &batch).await?;
    }
    Ok(obsolete.iter().map(|index| index.id).collect())
}

/// The size of a file that the storage holds, and which therefore stays.
async fn remove(repository: Repository, kind: FileKind, id: Id, size: u64) -> Result<Option<u64>> {
    match repository.files().remove(kind, id).await {
        Err(Error::ObjectLocked { .. }) => Ok(Some(size)),
        removed => removed.map(|()| None),
    }
}
