//! Writes blobs into packs, packs into the index, and at last the snapshot.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinSet;

use crate::chunk::Chunker;
use crate::index::file::{IndexedPack, MOST_BLOBS};
use crate::pack::writer::{Compressor, FinishedPack, Packer};
use crate::tree::editor::{Change, TreeEditor};
use crate::tree::raw::RawTree;
use crate::{
    BlobId, BlobType, Error, FileKind, Id, LockGuard, Repository, Result, Snapshot, SnapshotId,
    TreeId,
};

/// Packs on their way to the storage while the next is filled; each is held in memory.
const MOST_UPLOADS: usize = 1;

/// The blobs of a file in order, and its size in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileContent {
    pub blobs: Vec<BlobId>,
    pub size: u64,
}

/// What a writer added to the repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Blobs that were new.
    pub blobs: u64,
    /// Of those blobs, clear.
    pub clear_bytes: u64,
    /// Of those blobs, compressed and encrypted.
    pub stored_bytes: u64,
    pub packs: u64,
}

/// A run's way into the repository. Take the lock first: the index is read anew by then.
///
/// Any failure is remembered, and no snapshot can be committed after it.
pub struct Writer {
    repository: Repository,
    zstd: Compressor,
    data: Packer,
    tree: Packer,
    /// Written here and not yet in the index that others see.
    pending: HashSet<(BlobType, Id), BuildHasherDefault<IdHasher>>,
    uploads: JoinSet<Result<Uploaded>>,
    uploaded: Vec<IndexedPack>,
    failed: Option<Arc<Error>>,
    generation: u64,
    stored: Stored,
}

/// A pack that is stored, and its memory for the next one.
struct Uploaded {
    pack: IndexedPack,
    kind: BlobType,
    buffer: Option<BytesMut>,
}

impl Writer {
    pub(crate) fn new(repository: Repository) -> Self {
        let generation = repository.index().generation();
        Self {
            repository,
            zstd: Compressor::new(),
            data: Packer::new(BlobType::Data),
            tree: Packer::new(BlobType::Tree),
            pending: HashSet::default(),
            uploads: JoinSet::new(),
            uploaded: Vec::new(),
            failed: None,
            generation,
            stored: Stored::default(),
        }
    }

    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    pub fn stored(&self) -> Stored {
        self.stored
    }

    /// Stores a blob unless the repository has it; may load the whole index once.
    pub async fn blob(&mut self, kind: BlobType, bytes: &[u8]) -> Result<BlobId> {
        let id = Id::of(bytes);
        if self.pending.contains(&(kind, id)) {
            return Ok(id);
        }
        let found = self.repository.index().find_readable(kind, &id).await;
        match self.guard(found)? {
            Some(place) => {
                if let Some(lock) = self.repository.object_lock() {
                    lock.rely_on(FileKind::Pack.path(place.pack));
                }
            }
            None => self.add(kind, id, bytes).await?,
        }
        Ok(id)
    }

    /// Like [`Writer::blob`] for content that is known to be new: loads no index to find out.
    pub async fn blob_unique(&mut self, kind: BlobType, bytes: &[u8]) -> Result<BlobId> {
        self.new_blob(kind, bytes).await
    }

    pub(crate) async fn new_blob(&mut self, kind: BlobType, bytes: &[u8]) -> Result<BlobId> {
        let id = Id::of(bytes);
        let index = self.repository.index();
        let there = || index.peek(kind, &id).is_some() && !index.is_unreadable(kind, &id);
        if !self.pending.contains(&(kind, id)) && !there() {
            self.add(kind, id, bytes).await?;
        }
        Ok(id)
    }

    async fn add(&mut self, kind: BlobType, id: Id, bytes: &[u8]) -> Result<()> {
        self.refuse_after_failure()?;
        let packer = if kind == BlobType::Data {
            &mut self.data
        } else {
            &mut self.tree
        };
        let added = packer.add(self.repository.cipher(), &mut self.zstd, id, bytes);
        let full = packer.is_full();
        self.stored.stored_bytes += u64::from(self.guard(added)?);
        self.stored.clear_bytes += bytes.len() as u64;
        self.stored.blobs += 1;
        self.pending.insert((kind, id));
        if full {
            let result = self.close_pack(kind).await;
            return self.guard(result);
        }
        Ok(())
    }

    /// Stores a file in chunks of 512 KiB to 8 MiB.
    pub async fn file(&mut self, mut source: impl AsyncRead + Unpin + Send) -> Result<FileContent> {
        let mut chunker = Chunker::new(self.repository.chunk_seed());
        let mut content = FileContent::default();
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = source
                .read(&mut buffer)
                .await
                .map_err(|error| Error::Source(error.to_string()));
            let read = self.guard(read)?;
            chunker.push(&buffer[..read]);
            self.cut(&mut chunker, &mut content, read == 0).await?;
            if read == 0 {
                return Ok(content);
            }
        }
    }

    /// Like [`Writer::file`] for bytes that arrive as a stream. An error of the stream ends the file and the run.
    pub async fn file_stream<E: std::fmt::Display>(
        &mut self,
        mut source: impl Stream<Item = Result<Bytes, E>> + Unpin + Send,
    ) -> Result<FileContent> {
        let mut chunker = Chunker::new(self.repository.chunk_seed());
        let mut content = FileContent::default();
        while let Some(bytes) = source.next().await {
            let bytes = bytes.map_err(|error| Error::Source(error.to_string()));
            chunker.push(&self.guard(bytes)?);
            self.cut(&mut chunker, &mut content, false).await?;
        }
        self.cut(&mut chunker, &mut content, true).await?;
        Ok(content)
    }

    /// Stores a document: one blob up to 512 KiB, chunks above.
    pub async fn bytes(&mut self, bytes: &[u8]) -> Result<FileContent> {
        let mut content = FileContent::default();
        let mut chunker = Chunker::new(self.repository.chunk_seed());
        if bytes.len() > 512 << 10 {
            chunker.push(bytes);
            self.cut(&mut chunker, &mut content, true).await?;
        } else if !bytes.is_empty() {
            let id = self.blob(BlobType::Data, bytes).await?;
            content = FileContent {
                blobs: vec![id],
                size: bytes.len() as u64,
            };
        }
        Ok(content)
    }

    async fn cut(
        &mut self,
        chunker: &mut Chunker,
        content: &mut FileContent,
        at_end: bool,
    ) -> Result<()> {
        while let Some(len) = chunker.next_len(at_end) {
            let id = self.blob(BlobType::Data, chunker.chunk(len)).await?;
            chunker.consume(len);
            content.blobs.push(id);
            content.size += len as u64;
        }
        Ok(())
    }

    /// Applies changes in strictly increasing order of paths; see [`TreeEditor`].
    pub async fn update(
        &mut self,
        parent: Option<TreeId>,
        changes: impl IntoIterator<Item = Change>,
    ) -> Result<TreeId> {
        let mut editor = TreeEditor::new(self, parent);
        for change in changes {
            editor.apply(change).await?;
        }
        editor.finish().await
    }

    /// Stores what is buffered: packs first, then the index that names them.
    pub async fn flush(&mut self) -> Result<()> {
        self.refuse_after_failure()?;
        let result = self.flush_inner().await;
        self.guard(result)
    }

    async fn flush_inner(&mut self) -> Result<()> {
        for kind in [BlobType::Data, BlobType::Tree] {
            self.close_pack(kind).await?;
        }
        while let Some(done) = self.uploads.join_next().await {
            self.take_upload(done)?;
        }
        self.save_index().await
    }

    /// Packs, index, a last look at the lock, and the snapshot as the single write that makes it all count.
    pub async fn commit(&mut self, snapshot: &Snapshot, lock: &LockGuard) -> Result<SnapshotId> {
        self.flush().await?;
        let result = self.commit_inner(snapshot, lock).await;
        self.guard(result)
    }

    async fn commit_inner(&mut self, snapshot: &Snapshot, lock: &LockGuard) -> Result<SnapshotId> {
        if let Some(&(kind, id)) = self.pending.iter().next() {
            return Err(Error::BlobMissing { kind, id });
        }
        lock.verify(&self.repository).await?;
        self.repository.index().refresh().await?;
        if self.repository.index().generation() != self.generation {
            return Err(Error::IndexReplaced);
        }
        if self
            .repository
            .index()
            .find(BlobType::Tree, &snapshot.tree)
            .await?
            .is_none()
        {
            return Err(Error::BlobMissing {
                kind: BlobType::Tree,
                id: snapshot.tree,
            });
        }
        if let Some(lock) = self.repository.object_lock() {
            lock.prove_needed().await?;
        }
        self.repository
            .files()
            .write_json(self.repository.cipher(), FileKind::Snapshot, snapshot)
            .await
    }

    async fn close_pack(&mut self, kind: BlobType) -> Result<()> {
        let empty = match kind {
            BlobType::Data => self.data.is_empty(),
            BlobType::Tree => self.tree.is_empty(),
        };
        if empty {
            return Ok(());
        }
        // A caller that is dropped here has lost nothing: the pack leaves the packer and is on its way without a pause.
        while self.uploads.len() >= MOST_UPLOADS {
            let Some(done) = self.uploads.join_next().await else {
                break;
            };
            self.take_upload(done)?;
        }
        let packer = match kind {
            BlobType::Data => &mut self.data,
            BlobType::Tree => &mut self.tree,
        };
        let FinishedPack { id, bytes, entries } = packer.finish(self.repository.cipher());
        self.stored.packs += 1;
        let files = self.repository.files().clone();
        let written = self.repository.count_written();
        self.uploads.spawn(async move {
            let bytes = Bytes::from(bytes);
            files.write_kept(FileKind::Pack, id, bytes.clone()).await?;
            written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            Ok(Uploaded {
                pack: IndexedPack { id, entries },
                kind,
                buffer: bytes.try_into_mut().ok(),
            })
        });
        let waiting: usize = self.uploaded.iter().map(|pack| pack.entries.len()).sum();
        if waiting >= MOST_BLOBS {
            self.save_index().await
        } else {
            Ok(())
        }
    }

    fn take_upload(
        &mut self,
        done: Result<Result<Uploaded>, tokio::task::JoinError>,
    ) -> Result<()> {
        let done = done.map_err(|error| Error::io("write a pack", error.into()))??;
        self.uploaded.push(done.pack);
        if let Some(buffer) = done.buffer {
            match done.kind {
                BlobType::Data => self.data.recycle(buffer.into()),
                BlobType::Tree => self.tree.recycle(buffer.into()),
            }
        }
        Ok(())
    }

    async fn save_index(&mut self) -> Result<()> {
        if self.uploaded.is_empty() {
            return Ok(());
        }
        // Taken out only afterwards: a caller may be dropped while the file is written.
        self.repository.index().save(&self.uploaded).await?;
        for entry in std::mem::take(&mut self.uploaded)
            .iter()
            .flat_map(|pack| &pack.entries)
        {
            self.pending.remove(&(entry.kind, entry.id));
        }
        Ok(())
    }

    /// Reads a tree, also one that this writer has not flushed yet.
    pub(crate) async fn read_tree(&mut self, id: TreeId) -> Result<Arc<RawTree>> {
        if self.pending.contains(&(BlobType::Tree, id)) {
            self.flush().await?;
        }
        self.repository.raw_tree(id).await
    }

    pub(crate) fn poison(&mut self, error: &Error) {
        if self.failed.is_none() {
            self.failed = Some(Arc::new(error.clone()));
        }
    }

    fn guard<T>(&mut self, result: Result<T>) -> Result<T> {
        if let Err(error) = &result {
            self.poison(error);
        }
        result
    }

    fn refuse_after_failure(&self) -> Result<()> {
        self.failed
            .as_ref()
            .map_or(Ok(()), |error| Err(Error::WriteFailed(Arc::clone(error))))
    }
}

/// Ids are uniform: their first bytes are the hash.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    // Lengths and discriminants of enums come in here.
    fn write_usize(&mut self, _: usize) {}
    fn write_isize(&mut self, number: isize) {
        self.0 ^= number.cast_unsigned() as u64;
    }
}
