//! `keepward alarm`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use crate::client::Api;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What is wrong at the moment
    #[command(after_help = "Example:\n  keepward alarm list --json")]
    List,
    /// Say that somebody knows; the alarm comes back when it gets worse
    #[command(
        after_help = "Example:\n  keepward alarm ack backup-overdue/contoso --reason \"moving to another tenant until Friday\""
    )]
    Ack {
        /// As `alarm list` shows it
        key: String,
        /// Why it may stay
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Show or change what alarms go by
    #[command(
        after_help = "Examples:\n  keepward alarm settings\n  keepward alarm settings --backup-hours 26 --connector contoso=4\n\n\
        What is not named stays. Nothing is changed if somebody else changes the settings at the same moment."
    )]
    Settings(Settings),
}

#[derive(Args)]
pub(crate) struct Settings {
    /// How old the last good backup of a connector may be
    #[arg(long, value_name = "HOURS")]
    backup_hours: Option<u32>,
    /// Another number of hours for one connector, `NAME=HOURS`; `NAME=` for the usual one; may be given several times
    #[arg(long = "connector", value_name = "NAME=HOURS")]
    connectors: Vec<String>,
    /// How long ago a repository was checked, or one of its snapshots verified, at most
    #[arg(long, value_name = "DAYS")]
    verify_days: Option<u32>,
    /// How long ago a repository that is to be pruned by itself was, at most
    #[arg(long, value_name = "DAYS")]
    prune_days: Option<u32>,
    /// How much of a repository's disk may be in use
    #[arg(long, value_name = "PERCENT")]
    storage_percent: Option<u32>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List => {
            let alarms = api.list("/alarms").await?;
            let head = ["key", "level", "raised", "message", "acknowledged"];
            output.rows(&head, &alarms, |alarm| {
                let text = |key: &str| alarm[key].as_str().unwrap_or("").to_owned();
                let reason = alarm["acknowledged"]["reason"].as_str();
                vec![
                    text("key"),
                    text("level"),
                    moment(&text("raised")),
                    text("message"),
                    reason.unwrap_or("").to_owned(),
                ]
            });
        }
        Command::Ack { key, reason } => {
            let body = json!({ "key": key, "reason": reason });
            let alarm = api.post("/alarms/acknowledge", Some(&body)).await?;
            output.result(&alarm);
            output.line("acknowledged");
        }
        Command::Settings(settings) => change(&api, &settings, output).await?,
    }
    Ok(Exit::Done)
}

async fn change(api: &Api, wanted: &Settings, output: &Output) -> Result<(), Failure> {
    let mut settings = api.get("/alarms/settings").await?;
    let before = settings.clone();
    let numbers = [
        ("backup_hours", wanted.backup_hours),
        ("verify_days", wanted.verify_days),
        ("prune_days", wanted.prune_days),
        ("storage_percent", wanted.storage_percent),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            settings[name] = json!(number);
        }
    }
    for one in &wanted.connectors {
        let wrong = || Failure::usage(format!("`{one}` is not NAME=HOURS"), "write contoso=4");
        let (name, hours) = one.split_once('=').ok_or_else(wrong)?;
        let Value::Object(connectors) = &mut settings["connectors"] else {
            return Err(wrong());
        };
        if hours.is_empty() {
            connectors.remove(name);
        } else {
            let hours: u32 = hours.parse().map_err(|_| wrong())?;
            connectors.insert(name.to_owned(), json!(hours));
        }
    }
    if settings != before {
        settings = api.put("/alarms/settings", Some(&settings)).await?;
    }
    output.result(&settings);
    let others = settings["connectors"].as_object().into_iter().flatten();
    let others: Vec<String> = others
        .map(|(name, hours)| format!("; {name}: {hours} hours"))
        .collect();
    output.line(format!(
        "a good backup every {} hours{}\na verification every {} days\nat most {} % of a disk in use",
        settings["backup_hours"],
        others.concat(),
        settings["verify_days"],
        settings["storage_percent"],
    ));
    Ok(())
}
