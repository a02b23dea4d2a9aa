//! How near the writer comes to what one core can do.
//!
//! The limit is what no writer of the format can avoid: for every file one SHA-256 of its content (its id), one zstd frame, one AES-256-CTR
//! with Poly1305, and one SHA-256 of the result (a part of its pack's name), with contexts that are made once, on one core. Ours is
//! [`repository::Writer`] on the same files in memory, from the first byte to the committed snapshot on disk, in wall time: it also looks
//! each file up, builds the trees and the index, and syncs what it writes. The files are those of the backup that was just restored, in
//! its layout: a folder for each work item.

use std::path::Path;
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

pub(crate) async fn measure(folder: &Path) -> Result<Limits> {
    let files = load(folder)?;
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let rate = |seconds: f64| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / seconds;
    Ok(Limits {
        limit: rate(limit(&files)?),
        ours: rate(ours(&files).await?),
    })
}

/// Path by components, and content.
type File = (Vec<String>, Vec<u8>);

/// In the order of the tree.
fn load(root: &Path) -> Result<Vec<File>> {
    let mut open = vec![Vec::new()];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(root.join(folder.join("/")))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = [folder.as_slice(), &[name]].concat();
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                files.push((path, std::fs::read(entry.path())?));
            }
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn limit(files: &[File]) -> Result<f64> {
    let cipher = Aes256CtrPoly1305Aes::new(Key::from_slice(&[7; 64]));
    let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
    let (mut packed, mut seen) = (Vec::new(), 0_u64);
    let start = Instant::now();
    let mut pack = Sha256::new();
    for (_, bytes) in files {
        let hash = Sha256::digest(bytes);
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
        zstd.compress_to_buffer(bytes, &mut packed)?;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&seen.to_le_bytes());
        let tag = cipher
            .encrypt_in_place_detached(Nonce::from_slice(&nonce), &[], &mut packed)
            .map_err(|_| anyhow::anyhow!("a file could not be encrypted"))?;
        pack.update(&packed);
        // Nothing of it may be optimized away.
        seen = seen.wrapping_add(u64::from(hash[0]) + u64::from(tag[0]));
    }
    let seconds = start.elapsed().as_secs_f64();
    std::hint::black_box((seen, pack.finalize()));
    Ok(seconds)
}

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

async fn ours(files: &[File]) -> Result<f64> {
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
    let mut changes = Vec::with_capacity(files.len());
    for (path, bytes) in files {
        let content = writer.bytes(bytes).await?;
        changes.push(Change {
            path: path.clone(),
            op: Op::Put(Box::new(Node::file("", content, clock.now()))),
        });
    }
    let tree = Box::pin(writer.update(None, changes)).await?;
    writer
        .commit(&Snapshot::new(clock.now(), tree), &lock)
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    lock.release().await?;
    repository.close().await;
    Ok(seconds)
}
