//! Reading many blobs at once: in the order in which they lie in their packs, in large pieces, decoded on all cores.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::crypto::Cipher;
use crate::fetch::{AT_ONCE, Window, windows};
use crate::pack::Entry;
use crate::tree::raw::RawTree;
use crate::{BlobId, BlobType, Error, Repository, Result, Tree, TreeId};

/// A blob that was asked for: its number among the others, and what belongs to it.
struct Wanted<T> {
    number: usize,
    with: T,
}

impl Repository {
    /// Hands the clear bytes of each blob to `work`, on a thread that it may keep busy; the results are in the order of `wanted`.
    /// A blob that cannot be read costs only itself. Memory is needed for a few megabytes and the largest blob a few times.
    pub async fn blobs<T, R>(
        &self,
        kind: BlobType,
        wanted: Vec<(BlobId, T)>,
        work: impl Fn(T, Result<&[u8]>) -> R + Send + Sync + 'static,
    ) -> Result<Vec<R>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let work = Arc::new(work);
        let mut results = Vec::with_capacity(wanted.len());
        let mut found = Vec::with_capacity(wanted.len());
        let mut refreshed = false;
        for (number, (id, with)) in wanted.into_iter().enumerate() {
            let mut place = self.index().find(kind, &id).await?;
            if place.is_none() && !refreshed {
                // Another process may have added the blob since the index was listed.
                self.index().refresh().await?;
                refreshed = true;
                place = self.index().find(kind, &id).await?;
            }
            match place {
                Some(place) => found.push((place, Wanted { number, with })),
                None => results.push((number, work(with, Err(Error::BlobMissing { kind, id })))),
            }
        }
        let reads = windows(found)
            .into_iter()
            .map(|window| self.window(window, Arc::clone(&work)));
        let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
        while let Some(done) = reads.try_next().await? {
            results.extend(done);
        }
        results.sort_unstable_by_key(|(number, _)| *number);
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }

    /// Many trees, parsed, in the order of `ids`.
    pub async fn trees(&self, ids: Vec<TreeId>) -> Result<Vec<Result<Tree>>> {
        let wanted = ids.into_iter().map(|id| (id, id)).collect();
        self.blobs(BlobType::Tree, wanted, |id, bytes| {
            RawTree::parse(id, bytes?.to_vec())?.tree()
        })
        .await
    }

    async fn window<T, R>(
        &self,
        window: Window<Wanted<T>>,
        work: Arc<impl Fn(T, Result<&[u8]>) -> R + Send + Sync + 'static>,
    ) -> Result<Vec<(usize, R)>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let range = u64::from(window.start)..u64::from(window.end);
        let Ok(bytes) = self.files().read_pack_range(window.pack, range).await else {
            return self.singly(window, work).await;
        };
        let cipher = self.cipher().clone();
        blocking(move || decode(window, &cipher, &bytes, work.as_ref())).await
    }

    /// Where a window cannot be read: the pack may be cut short behind most of its blobs, or they may have moved into another.
    async fn singly<T, R>(
        &self,
        window: Window<Wanted<T>>,
        work: Arc<impl Fn(T, Result<&[u8]>) -> R + Send + Sync + 'static>,
    ) -> Result<Vec<(usize, R)>>
    where
        T: Send + 'static,
        R: Send + 'static,
    {
        let mut results = Vec::with_capacity(window.blobs.len());
        for (Entry { kind, id, .. }, Wanted { number, with }) in window.blobs {
            let bytes = self.blob(kind, id).await;
            let work = Arc::clone(&work);
            let done = blocking(move || work(with, bytes.as_deref().map_err(Error::clone)));
            results.push((number, done.await?));
        }
        Ok(results)
    }
}

fn decode<T, R>(
    window: Window<Wanted<T>>,
    cipher: &Cipher,
    bytes: &[u8],
    work: &impl Fn(T, Result<&[u8]>) -> R,
) -> Vec<(usize, R)> {
    let mut last: Option<(BlobId, Result<Vec<u8>>)> = None;
    let mut results = Vec::with_capacity(window.blobs.len());
    for (entry, Wanted { number, with }) in window.blobs {
        let start = (entry.offset - window.start) as usize;
        let sealed = &bytes[start..start + entry.length as usize];
        // Equal files lie side by side here.
        let clear = match last.take() {
            Some((id, clear)) if id == entry.id => clear,
            _ => entry.decode(cipher, sealed),
        };
        results.push((number, work(with, clear.as_deref().map_err(Error::clone))));
        last = Some((entry.id, clear));
    }
    results
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("work on what was read", error.into()))
}
