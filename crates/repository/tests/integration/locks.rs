//! Lock files between us, and between us and restic.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use fault_store::{FaultStore, Plan};
use futures::TryStreamExt as _;
use jiff::SignedDuration;
use object_store::{ObjectStore, ObjectStoreExt as _};
use repository::{BlobType, CopyOptions, Error, Holder, Snapshot};

use crate::gate::{At, Gate};
use crate::support::*;

fn elsewhere(clock: &Arc<TestClock>) -> Holder {
    Holder {
        hostname: "another-host".to_owned(),
        ..holder(clock)
    }
}

#[tokio::test]
async fn shared_locks_go_together_and_exclusive_ones_stand_alone() {
    let (repository, store) = in_memory().await;
    let other = opened(store).await;
    let clock = TestClock::real();
    let first = repository.lock_shared(&holder(&clock)).await.unwrap();
    let second = other.lock_shared(&elsewhere(&clock)).await.unwrap();
    let error = other.lock_exclusive(&holder(&clock)).await.err().unwrap();
    assert_eq!(error.code(), "lock-held");
    assert!(
        error
            .to_string()
            .contains(&format!("process {}", std::process::id())),
        "{error}"
    );
    first.release().await.unwrap();
    second.release().await.unwrap();
    let exclusive = other.lock_exclusive(&holder(&clock)).await.unwrap();
    let error = repository.lock_shared(&holder(&clock)).await.err().unwrap();
    assert!(matches!(error, Error::Locked { by } if by.exclusive));
    drop(exclusive);
    other.close().await;
    assert!(
        repository.locks().await.unwrap().is_empty(),
        "a failed or dropped lock leaves no file"
    );
}

#[tokio::test]
async fn locks_that_nobody_refreshes_or_whose_process_is_gone_do_not_count() {
    let (repository, store) = in_memory().await;
    let other = opened(store).await;
    let clock = TestClock::real();
    let foreign = other.lock_exclusive(&elsewhere(&clock)).await.unwrap();
    clock.advance(SignedDuration::from_mins(29));
    assert!(repository.lock_shared(&holder(&clock)).await.is_err());
    clock.advance(SignedDuration::from_mins(2));
    let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
    assert!(matches!(
        foreign.verify(&other).await,
        Err(Error::LockLost(_))
    ));
    lock.release().await.unwrap();
}

#[tokio::test]
async fn a_lock_whose_taker_gives_up_on_the_way_leaves_no_file() {
    let (plain, store) = in_memory().await;
    let clock = TestClock::real();
    // While its file is written, and while it is read for the first time.
    for at in [At::Write, At::Read] {
        let gate = Gate::new(Arc::clone(&store), at, "locks/");
        let repository = opened(gate.clone()).await;
        let holder = holder(&clock);
        tokio::select! {
            _ = repository.lock_exclusive(&holder) => panic!("the gate is closed"),
            () = gate.reached() => {}
        }
        gate.open();
        repository.close().await;
        assert_eq!(plain.locks().await.unwrap(), [], "{at:?}");
    }
    let lock = plain.lock_exclusive(&holder(&clock)).await.unwrap();
    lock.release().await.unwrap();
}

/// Neither sees the other's file before its own is written.
#[tokio::test]
async fn of_two_who_lock_at_the_same_moment_not_both_get_in() {
    let (plain, store) = in_memory().await;
    let clock = TestClock::real();
    for exclusive in [false, true] {
        let gate = Gate::new(Arc::clone(&store), At::Write, "locks/");
        let (one, other) = (opened(gate.clone()).await, opened(gate.clone()).await);
        let (holder, elsewhere) = (holder(&clock), elsewhere(&clock));
        let second = async {
            if exclusive {
                other.lock_exclusive(&elsewhere).await
            } else {
                other.lock_shared(&elsewhere).await
            }
        };
        let let_in = async {
            gate.reached().await;
            gate.reached().await;
            gate.open();
        };
        let (first, second, ()) = tokio::join!(one.lock_exclusive(&holder), second, let_in);
        assert!(first.is_err() || second.is_err(), "{exclusive}");
        for got in [first, second].into_iter().flatten() {
            got.release().await.unwrap();
        }
        assert_eq!(plain.locks().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_refreshed_lock_stays_valid() {
    let (repository, _) = in_memory().await;
    let clock = TestClock::real();
    let lock = repository.lock_exclusive(&elsewhere(&clock)).await.unwrap();
    for _ in 0..3 {
        clock.advance(SignedDuration::from_mins(20));
        lock.refresh().await.unwrap();
        assert_eq!(repository.locks().await.unwrap().len(), 1);
    }
    assert!(repository.lock_shared(&holder(&clock)).await.is_err());
    lock.verify(&repository).await.unwrap();
}

/// Whoever removed it may have begun to remove data: it does not come back by itself.
#[tokio::test]
async fn a_lock_that_somebody_removed_stays_lost() {
    let disk = OnDisk::init().await;
    let clock = TestClock::real();
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    disk.restic(&["unlock", "--remove-all"]);
    assert_eq!(lock.refresh().await.unwrap_err().code(), "lock-lost");
    assert_eq!(disk.repository.locks().await.unwrap(), []);
    assert_eq!(lock.refresh().await.unwrap_err().code(), "lock-lost");

    // Nor when that happens while the new file is on its way.
    let (plain, store) = in_memory().await;
    let gate = Gate::new(Arc::clone(&store), At::Write, "locks/");
    let repository = opened(gate.clone()).await;
    gate.pass();
    let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
    gate.reached().await;
    let removed = async {
        gate.reached().await;
        let locks = store.list(Some(&"locks".into()));
        let locks: Vec<_> = locks.try_collect().await.unwrap();
        store.delete(&locks[0].location).await.unwrap();
        gate.open();
    };
    let (refreshed, ()) = tokio::join!(lock.refresh(), removed);
    assert_eq!(refreshed.unwrap_err().code(), "lock-lost");
    assert_eq!(plain.locks().await.unwrap(), []);
}

/// Its storage was away for so long, and still does not remove the file.
#[tokio::test]
async fn a_lock_that_was_not_refreshed_in_time_is_lost_for_that_reason_whoever_asks() {
    let (_, store) = in_memory().await;
    let clock = TestClock::real();
    let faulty = Arc::new(faulty(&store, &clock, Plan::default()));
    let store: Arc<dyn ObjectStore> = Arc::<FaultStore>::clone(&faulty);
    let repository = opened(store).await;
    let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
    faulty.arm(after(0));
    clock.advance(SignedDuration::from_mins(31));
    let told = |error: Error| {
        assert_eq!(error.code(), "lock-lost", "{error}");
        assert!(error.to_string().contains("30 minutes"), "{error}");
    };
    told(lock.refresh().await.unwrap_err());
    told(lock.verify(&repository).await.unwrap_err());
    told(lock.lost().await);
}

/// A server lives for months, and others prune.
#[tokio::test]
async fn who_read_the_index_before_a_prune_reads_it_anew_under_the_lock() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"old"), ("b", b"kept")]).await;
    let old = disk.reopen().await;
    old.count_blobs().await.unwrap();
    disk.restic(&["forget", "--prune", "latest"]);
    let snapshot = commit(&old, None, &[("a", b"old")]).await;
    let node = disk.reopen().await.find(snapshot.tree, "a").await;
    let read = disk.reopen().await.read(&node.unwrap().unwrap()).await;
    assert_eq!(read.unwrap(), "old");
}

/// Nobody has to ask for it: a job of hours is not taken for a dead one.
#[tokio::test(start_paused = true)]
async fn a_lock_that_is_held_for_hours_refreshes_itself() {
    let (repository, store) = in_memory().await;
    let other = opened(store).await;
    let clock = TestClock::real();
    let lock = repository.lock_shared(&elsewhere(&clock)).await.unwrap();
    for _ in 0..6 {
        clock.advance(SignedDuration::from_mins(20));
        tokio::time::sleep(Duration::from_mins(20)).await;
        let refused = other.lock_exclusive(&holder(&clock)).await;
        assert!(matches!(refused, Err(Error::Locked { .. })));
        lock.verify(&repository).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_after_losing_the_lock_is_refused() {
    let disk = OnDisk::init().await;
    let clock = TestClock::real();
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    let mut writer = disk.repository.writer();
    let tree = writer.update(None, []).await.unwrap();
    disk.restic(&["unlock", "--remove-all"]);
    let error = writer
        .commit(&Snapshot::new(time(0), tree), &lock)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "lock-lost");
    assert!(disk.repository.snapshots().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_writer_whose_blobs_were_pruned_away_cannot_commit() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"old")]).await;
    let clock = TestClock::real();
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    let mut writer = disk.repository.writer();
    // Relies on a blob that is stored, which a prune then removes because someone removed our lock.
    writer.blob(BlobType::Data, b"old").await.unwrap();
    let tree = writer.update(None, []).await.unwrap();
    let only = disk.repository.snapshots().await.unwrap()[0].0.to_string();
    disk.restic(&["unlock", "--remove-all"]);
    disk.restic(&["forget", "--prune", &only]);
    drop(lock);
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    let error = writer
        .commit(&Snapshot::new(time(0), tree), &lock)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::IndexReplaced), "{error}");
}

#[tokio::test]
async fn restic_respects_our_locks() {
    let disk = OnDisk::init().await;
    commit(&disk.repository, None, &[("a", b"x")]).await;
    let clock = TestClock::real();
    let lock = disk.repository.lock_shared(&holder(&clock)).await.unwrap();
    let refused = run_restic(&disk.path(), PASSWORD, &["prune"]);
    let message = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && message.contains("locked") && message.contains("keepward"),
        "{message}"
    );
    disk.restic(&["snapshots"]);
    // It removes stale locks alone, and asks our process by a signal that would end an unprepared one.
    disk.restic(&["unlock"]);
    lock.verify(&disk.repository).await.unwrap();
    lock.release().await.unwrap();

    let lock = disk
        .repository
        .lock_exclusive(&holder(&clock))
        .await
        .unwrap();
    let refused = run_restic(
        &disk.path(),
        PASSWORD,
        &["backup", disk.folder.path().to_str().unwrap()],
    );
    assert!(!refused.status.success());
    lock.release().await.unwrap();
    disk.restic(&["prune"]);
    assert_eq!(fs::read_dir(disk.path().join("locks")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_lock_that_restic_left_is_removed_when_it_was_not_refreshed_for_half_an_hour() {
    let disk = OnDisk::init().await;
    let clock = TestClock::real();
    // restic, killed while it holds its lock: it waits for a password of the new key.
    let mut child = std::process::Command::new("restic")
        .args([
            "--no-cache",
            "-r",
            disk.path().to_str().unwrap(),
            "backup",
            "--stdin",
        ])
        .env("RESTIC_PASSWORD", PASSWORD)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("the `restic` binary is needed for this test (apt-get install restic): {error}")
        });
    while disk.repository.locks().await.unwrap().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "restic ended early");
        tokio::task::yield_now().await;
    }
    let error = disk
        .repository
        .lock_exclusive(&holder(&clock))
        .await
        .err()
        .unwrap();
    assert!(
        matches!(&error, Error::Locked { by } if by.pid == i64::from(child.id())),
        "{error}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    // restic does not say where its process number means something: in another container the process may live.
    let held = disk.repository.lock_exclusive(&holder(&clock)).await;
    assert!(matches!(held, Err(Error::Locked { .. })));
    clock.advance(SignedDuration::from_mins(31));
    disk.repository
        .lock_exclusive(&holder(&clock))
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    assert!(disk.repository.locks().await.unwrap().is_empty());
}

#[tokio::test]
async fn two_writers_at_once_are_both_right() {
    let disk = OnDisk::init().await;
    let other = disk.reopen().await;
    let clock = TestClock::real();
    let mut done = Vec::new();
    for repository in [&disk.repository, &other] {
        let lock = repository.lock_shared(&holder(&clock)).await.unwrap();
        let mut writer = repository.writer();
        writer.blob(BlobType::Data, b"in both").await.unwrap();
        done.push((repository, lock, writer));
    }
    for (number, (repository, lock, mut writer)) in (0..).zip(done) {
        let content = writer.bytes(b"in both").await.unwrap();
        let node = repository::Node::file("", content, time(number));
        let change = repository::Change {
            path: vec!["x".into()],
            op: repository::Op::Put(Box::new(node)),
        };
        let tree = writer.update(None, [change]).await.unwrap();
        writer
            .commit(&Snapshot::new(time(0), tree), &lock)
            .await
            .unwrap();
        let node = repository.find(tree, "x").await.unwrap().unwrap();
        assert_eq!(repository.read(&node).await.unwrap(), "in both");
        lock.release().await.unwrap();
    }
    disk.restic(&["check", "--read-data"]);
    let report = prune(&disk.repository).await;
    assert_eq!(report.blobs_removed, 1, "the second copy");
    disk.restic(&["check", "--read-data"]);
}

#[tokio::test]
async fn readers_go_on_where_no_lock_can_be_written_and_never_beside_who_removes_data() {
    let (writable, store) = in_memory().await;
    let snapshot = commit(&writable, None, &[("a", b"content")]).await;
    let clock = TestClock::real();
    let plan = Plan {
        room: Some(0),
        ..Plan::default()
    };
    let full = Arc::new(faulty(&store, &clock, plan));
    let repository = opened(full).await;
    let error = repository.lock_shared(&holder(&clock)).await.err().unwrap();
    assert_eq!(error.code(), "disk-full");
    let lock = repository.lock_to_read(&holder(&clock), &Silent).await;
    let node = repository.find(snapshot.tree, "a").await.unwrap().unwrap();
    assert_eq!(repository.read(&node).await.unwrap(), &b"content"[..]);
    lock.unwrap().release().await.unwrap();

    let prune = writable.lock_exclusive(&holder(&clock)).await.unwrap();
    let refused = repository.lock_to_read(&holder(&clock), &Silent).await;
    assert_eq!(refused.err().unwrap().code(), "lock-held");
    prune.release().await.unwrap();

    // One that can be written is written.
    let lock = writable.lock_to_read(&holder(&clock), &Silent).await;
    assert_eq!(repository.locks().await.unwrap().len(), 1);
    lock.unwrap().release().await.unwrap();
    assert!(repository.locks().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_repository_that_cannot_be_written_can_be_copied_from() {
    let (source, store) = in_memory().await;
    let snapshot = commit(&source, None, &[("a", b"content")]).await;
    let (target, _) = in_memory().await;
    let clock = TestClock::real();
    let plan = Plan {
        room: Some(0),
        ..Plan::default()
    };
    let full = Arc::new(faulty(&store, &clock, plan));
    let source = opened(full).await;
    let id = source.resolve("latest").await.unwrap();
    let options = CopyOptions::default();
    source
        .copy_to(&target, &[id], &holder(&clock), &options, &Silent)
        .await
        .unwrap();
    assert!(target.find(snapshot.tree, "a").await.unwrap().is_some());
}
