//! Packs: many encrypted blobs in one file, with an encrypted header at the end that lists them.

pub(crate) mod header;
pub(crate) mod writer;

use std::cell::RefCell;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Id, Result, crypto};

/// zstd level 1 packs JSON documents as small as level 3 in 60 % of the time.
pub(crate) const LEVEL: i32 = 1;
/// Far above any real blob; what claims to be larger would exhaust the memory.
const LARGEST_CLEAR: usize = 512 << 20;

/// restic keeps them in separate packs, so that trees can be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BlobType {
    Data,
    Tree,
}

impl fmt::Display for BlobType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data",
            Self::Tree => "tree",
        })
    }
}

/// One blob inside a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: BlobType,
    pub(crate) id: Id,
    pub(crate) offset: u32,
    /// Encrypted, with IV and MAC.
    pub(crate) length: u32,
    /// Of the clear bytes if they are compressed, else 0.
    pub(crate) raw_length: u32,
}

thread_local! {
    /// Making a context costs more than decompressing a document with it.
    static ZSTD: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn decompress(bytes: &[u8], size: usize) -> std::io::Result<Vec<u8>> {
    ZSTD.with_borrow_mut(|context| {
        let context = match context {
            Some(context) => context,
            None => context.insert(zstd::bulk::Decompressor::new()?),
        };
        context.decompress(bytes, size)
    })
}

impl Entry {
    /// Of the blob's clear, decompressed bytes.
    pub(crate) fn clear_length(&self) -> u64 {
        match self.raw_length {
            0 => u64::from(self.length).saturating_sub(crypto::OVERHEAD as u64),
            raw => u64::from(raw),
        }
    }

    /// The encrypted bytes in the whole pack; `None` if it ends before.
    pub(crate) fn sealed_in<'p>(&self, pack: &'p [u8]) -> Option<&'p [u8]> {
        let start = self.offset as usize;
        pack.get(start..start.checked_add(self.length as usize)?)
    }

    /// Like [`Self::decode`], out of the whole pack.
    pub(crate) fn decode_in(&self, cipher: &crypto::Cipher, pack: &[u8]) -> Result<Vec<u8>> {
        let cut = || {
            let what = format_args!("{} blob {}", self.kind, self.id);
            Error::damaged(what, "it lies beyond its pack's end")
        };
        self.decode(cipher, self.sealed_in(pack).ok_or_else(cut)?)
    }

    /// Decrypts, decompresses and compares the hash.
    pub(crate) fn decode(&self, cipher: &crypto::Cipher, sealed: &[u8]) -> Result<Vec<u8>> {
        let damaged =
            |reason: &str| Error::damaged(format_args!("{} blob {}", self.kind, self.id), reason);
        let mut clear = cipher
            .open(sealed)
            .map_err(|_| damaged("it cannot be decrypted"))?;
        if self.raw_length as usize > LARGEST_CLEAR {
            return Err(damaged("it claims to be larger than 512 MiB"));
        }
        if self.raw_length != 0 {
            clear = decompress(&clear, self.raw_length as usize)
                .map_err(|_| damaged("it cannot be decompressed"))?;
            if clear.len() != self.raw_length as usize {
                return Err(damaged("its size differs from the index"));
            }
        }
        if Id::of(&clear) != self.id {
            return Err(damaged("its hash differs from its id"));
        }
        Ok(clear)
    }
}
