//! The names under which the secrets of connectors are kept.

use model::Connector;

use crate::{Control, Result};

/// The name of a credential that was made for one connector.
pub(crate) fn own_credential(connector: &str) -> String {
    format!("connector {connector}")
}

impl Control {
    /// Refuses to keep the secret of a connector under the name of another one, whoever that is for.
    pub(super) async fn refuse_taken_secret(
        &self,
        credential: &str,
        before: Option<&Connector>,
    ) -> Result<()> {
        let own = before.is_some_and(|before| before.credential.eq_ignore_ascii_case(credential));
        match self.catalog.credential(credential).await {
            Ok(row) if own && row.sign_in.is_some() => Ok(()),
            Ok(row) => Err(catalog::Error::CredentialExists { name: row.name }.into()),
            Err(catalog::Error::CredentialUnknown { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
