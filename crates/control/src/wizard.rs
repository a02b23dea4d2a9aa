//! Connecting step by step: sign in, see what there is, check it, add it. Nothing is saved before the last step.

mod add;
mod methods;
mod state;

use std::borrow::Cow;

use catalog::CredentialRow;
use jiff::{SignedDuration, Timestamp};
use model::{App, Secret, SignIn};
use serde::{Deserialize, Serialize};
use service::Check;
use service::entra::{
    AppProof, CodeFlow, DeviceFlow, DevicePoll, DevicePrompt, Prompt, Return, SignedIn,
};
use service::http::Url;
use service::preflight::{Discovery, Reached};
use sha2::{Digest as _, Sha256};

use crate::connectors::{IdentityChoice, organization};
use crate::identity::{Identity, app_proof, rng};
use crate::{Control, Error, Result};

pub use add::{WizardAdded, WizardDraft, WizardPick, WizardWishes};
pub use methods::{METHODS, Method};
use state::{Flow, State};

/// How long a wizard waits for its next step.
const LIFE: SignedDuration = SignedDuration::from_mins(30);

/// The first step.
pub struct WizardBegin {
    pub service: String,
    pub way: WizardWay,
    /// The organization, where a form asks for it first; its address will do.
    pub organization: Option<String>,
    /// Another host than the service's own.
    pub url: Option<String>,
    /// Signs in again for this connector.
    pub connector: Option<String>,
    pub app_profile: Option<String>,
    /// Let Microsoft ask which account, also where a session would do.
    pub choose_account: bool,
}

/// How to sign in.
pub enum WizardWay {
    /// A browser goes to the sign-in page and comes back to `redirect`.
    Code { app: AppChoice, redirect: Url },
    /// On any device, with a code.
    Device { app: AppChoice },
    /// Without a person.
    Alone(IdentityChoice),
}

/// Through which app a person signs in: a profile's, ours, or the one that is named here.
#[derive(Clone, Debug, Default)]
pub struct AppChoice {
    pub cloud: Option<String>,
    pub tenant: Option<String>,
    pub client_id: Option<String>,
}

/// What a person needs to see to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WizardPrompt {
    Page {
        url: String,
    },
    Code {
        prompt: DevicePrompt,
        /// Asking earlier asks nobody.
        wait: u64,
    },
}

/// Why nobody signed in, for the window that waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WizardFailure {
    pub code: Option<String>,
    pub message: String,
    pub hint: Option<String>,
}

impl WizardFailure {
    fn of(error: &Error) -> Self {
        let code = error.code();
        let known = code.and_then(model::code::find);
        let remedy = known.map(|code| code.remedy);
        Self {
            code: code.map(str::to_owned),
            message: error.to_string(),
            hint: error.hint().or(remedy.map(Cow::from)).map(Cow::into_owned),
        }
    }
}

/// A wizard as its owner sees it.
pub struct Wizard {
    pub id: String,
    pub expires: Timestamp,
    pub service: String,
    pub method: String,
    pub connector: Option<String>,
    pub organization: Option<String>,
    /// Another address than the service's own, for all that is picked without one.
    pub url: Option<String>,
    /// Until somebody has signed in.
    pub prompt: Option<WizardPrompt>,
    /// It ended so; a new one has to be begun.
    pub failure: Option<WizardFailure>,
    pub account: Option<String>,
    pub tenant: Option<String>,
    pub organizations: Vec<Reached>,
    /// What is to be said about the identity, once there is one.
    pub checks: Vec<Check>,
}

impl Control {
    /// Begins a wizard of this owner.
    pub async fn begin_wizard(&self, owner: &str, begin: WizardBegin) -> Result<Wizard> {
        let service = self.service(&begin.service)?;
        let wanted = begin.organization.as_deref();
        let organization = wanted.map(|text| organization(service, text)).transpose()?;
        if let Some(connector) = &begin.connector {
            self.catalog.connector(connector).await?;
        }
        let (id, now) = (random(), self.now());
        let mut state = State::new(&begin, organization, now + LIFE);
        let mut awaited = None;
        match begin.way {
            WizardWay::Code { app, redirect } => {
                let app = self.app(&mut state, &app).await?;
                let scope = self.scope_of(&begin.service, &app)?;
                let prompt = if begin.choose_account || begin.connector.is_some() {
                    Prompt::Account
                } else {
                    Prompt::Nothing
                };
                let entra = self.reach.entra()?;
                let (flow, url) = CodeFlow::begin(entra, &app, &scope, &redirect, prompt)?;
                awaited = Some(hash(flow.state()));
                state.page = Some(url.to_string());
                state.flow = Some(Flow::code(&flow)?);
            }
            WizardWay::Device { app } => {
                let app = self.app(&mut state, &app).await?;
                let scope = self.scope_of(&begin.service, &app)?;
                let flow = DeviceFlow::start(self.reach.entra()?, &app, &scope).await?;
                state.flow = Some(Flow::device(&flow)?);
            }
            WizardWay::Alone(choice) => self.alone(&mut state, choice).await?,
        }
        let (kept, expires) = (state.keep()?, state.expires);
        let (kek, times) = (&self.kek, (now, expires));
        self.catalog
            .begin_connect_session(kek, (&id, owner), &kept, times, &mut rng())
            .await?;
        if awaited.is_some() {
            let awaited = awaited.as_deref();
            self.catalog
                .advance_connect_session(kek, (&id, 1), &kept, awaited, &mut rng())
                .await?;
        }
        Ok(state.shown(&id, now))
    }

    /// An identity that needs no person has nothing to wait for.
    async fn alone(&self, state: &mut State, choice: IdentityChoice) -> Result<()> {
        if let IdentityChoice::Stored(name) = &choice {
            if state.url.is_none() {
                state.url = self.service_credential(name).await?.url;
            }
            self.known_host(name, state.url.as_deref()).await?;
        }
        // A host of one's own knows no others, and its token is nobody else's business.
        let found = match state.url {
            Some(_) => Ok(Discovery::default()),
            None => self.organizations_of(&state.service, &choice).await,
        };
        match found {
            Ok(found) => {
                state.account.clone_from(&found.account);
                state.discovered(found);
            }
            // Whoever names the organization does not need the list of all.
            Err(error) if state.organization.is_none() => return Err(error),
            Err(error) => tracing::debug!(%error, "the organizations are not listed"),
        }
        match choice {
            IdentityChoice::Stored(name) => {
                let CredentialRow { name, sign_in, .. } = self.service_credential(&name).await?;
                state.stored = Some(name);
                state.sign_in = sign_in;
            }
            IdentityChoice::New { identity, .. } => {
                state.sign_in = Some(identity.sign_in.clone());
                state.set_secret(&identity.secret());
            }
        }
        Ok(())
    }

    /// How a wizard of this owner stands.
    pub async fn wizard(&self, owner: &str, id: &str) -> Result<Wizard> {
        let (state, _) = self.state(owner, id).await?;
        Ok(state.shown(id, self.now()))
    }

    /// Asks whether the person has entered the code.
    pub async fn poll_wizard(&self, owner: &str, id: &str) -> Result<Wizard> {
        let (mut state, version) = self.state(owner, id).await?;
        let entra = self.reach.entra()?;
        let Some(Flow::Device(kept)) = &state.flow else {
            return Ok(state.shown(id, self.now()));
        };
        let mut flow = DeviceFlow::resume(&Secret::new(kept.as_str()))?;
        let proof = self.proof(&state).await?;
        let polled = flow.poll(entra, proof.as_ref()).await;
        match polled {
            Ok(DevicePoll::Pending { .. }) => state.flow = Some(Flow::device(&flow)?),
            Ok(DevicePoll::Done(signed)) => self.arrive(&mut state, &signed).await?,
            Err(error) => {
                // What was declined or has expired stays so: begin anew.
                self.catalog.end_connect_session(id).await?;
                return Err(error.into());
            }
        }
        self.advance(id, version, &state, None).await?;
        Ok(state.shown(id, self.now()))
    }

    /// What proves the app of the wizard's profile or connector, where that keeps a secret.
    async fn proof(&self, state: &State) -> Result<Option<AppProof>> {
        match &state.known_app {
            Some(app) => Ok(app_proof(&self.catalog, &self.kek, app).await?),
            None => Ok(None),
        }
    }

    /// The wizard that awaits this return, if it is this owner's.
    pub async fn wizard_awaiting(&self, query: &str) -> Result<String> {
        let back = Return::parse(query);
        let id = self
            .catalog
            .awaiting_connect_session(&hash(back.state()))
            .await?;
        Ok(id)
    }

    /// The browser came back from the sign-in page. It can do so once.
    pub async fn return_to_wizard(&self, owner: &str, id: &str, query: &str) -> Result<Wizard> {
        let (mut state, version) = self.state(owner, id).await?;
        let back = Return::parse(query);
        let Some(Flow::Code(kept)) = &state.flow else {
            return Err(Error::coded("connect-step"));
        };
        let flow = CodeFlow::resume(&Secret::new(kept.as_str()))?;
        if hash(flow.state()) != hash(back.state()) {
            return Err(Error::coded("sign-in-mismatch"));
        }
        // Before the code is spent: a second return finds nobody waiting.
        (state.page, state.flow) = (None, None);
        self.advance(id, version, &state, None).await?;
        let proof = self.proof(&state).await?;
        let entra = self.reach.entra()?;
        let arrived = match flow.complete(entra, &back, proof.as_ref()).await {
            Ok(signed) => self.arrive(&mut state, &signed).await,
            Err(error) => Err(error.into()),
        };
        // Another window waits for the end of this one, whatever it is.
        state.failure = arrived.as_ref().err().map(WizardFailure::of);
        self.advance(id, version + 1, &state, None).await?;
        arrived?;
        Ok(state.shown(id, self.now()))
    }

    /// Somebody has signed in: which organizations are there?
    async fn arrive(&self, state: &mut State, signed: &SignedIn) -> Result<()> {
        let sign_in = signed.sign_in();
        let tenant = sign_in.app().map(|app| app.tenant.clone());
        self.check_profile(state.app_profile.as_deref(), tenant.as_deref())
            .await?;
        state.flow = None;
        state.page = None;
        state.account = Some(signed.account.clone());
        state.set_secret(&signed.refresh);
        state.sign_in = Some(sign_in);
        self.discover(state).await
    }

    /// Looks anew which organizations are there: one that was made meanwhile needs no second sign-in.
    pub async fn discover_wizard(&self, owner: &str, id: &str) -> Result<Wizard> {
        let (mut state, version) = self.state(owner, id).await?;
        if state.url.is_none() {
            let discovered = self.discover(&mut state).await;
            // Asking may have made a new secret of the old one.
            self.advance(id, version, &state, None).await?;
            discovered?;
        }
        Ok(state.shown(id, self.now()))
    }

    async fn discover(&self, state: &mut State) -> Result<()> {
        let choice = state.choice()?;
        let found = self.organizations_of(&state.service, &choice).await;
        if let IdentityChoice::New { identity, .. } = &choice {
            state.set_secret(&identity.secret());
        }
        match found {
            Ok(found) => state.discovered(found),
            // Whoever names the organization does not need the list of all.
            Err(error) if state.organization.is_some() || state.connector.is_some() => {
                tracing::debug!(%error, "the organizations are not listed");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Checks each organization, also those that will be left out (K-03); all that were found when none is named.
    pub async fn check_wizard(
        &self,
        owner: &str,
        id: &str,
        named: &[String],
    ) -> Result<Vec<(String, Vec<Check>)>> {
        let (mut state, version) = self.state(owner, id).await?;
        let service = self.service(&state.service)?;
        let names = if named.is_empty() {
            state.names()
        } else {
            named.to_vec()
        };
        let choice = state.choice()?;
        let mut results = Vec::new();
        for name in names {
            let name = organization(service, &name)?;
            let (sign_in, auth) = match &choice {
                IdentityChoice::Stored(stored) => self.stored_auth(service, stored).await?,
                IdentityChoice::New { identity, .. } => (
                    identity.sign_in.clone(),
                    self.auth(service, identity).await?,
                ),
            };
            let client = self
                .client_of(service, (&name, state.url.as_deref()), auth, &sign_in)
                .await?;
            let checks = self.preflight(service, &client, &name).await?;
            results.push((name, checks));
        }
        if let IdentityChoice::New { identity, .. } = &choice {
            state.set_secret(&identity.secret());
            self.advance(id, version, &state, None).await?;
        }
        Ok(results)
    }

    /// Forgets a wizard with all that it knew (SRE-17).
    pub async fn cancel_wizard(&self, owner: &str, id: &str) -> Result<()> {
        self.state(owner, id).await?;
        Ok(self.catalog.end_connect_session(id).await?)
    }

    async fn state(&self, owner: &str, id: &str) -> Result<(State, i64)> {
        let session = self
            .catalog
            .connect_session(&self.kek, (id, owner), self.now());
        let (kept, version) = session.await?;
        Ok((State::resume(&kept)?, version))
    }

    async fn advance(
        &self,
        id: &str,
        version: i64,
        state: &State,
        awaited: Option<&str>,
    ) -> Result<()> {
        let kept = state.keep()?;
        self.catalog
            .advance_connect_session(&self.kek, (id, version), &kept, awaited, &mut rng())
            .await?;
        Ok(())
    }

    /// The app that a person signs in through; to sign in again, the one that the connector has.
    async fn app(&self, state: &mut State, choice: &AppChoice) -> Result<App> {
        if let Some(profile) = &state.app_profile {
            let app = self.catalog.app_profile(profile).await?.app;
            state.known_app = Some(app.clone());
            return Ok(app);
        }
        let cloud = choice.cloud.as_deref().unwrap_or("public");
        let app = match (&choice.client_id, self.app_before(state).await?) {
            (Some(client_id), _) => App {
                cloud: cloud.to_owned(),
                tenant: "organizations".to_owned(),
                client_id: client_id.clone(),
            },
            (None, Some(app)) => {
                state.known_app = Some(app.clone());
                app
            }
            (None, None) => self.reach.own_app(&state.service, cloud)?,
        };
        Ok(App {
            tenant: choice.tenant.clone().unwrap_or(app.tenant),
            ..app
        })
    }

    /// Through which somebody signed in for the wizard's connector.
    async fn app_before(&self, state: &State) -> Result<Option<App>> {
        let Some(connector) = &state.connector else {
            return Ok(None);
        };
        let credential = self.catalog.connector(connector).await?.credential;
        match self.catalog.credential(&credential).await?.sign_in {
            Some(SignIn::User { app, .. }) => Ok(Some(app)),
            _ => Ok(None),
        }
    }

    fn scope_of(&self, service: &str, app: &App) -> Result<String> {
        let api = self.service(service)?.preflight.api();
        Ok(self.reach.clouds.find(&app.cloud)?.scope(api))
    }
}

/// 256 random bits that name a wizard; whose it is says its owner.
pub(crate) fn random() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

pub(crate) fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// For [`Identity`] of a wizard that keeps nothing else.
fn identity(sign_in: &SignIn, secret: &str) -> Identity {
    let secret = Some(Secret::new(secret)).filter(|secret| !secret.expose().is_empty());
    Identity::new(sign_in.clone(), secret)
}
