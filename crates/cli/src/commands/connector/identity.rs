//! The options that say how to sign in.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::app::read_secret;
use crate::failure::Failure;

/// How to sign in without a person.
#[derive(Args)]
pub(crate) struct Identity {
    /// A file whose first line is a personal access token of this organization
    #[arg(long, value_name = "FILE", group = "way")]
    pub pat_file: Option<PathBuf>,
    /// A file whose first line is the client secret of an app
    #[arg(long, value_name = "FILE", group = "way", requires = "client_id")]
    pub client_secret_file: Option<PathBuf>,
    /// A PEM file with certificate and private key of an app
    #[arg(long, value_name = "FILE", group = "way", requires = "client_id")]
    pub certificate: Option<PathBuf>,
    /// The machine's managed identity, or the user-assigned one of this client id
    #[arg(long, value_name = "CLIENT_ID", group = "way", num_args = 0..=1, default_missing_value = "system")]
    pub managed_identity: Option<String>,
    /// The same, which an app of this or another tenant trusts (federated credential)
    #[arg(long, value_name = "CLIENT_ID", group = "way", num_args = 0..=1, default_missing_value = "system", requires = "client_id")]
    pub federated: Option<String>,
    /// A file in which the platform keeps a token that an app trusts
    #[arg(long, value_name = "FILE", group = "way", requires = "client_id")]
    pub workload_identity: Option<PathBuf>,
    /// The application (client) id of the app
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// The tenant's id or domain
    #[arg(long)]
    pub tenant: Option<String>,
    /// public, us-government, us-defense, china, or one of the configuration [default: public]
    #[arg(long)]
    pub cloud: Option<String>,
    /// When the secret expires, for example 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// A user name to send beside the token; Azure DevOps Server may log it
    #[arg(long, value_name = "NAME", requires = "pat_file")]
    pub user: Option<String>,
}

impl Identity {
    /// As the interface takes it; `None` when no way was chosen.
    pub(crate) fn body(&self) -> Result<Option<Value>, Failure> {
        let mut body = json!({});
        let first_line =
            |path: &PathBuf| -> Result<Value, Failure> { Ok(json!(read_secret(path)?.expose())) };
        if let Some(path) = &self.pat_file {
            body = json!({ "method": "pat", "secret": first_line(path)? });
        } else if let Some(path) = &self.client_secret_file {
            body = json!({ "method": "client-secret", "secret": first_line(path)? });
        } else if let Some(path) = &self.certificate {
            let pem = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            body = json!({ "method": "certificate", "secret": pem });
        } else if let Some(path) = &self.workload_identity {
            body = json!({ "method": "workload-identity", "token_file": path });
        } else if let Some(client_id) = &self.managed_identity {
            body = json!({ "method": "managed-identity", "managed_identity": managed(client_id) });
        } else if let Some(client_id) = &self.federated {
            body =
                json!({ "method": "federated-identity", "managed_identity": managed(client_id) });
        }
        if body["method"].is_null() {
            return Ok(None);
        }
        for (key, value) in [
            ("client_id", &self.client_id),
            ("tenant", &self.tenant),
            ("cloud", &self.cloud),
            ("expires", &self.expires),
            ("user", &self.user),
        ] {
            if let Some(value) = value {
                body[key] = json!(value);
            }
        }
        Ok(Some(body))
    }
}

fn managed(client_id: &str) -> Value {
    match client_id {
        "system" => json!({ "assigned": "system" }),
        client_id => json!({ "assigned": "user", "client_id": client_id }),
    }
}
