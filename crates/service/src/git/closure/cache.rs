//! Bases of deltas for packs that are too large to keep all of them.

use std::collections::{BTreeMap, VecDeque};

use gix_object::Kind;
use gix_pack::cache::DecodeEntry;

const MOST_BYTES: usize = 96 << 20;
/// Larger bases would push out too many others.
const MOST_ENTRY_BYTES: usize = 4 << 20;

/// The latest objects up to a number of bytes.
#[derive(Default)]
pub(super) struct Recent {
    objects: BTreeMap<u64, (Kind, usize, Vec<u8>)>,
    order: VecDeque<u64>,
    bytes: usize,
}

impl DecodeEntry for Recent {
    fn put(&mut self, _pack: u32, offset: u64, data: &[u8], kind: Kind, compressed_size: usize) {
        if data.len() > MOST_ENTRY_BYTES || self.objects.contains_key(&offset) {
            return;
        }
        self.bytes += data.len();
        self.objects
            .insert(offset, (kind, compressed_size, data.to_vec()));
        self.order.push_back(offset);
        while self.bytes > MOST_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.bytes -= self
                .objects
                .remove(&oldest)
                .map_or(0, |(_, _, data)| data.len());
        }
    }

    fn get(&mut self, _pack: u32, offset: u64, out: &mut Vec<u8>) -> Option<(Kind, usize)> {
        let (kind, compressed_size, data) = self.objects.get(&offset)?;
        out.clear();
        out.extend_from_slice(data);
        Some((*kind, *compressed_size))
    }
}
