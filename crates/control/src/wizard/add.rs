//! The last step of a wizard.

mod beside;

use std::collections::BTreeSet;

use catalog::{AppProfile, Connecting, NewCredential};
use model::{Connector, Policy, Run, SyncSettings};
use service::Check;

use super::state::State;
use crate::app_profiles::ProfileOf;
use crate::connectors::{Checked, IdentityChoice, NewConnector, check_label, own_credential};
use crate::identity::rng;
use crate::{Control, Error, Result};

/// An organization that was chosen, with its settings.
pub struct WizardPick {
    pub organization: String,
    pub name: Option<String>,
    pub url: Option<String>,
    pub restore_credential: Option<String>,
    pub worker: Option<String>,
    pub sync: SyncSettings,
}

/// What is wanted beside the connectors.
#[derive(Default)]
pub struct WizardWishes {
    /// What to call the credential in the vault.
    pub credential: Option<String>,
    /// People whose connectors are limited, and who are to reach these too.
    pub people: Vec<String>,
    /// Each connector gets a policy like this one, of its own and by its name.
    pub policy: Option<Policy>,
    /// Begin the first backup of each.
    pub backup: bool,
}

/// What would be saved.
pub struct WizardDraft {
    pub connectors: Vec<Connector>,
    /// Through which app the person signed in.
    pub profile: Option<ProfileOf>,
}

/// What the wizard came to.
#[derive(Default)]
pub struct WizardAdded {
    /// The app profile that came first, where the tenant had none.
    pub profile: Option<AppProfile>,
    pub connectors: Vec<Checked<Connector>>,
    pub policies: Vec<Policy>,
    /// Policies that somebody else has to agree to first: they would shorten how long snapshots are kept that are there already.
    pub unapproved: Vec<Policy>,
    /// Names of people, with the connectors that they reach now.
    pub people: Vec<(String, BTreeSet<String>)>,
    /// The backups that were started at once.
    pub runs: Vec<Run>,
}

impl Control {
    /// The connectors as they would be saved, for a last look (SRE-25). Sends nothing and saves nothing.
    pub async fn review_wizard(
        &self,
        owner: &str,
        id: &str,
        picks: Vec<WizardPick>,
    ) -> Result<WizardDraft> {
        let (state, _) = self.state(owner, id).await?;
        let mut connectors = Vec::new();
        for pick in picks {
            let new = state.new_connector(pick)?;
            let service = self.service(&new.service)?;
            connectors.push(self.draft(service, &new).await?);
        }
        let profile = match &state.sign_in {
            Some(sign_in) => self.profile_of(&state.service, sign_in).await?,
            None => None,
        };
        // None is kept beside a credential that is there already.
        let is_stored = matches!(state.choice()?, IdentityChoice::Stored(_));
        let profile = profile.filter(|profile| !(profile.new && is_stored));
        Ok(WizardDraft {
            connectors,
            profile,
        })
    }

    /// Checks each organization that was picked and all that is wanted beside, then saves everything, or nothing. A wizard for an existing
    /// connector puts the new identity in the place of the old one, and nothing else.
    pub async fn finish_wizard(
        &self,
        owner: &str,
        id: &str,
        picks: Vec<WizardPick>,
        wishes: WizardWishes,
    ) -> Result<WizardAdded> {
        let (state, _) = self.state(owner, id).await?;
        if let Some(connector) = &state.connector {
            return self.sign_in_again(id, &state, connector).await;
        }
        if picks.is_empty() {
            return Err(Error::coded("organization-needed"));
        }
        let choice = state.choice()?;
        let mut checked = Vec::new();
        for pick in picks {
            let mut new = state.new_connector(pick)?;
            new.identity = choice.clone();
            checked.push(self.accepted(&new).await?);
        }
        if let IdentityChoice::New { .. } = choice {
            let name = wishes.credential.as_deref();
            let name = self.credential_name(&state, name, &checked).await?;
            for one in &mut checked {
                one.value.credential.clone_from(&name);
            }
        }
        let connectors: Vec<Connector> = checked.iter().map(|one| one.value.clone()).collect();
        let judged = self.judging().await?;
        let beside = judged.beside(&connectors, &wishes).await?;
        let profile = match &choice {
            IdentityChoice::New { identity, .. } => {
                judged
                    .new_profile(&state.service, &identity.sign_in)
                    .await?
            }
            IdentityChoice::Stored(_) => None,
        };
        let saving = beside.saving(&connectors);
        judged.save_all(&choice, profile.as_ref(), saving).await?;
        for one in &checked {
            self.note_warnings(&one.value, &one.checks).await?;
        }
        self.catalog.end_connect_session(id).await?;
        Ok(WizardAdded {
            profile,
            connectors: checked,
            policies: beside.policies,
            unapproved: beside.unapproved,
            people: beside.people,
            runs: beside.runs.into_iter().map(|queued| queued.run).collect(),
        })
    }

    /// One connector has a credential of its own; several share one that is named after the account.
    async fn credential_name(
        &self,
        state: &State,
        named: Option<&str>,
        connectors: &[Checked<Connector>],
    ) -> Result<String> {
        if let Some(name) = named {
            check_label("credential-name", name)?;
            return Ok(name.to_owned());
        }
        if let [one] = connectors {
            return Ok(own_credential(&one.value.name));
        }
        let account = state.account.as_deref().unwrap_or(&state.method);
        let label = |name: &str| {
            let name = name.chars().take(56).collect::<String>();
            check_label("credential-name", &name)
                .is_ok()
                .then_some(name)
        };
        let base = label(account).unwrap_or_else(|| "account".to_owned());
        for number in 1..100 {
            let name = match number {
                1 => base.clone(),
                number => format!("{base} {number}"),
            };
            if !self.has_credential(&name).await? {
                return Ok(name);
            }
        }
        Err(catalog::Error::CredentialExists { name: base }.into())
    }

    async fn save_all(
        &self,
        choice: &IdentityChoice,
        profile: Option<&AppProfile>,
        all: Connecting<'_>,
    ) -> Result<()> {
        let (kek, now, rng) = (&self.kek, self.now(), &mut rng());
        let IdentityChoice::New {
            identity, expires, ..
        } = choice
        else {
            return Ok(self.catalog.connect(kek, all, now, rng).await?);
        };
        let first = all.connectors.first();
        let secret = identity.secret();
        let new = NewCredential {
            name: first.map_or("", |one| one.credential.as_str()),
            sign_in: &identity.sign_in,
            secret: &secret,
            expires: *expires,
            profile,
        };
        let all = Connecting {
            credential: Some(&new),
            ..all
        };
        Ok(self.catalog.connect(kek, all, now, rng).await?)
    }

    /// SRE-20: the new token takes the place of the old one, once every connector that uses it passed with it.
    async fn sign_in_again(&self, id: &str, state: &State, name: &str) -> Result<WizardAdded> {
        let connector = self.catalog.connector(name).await?;
        let mut profile = None;
        let checks: Vec<Check> = match state.choice()? {
            IdentityChoice::New {
                identity, expires, ..
            } => {
                profile = self.new_profile(&state.service, &identity.sign_in).await?;
                self.rotate_credential(&connector.credential, &identity, expires)
                    .await?
                    .checks
            }
            IdentityChoice::Stored(stored) => {
                let edit = crate::ConnectorEdit {
                    credential: Some(stored),
                    ..crate::ConnectorEdit::default()
                };
                self.edit_connector(name, edit).await?.checks
            }
        };
        self.catalog.end_connect_session(id).await?;
        let value = self.catalog.connector(name).await?;
        Ok(WizardAdded {
            profile,
            connectors: vec![Checked { checks, value }],
            ..WizardAdded::default()
        })
    }
}

impl State {
    fn new_connector(&self, pick: WizardPick) -> Result<NewConnector> {
        Ok(NewConnector {
            name: pick.name,
            service: self.service.clone(),
            organization: pick.organization,
            url: pick.url.or_else(|| self.url.clone()),
            identity: self.choice()?,
            restore_credential: pick.restore_credential,
            app_profile: self.app_profile.clone(),
            worker: pick.worker,
            sync: pick.sync,
            replace: false,
        })
    }
}
