//! `keepward credential`: the secrets of connectors, added once and reused.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use super::connector::{Identity, print_checks};
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Keep a credential for connectors to come
    #[command(
        after_help = "Examples:\n  keepward credential add nightly --pat-file pat.txt --expires 2027-01-31T00:00:00Z\n  \
        keepward credential add app --certificate app.pem --client-id ID --tenant contoso.com\n  \
        keepward credential add server --pat-file pat.txt --url https://devops.contoso.com"
    )]
    Add {
        #[command(flatten)]
        add: Box<WithSecret>,
        /// The host that it is for where that is not the service's own: Azure DevOps Server
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// The credentials, without their secrets
    #[command(after_help = "Example:\n  keepward credential list --json")]
    List,
    /// One credential, and who uses it
    #[command(after_help = "Example:\n  keepward credential show nightly")]
    Show(Name),
    /// Give a credential a new secret; it is tested before it replaces the old one
    #[command(after_help = "Example:\n  keepward credential rotate nightly --pat-file new.txt")]
    Rotate(Box<WithSecret>),
    /// Test a credential by the connectors that use it, or on an organization
    #[command(
        after_help = "Examples:\n  keepward credential test nightly\n  keepward credential test nightly --organization contoso"
    )]
    Test(Test),
    /// Remove a credential that nothing uses
    #[command(after_help = "Example:\n  keepward credential remove nightly")]
    Remove(Name),
}

#[derive(Args)]
pub(crate) struct WithSecret {
    /// The credential's name
    name: String,
    #[command(flatten)]
    identity: Identity,
}

#[derive(Args)]
pub(crate) struct Name {
    /// The credential's name
    name: String,
}

#[derive(Args)]
pub(crate) struct Test {
    /// The credential's name
    name: String,
    /// Try it on this organization
    #[arg(long)]
    organization: Option<String>,
    /// The service of the organization or tenant: azure-devops or microsoft-365
    #[arg(long, default_value = "azure-devops")]
    service: String,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let path = |name: &str| format!("/credentials/{}", segment(name));
    match command {
        Command::Add { add, url } => {
            let body = json!({ "name": add.name, "identity": identity(&add)?, "url": url });
            let added = api.post("/credentials", Some(&body)).await?;
            output.event(&added);
            output.line(format!("kept {}", text(&added, "name")));
        }
        Command::List => list(&api, output).await?,
        Command::Show(name) => show(&api.get(&path(&name.name)).await?, output),
        Command::Rotate(add) => {
            let body = json!({ "identity": identity(&add)? });
            let path = format!("{}/rotate", path(&add.name));
            let tested = api.post(&path, Some(&body)).await?;
            print_checks(&tested["checks"], output);
            output.event(&json!({"event": "credential-rotated", "name": add.name}));
            output.line(format!("{} has a new secret", add.name));
        }
        Command::Test(test) => {
            let body = json!({ "service": test.service, "organization": test.organization });
            let path = format!("{}/test", path(&test.name));
            let tested = api.post(&path, Some(&body)).await?;
            print_checks(&tested["checks"], output);
            output.event(&json!({"event": "result", "ok": tested["ok"]}));
            if tested["ok"].as_bool() != Some(true) {
                return Ok(Exit::SignInAgain);
            }
        }
        Command::Remove(name) => {
            api.delete(&path(&name.name)).await?;
            output.event(&json!({"event": "credential-removed", "name": name.name}));
            output.line(format!("removed {}", name.name));
        }
    }
    Ok(Exit::Done)
}

fn identity(add: &WithSecret) -> Result<Value, Failure> {
    add.identity.body()?.ok_or_else(|| {
        Failure::usage(
            "the way to sign in is missing",
            "for example --pat-file FILE or --certificate FILE",
        )
    })
}

async fn list(api: &Api, output: &Output) -> Result<(), Failure> {
    let all = api.list("/credentials?storage=true").await?;
    let head = ["name", "method", "account or app", "expires", "tested"];
    output.rows(&head, &all, |one| {
        let of = |key: &str| text(one, key).to_owned();
        let who = match text(one, "account") {
            "" => of("client_id"),
            account => account.to_owned(),
        };
        let tested = match text(one, "test_error") {
            "" => moment(&of("tested")),
            _ => "failed".to_owned(),
        };
        vec![of("name"), of("method"), who, of("expires"), tested]
    });
    Ok(())
}

fn show(one: &Value, output: &Output) {
    output.event(one);
    for key in [
        "name",
        "method",
        "account",
        "cloud",
        "tenant",
        "client_id",
        "managed_identity",
        "url",
        "expires",
        "expiry",
        "created",
        "updated",
        "used",
        "tested",
        "test_error",
    ] {
        let value = text(one, key);
        if !value.is_empty() {
            output.line(format!("{key:16} {value}"));
        }
    }
    let users = one["users"].as_array().into_iter().flatten();
    for user in users.filter_map(Value::as_str) {
        output.line(format!("{:16} {user}", "used by"));
    }
}
