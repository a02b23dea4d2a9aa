//! How a connector stands: what its last use said about it.

use model::{Class, Connector, ConnectorStatus};

use crate::{Control, Error, Result};

impl Control {
    /// Notes on the connector how its last use ended; trouble that passes by itself changes nothing.
    pub async fn note_connection(
        &self,
        connector: &Connector,
        error: Option<&Error>,
    ) -> Result<()> {
        let trouble = error.map(|error| {
            let class = class_of(error).unwrap_or(Class::Unsupported);
            (class, error.to_string())
        });
        self.note_status(connector, trouble).await
    }

    /// The same for a backup that ended. What failed on our own side says nothing about the connector.
    pub(crate) async fn note_backup(
        &self,
        connector: &str,
        failed: Option<(Option<Class>, String)>,
    ) -> Result<()> {
        let trouble = match failed {
            None => None,
            Some((Some(class), why)) => Some((class, why)),
            Some((None, _)) => return Ok(()),
        };
        match self.catalog.connector(connector).await {
            Ok(connector) => self.note_status(&connector, trouble).await,
            Err(catalog::Error::ConnectorUnknown { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn note_status(
        &self,
        connector: &Connector,
        trouble: Option<(Class, String)>,
    ) -> Result<()> {
        use ConnectorStatus::{Connected, Failed, SignInNeeded};
        let now = self.now();
        let status = match (trouble, &connector.status) {
            (None, _) => Connected,
            (Some((Class::Transient | Class::Throttled | Class::Storage, _)), _) => return Ok(()),
            // The reason may be another one; it stands so since it first did.
            (Some((Class::Credential, why)), SignInNeeded { since, .. }) => {
                SignInNeeded { why, since: *since }
            }
            (Some((Class::Credential, why)), _) => SignInNeeded { why, since: now },
            (Some((_, why)), Failed { since, .. }) => Failed { why, since: *since },
            (Some((_, why)), _) => Failed { why, since: now },
        };
        if status != connector.status {
            let set = self.catalog.set_connector_status(&connector.name, &status);
            match set.await {
                // Removed meanwhile.
                Err(catalog::Error::ConnectorUnknown { .. }) => {}
                set => set?,
            }
        }
        Ok(())
    }
}

pub(crate) fn class_of(error: &Error) -> Option<Class> {
    match error {
        Error::Service(error)
        | Error::Unfit { error, .. }
        | Error::Engine(engine::Error::Service(error)) => Some(error.class),
        Error::Request {
            code: "token-not-configured",
            ..
        } => Some(Class::Credential),
        Error::Catalog(_) | Error::Repository(_) | Error::Io { .. } => Some(Class::Storage),
        _ => None,
    }
}
