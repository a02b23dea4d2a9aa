//! Writes that stop anywhere leave every snapshot whole.

use std::io::ErrorKind;
use std::sync::Arc;

use jiff::SignedDuration;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use repository::{
    BlobType, Change, CheckOptions, Error, FileContent, Node, Op, ReadData, Repository, Snapshot,
    TreeId,
};

use crate::faulty::FaultyStore;
use crate::support::*;

const ALL: CheckOptions = CheckOptions {
    read_data: ReadData::All,
};

async fn backup(
    repository: &Repository,
    clock: &Arc<TestClock>,
    round: u8,
) -> repository::Result<TreeId> {
    let lock = repository.lock_shared(&holder(clock)).await?;
    let mut writer = repository.writer();
    let mut changes = Vec::new();
    for name in 0..4 {
        let bytes = [
            b"content".as_slice(),
            &[name, if name == 0 { 0 } else { round }],
        ]
        .concat();
        let blobs = vec![writer.blob(BlobType::Data, &bytes).await?];
        let node = Node::file(
            "",
            FileContent {
                blobs,
                size: bytes.len() as u64,
            },
            time(0),
        );
        changes.push(Change {
            path: vec![format!("d{name}"), "x".to_owned()],
            op: Op::Put(Box::new(node)),
        });
    }
    let tree = writer.update(None, changes).await?;
    writer
        .commit(&Snapshot::new(time(i64::from(round)), tree), &lock)
        .await?;
    lock.release().await?;
    Ok(tree)
}

/// All that is listed can be read, and nothing but left-over packs is wrong.
async fn assert_whole(
    store: &Arc<dyn ObjectStore>,
    snapshots: std::ops::RangeInclusive<usize>,
) -> Repository {
    let repository = Repository::open(Arc::clone(store), &secret(PASSWORD))
        .await
        .unwrap();
    let report = repository.check(&ALL).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.problems);
    assert!(
        snapshots.contains(&(report.snapshots as usize)),
        "{}",
        report.snapshots
    );
    repository
}

#[tokio::test]
async fn a_full_disk_is_named_and_leaves_no_snapshot() {
    let (_, store) = in_memory().await;
    for writes in 0..5 {
        let full = FaultyStore::new(Arc::clone(&store), writes, ErrorKind::StorageFull);
        let repository = Repository::open(full, &secret(PASSWORD)).await.unwrap();
        let clock = TestClock::real();
        clock.advance(SignedDuration::from_hours(writes));
        let error = backup(&repository, &clock, 1).await.unwrap_err();
        assert_eq!(error.code(), "disk-full", "{error}");
        assert_whole(&store, 0..=0).await;
    }
}

#[tokio::test]
async fn a_backup_and_a_prune_killed_at_any_write_lose_nothing() {
    let clock = TestClock::real();
    let mut writes = 0;
    loop {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let repository = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options())
            .await
            .unwrap();
        for round in 0..3 {
            backup(&repository, &clock, round).await.unwrap();
        }
        let oldest = repository.snapshots().await.unwrap()[0].0;
        repository.forget(&[oldest]).await.unwrap();

        let faulty = FaultyStore::new(Arc::clone(&store), writes, ErrorKind::ConnectionReset);
        let killed = Repository::open(
            Arc::clone(&faulty) as Arc<dyn ObjectStore>,
            &secret(PASSWORD),
        )
        .await
        .unwrap();
        let result = async {
            let report = killed
                .prune(&holder(&clock), &everything(), &Silent)
                .await?;
            backup(&killed, &clock, 3).await?;
            Ok::<_, Error>(report)
        };
        let result = result.await;
        let repository = assert_whole(&store, 2..=3).await;
        // The next run finds a stale lock, prunes what is left over and goes on.
        clock.advance(SignedDuration::from_mins(31));
        let now = holder(&clock);
        repository
            .prune(&now, &everything(), &Silent)
            .await
            .unwrap();
        backup(&repository, &clock, 4).await.unwrap();
        let repository = assert_whole(&store, 3..=4).await;
        assert_eq!(repository.check(&ALL).await.unwrap().problems, []);
        if !faulty.has_failed() {
            assert!(result.unwrap().packs_repacked > 0);
            break;
        }
        writes += 1;
    }
    assert!(
        writes > 12,
        "the test has to stop at many places, not {writes}"
    );
}
