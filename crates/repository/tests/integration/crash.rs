//! Writes that stop anywhere leave every snapshot whole.

use std::sync::Arc;

use fault_store::Plan;
use jiff::SignedDuration;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{
    BlobType, Change, CheckOptions, Error, FileContent, Node, Op, ReadData, Repository, Snapshot,
    TreeId,
};

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
    let repository = opened(Arc::clone(store)).await;
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
async fn a_repository_whose_making_was_cut_short_is_made_with_the_same_password() {
    let mut writes = 0;
    loop {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let cut = Arc::new(faulty(&store, &TestClock::real(), after(writes)));
        let made = Repository::init(cut, &secret(PASSWORD), &options()).await;
        if made.is_ok() {
            break;
        }
        if writes > 0 {
            let other = Repository::init(Arc::clone(&store), &secret("other"), &options()).await;
            assert!(matches!(other.err(), Some(Error::Exists(_))), "{writes}");
        }
        let made = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options()).await;
        assert_eq!(made.unwrap().keys().await.unwrap().len(), 1, "{writes}");
        assert_whole(&store, 0..=0).await;
        writes += 1;
    }
    assert_eq!(writes, 3, "key, its copy, config");
}

#[tokio::test]
async fn a_repository_that_has_lost_its_config_is_not_made_anew() {
    let (repository, store) = in_memory().await;
    backup(&repository, &TestClock::real(), 0).await.unwrap();
    for path in ["config", "keepward/config"] {
        store.delete(&path.into()).await.unwrap();
    }
    let again = Repository::init(Arc::clone(&store), &secret(PASSWORD), &options()).await;
    assert!(matches!(again.err(), Some(Error::Exists(_))));
}

#[tokio::test]
async fn a_full_disk_is_named_and_leaves_no_snapshot() {
    let (_, store) = in_memory().await;
    let mut room = 0;
    loop {
        let clock = TestClock::real();
        clock.advance(SignedDuration::from_hours(room));
        let plan = Plan {
            room: Some(room.cast_unsigned()),
            ..Plan::default()
        };
        let full = Arc::new(faulty(&store, &clock, plan));
        let repository = opened(full).await;
        match backup(&repository, &clock, 1).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code(), "disk-full", "{error}"),
        }
        assert_whole(&store, 0..=0).await;
        room += 300;
    }
    assert!(room >= 1200, "more than the lock has to be written: {room}");
}

#[tokio::test]
async fn a_pack_that_was_acknowledged_and_is_not_there_is_written_again_or_ends_the_backup() {
    let mut ended = [0, 0];
    for seed in 0..24 {
        let (_, store) = in_memory().await;
        let clock = TestClock::real();
        let swallow = if seed == 0 { 1000 } else { 500 };
        let plan = Plan {
            seed,
            swallow,
            ..Plan::default()
        };
        let faulty = Arc::new(faulty(&store, &clock, plan));
        let repository = opened(Arc::clone(&faulty) as Arc<dyn ObjectStore>).await;
        let done = backup(&repository, &clock, 1).await;
        assert!(seed > 0 || done.is_err());
        let swallowed = !faulty.strikes().is_empty();
        match done {
            Ok(_) => ended[0] += usize::from(swallowed),
            Err(error) => {
                ended[1] += 1;
                assert_eq!(error.code(), "storage-failed", "{error}");
                assert!(error.to_string().contains("pack file"), "{error}");
            }
        }
        drop(repository);
        clock.advance(SignedDuration::from_hours(1));
        assert_whole(&store, 0..=1).await;
    }
    assert!(ended.iter().all(|count| *count > 0), "{ended:?}");
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

        let faulty = faulty(&store, &clock, after(writes));
        let killed = opened(Arc::new(faulty.clone())).await;
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
        if faulty.strikes().is_empty() {
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

/// What is left of it is a snapshot or none, and never one that seems to be lost.
#[tokio::test]
async fn a_forget_that_is_killed_is_done_or_not() {
    for writes in 0..2 {
        let (repository, store) = in_memory().await;
        let clock = TestClock::real();
        backup(&repository, &clock, 0).await.unwrap();
        let only = repository.snapshots().await.unwrap()[0].0;
        let mortal = opened(Arc::new(faulty(&store, &clock, after(writes)))).await;
        mortal.forget(&[only]).await.unwrap_err();
        assert_whole(&store, 1..=1)
            .await
            .forget(&[only])
            .await
            .unwrap();
        assert_whole(&store, 0..=0).await;
    }
}

#[tokio::test]
async fn a_file_from_beyond_the_calendar_is_not_overlooked() {
    let (_, store) = in_memory().await;
    let far = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_hours(20_000 * 8766);
    let store = Arc::new(fault_store::FaultStore::new(store, Arc::new(move || far)));
    let repository = opened(store).await;
    backup(&repository, &TestClock::real(), 0).await.unwrap();
    assert_eq!(repository.snapshots().await.unwrap().len(), 1);
}
