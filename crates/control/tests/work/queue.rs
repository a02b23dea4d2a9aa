//! Runs through the queue: asked for, retried, canceled, lost with their worker, and why they wait.

use std::collections::BTreeSet;

use catalog::RepositoryRow;
use control::{BackupWish, Order};
use jiff::SignedDuration;
use model::{Class, Policy, Reason, RunState};
use tokio_util::sync::CancellationToken;

use crate::Site;

#[tokio::test]
async fn xa_05_a_backup_can_be_run_before_anybody_made_a_policy() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("Contoso").await;
    assert_eq!(
        (run.state, run.policy.as_deref()),
        (RunState::Queued, Some("default"))
    );
    assert_eq!(site.work().await, 1);
    let ended = site.run(&run.id).await;
    assert_eq!(ended.state, RunState::Succeeded);
    assert_eq!(ended.counts.kinds["leaf"].items, 1);
    assert_eq!(site.snapshots().await, 1);
    let states: Vec<RunState> = site
        .heard
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|(_, state)| *state)
        .collect();
    assert_eq!(states, [RunState::Running, RunState::Succeeded]);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_later_and_not_for_ever() {
    let site = Site::new().await;
    site.connector("contoso").await;
    site.world.fail(Some(Class::Credential));
    let refused = site.asked("contoso").await;
    site.work().await;
    let refused = site.run(&refused.id).await;
    assert_eq!(
        refused.state,
        RunState::Failed,
        "a refused token is not tried again"
    );
    site.world.fail(None);
    *site.world.outage.lock().unwrap() = Some(Class::Transient);
    let run = site.asked("contoso").await;
    assert_eq!(site.work().await, 1);
    let waiting = site.run(&run.id).await;
    assert_eq!(waiting.state, RunState::Queued);
    let why = site.waits(&waiting).await;
    assert_eq!(why.code, "retry-later");
    assert!(why.message.contains("attempt 1 failed"), "{}", why.message);
    assert_eq!(why.until, Some(site.now() + SignedDuration::from_mins(1)));
    assert_eq!(site.work().await, 0, "it is not yet time");
    for pause in [1, 4, 16] {
        site.pass(SignedDuration::from_mins(pause));
        assert_eq!(site.work().await, 1);
    }
    let failed = site.run(&run.id).await;
    assert_eq!(failed.state, RunState::Failed);
    *site.world.outage.lock().unwrap() = None;
    let again = site.control.retry(&run.id).await.unwrap();
    assert_eq!(
        (again.reason, again.retry_of.as_deref()),
        (Reason::Retry, Some(run.id.as_str()))
    );
    assert_eq!(site.work().await, 1);
    let again = site.run(&again.id).await;
    assert_eq!(again.state, RunState::Succeeded);
    let done = site.control.retry(&again.id).await.unwrap_err();
    assert_eq!(done.code(), Some("run-succeeded"));
}

#[tokio::test]
async fn a_retry_is_of_the_kinds_that_were_asked_for() {
    let site = Site::new().await;
    site.connector("contoso").await;
    site.world.fail(Some(Class::Credential));
    let wish = BackupWish {
        connector: "contoso".to_owned(),
        kinds: BTreeSet::from(["box".to_owned()]),
        accept_deletions: BTreeSet::from(["leaf".to_owned()]),
        full: true,
        ..BackupWish::default()
    };
    let run = site.control.request(&wish).await.unwrap();
    assert_eq!(site.work().await, 1);
    let again = site.control.retry(&run.id).await.unwrap();
    assert_eq!(site.order(&again).await, site.order(&run).await);
    let Order::Backup(order) = site.order(&again).await else {
        unreachable!("it is a backup")
    };
    assert_eq!(order.selection.kinds, wish.kinds);
    assert_eq!(
        (order.accept_deletions, order.full),
        (wish.accept_deletions, true)
    );
}

#[tokio::test]
async fn a_run_that_waits_for_another_says_for_which() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let first = site.asked("contoso").await;
    site.pass(SignedDuration::from_secs(1));
    let second = site.asked("contoso").await;
    *site.world.hold.lock().unwrap() = true;
    let (setup, stop) = (site.setup(), CancellationToken::new());
    let looked = async {
        site.world.begun.notified().await;
        let row = site.run(&second.id).await;
        let why = site.waits(&row).await;
        assert_eq!(why.code, "source-busy");
        assert!(why.message.contains(&first.id), "{}", why.message);
        *site.world.hold.lock().unwrap() = false;
        site.world.release.notify_one();
    };
    let (done, ()) = tokio::join!(site.control.work_off(&setup, &stop), looked);
    assert_eq!(done.unwrap(), 2);
    for run in [first, second] {
        let run = site.run(&run.id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    }
    assert_eq!(
        site.snapshots().await,
        2,
        "the usual policy keeps all of a week"
    );
}

#[tokio::test]
async fn a_queued_run_is_canceled_at_once_and_an_ended_one_not_at_all() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("contoso").await;
    let canceled = site.control.cancel(&run.id).await.unwrap();
    assert_eq!(canceled.state, RunState::Canceled);
    assert_eq!(site.work().await, 0);
    let twice = site.control.cancel(&run.id).await.unwrap_err();
    assert_eq!(twice.code(), Some("run-not-open"));
    let open = site.asked("contoso").await;
    let early = site.control.retry(&open.id).await.unwrap_err();
    assert_eq!(early.code(), Some("run-open"));
}

#[tokio::test]
async fn a_worker_that_is_lost_in_mid_job_costs_only_time() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("contoso").await;
    *site.world.hold.lock().unwrap() = true;
    let (setup, stop) = (site.setup(), CancellationToken::new());
    tokio::select! {
        _ = site.control.work_off(&setup, &stop) => unreachable!("it is held"),
        () = site.world.begun.notified() => {}
    }
    *site.world.hold.lock().unwrap() = false;
    assert_eq!(site.work().await, 0, "the lease has not run out");
    site.pass(SignedDuration::from_secs(61));
    assert_eq!(site.work().await, 1);
    let ended = site.run(&run.id).await;
    assert_eq!(ended.state, RunState::Succeeded);
    assert_eq!(site.snapshots().await, 1, "nothing is doubled");
    assert_eq!(
        site.control.catalog.jobs(&run.id).await.unwrap()[0].attempt,
        2
    );
}

#[tokio::test]
async fn a_worker_that_is_stopped_gives_its_job_back() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("contoso").await;
    *site.world.hold.lock().unwrap() = true;
    let (setup, stop) = (site.setup(), CancellationToken::new());
    let stopped = async {
        site.world.begun.notified().await;
        stop.cancel();
    };
    let (done, ()) = tokio::join!(site.control.work_off(&setup, &stop), stopped);
    done.unwrap();
    let row = site.run(&run.id).await;
    assert_eq!(row.state, RunState::Queued);
    *site.world.hold.lock().unwrap() = false;
    site.work().await;
    let row = site.run(&run.id).await;
    assert_eq!(row.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_restart_leaves_the_queue_as_it_was() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("contoso").await;
    assert!(site.control.recover().await.unwrap().is_empty());
    assert_eq!(site.work().await, 1);
    let row = site.run(&run.id).await;
    assert_eq!(row.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_default_worker_that_cannot_reach_the_folder_is_named_and_no_policy_is_blamed() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let catalog = &site.control.catalog;
    catalog
        .add_worker("cloud", "hash", site.now())
        .await
        .unwrap();
    let none = BTreeSet::new();
    catalog
        .worker_seen("cloud", &none, &none, site.now())
        .await
        .unwrap();
    let mut connector = catalog.connector("contoso").await.unwrap();
    connector.worker = Some("cloud".to_owned());
    catalog.replace_connector(&connector).await.unwrap();
    let refused = site
        .control
        .request_backup("contoso", None, Reason::Request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("worker-storage"));
    let message = refused.to_string();
    assert!(message.contains("connector contoso wants"), "{message}");
    assert!(message.contains("cloud"), "{message}");
    assert!(!message.contains("policy"), "{message}");
}

#[tokio::test]
async fn xa_13_a_policy_whose_worker_cannot_reach_its_folder_is_refused_before_it_runs() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let catalog = &site.control.catalog;
    catalog
        .add_worker("cloud", "hash", site.now())
        .await
        .unwrap();
    let labels = BTreeSet::from(["far".to_owned()]);
    catalog
        .worker_seen("cloud", &labels, &BTreeSet::new(), site.now())
        .await
        .unwrap();
    let row = catalog.policy("default").await.unwrap();
    let policy = Policy {
        worker: labels.clone(),
        ..row.policy.clone()
    };
    catalog
        .replace_policy("default", row.version, &policy, site.now())
        .await
        .unwrap();
    let refused = site
        .control
        .request_backup("contoso", None, Reason::Request)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("worker-storage"));
    let message = refused.to_string();
    assert!(message.contains("policy default wants"), "{message}");
    assert!(site.runs().await.is_empty());
    // Once the worker says that it reaches the folder, it may run there and nowhere else.
    let storages = BTreeSet::from(["main".to_owned()]);
    catalog
        .worker_seen("cloud", &labels, &storages, site.now())
        .await
        .unwrap();
    let run = site.asked("contoso").await;
    assert_eq!(site.work().await, 0);
    site.pass(SignedDuration::from_mins(10));
    let why = site.waits(&run).await;
    assert_eq!(why.code, "worker-missing");
    assert!(why.message.contains("far"), "{}", why.message);
}

#[tokio::test]
async fn what_cannot_work_is_refused_at_once() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let wish = |change: &dyn Fn(&mut BackupWish)| {
        let mut wish = BackupWish {
            connector: "contoso".to_owned(),
            ..BackupWish::default()
        };
        change(&mut wish);
        wish
    };
    let table = [
        (
            wish(&|wish| wish.connector = "nobody".to_owned()),
            "connector-unknown",
        ),
        (
            wish(&|wish| wish.policy = Some("none".to_owned())),
            "policy-unknown",
        ),
        (
            wish(&|wish| wish.repository = Some("none".to_owned())),
            "repository-not-found",
        ),
        (
            wish(&|wish| wish.kinds = BTreeSet::from(["x".to_owned()])),
            "kind-unknown",
        ),
    ];
    for (wish, code) in table {
        let error = site.control.request(&wish).await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    let catalog = &site.control.catalog;
    catalog.remove_policy("default").await.unwrap();
    let error = site
        .control
        .request_backup("contoso", None, Reason::Request)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("policy-missing"));
    assert!(site.runs().await.is_empty());
}

#[tokio::test]
async fn a_policy_for_several_services_selects_of_each_what_it_names_there() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let select = async |kinds: &[&str]| {
        let catalog = &site.control.catalog;
        let row = catalog.policy("default").await.unwrap();
        let mut policy = row.policy;
        policy.selection.kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        catalog
            .replace_policy("default", row.version, &policy, site.now())
            .await
            .unwrap();
    };
    select(&["leaf", "kind of another service"]).await;
    let run = site.asked("contoso").await;
    let Order::Backup(order) = site.order(&run).await else {
        unreachable!("it is a backup")
    };
    assert_eq!(order.selection.kinds, BTreeSet::from(["leaf".to_owned()]));
    // Nothing of this one is not everything of it.
    select(&["kind of another service"]).await;
    let asked = site
        .control
        .request_backup("contoso", None, Reason::Request);
    let refused = asked.await.unwrap_err();
    assert_eq!(refused.code(), Some("policy-selects-nothing"));
    // What somebody asks for by name has to be there.
    let wish = BackupWish {
        connector: "contoso".to_owned(),
        kinds: BTreeSet::from(["kind of another service".to_owned()]),
        ..BackupWish::default()
    };
    let refused = site.control.request(&wish).await.unwrap_err();
    assert_eq!(refused.code(), Some("kind-unknown"));
}

#[tokio::test]
async fn a_repository_that_is_away_fails_the_run_and_says_so() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let row = RepositoryRow {
        name: "gone".to_owned(),
        location: site.folder().join("gone").display().to_string(),
        id: "another".to_owned(),
        password_credential: "password".to_owned(),
        ..RepositoryRow::default()
    };
    site.control.catalog.add_repository(&row).await.unwrap();
    let wish = BackupWish {
        connector: "contoso".to_owned(),
        repository: Some("gone".to_owned()),
        ..BackupWish::default()
    };
    let run = site.control.request(&wish).await.unwrap();
    site.work().await;
    let ended = site.run(&run.id).await;
    assert_eq!(ended.state, RunState::Failed);
    assert!(ended.error.unwrap().contains("gone"));
}
