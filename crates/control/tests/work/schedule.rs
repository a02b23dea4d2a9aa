//! A server's weeks: schedules, downtime, retention and syncs, by a clock that tests set.

use jiff::SignedDuration;
use model::connector::{SyncSettings, SyncTime};
use model::policy::{Keep, Missed, Schedule, When};
use model::{Policy, Reason, RunKind, RunState};

use crate::Site;

fn daily(missed: Missed) -> Schedule {
    Schedule {
        when: When::Hours {
            at: ["01:00".to_owned()].into(),
            days: [].into(),
        },
        jitter_minutes: 0,
        missed,
        ..Schedule::default()
    }
}

async fn change(site: &Site, edit: impl FnOnce(&mut Policy)) {
    let catalog = &site.control.catalog;
    let row = catalog.policy("default").await.unwrap();
    let mut policy = row.policy;
    edit(&mut policy);
    catalog
        .replace_policy("default", row.version, &policy, site.now())
        .await
        .unwrap();
}

/// Looks at the clock every so often, and does the work.
async fn live(site: &Site, time: SignedDuration) {
    let steps = time.as_mins() / 5;
    for _ in 0..steps {
        site.pass(SignedDuration::from_mins(5));
        site.schedule().await;
        site.work().await;
    }
}

#[tokio::test]
async fn a_week_of_nights_with_two_days_of_downtime() {
    // The usual retention keeps every snapshot of a week, also both that were made up for on one day.
    for (missed, runs, made_up, kept) in [
        (Missed::Skip, 5, 0, 5),
        (Missed::RunOnce, 6, 1, 6),
        (Missed::CatchUp, 7, 2, 7),
    ] {
        let site = Site::new().await;
        site.connector("contoso").await;
        change(&site, |policy| policy.schedule = daily(missed)).await;
        assert!(
            site.schedule().await.is_empty(),
            "nothing runs at the first look"
        );
        live(&site, SignedDuration::from_hours(3 * 24)).await;
        assert_eq!(site.backups().await.len(), 3);
        site.pass(SignedDuration::from_hours(2 * 24));
        live(&site, SignedDuration::from_hours(2 * 24)).await;
        let all = site.backups().await;
        assert!(all.iter().all(|run| run.state == RunState::Succeeded));
        let late = all
            .iter()
            .filter(|run| run.reason == Reason::Missed)
            .count();
        assert_eq!((all.len(), late), (runs, made_up), "{missed:?}");
        assert_eq!(site.snapshots().await, kept);
    }
}

#[tokio::test]
async fn a_run_that_waits_already_is_not_asked_for_again() {
    let site = Site::new().await;
    site.connector("contoso").await;
    change(&site, |policy| {
        policy.schedule.when = When::Interval { minutes: 30 };
        policy.schedule.jitter_minutes = 0;
    })
    .await;
    site.schedule().await;
    for _ in 0..6 {
        site.pass(SignedDuration::from_mins(30));
        site.schedule().await;
    }
    assert_eq!(site.backups().await.len(), 1);
}

#[tokio::test]
async fn a_policy_that_is_switched_off_runs_by_hand_alone() {
    let site = Site::new().await;
    site.connector("contoso").await;
    change(&site, |policy| {
        policy.schedule = daily(Missed::RunOnce);
        policy.enabled = false;
    })
    .await;
    site.schedule().await;
    site.pass(SignedDuration::from_hours(72));
    assert!(site.schedule().await.is_empty());
    site.asked("contoso").await;
    assert_eq!(site.work().await, 1);
    // Switched on again, it does not make up for the time in between.
    change(&site, |policy| policy.enabled = true).await;
    assert!(site.schedule().await.is_empty());
    site.pass(SignedDuration::from_hours(24));
    assert_eq!(site.schedule().await.len(), 1);
}

#[tokio::test]
async fn a_policy_that_cannot_run_leaves_a_failed_run_that_says_why() {
    let site = Site::new().await;
    site.connector("contoso").await;
    change(&site, |policy| {
        policy.schedule = daily(Missed::RunOnce);
        policy.repository = Some("nowhere".to_owned());
    })
    .await;
    site.schedule().await;
    site.pass(SignedDuration::from_hours(24));
    let made = site.schedule().await;
    assert_eq!((made.len(), made[0].state), (1, RunState::Failed));
    assert!(made[0].error.as_ref().unwrap().contains("nowhere"));
    assert!(site.schedule().await.is_empty(), "once for each time");
}

#[tokio::test]
async fn good_backups_forget_what_no_policy_keeps() {
    let site = Site::new().await;
    site.connector("contoso").await;
    change(&site, |policy| {
        policy.schedule = daily(Missed::RunOnce);
        policy.retention = Keep {
            last: 2,
            ..Keep::default()
        };
    })
    .await;
    site.schedule().await;
    live(&site, SignedDuration::from_hours(5 * 24)).await;
    assert_eq!((site.backups().await.len(), site.snapshots().await), (5, 2));
    // Another policy for the same snapshots that keeps more wins.
    let more = Policy {
        name: "more".to_owned(),
        retention: Keep {
            last: 4,
            ..Keep::default()
        },
        schedule: Schedule {
            when: When::Manual,
            ..Schedule::default()
        },
        ..Policy::standard()
    };
    site.control
        .catalog
        .add_policy(&more, site.now())
        .await
        .unwrap();
    live(&site, SignedDuration::from_hours(4 * 24)).await;
    assert_eq!(site.snapshots().await, 4);
    assert!(
        site.control
            .would_shorten(Some("more"), None)
            .await
            .unwrap()
    );
    assert!(
        !site
            .control
            .would_shorten(Some("default"), None)
            .await
            .unwrap()
    );
    let preview = site.control.preview_retention(&more).await.unwrap();
    assert_eq!(
        preview[0]
            .decisions
            .iter()
            .filter(|one| !one.keep())
            .count(),
        0
    );
    let policy = Policy {
        retention: Keep {
            last: 1,
            ..Keep::default()
        },
        ..more
    };
    let preview = site.control.preview_retention(&policy).await.unwrap();
    assert_eq!(
        preview[0]
            .decisions
            .iter()
            .filter(|one| !one.keep())
            .count(),
        2
    );
    assert_eq!(site.snapshots().await, 4, "a preview changes nothing");
}

#[tokio::test]
async fn a_suspicious_drop_keeps_older_snapshots_and_is_an_issue() {
    let site = Site::new().await;
    site.connector("contoso").await;
    for number in 0..20 {
        site.world.put("leaf", "b1", &format!("x{number}"), "leaf");
    }
    change(&site, |policy| {
        policy.schedule = daily(Missed::RunOnce);
        policy.retention = Keep {
            last: 1,
            ..Keep::default()
        };
    })
    .await;
    site.schedule().await;
    live(&site, SignedDuration::from_hours(24)).await;
    // Ten are gone in two steps that look harmless each: what is left is far less than once was.
    for step in 0..3 {
        for number in 0..6 {
            site.world
                .remove("leaf", "b1", &format!("x{}", step * 6 + number));
        }
        live(&site, SignedDuration::from_hours(24)).await;
    }
    let newest = &site.backups().await[0];
    let issues = site
        .control
        .catalog
        .issues(&newest.id, &catalog::Page::first(10))
        .await
        .unwrap();
    let codes: Vec<&str> = issues
        .items
        .iter()
        .map(|row| row.issue.code.as_str())
        .collect();
    if site.snapshots().await == 1 {
        assert!(codes.is_empty(), "{codes:?}");
    } else {
        assert_eq!(codes, ["suspicious-drop"]);
        assert_eq!(newest.state, RunState::SucceededWithIssues);
    }
}

#[tokio::test]
async fn xa_11_syncs_run_by_chosen_hours_or_by_interval() {
    let cases = [
        (
            SyncTime::Hours {
                hours: vec![6, 18],
                time_zone: "Europe/Berlin".to_owned(),
            },
            4,
        ),
        (SyncTime::Interval { minutes: 6 * 60 }, 8),
    ];
    for (when, expected) in cases {
        let site = Site::new().await;
        let mut connector = site.connector("contoso").await;
        connector.sync = SyncSettings {
            add_new: true,
            when,
        };
        site.control
            .catalog
            .replace_connector(&connector)
            .await
            .unwrap();
        assert_eq!(
            site.find_new_due().await,
            ["contoso"],
            "the first one at once"
        );
        let mut done = 0;
        for _ in 0..(48 * 4) {
            site.pass(SignedDuration::from_mins(15));
            done += site.find_new_due().await.len();
        }
        assert_eq!(done, expected);
    }
}

#[tokio::test]
async fn a_sync_that_fails_is_noted_and_changes_nothing() {
    let site = Site::new().await;
    let connector = site.connector("contoso").await;
    site.find_new_due().await;
    site.world.fail(Some(model::Class::Credential));
    site.pass(SignedDuration::from_hours(25));
    site.find_new_due().await;
    let row = site
        .control
        .catalog
        .sync_row(&connector.name)
        .await
        .unwrap()
        .unwrap();
    assert!(row.error.unwrap().contains("token is refused"));
    assert!(row.synced.unwrap() < site.now());
    let found = site
        .control
        .catalog
        .found("contoso", None, &catalog::Page::first(9))
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
}

#[tokio::test]
async fn two_servers_whose_clocks_differ_run_and_sync_each_time_once() {
    let site = Site::new().await;
    let mut connector = site.connector("contoso").await;
    connector.sync.when = SyncTime::Interval { minutes: 60 };
    let catalog = &site.control.catalog;
    catalog.replace_connector(&connector).await.unwrap();
    change(&site, |policy| {
        policy.schedule.when = When::Interval { minutes: 60 };
        policy.schedule.jitter_minutes = 0;
    })
    .await;
    let ahead = site.another_ahead(SignedDuration::from_hours(1));
    let mut checks = catalog.maintenance("main").await.unwrap();
    checks.retain(|row| row.maintenance.task == model::Task::Check);
    let mut check = checks.remove(0).maintenance;
    check.schedule.when = When::Interval { minutes: 60 };
    check.schedule.jitter_minutes = 0;
    let checks = [check];
    let set = catalog.set_maintenance("main", &checks, None, ahead.now());
    set.await.unwrap();
    let (mut backups, mut checks, mut syncs) = (0, 0, 0);
    for look in 0..=(6 * 3) {
        for server in [&ahead, &site] {
            let made = server.schedule().await;
            let count = |kind| made.iter().filter(|run| run.kind == kind).count();
            backups += count(RunKind::Backup);
            checks += count(RunKind::Check);
            // The first sync of a connector is done at once.
            let done = server.find_new_due().await.len();
            syncs += if look == 0 { 0 } else { done };
            server.work().await;
            server.pass(SignedDuration::from_mins(10));
        }
    }
    // From 13:00 to 16:00 by the clock that is ahead; the sync of 13:00 was the first.
    assert_eq!((backups, checks, syncs), (4, 4, 3));
}

#[tokio::test]
async fn a_sync_that_a_clock_which_was_ahead_has_put_off_asks_the_service_at_its_next_time() {
    let site = Site::new().await;
    site.connector("contoso").await;
    site.find_new_due().await;
    let catalog = &site.control.catalog;
    let row = catalog.sync_row("contoso").await.unwrap().unwrap();
    let put_off = catalog::SyncRow {
        handled: site.now() + SignedDuration::from_hours(24 * 365),
        ..row.clone()
    };
    catalog.set_sync_row("contoso", &put_off).await.unwrap();
    site.pass(SignedDuration::from_mins(1));
    assert!(site.find_new_due().await.is_empty(), "nothing is due");
    let after = catalog.sync_row("contoso").await.unwrap().unwrap();
    assert_eq!((after.handled, after.synced), (site.now(), row.synced));
    site.pass(SignedDuration::from_hours(24));
    assert_eq!(site.find_new_due().await, ["contoso"]);
}
