//! Copies snapshots into another repository: what is missing there, and nothing twice.
//!
//! Blobs have the same ids everywhere, since they are hashes of clear bytes; only their encryption differs. A tree that the
//! target's last snapshot of the same source has in the same depth is whole there and is not read. All else is verified by its
//! hash on the way, and stored unless the target's index names it. The index is written every now and then, so that a copy that
//! was killed goes on from there. At last the new trees are read back from the target, and only then the snapshot is written.

mod trees;

use std::collections::{HashMap, HashSet};

use futures::{StreamExt as _, TryStreamExt as _};
use model::Reporter;
use serde::Serialize;

use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::pack::Entry;
use crate::progress::Progress;
use crate::repair::is_repaired;
use crate::{
    BlobType, Error, Holder, Id, LockGuard, Repository, Result, Snapshot, SnapshotId, TreeId,
    Writer,
};
use trees::NewTrees;

/// Blobs whose places are in memory at once.
const BLOBS: usize = 16_384;
/// Blobs on their way that are remembered.
const REMEMBERED: usize = 200_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyOptions {
    /// After so many stored bytes the index is written; this much is sent again at most after a kill.
    pub index_every: u64,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self {
            index_every: 256 << 20,
        }
    }
}

/// What a copy did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CopyReport {
    pub snapshots_copied: u64,
    /// The target had them.
    pub snapshots_present: u64,
    /// Blobs that the target lacked.
    pub blobs_copied: u64,
    /// Of those blobs, clear.
    pub bytes_copied: u64,
    /// Of those blobs, as the target stores them.
    pub bytes_stored: u64,
    pub packs: u64,
    /// Trees of the copied snapshots that were read back from the target; all that they name is in its index.
    pub trees_proved: u64,
}

impl Repository {
    /// Copies these snapshots, oldest first, to `target`. Both are locked shared meanwhile; this one, which is only read, where that is possible.
    pub async fn copy_to(
        &self,
        target: &Self,
        snapshots: &[SnapshotId],
        holder: &Holder,
        options: &CopyOptions,
        reporter: &dyn Reporter,
    ) -> Result<CopyReport> {
        let source_lock = self.lock_to_read(holder, reporter).await?;
        let target_lock = match target.lock_shared(holder).await {
            Ok(lock) => lock,
            Err(error) => {
                source_lock.release().await?;
                return Err(error);
            }
        };
        let mut copy = Copy {
            source: self,
            target,
            writer: target.writer(),
            lock: &target_lock,
            options,
            scheduled: HashSet::new(),
            indexed: 0,
            report: CopyReport::default(),
        };
        let result = copy.run(snapshots, reporter).await;
        let report = copy.report();
        let released = (source_lock.release().await, target_lock.release().await);
        result?;
        released.0?;
        released.1?;
        Ok(report)
    }
}

struct Copy<'a> {
    source: &'a Repository,
    target: &'a Repository,
    writer: Writer,
    lock: &'a LockGuard,
    options: &'a CopyOptions,
    /// Blobs that are to be stored, or are stored and not yet in the index.
    scheduled: HashSet<(BlobType, Id)>,
    /// Stored bytes that an index names.
    indexed: u64,
    report: CopyReport,
}

impl Copy<'_> {
    fn report(&self) -> CopyReport {
        let stored = self.writer.stored();
        CopyReport {
            blobs_copied: stored.blobs,
            bytes_copied: stored.clear_bytes,
            bytes_stored: stored.stored_bytes,
            packs: stored.packs,
            ..self.report
        }
    }

    async fn run(&mut self, wanted: &[SnapshotId], reporter: &dyn Reporter) -> Result<()> {
        let wanted: HashSet<SnapshotId> = wanted.iter().copied().collect();
        let mut there = There::read(self.target).await?;
        let mut progress = Progress::begin(reporter, "copy", None);
        let mut seen = HashSet::new();
        let snapshots = self.source.snapshots().await?;
        for (id, snapshot) in snapshots.into_iter().filter(|(id, _)| wanted.contains(id)) {
            let present = there.has(id, &snapshot);
            if present && !there.damaged.contains(&snapshot.tree) {
                self.report.snapshots_present += 1;
                continue;
            }
            // At the first one: what the target has must be certain.
            self.target.index().load_all().await?;
            let base = there.base(&snapshot);
            self.content(snapshot.tree, base, &mut seen, &mut progress)
                .await?;
            self.writer.flush().await?;
            self.scheduled.clear();
            self.prove(snapshot.tree, base, &mut progress).await?;
            if present {
                self.report.snapshots_present += 1;
                continue;
            }
            let copy = Snapshot {
                parent: None,
                original: Some(snapshot.original.unwrap_or(id)),
                ..snapshot
            };
            let new = self.writer.commit(&copy, self.lock).await?;
            there.add(new, copy);
            self.report.snapshots_copied += 1;
        }
        Ok(())
    }

    /// Stores what the target lacks of a tree. `seen` has the trees of earlier snapshots of this copy.
    async fn content(
        &mut self,
        tree: TreeId,
        base: Option<TreeId>,
        seen: &mut HashSet<TreeId>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let mut trees = NewTrees::new(self.source, self.target, tree, base);
        let mut missing = Vec::new();
        while let Some(batch) = trees.next(seen).await? {
            for found in batch {
                progress.add(1, 0);
                for id in found.links.blobs {
                    if self.lacks(BlobType::Data, id) {
                        missing.push(id);
                    }
                }
                if self.lacks(BlobType::Tree, found.id) {
                    self.writer.blob(BlobType::Tree, &found.bytes).await?;
                }
                if missing.len() >= BLOBS {
                    self.data(std::mem::take(&mut missing), progress).await?;
                }
            }
            // The writer stores nothing twice by itself: this only saves reading twice what lies side by side.
            if self.scheduled.len() >= REMEMBERED {
                self.scheduled.clear();
            }
        }
        self.data(missing, progress).await
    }

    fn lacks(&mut self, kind: BlobType, id: Id) -> bool {
        self.target.index().peek(kind, &id).is_none() && self.scheduled.insert((kind, id))
    }

    async fn data(&mut self, ids: Vec<Id>, progress: &mut Progress<'_>) -> Result<()> {
        let kind = BlobType::Data;
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            let place = self.source.index().find(kind, &id).await?;
            places.push(place.ok_or(Error::BlobMissing { kind, id })?);
        }
        let mut read = fetch(self.source, places, clear).boxed();
        while let Some(batch) = read.try_next().await? {
            for (_, bytes) in batch {
                let bytes = bytes?;
                self.writer.blob(kind, &bytes).await?;
                progress.add(1, bytes.len() as u64);
            }
            let stored = self.writer.stored().stored_bytes;
            if stored - self.indexed >= self.options.index_every {
                self.writer.flush().await?;
                self.scheduled.clear();
                self.indexed = stored;
            }
        }
        Ok(())
    }

    /// Reads the new trees from the target and looks for all that they name in its index.
    async fn prove(
        &mut self,
        tree: TreeId,
        base: Option<TreeId>,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        self.target.index().refresh().await?;
        self.target.index().load_all().await?;
        let mut trees = NewTrees::new(self.target, self.target, tree, base);
        let mut seen = HashSet::new();
        while let Some(batch) = trees.next(&mut seen).await? {
            for found in batch {
                progress.add(1, 0);
                self.report.trees_proved += 1;
                for id in found.links.blobs {
                    let kind = BlobType::Data;
                    if self.target.index().peek(kind, &id).is_none() {
                        return Err(Error::BlobMissing { kind, id });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The clear bytes, verified by their hash.
fn clear(cipher: &Cipher, entry: &Entry, sealed: &[u8]) -> Result<Vec<u8>> {
    entry.decode(cipher, sealed)
}

/// The target's snapshots.
struct There {
    /// By their id, and by that of the snapshot that they are a copy of.
    by_origin: HashMap<SnapshotId, Vec<Snapshot>>,
    /// The newest of each host and paths.
    newest: HashMap<(String, Vec<String>), Snapshot>,
    /// Trees of which a repair found that something is lost: they are no proof that anything is there, and are copied again.
    damaged: HashSet<TreeId>,
}

impl There {
    async fn read(target: &Repository) -> Result<Self> {
        let snapshots = target.snapshots().await?;
        let repaired = snapshots
            .iter()
            .filter(|(_, snapshot)| is_repaired(snapshot));
        let originals: HashSet<Id> = repaired
            .filter_map(|(_, snapshot)| snapshot.original)
            .collect();
        let damaged = snapshots
            .iter()
            .filter(|(id, _)| originals.contains(id))
            .map(|(_, snapshot)| snapshot.tree)
            .collect();
        let mut there = Self {
            by_origin: HashMap::new(),
            newest: HashMap::new(),
            damaged,
        };
        for (id, snapshot) in snapshots {
            there.add(id, snapshot);
        }
        Ok(there)
    }

    fn add(&mut self, id: SnapshotId, snapshot: Snapshot) {
        for origin in snapshot.original.into_iter().chain([id]) {
            self.by_origin
                .entry(origin)
                .or_default()
                .push(snapshot.clone());
        }
        if !self.damaged.contains(&snapshot.tree) {
            let group = (snapshot.hostname.clone(), snapshot.paths.clone());
            self.newest.insert(group, snapshot);
        }
    }

    /// restic's rule: the same origin, and nothing that a person sees of it differs.
    fn has(&self, id: SnapshotId, snapshot: &Snapshot) -> bool {
        let origin = snapshot.original.unwrap_or(id);
        let known = self.by_origin.get(&origin);
        known.is_some_and(|known| known.iter().any(|other| is_similar(other, snapshot)))
    }

    fn base(&self, snapshot: &Snapshot) -> Option<TreeId> {
        let group = (snapshot.hostname.clone(), snapshot.paths.clone());
        self.newest.get(&group).map(|snapshot| snapshot.tree)
    }
}

fn is_similar(one: &Snapshot, other: &Snapshot) -> bool {
    let extra = |snapshot: &Snapshot| {
        ["uid", "gid", "excludes"].map(|name| snapshot.extra.get(name).cloned())
    };
    (one.time, one.tree) == (other.time, other.tree)
        && (&one.hostname, &one.username) == (&other.hostname, &other.username)
        && (&one.paths, &one.tags) == (&other.paths, &other.tags)
        && extra(one) == extra(other)
}
