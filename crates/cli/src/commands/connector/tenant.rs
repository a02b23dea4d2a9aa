//! The users, groups and sites of a tenant, and which users are protected.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Args)]
pub(crate) struct List {
    /// The connector's name
    name: String,
    /// A part of the name or address
    #[arg(long)]
    search: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum License {
    /// Who decides: automatic protects all but guests and accounts without a license, manual those who are chosen
    #[command(after_help = "Example:\n  keepward connector license mode contoso-365 manual")]
    Mode {
        /// The connector's name
        name: String,
        mode: Mode,
    },
    /// Protect users
    #[command(
        after_help = "Example:\n  keepward connector license add contoso-365 ada@contoso.com"
    )]
    Add(Users),
    /// Do not protect users; their entries in the directory are backed up anyway, unless a policy leaves them out
    #[command(
        after_help = "Example:\n  keepward connector license remove contoso-365 ada@contoso.com"
    )]
    Remove(Users),
    /// Leave users to the mode again
    #[command(
        after_help = "Example:\n  keepward connector license reset contoso-365 ada@contoso.com"
    )]
    Reset(Users),
    /// How many users there are, how many of them are protected, and when they were looked for
    #[command(after_help = "Example:\n  keepward connector license show contoso-365")]
    Show {
        /// The connector's name
        name: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Mode {
    Automatic,
    Manual,
}

#[derive(Args)]
pub(crate) struct Users {
    /// The connector's name
    name: String,
    /// Sign-in names or ids of users
    #[arg(required = true)]
    users: Vec<String>,
}

/// `what` is `users`, `groups` or `sites`.
pub(super) async fn list(
    api: &Api,
    what: &str,
    of: &List,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut path = format!("/connectors/{}/{what}", segment(&of.name));
    if let Some(search) = &of.search {
        path = format!("{path}?search={}", segment(search));
    }
    let all = api.list(&path).await?;
    if all.is_empty() && of.search.is_none() {
        let settings = format!("/connectors/{}/tenant-settings", segment(&of.name));
        if api.get(&settings).await?["synced"].is_null() {
            output.line(format!(
                "the directory was not read yet: that comes by itself, or now by `keepward connector sync {}`",
                of.name
            ));
        }
    }
    let of_users = what == "users";
    let mut head = vec!["name", "address", "kind", "id"];
    if of_users {
        head.push("protected");
    }
    output.rows(&head, &all, |entry| {
        let of = |key: &str| text(entry, key).to_owned();
        let mut row = vec![of("name"), of("address"), of("nature"), of("id")];
        if of_users {
            row.push(protection(entry));
        }
        row
    });
    Ok(Exit::Done)
}

fn protection(entry: &Value) -> String {
    let is = |key: &str| entry[key].as_bool() == Some(true);
    let word = if is("licensed") { "yes" } else { "no" };
    match (is("decided"), is("waiting")) {
        (true, _) => format!("{word} (chosen)"),
        (false, true) => format!("{word} (new, waits for a decision)"),
        (false, false) => word.to_owned(),
    }
}

pub(super) async fn license(api: &Api, what: License, output: &Output) -> Result<Exit, Failure> {
    match what {
        License::Mode { name, mode } => {
            let licensing = match mode {
                Mode::Automatic => "automatic",
                Mode::Manual => "manual",
            };
            let path = format!("/connectors/{}/tenant-settings", segment(&name));
            let body = json!({ "licensing": licensing });
            show(&api.put(&path, Some(&body)).await?, output);
            Ok(Exit::Done)
        }
        License::Show { name } => {
            let path = format!("/connectors/{}/tenant-settings", segment(&name));
            show(&api.get(&path).await?, output);
            Ok(Exit::Done)
        }
        License::Add(users) => decide(api, users, json!(true), output).await,
        License::Remove(users) => decide(api, users, json!(false), output).await,
        License::Reset(users) => decide(api, users, Value::Null, output).await,
    }
}

fn show(settings: &Value, output: &Output) {
    output.event(settings);
    let number = |key: &str| settings[key].as_u64().unwrap_or(0);
    output.line(format!(
        "{:14} {}",
        "licensing",
        text(settings, "licensing")
    ));
    output.line(format!(
        "{:14} {} of {} users",
        "protected",
        number("protected"),
        number("users")
    ));
    output.line(format!(
        "{:14} {}",
        "sync",
        super::sync_words(&settings["sync"])
    ));
    for (name, key) in [
        ("worker", "worker"),
        ("last sync", "synced"),
        ("sync failed", "sync_error"),
    ] {
        if !text(settings, key).is_empty() {
            output.line(format!("{name:14} {}", text(settings, key)));
        }
    }
    output.line(text(settings, "licensing_scope"));
}

async fn decide(
    api: &Api,
    users: Users,
    licensed: Value,
    output: &Output,
) -> Result<Exit, Failure> {
    let base = format!("/connectors/{}/users", segment(&users.name));
    for user in &users.users {
        let id = id_of(api, &base, user).await?;
        let body = json!({ "licensed": licensed });
        let path = format!("{base}/{}", segment(&id));
        let changed = api.patch(&path, Some(&body)).await?;
        output.event(&changed);
        output.line(format!(
            "{}: protected {}",
            text(&changed, "name"),
            protection(&changed)
        ));
    }
    Ok(Exit::Done)
}

/// The id of the user with this sign-in name; what no sign-in name fits is taken for an id.
async fn id_of(api: &Api, base: &str, user: &str) -> Result<String, Failure> {
    if !user.contains('@') {
        return Ok(user.to_owned());
    }
    let found = api
        .list(&format!("{base}?search={}", segment(user)))
        .await?;
    let named = found
        .iter()
        .find(|entry| text(entry, "address").eq_ignore_ascii_case(user));
    Ok(named.map_or_else(|| user.to_owned(), |entry| text(entry, "id").to_owned()))
}

pub(super) async fn sync(api: &Api, name: &str, output: &Output) -> Result<Exit, Failure> {
    let path = format!("/connectors/{}/sync", segment(name));
    let synced = api.post(&path, None::<&()>).await?;
    output.event(&synced);
    let mut exit = Exit::Done;
    for kind in synced["kinds"].as_array().into_iter().flatten() {
        let number = |key: &str| kind[key].as_u64().unwrap_or(0);
        let word = format!("{}s", text(kind, "kind"));
        if text(kind, "error").is_empty() {
            output.line(format!(
                "{word:8} {} listed, {} new, {} gone",
                number("listed"),
                number("new"),
                number("gone")
            ));
        } else {
            output.line(format!("{word:8} not listed: {}", text(kind, "error")));
            exit = Exit::DoneWithIssues;
        }
    }
    Ok(exit)
}
