//! A clock that is moved by hand, stores, and the library pointed at the fake.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use model::{App, Clock, Secret, SignIn};
use service::entra::{Cloud, Clouds, CredentialStore, Entra, Options};
use service::{Error, Result};

use crate::fake::Fake;

pub(crate) const TENANT: &str = "0fd1a1a2-6ef8-4bc4-8d1c-6b7c2fb1d2aa";
pub(crate) const CLIENT: &str = "8d1f6d7e-0001-4e2a-9c55-000000000001";
pub(crate) const SCOPE: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";

pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(
            Timestamp::from_second(1_800_000_000).unwrap(),
        )))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Keeps a refresh token as the vault would, and fails when it is told to.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) secret: Mutex<Option<Secret>>,
    pub(crate) replaced: AtomicUsize,
    pub(crate) full: AtomicBool,
}

impl Store {
    pub(crate) fn holding(secret: &str) -> Arc<Self> {
        Arc::new(Self {
            secret: Mutex::new(Some(Secret::new(secret))),
            ..Self::default()
        })
    }

    pub(crate) fn get(&self) -> String {
        let secret = self.secret.lock().unwrap();
        secret
            .as_ref()
            .map_or(String::new(), |secret| secret.expose().to_owned())
    }
}

#[async_trait]
impl CredentialStore for Store {
    async fn load(&self) -> Result<Option<Secret>> {
        Ok(self.secret.lock().unwrap().clone())
    }

    async fn replace(&self, secret: Secret) -> Result<()> {
        // Others get their turn, as they would while a database writes.
        tokio::task::yield_now().await;
        if self.full.load(SeqCst) {
            return Err(Error::storage("no space left"));
        }
        self.replaced.fetch_add(1, SeqCst);
        *self.secret.lock().unwrap() = Some(secret);
        Ok(())
    }
}

pub(crate) fn app(tenant: &str) -> App {
    App {
        cloud: "lab".to_owned(),
        tenant: tenant.to_owned(),
        client_id: CLIENT.to_owned(),
    }
}

pub(crate) fn user() -> SignIn {
    SignIn::User {
        app: app(TENANT),
        account: "ada@contoso.com".to_owned(),
    }
}

pub(crate) fn cloud(fake: &Fake) -> Cloud {
    let mut cloud = Cloud::new("lab", &fake.url, &fake.url).unwrap();
    cloud.imds = fake.url.parse().unwrap();
    cloud
}

pub(crate) fn library(fake: &Fake, cloud: Cloud) -> Entra {
    let mut clouds = Clouds::usual().unwrap();
    clouds.add(cloud).unwrap();
    Entra::new(Options {
        clouds,
        clock: Arc::<HandClock>::clone(&fake.clock),
        user_agent: "Keepward/0".to_owned(),
        timeout: Duration::from_secs(5),
        pause: Duration::from_millis(1),
    })
    .unwrap()
}

pub(crate) fn entra(fake: &Fake) -> Entra {
    library(fake, cloud(fake))
}
