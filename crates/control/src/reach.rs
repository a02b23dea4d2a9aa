//! How this installation reaches services: where people sign in, as which app, with which identities of the machine.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::{App, Clock, ManagedIdentity};
use service::egress::Egress;
use service::entra::{Clouds, Entra, Options};

use crate::connect::USER_AGENT;
use crate::{Error, Result};

/// What the configuration says about reaching services; clones share the tokens.
#[derive(Clone)]
pub struct Reach {
    pub clouds: Clouds,
    /// Where addresses may lead that people give.
    pub egress: Egress,
    clock: Arc<dyn Clock>,
    entra: Arc<OnceLock<Entra>>,
    /// Our own app registrations, which a tenant only has to consent to.
    pub apps: Arc<[OwnApp]>,
    /// User-assigned identities of this machine: no metadata service lists them.
    pub identities: Arc<[KnownIdentity]>,
}

/// An app registration that comes with this installation.
#[derive(Clone, Debug)]
pub struct OwnApp {
    pub service: String,
    pub cloud: String,
    pub client_id: String,
}

/// A managed identity that a connector can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIdentity {
    pub title: String,
    pub identity: ManagedIdentity,
}

impl Reach {
    /// The usual clouds, without an app or an identity of our own; for simulated services, since addresses may lead to this machine.
    pub fn usual(clock: Arc<dyn Clock>) -> Result<Self> {
        let here = Egress::with_this_machine(Vec::new());
        Ok(Self::new(Clouds::usual()?, here, clock))
    }

    pub fn new(clouds: Clouds, egress: Egress, clock: Arc<dyn Clock>) -> Self {
        Self {
            clouds,
            egress,
            clock,
            entra: Arc::default(),
            apps: Arc::default(),
            identities: Arc::default(),
        }
    }

    /// The sign-in library, made when it is needed: it reads the machine's certificates, which tokens alone do not need.
    pub fn entra(&self) -> Result<&Entra> {
        if let Some(entra) = self.entra.get() {
            return Ok(entra);
        }
        let made = Entra::new(Options {
            clouds: self.clouds.clone(),
            clock: Arc::clone(&self.clock),
            user_agent: USER_AGENT.to_owned(),
            timeout: Duration::from_secs(30),
            pause: Duration::from_secs(1),
        })?;
        Ok(self.entra.get_or_init(|| made))
    }

    /// The system's identity, which every machine may have, then those that the configuration names (SRE-22).
    pub fn managed_identities(&self) -> Vec<KnownIdentity> {
        let system = KnownIdentity {
            title: "System-assigned".to_owned(),
            identity: ManagedIdentity::System,
        };
        std::iter::once(system)
            .chain(self.identities.iter().cloned())
            .collect()
    }

    /// Our own app of a service in a cloud, open to any tenant.
    pub fn own_app(&self, service: &str, cloud: &str) -> Result<App> {
        let found = self
            .apps
            .iter()
            .find(|app| app.service == service && app.cloud == cloud);
        let app = found.ok_or_else(|| Error::Request {
            code: "app-profile-unknown",
            message: format!(
                "this installation has no app registration of its own for {service} in the cloud {cloud}: \
                 give the client id of yours, or add an app profile"
            ),
        })?;
        Ok(App {
            cloud: app.cloud.clone(),
            tenant: "organizations".to_owned(),
            client_id: app.client_id.clone(),
        })
    }
}
