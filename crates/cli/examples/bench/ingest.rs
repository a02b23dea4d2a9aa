//! How near the writer comes to what one core can do.
//!
//! The limit is what no writer of the format can avoid for its contents: for every document one SHA-256 (its id), one zstd frame and one
//! AES-256-CTR with Poly1305, with contexts that are made once, on one core. Ours is [`repository::Writer`] on the same documents in
//! memory, from the first byte to the committed snapshot on disk, in wall time: it also looks each document up, hashes every pack (its
//! name), builds the trees and the index, and syncs every file. Both take the documents as the backup lays them out, a folder for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aes256ctr_poly1305aes::aead::AeadInPlace as _;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce};
use anyhow::Result;
use jiff::Timestamp;
use model::{Clock, Secret};
use repository::{Change, Holder, InitOptions, Node, Op, Repository, Snapshot, store_from};
use sha2::{Digest as _, Sha256};

/// The level of our writer; restic's own default takes more time.
const LEVEL: i32 = 1;

/// Bytes per second.
pub(crate) struct Limits {
    pub limit: f64,
    pub ours: f64,
}

pub(crate) async fn measure(documents: &Path) -> Result<Limits> {
    let documents = load(documents)?;
    let bytes: usize = documents.iter().map(|(_, bytes)| bytes.len()).sum();
    let rate = |seconds: f64| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / seconds;
    Ok(Limits {
        limit: rate(limit(&documents)?),
        ours: rate(ours(&documents).await?),
    })
}

/// In the order of their ids, as a crawl brings them.
fn load(folder: &Path) -> Result<Vec<(u32, Vec<u8>)>> {
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    let mut documents = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let id = path
                .file_stem()
                .and_then(|stem| stem.to_str()?.parse().ok());
            match id {
                _ if path.is_dir() => open.push(path),
                Some(id) => documents.push((id, std::fs::read(path)?)),
                None => {}
            }
        }
    }
    documents.sort_unstable_by_key(|(id, _)| *id);
    Ok(documents)
}

fn limit(documents: &[(u32, Vec<u8>)]) -> Result<f64> {
    let cipher = Aes256CtrPoly1305Aes::new(Key::from_slice(&[7; 64]));
    let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
    let (mut packed, mut seen) = (Vec::new(), 0_u64);
    let start = Instant::now();
    for (id, document) in documents {
        let hash = Sha256::digest(document);
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(document.len()));
        zstd.compress_to_buffer(document, &mut packed)?;
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&id.to_le_bytes());
        let tag = cipher
            .encrypt_in_place_detached(Nonce::from_slice(&nonce), &[], &mut packed)
            .map_err(|_| anyhow::anyhow!("a document could not be encrypted"))?;
        // Nothing of it may be optimized away.
        seen = seen.wrapping_add(u64::from(hash[0]) + u64::from(tag[0]));
    }
    let seconds = start.elapsed().as_secs_f64();
    std::hint::black_box(seen);
    Ok(seconds)
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

async fn ours(documents: &[(u32, Vec<u8>)]) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let clock = Arc::new(Fixed(Timestamp::from_second(1_790_000_000)?));
    let (store, _) = store_from(&folder.path().join("repository").to_string_lossy())?;
    let options = InitOptions {
        created: clock.now(),
        hostname: "bench".to_owned(),
        username: "bench".to_owned(),
    };
    let repository = Repository::init(store, &Secret::new("bench"), &options).await?;
    let lock = repository
        .lock_shared(&Holder::new("bench", Arc::clone(&clock) as Arc<dyn Clock>))
        .await?;
    let start = Instant::now();
    let mut writer = repository.writer();
    let mut changes = Vec::with_capacity(documents.len());
    for (id, document) in documents {
        let content = writer.bytes(document).await?;
        let node = Node::file("work-item.json", content, clock.now());
        changes.push(Change {
            path: vec![
                format!("{:04}", id / 256),
                id.to_string(),
                node.name.clone(),
            ],
            op: Op::Put(Box::new(node)),
        });
    }
    changes.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    let tree = Box::pin(writer.update(None, changes)).await?;
    writer
        .commit(&Snapshot::new(clock.now(), tree), &lock)
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    lock.release().await?;
    repository.close().await;
    Ok(seconds)
}
