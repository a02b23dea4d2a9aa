use std::time::Duration;

use catalog::{CredentialRow, RepositoryRow};
use control::{AlarmSettings, Facts, StorageFact, find_alarms};
use jiff::{SignedDuration, Timestamp};
use model::{
    Alarm, AlarmKind, AlarmLevel, Clock as _, Connector, ConnectorStatus, Destination, RunState,
};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::World;
use crate::receivers::HttpReceiver;

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_hours(hours)
}

fn connector() -> Connector {
    Connector {
        name: "Contoso".to_owned(),
        created: at(0),
        ..Connector::default()
    }
}

fn kinds(facts: &Facts, now: Timestamp) -> Vec<(AlarmKind, AlarmLevel)> {
    let found = find_alarms(facts, &AlarmSettings::default(), now);
    found
        .iter()
        .map(|alarm| (alarm.kind, alarm.level))
        .collect()
}

#[test]
fn a_connector_without_a_good_backup_in_its_objective_is_told() {
    let mut facts = Facts {
        connectors: vec![connector()],
        ..Facts::default()
    };
    let overdue = AlarmKind::BackupOverdue;
    assert_eq!(kinds(&facts, at(26)), [], "it is new");
    assert_eq!(kinds(&facts, at(27)), [(overdue, AlarmLevel::Warning)]);
    facts.last_good = [("contoso".to_owned(), at(10))].into();
    assert_eq!(kinds(&facts, at(36)), []);
    assert_eq!(kinds(&facts, at(37)), [(overdue, AlarmLevel::Warning)]);
    assert_eq!(kinds(&facts, at(100)), [(overdue, AlarmLevel::Critical)]);
    let settings = AlarmSettings {
        connectors: [("contoso".to_owned(), 4)].into(),
        ..AlarmSettings::default()
    };
    assert!(find_alarms(&facts, &settings, at(14)).is_empty());
    let found = find_alarms(&facts, &settings, at(15));
    assert!(
        found[0].message.contains("objective is 4 h"),
        "{}",
        found[0].message
    );
    let advice = "`keepward backup Contoso`";
    assert!(found[0].hint.contains(advice), "{}", found[0].hint);
}

#[test]
fn a_credential_is_told_of_30_7_and_1_days_before_its_end() {
    let row = |expires: Option<Timestamp>| CredentialRow {
        name: "Token".to_owned(),
        method: "pat".to_owned(),
        sign_in: None,
        url: None,
        expires,
        created: at(0),
        updated: at(0),
        used: None,
        tested: None,
        test_error: None,
    };
    let days = |days: i64| {
        let facts = Facts {
            credentials: vec![row(Some(at(days * 24))), row(None)],
            users: [("token".to_owned(), vec!["Contoso".to_owned()])].into(),
            ..Facts::default()
        };
        let found = find_alarms(&facts, &AlarmSettings::default(), at(0));
        assert!(found.iter().all(|alarm| alarm.message.contains("Contoso")));
        found.first().map(|alarm: &Alarm| alarm.level)
    };
    assert_eq!(days(31), None);
    assert_eq!(days(30), Some(AlarmLevel::Notice));
    assert_eq!(days(7), Some(AlarmLevel::Warning));
    assert_eq!(days(1), Some(AlarmLevel::Critical));
    assert_eq!(days(-3), Some(AlarmLevel::Critical));
}

#[test]
fn full_disks_unprotected_items_lost_sign_ins_and_forgotten_checks_are_told() {
    let mut lost = connector();
    lost.status = ConnectorStatus::SignInNeeded {
        why: "expired".to_owned(),
        since: at(0),
    };
    let disk = |free| StorageFact { total: 1000, free };
    let repository = RepositoryRow {
        name: "main".to_owned(),
        id: "9d1a".to_owned(),
        ..RepositoryRow::default()
    };
    let mut facts = Facts {
        connectors: vec![lost],
        unprotected: [("contoso".to_owned(), 2)].into(),
        storage: [
            ("main".to_owned(), disk(100)),
            ("full".to_owned(), disk(10)),
            ("fine".to_owned(), disk(110)),
        ]
        .into(),
        repositories: vec![repository],
        first_snapshot: [("9d1a".to_owned(), at(-36 * 24))].into(),
        ..Facts::default()
    };
    assert_eq!(
        kinds(&facts, at(0)),
        [
            (AlarmKind::SignInNeeded, AlarmLevel::Critical),
            (AlarmKind::Unprotected, AlarmLevel::Warning),
            (AlarmKind::StorageFilling, AlarmLevel::Critical),
            (AlarmKind::StorageFilling, AlarmLevel::Warning),
            (AlarmKind::VerificationOverdue, AlarmLevel::Warning),
        ]
    );
    facts.repositories[0].checked = Some(at(-24));
    assert!(
        !kinds(&facts, at(0))
            .iter()
            .any(|(kind, _)| *kind == AlarmKind::VerificationOverdue)
    );
}

#[tokio::test]
async fn an_alarm_is_raised_once_told_once_and_cleared_when_it_is_over() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    let address = format!("{}/slack", receiver.url);
    world.add("slack", Destination::Slack, Some(&address)).await;
    world.connector("contoso").await;
    let control = &world.control;
    assert!(control.look_for_alarms().await.unwrap().is_empty());
    world.clock.forward(27 * 3600);
    for _ in 0..3 {
        assert_eq!(control.look_for_alarms().await.unwrap().len(), 1);
        world.clock.forward(60);
    }
    world.send().await;
    assert_eq!(receiver.take().len(), 1);

    let key = "backup-overdue/contoso";
    let unexplained = control.acknowledge_alarm(key, "anna", " ").await;
    assert!(unexplained.is_err());
    let row = control
        .acknowledge_alarm(key, "anna", "moving house")
        .await
        .unwrap();
    assert_eq!(row.acknowledged.unwrap().reason, "moving house");
    world.clock.forward(60 * 3600);
    control.look_for_alarms().await.unwrap();
    let row = control.catalog.alarm(key).await.unwrap();
    assert!(row.acknowledged.is_none(), "it got worse");
    world.send().await;
    assert_eq!(receiver.take().len(), 1);

    world
        .run("run-1", "Contoso", RunState::SucceededWithIssues)
        .await;
    assert!(control.look_for_alarms().await.unwrap().is_empty());
    assert!(control.catalog.alarms().await.unwrap().is_empty());
    assert!(world.clock.now() > Timestamp::UNIX_EPOCH && world.folder().exists());
}

#[tokio::test]
async fn other_objectives_count_at_once() {
    let world = World::new().await;
    world.connector("contoso").await;
    world.clock.forward(3 * 3600);
    let control = &world.control;
    for (hours, raised) in [(2, 1), (4, 0)] {
        let settings = AlarmSettings {
            backup_hours: hours,
            ..AlarmSettings::default()
        };
        control.set_alarm_settings(&settings, None).await.unwrap();
        let alarms = control.catalog.alarms().await.unwrap();
        assert_eq!(alarms.len(), raised, "{hours} h: {alarms:?}");
    }
}

#[tokio::test]
async fn an_objective_is_looked_at_when_it_passes() {
    let world = World::new().await;
    world.connector("contoso").await;
    world.clock.forward(26 * 3600 - 1);
    let (control, cancel) = (world.control.clone(), CancellationToken::new());
    let (stop, mut looking) = (cancel.clone(), JoinSet::new());
    looking.spawn(async move { control.run_alarms(&stop).await });
    let raised = async || world.control.catalog.alarms().await.unwrap().len();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(raised().await, 0, "it may be as old as that");
    world.clock.forward(2);
    for _ in 0..50 {
        if raised().await == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(raised().await, 1);
    cancel.cancel();
    looking.join_all().await;
}

#[test]
fn a_token_for_all_organizations_is_told_of_with_the_day_on_which_it_ends() {
    let facts = Facts {
        connectors: vec![Connector {
            organization: "contoso-org".to_owned(),
            ..connector()
        }],
        last_good: [("contoso".to_owned(), at(0))].into(),
        global_tokens: ["contoso".to_owned()].into(),
        ..Facts::default()
    };
    let on = |day: &str| {
        let now: Timestamp = format!("{day}T12:00:00Z").parse().unwrap();
        let facts = Facts {
            last_good: [("contoso".to_owned(), now)].into(),
            ..facts.clone()
        };
        find_alarms(&facts, &AlarmSettings::default(), now).remove(0)
    };
    let early = on("2026-11-20");
    assert_eq!(
        (early.kind, early.level),
        (AlarmKind::GlobalToken, AlarmLevel::Warning)
    );
    assert!(
        early.message.contains("in 10 days, on 2026-12-01"),
        "{}",
        early.message
    );
    assert!(early.hint.contains("contoso-org alone"), "{}", early.hint);
    assert_eq!(on("2026-11-25").level, AlarmLevel::Critical);
    let late = on("2026-12-02");
    assert_eq!(late.level, AlarmLevel::Critical);
    assert!(
        late.message.contains("since 2026-12-01"),
        "{}",
        late.message
    );
}

#[test]
fn a_prune_that_never_goes_through_is_told_where_it_is_wanted() {
    let row = RepositoryRow {
        name: "main".to_owned(),
        id: "9d1a".to_owned(),
        checked: Some(at(36 * 24)),
        ..RepositoryRow::default()
    };
    let mut facts = Facts {
        repositories: vec![row],
        first_snapshot: [("9d1a".to_owned(), at(0))].into(),
        ..Facts::default()
    };
    let now = at(36 * 24);
    assert_eq!(kinds(&facts, now), [], "nobody wants it");
    facts.pruning = ["main".to_owned()].into();
    let overdue = (AlarmKind::MaintenanceOverdue, AlarmLevel::Warning);
    assert_eq!(kinds(&facts, now), [overdue]);
    facts.repositories[0].pruned = Some(at(30 * 24));
    assert_eq!(kinds(&facts, now), []);
}

#[test]
fn a_disk_around_its_threshold_is_told_of_once() {
    let filling = |used: u64, before: Option<AlarmLevel>| {
        let disk = StorageFact {
            total: 100,
            free: 100 - used,
        };
        let facts = Facts {
            storage: [("main".to_owned(), disk)].into(),
            filling: before
                .map(|level| ("main".to_owned(), level))
                .into_iter()
                .collect(),
            ..Facts::default()
        };
        let found = find_alarms(&facts, &AlarmSettings::default(), at(0));
        found.first().map(|alarm| alarm.level)
    };
    let (warning, critical) = (Some(AlarmLevel::Warning), Some(AlarmLevel::Critical));
    assert_eq!((filling(89, None), filling(90, None)), (None, warning));
    assert_eq!(
        (filling(88, warning), filling(87, warning)),
        (warning, None)
    );
    assert_eq!(
        (filling(96, warning), filling(97, warning)),
        (warning, critical)
    );
    assert_eq!(
        (filling(95, critical), filling(94, critical)),
        (critical, warning)
    );
}

#[test]
fn a_disk_that_does_not_answer_is_an_alarm_and_hides_no_other() {
    let facts = Facts {
        connectors: vec![connector()],
        silent: ["main".to_owned()].into(),
        ..Facts::default()
    };
    assert_eq!(
        kinds(&facts, at(27)),
        [
            (AlarmKind::BackupOverdue, AlarmLevel::Warning),
            (AlarmKind::StorageSilent, AlarmLevel::Critical)
        ]
    );
}

#[test]
fn what_a_clock_that_was_ahead_has_dated_silences_no_alarm() {
    let now = at(40 * 24);
    let (before, later) = (at(0), at(400 * 24));
    let found = |created, checked, verified, pruned, first| {
        let row = RepositoryRow {
            name: "main".to_owned(),
            id: "9d1a".to_owned(),
            checked,
            pruned,
            ..RepositoryRow::default()
        };
        let verified: Option<Timestamp> = verified;
        let facts = Facts {
            connectors: vec![Connector {
                created,
                ..connector()
            }],
            repositories: vec![row],
            first_snapshot: [("9d1a".to_owned(), first)].into(),
            verified: verified
                .map(|at| ("9d1a".to_owned(), at))
                .into_iter()
                .collect(),
            pruning: ["main".to_owned()].into(),
            ..Facts::default()
        };
        let kinds: Vec<AlarmKind> = kinds(&facts, now).into_iter().map(|one| one.0).collect();
        kinds
    };
    let all = [
        AlarmKind::BackupOverdue,
        AlarmKind::VerificationOverdue,
        AlarmKind::MaintenanceOverdue,
    ];
    let (past, future) = (Some(before), Some(later));
    assert_eq!(found(before, past, past, past, before), all);
    assert_eq!(found(later, future, future, future, before), all);
    assert_eq!(found(later, past, future, past, later), all);
    // Another server's clock may be a little ahead of this one's.
    let soon = at(40 * 24 + 1);
    assert_eq!(found(soon, Some(soon), None, Some(soon), before), []);
}
