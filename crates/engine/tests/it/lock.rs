//! Backups whose lock somebody removes.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt as _;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::harness::{Harness, notes, runtime};

const HOUR: Duration = Duration::from_hours(1);

/// After a minute.
async fn remove_lock(store: Arc<dyn ObjectStore>) {
    tokio::time::sleep(Duration::from_mins(1)).await;
    let locks = store.list(Some(&"locks".into()));
    let locks: Vec<_> = locks.try_collect().await.unwrap();
    assert_eq!(locks.len(), 1);
    store.delete(&locks[0].location).await.unwrap();
}

/// What it had read since could not be committed.
#[test]
fn a_backup_whose_lock_somebody_removed_ends_before_it_has_read_everything() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.world().apply(&notes(12));
        let requests = harness.world().requests;
        harness.world().last = Some(requests + 6);
        let removed = remove_lock(Arc::clone(&harness.store));
        tokio::time::pause();
        let (ended, ()) = tokio::join!(tokio::time::timeout(HOUR, harness.backup()), removed);
        let error = ended.unwrap().unwrap_err();
        assert_eq!(error.code(), Some("lock-lost"));
        assert!(error.to_string().contains("clock"), "{error}");
    });
}

/// The rows of a first large backup take long.
#[test]
fn a_snapshot_whose_lock_somebody_removed_after_the_commit_is_listed() {
    runtime().block_on(async {
        let mut harness = Harness::new().await;
        harness.world().apply(&notes(12));
        harness.catalog().slow = HOUR / 2;
        let removed = remove_lock(Arc::clone(&harness.store));
        tokio::time::pause();
        let (ended, ()) = tokio::join!(tokio::time::timeout(HOUR, harness.backup()), removed);
        let report = ended.unwrap().unwrap();
        let snapshots = harness.repository.snapshots().await.unwrap();
        assert_eq!(snapshots.len(), 1);
        assert_eq!(snapshots[0].0, report.snapshot);
        assert_eq!(harness.catalog().rows.len(), 1);
        assert!(harness.repository.locks().await.unwrap().is_empty());
    });
}
