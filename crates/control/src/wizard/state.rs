//! What a wizard knows between two steps. All of it is kept as one secret.

use jiff::Timestamp;
use model::{App, Secret, SignIn};
use serde::{Deserialize, Serialize};
use service::entra::{CodeFlow, DeviceFlow};
use service::preflight::{Discovery, Reached};
use service::{Check, CheckOutcome};
use zeroize::Zeroize as _;

use super::{Wizard, WizardBegin, WizardFailure, WizardPrompt, WizardWay, identity};
use crate::connectors::IdentityChoice;
use crate::identity::Identity;
use crate::{Error, Result};

#[derive(Serialize, Deserialize)]
pub(super) struct State {
    pub service: String,
    pub method: String,
    pub expires: Timestamp,
    pub organization: Option<String>,
    /// Another host than the service's own.
    pub url: Option<String>,
    pub connector: Option<String>,
    pub app_profile: Option<String>,
    /// The app of the profile or connector: a credential of the vault may prove it.
    pub known_app: Option<App>,
    /// While a person is away to sign in.
    pub flow: Option<Flow>,
    pub page: Option<String>,
    /// Why the sign-in in the other window came to nothing.
    pub failure: Option<WizardFailure>,
    pub account: Option<String>,
    pub sign_in: Option<SignIn>,
    /// A credential of the vault that was chosen instead.
    pub stored: Option<String>,
    secret: String,
    pub found: Vec<Reached>,
    /// What is to be said about the identity: whichever window asks is told.
    findings: Vec<Finding>,
}

/// A check of an identity; those have neither costs nor a link.
#[derive(Serialize, Deserialize)]
struct Finding {
    name: String,
    outcome: CheckOutcome,
    message: String,
    hint: Option<String>,
    code: Option<String>,
    blocks: bool,
}

impl From<Check> for Finding {
    fn from(check: Check) -> Self {
        Self {
            name: check.name,
            outcome: check.outcome,
            message: check.message,
            hint: check.hint,
            code: check.code.map(str::to_owned),
            blocks: check.blocks,
        }
    }
}

impl Finding {
    fn check(&self) -> Check {
        let known = self.code.as_deref().and_then(model::code::find);
        Check {
            hint: self.hint.clone(),
            code: known.map(|known| known.name),
            blocks: self.blocks,
            ..Check::new(&self.name, self.outcome, &self.message)
        }
    }
}

/// As [`CodeFlow::keep`] and [`DeviceFlow::keep`] give it.
#[derive(Serialize, Deserialize)]
pub(super) enum Flow {
    Code(String),
    Device(String),
}

impl Flow {
    pub(super) fn code(flow: &CodeFlow) -> Result<Self> {
        Ok(Self::Code(flow.keep()?.expose().to_owned()))
    }

    pub(super) fn device(flow: &DeviceFlow) -> Result<Self> {
        Ok(Self::Device(flow.keep()?.expose().to_owned()))
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let (Self::Code(kept) | Self::Device(kept)) = self;
        kept.zeroize();
    }
}

impl State {
    pub(super) fn new(
        begin: &WizardBegin,
        organization: Option<String>,
        expires: Timestamp,
    ) -> Self {
        let method = match &begin.way {
            WizardWay::Code { .. } | WizardWay::Device { .. } => "user".to_owned(),
            WizardWay::Alone(IdentityChoice::Stored(_)) => "stored".to_owned(),
            WizardWay::Alone(IdentityChoice::New { identity, .. }) => {
                identity.sign_in.method().to_owned()
            }
        };
        Self {
            service: begin.service.clone(),
            method,
            expires,
            organization,
            url: begin.url.clone(),
            connector: begin.connector.clone(),
            app_profile: begin.app_profile.clone(),
            known_app: None,
            flow: None,
            page: None,
            failure: None,
            account: None,
            sign_in: None,
            stored: None,
            secret: String::new(),
            found: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// What came of looking for organizations.
    pub(super) fn discovered(&mut self, found: Discovery) {
        self.found = found.organizations;
        self.findings = found.checks.into_iter().map(Finding::from).collect();
    }

    pub(super) fn keep(&self) -> Result<Secret> {
        let text = serde_json::to_string(self);
        text.map(Secret::new).map_err(|_| unreadable())
    }

    pub(super) fn resume(kept: &Secret) -> Result<Self> {
        // Its error may quote what it could not read.
        serde_json::from_str(kept.expose()).map_err(|_| unreadable())
    }

    pub(super) fn set_secret(&mut self, secret: &Secret) {
        self.secret.zeroize();
        secret.expose().clone_into(&mut self.secret);
    }

    pub(super) fn identity(&self) -> Result<Identity> {
        let sign_in = self.sign_in.as_ref();
        let sign_in = sign_in.ok_or_else(|| Error::coded("connect-step"))?;
        Ok(identity(sign_in, &self.secret))
    }

    /// As whom the wizard goes on; refused while nobody has signed in.
    pub(super) fn choice(&self) -> Result<IdentityChoice> {
        if self.flow.is_some() {
            return Err(Error::coded("connect-step"));
        }
        Ok(match &self.stored {
            Some(name) => IdentityChoice::Stored(name.clone()),
            None => IdentityChoice::New {
                name: None,
                identity: self.identity()?,
                expires: None,
            },
        })
    }

    /// The organizations that can be checked: those that were found, and the one that was named.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .found
            .iter()
            .map(|one| one.organization.clone())
            .collect();
        if let Some(named) = &self.organization
            && !names.iter().any(|name| name.eq_ignore_ascii_case(named))
        {
            names.push(named.clone());
        }
        names
    }

    pub(super) fn shown(&self, id: &str, now: Timestamp) -> Wizard {
        let prompt = match &self.flow {
            Some(Flow::Code(_)) => self.page.clone().map(|url| WizardPrompt::Page { url }),
            Some(Flow::Device(kept)) => {
                let flow = DeviceFlow::resume(&Secret::new(kept.as_str())).ok();
                flow.map(|flow| WizardPrompt::Code {
                    prompt: flow.prompt().clone(),
                    wait: wait(flow.next(), now),
                })
            }
            None => None,
        };
        let app = self.sign_in.as_ref().and_then(SignIn::app);
        Wizard {
            id: id.to_owned(),
            expires: self.expires,
            service: self.service.clone(),
            method: self.method.clone(),
            connector: self.connector.clone(),
            organization: self.organization.clone(),
            url: self.url.clone(),
            prompt,
            failure: self.failure.clone(),
            account: self.account.clone(),
            tenant: app.map(|app| app.tenant.clone()),
            organizations: self.found.clone(),
            checks: self.findings.iter().map(Finding::check).collect(),
        }
    }
}

/// Whole seconds until then, rounded up.
fn wait(then: Timestamp, now: Timestamp) -> u64 {
    let left = then.duration_since(now).as_millis();
    u64::try_from(left.max(0)).unwrap_or(0).div_ceil(1000)
}

impl Drop for State {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

fn unreadable() -> Error {
    Error::coded("connect-session-unknown")
}
