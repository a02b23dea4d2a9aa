//! `keepward connector`.

mod add;
mod checks;
mod identity;
mod methods;
mod sign_in;
mod tenant;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) use checks::print_checks;
pub(crate) use identity::Identity;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Connect to an organization: checks first, saves then
    #[command(
        after_help = "Examples:\n  keepward connector add azure-devops contoso --pat-file pat.txt\n  \
        keepward connector add azure-devops https://dev.azure.com/contoso --pat-file pat.txt --name prod\n  \
        keepward connector add azure-devops DefaultCollection --url https://tfs.example.com/tfs \\\n      --pat-file pat.txt\n  \
        keepward connector add azure-devops contoso --credential nightly\n  \
        keepward connector add azure-devops contoso --device-code --client-id ID\n  \
        keepward connector add azure-devops contoso --certificate app.pem --client-id ID \\\n      --tenant contoso.com\n  \
        keepward connector add azure-devops contoso --managed-identity\n  \
        keepward connector add microsoft-365 contoso.onmicrosoft.com --device-code --client-id ID"
    )]
    Add(Box<add::Add>),
    /// Check organization, credential and permissions; names what data a missing permission costs
    #[command(
        after_help = "Examples:\n  keepward connector test contoso\n  keepward connector test contoso --repositories\n  \
        keepward connector test contoso --commits Fiber/api\n\n\
        Exit code 0 when everything can be read, 3 when a permission is missing, 4 when the credential is refused."
    )]
    Test(Test),
    /// The connectors
    #[command(after_help = "Example:\n  keepward connector list --json")]
    List,
    /// One connector with all its settings
    #[command(after_help = "Example:\n  keepward connector show contoso")]
    Show(Name),
    /// Change a connector; what is not named stays
    #[command(
        after_help = "Examples:\n  keepward connector edit contoso --credential new-app\n  \
        keepward connector edit contoso --name contoso-production\n  \
        keepward connector edit contoso --sync-hours 2,14 --time-zone Europe/Berlin"
    )]
    Edit(Edit),
    /// Sign in again, or with a different account; the new token takes the place of the old one
    #[command(
        after_help = "Example:\n  keepward connector sign-in contoso --device-code",
        name = "sign-in"
    )]
    SignIn(sign_in::Again),
    /// The ways to connect to a service: what each is good for, how long it lasts, what to know before
    #[command(after_help = "Example:\n  keepward connector methods azure-devops")]
    Methods(methods::Methods),
    /// The organizations that an identity reaches; saves nothing
    #[command(
        after_help = "Examples:\n  keepward connector discover --credential ada\n  \
        keepward connector discover --pat-file pat.txt"
    )]
    Discover(Box<add::Discover>),
    /// The users of a tenant, and which of them are protected
    #[command(
        after_help = "Examples:\n  keepward connector users contoso-365\n  keepward connector users contoso-365 --search ada"
    )]
    Users(tenant::List),
    /// The groups of a tenant
    #[command(after_help = "Example:\n  keepward connector groups contoso-365")]
    Groups(tenant::List),
    /// The sites of a tenant
    #[command(after_help = "Example:\n  keepward connector sites contoso-365")]
    Sites(tenant::List),
    /// Which users of a tenant are protected
    #[command(subcommand)]
    License(tenant::License),
    /// Look at once for what is new at the service
    #[command(after_help = "Example:\n  keepward connector sync contoso-365")]
    Sync(Name),
    /// Remove connectors; their snapshots stay
    #[command(after_help = "Example:\n  keepward connector remove contoso fabrikam")]
    Remove(Names),
}

#[derive(Args)]
pub(crate) struct Name {
    /// The connector's name
    name: String,
}

#[derive(Args)]
pub(crate) struct Names {
    /// The connectors' names
    #[arg(required = true)]
    names: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Test {
    /// The connector's name
    name: String,
    /// List the repositories that it reaches
    #[arg(long)]
    repositories: bool,
    /// List the newest commits of a repository: NAME or PROJECT/NAME
    #[arg(long, value_name = "REPOSITORY")]
    commits: Option<String>,
}

#[derive(Args)]
pub(crate) struct Edit {
    /// The connector's name
    name: String,
    /// Another name; policies, runs and people follow
    #[arg(long = "name", id = "new_name", value_name = "NEW")]
    new_name: Option<String>,
    /// Another organization
    #[arg(long)]
    organization: Option<String>,
    /// Another host than the service's own; empty for the service's own
    #[arg(long)]
    url: Option<String>,
    /// Sign in with this credential of the vault
    #[arg(long)]
    credential: Option<String>,
    /// Write with this credential of the vault in restores; empty for none
    #[arg(long, value_name = "CREDENTIAL")]
    restore_credential: Option<String>,
    /// Run backups on this worker; empty for any
    #[arg(long)]
    worker: Option<String>,
    #[command(flatten)]
    sync: Sync,
}

/// How new repositories, projects and users get into the backup.
#[derive(Args)]
pub(crate) struct Sync {
    /// Protect new repositories, projects and users without being asked
    #[arg(long, value_name = "BOOL")]
    sync_new: Option<bool>,
    /// Look for new ones at these hours of the day, for example 2,14
    #[arg(long, value_delimiter = ',', value_name = "HOURS")]
    sync_hours: Option<Vec<u8>>,
    /// The time zone of the hours [default: UTC]
    #[arg(long, requires = "sync_hours", value_name = "ZONE")]
    time_zone: Option<String>,
    /// Look for new ones every so many minutes
    #[arg(long, conflicts_with = "sync_hours", value_name = "MINUTES")]
    sync_interval: Option<u32>,
}

impl Sync {
    /// As the interface takes it, over what is set already; `None` when nothing was said.
    fn body(&self, before: Option<&Value>) -> Option<Value> {
        if self.sync_new.is_none() && self.sync_hours.is_none() && self.sync_interval.is_none() {
            return None;
        }
        let mut body = before.cloned().unwrap_or_else(|| json!({"add_new": true}));
        if let Some(new) = self.sync_new {
            body["add_new"] = json!(new);
        }
        if let Some(hours) = &self.sync_hours {
            let zone = self.time_zone.as_deref().unwrap_or("UTC");
            body = json!({"add_new": body["add_new"], "hours": hours, "time_zone": zone});
        }
        if let Some(minutes) = self.sync_interval {
            body = json!({"add_new": body["add_new"], "interval_minutes": minutes});
        }
        Some(body)
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Add(add) => add::run(*add, global, output).await,
        Command::Discover(discover) => add::discover(*discover, global, output).await,
        Command::SignIn(again) => sign_in::again(again, global, output).await,
        command => simple(command, &Api::open(global).await?, output).await,
    }
}

async fn simple(command: Command, api: &Api, output: &Output) -> Result<Exit, Failure> {
    match command {
        Command::Test(of) => test(api, &of, output).await,
        Command::List => list(api, output).await,
        Command::Show(name) => {
            let path = format!("/connectors/{}", segment(&name.name));
            show(&api.get(&path).await?, output);
            Ok(Exit::Done)
        }
        Command::Edit(edit) => change(api, edit, output).await,
        Command::Users(of) => tenant::list(api, "users", &of, output).await,
        Command::Groups(of) => tenant::list(api, "groups", &of, output).await,
        Command::Sites(of) => tenant::list(api, "sites", &of, output).await,
        Command::License(what) => tenant::license(api, what, output).await,
        Command::Methods(of) => methods::list(api, &of, output).await,
        Command::Sync(name) => tenant::sync(api, &name.name, output).await,
        Command::Remove(names) => remove(api, names.names, output).await,
        Command::Add(_) | Command::Discover(_) | Command::SignIn(_) => Ok(Exit::Usage),
    }
}

async fn list(api: &Api, output: &Output) -> Result<Exit, Failure> {
    let connectors = api.list("/connectors").await?;
    let head = ["name", "service", "organization", "address", "status"];
    output.rows(&head, &connectors, |connector| {
        let address = match text(connector, "url") {
            "" if text(connector, "service") == "azure-devops" => "dev.azure.com",
            other => other,
        };
        let of = |key: &str| text(connector, key).to_owned();
        vec![
            of("name"),
            of("service"),
            of("organization"),
            address.to_owned(),
            text(&connector["status"], "title").to_owned(),
        ]
    });
    Ok(Exit::Done)
}

fn show(connector: &Value, output: &Output) {
    output.event(connector);
    let status = &connector["status"];
    let mut lines = vec![
        ("name", text(connector, "name").to_owned()),
        ("service", text(connector, "service").to_owned()),
        ("organization", text(connector, "organization").to_owned()),
        ("address", text(connector, "url").to_owned()),
        ("sign-in", text(connector, "method").to_owned()),
        ("credential", text(connector, "credential").to_owned()),
        (
            "restores with",
            text(connector, "restore_credential").to_owned(),
        ),
        ("tenant", text(connector, "tenant").to_owned()),
        ("worker", text(connector, "worker").to_owned()),
        ("sync", sync_words(&connector["sync"])),
        ("status", text(status, "title").to_owned()),
        ("why", text(status, "why").to_owned()),
        ("since", text(status, "since").to_owned()),
    ];
    lines.retain(|(_, value)| !value.is_empty());
    for (name, value) in lines {
        output.line(format!("{name:14} {value}"));
    }
}

fn sync_words(sync: &Value) -> String {
    let new = if sync["add_new"].as_bool() == Some(true) {
        "new ones are added"
    } else {
        "new ones are not added"
    };
    match (sync["hours"].as_array(), sync["interval_minutes"].as_u64()) {
        (Some(hours), _) => {
            let hours: Vec<String> = hours.iter().map(|hour| format!("{hour}:00")).collect();
            format!("{new}; at {} {}", hours.join(", "), text(sync, "time_zone"))
        }
        (None, Some(minutes)) => format!("{new}; every {minutes} minutes"),
        (None, None) => new.to_owned(),
    }
}

async fn test(api: &Api, of: &Test, output: &Output) -> Result<Exit, Failure> {
    let base = format!("/connectors/{}", segment(&of.name));
    if of.repositories {
        let all = api.list(&format!("{base}/repositories")).await?;
        output.rows(&["project", "repository", "id"], &all, |one| {
            let of = |key: &str| text(one, key).to_owned();
            vec![of("project"), of("name"), of("id")]
        });
        return Ok(Exit::Done);
    }
    if let Some(repository) = &of.commits {
        let path = format!("{base}/commits?repository={}", segment(repository));
        let all = api.list(&path).await?;
        output.rows(&["commit", "date", "author", "message"], &all, |one| {
            let of = |key: &str| text(one, key).to_owned();
            let short = of("id").chars().take(10).collect();
            vec![short, of("date"), of("author"), of("message")]
        });
        return Ok(Exit::Done);
    }
    let tested = api.post(&format!("{base}/test"), None::<&()>).await?;
    print_checks(&tested["checks"], output);
    checks::refuse_failed(&tested["checks"])?;
    let missing = tested["missing"].as_u64().unwrap_or(0);
    output.event(&json!({"event": "result", "ok": missing == 0, "missing": missing}));
    Ok(if missing == 0 {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}

async fn change(api: &Api, edit: Edit, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/connectors/{}", segment(&edit.name));
    let before = api.get(&path).await?;
    let mut body = serde_json::Map::new();
    let mut set = |key: &str, value: Option<String>, clears: bool| {
        if let Some(value) = value {
            let value = match value.as_str() {
                "" if clears => Value::Null,
                _ => Value::String(value),
            };
            body.insert(key.to_owned(), value);
        }
    };
    set("name", edit.new_name, false);
    set("organization", edit.organization, false);
    set("credential", edit.credential, false);
    set("url", edit.url, true);
    set("restore_credential", edit.restore_credential, true);
    set("worker", edit.worker, true);
    if let Some(sync) = edit.sync.body(Some(&before["sync"])) {
        body.insert("sync".to_owned(), sync);
    }
    if body.is_empty() {
        return Err(Failure::usage(
            "nothing is to be changed",
            "name what is: keepward connector edit --help",
        ));
    }
    let changed = api.patch(&path, Some(&body)).await?;
    print_checks(&changed["checks"], output);
    show(&changed, output);
    Ok(Exit::Done)
}

async fn remove(api: &Api, names: Vec<String>, output: &Output) -> Result<Exit, Failure> {
    let gone = |name: &str| {
        output.event(&json!({"event": "connector-removed", "name": name}));
        output.line(format!("removed {name}; its snapshots are untouched"));
    };
    if let [name] = names.as_slice() {
        let path = format!("/connectors/{}", segment(name));
        let found = api.get(&path).await?;
        api.delete(&path).await?;
        gone(text(&found, "name"));
        return Ok(Exit::Done);
    }
    let removed = api
        .post("/connectors/remove", Some(&json!({ "names": names })))
        .await?;
    let mut stayed = 0;
    for item in removed["items"].as_array().into_iter().flatten() {
        let name = text(item, "name");
        if item["removed"].as_bool() == Some(true) {
            gone(name);
        } else {
            stayed += 1;
            let why = text(&item["problem"], "detail");
            output.event(&json!({"event": "connector-stayed", "name": name, "why": why}));
            output.line(format!("{name} stays: {why}"));
        }
    }
    Ok(if stayed == 0 {
        Exit::Done
    } else {
        Exit::DoneWithIssues
    })
}
