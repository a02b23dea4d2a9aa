//! What an item holds, as one digest: the same however the item came to it.

use std::collections::BTreeMap;

use repository::{BlobId, FileContent, Node};
use sha2::{Digest as _, Sha256};

/// The files of an item by their paths: what is put or removed, over what was there.
#[derive(Default)]
pub(crate) struct Contents(BTreeMap<String, Option<File>>);

struct File {
    hash: [u8; 32],
    size: u64,
}

impl File {
    fn new(blobs: &[BlobId], size: u64) -> Self {
        let mut hash = Sha256::new();
        for blob in blobs {
            hash.update(blob.0);
        }
        Self {
            hash: hash.finalize().into(),
            size,
        }
    }
}

impl Contents {
    /// Without content the file is removed.
    pub(crate) fn change(&mut self, part: &str, content: Option<&FileContent>) {
        let file = content.map(|content| File::new(&content.blobs, content.size));
        self.0.insert(part.to_owned(), file);
    }

    /// A file that is as it was, unless it is known to have changed.
    pub(crate) fn keep(&mut self, part: String, node: &Node) {
        let blobs = node.content.as_deref().unwrap_or_default();
        let kept = || Some(File::new(blobs, node.size));
        self.0.entry(part).or_insert_with(kept);
    }

    /// The digest, and how large all files are.
    pub(crate) fn total(&self) -> (String, u64) {
        let (mut digest, mut size) = (Sha256::new(), 0);
        for (part, file) in &self.0 {
            if let Some(file) = file {
                // No path holds a zero byte.
                digest.update(part.as_bytes());
                digest.update([0]);
                digest.update(file.hash);
                size += file.size;
            }
        }
        (hex::encode(&digest.finalize()[..16]), size)
    }
}
