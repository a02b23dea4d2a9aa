//! Check, prune and verify as runs, by request and by themselves.

use std::path::PathBuf;

use catalog::{Claimant, Page, QueueLimits};
use control::PruneJob;
use jiff::SignedDuration;
use model::policy::{Schedule, When};
use model::{AlarmKind, AlarmLevel, Maintenance, Reason, Run, RunKind, RunState, Task};

use crate::Site;

/// A site with one good backup.
async fn backed_up() -> Site {
    let site = Site::new().await;
    // Documents that a verification can parse.
    site.world.put("box", "", "b1", r#"{"name":"first"}"#);
    site.world.put("leaf", "b1", "l1", r#"{"name":"a leaf"}"#);
    site.connector("contoso").await;
    site.asked("contoso").await;
    assert_eq!(site.work().await, 1);
    assert_eq!(site.snapshots().await, 1);
    site
}

/// Switches the usual policy off.
async fn without_backups(site: &Site) {
    let (catalog, now) = (&site.control.catalog, site.now());
    let mut row = catalog.policy("default").await.unwrap();
    row.policy.enabled = false;
    catalog
        .replace_policy("default", row.version, &row.policy, now)
        .await
        .unwrap();
}

async fn done(site: &Site, run: &Run) -> Run {
    assert_eq!((run.state, site.work().await), (RunState::Queued, 1));
    site.run(&run.id).await
}

async fn check(site: &Site, percent: u8) -> Run {
    let run = site
        .control
        .request_check("MAIN", percent, Reason::Request)
        .await
        .unwrap();
    done(site, &run).await
}

async fn prune(site: &Site, dry_run: bool) -> Run {
    let wish = PruneJob {
        dry_run,
        ..PruneJob::default()
    };
    let run = site
        .control
        .request_prune("main", wish, Reason::Request)
        .await
        .unwrap();
    done(site, &run).await
}

async fn verify(site: &Site) -> Run {
    let newest = site.control.catalog.snapshots(None, &Page::first(1)).await;
    let newest = newest.unwrap().items.remove(0);
    let run = site
        .control
        .request_verify(&newest, "anna", Reason::Request)
        .await
        .unwrap();
    assert_eq!(run.connector, "contoso");
    done(site, &run).await
}

async fn codes(site: &Site, run: &Run) -> Vec<String> {
    let page = Page::first(100);
    let issues = site.control.catalog.issues(&run.id, &page);
    let issues = issues.await.unwrap().items.into_iter();
    issues.map(|row| row.issue.code).collect()
}

async fn alarms(site: &Site) -> Vec<(AlarmKind, AlarmLevel)> {
    let found = site.control.look_for_alarms().await.unwrap();
    // How full the disk of this machine is, is not what is asked.
    let of_us = found
        .iter()
        .filter(|one| one.kind != AlarmKind::StorageFilling);
    of_us.map(|one| (one.kind, one.level)).collect()
}

/// The files below `data`.
fn packs(site: &Site) -> Vec<PathBuf> {
    let shards = std::fs::read_dir(site.folder().join("repository/data")).unwrap();
    let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn a_check_is_a_run_that_says_what_it_found() {
    let site = backed_up().await;
    let run = check(&site, 100).await;
    assert_eq!((run.kind, run.state), (RunKind::Check, RunState::Succeeded));
    let found = run.result.unwrap();
    assert_eq!(
        (&found["damage"], &found["snapshots"]),
        (&0.into(), &1.into())
    );
    assert_eq!(found["packs_read"], packs(&site).len());
    let row = site.control.catalog.repository("main").await.unwrap();
    assert_eq!((row.checked, row.problems), (Some(site.now()), Some(0)));
    assert!(row.bytes.unwrap() > 0 && row.damaged.is_none());
    let told = site.heard.0.lock().unwrap();
    let states: Vec<RunState> = told
        .iter()
        .filter(|(id, _)| *id == run.id)
        .map(|(_, state)| *state)
        .collect();
    assert_eq!(states, [RunState::Running, RunState::Succeeded]);
}

#[tokio::test]
async fn damage_fails_the_run_and_is_an_alarm_until_a_check_has_seen_it_gone() {
    let site = backed_up().await;
    let pack = packs(&site).remove(0);
    let whole = std::fs::read(&pack).unwrap();
    let mut damaged = whole.clone();
    damaged[10] ^= 1;
    std::fs::write(&pack, &damaged).unwrap();
    let run = check(&site, 100).await;
    assert_eq!(run.state, RunState::Failed);
    assert!(
        run.error
            .as_ref()
            .unwrap()
            .contains("repository main is damaged")
    );
    assert!(run.result.as_ref().unwrap()["damage"].as_u64().unwrap() > 0);
    assert!(
        codes(&site, &run)
            .await
            .iter()
            .all(|code| code == "repository-damaged")
    );
    let damage = (AlarmKind::DamageFound, AlarmLevel::Critical);
    assert_eq!(alarms(&site).await, [damage]);

    let verified = verify(&site).await;
    assert_eq!(verified.state, RunState::Failed);
    assert!(!codes(&site, &verified).await.is_empty());
    assert_eq!(
        alarms(&site).await,
        [damage, damage],
        "repository and snapshot"
    );

    std::fs::write(&pack, &whole).unwrap();
    verify(&site).await;
    let shallow = check(&site, 0).await;
    if run.result.unwrap()["damage"] != shallow.result.unwrap()["damage"] {
        assert_eq!(
            alarms(&site).await,
            [damage],
            "nobody has read the pack since"
        );
    }
    assert_eq!(check(&site, 100).await.state, RunState::Succeeded);
    assert!(alarms(&site).await.is_empty());
}

#[tokio::test]
async fn a_repository_that_cannot_be_opened_any_more_is_checked_all_the_same() {
    let site = backed_up().await;
    std::fs::remove_file(site.folder().join("repository/config")).unwrap();
    let run = check(&site, 0).await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(
        codes(&site, &run).await.first().map(String::as_str),
        Some("repository-damaged")
    );
}

#[tokio::test]
async fn a_prune_says_what_it_frees_and_a_dry_one_changes_nothing() {
    let site = backed_up().await;
    let dry = prune(&site, true).await;
    assert_eq!((dry.kind, dry.state), (RunKind::Prune, RunState::Succeeded));
    assert_eq!(dry.result.unwrap()["dry_run"], true);
    let pruned = async || {
        site.control
            .catalog
            .repository("main")
            .await
            .unwrap()
            .pruned
    };
    assert_eq!(pruned().await, None);
    let real = prune(&site, false).await.result.unwrap();
    assert_eq!(
        (&real["dry_run"], &real["bytes_freed"]),
        (&false.into(), &0.into())
    );
    assert_eq!(pruned().await, Some(site.now()));
    assert!(
        site.folder()
            .join("repository/locks")
            .read_dir()
            .unwrap()
            .next()
            .is_none()
    );
}

#[tokio::test]
async fn a_verified_snapshot_carries_a_mark() {
    let site = backed_up().await;
    let run = verify(&site).await;
    assert_eq!(
        (run.kind, run.state),
        (RunKind::Verify, RunState::Succeeded)
    );
    let snapshot = run.snapshot.unwrap();
    let mark = &site.control.catalog.verifications().await.unwrap()[&snapshot];
    assert!(mark.is_clean());
    assert_eq!((mark.time, mark.by.as_str()), (site.now(), "anna"));
    assert!(run.result.unwrap()["files"].as_u64().unwrap() > 0);
    let connector = site.control.catalog.connector("contoso").await.unwrap();
    assert_eq!(connector.status.name(), "connected");
}

#[tokio::test]
async fn of_one_repository_one_thing_is_done_at_a_time_and_here() {
    let site = backed_up().await;
    for _ in 0..2 {
        site.control
            .request_prune("main", PruneJob::default(), Reason::Request)
            .await
            .unwrap();
    }
    let (none, lease) = ([].into(), std::time::Duration::from_mins(1));
    let claim = async |name: &str, storages| {
        let claimant = Claimant {
            name,
            labels: &none,
            storages,
            at_work: &none,
        };
        let catalog = &site.control.catalog;
        let limits = QueueLimits::default();
        let claimed = catalog.claim_next(&claimant, limits, site.now(), lease);
        claimed.await.unwrap()
    };
    let reached = ["main".to_owned()].into();
    assert_eq!(claim("elsewhere", Some(&reached)).await, None);
    assert!(claim("server", None).await.is_some());
    assert_eq!(claim("another", None).await, None);
    let mut runs = site.runs().await;
    site.control.explain(&mut runs).await.unwrap();
    let waits: Vec<_> = runs.iter().filter_map(|run| run.waiting.as_ref()).collect();
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].code, "source-busy");
    assert!(
        waits[0].message.contains("repository main"),
        "{}",
        waits[0].message
    );
}

#[tokio::test]
async fn what_waits_is_canceled_at_once() {
    let site = backed_up().await;
    let run = site
        .control
        .request_check("main", 0, Reason::Request)
        .await
        .unwrap();
    let canceled = site.control.cancel(&run.id).await.unwrap();
    assert_eq!(canceled.state, RunState::Canceled);
    assert_eq!(site.work().await, 0);
}

#[tokio::test]
async fn a_new_repository_is_looked_after_by_itself() {
    let site = backed_up().await;
    without_backups(&site).await;
    assert!(
        site.schedule().await.is_empty(),
        "nothing at the first look"
    );
    let mut made: Vec<Run> = Vec::new();
    for _ in 0..(35 * 4) {
        site.pass(SignedDuration::from_hours(6));
        made.extend(site.schedule().await);
        site.work().await;
    }
    let count = |kind| made.iter().filter(|run| run.kind == kind).count();
    assert_eq!(
        [RunKind::Check, RunKind::Prune, RunKind::Verify].map(count),
        [5, 5, 1]
    );
    for run in site.runs().await {
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    }
    let rows = site.control.maintenance("main").await.unwrap();
    assert_eq!(rows[0].position, 25, "each check reads another part");
    let marks = site.control.catalog.verifications().await.unwrap();
    assert!(marks.values().all(|mark| mark.by == "schedule") && marks.len() == 1);
    let overdue = (AlarmKind::BackupOverdue, AlarmLevel::Critical);
    assert_eq!(alarms(&site).await, [overdue], "all else is in order");
}

#[tokio::test]
async fn what_waits_already_is_not_asked_for_again_and_what_is_off_stays_off() {
    let site = backed_up().await;
    let often = Maintenance {
        task: Task::Check,
        schedule: Schedule {
            when: When::Interval { minutes: 60 },
            jitter_minutes: 0,
            ..Schedule::default()
        },
        read_percent: 0,
    };
    without_backups(&site).await;
    site.control
        .set_maintenance("main", std::slice::from_ref(&often), None)
        .await
        .unwrap();
    let mut made = 0;
    for _ in 0..5 {
        site.pass(SignedDuration::from_hours(1));
        made += site.schedule().await.len();
    }
    assert_eq!(made, 1);
    site.work().await;
    site.pass(SignedDuration::from_hours(10));
    let late = site.schedule().await;
    assert_eq!((late.len(), late[0].reason), (1, Reason::Schedule));
    site.control
        .set_maintenance("main", &[], None)
        .await
        .unwrap();
    site.work().await;
    site.pass(SignedDuration::from_hours(24 * 60));
    assert!(site.schedule().await.is_empty());
    let wrong = Maintenance {
        read_percent: 101,
        ..often
    };
    assert!(
        site.control
            .set_maintenance("main", &[wrong], None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_repository_that_is_away_fails_the_run_that_looks_after_it() {
    let site = backed_up().await;
    std::fs::rename(
        site.folder().join("repository"),
        site.folder().join("elsewhere"),
    )
    .unwrap();
    let run = prune(&site, false).await;
    assert_eq!(run.state, RunState::Failed);
    assert!(run.result.is_none() && run.error.is_some());
    let row = site.control.catalog.repository("main").await.unwrap();
    assert_eq!((row.pruned, row.damaged), (None, None));
}
