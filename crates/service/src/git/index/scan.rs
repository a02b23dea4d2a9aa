//! The first pass over a pack: where each entry begins and ends, and the objects that are there whole.

use std::sync::atomic::AtomicBool;

use flate2::Crc;
use gix_object::Kind;
use gix_pack::data;
use gix_pack::data::entry::Header;

use super::inflate::Inflater;
use super::{Failure, HEADER, Limits, is_stopped};
use crate::git::closure::Mentions;
use crate::git::{HASH, Oid};

/// One entry of a pack.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// From the pack's beginning.
    pub(super) offset: u64,
    /// Of the entry as it stands in the pack.
    pub(super) crc: u32,
    pub(super) header: u8,
    /// Of the object, or of the delta, unpacked.
    pub(super) size: u64,
    /// Known once the object is: at once when it is whole.
    pub(super) found: Option<(Kind, Oid)>,
}

impl Entry {
    /// Its compressed data, and more.
    pub(super) fn data<'a>(&self, pack: &'a [u8]) -> &'a [u8] {
        &pack[self.offset as usize + usize::from(self.header)..]
    }
}

/// All entries in the pack's order, and which of them are deltas of what.
pub(super) struct Scanned {
    pub(super) entries: Vec<Entry>,
    /// Base and delta, both as positions in `entries`; sorted.
    pub(super) by_offset: Vec<(u32, u32)>,
    /// Base and position of the delta; sorted.
    pub(super) by_id: Vec<(Oid, u32)>,
}

/// `pack` is without its trailer.
pub(super) fn scan(
    limits: Limits,
    pack: &[u8],
    objects: u32,
    mentions: &mut Mentions,
    interrupt: &AtomicBool,
) -> Result<Scanned, Failure> {
    // The number comes from the server: each entry has a header and at least 8 bytes of compressed data.
    let plausible = (pack.len() / 9).min(objects as usize);
    let mut scanned = Scanned {
        entries: Vec::with_capacity(plausible),
        by_offset: Vec::new(),
        by_id: Vec::new(),
    };
    let mut inflater = Inflater::default();
    let mut buffer = Vec::new();
    let mut offset = HEADER;
    for position in 0..objects {
        is_stopped(interrupt)?;
        let rest = pack
            .get(offset..)
            .filter(|rest| !rest.is_empty())
            .ok_or(Failure::Damaged("it holds fewer objects than it says"))?;
        let head = data::Entry::from_bytes(rest, offset as u64, HASH)
            .map_err(|_| Failure::Damaged("an entry's header is wrong"))?;
        if head.decompressed_size > limits.object_bytes {
            return Err(Failure::Limit);
        }
        let header = head.header_size();
        let data = rest
            .get(header..)
            .ok_or(Failure::Damaged("it ends within an entry"))?;
        let length = header + inflater.unpack(data, head.decompressed_size, &mut buffer)?;
        let found = scanned.note(&head, position, &buffer, mentions)?;
        let mut crc = Crc::new();
        crc.update(&rest[..length]);
        let header =
            u8::try_from(header).map_err(|_| Failure::Damaged("an entry's header is too long"))?;
        scanned.entries.push(Entry {
            offset: offset as u64,
            crc: crc.sum(),
            header,
            size: head.decompressed_size,
            found,
        });
        offset += length;
    }
    if offset != pack.len() {
        return Err(Failure::Damaged("something follows its last object"));
    }
    scanned.by_offset.sort_unstable();
    scanned.by_id.sort_unstable();
    Ok(scanned)
}

impl Scanned {
    fn note(
        &mut self,
        head: &data::Entry,
        position: u32,
        content: &[u8],
        mentions: &mut Mentions,
    ) -> Result<Option<(Kind, Oid)>, Failure> {
        match head.header {
            Header::OfsDelta { base_distance } => {
                let base = head.checked_base_pack_offset(base_distance);
                let base = base.and_then(|offset| {
                    self.entries
                        .binary_search_by_key(&offset, |entry| entry.offset)
                        .ok()
                });
                let base =
                    base.ok_or(Failure::Damaged("a delta's base is not where it should be"))?;
                self.by_offset.push((base as u32, position));
                Ok(None)
            }
            Header::RefDelta { base_id } => {
                self.by_id.push((base_id, position));
                Ok(None)
            }
            _ => {
                let kind = head
                    .header
                    .as_kind()
                    .ok_or(Failure::Damaged("an object is of no kind"))?;
                name(kind, content, mentions).map(Some)
            }
        }
    }
}

/// Hashes an object, and notes what it mentions.
pub(super) fn name(
    kind: Kind,
    content: &[u8],
    mentions: &mut Mentions,
) -> Result<(Kind, Oid), Failure> {
    let id = gix_object::compute_hash(HASH, kind, content)
        .map_err(|_| Failure::Damaged("an object is made to collide with another"))?;
    mentions.visit(kind, content, id);
    Ok((kind, id))
}
