//! `keepward connector add` and `discover`.

use clap::Args;
use serde_json::{Value, json};

use super::{Identity, Sync, checks, sign_in};
use crate::client::{Api, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Its organizations are tenants.
const TENANTS: &str = "microsoft-365";

#[derive(Args)]
pub(crate) struct Add {
    /// The service
    #[arg(value_parser = crate::services::names())]
    service: String,
    /// The organization: the part after dev.azure.com/, or the whole address; or that of a repository or wiki. Of Microsoft 365, a domain of
    /// the tenant or its id
    organization: String,
    #[command(flatten)]
    identity: Identity,
    /// A credential of the vault
    #[arg(long, value_name = "NAME", group = "way")]
    credential: Option<String>,
    #[command(flatten)]
    person: sign_in::Person,
    /// Another host than the service's own, for Azure DevOps Server or a simulator
    #[arg(long)]
    url: Option<String>,
    /// What to call it [default: the organization]
    #[arg(long)]
    name: Option<String>,
    /// Keep the new secret in the vault under this name, for other connectors to use
    #[arg(long, value_name = "NAME")]
    credential_name: Option<String>,
    /// A credential of the vault that writes for restores
    #[arg(long, value_name = "CREDENTIAL")]
    restore_credential: Option<String>,
    /// The app profile of the organization's tenant
    #[arg(long, value_name = "NAME")]
    app_profile: Option<String>,
    /// Run backups on this worker
    #[arg(long)]
    worker: Option<String>,
    #[command(flatten)]
    sync: Sync,
    /// Take the place of a connector of this name (a new token)
    #[arg(long)]
    replace: bool,
}

impl Add {
    /// What the interface is told beside the identity.
    pub(super) fn settings(&self) -> serde_json::Map<String, Value> {
        let mut body = serde_json::Map::new();
        for (key, value) in [
            ("name", &self.name),
            ("url", &self.url),
            ("restore_credential", &self.restore_credential),
            ("worker", &self.worker),
        ] {
            if let Some(value) = value {
                body.insert(key.to_owned(), json!(value));
            }
        }
        if let Some(sync) = self.sync.body(None) {
            body.insert("sync".to_owned(), sync);
        }
        body
    }
}

pub(super) async fn run(add: Add, global: &Global, output: &Output) -> Result<Exit, Failure> {
    if add.person.chosen() {
        return sign_in::add(&add, global, output).await;
    }
    let mut body = add.settings();
    body.insert("service".to_owned(), json!(add.service));
    body.insert("organization".to_owned(), json!(add.organization));
    for (key, value) in [
        ("credential", &add.credential),
        ("credential_name", &add.credential_name),
        ("app_profile", &add.app_profile),
    ] {
        if let Some(value) = value {
            body.insert(key.to_owned(), json!(value));
        }
    }
    match (add.identity.body()?, &add.credential) {
        (Some(mut identity), _) => {
            // The organization is the tenant, and an app signs in to one.
            let needs_tenant = identity["tenant"].is_null() && !identity["client_id"].is_null();
            if add.service == TENANTS && needs_tenant {
                identity["tenant"] = json!(add.organization);
            }
            body.insert("identity".to_owned(), identity);
        }
        (None, Some(_)) => {}
        (None, None) => {
            return Err(Failure::usage(
                "the way to sign in is missing",
                "for example --pat-file FILE, --credential NAME, --device-code or --managed-identity",
            ));
        }
    }
    if add.replace {
        body.insert("replace".to_owned(), json!(true));
    }
    let api = Api::open(global).await?;
    let added = match api.post("/connectors", Some(&body)).await {
        Ok(added) => added,
        Err(failure) => {
            checks::print_checks(&failure.checks, output);
            return Err(as_usage(failure));
        }
    };
    checks::print_checks(&added["checks"], output);
    tell(&added, output);
    Ok(Exit::Done)
}

/// A name that cannot be one is a mistake on the command line.
pub(super) fn as_usage(mut failure: Failure) -> Failure {
    if matches!(
        failure.code.as_deref(),
        Some("organization-name" | "organization-needed" | "connector-name" | "request-refused")
    ) {
        failure.exit = Exit::Usage;
    }
    failure
}

pub(super) fn tell(added: &Value, output: &Output) {
    let (name, organization) = (text(added, "name"), text(added, "organization"));
    output.event(&json!({"event": "connector", "name": name, "organization": organization}));
    let missing: Vec<&str> = added["missing"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !missing.is_empty() {
        output.line(format!("\nnot backed up: {}", missing.join(", ")));
    }
    output.line(format!("\nconnected: {name} ({organization})"));
    for step in added["next"].as_array().into_iter().flatten() {
        output.line(format!("next: {}", text(step, "command")));
    }
}

impl Add {
    pub(super) fn person(&self) -> &sign_in::Person {
        &self.person
    }

    pub(super) fn organization(&self) -> &str {
        &self.organization
    }

    /// The app and the service, for a sign-in by a person.
    pub(super) fn sign_in(&self) -> Value {
        json!({
            "service": self.service, "client_id": self.identity.client_id, "tenant": self.identity.tenant,
            "cloud": self.identity.cloud, "app_profile": self.app_profile,
        })
    }
}

#[derive(Args)]
pub(crate) struct Discover {
    #[command(flatten)]
    identity: Identity,
    /// A credential of the vault
    #[arg(long, value_name = "NAME", group = "way")]
    credential: Option<String>,
    /// The service: azure-devops or microsoft-365
    #[arg(long, default_value = "azure-devops")]
    service: String,
}

pub(super) async fn discover(
    of: Discover,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut body = json!({ "service": of.service });
    match (of.identity.body()?, of.credential) {
        (Some(identity), _) => body["identity"] = identity,
        (None, Some(name)) => body["credential"] = json!(name),
        (None, None) => {
            return Err(Failure::usage(
                "the way to sign in is missing",
                "for example --credential NAME",
            ));
        }
    }
    let api = Api::open(global).await?;
    let found = api.post("/connectors/discover", Some(&body)).await?;
    if let Some(account) = found["account"].as_str() {
        output.line(format!("signed in as {account}\n"));
    }
    let all = found["organizations"].as_array().cloned();
    let head = ["organization", "tenant", "owner"];
    output.rows(&head, &all.unwrap_or_default(), |one| {
        let owner = if one["owner"].as_bool() == Some(true) {
            "yes"
        } else {
            ""
        };
        let of = |key: &str| text(one, key).to_owned();
        vec![of("organization"), of("tenant"), owner.to_owned()]
    });
    checks::print_checks(&found["checks"], output);
    checks::refuse_failed(&found["checks"])?;
    Ok(Exit::Done)
}
