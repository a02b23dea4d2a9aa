//! Stand-ins for what a test is not about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use engine::backup::BackupRequest;
use jiff::{SignedDuration, Timestamp};
use model::{Clock, Connector, Picks, Secret};
use service::http::{Auth, Options};
use service::preflight::Preflight;
use service::{Check, Client};

/// A second passes whenever someone looks.
pub(crate) struct Ticks(pub(crate) Mutex<Timestamp>);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(1);
        *now
    }
}

impl Ticks {
    pub(crate) fn new() -> Self {
        Self(Mutex::new("2026-01-01T00:00:00Z".parse().unwrap()))
    }
}

pub(crate) struct NoPreflight;

#[async_trait]
impl Preflight for NoPreflight {
    async fn check(&self, _: &Client, _: &str) -> Vec<Check> {
        Vec::new()
    }
}

/// For services that nobody asks over HTTP.
pub(crate) fn client() -> Client {
    Client::new(Options {
        hosts: BTreeMap::new(),
        auth: Auth::Pat(Secret::new("none")),
        user_agent: "test".to_owned(),
        attempts: 1,
        max_wait: Duration::ZERO,
        timeout: Duration::from_secs(1),
        max_body: 1,
        observer: None,
    })
    .unwrap()
}

/// Everything of the organization Contoso.
pub(crate) fn request(work: &Path) -> BackupRequest {
    BackupRequest {
        connector: Connector {
            name: "contoso".to_owned(),
            service: "fake".to_owned(),
            organization: "Contoso".to_owned(),
            url: None,
            method: "pat".to_owned(),
            credential: "none".to_owned(),
            ..Connector::default()
        },
        url: "https://example.invalid/contoso".to_owned(),
        run: "run".to_owned(),
        job: "job".to_owned(),
        token: 1,
        selection: BTreeSet::new(),
        picks: Picks::default(),
        accept_deletions: BTreeSet::new(),
        full: false,
        work: work.to_owned(),
    }
}
