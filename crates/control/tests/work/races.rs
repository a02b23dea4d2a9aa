//! What happens at once: several connectors of one organization, syncs beside backups, checks beside retention, machines that sleep.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::Page;
use control::{
    BackupWish, CatalogCoordinator, ConnectorEdit, NewRepository, RunObserver, WorkerSetup,
};
use engine::coordinator::{Coordinator as _, Pace};
use jiff::SignedDuration;
use model::policy::{Keep, Schedule, When};
use model::{Connector, Event, Policy, Reason, Run, RunState, Secret};
use repository::{CheckReport, ProblemKind, PruneOptions};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Site;

fn keeping(name: &str, connectors: &[&str], last: u32) -> Policy {
    Policy {
        name: name.to_owned(),
        connectors: connectors.iter().map(|one| (*one).to_owned()).collect(),
        retention: Keep {
            last,
            ..Keep::default()
        },
        schedule: Schedule {
            when: When::Manual,
            ..Schedule::default()
        },
        ..Policy::standard()
    }
}

async fn replace(site: &Site, policy: &Policy) {
    let catalog = &site.control.catalog;
    let row = catalog.policy(&policy.name).await.unwrap();
    catalog
        .replace_policy(&policy.name, row.version, policy, site.now())
        .await
        .unwrap();
}

async fn back_up(site: &Site, connector: &str) -> Run {
    site.pass(SignedDuration::from_secs(10));
    let run = site.asked(connector).await;
    assert_eq!(site.work().await, 1);
    let run = site.run(&run.id).await;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    run
}

/// As people are told to make one: another token, for restores, of the same organization.
async fn another_of_contoso(site: &Site) {
    site.secret("write", "token").await;
    let connector = Connector {
        name: "contoso-restore".to_owned(),
        service: "fake".to_owned(),
        organization: "Contoso".to_owned(),
        method: "pat".to_owned(),
        credential: "write".to_owned(),
        ..Connector::default()
    };
    site.control
        .catalog
        .add_connector(&connector)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_a_policy_keeps_of_an_organization_no_other_connector_of_it_forgets() {
    let site = Site::new().await;
    site.connector("contoso").await;
    another_of_contoso(&site).await;
    replace(&site, &keeping("default", &[], 1)).await;
    let long = keeping("long", &["contoso"], 10);
    let catalog = &site.control.catalog;
    catalog.add_policy(&long, site.now()).await.unwrap();
    for _ in 0..3 {
        back_up(&site, "contoso").await;
    }
    back_up(&site, "contoso-restore").await;
    assert_eq!(site.snapshots().await, 4, "`long` keeps them all");
    // Whoever looks ahead sees the same.
    for preview in site
        .control
        .preview_retention(&catalog.policy("default").await.unwrap().policy)
        .await
        .unwrap()
    {
        assert!(
            preview
                .decisions
                .iter()
                .all(engine::retention::Decision::keep)
        );
    }
    let shorter = keeping("long", &["contoso"], 2);
    let control = &site.control;
    for after in [None, Some(&shorter)] {
        assert!(control.would_shorten(Some("long"), after).await.unwrap());
    }
    // With `long` over all of them, nothing hangs on the default one.
    let least = keeping("default", &[], 1);
    assert!(
        !control
            .would_shorten(Some("default"), Some(&least))
            .await
            .unwrap()
    );
}

/// Design rule 7, in whatever way the connector goes from its organization.
#[tokio::test]
async fn what_a_connector_made_that_is_gone_stays_as_long_as_its_policies_say() {
    for way in ["removed", "moved", "moved and renamed"] {
        let site = Site::new().await;
        let connector = site.connector("contoso").await;
        another_of_contoso(&site).await;
        replace(&site, &keeping("default", &[], 1)).await;
        let (control, catalog) = (&site.control, &site.control.catalog);
        let long = keeping("long", &["contoso"], 10);
        catalog.add_policy(&long, site.now()).await.unwrap();
        for _ in 0..2 {
            back_up(&site, "contoso").await;
        }
        if way == "removed" {
            control.remove_connector("contoso").await.unwrap();
        } else {
            let elsewhere = Connector {
                organization: "fabrikam".to_owned(),
                ..connector
            };
            catalog.replace_connector(&elsewhere).await.unwrap();
        }
        if way == "moved and renamed" {
            let edit = ConnectorEdit {
                name: Some("fabrikam".to_owned()),
                ..ConnectorEdit::default()
            };
            control.edit_connector("contoso", edit).await.unwrap();
        }
        back_up(&site, "contoso-restore").await;
        assert_eq!(site.snapshots().await, 3, "{way}");
        // Taking its policy away is what would keep less.
        let without = control.would_shorten(Some("long"), None).await.unwrap();
        assert!(without, "{way}");
    }
}

#[tokio::test]
async fn nobody_shortens_what_a_removed_connector_made_by_taking_its_name() {
    let site = Site::new().await;
    site.connector("contoso").await;
    site.connector("gone").await;
    let control = &site.control;
    let short = keeping("short", &["contoso"], 1);
    control
        .catalog
        .add_policy(&short, site.now())
        .await
        .unwrap();
    control.remove_connector("gone").await.unwrap();
    let edit = |name: &str| ConnectorEdit {
        name: Some(name.to_owned()),
        ..ConnectorEdit::default()
    };
    let refused = control.edit_connector("contoso", edit("gone")).await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), Some("connector-name-patterns"), "{refused}");
    control
        .edit_connector("contoso", edit("new"))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_organization_of_the_same_name_elsewhere_keeps_to_its_own_rules() {
    let site = Site::new().await;
    let connector = site.connector("contoso").await;
    let elsewhere = Connector {
        name: "other-server".to_owned(),
        url: Some("http://127.0.0.1:8/".to_owned()),
        ..connector
    };
    let catalog = &site.control.catalog;
    catalog.add_connector(&elsewhere).await.unwrap();
    replace(&site, &keeping("default", &[], 1)).await;
    let long = keeping("long", &["contoso"], 10);
    catalog.add_policy(&long, site.now()).await.unwrap();
    for _ in 0..3 {
        back_up(&site, "contoso").await;
    }
    for _ in 0..2 {
        back_up(&site, "other-server").await;
    }
    assert_eq!(
        site.snapshots().await,
        4,
        "three, and the last of the other"
    );
}

/// Stands in the middle of a run that tells of its progress, until somebody lets it go on.
struct Halting {
    reached: Mutex<Option<tokio::sync::oneshot::Sender<()>>>,
    go_on: Mutex<Receiver<()>>,
}

impl Halting {
    fn new() -> (
        Arc<Self>,
        tokio::sync::oneshot::Receiver<()>,
        SyncSender<()>,
    ) {
        let (reach, reached) = tokio::sync::oneshot::channel();
        let (release, go_on) = sync_channel(1);
        let this = Self {
            reached: Mutex::new(Some(reach)),
            go_on: Mutex::new(go_on),
        };
        (Arc::new(this), reached, release)
    }
}

impl RunObserver for Halting {
    fn progress(&self, _run: &str, event: &Event) {
        let reached = self.reached.lock().unwrap().take();
        match (event, reached) {
            (Event::Progress { .. }, Some(reached)) => {
                reached.send(()).unwrap();
                let wait = Duration::from_mins(1);
                self.go_on.lock().unwrap().recv_timeout(wait).unwrap();
            }
            (_, reached) => *self.reached.lock().unwrap() = reached,
        }
    }

    fn changed(&self, _run: &Run) {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_backup_that_ends_while_the_catalog_is_synced_stays_listed() {
    let site = Site::new().await;
    for name in ["contoso", "fabrikam"] {
        site.connector(name).await;
        back_up(&site, name).await;
    }
    site.control
        .request_sync("main", Reason::Request)
        .await
        .unwrap();
    let (observer, reached, release) = Halting::new();
    let (control, setup) = (
        site.control.clone(),
        WorkerSetup {
            observer,
            ..site.setup()
        },
    );
    let mut syncing = JoinSet::new();
    let runtime = tokio::runtime::Handle::current();
    syncing.spawn_blocking(move || {
        let stop = CancellationToken::new();
        runtime.block_on(control.work_off(&setup, &stop)).unwrap()
    });
    reached.await.unwrap();
    // It has read what the repository has, and has not come to `fabrikam` yet.
    let run = back_up(&site, "fabrikam").await;
    release.send(()).unwrap();
    assert_eq!(syncing.join_all().await, [1]);
    let snapshot = run.snapshot.unwrap();
    site.control.catalog.find_snapshot(&snapshot).await.unwrap();
}

#[tokio::test]
async fn a_check_beside_a_forget_reports_no_damage() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = back_up(&site, "contoso").await;
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
    let run = back_up(&site, "contoso").await;
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
    let first = back_up(&site, "contoso").await.snapshot.unwrap();
    // Another day, so that retention keeps both.
    site.pass(SignedDuration::from_hours(48));
    let second = back_up(&site, "contoso").await.snapshot.unwrap();
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
    let run = back_up(&site, "contoso").await;
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

/// Of a suspended machine, or one whose clock was set forward.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_worker_whose_machine_slept_goes_on_with_its_jobs_and_takes_none_twice() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.asked("contoso").await;
    *site.world.hold.lock().unwrap() = true;
    let (setup, stop) = (site.setup(), CancellationToken::new());
    let (control, stopped) = (site.control.clone(), stop.clone());
    let mut working = JoinSet::new();
    working.spawn(async move { control.run_worker(&setup, &stopped).await });
    site.world.begun.notified().await;
    // It shows itself before it looks for work: after the second time it has looked at least once.
    for _ in 0..2 {
        site.pass(SignedDuration::from_mins(10));
        loop {
            let workers = site.control.catalog.workers().await.unwrap();
            if workers[0].seen == Some(site.now()) {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    *site.world.hold.lock().unwrap() = false;
    site.world.release.notify_one();
    let ended = loop {
        let ended = site.run(&run.id).await;
        if ended.finished.is_some() {
            break ended;
        }
        tokio::task::yield_now().await;
    };
    stop.cancel();
    working.join_all().await;
    assert_eq!(ended.state, RunState::Succeeded, "{:?}", ended.error);
    let jobs = site.control.catalog.jobs(&run.id).await.unwrap();
    assert_eq!(jobs[0].attempt, 1);
}

#[tokio::test]
async fn backups_of_several_connectors_are_queued_together_or_not_at_all() {
    let site = Site::new().await;
    let names: Vec<String> = ["contoso", "fabrikam"].map(str::to_owned).into();
    site.connector("contoso").await;
    let ask = async || {
        site.control
            .request_all(&names, "default", Reason::Request)
            .await
    };
    assert_eq!(ask().await.unwrap_err().code(), Some("connector-unknown"));
    assert_eq!(site.runs().await, [], "nor the first of them");
    site.connector("fabrikam").await;
    assert_eq!(ask().await.unwrap().len(), 2);
    assert_eq!(site.work().await, 2);
}

#[tokio::test]
async fn the_password_of_an_older_repository_is_not_overwritten_by_one_that_is_taken_up() {
    let site = Site::new().await;
    let (control, catalog) = (&site.control, &site.control.catalog);
    let at = |name: &str| {
        let folder = std::path::Path::new(&site.location()).with_file_name(name);
        folder.display().to_string().parse().unwrap()
    };
    let new = |folder: &str, password: Option<&str>, adopt| NewRepository {
        name: "second".to_owned(),
        location: at(folder),
        storage_credential: None,
        storage_secret: None,
        object_lock: None,
        password: password.map(Secret::new),
        adopt,
    };
    let random = control.add_repository(new("one", None, false)).await;
    let random = random.unwrap().password.unwrap();
    catalog.remove_repository("second").await.unwrap();
    let other = NewRepository {
        name: "third".to_owned(),
        ..new("two", Some("known"), false)
    };
    control.add_repository(other).await.unwrap();
    catalog.remove_repository("third").await.unwrap();
    let kept = async || {
        let name = control::password_credential("second");
        let kept = catalog.get_credential(&control.kek, &name).await.unwrap();
        kept.unwrap().expose().to_owned()
    };
    let refused = control
        .add_repository(new("two", Some("known"), true))
        .await;
    let code = refused.map(drop).unwrap_err();
    assert_eq!(code.code(), Some("credential-exists"));
    assert_eq!(kept().await, random.expose());
    // The older one itself comes back, with or without its password.
    control
        .add_repository(new("one", None, true))
        .await
        .unwrap();
    catalog.remove_repository("second").await.unwrap();
    let own = Some(random.expose());
    control.add_repository(new("one", own, true)).await.unwrap();
    assert_eq!(kept().await, random.expose());
}

#[tokio::test]
async fn words_are_found_once_somebody_has_indexed_them() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let found = async || {
        let query = catalog::Query::parse("\"a leaf\"");
        let everywhere = catalog::TextFilter::default();
        let catalog = &site.control.catalog;
        let page = Page::first(9);
        let hits = catalog.search_text(&query, &everywhere, &page);
        hits.await.unwrap().items.len()
    };
    back_up(&site, "contoso").await;
    assert_eq!(found().await, 0, "no backup waits for it");
    let (indexing, stop) = (site.control.clone(), CancellationToken::new());
    let mut tasks = JoinSet::new();
    let stopped = stop.clone();
    tasks.spawn(async move { indexing.run_indexer(&stopped).await });
    let until = async |count: usize| {
        let all = async {
            while found().await != count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all)
            .await
            .unwrap();
    };
    until(1).await;
    // The next one does not wait for the indexer's next look.
    site.world.put("leaf", "b1", "l2", "a leaf, too");
    back_up(&site, "contoso").await;
    until(2).await;
    stop.cancel();
    tasks.join_all().await;
}

#[tokio::test]
async fn whoever_cancels_a_run_that_has_just_ended_is_told_so() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = back_up(&site, "contoso").await;
    let late = site.control.cancel(&run.id).await.unwrap_err();
    assert_eq!(late.code(), Some("run-not-open"));
    assert_eq!(site.run(&run.id).await, run);
    let wish = BackupWish {
        connector: "contoso".to_owned(),
        ..BackupWish::default()
    };
    let open = site.control.request(&wish).await.unwrap();
    let canceled = site.control.cancel(&open.id).await.unwrap();
    assert_eq!(canceled.finished, Some(site.now()));
    assert_eq!(site.control.catalog.open_jobs().await.unwrap(), []);
}

#[tokio::test]
async fn a_catalog_that_is_away_for_a_moment_ends_no_work_and_permits_no_snapshot() {
    let site = Site::new().await;
    let coordinator = CatalogCoordinator {
        catalog: site.control.catalog.clone(),
        clock: Arc::clone(&site.control.clock),
        job: "of nobody".to_owned(),
        token: 1,
        repository: String::new(),
        reached: None,
        cancel: CancellationToken::new(),
        run: "run".to_owned(),
        pace: Pace::default(),
    };
    let lost = coordinator.beat().await.unwrap_err();
    assert!(lost.to_string().contains("of nobody"), "{lost}");
    assert!(coordinator.checkpoint(Some("half")).await.is_err());
    site.control.catalog.close().await;
    assert!(!coordinator.beat().await.unwrap().cancel);
    coordinator.checkpoint(Some("half")).await.unwrap();
    coordinator.permit_commit().await.unwrap_err();
    coordinator.cancel.cancel();
    assert!(coordinator.beat().await.unwrap().cancel);
}

#[tokio::test]
async fn a_connector_that_is_removed_while_its_run_is_at_work_leaves_a_snapshot() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let first = site.asked("contoso").await;
    site.pass(SignedDuration::from_secs(1));
    let second = site.asked("contoso").await;
    *site.world.hold.lock().unwrap() = true;
    let removed = async {
        site.world.begun.notified().await;
        site.control.remove_connector("contoso").await.unwrap();
        *site.world.hold.lock().unwrap() = false;
        site.world.release.notify_one();
    };
    tokio::join!(site.work(), removed);
    let ended = site.run(&first.id).await;
    assert_eq!(ended.state, RunState::Succeeded, "{:?}", ended.error);
    assert_eq!(site.snapshots().await, 1);
    // What had not begun says what it lacks.
    let late = site.run(&second.id).await;
    assert_eq!(late.state, RunState::Failed);
    let why = late.error.unwrap();
    assert!(why.contains("there is no connector `contoso`"), "{why}");
}
