//! restic reads what we wrote, and we read what restic wrote.

use std::fs;
use std::path::Path;

use repository::{
    BlobType, Change, CheckOptions, Error, FileContent, Node, Op, Repository, Snapshot, store_from,
};

use crate::support::*;

const ODD_NAMES: [&str; 7] = [
    "a b",
    "q\"uo\\te",
    "tab\tnew\nline",
    "a<b>&c",
    "日本語",
    "soft\u{ad}\u{a0}hyphen",
    "\u{1f600}\u{2028}",
];

#[tokio::test]
async fn restic_checks_lists_dumps_and_restores_what_we_wrote() {
    let disk = OnDisk::init().await;
    let big = noise(7, 20 << 20);
    let mut files: Vec<(String, Vec<u8>)> = (0..300)
        .map(|n| {
            (
                format!("items/{:02}/{n}.json", n / 50),
                format!("{{\"id\":{n}}}").repeat(n).into_bytes(),
            )
        })
        .collect();
    files.push(("git/pack".to_owned(), big.clone()));
    files.extend(
        ODD_NAMES
            .iter()
            .map(|name| (format!("odd/{name}"), name.as_bytes().to_vec())),
    );
    let borrowed: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    commit(&disk.repository, None, &borrowed).await;
    disk.restic(&["check", "--read-data"]);

    let listed = disk.restic(&["ls", "latest"]);
    for path in [
        "/items/03/150.json",
        "/git/pack",
        "/odd/日本語",
        "/odd/q\"uo\\te",
    ] {
        assert!(
            listed.lines().any(|line| line == path),
            "{path} not in {listed}"
        );
    }
    assert_eq!(
        disk.restic(&["dump", "latest", "/items/05/299.json"]),
        "{\"id\":299}".repeat(299)
    );

    let target = disk.folder.path().join("restored");
    disk.restic(&["restore", "latest", "--target", target.to_str().unwrap()]);
    for (path, bytes) in &files {
        assert_eq!(&fs::read(target.join(path)).unwrap(), bytes, "{path}");
    }
}

#[tokio::test]
async fn restic_sees_between_two_snapshots_what_we_changed() {
    let disk = OnDisk::init().await;
    let files: &[(&str, &[u8])] = &[("items/00/3.json", b"3"), ("items/01/4.json", b"4")];
    let first = commit(&disk.repository, None, files).await;
    let second = commit(
        &disk.repository,
        Some(first.tree),
        &[("items/00/3.json", b"changed"), ("new", b"n")],
    )
    .await;
    assert_ne!(first.tree, second.tree);
    let ids: Vec<String> = disk
        .repository
        .snapshots()
        .await
        .unwrap()
        .iter()
        .map(|(id, _)| id.to_string())
        .collect();
    let diff = disk.restic(&["diff", &ids[0], &ids[1]]);
    // The two snapshots have the same time, so their order is by id.
    assert!(
        diff.contains("/new") && diff.contains("M    /items/00/3.json"),
        "{diff}"
    );
    assert!(!diff.contains("4.json"), "{diff}");
    disk.restic(&["check", "--read-data"]);
}

/// A directory and a blob beyond 8 MiB, a file that holds what is a tree elsewhere, and the longest name that a file system takes.
#[tokio::test]
async fn restic_reads_what_is_larger_and_odder_than_what_it_writes() {
    let disk = OnDisk::init().await;
    let repository = &disk.repository;
    let long = "n".repeat(255);
    let mut files: Vec<(String, Vec<u8>)> = (0..30_000)
        .map(|number| (format!("wide/{number:05}"), vec![b'x'; number % 7]))
        .collect();
    files.push((long.clone(), b"long".to_vec()));
    files.push(("tree".to_owned(), b"{\"nodes\":[]}\n".to_vec()));
    let files: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
        .collect();
    let wide = commit(repository, None, &files).await;
    let lock = repository.lock_shared(&holder(&TestClock::real())).await;
    let lock = lock.unwrap();
    let mut writer = repository.writer();
    let blob = noise(3, 9 << 20);
    let content = FileContent {
        blobs: vec![writer.blob(BlobType::Data, &blob).await.unwrap()],
        size: blob.len() as u64,
    };
    let op = Op::Put(Box::new(Node::file("", content, time(1))));
    let path = vec!["blob".to_owned()];
    let tree = writer.update(Some(wide.tree), [Change { path, op }]).await;
    let whole = Snapshot::new(time(1), tree.unwrap());
    writer.commit(&whole, &lock).await.unwrap();
    // The same bytes as the file's, and yet another blob.
    let tree = writer.update(None, []).await.unwrap();
    let empty = writer.commit(&Snapshot::new(time(2), tree), &lock).await;
    lock.release().await.unwrap();
    disk.restic(&["check", "--read-data"]);

    repository.forget(&[empty.unwrap()]).await.unwrap();
    assert_eq!(prune(repository).await.blobs_removed, 1);
    disk.restic(&["check", "--read-data"]);
    for (path, size) in [("/blob", 9 << 20), ("/tree", 13), (&format!("/{long}"), 4)] {
        let dumped = run_restic(&disk.path(), PASSWORD, &["dump", "latest", path]);
        assert_eq!(dumped.stdout.len(), size, "{path}");
    }
    let report = disk.reopen().await.check(&CheckOptions::default()).await;
    assert_eq!(report.unwrap().problems, []);
    assert_eq!(repository.list(whole.tree).await.unwrap().len(), 30_004);
}

#[tokio::test]
async fn our_reader_works_after_restic_has_forgotten_and_pruned() {
    let disk = OnDisk::init().await;
    let first = commit(&disk.repository, None, &[("a", b"old"), ("b", b"both")]).await;
    commit(&disk.repository, Some(first.tree), &[("a", b"new")]).await;
    let ids = disk.repository.snapshots().await.unwrap();
    let (keep, snapshot) = ids
        .iter()
        .find(|(_, snapshot)| snapshot.tree != first.tree)
        .unwrap();
    let (drop, _) = ids
        .iter()
        .find(|(_, snapshot)| snapshot.tree == first.tree)
        .unwrap();
    disk.restic(&["forget", "--prune", "--max-unused", "0", &drop.to_string()]);
    // The same object with its stale index, and a fresh one.
    for repository in [disk.repository.clone(), disk.reopen().await] {
        assert_eq!(repository.resolve("latest").await.unwrap(), *keep);
        let node = repository.find(snapshot.tree, "b").await.unwrap().unwrap();
        assert_eq!(repository.read(&node).await.unwrap(), "both");
    }
    let third = commit(
        &disk.repository,
        Some(snapshot.tree),
        &[("a", b"old"), ("c", b"both")],
    )
    .await;
    disk.restic(&["check", "--read-data"]);
    assert_eq!(disk.repository.list(third.tree).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_snapshot_that_restic_tags_is_not_a_lost_one() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"one")]).await;
    for tag in ["first", "second"] {
        disk.restic(&["tag", "--add", tag, "latest"]);
    }
    let repository = disk.reopen().await;
    let report = repository.check(&CheckOptions::default()).await.unwrap();
    assert_eq!(report.problems, []);
    assert_eq!(report.snapshots, 1);
    let lock = repository
        .lock_exclusive(&holder(&TestClock::real()))
        .await
        .unwrap();
    let repaired = repository
        .repair_snapshots(&lock, false, false)
        .await
        .unwrap();
    lock.release().await.unwrap();
    assert_eq!(
        repository.snapshots().await.unwrap().len(),
        1,
        "{repaired:?}"
    );
    disk.restic(&["check", "--read-data"]);
}

/// Whoever may make a file in the folder could stop all backups otherwise.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn stray_files_of_any_name_stop_nothing() {
    use std::os::unix::ffi::OsStrExt as _;
    let disk = OnDisk::init().await;
    let first = commit(&disk.repository, None, &[("a", b"one")]).await;
    for folder in ["", "keys", "data", "index", "snapshots", "locks"] {
        for name in [
            &b"\xff\xfe"[..],
            b"a\nb",
            b"..hidden",
            b"lost+found",
            b"a#b",
            b"%2e%2e",
        ] {
            let folder = disk.path().join(folder);
            fs::write(folder.join(std::ffi::OsStr::from_bytes(name)), b"stray").unwrap();
        }
        std::os::unix::fs::symlink("nowhere", disk.path().join(folder).join("link")).unwrap();
    }
    let repository = disk.reopen().await;
    commit(&repository, Some(first.tree), &[("b", b"two")]).await;
    assert_eq!(repository.snapshots().await.unwrap().len(), 2);
    let report = repository.check(&CheckOptions::default()).await.unwrap();
    assert_eq!(report.problems, []);
}

fn restic_repository(folder: &Path) -> std::path::PathBuf {
    let (repo, source) = (folder.join("repo"), folder.join("source"));
    fs::create_dir_all(source.join("sub")).unwrap();
    fs::write(source.join("big"), noise(3, 9 << 20)).unwrap();
    for name in ODD_NAMES {
        fs::write(source.join("sub").join(name), name).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("big", source.join("link")).unwrap();
    restic(&repo, PASSWORD, &["init"]);
    restic(
        &repo,
        PASSWORD,
        &["backup", "--tag", "t", source.to_str().unwrap()],
    );
    repo
}

#[tokio::test]
async fn we_read_what_restic_wrote_and_go_on_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = restic_repository(folder.path());
    let repository = open(&path).await.unwrap();
    let (_, snapshot) = repository.snapshots().await.unwrap().pop().unwrap();
    assert_eq!(snapshot.tags, ["t"]);
    let source = folder.path().join("source");
    let root = source.to_str().unwrap().trim_start_matches('/');
    let node = repository
        .find(snapshot.tree, &format!("{root}/big"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(repository.read(&node).await.unwrap(), noise(3, 9 << 20));
    for name in ODD_NAMES {
        let node = repository
            .find(snapshot.tree, &format!("{root}/sub/{name}"))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(repository.read(&node).await.unwrap(), name);
    }
    let added = format!("{root}/added");
    let second = commit(&repository, Some(snapshot.tree), &[(&added, b"by us")]).await;
    assert_eq!(
        repository.list(second.tree).await.unwrap().len(),
        repository.list(snapshot.tree).await.unwrap().len() + 1
    );
    restic(&path, PASSWORD, &["check", "--read-data"]);
    // restic finds its own files unchanged in the tree that we edited.
    restic(&path, PASSWORD, &["backup", source.to_str().unwrap()]);
    restic(&path, PASSWORD, &["check", "--read-data"]);
}

#[tokio::test]
async fn a_repository_of_version_1_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old");
    restic(&path, PASSWORD, &["init", "--repository-version", "1"]);
    let (store, _) = store_from(path.to_str().unwrap()).unwrap();
    let error = Repository::open(store, &secret(PASSWORD))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::UnsupportedVersion(1)), "{error}");
}

#[tokio::test]
async fn restic_opens_keys_that_we_added_and_we_open_keys_that_it_added() {
    let disk = OnDisk::init().await;
    disk.repository
        .add_key(&secret("ours"), &options())
        .await
        .unwrap();
    restic(&disk.path(), "ours", &["snapshots"]);
    let file = disk.folder.path().join("password");
    fs::write(&file, "theirs").unwrap();
    disk.restic(&["key", "add", "--new-password-file", file.to_str().unwrap()]);
    let (store, _) = store_from(disk.path().to_str().unwrap()).unwrap();
    assert_eq!(
        Repository::open(store, &secret("theirs"))
            .await
            .unwrap()
            .id(),
        disk.repository.id()
    );
}
