//! Requests, schedules and workers over a real catalog and repository, with a small service in memory and a clock that tests set.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../control/fake.rs"]
mod fake;

mod keeping;
mod lost;
mod maintenance;
mod open;
mod organization;
mod place;
mod queue;
mod races;
mod schedule;
mod selection;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use catalog::{Catalog, Kek, Page, QueueLimits, RepositoryRow};
use control::{Control, Order, Remembered, RunObserver, WorkerSetup};
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Connector, Event, Reason, Run, RunKind, RunState, Secret, Waiting};
use repository::{InitOptions, Repository, store_from};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use fake::World;

/// Stands still until a test moves it.
pub(crate) struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

impl Hands {
    pub(crate) fn at(second: i64) -> Self {
        Self(AtomicI64::new(second))
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        self.0.fetch_add(time.as_secs(), Ordering::SeqCst);
    }
}

/// The runs that were told of, with their states.
#[derive(Default)]
pub(crate) struct Heard(pub Mutex<Vec<(String, RunState)>>);

impl RunObserver for Heard {
    fn progress(&self, _run: &str, _event: &Event) {}

    fn changed(&self, run: &Run) {
        self.0.lock().unwrap().push((run.id.clone(), run.state));
    }
}

/// One installation with the default repository `main`.
pub(crate) struct Site {
    pub(crate) control: Control,
    pub(crate) world: Arc<World>,
    pub(crate) heard: Arc<Heard>,
    hands: Arc<Hands>,
    remembered: tokio::sync::Mutex<Remembered>,
    folder: TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("repository").display().to_string();
        let (store, _) = store_from(&location).unwrap();
        let options = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        Repository::init(store, &Secret::new("password"), &options)
            .await
            .unwrap();
        let hands = Arc::new(Hands(AtomicI64::new(
            "2026-11-02T12:00:00Z"
                .parse::<Timestamp>()
                .unwrap()
                .as_second(),
        )));
        Self::installed(folder, hands).await
    }

    /// Nothing is left of it but the repository, which is taken up again.
    pub(crate) async fn lost_its_catalog(self) -> Self {
        Self::installed(self.folder, self.hands).await
    }

    async fn installed(folder: TempDir, hands: Arc<Hands>) -> Self {
        let location = folder.path().join("repository").display().to_string();
        let (store, _) = store_from(&location).unwrap();
        let password = Secret::new("password");
        let repository = Repository::open(store, &password).await.unwrap();
        let world = Arc::new(World::default());
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        let control = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::clone(&clock),
            services: Box::leak(vec![fake::service(&world)].into_boxed_slice()),
            reach: control::Reach::usual(clock).unwrap(),
            worker: "server".to_owned(),
            work: folder.path().to_owned(),
        };
        let site = Self {
            control,
            world,
            heard: Arc::default(),
            hands,
            remembered: tokio::sync::Mutex::default(),
            folder,
        };
        site.secret("password", "password").await;
        let row = RepositoryRow {
            name: "main".to_owned(),
            location,
            id: repository.id().to_string(),
            password_credential: "password".to_owned(),
            ..RepositoryRow::default()
        };
        site.control.catalog.add_repository(&row).await.unwrap();
        site.world.put("box", "", "b1", "first");
        site.world.put("leaf", "b1", "l1", "a leaf");
        site
    }

    async fn secret(&self, name: &str, text: &str) {
        let (catalog, now) = (&self.control.catalog, self.control.clock.now());
        let secret = Secret::new(text);
        catalog
            .put_credential(
                &self.control.kek,
                name,
                "pat",
                &secret,
                now,
                &mut rand::rng(),
            )
            .await
            .unwrap();
    }

    pub(crate) async fn connector(&self, name: &str) -> Connector {
        self.secret(&format!("{name}-pat"), "token").await;
        let connector = Connector {
            name: name.to_owned(),
            service: "fake".to_owned(),
            organization: name.to_owned(),
            method: "pat".to_owned(),
            credential: format!("{name}-pat"),
            ..Connector::default()
        };
        self.control
            .catalog
            .add_connector(&connector)
            .await
            .unwrap();
        connector
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.control.clock.now()
    }

    pub(crate) fn pass(&self, time: SignedDuration) {
        self.hands.pass(time);
    }

    pub(crate) fn setup(&self) -> WorkerSetup {
        WorkerSetup {
            labels: BTreeSet::new(),
            slots: 2,
            limits: QueueLimits::default(),
            observer: Arc::<Heard>::clone(&self.heard),
        }
    }

    /// Does all that can be done now.
    pub(crate) async fn work(&self) -> u32 {
        let (setup, stop) = (self.setup(), CancellationToken::new());
        self.control.work_off(&setup, &stop).await.unwrap()
    }

    /// A backup of this connector, in the queue.
    pub(crate) async fn asked(&self, connector: &str) -> Run {
        let asked = self
            .control
            .request_backup(connector, None, Reason::Request);
        asked.await.unwrap()
    }

    /// A backup of this connector to its end, later than those before.
    pub(crate) async fn backed_up(&self, connector: &str) -> Run {
        self.pass(SignedDuration::from_secs(10));
        let run = self.asked(connector).await;
        assert_eq!(self.work().await, 1);
        let run = self.run(&run.id).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
        run
    }

    /// The run as it stands now.
    pub(crate) async fn run(&self, id: &str) -> Run {
        self.control.catalog.run(id).await.unwrap()
    }

    /// What its job is to do.
    pub(crate) async fn order(&self, run: &Run) -> Order {
        let catalog = &self.control.catalog;
        let job = catalog.jobs(&run.id).await.unwrap().remove(0);
        serde_json::from_str(&catalog.payload(&job.id).await.unwrap()).unwrap()
    }

    /// What a run waits for.
    pub(crate) async fn waits(&self, run: &Run) -> Waiting {
        let all = self.control.waiting(std::slice::from_ref(run)).await;
        all.unwrap().remove(0).unwrap()
    }

    pub(crate) async fn schedule(&self) -> Vec<Run> {
        let observer: Arc<dyn RunObserver> = Arc::<Heard>::clone(&self.heard);
        let mut remembered = self.remembered.lock().await;
        let made = self.control.schedule(&observer, &mut remembered).await;
        made.unwrap()
    }

    /// The connectors whose syncs were due.
    pub(crate) async fn find_new_due(&self) -> Vec<String> {
        let mut remembered = self.remembered.lock().await;
        let done = self.control.find_new_due(&mut remembered).await;
        done.unwrap()
    }

    /// Another server on the same catalog, whose clock is ahead of this one's.
    pub(crate) fn another_ahead(&self, ahead: SignedDuration) -> Self {
        let hands = Arc::new(Hands::at((self.now() + ahead).as_second()));
        let clock: Arc<dyn Clock> = Arc::<Hands>::clone(&hands);
        Self {
            control: Control {
                clock,
                ..self.control.clone()
            },
            world: Arc::clone(&self.world),
            heard: Arc::default(),
            hands,
            remembered: tokio::sync::Mutex::default(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) async fn repository(&self) -> Repository {
        let row = self.control.catalog.repository("main").await.unwrap();
        self.control.open_repository(&row).await.unwrap()
    }

    /// Of its repository.
    pub(crate) fn location(&self) -> String {
        self.folder.path().join("repository").display().to_string()
    }

    pub(crate) async fn snapshots(&self) -> usize {
        self.repository().await.snapshots().await.unwrap().len()
    }

    pub(crate) async fn runs(&self) -> Vec<Run> {
        let runs = self.control.catalog.runs(&Page::first(200)).await.unwrap();
        runs.items
    }

    /// Without the maintenance that repositories have from the start.
    pub(crate) async fn backups(&self) -> Vec<Run> {
        let mut runs = self.runs().await;
        runs.retain(|run| run.kind == RunKind::Backup);
        runs
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}
