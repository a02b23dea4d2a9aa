//! Where the secret of a credential is kept: the vault, or a wizard that has not saved anything yet.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use model::Secret;

use crate::Result;

/// How an application proves itself where it can keep a secret.
#[derive(Clone)]
pub enum AppProof {
    Secret(Secret),
    /// A PEM file with certificate and RSA key.
    Certificate(Secret),
}

/// Keeps one secret. It is read anew for each token, so that a rotated one takes effect at once.
#[async_trait]
pub trait CredentialStore: Send + Sync {
    /// The refresh token, client secret or PEM file; `None` while nobody has signed in.
    async fn load(&self) -> Result<Option<Secret>>;

    /// Keeps the refresh token that replaces the one before. The new access token is used only after this.
    async fn replace(&self, secret: Secret) -> Result<()>;

    /// The proof of the application through which a person signed in, where it has one.
    async fn app_proof(&self) -> Result<Option<AppProof>> {
        Ok(None)
    }
}

/// Keeps a secret in memory alone.
pub struct Held(Mutex<Option<Secret>>);

impl Held {
    pub fn new(secret: Option<Secret>) -> Self {
        Self(Mutex::new(secret))
    }

    /// What is kept now: the newest refresh token, for whoever saves it in the end.
    pub fn get(&self) -> Option<Secret> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[async_trait]
impl CredentialStore for Held {
    async fn load(&self) -> Result<Option<Secret>> {
        Ok(self.get())
    }

    async fn replace(&self, secret: Secret) -> Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(secret);
        Ok(())
    }
}
