//! Opening, reading and writing through the public API.

use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use repository::{BlobType, Error, Id, Node, Op, Repository, Snapshot, TreeEditor, store_from};

use crate::support::*;

#[tokio::test]
async fn a_repository_is_made_once_and_opened_with_its_password_alone() {
    let (repository, store) = in_memory().await;
    let again = Repository::init(store.clone(), &secret("other"), &options()).await;
    assert!(matches!(again.err(), Some(Error::Exists(_))));
    let opened = opened(store.clone()).await;
    assert_eq!(opened.id(), repository.id());
    let wrong = Repository::open(store, &secret("wrong")).await;
    assert!(matches!(
        wrong.err(),
        Some(Error::WrongPassword { keys: 1 })
    ));
}

#[tokio::test]
async fn looking_for_a_repository_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none/here");
    let error = open(&path).await.err().unwrap();
    assert_eq!(error.code(), "repository-not-found");
    assert!(error.to_string().contains("none/here"), "{error}");
    assert!(!folder.path().join("none").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let path = file.join("repository").display().to_string();
    let (store, _) = store_from(&path).unwrap();
    let error = Repository::init(store, &secret(PASSWORD), &options()).await;
    let error = error.err().unwrap();
    assert_eq!(error.code(), "storage-failed");
    assert!(error.to_string().contains(&path), "{error}");
}

#[test]
fn locations_of_other_kinds_are_refused_by_name() {
    for location in [
        "swift://bucket/x",
        "sftp://c/x",
        "https://host/x",
        "ftp://x",
        "",
        "file://relative",
    ] {
        let error = store_from(location).err().unwrap();
        assert_eq!(error.code(), "repository-location");
        assert!(error.to_string().contains(location));
    }
    let (_, location) = store_from("file:///tmp/x").unwrap();
    assert_eq!(location.to_string(), "/tmp/x");
}

#[tokio::test]
async fn keys_come_and_go_but_the_one_in_use_stays() {
    let (repository, store) = in_memory().await;
    let second = repository
        .add_key(&secret("second"), &options())
        .await
        .unwrap();
    assert_eq!(repository.keys().await.unwrap().len(), 2);
    let opened = Repository::open(store.clone(), &secret("second"))
        .await
        .unwrap();
    assert!(matches!(opened.remove_key(second).await, Err(Error::KeyInUse(id)) if id == second));
    repository.remove_key(second).await.unwrap();
    assert!(matches!(
        repository.remove_key(second).await,
        Err(Error::FileMissing { .. })
    ));
    assert!(matches!(
        Repository::open(store, &secret("second")).await.err(),
        Some(Error::WrongPassword { keys: 1 })
    ));
}

/// As after a `key add` that was killed once its file was written.
#[tokio::test]
async fn the_key_of_a_password_is_known_while_its_file_is_there() {
    let (repository, store) = in_memory().await;
    let first = repository.keys().await.unwrap()[0].id;
    let of = |password: &'static str| {
        let repository = repository.clone();
        async move { repository.key_of(&secret(password)).await.unwrap() }
    };
    assert_eq!(of(PASSWORD).await, Some(first));
    assert_eq!(of("second").await, None);
    let added = repository.add_key(&secret("second"), &options()).await;
    let second = added.unwrap();
    assert_eq!(of("second").await, Some(second));
    let file = format!("keys/{second}").into();
    store.delete(&file).await.unwrap();
    assert_eq!(of("second").await, None, "its second copy opens nothing");
}

/// `restic key remove` knows nothing of second copies.
#[tokio::test]
async fn a_key_that_another_program_removed_opens_nothing_and_is_listed_as_gone() {
    let (repository, store) = in_memory().await;
    let first = repository.keys().await.unwrap()[0].id;
    let second = repository
        .add_key(&secret("second"), &options())
        .await
        .unwrap();
    store
        .delete(&format!("keys/{second}").into())
        .await
        .unwrap();
    for key in repository.keys().await.unwrap() {
        assert_eq!(key.is_gone, key.id == second);
    }
    let error = Repository::open(store.clone(), &secret("second"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.code(), "repository-damaged");
    assert!(error.to_string().contains(&second.to_string()), "{error}");
    assert!(
        Repository::open(store.clone(), &secret(PASSWORD))
            .await
            .is_ok()
    );

    store.delete(&format!("keys/{first}").into()).await.unwrap();
    let rescued = Repository::open(store, &secret(PASSWORD)).await;
    assert!(rescued.is_ok(), "no key file is left: the copy opens");
}

#[tokio::test]
async fn what_was_committed_is_read_back_by_another_process() {
    let disk = OnDisk::init().await;
    let large = noise(1, 5 << 20);
    let files: [(&str, &[u8]); 5] = [
        ("a.json", b"{}"),
        ("a/x", b"in a folder"),
        ("a/empty", b""),
        ("big.bin", &large),
        ("z/y/x", b"deep"),
    ];
    let snapshot = commit(&disk.repository, None, &files).await;
    let other = disk.reopen().await;
    for (path, bytes) in files {
        let node = other.find(snapshot.tree, path).await.unwrap().unwrap();
        assert_eq!(other.read(&node).await.unwrap(), bytes, "{path}");
        assert_eq!(node.size, bytes.len() as u64);
    }
    let node = other.find(snapshot.tree, "big.bin").await.unwrap().unwrap();
    assert!(node.content.as_ref().unwrap().len() > 1);
    for range in [
        0..1,
        1_000_000..3_000_000,
        (5 << 20) - 5..u64::MAX,
        9 << 20..10 << 20,
    ] {
        let expected = large
            .get(range.start as usize..large.len().min(range.end as usize))
            .unwrap_or_default();
        assert_eq!(other.read_range(&node, range).await.unwrap(), expected);
    }
    let parts: Vec<_> = other.stream(&node).try_collect().await.unwrap();
    assert_eq!(parts.concat(), large);
    let paths: Vec<String> = other
        .list(snapshot.tree)
        .await
        .unwrap()
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        paths,
        [
            "a", "a/empty", "a/x", "a.json", "big.bin", "z", "z/y", "z/y/x"
        ]
    );
    assert!(other.find(snapshot.tree, "a/none").await.unwrap().is_none());
    assert!(
        other
            .find(snapshot.tree, "a.json/x")
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn the_same_content_is_stored_once() {
    let (repository, store) = in_memory().await;
    let first = commit(&repository, None, &[("a", b"same"), ("b", b"same")]).await;
    let other = opened(store).await;
    let mut writer = other.writer();
    let id = writer.blob(BlobType::Data, b"same").await.unwrap();
    assert_eq!(writer.stored().blobs, 0);
    // A tree with the same bytes is another blob: restic looks blobs up by type and id.
    writer.blob(BlobType::Tree, b"same").await.unwrap();
    assert_eq!(writer.stored().blobs, 1);
    let node = other.find(first.tree, "b").await.unwrap().unwrap();
    assert_eq!(node.content.unwrap(), [id]);
    writer.file(&noise(2, 3 << 20)[..]).await.unwrap();
    let stored = writer.stored();
    let stream = futures::stream::iter([Ok::<_, Error>(noise(2, 3 << 20).into())]);
    writer.file_stream(stream).await.unwrap();
    assert_eq!(writer.stored(), stored);
}

#[tokio::test]
async fn a_source_that_fails_can_never_become_a_snapshot() {
    let (repository, _) = in_memory().await;
    let clock = TestClock::real();
    let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
    let mut writer = repository.writer();
    let broken = futures::stream::iter([Ok("begin".into()), Err("connection reset")]);
    assert!(matches!(
        writer.file_stream(broken).await,
        Err(Error::Source(_))
    ));
    assert!(writer.blob(BlobType::Data, b"later").await.is_err());
    let error = writer
        .commit(&Snapshot::new(time(0), Id::of(b"x")), &lock)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::WriteFailed(_)), "{error}");
    assert!(repository.snapshots().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_snapshot_of_a_tree_that_does_not_exist_is_refused() {
    let (repository, _) = in_memory().await;
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    let error = repository
        .writer()
        .commit(&Snapshot::new(time(0), Id::of(b"x")), &lock)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::BlobMissing {
                kind: BlobType::Tree,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn snapshots_are_found_by_latest_and_by_an_unambiguous_prefix() {
    let (repository, _) = in_memory().await;
    assert_eq!(
        repository.resolve("latest").await.unwrap_err().code(),
        "snapshot-unknown"
    );
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    let mut writer = repository.writer();
    let tree = writer.update(None, []).await.unwrap();
    let mut ids = Vec::new();
    // 17 ids share a first digit at least once.
    for second in 0..17 {
        ids.push(
            writer
                .commit(&Snapshot::new(time(second), tree), &lock)
                .await
                .unwrap(),
        );
    }
    assert_eq!(repository.resolve("latest").await.unwrap(), ids[16]);
    let own = Snapshot {
        tags: vec![repository::OWN_TAG.to_owned()],
        ..Snapshot::new(time(5), tree)
    };
    let own = writer.commit(&own, &lock).await.unwrap();
    let latest = repository.resolve("latest").await.unwrap();
    assert_eq!(latest, own, "what others wrote since is not the latest");
    assert_eq!(
        repository.resolve(&ids[3].to_string()[..12]).await.unwrap(),
        ids[3]
    );
    let ambiguous = (0..16).map(|digit| format!("{digit:x}")).find(|digit| {
        ids.iter()
            .filter(|id| id.to_string().starts_with(digit))
            .count()
            > 1
    });
    let error = repository.resolve(&ambiguous.unwrap()).await.unwrap_err();
    assert!(
        matches!(&error, Error::SnapshotAmbiguous { candidates, .. } if candidates.len() > 1),
        "{error}"
    );
    assert_eq!(
        repository.resolve("zz").await.unwrap_err().code(),
        "snapshot-unknown"
    );
    repository.forget(&ids[..16]).await.unwrap();
    assert_eq!(repository.snapshots().await.unwrap().len(), 2);
    assert_eq!(
        repository.forget(&ids[..1]).await.unwrap_err().code(),
        "snapshot-unknown"
    );
}

#[tokio::test]
async fn the_editor_refuses_disorder_duplicates_and_names_that_are_paths() {
    let (repository, _) = in_memory().await;
    let file = || Node::file("", repository::FileContent::default(), time(0));
    let cases: [&[&str]; 4] = [
        &["b", "a"],
        &["a", "a"],
        &["a.json", "a/x"],
        &["a/x/y", "a/x"],
    ];
    for paths in cases {
        let mut writer = repository.writer();
        let mut editor = TreeEditor::new(&mut writer, None);
        editor.put(paths[0], file()).await.unwrap();
        assert!(
            matches!(
                editor.put(paths[1], file()).await,
                Err(Error::OutOfOrder { .. })
            ),
            "{paths:?}"
        );
    }
    for path in ["", "a//b", "..", "a/./b", "a\0b", "/a"] {
        let mut writer = repository.writer();
        let mut editor = TreeEditor::new(&mut writer, None);
        assert!(
            matches!(
                editor.put(path, file()).await,
                Err(Error::InvalidName { .. })
            ),
            "{path:?}"
        );
        drop(editor);
        assert!(matches!(writer.flush().await, Err(Error::WriteFailed(_))));
    }
    let mut writer = repository.writer();
    let mut editor = TreeEditor::new(&mut writer, None);
    editor.put("a", file()).await.unwrap();
    assert!(matches!(
        editor.put("a/x", file()).await,
        Err(Error::NotADirectory { .. })
    ));
}

#[tokio::test]
async fn unchanged_directories_are_reused_without_being_read() {
    let (repository, store) = in_memory().await;
    let base = commit(
        &repository,
        None,
        &[("a/one", b"1"), ("b/two", b"2"), ("c/three", b"3")],
    )
    .await;
    let other = opened(store).await;
    let mut writer = other.writer();
    let node = Node::file("", repository::FileContent::default(), time(9));
    // A subtree that exists nowhere: reading it would fail.
    let elsewhere = Node {
        subtree: Some(Id::of(b"nowhere")),
        ..Node::dir("", time(9))
    };
    let mut editor = TreeEditor::new(&mut writer, Some(base.tree));
    editor.put(&["a", "new"], node.clone()).await.unwrap();
    editor.put(&["d"], elsewhere).await.unwrap();
    let second = editor.finish().await.unwrap();
    assert_eq!(writer.stored().blobs, 2, "the root and the directory a");
    let third = writer.update(
        Some(second),
        [repository::Change {
            path: vec!["c".into(), "x".into()],
            op: Op::Put(Box::new(node)),
        }],
    );
    let third = third.await.unwrap();
    let old = other.tree(base.tree).await.unwrap();
    let new = other.tree(third).await.err();
    assert!(
        matches!(new, Some(Error::BlobMissing { .. })),
        "not flushed"
    );
    writer.flush().await.unwrap();
    let new = other.tree(third).await.unwrap();
    assert_eq!(new.nodes[1].subtree, old.nodes[1].subtree);
    assert_eq!(
        new.nodes[0].mtime,
        time(9),
        "a changed directory follows its newest entry"
    );
    assert_eq!(new.nodes[1].mtime, old.nodes[1].mtime);
    assert_eq!(writer.update(Some(third), []).await.unwrap(), third);
}

/// The engine drives all of this from tasks that move between threads, also through boxed futures of traits.
#[tokio::test]
async fn everything_can_run_in_a_task_that_moves_between_threads() {
    fn boxed<'a, T>(
        future: impl Future<Output = T> + Send + 'a,
    ) -> std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>> {
        Box::pin(future)
    }
    async fn run(repository: &Repository) -> repository::Result<usize> {
        let holder = holder(&TestClock::real());
        let lock = repository.lock_shared(&holder).await?;
        let mut writer = repository.writer();
        let content = writer.file(&b"bytes"[..]).await?;
        let mut editor = TreeEditor::new(&mut writer, None);
        let path = vec!["a".to_owned(), "b".to_owned()];
        editor.put(&path, Node::file("", content, time(0))).await?;
        let tree = editor.finish().await?;
        writer.commit(&Snapshot::new(time(0), tree), &lock).await?;
        lock.release().await?;
        let lock = repository.lock_exclusive(&holder).await?;
        repository
            .check(&repository::CheckOptions::default())
            .await?;
        let walked: Vec<_> = repository.walk(tree, "a").try_collect().await?;
        let found: Vec<_> = repository.diff(None, Some(tree)).try_collect().await?;
        repository.find(tree, &path).await?;
        lock.release().await?;
        repository.prune(&holder, &everything(), &Silent).await?;
        Ok(walked.len() + found.len() + repository.snapshots().await?.len())
    }
    let (repository, _) = in_memory().await;
    assert_eq!(boxed(run(&repository)).await.unwrap(), 4);
}
