//! `keepward token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use crate::client::{Api, needed, segment, text};
use crate::failure::{Exit, Failure};
use crate::new_file::Keeping;
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a token for a program; its text goes into a new file that only you can read
    #[command(
        after_help = "Examples:\n  keepward token add nightly --user anna --permission read-status --permission run-backups \\\n      --to token.txt\n  keepward token add report --user anna --permission read-status --connector contoso \\\n      --days 30 --to report-token.txt"
    )]
    Add(Add),
    /// Tokens with what they may and when they were used last
    #[command(after_help = "Example:\n  keepward token list")]
    List,
    /// Revoke a token
    #[command(
        after_help = "Example:\n  keepward token revoke 01a20184-5804-7ad7-ada3-4e217e220162"
    )]
    Revoke {
        /// As `token list` shows it
        id: String,
    },
}

#[derive(Args)]
pub(crate) struct Add {
    /// What it is for
    name: String,
    /// Whose token it is: it can never do more than this person
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What it may do, as far as the person may; may be given several times
    #[arg(long = "permission", value_name = "PERMISSION", required = true, value_parser = permission)]
    permissions: Vec<String>,
    /// Only this connector; may be given several times [default: all that the person reaches]
    #[arg(long = "connector", value_name = "NAME")]
    connectors: Vec<String>,
    /// How long it works
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    /// The file to write; it must not exist; - for standard output, which then gets the text alone
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// As in the interface, so that a wrong one is told before anything is made.
fn permission(text: &str) -> Result<String, String> {
    match serde_json::from_value::<model::Permission>(json!(text)) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::Add(add) => make(&api, &add, output).await?,
        Command::List => {
            let tokens = api.list("/tokens?all=true").await?;
            let head = ["id", "name", "user", "permissions", "expires", "used"];
            output.rows(&head, &tokens, |token| {
                let text = |key: &str| token[key].as_str().unwrap_or("").to_owned();
                let permissions = token["permissions"].as_array().into_iter().flatten();
                let permissions: Vec<&str> = permissions.filter_map(Value::as_str).collect();
                vec![
                    text("id"),
                    text("name"),
                    text("person"),
                    permissions.join(", "),
                    moment(&text("expires")),
                    moment(&text("used")),
                ]
            });
        }
        Command::Revoke { id } => {
            api.delete(&format!("/tokens/{}", segment(&id))).await?;
            output.result(&json!({ "revoked": id }));
            output.line("the token is revoked");
        }
    }
    Ok(Exit::Done)
}

async fn make(api: &Api, add: &Add, output: &Output) -> Result<(), Failure> {
    let keeping = Keeping::at(&add.to)?;
    let mut body = json!({
        "name": add.name,
        "person": add.user,
        "permissions": add.permissions,
        "days": add.days,
    });
    if !add.connectors.is_empty() {
        body["connectors"] = json!(add.connectors);
    }
    let made = api.post("/tokens", Some(&body)).await?;
    if !keeping.keep(needed(&made, "secret")?, output)? {
        return Ok(());
    }
    let mut shown = made.clone();
    if let Value::Object(members) = &mut shown {
        members.remove("secret");
    }
    output.result(&shown);
    let expires = moment(&text(&made, "expires"));
    output.line(format!(
        "wrote {}; it works until {expires}",
        add.to.display()
    ));
    Ok(())
}
