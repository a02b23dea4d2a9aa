//! Reading many blobs at once: in the order in which they lie in their packs, in large pieces, decoded on all cores.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::crypto::Cipher;
use crate::fetch::{AT_ONCE, Sealed, Window, blocking, read, windows};
use crate::index::table::Place;
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
            match self.locate(kind, id, &mut refreshed).await {
                Ok(place) => found.push((place, Wanted { number, with })),
                // What a damaged index file does not name is read all the same.
                Err(error @ (Error::BlobMissing { .. } | Error::Damaged { .. })) => {
                    results.push((number, work(with, Err(error))));
                }
                Err(error) => return Err(error),
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

    /// Another process may have added the blob since the index was listed: it is listed anew once.
    async fn locate(&self, kind: BlobType, id: BlobId, refreshed: &mut bool) -> Result<Place> {
        let mut place = self.index().find(kind, &id).await?;
        if place.is_none() && !std::mem::replace(refreshed, true) {
            self.index().refresh().await?;
            place = self.index().find(kind, &id).await?;
        }
        place.ok_or(Error::BlobMissing { kind, id })
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
        let sealed = read(self.files(), window).await;
        let (found, lost): (Vec<_>, Vec<_>) =
            sealed.into_iter().partition(|sealed| sealed.bytes.is_ok());
        let mut results = Vec::with_capacity(found.len() + lost.len());
        if !found.is_empty() {
            let (cipher, work) = (self.cipher().clone(), Arc::clone(&work));
            results = blocking(move || decode(found, &cipher, work.as_ref())).await?;
        }
        for Sealed { entry, with, .. } in lost {
            // It may have moved into another pack.
            let bytes = self.blob(entry.kind, entry.id).await;
            let work = Arc::clone(&work);
            let done = move || work(with.with, bytes.as_deref().map_err(Error::clone));
            results.push((with.number, blocking(done).await?));
        }
        Ok(results)
    }
}

fn decode<T, R>(
    sealed: Vec<Sealed<Wanted<T>>>,
    cipher: &Cipher,
    work: &impl Fn(T, Result<&[u8]>) -> R,
) -> Vec<(usize, R)> {
    let mut last: Option<(BlobId, Result<Vec<u8>>)> = None;
    let mut results = Vec::with_capacity(sealed.len());
    for Sealed { entry, with, bytes } in sealed {
        // Equal files lie side by side here.
        let clear = match last.take() {
            Some((id, clear)) if id == entry.id => clear,
            _ => bytes.and_then(|bytes| entry.decode(cipher, &bytes)),
        };
        let done = work(with.with, clear.as_deref().map_err(Error::clone));
        results.push((with.number, done));
        last = Some((entry.id, clear));
    }
    results
}
