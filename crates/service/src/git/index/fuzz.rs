//! Fuzz target: packs, with a checksum that fits, so that the damage is found further in.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;
use crate::git::Packs;
use crate::mutate::{assert_little_memory, inputs};

const TEXT: &[u8] = b"hello, world: a text that is long enough to be copied from\n";

/// The name of `TEXT` as a blob.
fn base() -> [u8; 20] {
    Sha1::digest([format!("blob {}\0", TEXT.len()).as_bytes(), TEXT].concat()).into()
}

/// Type and size as a pack writes them, what stands before the content, and the content.
fn entry(kind: u8, before: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = content.len();
    let mut out = vec![kind << 4 | (size & 15) as u8];
    size >>= 4;
    while size > 0 {
        *out.last_mut().unwrap() |= 0x80;
        out.push((size & 127) as u8);
        size >>= 7;
    }
    out.extend_from_slice(before);
    let mut zlib = ZlibEncoder::new(out, Compression::fast());
    zlib.write_all(content).unwrap();
    zlib.finish().unwrap()
}

/// A blob, a delta by offset, a delta by id, a tree and a commit; without the checksum.
fn pack() -> Vec<u8> {
    let size = TEXT.len() as u8;
    // Copies 20 bytes from offset 5, then inserts 3 bytes.
    let delta = [size, 23, 0x91, 5, 20, 3, b'n', b'e', b'w'];
    let tree = [b"100644 a\0".as_slice(), &base()].concat();
    let commit = format!(
        "tree {}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n",
        hex::encode(base())
    );
    let blob = entry(3, b"", TEXT);
    let mut out = b"PACK\0\0\0\x02\0\0\0\x05".to_vec();
    out.extend_from_slice(&blob);
    out.extend_from_slice(&entry(6, &[blob.len() as u8], &delta));
    out.extend_from_slice(&entry(7, &base(), &delta));
    out.extend_from_slice(&entry(2, b"", &tree));
    out.extend_from_slice(&entry(1, b"", commit.as_bytes()));
    out
}

fn check(content: &[u8]) -> Result<Option<Vec<u8>>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in.pack");
    fs::write(&path, [content, &Sha1::digest(content)].concat()).unwrap();
    let limits = Limits {
        object_bytes: 1 << 20,
        base_bytes: 1 << 24,
        ..USUAL
    };
    match checked(limits, &path, folder.path(), &AtomicBool::new(false))? {
        Checked::Done(indexed) if indexed.objects > 0 => {
            assert!(Packs::open([&indexed.idx]).is_ok(), "we wrote it");
            Ok(Some(fs::read(&indexed.idx).unwrap()))
        }
        Checked::Done(_) | Checked::TooLarge { .. } => Ok(None),
    }
}

/// The index of a sound pack.
pub(in crate::git) fn idx() -> Vec<u8> {
    check(&pack()).unwrap().unwrap()
}

proptest! {
    #[test]
    fn a_pack(content in inputs(vec![pack()])) {
        check(&content).ok();
        assert_little_memory();
    }

    #[test]
    fn a_delta(delta in inputs(vec![vec![TEXT.len() as u8, 23, 0x91, 5, 20, 3, b'n', b'e', b'w']])) {
        let mut out = Vec::new();
        if delta::apply(TEXT, &delta, 1 << 20, &mut out).is_some() {
            prop_assert_eq!(delta::result_size(&delta), Some(out.len() as u64));
        }
        assert_little_memory();
    }
}
