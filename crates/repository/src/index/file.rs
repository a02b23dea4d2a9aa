//! Index files: which pack holds which blobs.

use std::io::Write;

use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::{mpsc, oneshot};

use crate::crypto::Cipher;
use crate::files::{Files, unseal};
use crate::pack::{BlobType, Entry};
use crate::{Error, FileKind, Id, PackId, Result};

/// restic's writers start a new index here as well.
pub(crate) const MOST_BLOBS: usize = 50_000;

/// A pack as an index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexedPack {
    pub(crate) id: PackId,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct FileJson {
    #[serde(default)]
    packs: Vec<PackJson>,
}

#[derive(Deserialize)]
struct PackJson {
    id: Id,
    blobs: Vec<BlobJson>,
}

#[derive(Deserialize)]
struct BlobJson {
    id: Id,
    #[serde(rename = "type")]
    kind: BlobType,
    offset: u32,
    length: u32,
    #[serde(default)]
    uncompressed_length: u32,
}

/// Index files on their way to entries. All are decrypted and parsed on one thread: allocators keep what a thread frees for that thread alone,
/// and texts of 8 MB on several would stay in memory several times.
pub(crate) struct Reader {
    files: Files,
    parser: mpsc::Sender<Parse>,
}

struct Parse {
    id: Id,
    sealed: Bytes,
    answer: oneshot::Sender<Result<Vec<IndexedPack>>>,
}

impl Reader {
    /// The thread ends with the reader.
    pub(crate) fn start(files: &Files, cipher: &Cipher) -> Self {
        let (parser, mut wanted) = mpsc::channel::<Parse>(1);
        let cipher = cipher.clone();
        tokio::task::spawn_blocking(move || {
            while let Some(Parse { id, sealed, answer }) = wanted.blocking_recv() {
                // Nobody waits for it any more: the caller was dropped.
                drop(answer.send(parse(&cipher, id, &sealed)));
            }
        });
        Self {
            files: files.clone(),
            parser,
        }
    }

    pub(crate) async fn read(&self, id: Id) -> Result<Vec<IndexedPack>> {
        let sealed = self.files.read(FileKind::Index, id).await?;
        let (answer, parsed) = oneshot::channel();
        let ended = || Error::io("read an index", std::io::Error::other("its thread ended"));
        let parse = Parse { id, sealed, answer };
        self.parser.send(parse).await.map_err(|_| ended())?;
        parsed.await.map_err(|_| ended())?
    }
}

fn parse(cipher: &Cipher, id: Id, sealed: &[u8]) -> Result<Vec<IndexedPack>> {
    let at = FileKind::Index.path(id);
    let json = unseal(cipher, &at, sealed)?;
    parse_json(&json).map_err(|error| Error::damaged(&at, error))
}

/// The clear text of an index file.
pub(crate) fn parse_json(json: &[u8]) -> serde_json::Result<Vec<IndexedPack>> {
    let file: FileJson = serde_json::from_slice(json)?;
    let entry = |blob: BlobJson| Entry {
        kind: blob.kind,
        id: blob.id,
        offset: blob.offset,
        length: blob.length,
        raw_length: blob.uncompressed_length,
    };
    let pack = |pack: PackJson| IndexedPack {
        id: pack.id,
        entries: pack.blobs.into_iter().map(entry).collect(),
    };
    Ok(file.packs.into_iter().map(pack).collect())
}

/// Writes one index file for these packs.
pub(crate) async fn write(files: &Files, cipher: &Cipher, packs: &[IndexedPack]) -> Result<Id> {
    files
        .write_sealed(cipher, FileKind::Index, |out| write_text(packs, out))
        .await
}

fn write_text(packs: &[IndexedPack], out: &mut dyn Write) -> std::io::Result<()> {
    let mut piece = Vec::new();
    out.write_all(b"{\"packs\":[")?;
    for (number, pack) in packs.iter().enumerate() {
        if number > 0 {
            out.write_all(b",")?;
        }
        piece.extend_from_slice(b"{\"id\":\"");
        pack.id.write_hex(&mut piece);
        piece.extend_from_slice(b"\",\"blobs\":[");
        for (number, entry) in pack.entries.iter().enumerate() {
            if number > 0 {
                piece.push(b',');
            }
            write_entry(entry, &mut piece)?;
            out.write_all(&piece)?;
            piece.clear();
        }
        piece.extend_from_slice(b"]}");
        out.write_all(&piece)?;
        piece.clear();
    }
    out.write_all(b"]}")
}

fn write_entry(entry: &Entry, json: &mut Vec<u8>) -> std::io::Result<()> {
    json.extend_from_slice(b"{\"id\":\"");
    entry.id.write_hex(json);
    write!(
        json,
        "\",\"type\":\"{}\",\"offset\":{},\"length\":{}",
        entry.kind, entry.offset, entry.length
    )?;
    if entry.raw_length != 0 {
        write!(json, ",\"uncompressed_length\":{}", entry.raw_length)?;
    }
    json.push(b'}');
    Ok(())
}
