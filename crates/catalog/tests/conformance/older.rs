//! Catalogs that a program of another version has made.

use catalog::Catalog;
use model::{Conflict, PlanState, RestorePlan, RestoreTarget};

use crate::support::{Place, at, snapshot, source};

pub(crate) async fn nothing_is_made_or_changed_below_another_program(place: Place) {
    let beside = async || Catalog::open_beside(&place.url).await.unwrap().is_some();
    assert!(!beside().await, "there is nothing yet");
    place.open().await.close().await;
    assert!(beside().await);
    let older =
        "DELETE FROM schema_version WHERE version = (SELECT max(version) FROM schema_version)";
    place.sql(&[older]).await;
    for _ in 0..2 {
        assert!(!beside().await, "it is of an older program, and stays so");
    }
    let again = "INSERT INTO schema_version SELECT max(version) + 1 FROM schema_version";
    place.sql(&[again]).await;
    assert!(beside().await);
    place
        .sql(&["INSERT INTO schema_version (version) VALUES (999)"])
        .await;
    assert!(!beside().await, "it is of a newer program");
}

/// As 0022 left what 0023 to 0026 change; later versions change something else.
const BEFORE: [&str; 12] = [
    "DROP INDEX journal_item",
    "ALTER TABLE plan DROP COLUMN source_service",
    "ALTER TABLE plan DROP COLUMN source_address",
    "ALTER TABLE journal DROP COLUMN made",
    "ALTER TABLE channel DROP COLUMN version",
    "ALTER TABLE alarm_settings DROP COLUMN version",
    "ALTER TABLE identity_provider DROP COLUMN version",
    "ALTER TABLE repository DROP COLUMN version",
    "INSERT INTO channel (key, name, body, updated) VALUES ('ops', 'ops', '{\"name\":\"ops\",\"enabled\":true,\"to\":{\"kind\":\"slack\"},\"on\":[],\"connectors\":[]}', 0)",
    "INSERT INTO journal (plan, kind, scope, item, intended, new_id) VALUES ('of-known', 'work-item', '', '7', 1, '107')",
    "UPDATE policy SET body = '{\"name\":\"default\",\"retention\":{\"daily\":30,\"weekly\":12,\"monthly\":12}}'",
    "DELETE FROM schema_version WHERE version BETWEEN 22 AND 25",
];

fn plan(id: &str, snapshot: &str) -> RestorePlan {
    RestorePlan {
        id: id.to_owned(),
        snapshot: snapshot.to_owned(),
        source: None,
        repository: "main".to_owned(),
        target: RestoreTarget::Original {
            connector: "contoso".to_owned(),
            source: source("contoso").id,
        },
        conflict: Conflict::Skip,
        state: PlanState::Applied,
        created: at(1),
        planned: Some(at(1)),
        undoes: None,
    }
}

pub(crate) async fn what_an_older_program_kept_is_there_afterwards(place: Place) {
    let catalog = place.open().await;
    let of = source("contoso");
    let row = snapshot(&of, "aa", 1, None);
    catalog.add_snapshot(&row, []).await.unwrap();
    for plan in [plan("of-known", "aa"), plan("of-forgotten", "bb")] {
        catalog.create_plan(&plan).await.unwrap();
    }
    catalog.close().await;
    place.sql(&BEFORE).await;
    let catalog = place.open().await;
    let known = catalog.plan("of-known").await.unwrap();
    assert_eq!(known.source, Some(of.id));
    assert_eq!(catalog.plan("of-forgotten").await.unwrap().source, None);
    let written = catalog.written("of-known").await.unwrap();
    assert!(!written[0].made, "nobody knows whether it was found");
    assert_eq!(catalog.channel("ops").await.unwrap().version, 0);
    let default = catalog.policy("default").await.unwrap().policy;
    assert_eq!(default.retention.within.map(|within| within.days), Some(7));
}

pub(crate) async fn a_default_policy_that_somebody_changed_stays_as_it_is(place: Place) {
    place.open().await.close().await;
    place.sql(&BEFORE[..8]).await;
    place
        .sql(&[
            "UPDATE policy SET body = '{\"name\":\"default\",\"retention\":{\"daily\":31,\"weekly\":12,\"monthly\":12}}'",
            "DELETE FROM schema_version WHERE version BETWEEN 22 AND 25",
        ])
        .await;
    let catalog = place.open().await;
    let default = catalog.policy("default").await.unwrap().policy;
    assert_eq!(
        (default.retention.daily, default.retention.within),
        (31, None)
    );
}
