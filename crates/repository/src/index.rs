//! The index in memory: loaded from the newest file back, and only as far as needed.

pub(crate) mod file;
pub(crate) mod table;

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

use futures::future::join_all;
use tokio::sync::Mutex;

use crate::crypto::Cipher;
use crate::files::Files;
use crate::pack::BlobType;
use crate::{Error, FileKind, Id, Result};
use file::{IndexedPack, Reader};
use table::{Place, Table};

/// Index files that are fetched at once when one was not enough: one arrives while the other is parsed.
const SIDE_BY_SIDE: usize = 2;

/// Which index files are known, and which of them are in the table.
#[derive(Default)]
struct Loading {
    listed: bool,
    /// Oldest first, so that the newest is popped.
    waiting: Vec<Id>,
    loaded: HashSet<Id>,
    /// The first file that could not be understood: whether a blob is missing cannot be said without it.
    damaged: Option<Error>,
}

pub(crate) struct Index {
    files: Files,
    cipher: Cipher,
    table: RwLock<State>,
    loading: Mutex<Loading>,
}

#[derive(Default)]
struct State {
    table: Table,
    /// No file is waiting.
    complete: bool,
    /// Grows when the table is thrown away because files vanished.
    generation: u64,
    /// Blobs that could not be read where they lie: whoever has their content stores it again.
    unreadable: HashSet<(BlobType, Id)>,
}

impl Index {
    pub(crate) fn new(files: Files, cipher: Cipher) -> Self {
        Self {
            files,
            cipher,
            table: RwLock::default(),
            loading: Mutex::default(),
        }
    }

    fn state<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, write: impl FnOnce(&mut State) -> T) -> T {
        write(&mut self.table.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Differs after files that were loaded have vanished from the storage.
    pub(crate) fn generation(&self) -> u64 {
        self.state(|state| state.generation)
    }

    pub(crate) fn blobs(&self) -> usize {
        self.state(|state| state.table.len())
    }

    /// Looks in memory alone: `None` may also mean that not enough is loaded.
    pub(crate) fn peek(&self, kind: BlobType, id: &Id) -> Option<Place> {
        self.state(|state| state.table.get(kind, id))
    }

    /// Like [`Self::find`], and `None` for what lies in the repository and proved to be unreadable there.
    pub(crate) async fn find_readable(&self, kind: BlobType, id: &Id) -> Result<Option<Place>> {
        if self.is_unreadable(kind, id) {
            return Ok(None);
        }
        self.find(kind, id).await
    }

    pub(crate) fn is_unreadable(&self, kind: BlobType, id: &Id) -> bool {
        self.state(|state| state.unreadable.contains(&(kind, *id)))
    }

    pub(crate) fn note_unreadable(&self, kind: BlobType, id: Id) {
        self.change(|state| state.unreadable.insert((kind, id)));
    }

    /// Loads index files, newest first, until the blob is found. `None` is certain: a damaged index file is an error
    /// once none of the others has the blob.
    pub(crate) async fn find(&self, kind: BlobType, id: &Id) -> Result<Option<Place>> {
        let (found, complete) = self.state(|state| (state.table.get(kind, id), state.complete));
        if found.is_some() || complete {
            return Ok(found);
        }
        let mut loading = self.loading.lock().await;
        let reader = Reader::start(&self.files, &self.cipher);
        loop {
            if let Some(place) = self.peek(kind, id) {
                return Ok(Some(place));
            }
            if !self.load_next(&mut loading, &reader).await? {
                return loading.damaged.clone().map_or(Ok(None), Err);
            }
        }
    }

    pub(crate) async fn load_all(&self) -> Result<()> {
        let mut loading = self.loading.lock().await;
        let reader = Reader::start(&self.files, &self.cipher);
        while self.load_next(&mut loading, &reader).await? {}
        loading.damaged.clone().map_or(Ok(()), Err)
    }

    /// `false` when all files are loaded.
    async fn load_next(&self, loading: &mut Loading, reader: &Reader) -> Result<bool> {
        if !loading.listed {
            self.list(loading).await?;
        }
        if loading.waiting.is_empty() {
            let complete = loading.damaged.is_none();
            self.change(|state| state.complete = complete);
            return Ok(false);
        }
        // The newest alone is often enough; who needs more may need all.
        let count = if loading.loaded.is_empty() {
            1
        } else {
            SIDE_BY_SIDE
        };
        let first = loading.waiting.len().saturating_sub(count);
        let ids: Vec<Id> = loading.waiting[first..].iter().rev().copied().collect();
        let reads = ids.iter().map(|id| reader.read(*id));
        for (id, packs) in ids.iter().zip(join_all(reads).await) {
            match packs {
                Err(error @ Error::Damaged { .. }) => {
                    tracing::warn!(%error, "an index file is left out");
                    loading.damaged.get_or_insert(error);
                }
                other => {
                    let packs = other?;
                    self.change(|state| {
                        for pack in &packs {
                            state.table.insert_pack(pack.id, &pack.entries);
                        }
                    });
                    loading.loaded.insert(*id);
                }
            }
            loading.waiting.pop();
        }
        Ok(true)
    }

    async fn list(&self, loading: &mut Loading) -> Result<()> {
        let mut listed = self.files.list(FileKind::Index).await?;
        listed.sort_by_key(|file| (file.modified, file.id));
        let here: HashSet<Id> = listed.iter().map(|file| file.id).collect();
        if !loading.loaded.is_subset(&here) {
            loading.loaded.clear();
            self.change(|state| {
                *state = State {
                    generation: state.generation + 1,
                    ..State::default()
                }
            });
        }
        loading.waiting = listed
            .iter()
            .map(|file| file.id)
            .filter(|id| !loading.loaded.contains(id))
            .collect();
        loading.listed = true;
        loading.damaged = None;
        let complete = loading.waiting.is_empty();
        self.change(|state| state.complete = complete);
        Ok(())
    }

    /// Notices index files that came or went since the last listing.
    pub(crate) async fn refresh(&self) -> Result<()> {
        let mut loading = self.loading.lock().await;
        self.list(&mut loading).await
    }

    /// Writes an index file and only then lets others find its blobs.
    pub(crate) async fn save(&self, packs: &[IndexedPack]) -> Result<()> {
        // Held over the write: a refresh in between would load the new file a second time.
        let mut loading = self.loading.lock().await;
        let id = file::write(&self.files, &self.cipher, packs).await?;
        loading.loaded.insert(id);
        self.change(|state| {
            for pack in packs {
                state.table.supersede_pack(pack.id, &pack.entries);
                for entry in &pack.entries {
                    state.unreadable.remove(&(entry.kind, entry.id));
                }
            }
        });
        Ok(())
    }
}
