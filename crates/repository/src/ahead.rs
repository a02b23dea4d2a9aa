//! Reading packs and trees with what was read just before in mind.
//!
//! A merge goes through the old tree in order, and that is the order in which its blobs lie in their packs: asking for each of
//! them alone would be a request to the storage for every few hundred bytes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::files::Files;
use crate::tree::raw::RawTree;
use crate::{PackId, Result, TreeId};

/// What is read at once when reads go forward.
const WINDOW: u64 = 1 << 20;
/// A read this far behind the last one of its pack still counts as going forward.
const NEAR: u64 = 256 << 10;
/// Packs that are read side by side: trees and data.
const PACKS: usize = 4;
/// Trees that are kept; the largest take about 100 KB.
const TREES: usize = 32;

/// The last window of a few packs.
#[derive(Default)]
pub(crate) struct ReadAhead(Mutex<VecDeque<Window>>);

struct Window {
    pack: PackId,
    start: u64,
    bytes: Bytes,
    /// Where the last read ended.
    last: u64,
}

impl ReadAhead {
    /// The bytes of a range of a pack; reads on behind it when the pack is being read forward.
    pub(crate) async fn read(
        &self,
        files: &Files,
        pack: PackId,
        range: Range<u64>,
    ) -> Result<Bytes> {
        let (found, forward) = self.look(pack, &range);
        if let Some(bytes) = found {
            return Ok(bytes);
        }
        let length = range.end - range.start;
        let bytes = if forward && length < WINDOW {
            files
                .read_pack_up_to(pack, range.start..range.start + WINDOW)
                .await?
        } else {
            files.read_pack_range(pack, range.clone()).await?
        };
        // A pack that ends before the blob does is told apart from one that ends before the window does.
        let bytes = if (bytes.len() as u64) < length {
            files.read_pack_range(pack, range.clone()).await?
        } else {
            bytes
        };
        let wanted = bytes.slice(..length as usize);
        self.keep(Window {
            pack,
            start: range.start,
            bytes,
            last: range.end,
        });
        Ok(wanted)
    }

    /// The bytes if they are in memory, and whether the read goes forward.
    fn look(&self, pack: PackId, range: &Range<u64>) -> (Option<Bytes>, bool) {
        let mut windows = self.lock();
        let Some(window) = windows.iter_mut().find(|window| window.pack == pack) else {
            return (None, false);
        };
        let forward = (window.last..=window.last + NEAR).contains(&range.start);
        let end = window.start + window.bytes.len() as u64;
        if range.start < window.start || range.end > end {
            return (None, forward);
        }
        window.last = range.end;
        let at = (range.start - window.start) as usize;
        let bytes = window
            .bytes
            .slice(at..at + (range.end - range.start) as usize);
        (Some(bytes), forward)
    }

    fn keep(&self, window: Window) {
        let mut windows = self.lock();
        windows.retain(|other| other.pack != window.pack);
        if windows.len() == PACKS {
            windows.pop_front();
        }
        windows.push_back(window);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The trees that were read last: what is above an item is needed for every item below it.
#[derive(Default)]
pub(crate) struct RecentTrees(Mutex<VecDeque<Arc<RawTree>>>);

impl RecentTrees {
    pub(crate) fn get(&self, id: TreeId) -> Option<Arc<RawTree>> {
        let mut trees = self.lock();
        let at = trees.iter().position(|tree| tree.id == id)?;
        let tree = trees.remove(at)?;
        trees.push_back(Arc::clone(&tree));
        Some(tree)
    }

    pub(crate) fn put(&self, tree: &Arc<RawTree>) {
        let mut trees = self.lock();
        if trees.len() == TREES {
            trees.pop_front();
        }
        trees.push_back(Arc::clone(tree));
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<RawTree>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
