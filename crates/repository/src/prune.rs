//! Frees the space of what no snapshot reaches.
//!
//! The order makes a crash harmless: new packs, new index, and only then are old index files and at last old packs
//! removed. A crash in between leaves files that the next prune removes.

mod plan;

use std::collections::HashMap;

use bytes::Bytes;
use serde::Serialize;

use crate::index::file::{self, IndexedPack, MOST_BLOBS};
use crate::pack::writer::{FinishedPack, Packer};
use crate::{BlobType, Error, FileKind, Id, LockGuard, PackId, Repository, Result};
use plan::Plan;

/// What a prune did, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct PruneReport {
    pub dry_run: bool,
    /// Blobs that snapshots reach, each counted once.
    pub blobs_used: u64,
    /// Blobs that go away, copies of used ones included.
    pub blobs_removed: u64,
    pub packs_kept: u64,
    pub packs_repacked: u64,
    /// Without repacked ones.
    pub packs_removed: u64,
    /// Of all packs, in bytes.
    pub bytes_before: u64,
    /// An estimate until the repacking is done.
    pub bytes_freed: u64,
}

impl Repository {
    /// Removes every blob that no snapshot reaches. `lock` must be exclusive. Refuses a repository with missing blobs.
    pub async fn prune(&self, lock: &LockGuard, dry_run: bool) -> Result<PruneReport> {
        if !lock.is_exclusive() {
            return Err(Error::LockLost("prune needs an exclusive lock"));
        }
        lock.verify(self).await?;
        let plan = plan::make(self).await?;
        let mut report = PruneReport {
            dry_run,
            ..plan.report
        };
        if dry_run || plan.is_nothing() {
            return Ok(report);
        }
        let repacked = repack(self, &plan).await?;
        lock.verify(self).await?;
        replace_index(self, &plan, &repacked.packs).await?;
        // The index no longer names these packs, and our lock kept everyone else from relying on them.
        lock.verify(self).await?;
        for id in plan.unwanted_packs() {
            self.files().remove(FileKind::Pack, id).await?;
        }
        self.index().refresh().await?;
        report.bytes_freed = plan.unwanted_bytes.saturating_sub(repacked.bytes);
        Ok(report)
    }
}

#[derive(Default)]
struct Repacked {
    packs: Vec<IndexedPack>,
    bytes: u64,
}

/// Copies the wanted blobs of partly used packs into new ones, each verified on the way.
async fn repack(repository: &Repository, plan: &Plan) -> Result<Repacked> {
    let mut packers: HashMap<BlobType, Packer> = [BlobType::Data, BlobType::Tree]
        .map(|kind| (kind, Packer::new(kind)))
        .into();
    let mut repacked = Repacked::default();
    for pack in &plan.repack {
        let bytes = repository.files().read(FileKind::Pack, pack.id).await?;
        for entry in &pack.entries {
            let range = entry.offset as usize..entry.offset as usize + entry.length as usize;
            let cut = || Error::damaged(format_args!("pack {}", pack.id), "it is cut short");
            let sealed = bytes.get(range).ok_or_else(cut)?;
            entry.decode(repository.cipher(), sealed)?;
            let Some(packer) = packers.get_mut(&entry.kind) else {
                continue;
            };
            packer.add_sealed(entry, sealed);
            if packer.is_full() {
                store(repository, packer, &mut repacked).await?;
            }
        }
    }
    for packer in packers.values_mut().filter(|packer| !packer.is_empty()) {
        store(repository, packer, &mut repacked).await?;
    }
    Ok(repacked)
}

async fn store(
    repository: &Repository,
    packer: &mut Packer,
    repacked: &mut Repacked,
) -> Result<()> {
    let FinishedPack { id, bytes, entries } = packer.finish(repository.cipher());
    repacked.bytes += bytes.len() as u64;
    repository
        .files()
        .write(FileKind::Pack, id, Bytes::from(bytes))
        .await?;
    repacked.packs.push(IndexedPack { id, entries });
    Ok(())
}

/// Writes what the replaced index files still had to say, together with the new packs, before it removes them.
async fn replace_index(repository: &Repository, plan: &Plan, new: &[IndexedPack]) -> Result<()> {
    let (files, cipher) = (repository.files(), repository.cipher());
    let mut batch: Vec<IndexedPack> = Vec::new();
    let mut written = Vec::new();
    for pack in plan.reindex.iter().chain(new) {
        batch.push(pack.clone());
        if batch.iter().map(|pack| pack.entries.len()).sum::<usize>() >= MOST_BLOBS {
            written.push(file::write(files, cipher, &std::mem::take(&mut batch)).await?);
        }
    }
    if !batch.is_empty() {
        written.push(file::write(files, cipher, &batch).await?);
    }
    for id in plan
        .replaced_indexes
        .iter()
        .filter(|id| !written.contains(id))
    {
        files.remove(FileKind::Index, *id).await?;
    }
    Ok(())
}

/// Ids in a stable order.
fn sorted(ids: impl IntoIterator<Item = PackId>) -> Vec<Id> {
    let mut ids: Vec<Id> = ids.into_iter().collect();
    ids.sort_unstable();
    ids
}
