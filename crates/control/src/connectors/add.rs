//! A connector that is to be: drafted, checked, saved.

use catalog::{Connecting, NewCredential};
use model::{App, Connector, ConnectorStatus};
use service::{Client, Service};

use super::given::{check_label, check_name, check_sync, named, organization};
use super::secrets::own_credential;
use super::verdict::{accept, readable};
use super::{Checked, IdentityChoice, NewConnector};
use crate::identity::rng;
use crate::{Control, Error, Result};

/// The credential of a connector that is to be.
struct SignsIn {
    method: String,
    credential: String,
    /// The app registration that it signs in through, where there is one.
    app: Option<App>,
}

impl Control {
    /// Checks organization, credential and permissions of what is not saved, and saves nothing.
    pub async fn check_new(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let service = self.service(&new.service)?;
        let mut connector = self.draft(service, new).await?;
        let client = self.client_of_choice(service, &connector, new).await?;
        if let IdentityChoice::Stored(stored) = &new.identity {
            self.known_host(stored, connector.url.as_deref()).await?;
        }
        if let Some(restore) = &connector.restore_credential {
            self.known_host(restore, connector.url.as_deref()).await?;
        }
        let checks = self
            .preflight(service, &client, &connector.organization)
            .await?;
        let stored = match &new.identity {
            IdentityChoice::Stored(stored) => self.catalog.credential(stored).await?.sign_in,
            IdentityChoice::New { identity, .. } => Some(identity.sign_in.clone()),
        };
        if let Some(sign_in) = &stored {
            self.note_tenant(&mut connector, sign_in).await?;
            self.refuse_taken(&connector).await?;
        }
        Ok(Checked {
            checks,
            value: connector,
        })
    }

    /// Refuses what cannot be backed up at all, and an address that leads to what cannot be read.
    pub(crate) async fn accepted(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let checked = self.check_new(new).await?;
        accept(&checked.checks)?;
        let service = self.service(&new.service)?;
        if let Ok(address) = service.preflight.address(&new.organization) {
            readable(&checked.checks, address.part.as_ref())?;
        }
        Ok(checked)
    }

    /// Checks, then saves credential and connector together; a refusal leaves nothing behind.
    pub async fn add_connector(&self, new: &NewConnector) -> Result<Checked<Connector>> {
        let checked = self.accepted(new).await?;
        self.save(new, &checked.value).await?;
        self.note_warnings(&checked.value, &checked.checks).await?;
        Ok(checked)
    }

    /// The connector as it would be saved; refuses what needs no request to be refused.
    pub(crate) async fn draft(&self, service: &Service, new: &NewConnector) -> Result<Connector> {
        let organization = organization(service, &new.organization)?;
        let name = named(new.name.as_deref(), &organization);
        check_name(&name)?;
        check_sync(&new.sync)?;
        let signs_in = self.signs_in(&name, &new.identity).await?;
        if let Some(restore) = &new.restore_credential {
            self.catalog.credential(restore).await?;
        }
        let tenant = signs_in.app.map(|app| app.tenant);
        self.check_profile(new.app_profile.as_deref(), tenant.as_deref())
            .await?;
        let (now, before) = (self.now(), self.connector_named(&name).await?);
        if before.is_some() && !new.replace {
            return Err(catalog::Error::ConnectorExists { name }.into());
        }
        if matches!(new.identity, IdentityChoice::New { .. }) {
            self.refuse_taken_secret(&signs_in.credential, before.as_ref())
                .await?;
        }
        let connector = Connector {
            name,
            service: service.name.to_owned(),
            organization,
            url: new.url.clone(),
            method: signs_in.method,
            credential: signs_in.credential,
            restore_credential: new.restore_credential.clone(),
            tenant,
            status: ConnectorStatus::Connected,
            worker: new.worker.clone(),
            sync: new.sync.clone(),
            created: before.map_or(now, |before| before.created),
            updated: now,
        };
        self.refuse_taken(&connector).await?;
        Ok(connector)
    }

    async fn signs_in(&self, connector: &str, choice: &IdentityChoice) -> Result<SignsIn> {
        match choice {
            IdentityChoice::Stored(stored) => {
                let row = self.catalog.credential(stored).await?;
                let sign_in = row.sign_in.ok_or_else(|| Error::Request {
                    code: "credential-method",
                    message: format!("{stored} is no credential of a service"),
                })?;
                Ok(SignsIn {
                    method: row.method,
                    credential: row.name,
                    app: sign_in.app().cloned(),
                })
            }
            IdentityChoice::New { name, identity, .. } => {
                let own = || own_credential(connector);
                let credential = name.clone().unwrap_or_else(own);
                check_label("credential-name", &credential)?;
                Ok(SignsIn {
                    method: identity.sign_in.method().to_owned(),
                    credential,
                    app: identity.sign_in.app().cloned(),
                })
            }
        }
    }

    async fn client_of_choice(
        &self,
        service: &'static Service,
        connector: &Connector,
        new: &NewConnector,
    ) -> Result<Client> {
        let IdentityChoice::New { identity, .. } = &new.identity else {
            return self.client(connector, None).await;
        };
        let auth = self.auth(service, identity).await?;
        let place = (connector.organization.as_str(), connector.url.as_deref());
        self.client_of(service, place, auth, &identity.sign_in)
            .await
    }

    /// Saves what was checked.
    pub async fn save(&self, new: &NewConnector, connector: &Connector) -> Result<()> {
        let secret;
        let credential = match &new.identity {
            IdentityChoice::Stored(_) => None,
            IdentityChoice::New {
                identity, expires, ..
            } => {
                // The newest one: a check may have renewed it.
                secret = identity.secret();
                Some(NewCredential {
                    name: &connector.credential,
                    sign_in: &identity.sign_in,
                    secret: &secret,
                    expires: *expires,
                    profile: None,
                })
            }
        };
        let replace = new.replace && self.connector_named(&connector.name).await?.is_some();
        let connecting = Connecting {
            credential: credential.as_ref(),
            connectors: std::slice::from_ref(connector),
            replace,
            ..Connecting::default()
        };
        let (now, rng) = (self.now(), &mut rng());
        let saved = self.catalog.connect(&self.kek, connecting, now, rng).await;
        if replace {
            self.forget_tokens(&connector.credential);
        }
        Ok(saved?)
    }

    /// Adds a credential or gives the one of its name a new secret.
    pub(crate) async fn put(&self, credential: &NewCredential<'_>) -> Result<()> {
        let (kek, now, rng) = (&self.kek, self.now(), &mut rng());
        match self.catalog.add_credential(kek, credential, now, rng).await {
            Err(catalog::Error::CredentialExists { .. }) => {
                let rotated = self.catalog.rotate_credential(kek, credential, now, rng);
                rotated.await?;
                self.forget_tokens(credential.name);
                Ok(())
            }
            added => Ok(added?),
        }
    }
}
