//! `keepward session`.

use clap::Subcommand;
use serde_json::json;

use super::Global;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Who is signed in to the console, and from where
    #[command(after_help = "Example:\n  keepward session list")]
    List,
    /// End a session
    #[command(
        after_help = "Example:\n  keepward session revoke 01a20184-5804-7ad7-ada3-4e217e220162"
    )]
    Revoke {
        /// As `session list` shows it
        id: String,
    },
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List => {
            let sessions = api.list("/sessions?all=true").await?;
            output.rows(
                &["id", "user", "from", "since", "seen", "by"],
                &sessions,
                |session| {
                    let text = |key: &str| session[key].as_str().unwrap_or("").to_owned();
                    vec![
                        text("id"),
                        text("person"),
                        text("address"),
                        moment(&text("created")),
                        moment(&text("seen")),
                        text("method"),
                    ]
                },
            );
        }
        Command::Revoke { id } => {
            api.delete(&format!("/sessions/{}", segment(&id))).await?;
            output.result(&json!({ "revoked": id }));
            output.line("the session has ended");
        }
    }
    Ok(Exit::Done)
}
