//! Cuts files into chunks at places that depend on their content, so that an insertion moves few of them.

use fastcdc::v2020::{FastCDC, Normalization};

const SMALLEST: usize = 512 << 10;
const AVERAGE: usize = 1 << 20;
pub(crate) const LARGEST: usize = 8 << 20;

/// Collects bytes until a whole chunk is there.
pub(crate) struct Chunker {
    /// Secret of the repository: sizes of chunks alone must not tell which file it is.
    seed: u64,
    buffer: Vec<u8>,
    /// Bytes at the front that are done; moving the rest for every chunk would cost more than hashing it.
    done: usize,
}

impl Chunker {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            buffer: Vec::new(),
            done: 0,
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        if self.done >= LARGEST / 2 {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// How many bytes the next chunk has, once that is certain: at the end, or with the largest chunk buffered.
    pub(crate) fn next_len(&self, at_end: bool) -> Option<usize> {
        let rest = &self.buffer[self.done..];
        if rest.is_empty() || (!at_end && rest.len() < LARGEST) {
            return None;
        }
        if rest.len() <= SMALLEST {
            return Some(rest.len());
        }
        let cut = FastCDC::with_level_and_seed(
            rest,
            SMALLEST,
            AVERAGE,
            LARGEST,
            Normalization::Level1,
            self.seed,
        );
        Some(cut.cut(0, rest.len().min(LARGEST)).1)
    }

    pub(crate) fn chunk(&self, len: usize) -> &[u8] {
        &self.buffer[self.done..self.done + len]
    }

    pub(crate) fn consume(&mut self, len: usize) {
        self.done += len;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::Id;

    fn noise(len: usize) -> Vec<u8> {
        (0_u64..)
            .flat_map(|n| Id::of(&n.to_le_bytes()).0)
            .take(len)
            .collect()
    }

    fn chunks(bytes: &[u8], step: usize, seed: u64) -> Vec<Vec<u8>> {
        let mut chunker = Chunker::new(seed);
        let mut chunks = Vec::new();
        for part in bytes.chunks(step).chain([&[][..]]) {
            chunker.push(part);
            while let Some(len) = chunker.next_len(part.is_empty()) {
                chunks.push(chunker.chunk(len).to_vec());
                chunker.consume(len);
            }
        }
        chunks
    }

    #[test]
    fn chunks_depend_on_content_and_seed_alone() {
        let bytes = noise(20 << 20);
        let all = chunks(&bytes, 1 << 16, 5);
        assert_eq!(all.concat(), bytes);
        assert_eq!(all, chunks(&bytes, 10_000_001, 5));
        assert_ne!(all, chunks(&bytes, 1 << 16, 6));
        let inner = &all[..all.len() - 1];
        assert!(
            inner
                .iter()
                .all(|chunk| (SMALLEST..=LARGEST).contains(&chunk.len()))
        );

        let moved = chunks(&[b"inserted", bytes.as_slice()].concat(), 1 << 16, 5);
        let known: HashSet<_> = all.iter().collect();
        let same = moved.iter().filter(|chunk| known.contains(chunk)).count();
        assert!(same * 2 > all.len(), "{same} of {}", all.len());
    }
}
