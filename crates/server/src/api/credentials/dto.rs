//! What credentials look like from outside.

use catalog::CredentialRow;
use control::Tested;
use jiff::{SignedDuration, Timestamp};
use model::ManagedIdentity;
use serde::{Deserialize, Serialize};
use service::{Check, CheckOutcome};
use utoipa::ToSchema;

use super::views;
use crate::api::connectors::CheckView;
use crate::{Problem, SecretText};

/// How long before its end a credential counts as expiring.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A way to sign in, with its secret. Which members it needs depends on `method`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityBody {
    /// `pat`, `client-secret`, `certificate`, `managed-identity`, `federated-identity` or `workload-identity`.
    pub method: String,
    /// The token, the client secret, or the PEM text of certificate and key.
    pub secret: Option<SecretText>,
    /// `public` when absent.
    pub cloud: Option<String>,
    /// The tenant's id or domain; goes with `client_id`.
    pub tenant: Option<String>,
    /// The application's id; goes with `tenant`.
    pub client_id: Option<String>,
    pub managed_identity: Option<Managed>,
    /// Where the platform keeps the token of a workload identity.
    pub token_file: Option<String>,
    /// The user's name beside a token, where Azure DevOps Server logs it.
    pub user: Option<String>,
    /// When the service stops taking the secret (RFC 3339).
    pub expires: Option<String>,
}

/// A managed identity of the machine.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "assigned", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Managed {
    System,
    User { client_id: String },
}

impl IdentityBody {
    pub(crate) fn expiry(&self) -> Result<Option<Timestamp>, Problem> {
        time(self.expires.as_deref())
    }
}

pub(super) fn time(text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|_| Problem::field("/expires", "not a time, for example 2027-01-31T00:00:00Z"))
}

/// A credential, without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct CredentialView {
    name: String,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cloud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// `system`, or the client id of a user-assigned identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    managed_identity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// The host that it was entered for, where that is not the service's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// `expired` or `expiring`, in the last 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<&'static str>,
    created: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tested: Option<String>,
    /// Why the last test failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_error: Option<String>,
    /// `connector NAME`, `repository NAME`; in the view of one credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<Vec<String>>,
}

impl CredentialView {
    pub(super) fn of(row: CredentialRow, users: Option<Vec<String>>, now: Timestamp) -> Self {
        use model::SignIn as S;
        let app = row.sign_in.as_ref().and_then(S::app).cloned();
        let (account, machine, cloud) = match &row.sign_in {
            Some(S::User { account, .. }) => (Some(account.clone()), None, None),
            Some(S::ManagedIdentity { identity, cloud }) => {
                (None, Some(identity), Some(cloud.clone()))
            }
            Some(S::FederatedIdentity { identity, .. }) => (None, Some(identity), None),
            _ => (None, None, None),
        };
        let machine = machine.map(|identity| match identity {
            ManagedIdentity::System => "system".to_owned(),
            ManagedIdentity::User { client_id } => client_id.clone(),
        });
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            account,
            cloud: cloud.or_else(|| app.as_ref().map(|app| app.cloud.clone())),
            tenant: app.as_ref().map(|app| app.tenant.clone()),
            client_id: app.map(|app| app.client_id),
            managed_identity: machine,
            expiry: row.expires.and_then(|end| match end {
                end if end <= now => Some("expired"),
                end if end.duration_since(now) < SOON => Some("expiring"),
                _ => None,
            }),
            name: row.name,
            method: row.method,
            expires: text(row.expires),
            url: row.url,
            created: row.created.to_string(),
            updated: row.updated.to_string(),
            used: text(row.used),
            tested: text(row.tested),
            test_error: row.test_error,
            users,
        }
    }
}

/// A credential to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddCredential {
    pub name: String,
    pub identity: IdentityBody,
    /// The host that it is for where that is not the service's own: Azure DevOps Server. It is sent to no other.
    pub url: Option<String>,
}

/// A new secret for the same way to sign in, or another way. Give either `secret` or `identity`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateCredential {
    pub secret: Option<SecretText>,
    pub expires: Option<String>,
    pub identity: Option<IdentityBody>,
}

/// Where to test it, when no connector uses it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TestCredential {
    #[serde(default = "usual_service")]
    pub service: String,
    pub organization: Option<String>,
}

fn usual_service() -> String {
    "azure-devops".to_owned()
}

/// How a test of a credential ended.
#[derive(Serialize, ToSchema)]
pub(super) struct TestedCredential {
    pub ok: bool,
    connectors: Vec<String>,
    checks: Vec<CheckView>,
}

impl TestedCredential {
    pub(super) fn of(tested: Tested) -> Self {
        let bad = |check: &Check| check.blocks || check.outcome == CheckOutcome::Unknown;
        Self {
            ok: !tested.checks.iter().any(bad),
            connectors: tested.connectors,
            checks: views(tested.checks),
        }
    }
}
