//! Fuzz targets: whatever bytes a repository holds, parsers say so and neither panic nor exhaust the memory.

#[path = "../../../fuzz/mutate.rs"]
mod mutate;

use std::sync::Arc;

use jiff::Timestamp;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;

use self::mutate::{assert_little_memory, inputs};
use crate::check::gap;
use crate::config::Config;
use crate::crypto::{Cipher, KeyBytes};
use crate::files::{Files, unseal};
use crate::index::file;
use crate::index::table::Table;
use crate::links::Links;
use crate::lock::LockInfo;
use crate::pack::writer::{Compressor, Packer};
use crate::pack::{Entry, header};
use crate::tree::name;
use crate::tree::raw::RawTree;
use crate::{BlobType, CheckOptions, FileKind, Id, ReadData, Repository, Snapshot, key};

const TREE: &str = r#"{"nodes":[{"name":"a\\u00e9","type":"file","mode":384,"mtime":"2026-11-22T02:41:35.86606537+01:00","atime":"2026-11-22T02:41:35Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0,"user":"root","inode":10010893,"size":2,"links":1,"content":["4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"]},{"name":"dir","type":"dir","mode":2147484141,"mtime":"2026-11-22T02:41:35Z","atime":"2026-11-22T02:41:35Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0,"content":null,"subtree":"bf12a0fed74c51680f44e4d37e15d5f513a84587ecc47318bb5c988ef41c318a"},{"name":"e","type":"file","mtime":"2026-11-22T02:41:35Z","atime":"2026-11-22T02:41:35Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0,"size":18446744073709551615,"content":[]}]}"#;
const SNAPSHOT: &str = r#"{"time":"2026-11-22T02:41:38.538834655+01:00","parent":"bf12a0fed74c51680f44e4d37e15d5f513a84587ecc47318bb5c988ef41c318a","tree":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","paths":["/a"],"hostname":"h","username":"u","uid":1000,"tags":["t"],"summary":{"files_new":1}}"#;
const KEY: &str = r#"{"created":"2026-09-21T14:13:20Z","username":"keepward","hostname":"h","kdf":"scrypt","N":16,"r":1,"p":1,"salt":"c2FsdA==","data":"ZGF0YQ=="}"#;
const CONFIG: &str = r#"{"version":2,"id":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","chunker_polynomial":"25b468838dcb75"}"#;
const LOCK: &str =
    r#"{"time":"2026-09-21T14:13:20Z","exclusive":false,"hostname":"h","username":"u","pid":1}"#;

fn master() -> KeyBytes {
    KeyBytes::new([7; 64])
}

fn cipher() -> Cipher {
    Cipher::new(&master())
}

fn sealed(clear: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    cipher().seal(clear, &mut out);
    out
}

/// A pack of three blobs, one of them compressed.
fn pack() -> (Id, Vec<u8>, Vec<Entry>) {
    let (mut packer, mut zstd) = (Packer::new(BlobType::Data), Compressor::new());
    for blob in [&b"x"[..], &[b'a'; 5000], b""] {
        packer
            .add(&cipher(), &mut zstd, Id::of(blob), blob)
            .unwrap();
    }
    let pack = packer.finish(&cipher());
    (pack.id, pack.bytes, pack.entries)
}

fn index() -> String {
    let (id, _, entries) = pack();
    let blobs: Vec<String> = entries
        .iter()
        .map(|entry| {
            format!(
                r#"{{"id":"{}","type":"{}","offset":{},"length":{},"uncompressed_length":{}}}"#,
                entry.id, entry.kind, entry.offset, entry.length, entry.raw_length
            )
        })
        .collect();
    format!(
        r#"{{"supersedes":[],"packs":[{{"id":"{id}","blobs":[{}]}}]}}"#,
        blobs.join(",")
    )
}

fn text(seed: &str) -> Vec<Vec<u8>> {
    vec![seed.as_bytes().to_vec()]
}

/// A repository with one sound snapshot, and whatever `index` says beside its own.
async fn with_index(index: &[u8]) -> (Repository, Vec<Id>) {
    let files = Files::new(Arc::new(InMemory::new()));
    files
        .create_config(Config::random().seal(&cipher()).unwrap())
        .await
        .unwrap();
    let (id, bytes, entries) = pack();
    files.write(FileKind::Pack, id, bytes.into()).await.unwrap();
    files
        .write_sealed(&cipher(), FileKind::Index, |out| out.write_all(index))
        .await
        .unwrap();
    let tree = TREE.replace(
        "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c",
        &entries[0].id.to_string(),
    );
    let mut packer = Packer::new(BlobType::Tree);
    let tree_id = Id::of(tree.as_bytes());
    packer
        .add(&cipher(), &mut Compressor::new(), tree_id, tree.as_bytes())
        .unwrap();
    let trees = packer.finish(&cipher());
    files
        .write(FileKind::Pack, trees.id, trees.bytes.into())
        .await
        .unwrap();
    let named = file::IndexedPack {
        id: trees.id,
        entries: trees.entries,
    };
    file::write(&files, &cipher(), &[named]).await.unwrap();
    let snapshot = Snapshot::new(Timestamp::UNIX_EPOCH, tree_id);
    files
        .write_json(&cipher(), FileKind::Snapshot, &snapshot)
        .await
        .unwrap();
    let repository = Repository::assemble(files, Config::random(), master(), Id([0; 32]));
    (repository, entries.iter().map(|entry| entry.id).collect())
}

proptest! {
    #[test]
    fn an_index_file(json in inputs(text(&index()))) {
        if let Ok(packs) = file::parse_json(&json) {
            let mut table = Table::default();
            for pack in packs {
                gap(&pack);
                header::pack_size(&pack.entries);
                table.insert_pack(pack.id, &pack.entries);
                for entry in &pack.entries {
                    prop_assert!(table.get(entry.kind, &entry.id).is_some());
                    entry.clear_length();
                }
            }
        }
        assert_little_memory();
    }

    #[test]
    fn a_tree(json in inputs(text(TREE))) {
        let id = Id::of(&json);
        if let Ok(raw) = RawTree::parse(id, json.clone()) {
            for index in 0..raw.len() {
                if let (Ok(node), Ok(_)) = (raw.node(index), raw.head(index)) {
                    node.write_json(&mut Vec::new());
                    raw.find(&node.name).ok();
                }
            }
            raw.find("dir").ok();
            raw.tree().ok();
        }
        Links::parse(id, &json).ok();
        assert_little_memory();
    }

    #[test]
    fn a_snapshot(json in inputs(text(SNAPSHOT))) {
        if let Ok(snapshot) = serde_json::from_slice::<Snapshot>(&json) {
            let again = serde_json::to_vec(&snapshot).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Snapshot>(&again).unwrap(), snapshot);
        }
    }

    #[test]
    fn a_key_file(json in inputs(text(KEY))) {
        key::is_key_file(&json);
        key::cost(&json);
    }

    #[test]
    fn a_config(json in inputs(text(CONFIG))) {
        Config::open(&cipher(), &sealed(&json)).ok();
        Config::open(&cipher(), &json).ok();
    }

    #[test]
    fn a_lock(json in inputs(text(LOCK))) {
        if let Ok(lock) = serde_json::from_slice::<LockInfo>(&json) {
            prop_assert!(!lock.to_string().is_empty());
        }
    }

    /// The bytes themselves, and what they decrypt to.
    #[test]
    fn an_encrypted_file(clear in inputs(vec![b"\x02".iter().copied().chain(zstd::bulk::compress(&[b'{'; 9000], 1).unwrap()).collect(), b"{}".to_vec()])) {
        let at = Path::from("index/x");
        unseal(&cipher(), &at, &sealed(&clear)).ok();
        unseal(&cipher(), &at, &clear).ok();
        assert_little_memory();
    }

    #[test]
    fn a_pack(bytes in inputs(vec![pack().1])) {
        let (id, _, entries) = pack();
        header::read(&cipher(), id, &bytes).ok();
        for entry in entries {
            let from = entry.offset as usize;
            if let Some(sealed) = bytes.get(from..from + entry.length as usize) {
                entry.decode(&cipher(), sealed).ok();
            }
        }
    }

    #[test]
    fn a_pack_header(clear in inputs(vec![header::encode(&pack().2)])) {
        let mut bytes = pack().1;
        let header = sealed(&clear);
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
        header::read(&cipher(), pack().0, &bytes).ok();
        assert_little_memory();
    }

    /// Compressed bytes that say anything about their size, and an index that says something else.
    #[test]
    fn a_blob(clear in inputs(vec![zstd::bulk::compress(&[b'a'; 70_000], 1).unwrap()]), raw_length in prop_oneof![any::<u32>(), 0..100_000_u32]) {
        let bytes = sealed(&clear);
        let entry = Entry { kind: BlobType::Data, id: Id::of(b""), offset: 0, length: bytes.len() as u32, raw_length };
        prop_assert!(entry.decode(&cipher(), &bytes).is_err() || entry.clear_length() == 0);
        assert_little_memory();
    }

    #[test]
    fn a_name(quoted in inputs(text(r"a\u00e9\x00\101\U0001f600\\\t"))) {
        if let Some(bytes) = std::str::from_utf8(&quoted).ok().and_then(name::unquote) {
            name::validate(&String::from_utf8_lossy(&bytes)).ok();
        }
    }

    #[test]
    fn a_check_and_reads_over_a_hostile_index(json in inputs(text(&index()))) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (repository, blobs) = with_index(&json).await;
            repository.check(&CheckOptions { read_data: ReadData::All }).await.unwrap();
            for blob in &blobs {
                if let Ok(bytes) = repository.blob(BlobType::Data, *blob).await {
                    assert_eq!(Id::of(&bytes), *blob);
                }
            }
            let wanted = blobs.into_iter().map(|blob| (blob, ())).collect();
            repository.blobs(BlobType::Data, wanted, |(), bytes| bytes.map(<[u8]>::len)).await.ok();
        });
        assert_little_memory();
    }
}
