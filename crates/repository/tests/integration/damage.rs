//! Damage is found and named, and a strict check sees what restic's does not.

use std::fs;
use std::path::PathBuf;

use repository::{BlobType, CheckOptions, CheckReport, ProblemKind, ReadData, Snapshot};

use crate::support::*;

const ALL: CheckOptions = CheckOptions {
    read_data: ReadData::All,
};

fn files(disk: &OnDisk, folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![disk.path().join(folder)];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn flip(path: &PathBuf, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn kinds(report: &CheckReport) -> Vec<ProblemKind> {
    let mut kinds: Vec<_> = report.problems.iter().map(|problem| problem.kind).collect();
    kinds.dedup();
    kinds
}

#[tokio::test]
async fn a_sound_repository_has_no_problems() {
    let disk = OnDisk::init().await;
    let first = commit(
        &disk.repository,
        None,
        &[("a/x", b"1"), ("b", b""), ("c", &noise(1, 3 << 20))],
    )
    .await;
    commit(&disk.repository, Some(first.tree), &[("a/y", b"2")]).await;
    let report = disk.reopen().await.check(&ALL).await.unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(
        (
            report.snapshots,
            report.trees,
            report.packs,
            report.packs_read
        ),
        (2, 4, 4, 4)
    );
    let reads = [
        (ReadData::None, 0),
        (ReadData::daily(0.0, 1), 0),
        (ReadData::slice(1, 1), 4),
    ];
    for (read_data, packs) in reads {
        let report = disk
            .repository
            .check(&CheckOptions { read_data })
            .await
            .unwrap();
        assert_eq!(report.packs_read, packs);
    }
}

#[tokio::test]
async fn every_bit_of_a_pack_counts() {
    let disk = OnDisk::init().await;
    let snapshot = commit(&disk.repository, None, &[("a", b"content")]).await;
    for path in files(&disk, "data") {
        let good = fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(7).chain([good.len() - 1]) {
            flip(&path, at);
            let report = disk.repository.check(&ALL).await.unwrap();
            assert!(kinds(&report).contains(&ProblemKind::PackDamaged), "{at}");
            fs::write(&path, &good).unwrap();
        }
        fs::write(&path, &good[..good.len() - 9]).unwrap();
        let report = disk
            .repository
            .check(&CheckOptions::default())
            .await
            .unwrap();
        assert!(
            kinds(&report).contains(&ProblemKind::PackSize),
            "{:?}",
            report.problems
        );
        fs::write(&path, &good[..20]).unwrap();
        // Another process: this one may remember what it read before.
        let other = disk.reopen().await;
        let found = other.find(snapshot.tree, "a").await;
        let read = match found {
            Ok(node) => other.read(&node.unwrap()).await.err(),
            Err(error) => Some(error),
        };
        assert!(read.unwrap().to_string().contains("cut short"));
        fs::remove_file(&path).unwrap();
        let report = disk.repository.check(&ALL).await.unwrap();
        assert!(
            kinds(&report).contains(&ProblemKind::PackMissing),
            "{:?}",
            report.problems
        );
        fs::write(&path, &good).unwrap();
    }
    assert_eq!(disk.repository.check(&ALL).await.unwrap().problems, []);
}

/// Both decrypt, and each is where the index says that the other is.
#[tokio::test]
async fn a_blob_is_never_taken_for_another() {
    let disk = OnDisk::init().await;
    let (a, b) = (noise(1, 5000), noise(2, 5000));
    let snapshot = commit(&disk.repository, None, &[("a", &a), ("b", &b)]).await;
    let mut packs = files(&disk, "data");
    packs.sort_by_key(|pack| fs::metadata(pack).unwrap().len());
    let pack = packs.pop().unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let (first, second) = bytes.split_at_mut(5032);
    first.swap_with_slice(&mut second[..5032]);
    fs::write(&pack, bytes).unwrap();
    let repository = disk.reopen().await;
    let mut blobs = Vec::new();
    for path in ["a", "b"] {
        let node = repository.find(snapshot.tree, path).await.unwrap().unwrap();
        let refused = repository.read(&node).await.unwrap_err();
        assert!(
            refused.to_string().contains("its hash differs"),
            "{refused}"
        );
        blobs.push((node.content.unwrap()[0], ()));
    }
    let read = repository.blobs(BlobType::Data, blobs, |(), bytes| bytes.is_ok());
    assert_eq!(read.await.unwrap(), [false, false]);
    let report = repository.check(&ALL).await.unwrap();
    assert!(kinds(&report).contains(&ProblemKind::BlobDamaged));
}

#[tokio::test]
async fn lost_index_files_mean_missing_blobs_and_packs_that_may_be_needed() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"content")]).await;
    fs::remove_file(&files(&disk, "index")[0]).unwrap();
    let report = disk.reopen().await.check(&ALL).await.unwrap();
    assert_eq!(
        kinds(&report),
        [ProblemKind::IndexMissing, ProblemKind::BlobMissing]
    );
    let packs = report.problems.iter().filter(|problem| {
        let file = problem.file.as_deref();
        file.is_some_and(|file| file.starts_with("data/"))
    });
    let packs: Vec<_> = packs.map(|problem| problem.kind).collect();
    assert_eq!(
        packs,
        [ProblemKind::IndexMissing; 2],
        "the pack below the missing tree too"
    );
}

/// What restic's own check lets pass (measured with 0.14), ours names.
#[tokio::test]
async fn trees_that_restic_tolerates_are_problems_for_us() {
    const TIME: &str = r#""mtime":"2026-11-22T02:41:35Z","atime":"2026-11-22T02:41:35Z","ctime":"2026-11-22T02:41:35Z","uid":0,"gid":0"#;
    let file = |name: &str| format!(r#"{{"name":"{name}","type":"file",{TIME},"content":[]}}"#);
    let tree = |nodes: &[String]| format!("{{\"nodes\":[{}]}}\n", nodes.join(","));
    let cases = [
        (tree(&[file("b"), file("a")]), ProblemKind::TreeOrder),
        (tree(&[file("a"), file("a")]), ProblemKind::TreeOrder),
        (tree(&[file("a/b")]), ProblemKind::NodeName),
        (tree(&[file("..")]), ProblemKind::NodeName),
        (
            tree(&[file("a").replace("\"content\"", "\"size\":7,\"content\"")]),
            ProblemKind::NodeSize,
        ),
        (
            tree(&[file("a").replace("[]", "null")]),
            ProblemKind::NodeContent,
        ),
        (
            tree(&[file("a").replace("file", "dir")]),
            ProblemKind::NodeContent,
        ),
        (
            tree(&[file("a").replace("[]", &format!("[\"{}\"]", repository::Id::of(b"none")))]),
            ProblemKind::BlobMissing,
        ),
        (
            tree(&[file("a")]).trim_end().to_owned(),
            ProblemKind::TreeNotCanonical,
        ),
        (
            tree(&[file("a").replace(",\"type\"", ", \"type\"")]),
            ProblemKind::TreeNotCanonical,
        ),
        (tree(&[file("<")]), ProblemKind::TreeNotCanonical),
        ("{\"nodes\":[".to_owned(), ProblemKind::TreeDamaged),
        (tree(&[file("\\\\q")]), ProblemKind::TreeDamaged),
    ];
    let (repository, _) = in_memory().await;
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    for (bytes, kind) in cases {
        let mut writer = repository.writer();
        let id = writer.blob(BlobType::Tree, bytes.as_bytes()).await.unwrap();
        let snapshot = writer
            .commit(&Snapshot::new(time(0), id), &lock)
            .await
            .unwrap();
        let report = repository.check(&CheckOptions::default()).await.unwrap();
        assert_eq!(kinds(&report), [kind], "{bytes}");
        assert_eq!(report.is_clean(), kind.is_note());
        repository.forget(&[snapshot]).await.unwrap();
    }
}

#[tokio::test]
async fn what_restic_wrote_is_canonical_for_us() {
    let folder = tempfile::tempdir().unwrap();
    let (repo, source) = (folder.path().join("repo"), folder.path().join("source"));
    fs::create_dir_all(source.join("a<b>&\"\\\u{e9}\u{2028}\u{1f600}\u{301}")).unwrap();
    fs::write(source.join("x"), "x").unwrap();
    restic(&repo, PASSWORD, &["init"]);
    restic(&repo, PASSWORD, &["backup", source.to_str().unwrap()]);
    let report = open(&repo).await.unwrap().check(&ALL).await.unwrap();
    assert_eq!(report.problems, []);
}

#[tokio::test]
async fn the_rest_of_an_interrupted_upload_harms_nobody() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"content")]).await;
    let pack = files(&disk, "data").remove(0);
    fs::write(format!("{}#1", pack.display()), b"half a pack").unwrap();
    assert_eq!(disk.repository.check(&ALL).await.unwrap().problems, []);
    disk.restic(&["check", "--read-data"]);
    disk.restic(&["prune"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_look_into_the_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let disk = OnDisk::init().await;
    assert_eq!(
        fs::metadata(disk.path()).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

/// Foreign key files must not make us allocate without bound.
#[tokio::test]
async fn a_key_file_with_absurd_parameters_is_skipped() {
    let disk = OnDisk::init().await;
    let text = fs::read_to_string(&files(&disk, "keys")[0]).unwrap();
    for change in ["\"N\":1073741824", "\"N\":33", "\"N\":32768,\"x\":1"] {
        let other = text.replace("\"N\":32768", change).replace(
            "\"r\":8",
            if change.contains('x') {
                "\"r\":4294967295"
            } else {
                "\"r\":8"
            },
        );
        let name = repository::Id::of(other.as_bytes()).to_string();
        fs::write(disk.path().join("keys").join(name), other).unwrap();
    }
    assert_eq!(
        open(&disk.path())
            .await
            .unwrap()
            .keys()
            .await
            .unwrap()
            .len(),
        4
    );
}

/// A file that somebody blew up (here a sparse one of 64 GiB) is named, not read.
#[tokio::test]
async fn a_file_of_absurd_size_is_named_without_being_read() {
    for folder in ["config", "keys", "index", "snapshots", "data", "keepward"] {
        let disk = OnDisk::init().await;
        commit(&disk.repository, None, &[("a", b"content")]).await;
        let path = files(&disk, folder).remove(0);
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(64 << 30).unwrap();
        let name = path
            .strip_prefix(disk.path())
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let report = disk.reopen().await.check(&ALL).await.unwrap();
        let named = report
            .problems
            .iter()
            .any(|problem| problem.file.as_ref() == Some(&name));
        assert!(named, "{name}: {:?}", report.problems);
    }
}
