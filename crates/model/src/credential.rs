//! How an identity signs in. The secret, where there is one, lies beside this in the vault and never in it.

use serde::{Deserialize, Serialize};

/// The name of a secret in the vault.
pub type CredentialName = String;

/// A managed identity of the machine that Keepward runs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "assigned", rename_all = "kebab-case")]
pub enum ManagedIdentity {
    /// The machine's own.
    System,
    /// One that was given to the machine, by its client id.
    User { client_id: String },
}

/// An app registration in a tenant of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct App {
    /// `public`, `us-government`, `china`, or one that the configuration describes.
    pub cloud: String,
    /// The tenant's id or domain; `organizations` while nobody has signed in yet.
    pub tenant: String,
    /// The application (client) id.
    pub client_id: String,
}

/// A way to sign in, with all of it that is no secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum SignIn {
    /// A personal access token of one organization; the secret is the token.
    Pat {
        /// The service does not look at it; Azure DevOps Server may log it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        user: String,
    },
    /// A person who signed in by authorization code or device code; the secret is the refresh token, replaced at each refresh.
    User {
        #[serde(flatten)]
        app: App,
        /// The account as the identity token names it.
        account: String,
    },
    /// The app itself with a secret.
    ClientSecret {
        #[serde(flatten)]
        app: App,
    },
    /// The app itself; the secret is a PEM file with certificate and private key.
    Certificate {
        #[serde(flatten)]
        app: App,
    },
    /// The machine's identity; there is no secret.
    ManagedIdentity {
        cloud: String,
        identity: ManagedIdentity,
    },
    /// The machine's identity, which an app of this or another tenant trusts (federated credential); there is no secret.
    FederatedIdentity {
        #[serde(flatten)]
        app: App,
        identity: ManagedIdentity,
    },
    /// An app that trusts a token which the platform (Kubernetes, a pipeline) keeps fresh in a file; there is no secret.
    WorkloadIdentity {
        #[serde(flatten)]
        app: App,
        token_file: String,
    },
}

impl SignIn {
    /// As stored and shown: `pat`, `user`, `client-secret`, …
    pub fn method(&self) -> &'static str {
        match self {
            Self::Pat { .. } => "pat",
            Self::User { .. } => "user",
            Self::ClientSecret { .. } => "client-secret",
            Self::Certificate { .. } => "certificate",
            Self::ManagedIdentity { .. } => "managed-identity",
            Self::FederatedIdentity { .. } => "federated-identity",
            Self::WorkloadIdentity { .. } => "workload-identity",
        }
    }

    /// The app registration that it signs in through, where there is one.
    pub fn app(&self) -> Option<&App> {
        match self {
            Self::Pat { .. } | Self::ManagedIdentity { .. } => None,
            Self::User { app, .. }
            | Self::ClientSecret { app }
            | Self::Certificate { app }
            | Self::FederatedIdentity { app, .. }
            | Self::WorkloadIdentity { app, .. } => Some(app),
        }
    }

    /// Whether the vault must hold a secret for it.
    pub fn needs_secret(&self) -> bool {
        matches!(
            self,
            Self::Pat { .. }
                | Self::User { .. }
                | Self::ClientSecret { .. }
                | Self::Certificate { .. }
        )
    }
}
