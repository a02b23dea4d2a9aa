//! The control side over a real catalog and repository, with a small service in memory.
#![expect(clippy::unwrap_used, reason = "tests")]

mod connectors;
mod fake;
mod queue;
mod restore;
mod sync;

use std::sync::Arc;

use catalog::{Catalog, Kek};
use control::{BackupOrder, Control, Ended};
use engine::backup::BackupReport;
use jiff::Timestamp;
use model::{Clock, Connector, Event, Reporter, Secret};
use repository::{InitOptions, Repository, store_from};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use fake::World;

/// Every look at it is a second later.
#[derive(Default)]
struct Ticking(std::sync::atomic::AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }
}

struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Event) {}
}

pub(crate) fn silent() -> Arc<dyn Reporter> {
    Arc::new(Silent)
}

/// One installation with one repository.
struct Installation {
    control: Control,
    repository: Repository,
    world: Arc<World>,
    connector: Connector,
    folder: TempDir,
}

impl Installation {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = store_from(folder.path().join("repository").to_str().unwrap()).unwrap();
        let options = InitOptions {
            created: Timestamp::UNIX_EPOCH,
            hostname: "host".to_owned(),
            username: "user".to_owned(),
        };
        let repository = Repository::init(store, &Secret::new("password"), &options)
            .await
            .unwrap();
        let world = Arc::new(World::default());
        let services = Box::leak(vec![fake::service(&world)].into_boxed_slice());
        let control = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::new(Ticking::default()),
            services,
            reach: control::Reach::usual(Arc::new(Ticking::default())).unwrap(),
            worker: "worker".to_owned(),
            work: folder.path().to_owned(),
        };
        let connector = Connector {
            name: "Contoso".to_owned(),
            service: "fake".to_owned(),
            organization: "Contoso".to_owned(),
            url: None,
            method: "pat".to_owned(),
            credential: "contoso-pat".to_owned(),
            ..Connector::default()
        };
        let installation = Self {
            control,
            repository,
            world,
            connector,
            folder,
        };
        installation.add(&installation.connector).await;
        installation
    }

    async fn add(&self, connector: &Connector) {
        let now = self.control.clock.now();
        let catalog = &self.control.catalog;
        catalog
            .put_credential(
                &self.control.kek,
                &connector.credential,
                "pat",
                &Secret::new("token"),
                now,
                &mut rand::rng(),
            )
            .await
            .unwrap();
        catalog.add_connector(connector).await.unwrap();
    }

    fn order(&self) -> BackupOrder<'_> {
        BackupOrder::plain(&self.connector, &self.repository, "main")
    }

    async fn backup(&self) -> Ended<BackupReport> {
        self.control
            .backup(&self.order(), silent(), &CancellationToken::new())
            .await
            .unwrap()
    }

    async fn snapshots(&self) -> usize {
        self.repository.snapshots().await.unwrap().len()
    }
}
