//! Channels, their outbox, and alarms.

use catalog::{
    AlarmAcknowledgement, Error, Examined, Kek, NewMessage, Page, PersonChange, RepositoryRow,
};
use model::{Alarm, AlarmKind, AlarmLevel, Channel, Destination, Occasion, RunState, Secret};
use rand::SeedableRng as _;

use crate::support::{Place, at, run};

fn channel(name: &str) -> Channel {
    Channel {
        name: name.to_owned(),
        enabled: true,
        to: Destination::Slack,
        on: [Occasion::Failure].into(),
        connectors: Vec::new(),
    }
}

fn message(id: &str, channel: &str, event: &str) -> NewMessage {
    NewMessage {
        id: id.to_owned(),
        channel: channel.to_owned(),
        event: event.to_owned(),
        body: "{}".to_owned(),
    }
}

async fn with_secret(place: &Place) -> catalog::Catalog {
    let catalog = place.open().await;
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let (kek, secret) = (Kek::new([1; 32]), Secret::new("s"));
    catalog
        .put_credential(&kek, "Key", "notification", &secret, at(0), &mut rng)
        .await
        .unwrap();
    catalog
}

pub(crate) async fn channels_are_unique_without_regard_to_case(place: Place) {
    let catalog = with_secret(&place).await;
    let first = channel("Ops");
    catalog
        .add_channel(&first, Some("key"), at(0))
        .await
        .unwrap();
    let twice = catalog.add_channel(&channel("oPS"), None, at(0)).await;
    assert!(matches!(twice, Err(Error::ChannelExists { .. })));
    let found = catalog.channel("OPS").await.unwrap();
    assert_eq!(found.channel, first);
    let used = catalog.remove_credential("key").await.unwrap_err();
    assert!(used.to_string().contains("notification Ops"), "{used}");
    let mut other = channel("ops");
    other.enabled = false;
    let replaced = catalog.replace_channel(&other, found.version, None, at(1));
    replaced.await.unwrap();
    assert_eq!(catalog.channels().await.unwrap()[0].channel, other);
    catalog.remove_credential("key").await.unwrap();
    catalog.remove_channel("ops").await.unwrap();
    let gone = catalog.remove_channel("ops").await.unwrap_err();
    assert_eq!(gone.code(), Some("channel-unknown"));
}

pub(crate) async fn an_ended_run_is_told_of_once(place: Place) {
    let catalog = place.open().await;
    let mut ended = run("run-1");
    catalog.create_run(&ended).await.unwrap();
    assert!(catalog.untold_runs(10).await.unwrap().is_empty());
    ended.state = RunState::Failed;
    ended.finished = Some(at(1));
    catalog.finish_run(&ended).await.unwrap();
    assert_eq!(catalog.untold_runs(10).await.unwrap().len(), 1);
    // Two servers at the same moment.
    for id in ["m1", "m2"] {
        let messages = [message(id, "ops", "run/run-1")];
        catalog.tell_run("run-1", &messages, at(2)).await.unwrap();
    }
    assert!(catalog.untold_runs(10).await.unwrap().is_empty());
    let waiting = catalog.due_messages(at(2), 10).await.unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].id, "m1");
    let page = catalog
        .messages(Some("OPS"), &Page::first(5))
        .await
        .unwrap();
    assert_eq!(page.items, waiting);
}

fn alarm() -> Alarm {
    Alarm {
        kind: AlarmKind::CredentialExpiring,
        subject: "Token".to_owned(),
        connector: None,
        level: AlarmLevel::Notice,
        message: "soon".to_owned(),
        hint: "renew it".to_owned(),
    }
}

pub(crate) async fn a_message_is_tried_by_one_and_again_later(place: Place) {
    let catalog = place.open().await;
    let messages = [message("m1", "ops", "a"), message("m2", "ops", "a")];
    catalog
        .raise_alarm_anew(&alarm(), None, &messages, at(0))
        .await
        .unwrap();
    let due = catalog.due_messages(at(0), 10).await.unwrap();
    assert_eq!(due.len(), 1, "the same event once");
    assert!(catalog.claim_message(&due[0], at(60)).await.unwrap());
    assert!(!catalog.claim_message(&due[0], at(60)).await.unwrap());
    assert!(catalog.due_messages(at(59), 10).await.unwrap().is_empty());
    catalog
        .message_failed("m1", "no route", Some(at(90)), at(1))
        .await
        .unwrap();
    assert!(catalog.due_messages(at(89), 10).await.unwrap().is_empty());
    let again = catalog.due_messages(at(90), 10).await.unwrap();
    assert_eq!(again[0].attempts, 1);
    assert_eq!(again[0].error.as_deref(), Some("no route"));
    catalog.message_sent("m1", at(91)).await.unwrap();
    assert!(catalog.due_messages(at(999), 10).await.unwrap().is_empty());
    assert_eq!(catalog.clean_outbox(at(91)).await.unwrap(), 0);
    assert_eq!(catalog.clean_outbox(at(92)).await.unwrap(), 1);
}

pub(crate) async fn an_alarm_keeps_who_knows_of_it_until_it_gets_worse(place: Place) {
    let catalog = place.open().await;
    let mut alarm = alarm();
    catalog
        .raise_alarm_anew(&alarm, None, &[], at(0))
        .await
        .unwrap();
    let key = alarm.key();
    let made = AlarmAcknowledgement {
        at: at(1),
        by: "anna".to_owned(),
        reason: "ordered".to_owned(),
    };
    catalog.acknowledge_alarm(&key, &made).await.unwrap();
    "sooner".clone_into(&mut alarm.message);
    catalog.alarm_stays(&alarm, at(2)).await.unwrap();
    let row = catalog.alarm(&key).await.unwrap();
    assert_eq!((row.raised, row.seen), (at(0), at(2)));
    assert_eq!(row.acknowledged, Some(made.clone()));
    assert_eq!(row.alarm.message, "sooner");
    alarm.level = AlarmLevel::Critical;
    let worse = async |id: &str| {
        let since = Some(at(0));
        let told = [message(id, "ops", id)];
        catalog
            .raise_alarm_anew(&alarm, since, &told, at(3))
            .await
            .unwrap();
        catalog
            .messages(None, &Page::first(9))
            .await
            .unwrap()
            .items
            .len()
    };
    let before = catalog.messages(None, &Page::first(9)).await.unwrap();
    assert_eq!(worse("one").await, before.items.len() + 1);
    assert_eq!(
        worse("two").await,
        before.items.len() + 1,
        "the other server was faster"
    );
    assert_eq!(catalog.alarms().await.unwrap()[0].acknowledged, None);
    catalog.clear_alarm(&key).await.unwrap();
    let gone = catalog.acknowledge_alarm(&key, &made).await.unwrap_err();
    assert_eq!(gone.code(), Some("alarm-unknown"));
    assert!(catalog.unprotected().await.unwrap().is_empty());
    assert!(catalog.last_verifications(at(9)).await.unwrap().is_empty());
    assert!(catalog.first_snapshots().await.unwrap().is_empty());
}

pub(crate) async fn the_last_good_backup_is_one_that_made_a_snapshot(place: Place) {
    let catalog = place.open().await;
    let states = [
        RunState::Succeeded,
        RunState::SucceededWithIssues,
        RunState::Failed,
        RunState::Canceled,
    ];
    for (second, state) in (0_i64..).zip(states) {
        let mut ended = run(&format!("run-{second}"));
        catalog.create_run(&ended).await.unwrap();
        ended.state = state;
        ended.finished = Some(at(second));
        catalog.finish_run(&ended).await.unwrap();
    }
    let last = catalog.last_good_backups(at(20)).await.unwrap();
    assert_eq!(last, [("contoso".to_owned(), at(1))].into());

    // The work items in it are as old as the first.
    let mut partial = run("run-9");
    catalog.create_run(&partial).await.unwrap();
    partial.state = RunState::SucceededWithIssues;
    partial.finished = Some(at(9));
    partial.counts.stale = [("work-item".to_owned(), at(0))].into();
    catalog.finish_run(&partial).await.unwrap();
    let last = catalog.last_good_backups(at(20)).await.unwrap();
    assert_eq!(last, [("contoso".to_owned(), at(1))].into());
    let latest = catalog.latest_runs(at(20)).await.unwrap();
    let good = latest["contoso"].good.as_ref().unwrap();
    assert_eq!((good.finished, good.whole), (at(9), at(0)));

    // A clock that was ahead dated one: it is none of now.
    let mut early = run("run-99");
    catalog.create_run(&early).await.unwrap();
    early.state = RunState::Succeeded;
    early.finished = Some(at(90_000));
    catalog.finish_run(&early).await.unwrap();
    for (now, last) in [(100, 1), (90_000, 90_000)] {
        let found = catalog.last_good_backups(at(now)).await.unwrap();
        assert_eq!(found, [("contoso".to_owned(), at(last))].into());
    }
    for (now, last) in [(100, 9), (90_000, 90_000)] {
        let latest = catalog.latest_runs(at(now)).await.unwrap();
        assert_eq!(latest["contoso"].good.as_ref().unwrap().finished, at(last));
    }
}

pub(crate) async fn a_repository_names_the_secret_of_its_storage(place: Place) {
    let catalog = with_secret(&place).await;
    let mut row = RepositoryRow {
        name: "Cloud".to_owned(),
        location: "s3://backups".to_owned(),
        id: "9d1a".to_owned(),
        password_credential: "Key".to_owned(),
        storage_credential: Some("KEY".to_owned()),
        object_lock: Some("{}".to_owned()),
        ..RepositoryRow::default()
    };
    catalog.add_repository(&row).await.unwrap();
    assert_eq!(catalog.repository("cloud").await.unwrap(), row);
    row.storage_credential = Some("nobody".to_owned());
    let refused = catalog.move_repository(&row).await.unwrap_err();
    assert!(matches!(refused, Error::CredentialUnknown { name } if name == "nobody"));
    row.storage_credential = None;
    row.object_lock = None;
    "s3://other".clone_into(&mut row.location);
    catalog.move_repository(&row).await.unwrap();
    row.version += 1;
    let found = Examined {
        at: at(5),
        problems: 2,
        hidden: false,
        read_all: false,
    };
    catalog.note_examined("CLOUD", &found).await.unwrap();
    (row.checked, row.problems, row.damaged) = (Some(at(5)), Some(2), Some(at(5)));
    assert_eq!(catalog.repository("cloud").await.unwrap(), row);
}

pub(crate) async fn settings_are_replaced_only_where_nobody_else_has_changed_them(place: Place) {
    fn refused<T: std::fmt::Debug>(result: catalog::Result<T>) {
        assert_eq!(result.unwrap_err().code(), Some("settings-changed"));
    }
    let catalog = with_secret(&place).await;
    let ops = channel("ops");
    catalog.add_channel(&ops, None, at(0)).await.unwrap();
    let read = catalog.channel("ops").await.unwrap().version;
    let replace = || catalog.replace_channel(&ops, read, None, at(1));
    replace().await.unwrap();
    refused(replace().await);

    assert_eq!(catalog.alarm_settings().await.unwrap(), (None, 0));
    let set = |text, version| catalog.set_alarm_settings(text, version);
    assert_eq!(set("{}", Some(0)).await.unwrap(), 1);
    refused(set("late", Some(0)).await);
    assert_eq!(set("{\"a\":1}", Some(1)).await.unwrap(), 2);
    assert_eq!(set("{\"a\":2}", None).await.unwrap(), 3);
    let settings = catalog.alarm_settings().await.unwrap();
    assert_eq!(settings, (Some("{\"a\":2}".to_owned()), 3));

    let ben = crate::people::person("Ben", &[model::Role::Viewer]);
    catalog.add_person(&ben).await.unwrap();
    let read = catalog.person("ben").await.unwrap().version;
    let change = |version| PersonChange {
        connectors: Some(None),
        version,
        ..PersonChange::default()
    };
    let set = async |version| catalog.change_person(&ben.id, &change(version)).await;
    set(Some(read)).await.unwrap();
    refused(set(Some(read)).await);
    set(None).await.unwrap();
    assert_eq!(catalog.person("ben").await.unwrap().version, read + 2);

    let put = |body, version| catalog.put_identity_provider("entra", body, version);
    assert_eq!(put("{}", None).await.unwrap(), 1);
    refused(put("late", Some(0)).await);
    assert_eq!(put("{\"a\":1}", Some(1)).await.unwrap(), 2);
    let provider = ("entra".to_owned(), "{\"a\":1}".to_owned(), 2);
    assert_eq!(catalog.identity_providers().await.unwrap(), [provider]);
    // Who removed it meant it.
    catalog.remove_identity_provider("entra").await.unwrap();
    refused(put("late", Some(2)).await);
    assert!(catalog.identity_providers().await.unwrap().is_empty());

    let row = RepositoryRow {
        name: "main".to_owned(),
        location: "/one".to_owned(),
        id: "9d1a".to_owned(),
        password_credential: "Key".to_owned(),
        ..RepositoryRow::default()
    };
    catalog.add_repository(&row).await.unwrap();
    catalog.move_repository(&row).await.unwrap();
    refused(catalog.move_repository(&row).await);
}
