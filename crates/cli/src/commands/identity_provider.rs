//! `keepward identity-provider`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use super::user::Role;
use crate::app::read_secret;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// The identity providers at which people can sign in
    #[command(after_help = "Example:\n  keepward identity-provider list --json")]
    List,
    /// Add an identity provider, or replace the settings of one
    #[command(
        after_help = "Examples:\n  keepward identity-provider set entra --title \"Contoso account\" \\\n      \
        --issuer https://login.microsoftonline.com/TENANT/v2.0 --client-id ID \\\n      \
        --client-secret-file secret.txt --role admins=admin \\\n      \
        --role 5c1d0000-0000-0000-0000-00000000b0b0=operator\n  \
        keepward identity-provider set partners --title Partners \\\n      \
        --issuer https://login.microsoftonline.com/organizations/v2.0 \\\n      \
        --tenant TENANT-A --tenant TENANT-B --client-id ID \\\n      \
        --groups-claim roles --role Backup.Operator=operator\n\n\
        It prints the address that has to be registered there as the redirect URI. Roles and connectors are looked up at each sign-in. \
        It says all that the provider is from now on, whatever somebody else changed about it before."
    )]
    Set(Box<Set>),
    /// Remove an identity provider and its client secret; accounts that signed in there stay
    #[command(after_help = "Example:\n  keepward identity-provider remove entra")]
    Remove {
        /// The provider's name here
        name: String,
    },
}

#[derive(Args)]
pub(crate) struct Set {
    /// The provider's name here; it is part of the redirect URI
    name: String,
    /// On the button of the sign-in page
    #[arg(long)]
    title: String,
    /// What `iss` of its tokens is
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The application (client) id that is registered there
    #[arg(long, value_name = "ID")]
    client_id: String,
    /// Holds the application's secret in its first line; without it the one of before stays
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// What a group (its id, or the app role) gives; may be given several times
    #[arg(long = "role", value_name = "GROUP=ROLE", value_parser = given)]
    roles: Vec<(String, Role)>,
    /// A connector that a group reaches, or * for all; with any, who is in none of these groups reaches nothing
    #[arg(long, value_name = "GROUP=CONNECTOR", value_parser = reached)]
    reach: Vec<(String, String)>,
    /// What somebody is who is in none of the groups; nobody without one
    #[arg(long = "default-role", value_name = "ROLE")]
    default_roles: Vec<Role>,
    /// Only people of this tenant, by its id; may be given several times
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
    /// Only people with a verified address of this domain; may be given several times
    #[arg(long = "domain")]
    domains: Vec<String>,
    /// The claim that lists groups or app roles [default: groups]
    #[arg(long, value_name = "CLAIM")]
    groups_claim: Option<String>,
    /// Beyond openid; may be given several times, and once as '' for none [default: profile, email]
    #[arg(long = "scope")]
    scopes: Vec<String>,
}

fn given(text: &str) -> Result<(String, Role), String> {
    let (group, role) = text.rsplit_once('=').ok_or("not GROUP=ROLE")?;
    let role = <Role as clap::ValueEnum>::from_str(role, true)?;
    Ok((group.to_owned(), role))
}

fn reached(text: &str) -> Result<(String, String), String> {
    let (group, connector) = text.rsplit_once('=').ok_or("not GROUP=CONNECTOR")?;
    Ok((group.to_owned(), connector.to_owned()))
}

impl Set {
    fn body(&self) -> Value {
        let mut roles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (group, role) in &self.roles {
            roles.entry(group).or_default().push(role.word());
        }
        let mut reach: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (group, connector) in &self.reach {
            reach.entry(group).or_default().push(connector);
        }
        let defaults: Vec<String> = self.default_roles.iter().map(|role| role.word()).collect();
        let mut body = json!({
            "title": self.title, "issuer": self.issuer, "client_id": self.client_id, "roles": roles,
            "connectors": reach, "default_roles": defaults, "tenants": self.tenants, "domains": self.domains,
        });
        if let Some(claim) = &self.groups_claim {
            body["groups_claim"] = json!(claim);
        }
        if !self.scopes.is_empty() {
            let named = self.scopes.iter().filter(|scope| !scope.is_empty());
            body["scopes"] = json!(named.collect::<Vec<_>>());
        }
        body
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List => {
            let rows = api.list("/identity-providers").await?;
            let keys = ["name", "title", "issuer", "redirect_uri"];
            output.rows(&keys, &rows, |row| {
                keys.map(|key| row[key].as_str().unwrap_or("").to_owned())
                    .to_vec()
            });
        }
        Command::Set(set) => {
            let path = format!("/identity-providers/{}", segment(&set.name));
            let secret = set.client_secret_file.as_deref().map(read_secret);
            let secret = secret.transpose()?;
            let put = api.put(&path, Some(&set.body())).await?;
            if let Some(secret) = secret {
                let body = json!({ "client_secret": secret.expose() });
                api.put(&format!("{path}/client-secret"), Some(&body))
                    .await?;
            }
            output.result(&put);
            output.line(match put["redirect_uri"].as_str() {
                Some(uri) => format!("register this redirect URI there: {uri}"),
                None => "the server does not know its public address yet: [server] public_url"
                    .to_owned(),
            });
        }
        Command::Remove { name } => {
            let path = format!("/identity-providers/{}", segment(&name));
            api.delete(&path).await?;
            output.result(&json!({ "removed": name }));
            output.line(format!("{name} is removed"));
        }
    }
    Ok(Exit::Done)
}
