//! Credentials of the vault: added once, reused, rotated after a test, never readable again.

use catalog::{CredentialRow, Listed, NewCredential, Page};
use jiff::Timestamp;
use model::{Connector, Secret, SignIn};
use service::http::Url;
use service::{Check, CheckOutcome};

use crate::connectors::{accept, check_label};
use crate::identity::Identity;
use crate::open::STORAGE;
use crate::{Control, Error, Result};

/// How a test of a credential ended.
pub struct Tested {
    pub checks: Vec<Check>,
    /// The connectors by which it was tested.
    pub connectors: Vec<String>,
}

impl Control {
    /// Keeps a credential that no connector uses yet, for the service's own hosts or for the one at this address.
    pub async fn add_credential(
        &self,
        name: &str,
        identity: &Identity,
        expires: Option<Timestamp>,
        url: Option<&Url>,
    ) -> Result<CredentialRow> {
        check_label("credential-name", name)?;
        whole(&identity.sign_in, &identity.secret())?;
        let new = NewCredential {
            name,
            sign_in: &identity.sign_in,
            secret: &identity.secret(),
            expires,
            profile: None,
        };
        let (now, rng) = (self.now(), &mut crate::identity::rng());
        self.catalog
            .add_credential(&self.kek, &new, now, rng)
            .await?;
        if let Some(url) = url {
            self.catalog.set_credential_url(name, url.as_str()).await?;
        }
        Ok(self.catalog.credential(name).await?)
    }

    /// Whether the vault has something under this name.
    pub async fn has_credential(&self, name: &str) -> Result<bool> {
        match self.catalog.credential(name).await {
            Ok(_) => Ok(true),
            Err(catalog::Error::CredentialUnknown { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a new secret in the place of the old one, after each connector that uses it was tested with the new one.
    pub async fn rotate_credential(
        &self,
        name: &str,
        identity: &Identity,
        expires: Option<Timestamp>,
    ) -> Result<Tested> {
        let row = self.service_credential(name).await?;
        whole(&identity.sign_in, &identity.secret())?;
        let connectors = self.connectors_of(&row.name).await?;
        // How a connector signs in does not change with what it restores by.
        let key = row.name.to_lowercase();
        let signing = connectors
            .iter()
            .filter(|connector| connector.credential.to_lowercase() == key);
        for connector in signing {
            let changed = Connector {
                method: identity.sign_in.method().to_owned(),
                ..connector.clone()
            };
            self.refuse_taken(&changed).await?;
        }
        let tested = self.try_identity(identity, &connectors).await?;
        accept(&tested.checks)?;
        let secret = identity.secret();
        let profile = match connectors.first() {
            Some(connector) => {
                self.new_profile(&connector.service, &identity.sign_in)
                    .await?
            }
            None => None,
        };
        self.put(&NewCredential {
            name: &row.name,
            sign_in: &identity.sign_in,
            secret: &secret,
            expires,
            profile: profile.as_ref(),
        })
        .await?;
        for connector in &connectors {
            self.note_warnings(connector, &tested.checks).await?;
        }
        let now = self.now();
        if !connectors.is_empty() {
            self.catalog
                .note_credential_tested(&row.name, now, None)
                .await?;
        }
        let connected = model::ConnectorStatus::Connected;
        self.catalog
            .set_status_of_users(&row.name, &connected)
            .await?;
        Ok(tested)
    }

    /// Tests a credential by the connectors that use it, or by an organization that is named.
    pub async fn test_credential(
        &self,
        name: &str,
        organization: Option<(&str, &str)>,
    ) -> Result<Tested> {
        let row = self.service_credential(name).await?;
        let mut connectors = self.connectors_of(&row.name).await?;
        if let Some((service, organization)) = organization {
            self.known_host(&row.name, row.url.as_deref()).await?;
            connectors = vec![Connector {
                service: service.to_owned(),
                organization: crate::connectors::organization(
                    self.service(service)?,
                    organization,
                )?,
                credential: row.name.clone(),
                method: row.method.clone(),
                url: row.url.clone(),
                ..Connector::default()
            }];
        }
        let mut checks = Vec::new();
        let mut names = Vec::new();
        for connector in &connectors {
            let service = self.service(&connector.service)?;
            let (sign_in, auth) = self.stored_auth(service, &row.name).await?;
            let place = (connector.organization.as_str(), connector.url.as_deref());
            let client = self.client_of(service, place, auth, &sign_in).await?;
            checks.extend(service.preflight.check(&client, place.0).await);
            names.push(connector.name.clone());
        }
        if connectors.is_empty() {
            checks.push(self.try_alone(&row).await?);
        }
        let failed = checks.iter().find(|check| check.blocks);
        let why = failed.map(|check| check.message.clone());
        if !checks
            .iter()
            .all(|check| check.outcome == CheckOutcome::Unknown)
        {
            self.catalog
                .note_credential_tested(&row.name, self.now(), why.as_deref())
                .await?;
        }
        Ok(Tested {
            checks,
            connectors: names,
        })
    }

    /// Without an organization, an identity of Entra ID can still be asked for a token; a token of a service cannot be tried anywhere.
    async fn try_alone(&self, row: &CredentialRow) -> Result<Check> {
        if row.method == "pat" {
            let hint = "Name an organization to try it on.";
            let check = Check::new(
                "credential",
                CheckOutcome::Unknown,
                "no connector uses this token, so there is nowhere to try it",
            );
            return Ok(check.hinted(hint));
        }
        for service in self.services {
            let (_, auth) = self.stored_auth(service, &row.name).await?;
            let service::http::Auth::Bearer(bearer) = auth else {
                continue;
            };
            return Ok(match bearer.token().await {
                Ok(_) => Check::pass("credential", "the sign-in service gives it a token"),
                Err(error) => {
                    let check = Check::new("credential", CheckOutcome::Fail, error.message.clone());
                    check.coded(error.code)
                }
            });
        }
        Err(Error::coded("credential-method"))
    }

    async fn try_identity(&self, identity: &Identity, connectors: &[Connector]) -> Result<Tested> {
        let (mut checks, mut names) = (Vec::new(), Vec::new());
        for connector in connectors {
            let service = self.service(&connector.service)?;
            let auth = self.auth(service, identity).await?;
            let place = (connector.organization.as_str(), connector.url.as_deref());
            let client = self
                .client_of(service, place, auth, &identity.sign_in)
                .await?;
            checks.extend(service.preflight.check(&client, place.0).await);
            names.push(connector.name.clone());
        }
        Ok(Tested {
            checks,
            connectors: names,
        })
    }

    /// What was got with a credential that has gone is used no more.
    pub(crate) fn forget_tokens(&self, credential: &str) {
        if let Ok(entra) = self.reach.entra() {
            entra.forget(&credential.to_lowercase());
        }
    }

    /// Removes a credential that nobody uses; of a storage only where `storage` says that it may.
    pub async fn remove_credential(&self, name: &str, storage: bool) -> Result<()> {
        let row = self.managed_credential(name, storage).await?;
        self.catalog.remove_credential(&row.name).await?;
        self.forget_tokens(&row.name);
        Ok(())
    }

    /// Secrets of the program's own are nobody's to manage: they are not there.
    pub async fn service_credential(&self, name: &str) -> Result<CredentialRow> {
        self.managed_credential(name, false).await
    }

    /// As [`Control::service_credential`], and with `storage` also what opens the storage of repositories.
    pub async fn managed_credential(&self, name: &str, storage: bool) -> Result<CredentialRow> {
        let row = self.catalog.credential(name).await?;
        if row.sign_in.is_none() && !(storage && row.method == STORAGE) {
            return Err(catalog::Error::CredentialUnknown {
                name: name.to_owned(),
            }
            .into());
        }
        Ok(row)
    }

    /// Credentials by name, a page at a time; with `storage` also those of storages.
    pub async fn managed_credentials(
        &self,
        storage: bool,
        page: &Page,
    ) -> Result<Listed<CredentialRow>> {
        let own = storage.then_some(STORAGE);
        Ok(self.catalog.credentials_page(own, page).await?)
    }

    async fn connectors_of(&self, credential: &str) -> Result<Vec<Connector>> {
        let all = self.catalog.connectors().await?;
        let uses = |connector: &Connector| {
            let restore = connector.restore_credential.as_deref();
            connector.credential.eq_ignore_ascii_case(credential)
                || restore.is_some_and(|name| name.eq_ignore_ascii_case(credential))
        };
        Ok(all.into_iter().filter(uses).collect())
    }
}

/// A way to sign in needs its secret, and one without a secret takes none.
pub(crate) fn whole(sign_in: &SignIn, secret: &Secret) -> Result<()> {
    let given = !secret.expose().is_empty();
    let fault = match (sign_in.needs_secret(), given) {
        (true, false) => "it needs a secret",
        (false, true) => "it has no secret",
        _ => return Ok(()),
    };
    Err(Error::Request {
        code: "credential-method",
        message: format!("{}: {fault}", sign_in.method()),
    })
}
