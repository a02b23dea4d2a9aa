//! Sign-in at Microsoft Entra ID: access tokens that renew themselves, and the ways in which a person lets us in.
//!
//! Nothing here reads the environment: a [`Cloud`] says where everything is, so that a simulator is one more cloud.

mod assertion;
mod claims;
mod cloud;
mod code_flow;
mod consent;
mod device;
mod grant;
mod machine;
mod redirect;
mod refusal;
mod signed_in;
mod source;
mod store;
mod token;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{Clock, Secret, SignIn};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use cloud::{Api, AppService, Cloud, Clouds};
pub use code_flow::{CodeFlow, Prompt};
pub use consent::AdminConsent;
pub use device::{DeviceFlow, DevicePoll, DevicePrompt};
pub use redirect::Return;
pub use signed_in::SignedIn;
pub use source::{Bearer, TokenSource};
pub use store::{AppProof, CredentialStore, Held};
pub use token::AccessToken;

use crate::{Error, Result};
use wire::Wire;

/// What the library needs to know; plain data from the binary.
pub struct Options {
    pub clouds: Clouds,
    pub clock: Arc<dyn Clock>,
    pub user_agent: String,
    /// For one request; 30 s is usual.
    pub timeout: Duration,
    /// The first pause before the machine's identity is asked again; 1 s is usual.
    pub pause: Duration,
}

/// The sign-in library: one for the process, since it shares tokens between all who use the same credential. Cheap to clone.
#[derive(Clone)]
pub struct Entra {
    core: Arc<Core>,
    sources: Arc<Mutex<HashMap<String, TokenSource>>>,
}

struct Core {
    clouds: Clouds,
    clock: Arc<dyn Clock>,
    wire: Wire,
    pause: Duration,
}

impl Entra {
    pub fn new(options: Options) -> Result<Self> {
        let core = Core {
            wire: Wire::new(&options.user_agent, options.timeout)?,
            clouds: options.clouds,
            clock: options.clock,
            pause: options.pause,
        };
        Ok(Self {
            core: Arc::new(core),
            sources: Arc::default(),
        })
    }

    pub fn clouds(&self) -> &Clouds {
        &self.core.clouds
    }

    /// The source of a stored credential. The same name and sign-in give the same source: its tokens are shared, and its refreshes are one at a time.
    pub fn source(
        &self,
        credential: &str,
        sign_in: &SignIn,
        store: Arc<dyn CredentialStore>,
    ) -> Result<TokenSource> {
        let mut sources = self.sources();
        if let Some(source) = sources.get(credential)
            && source.sign_in() == sign_in
        {
            return Ok(source.clone());
        }
        let source = self.separate(sign_in, store)?;
        sources.insert(credential.to_owned(), source.clone());
        Ok(source)
    }

    /// A source of its own, for a sign-in that is not stored yet.
    pub fn separate(
        &self,
        sign_in: &SignIn,
        store: Arc<dyn CredentialStore>,
    ) -> Result<TokenSource> {
        TokenSource::new(&self.core, sign_in, store)
    }

    /// To be called when a credential is replaced or removed: what was got with the old one is used no more.
    pub fn forget(&self, credential: &str) {
        self.sources().remove(credential);
    }

    /// The id of a tenant that is named by a domain; ids come back as they are. One request at most.
    pub async fn tenant(&self, cloud: &str, tenant: &str) -> Result<String> {
        if model::is_tenant_id(tenant) {
            return Ok(tenant.to_ascii_lowercase());
        }
        let cloud = self.core.clouds.find(cloud)?;
        let url = cloud.address(tenant, "v2.0/.well-known/openid-configuration")?;
        let said = self.core.wire.get(&url).await?;
        if !said.is_success() {
            return Err(said.refusal(refusal::Step::Tenant, &[]));
        }
        let issuer: wire::Issuer = said.json()?;
        Url::parse(&issuer.issuer)
            .ok()
            .and_then(|issuer| {
                issuer
                    .path_segments()?
                    .find(|part| model::is_tenant_id(part))
                    .map(str::to_ascii_lowercase)
            })
            .ok_or_else(|| Error::malformed("the tenant's configuration does not name its id"))
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, HashMap<String, TokenSource>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of a flow as a secret.
fn keep(flow: &impl Serialize) -> Result<Secret> {
    serde_json::to_string(flow)
        .map(Secret::new)
        .map_err(|error| unreadable(&error))
}

fn resume<T: DeserializeOwned>(kept: &Secret) -> Result<T> {
    serde_json::from_str(kept.expose()).map_err(|error| unreadable(&error))
}

/// The vault gave something else than was kept.
fn unreadable(error: &serde_json::Error) -> Error {
    Error::malformed(format!(
        "the kept sign-in is not understood at column {}",
        error.column()
    ))
}
