//! Connectors: checked first, saved then, all or nothing.
//!
//! A connector begins as a [`NewConnector`] or changes by a [`ConnectorEdit`]; both become the connector as it would be, are checked with
//! requests that only read ([`Checked`]), and are saved if nothing speaks against it.

mod add;
mod ask;
mod edit;
mod given;
mod host;
mod rename;
mod secrets;
mod source;
mod verdict;

use jiff::Timestamp;
use model::{Connector, SyncSettings};
use service::Check;

pub(crate) use given::{check_label, organization};
pub(crate) use secrets::own_credential;
pub(crate) use source::{address, source_id};
pub(crate) use verdict::accept;

use crate::identity::Identity;
use crate::{Control, Result};

/// As whom a connector signs in.
#[derive(Clone)]
pub enum IdentityChoice {
    /// A credential of the vault.
    Stored(String),
    /// A new one; kept under this name, or under one of the connector's own.
    New {
        name: Option<String>,
        identity: Identity,
        expires: Option<Timestamp>,
    },
}

/// A connector to be added at once, without a wizard.
pub struct NewConnector {
    /// The organization's name where none is given.
    pub name: Option<String>,
    pub service: String,
    /// Its name or an address that leads to it.
    pub organization: String,
    pub url: Option<String>,
    pub identity: IdentityChoice,
    pub restore_credential: Option<String>,
    pub app_profile: Option<String>,
    pub worker: Option<String>,
    pub sync: SyncSettings,
    /// Take the place of the connector of this name.
    pub replace: bool,
}

/// What is to change; `None` leaves it.
#[derive(Default)]
pub struct ConnectorEdit {
    pub name: Option<String>,
    pub organization: Option<String>,
    pub url: Option<Option<String>>,
    pub credential: Option<String>,
    pub restore_credential: Option<Option<String>>,
    pub worker: Option<Option<String>>,
    pub sync: Option<SyncSettings>,
}

/// What was checked on the way, and what came of it.
pub struct Checked<T> {
    pub checks: Vec<Check>,
    pub value: T,
}

impl Control {
    /// The connector of this name, where there is one.
    async fn connector_named(&self, name: &str) -> Result<Option<Connector>> {
        match self.catalog.connector(name).await {
            Err(catalog::Error::ConnectorUnknown { .. }) => Ok(None),
            found => Ok(Some(found?)),
        }
    }

    /// Refuses a second connector that signs in to an organization, by whatever domain; the catalog has the last word.
    pub(crate) async fn refuse_taken(&self, connector: &Connector) -> Result<()> {
        let source = self.source_of(connector)?;
        let taken = self.catalog.connectors().await?.into_iter().any(|other| {
            let named = other.service == connector.service
                && other
                    .organization
                    .eq_ignore_ascii_case(&connector.organization);
            other.method != "pat"
                && connector.method != "pat"
                && (named || self.is_for(&other, &source))
                && !other.name.eq_ignore_ascii_case(&connector.name)
        });
        if taken {
            return Err(catalog::Error::OrganizationExists {
                organization: connector.organization.clone(),
            }
            .into());
        }
        Ok(())
    }

    /// Forgets how to reach an organization, with the credential that it had for itself. Snapshots, runs and shared credentials stay.
    pub async fn remove_connector(&self, name: &str) -> Result<Connector> {
        let connector = self.catalog.connector(name).await?;
        self.catalog.remove_connector(&connector.name).await?;
        // Also one that an edit has put aside: it would stand in the way of the next connector of this name.
        let own = own_credential(&connector.name);
        match self.catalog.remove_credential(&own).await {
            // Others came to use it.
            Err(
                catalog::Error::CredentialInUse { .. } | catalog::Error::CredentialUnknown { .. },
            ) => Ok(connector),
            Ok(()) => {
                self.forget_tokens(&own);
                Ok(connector)
            }
            Err(error) => Err(error.into()),
        }
    }
}
