//! Decides what to keep, repack and remove, without changing anything.

use std::collections::{HashMap, HashSet};

use super::{PruneReport, sorted};
use crate::index::file::{self, IndexedPack};
use crate::pack::Entry;
use crate::{BlobType, Error, FileKind, Id, PackId, Repository, Result};

/// A blob by type and id.
type Key = (BlobType, Id);

pub(super) struct Plan {
    /// Packs to rewrite, each with the blobs to keep alone.
    pub(super) repack: Vec<IndexedPack>,
    /// Kept packs that only replaced index files name.
    pub(super) reindex: Vec<IndexedPack>,
    pub(super) replaced_indexes: Vec<Id>,
    /// Packs without a used blob, or without an index.
    remove: Vec<PackId>,
    pub(super) unwanted_bytes: u64,
    pub(super) report: PruneReport,
}

impl Plan {
    pub(super) fn is_nothing(&self) -> bool {
        self.repack.is_empty() && self.remove.is_empty() && self.replaced_indexes.is_empty()
    }

    pub(super) fn unwanted_packs(&self) -> Vec<PackId> {
        sorted(
            self.repack
                .iter()
                .map(|pack| pack.id)
                .chain(self.remove.iter().copied()),
        )
    }
}

pub(super) async fn make(repository: &Repository) -> Result<Plan> {
    repository.index().refresh().await?;
    let used = reachable(repository).await?;
    let sizes: HashMap<PackId, u64> = repository
        .files()
        .list(FileKind::Pack)
        .await?
        .iter()
        .map(|file| (file.id, file.size))
        .collect();
    let mut indexes = Vec::new();
    let mut packs: HashMap<PackId, Vec<Entry>> = HashMap::new();
    for listed in repository.files().list(FileKind::Index).await? {
        let read = file::read(repository.files(), repository.cipher(), listed.id).await?;
        indexes.push((
            listed.id,
            read.iter().map(|pack| pack.id).collect::<Vec<_>>(),
        ));
        for IndexedPack { id, mut entries } in read {
            entries.sort_by_key(|entry| entry.offset);
            if packs.get(&id).is_some_and(|known| *known != entries) {
                return Err(Error::damaged(
                    format_args!("the index of pack {id}"),
                    "two files say different things",
                ));
            }
            packs.insert(id, entries);
        }
    }
    let mut kept = assign(&packs, &sizes, &used);
    let missing = used.iter().find(|key| !kept.placed.contains(*key));
    if let Some(&(kind, id)) = missing {
        return Err(Error::BlobMissing { kind, id });
    }
    let whole = |id: &PackId| kept.wanted.get(id).map(Vec::len) == packs.get(id).map(Vec::len);
    let (replaced, intact): (Vec<_>, Vec<_>) = indexes
        .into_iter()
        .partition(|(_, ids)| !ids.iter().all(whole));
    let indexed: HashSet<PackId> = intact.into_iter().flat_map(|(_, ids)| ids).collect();
    let keep: Vec<PackId> = sorted(kept.wanted.keys().filter(|id| whole(id)).copied());
    let reindex = keep.iter().filter(|id| !indexed.contains(*id));
    let reindex = reindex
        .map(|id| IndexedPack {
            id: *id,
            entries: packs[id].clone(),
        })
        .collect();
    for id in &keep {
        kept.wanted.remove(id);
    }
    let mut repack: Vec<IndexedPack> = kept
        .wanted
        .into_iter()
        .map(|(id, entries)| IndexedPack { id, entries })
        .collect();
    repack.sort_by_key(|pack| pack.id);
    let remain: HashSet<PackId> = keep
        .iter()
        .copied()
        .chain(repack.iter().map(|pack| pack.id))
        .collect();
    let remove = sorted(sizes.keys().filter(|id| !remain.contains(*id)).copied());
    let size = |id: &PackId| sizes.get(id).copied().unwrap_or_default();
    let unwanted_bytes: u64 = remove
        .iter()
        .chain(repack.iter().map(|pack| &pack.id))
        .map(size)
        .sum();
    let rewritten: u64 = repack
        .iter()
        .flat_map(|pack| &pack.entries)
        .map(|entry| u64::from(entry.length))
        .sum();
    let total: u64 = packs.values().map(|entries| entries.len() as u64).sum();
    let report = PruneReport {
        dry_run: true,
        blobs_used: used.len() as u64,
        blobs_removed: total - used.len() as u64,
        packs_kept: keep.len() as u64,
        packs_repacked: repack.len() as u64,
        packs_removed: remove.len() as u64,
        bytes_before: sizes.values().sum(),
        bytes_freed: unwanted_bytes.saturating_sub(rewritten),
    };
    let replaced_indexes = replaced.into_iter().map(|(id, _)| id).collect();
    Ok(Plan {
        repack,
        reindex,
        replaced_indexes,
        remove,
        unwanted_bytes,
        report,
    })
}

#[derive(Default)]
struct Kept {
    /// For each pack with used blobs, those that are to be kept there.
    wanted: HashMap<PackId, Vec<Entry>>,
    placed: HashSet<Key>,
}

/// Gives every used blob one pack that exists; copies elsewhere are unwanted. Packs that need no change come first.
fn assign(
    packs: &HashMap<PackId, Vec<Entry>>,
    sizes: &HashMap<PackId, u64>,
    used: &HashSet<Key>,
) -> Kept {
    let mut kept = Kept::default();
    let (whole, partly): (Vec<_>, Vec<_>) = sorted(packs.keys().copied())
        .into_iter()
        .filter(|id| sizes.contains_key(id))
        .partition(|id| {
            packs[id]
                .iter()
                .all(|entry| used.contains(&(entry.kind, entry.id)))
        });
    for id in whole.into_iter().chain(partly) {
        let wanted: Vec<Entry> = packs[&id]
            .iter()
            .filter(|entry| {
                used.contains(&(entry.kind, entry.id)) && kept.placed.insert((entry.kind, entry.id))
            })
            .copied()
            .collect();
        if !wanted.is_empty() {
            kept.wanted.insert(id, wanted);
        }
    }
    kept
}

/// All blobs that snapshots reach. Any tree that cannot be read is an error: what it names must not be removed.
async fn reachable(repository: &Repository) -> Result<HashSet<Key>> {
    let mut used = HashSet::new();
    let mut waiting: Vec<Id> = repository
        .snapshots()
        .await?
        .iter()
        .map(|(_, snapshot)| snapshot.tree)
        .collect();
    while let Some(id) = waiting.pop() {
        if !used.insert((BlobType::Tree, id)) {
            continue;
        }
        for node in repository.tree(id).await?.nodes {
            waiting.extend(node.subtree);
            used.extend(
                node.content
                    .into_iter()
                    .flatten()
                    .map(|blob| (BlobType::Data, blob)),
            );
        }
    }
    Ok(used)
}
