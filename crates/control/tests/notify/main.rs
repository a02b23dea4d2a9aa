//! Notifications against real receivers on this machine: HTTP and SMTP.
#![expect(clippy::unwrap_used, reason = "tests")]

mod alarms;
mod deliver;
mod receivers;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use catalog::{Catalog, Kek};
use control::{ChannelChange, Control, Reach};
use jiff::Timestamp;
use model::{
    Channel, Clock, Connector, Counts, Destination, Issue, Occasion, Run, RunKind, RunState, Secret,
};
use service::egress::Egress;

/// Seconds after a fixed moment near the present, which a test sets forward: receivers judge signatures by the real time.
pub(crate) struct Hand {
    began: Timestamp,
    seconds: AtomicI64,
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        self.began + jiff::SignedDuration::from_secs(self.seconds.load(Ordering::Relaxed))
    }
}

impl Hand {
    pub(crate) fn forward(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }
}

pub(crate) struct World {
    pub(crate) control: Control,
    pub(crate) clock: Arc<Hand>,
    pub(crate) egress: Egress,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = std::fs::metadata(folder.path())
            .unwrap()
            .modified()
            .unwrap();
        let clock = Arc::new(Hand {
            began: made.try_into().unwrap(),
            seconds: AtomicI64::new(0),
        });
        let file = folder.path().join("catalog.db");
        let control = Control {
            catalog: Catalog::open_file(&file).await.unwrap(),
            kek: Arc::new(Kek::new([7; 32])),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            services: &[],
            reach: Reach::usual(Arc::clone(&clock) as Arc<dyn Clock>).unwrap(),
            worker: "worker".to_owned(),
            work: folder.path().to_owned(),
        };
        Self {
            control,
            clock,
            egress: Egress::new(vec!["127.0.0.0/8".parse().unwrap()]),
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) async fn add(&self, name: &str, to: Destination, secret: Option<&str>) {
        let change = change(name, to, secret);
        self.control.add_channel(&change).await.unwrap();
    }

    pub(crate) async fn send(&self) -> u64 {
        self.control.notify(&self.egress).await.unwrap()
    }

    /// A run that ended like this.
    pub(crate) async fn run(&self, id: &str, connector: &str, state: RunState) {
        let mut run = Run {
            id: id.to_owned(),
            kind: RunKind::Backup,
            connector: connector.to_owned(),
            repository: "main".to_owned(),
            state: RunState::Queued,
            created: self.clock.now(),
            finished: None,
            snapshot: None,
            counts: Counts::default(),
            error: None,
            resumed: None,
            policy: None,
            reason: model::Reason::Command,
            retry_of: None,
            waiting: None,
            result: None,
        };
        let catalog = &self.control.catalog;
        catalog.create_run(&run).await.unwrap();
        if state == RunState::SucceededWithIssues {
            let issue = Issue {
                code: "permission-missing".to_owned(),
                class: model::Class::Permission,
                kind: "wiki".to_owned(),
                scope: String::new(),
                item: None,
                message: "no right to read\r\nwikis".to_owned(),
                hint: None,
            };
            catalog.add_issues(id, &[issue]).await.unwrap();
        }
        run.state = state;
        run.finished = Some(self.clock.now());
        run.error = (state == RunState::Failed).then(|| "the service is away".to_owned());
        catalog.finish_run(&run).await.unwrap();
    }

    pub(crate) async fn connector(&self, name: &str) {
        let catalog = &self.control.catalog;
        let (kek, secret) = (&self.control.kek, Secret::new("token"));
        catalog
            .put_credential(
                kek,
                "token",
                "pat",
                &secret,
                self.clock.now(),
                &mut rand::rng(),
            )
            .await
            .unwrap();
        let connector = Connector {
            name: name.to_owned(),
            service: "azure-devops".to_owned(),
            organization: name.to_owned(),
            method: "pat".to_owned(),
            credential: "token".to_owned(),
            created: self.clock.now(),
            ..Connector::default()
        };
        catalog.add_connector(&connector).await.unwrap();
    }
}

/// What servers spawn.
#[tokio::test]
async fn rounds_can_run_on_any_thread() {
    fn sendable(_: &impl Send) {}
    let world = World::new().await;
    sendable(&world.control.notify(&world.egress));
    sendable(&world.control.look_for_alarms());
    sendable(&world.control.test_channel("ops", &world.egress));
    let change = change("ops", Destination::Slack, Some("https://example.com"));
    sendable(&world.control.add_channel(&change));
}

pub(crate) fn change(name: &str, to: Destination, secret: Option<&str>) -> ChannelChange {
    ChannelChange {
        channel: Channel {
            name: name.to_owned(),
            enabled: true,
            to,
            on: [Occasion::Warning, Occasion::Failure, Occasion::Alarm].into(),
            connectors: Vec::new(),
        },
        secret: secret.map(Secret::new),
    }
}
