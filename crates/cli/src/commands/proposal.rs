//! `keepward proposal`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Global;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What waits for another person's approval
    #[command(after_help = "Examples:\n  keepward proposal list\n  keepward proposal list --all")]
    List {
        /// Also what is decided or has expired
        #[arg(long)]
        all: bool,
    },
    /// Everything that a proposal would do
    #[command(
        after_help = "Example:\n  keepward proposal show 01a20184-5804-7ad7-ada3-4e217e220162"
    )]
    Show { id: String },
    /// Approve what another person asked for; it is done at once
    #[command(
        after_help = "Example:\n  keepward proposal approve 01a20184-… --hash 5f3a… --server https://keepward.example.com \\\n      --token-file token.txt"
    )]
    Approve {
        id: String,
        /// As `proposal show` printed it: what you saw is what is done
        #[arg(long)]
        hash: String,
    },
    /// Reject what another person asked for
    #[command(
        after_help = "Example:\n  keepward proposal reject 01a20184-… --reason 'needed for the audit'"
    )]
    Reject {
        id: String,
        /// For who asked
        #[arg(long)]
        reason: Option<String>,
    },
    /// Take back what you asked for yourself
    #[command(after_help = "Example:\n  keepward proposal withdraw 01a20184-…")]
    Withdraw { id: String },
    /// Whether what removes backups waits for another person: on, off, or nothing to show it
    #[command(
        after_help = "Examples:\n  keepward proposal four-eyes\n  keepward proposal four-eyes on"
    )]
    FourEyes {
        #[arg(value_parser = ["on", "off"])]
        switch: Option<String>,
    },
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let at = |id: &str, verb: &str| format!("/proposals/{}{verb}", segment(id));
    let nothing = None::<&Value>;
    match command {
        Command::List { all } => {
            let proposals = api.list(&format!("/proposals?open={}", !all)).await?;
            listed(&proposals, output);
        }
        Command::Show { id } => shown(&api.get(&at(&id, "")).await?, output),
        Command::Approve { id, hash } => {
            let approved = api
                .post(&at(&id, "/approve"), Some(&json!({ "hash": hash })))
                .await?;
            shown(&approved, output);
            if approved["state"] != "done" {
                return Ok(Exit::Failed);
            }
        }
        Command::Reject { id, reason } => {
            shown(
                &api.post(&at(&id, "/reject"), Some(&json!({ "reason": reason })))
                    .await?,
                output,
            );
        }
        Command::Withdraw { id } => shown(&api.post(&at(&id, "/withdraw"), nothing).await?, output),
        Command::FourEyes { switch } => {
            let path = "/settings/four-eyes";
            let state = match switch {
                Some(switch) => {
                    let body = json!({ "enabled": switch == "on" });
                    api.put(path, Some(&body)).await?
                }
                None => api.get(path).await?,
            };
            output.result(&state);
            let on = state["enabled"] == true;
            output.line(if on { "on" } else { "off" });
        }
    }
    Ok(Exit::Done)
}

fn listed(proposals: &[Value], output: &Output) {
    let head = ["id", "what", "about", "asked by", "expires", "state"];
    output.rows(&head, proposals, |proposal| {
        let text = |key: &str| proposal[key].as_str().unwrap_or("").to_owned();
        let expires = moment(&text("expires"));
        vec![
            text("id"),
            text("kind"),
            text("subject"),
            text("requester"),
            expires,
            text("state"),
        ]
    });
}

fn shown(proposal: &Value, output: &Output) {
    output.result(proposal);
    let text = |key: &str| proposal[key].as_str().unwrap_or("").to_owned();
    output.line(format!(
        "{} of {}: {}",
        text("kind"),
        text("subject"),
        text("state")
    ));
    output.line(format!(
        "asked by {} on {}",
        asker(&text("requester")),
        moment(&text("created"))
    ));
    if let Some(by) = proposal["decided_by"].as_str() {
        output.line(format!("decided by {by} on {}", moment(&text("decided"))));
    }
    if let Some(result) = proposal["result"].as_str() {
        output.line(result);
    }
    if proposal["state"] == "open" {
        let change = serde_json::to_string_pretty(&proposal["change"]);
        output.line(change.unwrap_or_default());
        output.line(format!("hash {}", text("hash")));
    }
}

/// In words: `ada/e2e` is ada with her token e2e.
fn asker(requester: &str) -> String {
    match requester.split_once('/') {
        Some((person, token)) => format!("{person}, with the token {token},"),
        None => requester.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asked_with_a_token_is_a_person() {
        assert_eq!(asker("ada"), "ada");
        assert_eq!(asker("ada/e2e"), "ada, with the token e2e,");
    }
}
