//! As whom requests are sent: from a credential, stored or not, to what an HTTP client needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use catalog::{Catalog, Kek};
use model::{App, Class, Clock, Connector, Reporter, Secret, SignIn};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use service::entra::{AppProof, Bearer, CredentialStore, Held};
use service::http::Auth;
use service::{Client, Service};

use crate::connect::{self, Target};
use crate::{Control, Error, Result};

/// A way to sign in that is not stored (yet).
#[derive(Clone)]
pub struct Identity {
    pub sign_in: SignIn,
    /// Holds the newest secret: refreshes replace it.
    pub store: Arc<Held>,
}

impl Identity {
    pub fn new(sign_in: SignIn, secret: Option<Secret>) -> Self {
        Self {
            sign_in,
            store: Arc::new(Held::new(secret)),
        }
    }

    /// What the vault is to keep.
    pub(crate) fn secret(&self) -> Secret {
        self.store.get().unwrap_or_else(|| Secret::new(""))
    }
}

impl Control {
    /// A client with the connector's credential for backups; `observer` hears of waits.
    pub async fn client(
        &self,
        connector: &Connector,
        observer: Option<Arc<dyn Reporter>>,
    ) -> Result<Client> {
        self.client_as(connector, &connector.credential, observer)
            .await
    }

    /// A client with the connector's credential for restores, where it has one of its own.
    pub async fn restore_client(
        &self,
        connector: &Connector,
        observer: Option<Arc<dyn Reporter>>,
    ) -> Result<Client> {
        let credential = connector.restore_credential.as_ref();
        self.client_as(
            connector,
            credential.unwrap_or(&connector.credential),
            observer,
        )
        .await
    }

    async fn client_as(
        &self,
        connector: &Connector,
        credential: &str,
        observer: Option<Arc<dyn Reporter>>,
    ) -> Result<Client> {
        let service = self.service(&connector.service)?;
        if connector.organization.is_empty() {
            return Err(Error::coded("organization-not-configured"));
        }
        let (sign_in, auth) = self.stored_auth(service, credential).await?;
        let target = Target {
            organization: &connector.organization,
            url: connector.url.as_deref(),
            hosts: self.hosts(&sign_in)?,
        };
        self.catalog
            .note_credential_used(credential, self.now())
            .await?;
        connect::connect(service, &target, auth, observer, &self.reach.egress).await
    }

    /// Where the cloud of a connector's sign-in has the service's hosts.
    pub(crate) async fn hosts_of(&self, connector: &Connector) -> Result<BTreeMap<String, String>> {
        let row = self.catalog.credential(&connector.credential).await?;
        match &row.sign_in {
            Some(sign_in) => self.hosts(sign_in),
            None => Ok(BTreeMap::new()),
        }
    }

    /// A client of an organization as somebody who is not stored.
    pub(crate) async fn client_of(
        &self,
        service: &'static Service,
        (organization, url): (&str, Option<&str>),
        auth: Auth,
        sign_in: &SignIn,
    ) -> Result<Client> {
        let target = Target {
            organization,
            url,
            hosts: self.hosts(sign_in)?,
        };
        connect::connect(service, &target, auth, None, &self.reach.egress).await
    }

    /// How a stored credential proves itself at a service.
    pub(crate) async fn stored_auth(
        &self,
        service: &Service,
        name: &str,
    ) -> Result<(SignIn, Auth)> {
        let row = self.catalog.credential(name).await?;
        let sign_in = row.sign_in.ok_or_else(|| Error::Request {
            code: "credential-method",
            message: format!("{} is no credential of a service", row.name),
        })?;
        let (secret, version) = self.catalog.versioned_secret(&self.kek, name).await?;
        if sign_in.needs_secret() && secret.expose().is_empty() {
            return Err(Error::coded("token-not-configured"));
        }
        if let Some(auth) = token(&sign_in, &secret) {
            return Ok((sign_in, auth));
        }
        let store = Arc::new(VaultStore {
            catalog: self.catalog.clone(),
            kek: Arc::clone(&self.kek),
            clock: Arc::clone(&self.clock),
            name: row.name.clone(),
            app: sign_in.app().cloned(),
            version: Mutex::new(version),
        });
        let key = row.name.to_lowercase();
        let source = self.reach.entra()?.source(&key, &sign_in, store)?;
        let bearer = self.bearer(service, &sign_in, |scope| source.bearer(scope))?;
        Ok((sign_in, Auth::Bearer(bearer)))
    }

    pub(crate) async fn auth(&self, service: &Service, identity: &Identity) -> Result<Auth> {
        let secret = identity.secret();
        if identity.sign_in.needs_secret() && secret.expose().is_empty() {
            return Err(Error::coded("token-not-configured"));
        }
        if let Some(auth) = token(&identity.sign_in, &secret) {
            return Ok(auth);
        }
        let proof = match identity.sign_in.app() {
            Some(app) => app_proof(&self.catalog, &self.kek, app).await?,
            None => None,
        };
        let store: Arc<dyn CredentialStore> = Arc::new(Proved {
            held: Arc::clone(&identity.store),
            proof,
        });
        let source = self.reach.entra()?.separate(&identity.sign_in, store)?;
        let bearer = self.bearer(service, &identity.sign_in, |scope| source.bearer(scope))?;
        Ok(Auth::Bearer(bearer))
    }

    fn bearer(
        &self,
        service: &Service,
        sign_in: &SignIn,
        of: impl FnOnce(String) -> Bearer,
    ) -> Result<Bearer> {
        let cloud = self.reach.clouds.find(cloud(sign_in))?;
        Ok(of(cloud.scope(service.preflight.api())))
    }

    /// Where the cloud of this sign-in has the service's hosts, where they are not the service's own.
    fn hosts(&self, sign_in: &SignIn) -> Result<BTreeMap<String, String>> {
        Ok(self.reach.clouds.find(cloud(sign_in))?.hosts.clone())
    }
}

/// Randomness that a task may take along from thread to thread.
pub(crate) fn rng() -> StdRng {
    StdRng::from_rng(&mut rand::rng())
}

/// The cloud that it signs in to; tokens of a service sign in to none, and are of the public one.
pub(crate) fn cloud(sign_in: &SignIn) -> &str {
    match sign_in {
        SignIn::ManagedIdentity { cloud, .. } => cloud,
        other => other.app().map_or("public", |app| app.cloud.as_str()),
    }
}

fn token(sign_in: &SignIn, secret: &Secret) -> Option<Auth> {
    match sign_in {
        SignIn::Pat { user } if user.is_empty() => Some(Auth::Pat(secret.clone())),
        SignIn::Pat { user } => Some(Auth::Basic {
            user: user.clone(),
            secret: secret.clone(),
        }),
        _ => None,
    }
}

/// How the app proves itself through which somebody signed in, where a profile has a credential for it.
pub(crate) async fn app_proof(
    catalog: &Catalog,
    kek: &Kek,
    app: &App,
) -> catalog::Result<Option<AppProof>> {
    let Some(name) = catalog.app_credential(app).await? else {
        return Ok(None);
    };
    let row = catalog.credential(&name).await?;
    let (secret, _) = catalog.versioned_secret(kek, &name).await?;
    Ok(Some(match row.sign_in {
        Some(SignIn::Certificate { .. }) => AppProof::Certificate(secret),
        _ => AppProof::Secret(secret),
    }))
}

/// What somebody who is not stored signs in with, through an app that proves itself.
struct Proved {
    held: Arc<Held>,
    proof: Option<AppProof>,
}

#[async_trait]
impl CredentialStore for Proved {
    async fn load(&self) -> service::Result<Option<Secret>> {
        self.held.load().await
    }

    async fn replace(&self, secret: Secret) -> service::Result<()> {
        self.held.replace(secret).await
    }

    async fn app_proof(&self) -> service::Result<Option<AppProof>> {
        Ok(self.proof.clone())
    }
}

/// A credential of the vault, as the sign-in library uses it.
struct VaultStore {
    catalog: Catalog,
    kek: Arc<Kek>,
    clock: Arc<dyn Clock>,
    name: String,
    app: Option<App>,
    /// Of the secret that was read last: only that one may be replaced.
    version: Mutex<i64>,
}

impl VaultStore {
    fn version(&self) -> std::sync::MutexGuard<'_, i64> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CredentialStore for VaultStore {
    async fn load(&self) -> service::Result<Option<Secret>> {
        let read = self.catalog.versioned_secret(&self.kek, &self.name).await;
        let (secret, version) = read.map_err(not_kept)?;
        *self.version() = version;
        Ok(Some(secret).filter(|secret| !secret.expose().is_empty()))
    }

    async fn replace(&self, secret: Secret) -> service::Result<()> {
        let version = *self.version();
        let (catalog, kek, now) = (&self.catalog, &self.kek, self.clock.now());
        let replaced = catalog
            .replace_secret(kek, &self.name, version, &secret, now, &mut rng())
            .await
            .map_err(not_kept)?;
        if let Some(version) = replaced {
            *self.version() = version;
        } else {
            // Another process was first, or a person signed in meanwhile: theirs is the newer one.
            tracing::info!(credential = self.name, "a newer token is kept already");
        }
        Ok(())
    }

    async fn app_proof(&self) -> service::Result<Option<AppProof>> {
        match &self.app {
            Some(app) => app_proof(&self.catalog, &self.kek, app)
                .await
                .map_err(not_kept),
            None => Ok(None),
        }
    }
}

fn not_kept(error: catalog::Error) -> service::Error {
    service::Error::new(
        Class::Storage,
        "token-not-kept",
        "the vault could not be used",
    )
    .caused_by(error)
}
