//! A repository: open or make one, and read what is in it.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use model::{Reporter, Secret};
use object_store::ObjectStore;
use tokio_util::task::TaskTracker;

use crate::ahead::{ReadAhead, RecentTrees};
use crate::config::{self, Config};
use crate::crypto::{Cipher, KeyBytes, random_bytes};
use crate::files::Files;
use crate::index::Index;
use crate::tree::path::TreePath;
use crate::tree::raw::RawTree;
use crate::{
    BlobId, BlobType, Error, FileKind, Holder, Id, KeyInfo, LockGuard, LockInfo, Node, ObjectLock,
    ReadLock, Result, Snapshot, SnapshotId, Tree, TreeId, Writer, key, lock,
};

/// Small files are fetched side by side: the storage may be far away.
const READS_AT_ONCE: usize = 8;

/// The key of a repository whose making was cut short before its config: nothing can be stored in it. One that holds anything has lost its config.
async fn begun(files: &Files, password: &Secret) -> Result<Option<(Id, KeyBytes)>> {
    let exists = || Err(Error::Exists(files.place()));
    let keys = files.list(FileKind::Key).await?;
    if files.read_config().await?.is_some() || files.read_config_copy().await?.is_some() {
        return exists();
    }
    if keys.is_empty() {
        return Ok(None);
    }
    for kind in [FileKind::Snapshot, FileKind::Index, FileKind::Pack] {
        if !files.list(kind).await?.is_empty() {
            return exists();
        }
    }
    match key::open(files, password).await {
        Err(Error::WrongPassword { .. } | Error::Damaged { .. }) => exists(),
        key => key.map(Some),
    }
}

/// The one snapshot whose id begins so.
fn only(text: &str, ids: HashSet<SnapshotId>) -> Result<SnapshotId> {
    let prefix = text.to_ascii_lowercase();
    let begins = |id: &Id| !prefix.is_empty() && id.to_string().starts_with(&prefix);
    let mut found: Vec<Id> = ids.into_iter().filter(begins).collect();
    found.sort_unstable();
    match found.as_slice() {
        [] => Err(Error::SnapshotUnknown(text.to_owned())),
        [id] => Ok(*id),
        _ => Err(Error::SnapshotAmbiguous {
            prefix,
            candidates: found,
        }),
    }
}

/// Who makes a repository or a key, and when.
#[derive(Debug, Clone)]
pub struct InitOptions {
    pub created: Timestamp,
    pub hostname: String,
    pub username: String,
}

/// Cheap to clone; all clones share one index and one key.
#[derive(Clone)]
pub struct Repository(Arc<Inner>);

struct Inner {
    files: Files,
    config: Config,
    master: KeyBytes,
    cipher: Cipher,
    key_id: Id,
    index: Index,
    ahead: ReadAhead,
    trees: RecentTrees,
    tasks: TaskTracker,
    /// Bytes of the packs that were written through this handle.
    written: Arc<AtomicU64>,
    /// What its files are held by.
    object_lock: OnceLock<ObjectLock>,
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.id()).finish()
    }
}

impl Repository {
    /// Makes a repository, or goes on where that was cut short; refuses a place that has one.
    pub async fn init(
        store: Arc<dyn ObjectStore>,
        password: &Secret,
        options: &InitOptions,
    ) -> Result<Self> {
        let files = Files::new(store);
        let config = Config::random();
        let (key_id, master) = if let Some(begun) = begun(&files, password).await? {
            begun
        } else {
            let master = KeyBytes::new(random_bytes());
            let by = (options.hostname.as_str(), options.username.as_str());
            let id = key::add(&files, &master, password, by, options.created).await?;
            (id, master)
        };
        // The config is neither compressed nor named by its hash, and comes last: without it there is no repository.
        let sealed = config.seal(&Cipher::new(&master))?;
        files.create_config(sealed).await?;
        Ok(Self::assemble(files, config, master, key_id))
    }

    /// Opens a repository with the password of any of its keys; takes 0.1 s or more by design.
    pub async fn open(store: Arc<dyn ObjectStore>, password: &Secret) -> Result<Self> {
        let files = Files::new(store);
        if !key::any(&files).await? && files.read_config().await?.is_none() {
            return Err(Error::NotFound(files.place()));
        }
        let (key_id, master) = key::open(&files, password).await?;
        let config = config::load(&files, &Cipher::new(&master)).await?;
        Ok(Self::assemble(files, config, master, key_id))
    }

    pub(crate) fn assemble(files: Files, config: Config, master: KeyBytes, key_id: Id) -> Self {
        let cipher = Cipher::new(&master);
        let index = Index::new(files.clone(), cipher.clone());
        Self(Arc::new(Inner {
            files,
            config,
            master,
            cipher,
            key_id,
            index,
            ahead: ReadAhead::default(),
            trees: RecentTrees::default(),
            tasks: TaskTracker::new(),
            written: Arc::default(),
            object_lock: OnceLock::new(),
        }))
    }

    /// Bytes of the packs that were written through this handle and its clones, whatever became of them.
    pub fn written(&self) -> u64 {
        self.0.written.load(Ordering::Relaxed)
    }

    pub(crate) fn count_written(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.0.written)
    }

    pub(crate) fn files(&self) -> &Files {
        &self.0.files
    }

    /// From now on nothing is committed that this lock does not hold.
    pub(crate) fn hold_by(&self, lock: &ObjectLock) {
        self.0.object_lock.get_or_init(|| lock.clone());
    }

    pub(crate) fn object_lock(&self) -> Option<&ObjectLock> {
        self.0.object_lock.get()
    }

    pub(crate) fn cipher(&self) -> &Cipher {
        &self.0.cipher
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Differs between repositories, and nobody without the key knows it.
    pub(crate) fn chunk_seed(&self) -> u64 {
        let digest = Id::of(&[self.0.master.as_slice(), b"chunk sizes"].concat());
        digest
            .0
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }

    /// Of the repository, as restic shows it.
    pub fn id(&self) -> Id {
        self.0.config.id
    }

    pub async fn keys(&self) -> Result<Vec<KeyInfo>> {
        key::list(self.files(), self.0.key_id).await
    }

    /// The key that has this password: a second one would stay when the first is removed.
    pub async fn key_of(&self, password: &Secret) -> Result<Option<Id>> {
        key::of_password(self.files(), password).await
    }

    /// Lets `password` open the repository too; ask [`Repository::key_of`] first.
    pub async fn add_key(&self, password: &Secret, options: &InitOptions) -> Result<Id> {
        let by = (options.hostname.as_str(), options.username.as_str());
        key::add(self.files(), &self.0.master, password, by, options.created).await
    }

    /// Fails for the key that opened this repository, so that one always remains.
    pub async fn remove_key(&self, id: Id) -> Result<()> {
        if id == self.0.key_id {
            return Err(Error::KeyInUse(id));
        }
        if !self.files().exists(FileKind::Key, id).await? {
            return Err(Error::FileMissing {
                kind: FileKind::Key,
                id,
            });
        }
        self.files().remove(FileKind::Key, id).await
    }

    /// For restore, verify and check: prevents that data is removed meanwhile, where a lock can be written at all.
    pub async fn lock_to_read(&self, holder: &Holder, reporter: &dyn Reporter) -> Result<ReadLock> {
        lock::acquire_to_read(self, holder, reporter).await
    }

    /// For whoever writes: prevents that data is removed meanwhile.
    pub async fn lock_shared(&self, holder: &Holder) -> Result<LockGuard> {
        lock::acquire(self, holder, false).await
    }

    /// For prune.
    pub async fn lock_exclusive(&self, holder: &Holder) -> Result<LockGuard> {
        lock::acquire(self, holder, true).await
    }

    /// Who holds locks, stale ones included.
    pub async fn locks(&self) -> Result<Vec<LockInfo>> {
        Ok(lock::list(self)
            .await?
            .into_iter()
            .map(|(_, info)| info)
            .collect())
    }

    /// Waits until the files of dropped locks are gone; forever if a lock is still held.
    pub async fn close(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    pub fn writer(&self) -> Writer {
        Writer::new(self.clone())
    }

    /// All snapshots, oldest first. One that is damaged is an error: who removes data must know them all.
    pub async fn snapshots(&self) -> Result<Vec<(SnapshotId, Snapshot)>> {
        let (snapshots, damaged) = self.readable_snapshots().await?;
        damaged.into_iter().next().map_or(Ok(snapshots), Err)
    }

    /// The snapshots that can be read, oldest first, and what is wrong with each of the others.
    pub async fn readable_snapshots(&self) -> Result<(Vec<(SnapshotId, Snapshot)>, Vec<Error>)> {
        let listed = self.files().list(FileKind::Snapshot).await?;
        let read = listed
            .into_iter()
            .map(|file| async move { (file.id, self.snapshot(file.id).await) });
        let mut read = stream::iter(read).buffer_unordered(READS_AT_ONCE);
        let (mut snapshots, mut damaged) = (Vec::new(), Vec::new());
        while let Some((id, found)) = read.next().await {
            match found {
                Ok(snapshot) => snapshots.push((id, snapshot)),
                // Forgotten since the listing.
                Err(Error::FileMissing { .. }) => {}
                Err(error @ Error::Damaged { .. }) => damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        snapshots.sort_by_key(|(id, snapshot)| (snapshot.time, *id));
        Ok((snapshots, damaged))
    }

    pub async fn snapshot(&self, id: SnapshotId) -> Result<Snapshot> {
        self.files()
            .read_json(self.cipher(), FileKind::Snapshot, id)
            .await
    }

    /// Finds a snapshot by `latest` (the newest of Keepward's own, or else of all) or the beginning of its id.
    pub async fn resolve(&self, text: &str) -> Result<SnapshotId> {
        let unknown = || Error::SnapshotUnknown(text.to_owned());
        if text == "latest" {
            let (snapshots, damaged) = self.readable_snapshots().await?;
            for error in damaged {
                tracing::warn!(%error, "a snapshot that may be the latest is passed over");
            }
            let mut newest_first = snapshots.iter().rev();
            let own = newest_first.clone().find(|(_, snapshot)| snapshot.is_own());
            let latest = own.or_else(|| newest_first.next());
            return latest.map(|(id, _)| *id).ok_or_else(unknown);
        }
        only(text, self.snapshot_ids().await?)
    }

    /// The same for [`Repository::forget`], which can also accept that another program removed a snapshot and left its second copy.
    pub async fn resolve_to_forget(&self, text: &str) -> Result<SnapshotId> {
        if text == "latest" {
            return self.resolve(text).await;
        }
        let copies = self.files().list_copies(FileKind::Snapshot).await?;
        let mut ids = self.snapshot_ids().await?;
        ids.extend(copies.iter().map(|copy| copy.id));
        only(text, ids)
    }

    /// The bytes of all of its files, as the storage lists them.
    pub async fn size(&self) -> Result<u64> {
        let mut bytes = 0;
        for kind in [
            FileKind::Key,
            FileKind::Snapshot,
            FileKind::Index,
            FileKind::Pack,
        ] {
            let listed = self.files().list(kind).await?;
            bytes += listed.iter().map(|file| file.size).sum::<u64>();
        }
        Ok(bytes)
    }

    /// Removes snapshots from the list, and what is left of those that another program removed; [`Repository::prune`] frees their space.
    pub async fn forget(&self, ids: &[SnapshotId]) -> Result<()> {
        for id in ids {
            if !self.files().exists(FileKind::Snapshot, *id).await? {
                return Err(Error::SnapshotUnknown(id.to_string()));
            }
        }
        for id in ids {
            self.files().remove(FileKind::Snapshot, *id).await?;
        }
        Ok(())
    }

    /// Whether the index knows the blob; its pack is not read.
    pub async fn has(&self, kind: BlobType, id: BlobId) -> Result<bool> {
        Ok(self.index().find(kind, &id).await?.is_some())
    }

    /// The clear bytes of a blob, verified by their hash. One that cannot be read is stored again by whoever has its content.
    pub async fn blob(&self, kind: BlobType, id: BlobId) -> Result<Vec<u8>> {
        let read = match self.blob_once(kind, id).await {
            // Another process may have added the blob, or moved it into another pack, since we looked.
            Err(Error::BlobMissing { .. } | Error::FileMissing { .. }) => {
                self.index().refresh().await?;
                self.blob_once(kind, id).await
            }
            other => other,
        };
        if let Err(Error::Damaged { .. } | Error::FileMissing { .. }) = &read {
            self.index().note_unreadable(kind, id);
        }
        read
    }

    async fn blob_once(&self, kind: BlobType, id: BlobId) -> Result<Vec<u8>> {
        let place = self
            .index()
            .find(kind, &id)
            .await?
            .ok_or(Error::BlobMissing { kind, id })?;
        let start = u64::from(place.entry.offset);
        let range = start..start + u64::from(place.entry.length);
        let sealed = self.0.ahead.read(self.files(), place.pack, range).await?;
        place.entry.decode(self.cipher(), &sealed)
    }

    pub async fn tree(&self, id: TreeId) -> Result<Tree> {
        self.raw_tree(id).await?.tree()
    }

    pub(crate) async fn raw_tree(&self, id: TreeId) -> Result<Arc<RawTree>> {
        if let Some(tree) = self.0.trees.get(id) {
            return Ok(tree);
        }
        let tree = Arc::new(RawTree::parse(id, self.blob(BlobType::Tree, id).await?)?);
        self.0.trees.put(&tree);
        Ok(tree)
    }

    /// The node at `path` below `tree`; `None` if there is none. The root itself has no node.
    pub async fn find<P: TreePath + Sync + ?Sized>(
        &self,
        tree: TreeId,
        path: &P,
    ) -> Result<Option<Node>> {
        let parts: Vec<&str> = path.components().collect();
        let mut current = Some(tree);
        let mut node = None;
        for part in parts {
            let Some(id) = current else { return Ok(None) };
            node = self.raw_tree(id).await?.find(part)?;
            current = node.as_ref().and_then(|node| node.subtree);
            if node.is_none() {
                return Ok(None);
            }
        }
        Ok(node)
    }

    /// The whole content of a file; empty for anything else.
    pub async fn read(&self, node: &Node) -> Result<Bytes> {
        let blobs = node.content.as_deref().unwrap_or_default();
        if let [blob] = blobs {
            return Ok(self.blob(BlobType::Data, *blob).await?.into());
        }
        let mut bytes = Vec::new();
        for blob in blobs {
            bytes.extend(self.blob(BlobType::Data, *blob).await?);
        }
        Ok(bytes.into())
    }

    /// The content of a file, one blob (at most 8 MiB) at a time.
    pub fn stream(&self, node: &Node) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
        let blobs = node.content.clone().unwrap_or_default().into_iter();
        stream::try_unfold(
            (self.clone(), blobs),
            |(repository, mut blobs)| async move {
                let Some(blob) = blobs.next() else {
                    return Ok(None);
                };
                let bytes = repository.blob(BlobType::Data, blob).await?;
                Ok(Some((Bytes::from(bytes), (repository, blobs))))
            },
        )
    }

    /// A part of a file; reads only the blobs that it touches. Ends early where the file ends.
    pub async fn read_range(&self, node: &Node, range: Range<u64>) -> Result<Bytes> {
        let mut out = Vec::new();
        let mut start = 0;
        for id in node.content.iter().flatten() {
            if start >= range.end {
                break;
            }
            let missing = Error::BlobMissing {
                kind: BlobType::Data,
                id: *id,
            };
            let place = self
                .index()
                .find(BlobType::Data, id)
                .await?
                .ok_or(missing)?;
            let end = start + place.entry.clear_length();
            if end > range.start {
                let bytes = self.blob(BlobType::Data, *id).await?;
                let from = range.start.saturating_sub(start) as usize;
                let to = (range.end.min(end) - start) as usize;
                out.extend_from_slice(&bytes[from..to]);
            }
            start = end;
        }
        Ok(out.into())
    }

    /// The number of blobs that the index in memory holds; loads all of it.
    pub async fn count_blobs(&self) -> Result<usize> {
        self.index().load_all().await?;
        Ok(self.index().blobs())
    }

    /// Collects a walk; see [`Repository::walk`].
    pub async fn list(&self, tree: TreeId) -> Result<Vec<(String, Node)>> {
        self.walk(tree, "").try_collect().await
    }
}
