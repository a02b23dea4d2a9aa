//! Repositories that earlier versions and restic wrote, kept forever: every later version must read them byte for byte.
//!
//! `tests/fixtures/README.md` tells how they were made.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{CheckOptions, Id, Node, Op, ReadData, Repository, Snapshot, SnapshotId};

use crate::support::*;

pub(crate) const GOLDEN: &str = "keepward-0.1";

/// Each with the hash of all that its snapshots hold.
const FIXTURES: [(&str, &str); 2] = [
    (
        GOLDEN,
        "4408f229d612049f1922f7ed9956a08765daf37fadd4709e3f243e897369eae9",
    ),
    (
        "restic-0.14",
        "61de610d8eb88ec4e83ee9476e096557f8ab57b900577e25491cf36911b671b2",
    ),
];

/// The files of a repository by their paths in it.
pub(crate) type Files = std::collections::BTreeMap<String, Vec<u8>>;

pub(crate) fn fixture(name: &str) -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    let mut files = Files::new();
    let mut waiting = vec![root.clone()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            files.insert(name.to_owned(), fs::read(&path).unwrap());
        }
    }
    assert!(!files.is_empty(), "{} is missing", root.display());
    files
}

pub(crate) async fn in_store(files: &Files) -> Arc<dyn ObjectStore> {
    let store = InMemory::new();
    for (path, bytes) in files {
        let bytes = Bytes::from(bytes.clone());
        store
            .put(&path.as_str().into(), bytes.into())
            .await
            .unwrap();
    }
    Arc::new(store)
}

pub(crate) async fn opened_from(files: &Files) -> Repository {
    opened(in_store(files).await).await
}

pub(crate) fn on_disk(files: &Files) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Every file of every snapshot, in the order of snapshots and paths.
pub(crate) async fn all_files(repository: &Repository) -> Vec<(SnapshotId, String, Node)> {
    let mut all = Vec::new();
    for (id, snapshot) in repository.snapshots().await.unwrap() {
        for (path, node) in repository.list(snapshot.tree).await.unwrap() {
            if node.is_file() {
                all.push((id, path, node));
            }
        }
    }
    all
}

async fn content_hash(repository: &Repository) -> String {
    let mut text = String::new();
    for (snapshot, path, node) in all_files(repository).await {
        let content = Id::of(&repository.read(&node).await.unwrap());
        writeln!(text, "{snapshot} {path} {} {content}", node.mtime).unwrap();
    }
    Id::of(text.as_bytes()).to_string()
}

#[tokio::test]
async fn golden_repositories_read_as_on_the_day_they_were_written() {
    for (name, expected) in FIXTURES {
        let repository = opened_from(&fixture(name)).await;
        assert_eq!(content_hash(&repository).await, expected, "{name}");
        let all = CheckOptions {
            read_data: ReadData::All,
        };
        let report = repository.check(&all).await.unwrap();
        assert_eq!(report.problems, [], "{name}");
    }
}

#[test]
fn restic_reads_golden_repositories() {
    for (name, _) in FIXTURES {
        let folder = on_disk(&fixture(name));
        // The fixture has a lock of a process that is long gone.
        restic(folder.path(), PASSWORD, &["unlock", "--remove-all"]);
        restic(folder.path(), PASSWORD, &["check", "--read-data"]);
    }
}

/// For a new version of the format on disk: writes one more golden repository and says where.
#[tokio::test]
#[ignore = "writes a new fixture"]
async fn write_a_golden_repository() {
    let folder = tempfile::tempdir().unwrap().keep();
    let location = folder.join("golden");
    let (store, _) = repository::store_from(location.to_str().unwrap()).unwrap();
    let repository = Repository::init(store, &secret(PASSWORD), &options())
        .await
        .unwrap();
    repository
        .add_key(&secret("a second password"), &options())
        .await
        .unwrap();
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    let mut tree = None;
    for round in 0..3 {
        let mut writer = repository.writer();
        let mut changes = Vec::new();
        for (path, bytes) in contents(round) {
            let content = writer.bytes(&bytes).await.unwrap();
            let path: Vec<String> = path.split('/').map(str::to_owned).collect();
            let op = Op::Put(Box::new(Node::file("", content, time(round))));
            changes.push(repository::Change { path, op });
        }
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        tree = Some(writer.update(tree, changes).await.unwrap());
        let snapshot = Snapshot {
            hostname: "contoso".to_owned(),
            paths: vec!["/contoso".to_owned()],
            tags: vec!["keepward".to_owned()],
            ..Snapshot::new(time(86_400 * round), tree.unwrap())
        };
        writer.commit(&snapshot, &lock).await.unwrap();
    }
    let kept = folder.join("with-lock");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&location, &kept])
        .status();
    assert!(copied.unwrap().success());
    lock.release().await.unwrap();
    panic!("the new fixture is {}", kept.display());
}

/// Documents, an empty file, names that need quoting, and bytes that do not compress.
fn contents(round: i64) -> Vec<(String, Vec<u8>)> {
    let document =
        |id: i64| format!("{{\"id\":{id},\"rev\":{round},\"title\":\"item {id}\"}}").into_bytes();
    let mut files = vec![
        ("source.json".to_owned(), document(-1)),
        (
            format!("git/{round}/pack"),
            noise(round.cast_unsigned(), 700),
        ),
        (format!("work-items/{round}/empty"), Vec::new()),
        (
            format!("work-items/{round}/a<b>&\"é\\\u{1f600}"),
            document(round),
        ),
    ];
    files.extend((0..3).map(|id| {
        (
            format!("work-items/0/{id}/work-item.json"),
            document(id + round),
        )
    }));
    files
}
