//! The statistics against what is known of a small repository.

use repository::{Change, FileContent, Node, Op, Repository, Snapshot, Stats};

use crate::support::*;

async fn stats(repository: &Repository) -> Stats {
    let by_host = |snapshot: &Snapshot| snapshot.hostname.clone();
    repository.stats(by_host, &Silent).await.unwrap()
}

async fn put(repository: &Repository, host: &str, second: i64, files: &[(&str, &[u8])]) {
    let lock = repository
        .lock_shared(&holder(&TestClock::real()))
        .await
        .unwrap();
    let mut writer = repository.writer();
    let mut changes = Vec::new();
    for (path, bytes) in files {
        let content: FileContent = writer.bytes(bytes).await.unwrap();
        let path = path.split('/').map(str::to_owned).collect();
        changes.push(Change {
            path,
            op: Op::Put(Box::new(Node::file("", content, time(0)))),
        });
    }
    let tree = writer.update(None, changes).await.unwrap();
    let snapshot = Snapshot {
        hostname: host.to_owned(),
        ..Snapshot::new(time(second), tree)
    };
    writer.commit(&snapshot, &lock).await.unwrap();
    lock.release().await.unwrap();
}

#[tokio::test]
async fn nothing_is_neither_compressed_nor_there_twice() {
    let (repository, _) = in_memory().await;
    assert_eq!(
        stats(&repository).await,
        Stats {
            compression: 1.0,
            deduplication: 1.0,
            ..Stats::default()
        }
    );
}

#[tokio::test]
async fn files_count_for_each_place_and_blobs_once() {
    let disk = OnDisk::init().await;
    let (large, small) = (noise(1, 4000), noise(2, 100));
    put(
        &disk.repository,
        "a",
        1,
        &[("d1/x", &large), ("d2/x", &large), ("y", &small)],
    )
    .await;
    put(&disk.repository, "a", 2, &[("d1/x", &large)]).await;
    put(&disk.repository, "b", 3, &[("y", &small)]).await;
    let stats = stats(&disk.repository).await;
    assert_eq!((stats.snapshots, stats.files), (3, 5));
    assert_eq!(stats.bytes_logical, 3 * 4000 + 2 * 100);
    // Two contents; d1 and d2 are one tree; three roots.
    assert_eq!(stats.blobs, 6);
    assert_eq!(stats.bytes_unused, 0);
    let sizes = |folder: &str| -> u64 {
        let files = disk.files(folder);
        files
            .iter()
            .map(|file| file.metadata().unwrap().len())
            .sum()
    };
    assert_eq!(
        (stats.bytes_packs, stats.bytes_index),
        (sizes("data"), sizes("index"))
    );
    let sources: Vec<_> = stats
        .sources
        .iter()
        .map(|row| {
            (
                row.source.as_str(),
                row.snapshots,
                row.newest,
                row.files,
                row.bytes,
            )
        })
        .collect();
    assert_eq!(
        sources,
        [("a", 2, time(2), 1, 4000), ("b", 1, time(3), 1, 100)]
    );
    assert!(stats.sources[0].bytes_stored > 4100 && stats.sources[1].bytes_stored < 1000);

    // restic counts the same.
    let shown = disk.restic(&["stats", "--mode", "raw-data", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["total_blob_count"], stats.blobs);
    let shown = disk.restic(&["stats", "--mode", "restore-size", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["total_size"], stats.bytes_logical);
}

#[tokio::test]
async fn what_a_prune_could_free_is_unused() {
    let (repository, _) = in_memory().await;
    put(&repository, "a", 1, &[("x", &noise(1, 4000))]).await;
    let ids: Vec<_> = repository
        .snapshots()
        .await
        .unwrap()
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    repository.forget(&ids).await.unwrap();
    let before = stats(&repository).await;
    assert!(
        before.bytes_unused > 4000 && before.blobs == 0,
        "{before:?}"
    );
    prune(&repository).await;
    let after = stats(&repository).await;
    assert_eq!((after.packs, after.bytes_unused), (0, 0));
}
