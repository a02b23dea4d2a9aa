//! `keepward app-profile`: through which app registration a tenant is connected.

use std::fmt::Write as _;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Global;
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a profile for a tenant: with the app of this installation, or with your own
    #[command(
        after_help = "Example:\n  keepward app-profile add contoso --tenant contoso.com --client-id ID"
    )]
    Add(Add),
    /// The app profiles
    #[command(after_help = "Example:\n  keepward app-profile list")]
    List,
    /// What apps and tokens must be allowed: API, permission, type, why, and which data it serves
    #[command(after_help = "Examples:\n  keepward app-profile permissions\n  \
        keepward app-profile permissions --format markdown > permissions.md")]
    Permissions(Permissions),
    /// The link by which an administrator consents for a whole tenant
    #[command(
        after_help = "Example:\n  keepward app-profile consent contoso",
        name = "consent"
    )]
    Consent(Name),
    /// Remove a profile that no credential signs in through
    #[command(after_help = "Example:\n  keepward app-profile remove contoso")]
    Remove(Name),
}

#[derive(Args)]
pub(crate) struct Add {
    /// What to call it
    name: String,
    /// The tenant's id or domain
    #[arg(long)]
    tenant: String,
    /// The application (client) id of your own app [default: the app of this installation]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// A client secret or certificate of the app in the vault, where it is registered as a web app
    #[arg(long, value_name = "NAME", requires = "client_id")]
    credential: Option<String>,
    /// public, us-government, us-defense, china, or one of the configuration
    #[arg(long, default_value = "public")]
    cloud: String,
    /// The service
    #[arg(long, default_value = "azure-devops")]
    service: String,
}

#[derive(Args)]
pub(crate) struct Name {
    /// The profile's name
    name: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Json,
}

#[derive(Args)]
pub(crate) struct Permissions {
    /// The service
    #[arg(long, default_value = "azure-devops")]
    service: String,
    /// How to write it
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::Add(add) => {
            let body = json!({
                "name": add.name, "service": add.service, "cloud": add.cloud, "tenant": add.tenant,
                "client_id": add.client_id, "credential": add.credential,
            });
            let added = api.post("/app-profiles", Some(&body)).await?;
            output.event(&added);
            let (name, tenant) = (text(&added, "name"), text(&added, "tenant"));
            output.line(format!(
                "added {name} for tenant {tenant}\nnext: keepward app-profile consent {name}"
            ));
        }
        Command::List => {
            let all = api.list("/app-profiles").await?;
            let head = ["name", "service", "tenant", "app", "consented"];
            output.rows(&head, &all, |one| {
                let of = |key: &str| text(one, key).to_owned();
                vec![
                    of("name"),
                    of("service"),
                    of("tenant"),
                    of("client_id"),
                    of("consented"),
                ]
            });
        }
        Command::Permissions(of) => permissions(&api, &of, output).await?,
        Command::Consent(name) => {
            let path = format!("/app-profiles/{}/consent-link", segment(&name.name));
            let link = api.post(&path, None::<&()>).await?;
            output.event(&link);
            output.line(text(&link, "url"));
        }
        Command::Remove(name) => {
            let path = format!("/app-profiles/{}", segment(&name.name));
            api.delete(&path).await?;
            output.event(&json!({"event": "app-profile-removed", "name": name.name}));
            output.line(format!("removed {}", name.name));
        }
    }
    Ok(Exit::Done)
}

async fn permissions(api: &Api, of: &Permissions, output: &Output) -> Result<(), Failure> {
    let all = api
        .list(&format!(
            "/app-permissions?service={}",
            segment(&of.service)
        ))
        .await?;
    let head = ["api", "permission", "type", "purpose", "why", "serves"];
    let cells = |one: &Value| -> Vec<String> {
        let serves = one["serves"].as_array().into_iter().flatten();
        let serves: Vec<&str> = serves.filter_map(Value::as_str).collect();
        let mut cells: Vec<String> = head[..5]
            .iter()
            .map(|key| text(one, key).to_owned())
            .collect();
        cells.push(serves.join(", "));
        cells
    };
    match of.format {
        Format::Table => output.rows(&head, &all, cells),
        Format::Json => Output::new(true).event(&all),
        Format::Markdown => {
            let mut page = format!("| {} |\n|{}", head.join(" | "), " --- |".repeat(head.len()));
            for one in &all {
                let cells: Vec<String> = cells(one)
                    .iter()
                    .map(|cell| cell.replace('|', "\\|"))
                    .collect();
                // Writing to a text cannot fail.
                if write!(page, "\n| {} |", cells.join(" | ")).is_err() {
                    break;
                }
            }
            output.line(page);
        }
    }
    Ok(())
}
