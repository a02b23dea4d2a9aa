//! Copies snapshots into another repository: what is missing there, and nothing twice.
//!
//! Blobs have the same ids everywhere, since they are hashes of clear bytes; only their encryption differs. The trees of each
//! snapshot are read from the source, each once in a copy, and all that they name is looked up in the target's index: also below
//! trees that the target has, and of snapshots that it has, so that a copy brings back what a target lost. What it lacks is
//! verified by its hash on the way. The index is written every now and then, so that a copy that was killed goes on from there. At
//! last the trees that were stored are read back from the target, and only then the snapshot is written.

mod trees;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use model::Reporter;
use serde::Serialize;

use crate::crypto::Cipher;
use crate::fetch::fetch;
use crate::index::table::Place;
use crate::links::Links;
use crate::pack::Entry;
use crate::progress::Progress;
use crate::{
    BlobType, Error, Holder, Id, LockGuard, Repository, Result, Snapshot, SnapshotId, TreeId,
    Writer,
};
use trees::Trees;

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
    /// The target had them; what it had lost of them is there again.
    pub snapshots_present: u64,
    /// Blobs that the target lacked.
    pub blobs_copied: u64,
    /// Of those blobs, clear.
    pub bytes_copied: u64,
    /// Of those blobs, as the target stores them.
    pub bytes_stored: u64,
    pub packs: u64,
    /// Trees that were stored, and read back from the target; all that they name is in its index.
    pub trees_proved: u64,
}

impl Repository {
    /// Copies these snapshots, oldest first, to `target`, and brings back there what it lost of them. Both are locked shared meanwhile; this
    /// one, which is only read, where that is possible. One of which something is lost at both ends is named in the end, and all others are copied.
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
            whole: HashSet::new(),
            scheduled: HashSet::new(),
            new: Vec::new(),
            lost: None,
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
    /// Trees of earlier snapshots: the target has all that they name.
    whole: HashSet<TreeId>,
    /// Blobs that are to be stored, or are stored and not yet in the index.
    scheduled: HashSet<(BlobType, Id)>,
    /// Trees that were stored and not yet read back.
    new: Vec<TreeId>,
    /// The first content that cannot be had; what can be had is stored all the same.
    lost: Option<Error>,
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
        let mut broken = Broken::default();
        let snapshots = self.source.snapshots().await?;
        // What the target has must be certain.
        self.target.index().load_all().await?;
        for (id, snapshot) in snapshots.into_iter().filter(|(id, _)| wanted.contains(id)) {
            match self.bring(snapshot.tree, &mut progress).await {
                Err(error) if error.is_damage() => {
                    self.scheduled.clear();
                    self.new.clear();
                    self.lost = None;
                    broken.add(id, error);
                    continue;
                }
                brought => brought?,
            }
            if there.has(id, &snapshot) {
                self.report.snapshots_present += 1;
                continue;
            }
            let copy = Snapshot {
                parent: None,
                original: Some(snapshot.original.unwrap_or(id)),
                ..snapshot
            };
            let new = self.writer.commit(&copy, self.lock).await?;
            there.add(new, &copy);
            self.report.snapshots_copied += 1;
        }
        broken.into_result()
    }

    /// Sees to it that the target has all of a tree.
    async fn bring(&mut self, tree: TreeId, progress: &mut Progress<'_>) -> Result<()> {
        let read = self.content(tree, progress).await?;
        self.writer.flush().await?;
        self.scheduled.clear();
        if let Some(error) = self.lost.take() {
            return Err(error);
        }
        self.prove(progress).await?;
        self.whole.extend(read);
        Ok(())
    }

    /// Stores what the target lacks of a tree; answers the trees that were read.
    async fn content(
        &mut self,
        tree: TreeId,
        progress: &mut Progress<'_>,
    ) -> Result<HashSet<TreeId>> {
        let mut trees = Trees::new(self.source, self.target, tree);
        let mut missing = Vec::new();
        while let Some(batch) = trees.next(&self.whole).await? {
            for found in batch {
                progress.add(1, 0);
                for id in found.links.blobs {
                    if self.lacks(BlobType::Data, id) {
                        missing.push(id);
                    }
                }
                if self.lacks(BlobType::Tree, found.id) {
                    self.writer.blob(BlobType::Tree, &found.bytes).await?;
                    self.new.push(found.id);
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
        self.data(missing, progress).await?;
        Ok(trees.seen)
    }

    fn lacks(&mut self, kind: BlobType, id: Id) -> bool {
        self.target.index().peek(kind, &id).is_none() && self.scheduled.insert((kind, id))
    }

    async fn data(&mut self, ids: Vec<Id>, progress: &mut Progress<'_>) -> Result<()> {
        let kind = BlobType::Data;
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            match self.source.index().find(kind, &id).await? {
                Some(place) => places.push(place),
                None => self.lose(Error::BlobMissing { kind, id })?,
            }
        }
        let mut read = fetch(self.source, places, clear).boxed();
        while let Some(batch) = read.try_next().await? {
            for (_, bytes) in batch {
                match bytes {
                    Ok(bytes) => {
                        self.writer.blob(kind, &bytes).await?;
                        progress.add(1, bytes.len() as u64);
                    }
                    Err(error) => self.lose(error)?,
                }
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

    fn lose(&mut self, error: Error) -> Result<()> {
        if !error.is_damage() {
            return Err(error);
        }
        self.lost.get_or_insert(error);
        Ok(())
    }

    /// Reads the trees that were stored from the target and looks for all that they name in its index.
    async fn prove(&mut self, progress: &mut Progress<'_>) -> Result<()> {
        if self.new.is_empty() {
            return Ok(());
        }
        let index = self.target.index();
        index.refresh().await?;
        index.load_all().await?;
        for some in std::mem::take(&mut self.new).chunks(BLOBS) {
            let places = some.iter().map(|id| self.place(BlobType::Tree, *id));
            let places = places.collect::<Result<_>>()?;
            let mut read = fetch(self.target, places, Links::open).boxed();
            while let Some(batch) = read.try_next().await? {
                for (_, links) in batch {
                    let links = links?;
                    for id in links.trees {
                        self.place(BlobType::Tree, id)?;
                    }
                    for id in links.blobs {
                        self.place(BlobType::Data, id)?;
                    }
                    progress.add(1, 0);
                    self.report.trees_proved += 1;
                }
            }
        }
        Ok(())
    }

    /// Where the target has it; its index is loaded.
    fn place(&self, kind: BlobType, id: Id) -> Result<Place> {
        let place = self.target.index().peek(kind, &id);
        place.ok_or(Error::BlobMissing { kind, id })
    }
}

/// Snapshots of which something is lost at both ends.
#[derive(Default)]
struct Broken {
    first: Option<(SnapshotId, Error)>,
    others: usize,
}

impl Broken {
    fn add(&mut self, id: SnapshotId, error: Error) {
        if self.first.is_none() {
            self.first = Some((id, error));
        } else {
            self.others += 1;
        }
    }

    fn into_result(self) -> Result<()> {
        let others = self.others;
        self.first.map_or(Ok(()), |(snapshot, cause)| {
            let cause = Arc::new(cause);
            Err(Error::CopyBroken {
                snapshot,
                others,
                cause,
            })
        })
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
}

impl There {
    async fn read(target: &Repository) -> Result<Self> {
        let mut there = Self {
            by_origin: HashMap::new(),
        };
        for (id, snapshot) in target.snapshots().await? {
            there.add(id, &snapshot);
        }
        Ok(there)
    }

    fn add(&mut self, id: SnapshotId, snapshot: &Snapshot) {
        for origin in snapshot.original.into_iter().chain([id]) {
            self.by_origin
                .entry(origin)
                .or_default()
                .push(snapshot.clone());
        }
    }

    /// restic's rule: the same origin, and nothing that a person sees of it differs.
    fn has(&self, id: SnapshotId, snapshot: &Snapshot) -> bool {
        let origin = snapshot.original.unwrap_or(id);
        let known = self.by_origin.get(&origin);
        known.is_some_and(|known| known.iter().any(|other| is_similar(other, snapshot)))
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
