//! What a request proves itself with: a header that stays, or a token that is asked for each time.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use model::Secret;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

use super::redact::Redactor;
use crate::entra::{AccessToken, Bearer};
use crate::{Error, Result};

/// How to sign in.
#[derive(Clone)]
pub enum Auth {
    /// Sent as Basic with an empty user name, without being asked for it.
    Pat(Secret),
    /// The same with a user name; Azure DevOps Server may log it.
    Basic { user: String, secret: Secret },
    /// A token of Entra ID, renewed while the client is used.
    Bearer(Bearer),
    /// A token that somebody else gets and lends.
    Lent(Arc<dyn Lender>),
}

/// Has access tokens, for who holds no credential.
#[async_trait]
pub trait Lender: Send + Sync {
    /// A token that holds for a while yet, and when it ends. Asked for each request: it remembers what it got.
    async fn lend(&self) -> Result<(Secret, Timestamp)>;
}

pub(crate) enum Credential {
    Fixed(Authorization),
    Bearer(Bearer),
    Lent(Arc<dyn Lender>),
}

/// One header, and the token in it.
#[derive(Clone)]
pub(crate) struct Authorization {
    /// Marked as sensitive: `Debug` does not show it.
    pub(crate) header: HeaderValue,
    /// The same for git.
    pub(crate) line: Secret,
    /// Set for a token that may be replaced when it is refused.
    pub(crate) token: Option<AccessToken>,
}

impl Credential {
    /// Tells the redactor what must not come back.
    pub(crate) fn new(auth: Auth, redactor: &Redactor) -> Result<Self> {
        let (user, secret) = match auth {
            Auth::Bearer(bearer) => return Ok(Self::Bearer(bearer)),
            Auth::Lent(lender) => return Ok(Self::Lent(lender)),
            Auth::Pat(secret) => (String::new(), secret),
            Auth::Basic { user, secret } => (user, secret),
        };
        if user.contains(':') {
            return Err(Error::malformed("a user name cannot hold a colon"));
        }
        let both = Zeroizing::new(format!("{user}:{}", secret.expose()));
        let encoded = Zeroizing::new(STANDARD.encode(both.as_bytes()));
        redactor.keep(secret.expose());
        redactor.keep(&encoded);
        Authorization::new("Basic", &encoded, None).map(Self::Fixed)
    }

    /// For one attempt. May ask the sign-in service.
    pub(crate) async fn authorization(&self, redactor: &Redactor) -> Result<Authorization> {
        match self {
            Self::Fixed(authorization) => Ok(authorization.clone()),
            Self::Bearer(bearer) => {
                let token = bearer.token().await?;
                redactor.learn(token.expose());
                Authorization::new("Bearer", token.expose(), Some(&token))
            }
            Self::Lent(lender) => {
                let (token, _) = lender.lend().await?;
                redactor.learn(token.expose());
                Authorization::new("Bearer", token.expose(), None)
            }
        }
    }
}

impl Authorization {
    fn new(scheme: &str, secret: &str, token: Option<&AccessToken>) -> Result<Self> {
        let text = Zeroizing::new(format!("{scheme} {secret}"));
        let mut header = HeaderValue::from_str(&text)
            .map_err(|_| Error::malformed("the token cannot be sent in a header"))?;
        header.set_sensitive(true);
        Ok(Self {
            header,
            line: Secret::new(format!("Authorization: {}", text.as_str())),
            token: token.cloned(),
        })
    }
}
