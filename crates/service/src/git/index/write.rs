//! Indexes of version 2 (gitformat-pack), as `git index-pack` writes them.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use sha1::{Digest as _, Sha1};

use super::scan::Entry;
use crate::Result;
use crate::git::Oid;
use crate::git::fetch::disk;

/// Offsets from here on are in a table of their own.
const LARGE: u64 = 1 << 31;

/// Writes the index of a pack in one step: it is there whole or not at all.
pub(super) fn write(
    target: &Path,
    folder: &Path,
    entries: Vec<Entry>,
    checksum: &[u8; 20],
) -> Result<()> {
    let file = tempfile::NamedTempFile::new_in(folder).map_err(|e| disk(folder, e))?;
    let mut objects: Vec<(Oid, u64, u32)> = entries
        .into_iter()
        .filter_map(|entry| entry.found.map(|(_, id)| (id, entry.offset, entry.crc)))
        .collect();
    objects.sort_unstable();
    content(&objects, checksum, file.as_file()).map_err(|e| disk(target, e))?;
    file.persist(target)
        .map(drop)
        .map_err(|e| disk(target, e.error))
}

fn content(objects: &[(Oid, u64, u32)], checksum: &[u8; 20], to: impl Write) -> io::Result<()> {
    let mut out = Hashing {
        inner: BufWriter::with_capacity(1 << 16, to),
        hash: Sha1::new(),
    };
    out.write_all(b"\xfftOc\0\0\0\x02")?;
    let mut below = 0_usize;
    for first in 0..=u8::MAX {
        below += objects[below..].partition_point(|(id, ..)| id.as_slice()[0] <= first);
        out.write_all(&(below as u32).to_be_bytes())?;
    }
    for (id, ..) in objects {
        out.write_all(id.as_slice())?;
    }
    for (_, _, crc) in objects {
        out.write_all(&crc.to_be_bytes())?;
    }
    let mut large = 0_u32;
    for (_, offset, _) in objects {
        let word = if *offset < LARGE {
            *offset as u32
        } else {
            large += 1;
            (large - 1) | LARGE as u32
        };
        out.write_all(&word.to_be_bytes())?;
    }
    for (_, offset, _) in objects.iter().filter(|(_, offset, _)| *offset >= LARGE) {
        out.write_all(&offset.to_be_bytes())?;
    }
    out.write_all(checksum)?;
    let hash: [u8; 20] = out.hash.finalize().into();
    out.inner.write_all(&hash)?;
    out.inner.flush()
}

struct Hashing<W> {
    inner: W,
    hash: Sha1,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::HASH;

    #[test]
    fn offsets_above_2_gib_are_found_again() {
        let id = |byte| Oid::from_bytes_or_panic(&[byte; 20]);
        let objects = [
            (id(0), 12, 1),
            (id(3), LARGE - 1, 2),
            (id(3), LARGE, 3),
            (id(255), u64::from(u32::MAX) + 9, 4),
        ];
        let mut bytes = Vec::new();
        content(&objects, &[9; 20], &mut bytes).unwrap();
        let file = gix_pack::index::File::from_data(bytes, "x.idx".into(), HASH).unwrap();
        let read: Vec<_> = file
            .iter()
            .map(|entry| (entry.oid, entry.pack_offset, entry.crc32.unwrap()))
            .collect();
        assert_eq!(read, objects);
        assert!(file.lookup(id(255)).is_some() && file.lookup(id(4)).is_none());
    }
}
