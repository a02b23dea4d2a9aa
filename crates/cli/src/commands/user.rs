//! `keepward user`.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use super::Global;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

/// What somebody is; each role adds permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Role {
    /// Sees how backups stand
    Viewer,
    /// Connects, schedules and runs backups
    Operator,
    /// Reads what was backed up, and restores
    Restorer,
    /// Everything
    Admin,
    /// Reads the audit log
    Auditor,
}

impl Role {
    pub(super) fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make an account
    #[command(
        after_help = "Examples:\n  keepward user add anna --role admin --password-file anna.txt\n  pwgen 20 1 | keepward user add ben --role operator --role restorer --connector contoso \\\n      --password-file -"
    )]
    Add(Add),
    /// All accounts
    #[command(after_help = "Example:\n  keepward user list --json")]
    List,
    /// Change the roles or connectors of an account
    #[command(
        after_help = "Examples:\n  keepward user edit ben --role viewer\n  keepward user edit ben --all-connectors"
    )]
    Edit(Edit),
    /// Keep somebody out: their sessions end and their tokens stop working
    #[command(after_help = "Example:\n  keepward user disable ben")]
    Disable { name: String },
    /// Let somebody in again
    #[command(after_help = "Example:\n  keepward user enable ben")]
    Enable { name: String },
    /// Remove an account with its sessions and tokens; the audit log keeps its name
    #[command(after_help = "Example:\n  keepward user remove ben")]
    Remove { name: String },
    /// Set a password for somebody who has lost theirs
    #[command(
        after_help = "Example:\n  keepward user reset-password ben --password-file new.txt --second-factor-off"
    )]
    ResetPassword(Reset),
}

#[derive(Args)]
pub(crate) struct Add {
    /// Letters, digits and . _ @ + -
    name: String,
    /// May be given several times
    #[arg(long = "role", required = true)]
    roles: Vec<Role>,
    /// Only this connector; may be given several times [default: all]
    #[arg(long = "connector", value_name = "NAME")]
    connectors: Vec<String>,
    /// Holds the password in its first line; - for standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Edit {
    name: String,
    /// Instead of the roles of before; may be given several times
    #[arg(long = "role")]
    roles: Vec<Role>,
    /// Instead of the connectors of before; may be given several times
    #[arg(
        long = "connector",
        value_name = "NAME",
        conflicts_with = "all_connectors"
    )]
    connectors: Vec<String>,
    /// All connectors, also future ones
    #[arg(long)]
    all_connectors: bool,
}

#[derive(Args)]
pub(crate) struct Reset {
    name: String,
    /// Holds the password in its first line; - for standard input
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// Turn one-time codes off too, for who has lost the authenticator
    #[arg(long)]
    second_factor_off: bool,
}

/// The first line of a file or of standard input.
fn password(path: &Path) -> Result<String, Failure> {
    let mut line = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().read_line(&mut line)
    } else {
        std::fs::File::open(path)
            .and_then(|file| std::io::BufReader::new(file).read_line(&mut line))
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn words(roles: &[Role]) -> Vec<String> {
    let roles: BTreeSet<Role> = roles.iter().copied().collect();
    roles.into_iter().map(Role::word).collect()
}

impl Add {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = json!({
            "name": self.name,
            "roles": words(&self.roles),
            "password": password(&self.password_file)?,
        });
        if !self.connectors.is_empty() {
            body["connectors"] = json!(self.connectors);
        }
        Ok(body)
    }
}

impl Edit {
    fn body(&self) -> Result<Value, Failure> {
        let mut body = Map::new();
        if !self.roles.is_empty() {
            body.insert("roles".to_owned(), json!(words(&self.roles)));
        }
        if self.all_connectors {
            body.insert("connectors".to_owned(), Value::Null);
        } else if !self.connectors.is_empty() {
            body.insert("connectors".to_owned(), json!(self.connectors));
        }
        if body.is_empty() {
            return Err(Failure::usage(
                "nothing to change",
                "give --role, --connector or --all-connectors",
            ));
        }
        Ok(Value::Object(body))
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let at = |name: &str| format!("/people/{}", segment(name));
    match command {
        Command::Add(add) => {
            let added = api.post("/people", Some(&add.body()?)).await?;
            output.result(&added);
            output.line(format!("{} can sign in now", add.name));
        }
        Command::List => list(&api.list("/people").await?, output),
        Command::Edit(edit) => {
            let edited = api.patch(&at(&edit.name), Some(&edit.body()?)).await?;
            changed(&edited, output);
        }
        Command::Disable { name } => {
            let body = json!({ "disabled": true });
            changed(&api.patch(&at(&name), Some(&body)).await?, output);
        }
        Command::Enable { name } => {
            let body = json!({ "disabled": false });
            changed(&api.patch(&at(&name), Some(&body)).await?, output);
        }
        Command::Remove { name } => {
            api.delete(&at(&name)).await?;
            output.result(&json!({ "removed": name }));
            output.line(format!("{name} is removed"));
        }
        Command::ResetPassword(reset) => {
            let body = json!({
                "password": password(&reset.password_file)?,
                "second_factor_off": reset.second_factor_off,
            });
            api.put(&format!("{}/password", at(&reset.name)), Some(&body))
                .await?;
            output.result(&json!({ "name": reset.name }));
            output.line(format!(
                "{} has a new password, and all their sessions have ended",
                reset.name
            ));
        }
    }
    Ok(Exit::Done)
}

fn joined(value: &Value, otherwise: &str) -> String {
    let Some(entries) = value.as_array() else {
        return otherwise.to_owned();
    };
    let texts: Vec<&str> = entries.iter().filter_map(Value::as_str).collect();
    texts.join(", ")
}

fn changed(person: &Value, output: &Output) {
    output.result(person);
    let text = |key: &str| person[key].as_str().unwrap_or("").to_owned();
    let state = if person["disabled"] == true {
        "disabled"
    } else {
        "enabled"
    };
    let roles = joined(&person["roles"], "");
    let connectors = joined(&person["connectors"], "all connectors");
    output.line(format!("{}: {state}, {roles}, {connectors}", text("name")));
}

fn list(people: &[Value], output: &Output) {
    output.rows(
        &[
            "name",
            "roles",
            "connectors",
            "state",
            "second factor",
            "signed in",
        ],
        people,
        |person| {
            let text = |key: &str| person[key].as_str().unwrap_or("").to_owned();
            let state = if person["disabled"] == true {
                "disabled"
            } else {
                "enabled"
            };
            vec![
                text("name"),
                joined(&person["roles"], ""),
                joined(&person["connectors"], "all"),
                state.to_owned(),
                text("second_factor"),
                moment(&text("signed_in")),
            ]
        },
    );
}
