//! What the catalog knows and a repository no longer has: what a check says of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use repository::{CheckReport, ProblemKind, PruneOptions};

use crate::Site;

#[tokio::test]
async fn a_check_beside_a_forget_reports_no_damage() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.backed_up("contoso").await;
    let repository = site.repository().await;
    let control = &site.control;
    let holder = repository::Holder::new("keepward", Arc::clone(&control.clock));
    let lock = repository.lock_shared(&holder).await.unwrap();
    let id = run.snapshot.unwrap();
    repository.forget(&[id.parse().unwrap()]).await.unwrap();
    let report = CheckReport::default();
    let mut checking = Box::pin(control.lost_snapshots(&repository, &report));
    // Whoever forgets holds a lock until the catalog knows: that is waited for.
    let early = tokio::time::timeout(Duration::from_millis(300), &mut checking).await;
    assert!(early.is_err(), "{early:?}");
    control.catalog.forget_snapshot(&id).await.unwrap();
    lock.release().await.unwrap();
    assert!(checking.await.unwrap().is_empty());
}

#[tokio::test]
async fn a_check_reports_what_is_lost_at_once_where_nobody_forgets() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.backed_up("contoso").await;
    let repository = site.repository().await;
    let id = run.snapshot.unwrap();
    repository.forget(&[id.parse().unwrap()]).await.unwrap();
    let report = CheckReport::default();
    let lost = site.control.lost_snapshots(&repository, &report).await;
    let lost = lost.unwrap();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].file, Some(format!("snapshots/{id}")));
}

#[tokio::test]
async fn what_another_installation_forgot_and_pruned_is_no_damage_while_a_newer_one_is_there() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let first = site.backed_up("contoso").await.snapshot.unwrap();
    // Another day, so that retention keeps both.
    site.pass(SignedDuration::from_hours(48));
    let second = site.backed_up("contoso").await.snapshot.unwrap();
    let repository = site.repository().await;
    let holder = repository::Holder::new("keepward", Arc::clone(&site.control.clock));
    let options = PruneOptions {
        grace: SignedDuration::ZERO,
        ..PruneOptions::default()
    };
    // As another installation does it, whose catalog this one is not.
    let forget = async |id: &str| {
        repository.forget(&[id.parse().unwrap()]).await.unwrap();
    };
    let prune = async || {
        site.pass(SignedDuration::from_hours(1));
        let pruned = repository.prune(&holder, &options, &model::Silent).await;
        pruned.unwrap();
    };
    let kinds = async || {
        let repository = site.repository().await;
        let report = CheckReport::default();
        let lost = site.control.lost_snapshots(&repository, &report).await;
        lost.unwrap()
            .iter()
            .map(|problem| problem.kind)
            .collect::<Vec<_>>()
    };
    forget(&first).await;
    assert_eq!(
        kinds().await,
        [ProblemKind::SnapshotMissing],
        "its data is there"
    );
    prune().await;
    assert_eq!(kinds().await, [ProblemKind::SnapshotForgotten]);
    forget(&second).await;
    prune().await;
    let all = kinds().await;
    assert_eq!(
        all,
        [ProblemKind::SnapshotMissing; 2],
        "no newer one is left"
    );
}

#[tokio::test]
async fn a_snapshot_that_another_program_tagged_twice_is_not_lost() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.backed_up("contoso").await;
    let repository = site.repository().await;
    let holder = repository::Holder::new("restic", Arc::clone(&site.control.clock));
    let lock = repository.lock_shared(&holder).await.unwrap();
    let first: repository::SnapshotId = run.snapshot.unwrap().parse().unwrap();
    let mut snapshot = repository.snapshot(first).await.unwrap();
    let mut before = first;
    for tag in ["audit", "keep"] {
        snapshot.original = Some(first);
        snapshot.tags.push(tag.to_owned());
        let mut writer = repository.writer();
        let id = writer.commit(&snapshot, &lock).await.unwrap();
        repository.forget(&[before]).await.unwrap();
        before = id;
        let report = CheckReport::default();
        let lost = site.control.lost_snapshots(&repository, &report);
        assert!(lost.await.unwrap().is_empty(), "{tag}");
        // The next round begins with the catalog knowing this one alone.
        site.control.sync(&repository).await.unwrap();
    }
    lock.release().await.unwrap();
}
