//! Reads many blobs in the order in which they lie in the storage, neighbors in one request.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};

use crate::crypto::Cipher;
use crate::files::Files;
use crate::index::table::Place;
use crate::pack::Entry;
use crate::{Error, PackId, Repository, Result};

/// What is read at once, unless one blob is larger.
const WINDOW: u32 = 2 << 20;
/// Reading so many bytes in vain is cheaper than another request.
const GAP: u32 = 64 << 10;
/// Windows in flight; each is in memory with what becomes of it.
pub(crate) const AT_ONCE: usize = 4;

type Work<T> = fn(&Cipher, &Entry, &[u8]) -> Result<T>;
type Fetched<T> = Vec<(Entry, Result<T>)>;

/// Blobs of one pack that are read together, each with what its reader knows of it.
pub(crate) struct Window<W> {
    pub(crate) pack: PackId,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) blobs: Vec<(Entry, W)>,
}

/// An encrypted blob, or why it cannot be read.
pub(crate) struct Sealed<W> {
    pub(crate) entry: Entry,
    pub(crate) with: W,
    pub(crate) bytes: Result<Bytes>,
}

/// Reads `places` window by window and gives each encrypted blob to `work`, which runs on a thread for blocking work. A blob
/// that cannot be read or that `work` refuses has its error beside it.
pub(crate) fn fetch<T: Send + 'static>(
    repository: &Repository,
    places: Vec<Place>,
    work: Work<T>,
) -> impl Stream<Item = Result<Fetched<T>>> + Send + use<T> {
    let repository = repository.clone();
    let places = places.into_iter().map(|place| (place, ())).collect();
    stream::iter(windows(places))
        .map(move |window| {
            let repository = repository.clone();
            async move {
                let sealed = read(repository.files(), window).await;
                let cipher = repository.cipher().clone();
                let one = move |Sealed { entry, bytes, .. }: Sealed<()>| {
                    let done = bytes.and_then(|bytes| work(&cipher, &entry, &bytes));
                    (entry, done)
                };
                blocking(move || sealed.into_iter().map(one).collect()).await
            }
        })
        .buffered(AT_ONCE)
}

/// The encrypted blobs of a window, in its order.
pub(crate) async fn read<W>(files: &Files, window: Window<W>) -> Vec<Sealed<W>> {
    let Window {
        pack,
        start,
        end,
        blobs,
    } = window;
    let whole = files.read_pack_range(pack, u64::from(start)..u64::from(end));
    let whole = whole.await;
    let several = blobs.len() > 1;
    let mut sealed = Vec::with_capacity(blobs.len());
    for (entry, with) in blobs {
        let bytes = match &whole {
            Ok(bytes) => {
                let from = (entry.offset - start) as usize;
                Ok(bytes.slice(from..from + entry.length as usize))
            }
            // A pack that is cut short still has the blobs before the cut.
            Err(Error::Damaged { .. }) if several => {
                let from = u64::from(entry.offset);
                let range = from..from + u64::from(entry.length);
                files.read_pack_range(pack, range).await
            }
            Err(error) => Err(error.clone()),
        };
        sealed.push(Sealed { entry, with, bytes });
    }
    sealed
}

pub(crate) async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::io("work on what was read", error.into()))
}

/// The order of the storage; what is wanted twice stays side by side.
pub(crate) fn windows<W>(mut places: Vec<(Place, W)>) -> Vec<Window<W>> {
    places.sort_by_key(|(place, _)| (place.pack, place.entry.offset));
    let mut windows: Vec<Window<W>> = Vec::new();
    for (Place { pack, entry }, with) in places {
        let (start, end) = (entry.offset, entry.offset.saturating_add(entry.length));
        match windows.last_mut() {
            Some(window)
                if window.pack == pack
                    && start <= window.end.saturating_add(GAP)
                    && end - window.start <= WINDOW =>
            {
                window.end = window.end.max(end);
                window.blobs.push((entry, with));
            }
            _ => windows.push(Window {
                pack,
                start,
                end,
                blobs: vec![(entry, with)],
            }),
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BlobType, Id};

    #[test]
    fn neighbors_are_read_together_and_others_are_not() {
        let place = |pack: u8, offset, length| Place {
            pack: Id([pack; 32]),
            entry: Entry {
                kind: BlobType::Data,
                id: Id([0; 32]),
                offset,
                length,
                raw_length: 0,
            },
        };
        let shown: Vec<_> = windows(vec![
            (place(2, 50, 10), ()),
            (place(1, 3 << 20, 5), ()),
            (place(1, 100, 50), ()),
            (place(1, 0, 100), ()),
            (place(1, 1 << 10, 4 << 20), ()),
        ])
        .iter()
        .map(|window| {
            (
                window.pack.0[0],
                window.start,
                window.end,
                window.blobs.len(),
            )
        })
        .collect();
        let large = (1 << 10) + (4 << 20);
        assert_eq!(
            shown,
            [
                (1, 0, 150, 2),
                (1, 1 << 10, large, 1),
                (1, 3 << 20, (3 << 20) + 5, 1),
                (2, 50, 60, 1)
            ]
        );
    }
}
