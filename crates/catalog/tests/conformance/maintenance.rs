//! What is done for repositories by itself, and the figures of the first page.

use catalog::{Catalog, Error, Examined, Placement, QueuedRun, RepositoryRow};
use jiff::Timestamp;
use model::{Counts, KindCounts, Maintenance, RunKind, RunState, Secret, Task};
use rand::SeedableRng as _;

use crate::support::{Place, at, run};

async fn with_repository(place: &Place) -> Catalog {
    let catalog = place.open().await;
    let kek = catalog::Kek::new([1; 32]);
    let mut rng = rand::rngs::StdRng::seed_from_u64(1);
    let password = Secret::new("password");
    catalog
        .put_credential(&kek, "key", "password", &password, at(0), &mut rng)
        .await
        .unwrap();
    let row = RepositoryRow {
        name: "Main".to_owned(),
        location: "/main".to_owned(),
        id: "9d1a".to_owned(),
        password_credential: "key".to_owned(),
        ..RepositoryRow::default()
    };
    catalog.add_repository(&row).await.unwrap();
    catalog
}

fn queued(id: &str, kind: RunKind) -> QueuedRun {
    let mut run = run(id);
    run.kind = kind;
    "Main".clone_into(&mut run.repository);
    QueuedRun {
        job: catalog::NewJob {
            id: format!("job-{id}"),
            payload: "{}".to_owned(),
            concurrency_key: Some("maintenance/9d1a".to_owned()),
            created: run.created,
        },
        run,
        placement: Placement::default(),
    }
}

pub(crate) async fn a_new_repository_is_looked_after_until_a_person_says_otherwise(place: Place) {
    let catalog = with_repository(&place).await;
    let rows = catalog.maintenance("MAIN").await.unwrap();
    let tasks: Vec<Task> = rows.iter().map(|row| row.maintenance.task).collect();
    assert_eq!(tasks, Task::ALL);
    assert!(
        rows.iter()
            .all(|row| row.handled == Timestamp::UNIX_EPOCH && row.repository == "Main")
    );
    let mut only = Maintenance::standard();
    only.truncate(2);
    only[0].read_percent = 10;
    catalog
        .set_maintenance("main", &only, None, at(5))
        .await
        .unwrap();
    let rows = catalog.all_maintenance().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].maintenance, only[0]);
    assert_eq!(
        rows[0].handled,
        Timestamp::UNIX_EPOCH,
        "the schedule is the same one"
    );
    "Europe/Berlin".clone_into(&mut only[1].schedule.time_zone);
    catalog
        .set_maintenance("main", &only, None, at(6))
        .await
        .unwrap();
    assert_eq!(
        catalog.maintenance("main").await.unwrap()[1].handled,
        at(6),
        "another one counts from now on"
    );
    let refused = catalog.set_maintenance("nowhere", &only, None, at(6)).await;
    assert!(matches!(refused, Err(Error::RepositoryUnknown { .. })));
    let read = catalog.repository("main").await.unwrap();
    assert_eq!((read.maintenance_version, read.version), (2, 0));
    let late = catalog.set_maintenance("main", &[], Some(1), at(7)).await;
    assert_eq!(late.unwrap_err().code(), Some("settings-changed"));
    assert_eq!(catalog.all_maintenance().await.unwrap().len(), 2);
    let last = catalog.set_maintenance("main", &[], Some(2), at(7)).await;
    last.unwrap();
    catalog.remove_repository("main").await.unwrap();
    assert_eq!(catalog.all_maintenance().await.unwrap(), []);
}

pub(crate) async fn of_two_schedulers_one_looks_after_a_repository(place: Place) {
    let catalog = with_repository(&place).await;
    let row = catalog.maintenance("main").await.unwrap().remove(0);
    let one = [queued("1", RunKind::Check)];
    assert!(!catalog.is_waiting(RunKind::Check, "main").await.unwrap());
    assert!(
        catalog
            .fire_maintenance(&row, at(10), 5, &one)
            .await
            .unwrap()
    );
    let late = [queued("2", RunKind::Check)];
    assert!(
        !catalog
            .fire_maintenance(&row, at(10), 5, &late)
            .await
            .unwrap()
    );
    assert!(catalog.run("2").await.is_err(), "all or nothing");
    assert!(catalog.is_waiting(RunKind::Check, "MAIN").await.unwrap());
    let mut abroad = queued("3", RunKind::Check);
    "Ärzte".clone_into(&mut abroad.run.repository);
    catalog.queue_run(&abroad).await.unwrap();
    for name in ["Ärzte", "ärzte", "ÄRZTE"] {
        assert!(catalog.is_waiting(RunKind::Check, name).await.unwrap());
    }
    assert!(!catalog.is_waiting(RunKind::Prune, "main").await.unwrap());
    let row = catalog.maintenance("main").await.unwrap().remove(0);
    assert_eq!(
        (row.position, row.handled, row.fired),
        (5, at(10), Some(at(0)))
    );
    assert!(
        catalog
            .fire_maintenance(&row, at(20), 5, &[])
            .await
            .unwrap()
    );
    let row = catalog.maintenance("main").await.unwrap().remove(0);
    assert_eq!((row.handled, row.fired), (at(20), Some(at(0))));
}

pub(crate) async fn damage_stays_noted_until_a_check_could_see_that_it_is_gone(place: Place) {
    let catalog = with_repository(&place).await;
    let check = async |second, problems, hidden, read_all| {
        let found = Examined {
            at: at(second),
            problems,
            hidden,
            read_all,
        };
        catalog.note_examined("main", &found).await.unwrap();
        catalog.repository("main").await.unwrap().damaged
    };
    assert_eq!(check(1, 0, false, false).await, None);
    assert_eq!(check(2, 3, false, false).await, Some(at(2)));
    assert_eq!(check(3, 1, false, false).await, Some(at(2)), "since when");
    assert_eq!(check(4, 0, false, false).await, None, "every check sees it");
    assert_eq!(check(5, 1, true, false).await, Some(at(5)));
    assert_eq!(
        check(6, 0, false, false).await,
        Some(at(5)),
        "the damaged pack was not among those that were read"
    );
    assert_eq!(check(7, 2, false, true).await, Some(at(5)));
    assert_eq!(check(8, 0, false, false).await, None, "the other is gone");
    assert_eq!(check(9, 1, true, true).await, Some(at(9)));
    assert_eq!(check(10, 0, false, true).await, None);
}

pub(crate) async fn what_a_check_of_a_connector_warned_of_is_replaced(place: Place) {
    let catalog = with_repository(&place).await;
    let connector = model::Connector {
        name: "Contoso".to_owned(),
        service: "azure-devops".to_owned(),
        organization: "contoso".to_owned(),
        method: "pat".to_owned(),
        credential: "key".to_owned(),
        ..model::Connector::default()
    };
    catalog.add_connector(&connector).await.unwrap();
    let warned = async || catalog.connectors_warned_of("pat-global").await.unwrap();
    catalog
        .set_connector_warnings("CONTOSO", &["pat-global", "throttled", "throttled"])
        .await
        .unwrap();
    assert_eq!(warned().await, ["contoso"]);
    catalog
        .set_connector_warnings("contoso", &["throttled"])
        .await
        .unwrap();
    assert!(warned().await.is_empty());
    catalog.remove_connector("contoso").await.unwrap();
    assert!(
        catalog
            .connectors_warned_of("throttled")
            .await
            .unwrap()
            .is_empty()
    );
}

/// A backup that ended.
async fn ended(catalog: &Catalog, id: &str, connector: &str, state: RunState, second: i64) {
    let mut run = run(id);
    connector.clone_into(&mut run.connector);
    "Main".clone_into(&mut run.repository);
    catalog.create_run(&run).await.unwrap();
    run.state = state;
    run.finished = Some(at(second));
    run.snapshot = Some(format!("snapshot-{id}"));
    let kind = KindCounts {
        items: 7,
        ..KindCounts::default()
    };
    run.counts = Counts {
        kinds: [("work-item".to_owned(), kind)].into(),
        requests: 10,
        bytes_received: 100,
        bytes_stored: 30,
        ..Counts::default()
    };
    catalog.finish_run(&run).await.unwrap();
}

const DAY: i64 = 24 * 3600;

/// Runs of two connectors on two days.
async fn with_runs(place: &Place) -> Catalog {
    let catalog = with_repository(place).await;
    for (id, connector, state, second) in [
        ("1", "Contoso", RunState::Succeeded, 0),
        ("2", "contoso", RunState::SucceededWithIssues, DAY),
        ("3", "Contoso", RunState::Failed, DAY + 5),
        ("4", "fabrikam", RunState::Succeeded, DAY + 6),
        ("5", "fabrikam", RunState::Canceled, DAY + 7),
    ] {
        ended(&catalog, id, connector, state, second).await;
    }
    catalog
}

pub(crate) async fn the_overview_adds_up_what_runs_left(place: Place) {
    let catalog = with_runs(&place).await;
    let latest = catalog.latest_runs(at(1_000_000)).await.unwrap();
    let of = |connector: &str| {
        let runs = &latest[connector];
        let good = runs.good.as_ref().unwrap();
        (good.run.as_str(), good.items, runs.ended.unwrap())
    };
    assert_eq!(of("contoso"), ("2", 7, RunState::Failed));
    assert_eq!(
        of("fabrikam"),
        ("4", 7, RunState::Succeeded),
        "nobody's wish is no failure"
    );

    let since = catalog.ended_since(at(DAY)).await.unwrap();
    let told: Vec<_> = since
        .iter()
        .map(|one| (one.connector.as_str(), one.state, one.runs, one.requests))
        .collect();
    assert_eq!(
        told,
        [
            ("contoso", RunState::Failed, 1, 10),
            ("contoso", RunState::SucceededWithIssues, 1, 10),
            ("fabrikam", RunState::Canceled, 1, 10),
            ("fabrikam", RunState::Succeeded, 1, 10),
        ]
    );
    let growth = async |only: Option<&[String]>| -> Vec<u64> {
        let days = catalog.growth(at(0), only).await.unwrap();
        assert!(days.iter().all(|(day, _)| day.as_second() % DAY == 0));
        days.into_iter().map(|(_, bytes)| bytes).collect()
    };
    assert_eq!(growth(None).await, [30, 120]);
    assert_eq!(growth(Some(&["fabrikam".to_owned()])).await, [60]);
    assert!(growth(Some(&[])).await.is_empty());
    let listed = catalog.run("1").await.unwrap();
    assert_eq!(listed.result, None);
    assert_eq!(catalog.waiting_proposals(at(0)).await.unwrap(), 0);
}

pub(crate) async fn what_runs_put_into_a_repository_counts_from_when_it_was_measured(place: Place) {
    let catalog = with_runs(&place).await;
    let put = catalog.put(None).await.unwrap();
    let main = &put["Main"];
    assert_eq!((main.received, main.stored), (500, 150));
    let since = async || catalog.put_since_measured().await.unwrap()["Main"];
    assert_eq!(since().await, 150);
    catalog.note_size("9d1a", 1000, at(DAY + 5)).await.unwrap();
    assert_eq!(since().await, 60);
    catalog.note_pruned("9d1a", at(9)).await.unwrap();
    let row = catalog.repository("main").await.unwrap();
    assert_eq!((row.bytes, row.pruned), (Some(1000), Some(at(9))));
}

pub(crate) async fn what_nobody_protects_is_listed_for_those_who_reach_it(place: Place) {
    let catalog = place.open().await;
    let unprotected = async |only: Option<&[String]>, most| {
        let items = catalog.unprotected_items(only, most).await.unwrap();
        let named: Vec<_> = items.into_iter().map(|one| one.name).collect();
        named
    };
    assert!(unprotected(None, 10).await.is_empty());
    for connector in ["Contoso", "Fabrikam"] {
        let known = [("0".to_owned(), "first".to_owned())];
        let came = [("1".to_owned(), format!("of {connector}"))];
        let store = async |items: &[_]| {
            let stored = catalog.store_found(connector, "user", items, false, at(0));
            stored.await.unwrap()
        };
        store(&known).await;
        store(&[known.as_slice(), came.as_slice()].concat()).await;
    }
    assert_eq!(unprotected(None, 10).await, ["of Contoso", "of Fabrikam"]);
    // Whoever reaches one alone is not left with what others have before it.
    let own = ["fabrikam".to_owned()];
    assert_eq!(unprotected(Some(&own), 1).await, ["of Fabrikam"]);
    assert!(unprotected(Some(&[]), 10).await.is_empty());
}

pub(crate) async fn a_run_keeps_what_it_came_to(place: Place) {
    let catalog = place.open().await;
    let mut run = run("1");
    run.kind = RunKind::Prune;
    catalog.create_run(&run).await.unwrap();
    run.state = RunState::Succeeded;
    run.finished = Some(at(1));
    run.result = Some(serde_json::json!({ "bytes_freed": 7 }));
    catalog.finish_run(&run).await.unwrap();
    assert_eq!(catalog.run("1").await.unwrap(), run);
}
