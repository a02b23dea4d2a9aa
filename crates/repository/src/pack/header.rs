//! The header at the end of a pack: entries of 37 or 41 bytes, encrypted, and its length in 4 bytes.

use super::{BlobType, Entry};
use crate::crypto::{Cipher, OVERHEAD};
use crate::files::Files;
use crate::{Error, Id, PackId, Result};

const PLAIN: usize = 37;
const COMPRESSED: usize = 41;
/// The length of the encrypted header, little endian.
pub(crate) const TRAILER: usize = 4;
/// Holds the headers of most packs.
const FIRST_READ: u64 = 64 << 10;

/// Bytes that `entry` takes in the clear header.
pub(crate) fn entry_size(entry: &Entry) -> usize {
    if entry.raw_length == 0 {
        PLAIN
    } else {
        COMPRESSED
    }
}

/// The size of a whole pack that holds these entries.
pub(crate) fn pack_size<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> u64 {
    let sizes = entries
        .into_iter()
        .map(|entry| u64::from(entry.length) + entry_size(entry) as u64);
    sizes.sum::<u64>() + (OVERHEAD + TRAILER) as u64
}

pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * COMPRESSED);
    for entry in entries {
        let compressed = u8::from(entry.raw_length != 0) * 2;
        out.push(u8::from(entry.kind == BlobType::Tree) + compressed);
        out.extend_from_slice(&entry.length.to_le_bytes());
        if entry.raw_length != 0 {
            out.extend_from_slice(&entry.raw_length.to_le_bytes());
        }
        out.extend_from_slice(&entry.id.0);
    }
    out
}

/// Reads the header of a whole pack; the entries must fill it without a gap.
pub(crate) fn read(cipher: &Cipher, id: PackId, pack: &[u8]) -> Result<Vec<Entry>> {
    read_end(cipher, id, pack, pack.len() as u64)
}

/// Reads the header of a stored pack of `size` bytes, and little else of it.
pub(crate) async fn fetch(
    files: &Files,
    cipher: &Cipher,
    id: PackId,
    size: u64,
) -> Result<Vec<Entry>> {
    let mut end = files
        .read_pack_range(id, size.saturating_sub(FIRST_READ)..size)
        .await?;
    if let Some(trailer) = end.last_chunk::<TRAILER>() {
        let length = u64::from(u32::from_le_bytes(*trailer)) + TRAILER as u64;
        if length > end.len() as u64 && length <= size {
            end = files.read_pack_range(id, size - length..size).await?;
        }
    }
    read_end(cipher, id, &end, size)
}

fn read_end(cipher: &Cipher, id: PackId, end: &[u8], size: u64) -> Result<Vec<Entry>> {
    let damaged = |reason: &str| Error::damaged(format_args!("the header of pack {id}"), reason);
    let (rest, trailer) = end
        .split_last_chunk::<TRAILER>()
        .ok_or_else(|| damaged("the pack is too short"))?;
    let length = u32::from_le_bytes(*trailer) as usize;
    let start = rest
        .len()
        .checked_sub(length)
        .ok_or_else(|| damaged("it is longer than the pack"))?;
    let clear = cipher
        .open(&rest[start..])
        .map_err(|_| damaged("it cannot be decrypted"))?;
    let entries = decode(&clear).ok_or_else(|| damaged("it makes no sense"))?;
    if pack_size(&entries) != size {
        return Err(damaged("its blobs do not fill the pack"));
    }
    Ok(entries)
}

fn decode(mut bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut offset = 0_u32;
    while let Some((&first, rest)) = bytes.split_first() {
        let kind = match first {
            0 | 2 => BlobType::Data,
            1 | 3 => BlobType::Tree,
            _ => return None,
        };
        let (length, mut rest) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length);
        let mut raw_length = 0;
        if first >= 2 {
            let raw;
            (raw, rest) = rest.split_first_chunk()?;
            raw_length = u32::from_le_bytes(*raw);
        }
        let (id, rest) = rest.split_first_chunk()?;
        entries.push(Entry {
            kind,
            id: Id(*id),
            offset,
            length,
            raw_length,
        });
        offset = offset.checked_add(length)?;
        bytes = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn headers_round_trip(blobs in proptest::collection::vec((any::<[u8; 32]>(), 32..9000_u32, 0..9000_u32, any::<bool>()), 0..20)) {
            let mut offset = 0;
            let entries: Vec<Entry> = blobs.into_iter().map(|(id, length, raw_length, tree)| {
                let kind = if tree { BlobType::Tree } else { BlobType::Data };
                let entry = Entry { kind, id: Id(id), offset, length, raw_length };
                offset += length;
                entry
            }).collect();
            prop_assert_eq!(decode(&encode(&entries)), Some(entries));
        }
    }

    #[test]
    fn a_cut_entry_is_refused() {
        let entry = Entry {
            kind: BlobType::Data,
            id: Id([1; 32]),
            offset: 0,
            length: 40,
            raw_length: 7,
        };
        let bytes = encode(&[entry]);
        assert!((1..bytes.len()).all(|end| decode(&bytes[..end]).is_none()));
    }
}
