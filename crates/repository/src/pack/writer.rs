//! Fills a pack in memory, hashing while the bytes are still in the processor's cache.

use sha2::{Digest as _, Sha256};

use super::{BlobType, Entry, header};
use crate::crypto::Cipher;
use crate::{Error, Id, PackId, Result};

/// A pack of data is closed once it is this large; restic's default.
const TARGET: usize = 16 << 20;
/// Trees are read in small pieces, and both packs are in memory at once.
const TREE_TARGET: usize = 4 << 20;
/// Room for the last blob, so that the buffer seldom moves.
const SLACK: usize = 1 << 20;
/// restic accepts headers up to 16 MiB; this keeps far below.
const MOST_BLOBS: usize = 100_000;
/// From this size on, a sample decides whether compressing is worth a try.
const SAMPLED: usize = 128 << 10;
const SAMPLE: usize = 16 << 10;
/// Half of a small directory is hashes: compressing it costs more than its hundred bytes are worth.
const SMALL_TREE: usize = 1 << 10;

/// A pack that is complete but not yet stored.
#[derive(Debug)]
pub(crate) struct FinishedPack {
    pub(crate) id: PackId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
}

/// One zstd context and one buffer for all blobs: making them anew costs more than compressing a document.
pub(crate) struct Compressor {
    context: zstd::bulk::Compressor<'static>,
    buffer: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Self {
        let context = zstd::bulk::Compressor::new(super::LEVEL).expect("zstd knows this level");
        Self {
            context,
            buffer: Vec::new(),
        }
    }

    /// `None` if compressing does not make `clear` smaller.
    pub(crate) fn compress(&mut self, clear: &[u8]) -> Result<Option<&[u8]>> {
        if clear.len() >= SAMPLED {
            let middle = clear.len() / 2;
            let sample = &clear[middle..middle + SAMPLE];
            if self.run(sample)? > SAMPLE - SAMPLE / 32 {
                return Ok(None);
            }
        }
        let size = self.run(clear)?;
        Ok((size < clear.len()).then_some(self.buffer.as_slice()))
    }

    fn run(&mut self, clear: &[u8]) -> Result<usize> {
        self.buffer.clear();
        self.buffer
            .reserve(zstd::zstd_safe::compress_bound(clear.len()));
        self.context
            .compress_to_buffer(clear, &mut self.buffer)
            .map_err(|error| Error::io("compress a blob", error))
    }
}

/// The pack being filled with blobs of one type.
pub(crate) struct Packer {
    kind: BlobType,
    bytes: Vec<u8>,
    hash: Sha256,
    entries: Vec<Entry>,
    /// The buffer of a pack that is stored: allocators keep such large ones when they are freed, and give new ones beside them.
    spare: Option<Vec<u8>>,
}

impl Packer {
    pub(crate) fn new(kind: BlobType) -> Self {
        Self {
            kind,
            bytes: Vec::new(),
            hash: Sha256::new(),
            entries: Vec::new(),
            spare: None,
        }
    }

    /// Takes back the memory of a pack that [`Packer::finish`] gave.
    pub(crate) fn recycle(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        self.spare = Some(buffer);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size at which a pack is closed.
    pub(crate) fn target(kind: BlobType) -> usize {
        match kind {
            BlobType::Data => TARGET,
            BlobType::Tree => TREE_TARGET,
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        Self::is_full_with(self.kind, self.bytes.len(), self.entries.len())
    }

    /// Whether a pack of so many encrypted bytes in so many blobs is closed.
    pub(crate) fn is_full_with(kind: BlobType, bytes: usize, blobs: usize) -> bool {
        bytes >= Self::target(kind) || blobs >= MOST_BLOBS
    }

    /// Appends a blob and returns its encrypted size.
    pub(crate) fn add(
        &mut self,
        cipher: &Cipher,
        zstd: &mut Compressor,
        id: Id,
        clear: &[u8],
    ) -> Result<u32> {
        let too_large = |_| {
            Error::damaged(
                format_args!("blob {id} to write"),
                "it is larger than 4 GiB",
            )
        };
        let raw_length = u32::try_from(clear.len()).map_err(too_large)?;
        if self.kind == BlobType::Tree && clear.len() < SMALL_TREE {
            return self.seal(cipher, id, clear, 0);
        }
        match zstd.compress(clear)? {
            Some(small) => self.seal(cipher, id, small, raw_length),
            None => self.seal(cipher, id, clear, 0),
        }
    }

    fn seal(&mut self, cipher: &Cipher, id: Id, bytes: &[u8], raw_length: u32) -> Result<u32> {
        if self.bytes.capacity() == 0 {
            self.bytes = self.spare.take().unwrap_or_default();
            self.bytes.reserve_exact(Self::target(self.kind) + SLACK);
        }
        let start = self.bytes.len();
        cipher.seal(bytes, &mut self.bytes);
        let sealed = &self.bytes[start..];
        self.hash.update(sealed);
        let offset = u32::try_from(start)
            .map_err(|_| Error::damaged("a pack to write", "it is larger than 4 GiB"))?;
        let length = sealed.len() as u32;
        self.entries.push(Entry {
            kind: self.kind,
            id,
            offset,
            length,
            raw_length,
        });
        Ok(length)
    }

    /// Copies a blob that is already encrypted with the same key.
    pub(crate) fn add_sealed(&mut self, entry: &Entry, sealed: &[u8]) {
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(sealed);
        self.hash.update(sealed);
        self.entries.push(Entry { offset, ..*entry });
    }

    /// Appends the header and starts a new pack.
    pub(crate) fn finish(&mut self, cipher: &Cipher) -> FinishedPack {
        let mut bytes = std::mem::take(&mut self.bytes);
        let mut hash = std::mem::take(&mut self.hash);
        let entries = std::mem::take(&mut self.entries);
        let start = bytes.len();
        cipher.seal(&header::encode(&entries), &mut bytes);
        let length = (bytes.len() - start) as u32;
        bytes.extend_from_slice(&length.to_le_bytes());
        hash.update(&bytes[start..]);
        FinishedPack {
            id: Id(hash.finalize().into()),
            bytes,
            entries,
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn a_pack_can_be_read_back_from_its_own_header() {
        let cipher = Cipher::new(&Zeroizing::new([3; 64]));
        let mut zstd = Compressor::new();
        let mut packer = Packer::new(BlobType::Data);
        let noise: Vec<u8> = (0..200_000_u64)
            .flat_map(|n| Id::of(&n.to_le_bytes()).0[..2].to_vec())
            .collect();
        let blobs: [&[u8]; 3] = [b"x", &[b'a'; 5000], &noise];
        for blob in blobs {
            packer.add(&cipher, &mut zstd, Id::of(blob), blob).unwrap();
        }
        let pack = packer.finish(&cipher);
        assert!(packer.is_empty());
        assert_eq!(pack.id, Id::of(&pack.bytes));
        assert_eq!(
            header::read(&cipher, pack.id, &pack.bytes).unwrap(),
            pack.entries
        );
        assert_eq!(header::pack_size(&pack.entries), pack.bytes.len() as u64);
        assert_eq!(
            pack.entries
                .iter()
                .map(|entry| entry.raw_length)
                .collect::<Vec<_>>(),
            [0, 5000, 0]
        );
        for (entry, blob) in pack.entries.iter().zip(blobs) {
            let range = entry.offset as usize..(entry.offset + entry.length) as usize;
            assert_eq!(entry.decode(&cipher, &pack.bytes[range]).unwrap(), blob);
            assert_eq!(entry.clear_length(), blob.len() as u64);
        }
    }
}
