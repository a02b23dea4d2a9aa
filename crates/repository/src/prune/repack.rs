//! Copies what is wanted of some packs into new ones, and names these in the index. Removes nothing.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures::TryStreamExt as _;
use model::Reporter;

use super::plan::{Decisions, Fate};
use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::index::file::{self, IndexedPack, MOST_BLOBS};
use crate::index::table::Place;
use crate::inventory::Inventory;
use crate::pack::Entry;
use crate::pack::writer::{FinishedPack, Packer};
use crate::progress::Progress;
use crate::{BlobType, FileKind, LockGuard, PackId, Repository, Result};

/// Places in memory at once.
const BLOBS: usize = 16_384;
/// A repacking that is killed has lost no more than this.
const BETWEEN_INDEXES: u64 = 512 << 20;

/// What a repacking did.
#[derive(Default)]
pub(super) struct Repacked {
    /// Packs whose blobs are now in others.
    pub(super) retired: HashSet<PackId>,
    pub(super) written: HashSet<PackId>,
    pub(super) blobs: u64,
    pub(super) bytes: u64,
}

struct Repacker<'a> {
    repository: &'a Repository,
    lock: &'a LockGuard,
    packers: HashMap<BlobType, Packer>,
    stored: Vec<IndexedPack>,
    stored_bytes: u64,
    done: Repacked,
}

/// Rewrites what `decisions` says, each blob verified on the way.
pub(super) async fn repack(
    repository: &Repository,
    lock: &LockGuard,
    inventory: &Inventory,
    decisions: &Decisions,
    reporter: &dyn Reporter,
) -> Result<Repacked> {
    let packs = decisions.packs_to(inventory, Fate::Repack);
    let mut repacker = Repacker {
        repository,
        lock,
        packers: [BlobType::Data, BlobType::Tree]
            .map(|kind| (kind, Packer::new(kind)))
            .into(),
        stored: Vec::new(),
        stored_bytes: 0,
        done: Repacked::default(),
    };
    if packs.is_empty() {
        return Ok(repacker.done);
    }
    let mut progress = Progress::begin(reporter, "repack", Some(packs.len() as u64));
    let mut places = Vec::new();
    for pack in &packs {
        let entries = decisions.to_copy(inventory, pack);
        places.extend(entries.map(|entry| Place {
            pack: pack.id,
            entry,
        }));
        if places.len() >= BLOBS {
            repacker.copy(std::mem::take(&mut places)).await?;
        }
        progress.add(1, pack.size);
    }
    repacker.copy(places).await?;
    repacker.finish().await?;
    let mut done = repacker.done;
    done.retired = packs.iter().map(|pack| pack.id).collect();
    Ok(done)
}

/// The encrypted blob as it is, once it is known to be what it has to be.
fn verified(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Vec<u8>> {
    entry.decode(cipher, sealed).map(|_| sealed.to_vec())
}

impl Repacker<'_> {
    async fn copy(&mut self, places: Vec<Place>) -> Result<()> {
        let mut read = std::pin::pin!(fetch(self.repository, places, verified));
        while let Some(batch) = read.try_next().await? {
            for (entry, sealed) in batch {
                let sealed = sealed?;
                let Some(packer) = self.packers.get_mut(&entry.kind) else {
                    continue;
                };
                packer.add_sealed(&entry, &sealed);
                if packer.is_full() {
                    let pack = packer.finish(self.repository.cipher());
                    self.store(pack).await?;
                }
            }
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<()> {
        for kind in [BlobType::Data, BlobType::Tree] {
            if let Some(packer) = self.packers.get_mut(&kind)
                && !packer.is_empty()
            {
                let pack = packer.finish(self.repository.cipher());
                self.store(pack).await?;
            }
        }
        self.save_index().await
    }

    async fn store(&mut self, pack: FinishedPack) -> Result<()> {
        let FinishedPack { id, bytes, entries } = pack;
        self.done.blobs += entries.len() as u64;
        self.done.bytes += bytes.len() as u64;
        self.stored_bytes += bytes.len() as u64;
        self.done.written.insert(id);
        let files = self.repository.files();
        files
            .write_kept(FileKind::Pack, id, Bytes::from(bytes))
            .await?;
        self.stored.push(IndexedPack { id, entries });
        let blobs: usize = self.stored.iter().map(|pack| pack.entries.len()).sum();
        if blobs >= MOST_BLOBS || self.stored_bytes >= BETWEEN_INDEXES {
            self.save_index().await?;
        }
        Ok(())
    }

    async fn save_index(&mut self) -> Result<()> {
        if self.stored.is_empty() {
            return Ok(());
        }
        // Without the lock someone may have taken the new packs for waste: an index must not name what is gone.
        self.lock.verify(self.repository).await?;
        self.stored_bytes = 0;
        let packs = std::mem::take(&mut self.stored);
        // Not into the index in memory, which would only grow: nobody looks for these blobs here.
        let (files, cipher) = (self.repository.files(), self.repository.cipher());
        file::write(files, cipher, &packs).await.map(drop)
    }
}
