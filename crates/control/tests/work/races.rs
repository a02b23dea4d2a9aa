//! What happens at once: syncs beside backups, cancels beside ends, machines that sleep.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::Page;
use control::{BackupWish, CatalogCoordinator, NewRepository, RunObserver, WorkerSetup};
use engine::coordinator::{Coordinator as _, Pace};
use jiff::SignedDuration;
use model::{Event, Reason, Run, RunState, Secret};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Site;

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
        site.backed_up(name).await;
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
    let run = site.backed_up("fabrikam").await;
    release.send(()).unwrap();
    assert_eq!(syncing.join_all().await, [1]);
    let snapshot = run.snapshot.unwrap();
    site.control.catalog.find_snapshot(&snapshot).await.unwrap();
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
    site.backed_up("contoso").await;
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
    site.backed_up("contoso").await;
    until(2).await;
    stop.cancel();
    tasks.join_all().await;
}

#[tokio::test]
async fn whoever_cancels_a_run_that_has_just_ended_is_told_so() {
    let site = Site::new().await;
    site.connector("contoso").await;
    let run = site.backed_up("contoso").await;
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
