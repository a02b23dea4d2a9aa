//! A person who has signed in: what is saved, and what can be used at once.

use std::sync::Arc;

use jiff::Timestamp;
use model::{App, Class, Secret, SignIn};

use super::claims::{Claims, Expected};
use super::cloud::Cloud;
use super::store::{CredentialStore, Held};
use super::token::{AccessToken, Tokens};
use super::{Entra, TokenSource};
use crate::{Error, Result};

/// The result of a sign-in by a person. Nothing of it is saved yet.
pub struct SignedIn {
    /// With the tenant in which the person signed in.
    pub app: App,
    /// As the identity token names the account: `ada@contoso.com`.
    pub account: String,
    /// The account's object id in the tenant.
    pub object_id: Option<String>,
    /// To be stored in the vault.
    pub refresh: Secret,
    pub access: AccessToken,
    /// What `access` is for.
    pub scope: String,
}

impl SignedIn {
    pub(crate) fn new(
        cloud: &Cloud,
        app: &App,
        scope: &str,
        nonce: Option<&str>,
        tokens: &Tokens,
        asked: Timestamp,
    ) -> Result<Self> {
        let lacking = |what: &str| {
            Error::new(
                Class::Malformed,
                "sign-in-failed",
                format!("the sign-in service sent no {what}"),
            )
        };
        let identity = tokens
            .id_token
            .as_deref()
            .ok_or_else(|| lacking("identity token"))?;
        let expected = Expected {
            cloud,
            tenant: &app.tenant,
            client_id: &app.client_id,
            nonce,
            now: asked,
        };
        let claims = Claims::read(identity, &expected)?;
        let refresh = tokens
            .refresh_token
            .as_deref()
            .ok_or_else(|| lacking("refresh token"))?;
        Ok(Self {
            app: App {
                tenant: claims.tid.to_ascii_lowercase(),
                ..app.clone()
            },
            account: claims.account(),
            object_id: claims.oid.clone(),
            refresh: Secret::new(refresh),
            access: tokens.access(asked)?,
            scope: scope.to_owned(),
        })
    }

    /// How the stored credential signs in; its secret is [`SignedIn::refresh`].
    pub fn sign_in(&self) -> SignIn {
        SignIn::User {
            app: self.app.clone(),
            account: self.account.clone(),
        }
    }

    /// A source for use before anything is saved: it begins with the token that is here already. Whoever saves later takes the refresh token
    /// from the store, since a renewal replaces it.
    pub fn source(&self, entra: &Entra) -> Result<(TokenSource, Arc<Held>)> {
        let store = Arc::new(Held::new(Some(self.refresh.clone())));
        let kept: Arc<dyn CredentialStore> = Arc::<Held>::clone(&store);
        let source = entra
            .separate(&self.sign_in(), kept)?
            .with(&self.scope, self.access.clone());
        Ok((source, store))
    }
}
