//! `keepward policy`.

mod change;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Global;
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};
use change::Change;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// All policies with their next run
    #[command(after_help = "Example:\n  keepward policy list")]
    List,
    /// A policy in full
    #[command(after_help = "Example:\n  keepward policy show default")]
    Show {
        /// The policy
        name: String,
    },
    /// Make a policy; what is not said is as in the default one, with no retention
    #[command(
        after_help = "Examples:\n  keepward policy add nightly --connector contoso --at 22:00 --time-zone Europe/Berlin \\\n      --keep-daily 30\n  \
        keepward policy add pay --connector contoso --include project='Payments*' \\\n      --exclude git-repository='*/archive-*'\n  \
        keepward policy add often --cron '0 */4 * * mon-fri' --window 18:00-06:00 --missed skip"
    )]
    Add(Box<Named>),
    /// Change members of a policy; a list that is given replaces the one before
    #[command(
        after_help = "Examples:\n  keepward policy edit default --keep-daily 60\n  keepward policy edit default --disable\n  \
        keepward policy edit pay --other-connectors --kind all --include project=\n\n\
        Exit code 7 means that the change waits for another person's approval, since it keeps less."
    )]
    Edit(Box<Named>),
    /// Remove a policy; its snapshots stay
    #[command(after_help = "Example:\n  keepward policy remove nightly")]
    Remove {
        /// The policy
        name: String,
    },
    /// When a policy runs next, and what its retention would forget
    #[command(
        after_help = "Examples:\n  keepward policy preview default\n  keepward policy preview default --retention --keep-daily 7"
    )]
    Preview(Box<Preview>),
    /// Run a policy now
    #[command(after_help = "Example:\n  keepward policy run default --connector contoso")]
    Run {
        /// The policy
        name: String,
        /// Only this connector [default: all that the policy is for]
        #[arg(long, value_name = "NAME")]
        connector: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct Named {
    /// The policy
    name: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Args)]
pub(crate) struct Preview {
    /// The policy
    name: String,
    /// Also tell which snapshots would be forgotten now; reads the repository
    #[arg(long)]
    retention: bool,
    #[command(flatten)]
    change: Change,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List => list(&api, output).await?,
        Command::Show { name } => {
            let found = get(&api, &name).await?;
            output.event(&found);
            show(&found, output)?;
        }
        Command::Add(add) => {
            let policy = add.change.new_policy(&add.name)?;
            let made = api.post("/policies", Some(&policy)).await?;
            output.result(&made);
            output.line(format!("policy {} is there{}", add.name, next(&made)));
        }
        Command::Edit(edit) => {
            let before = get(&api, &edit.name).await?;
            let mut policy = before["policy"].clone();
            edit.change.apply(&mut policy)?;
            let body = json!({ "policy": policy, "version": before["version"] });
            let path = format!("/policies/{}", segment(&edit.name));
            let after = api.put(&path, Some(&body)).await?;
            output.result(&after);
            output.line(format!("policy {} is changed{}", edit.name, next(&after)));
        }
        Command::Remove { name } => {
            api.delete(&format!("/policies/{}", segment(&name))).await?;
            output.result(&json!({ "removed": name }));
            output.line(format!("policy {name} is removed; its snapshots stay"));
        }
        Command::Preview(preview) => look_ahead(&api, &preview, output).await?,
        Command::Run { name, connector } => {
            let body = connector.map_or_else(|| json!({}), |name| json!({ "connector": name }));
            let path = format!("/policies/{}/run", segment(&name));
            let runs = api.post(&path, Some(&body)).await?;
            for run in runs["items"].as_array().into_iter().flatten() {
                output.event(run);
                output.line(format!(
                    "queued {}: run {}",
                    text(run, "connector"),
                    text(run, "id")
                ));
            }
        }
    }
    Ok(Exit::Done)
}

async fn get(api: &Api, name: &str) -> Result<Value, Failure> {
    api.get(&format!("/policies/{}", segment(name))).await
}

fn next(view: &Value) -> String {
    match view["next"].as_str() {
        Some(time) => format!("; it runs next at {}", moment(&time)),
        None => "; it runs by hand alone".to_owned(),
    }
}

async fn list(api: &Api, output: &Output) -> Result<(), Failure> {
    let policies = api.list("/policies").await?;
    let head = [
        "policy",
        "enabled",
        "connectors",
        "repository",
        "last",
        "next",
    ];
    output.rows(&head, &policies, |view| {
        let policy = &view["policy"];
        let connectors: Vec<&str> = policy["connectors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let or = |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
        vec![
            text(policy, "name").to_owned(),
            if policy["enabled"] == true {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
            or(&connectors.join(", "), "(all others)"),
            or(text(policy, "repository"), "(default)"),
            moment(&text(view, "fired")),
            moment(&text(view, "next")),
        ]
    });
    Ok(())
}

fn show(view: &Value, output: &Output) -> Result<(), Failure> {
    let policy = serde_json::to_string_pretty(&view["policy"])
        .map_err(|error| Failure::from(anyhow::Error::new(error)))?;
    output.line(policy);
    output.line(format!(
        "changed {}{}",
        moment(&text(view, "updated")),
        next(view)
    ));
    Ok(())
}

async fn look_ahead(api: &Api, preview: &Preview, output: &Output) -> Result<(), Failure> {
    let mut policy = get(api, &preview.name).await?["policy"].clone();
    preview.change.apply(&mut policy)?;
    let seen = api.post("/policies/preview", Some(&policy)).await?;
    output.event(&seen);
    let times = seen["local"].as_array().into_iter().flatten();
    for time in times.filter_map(Value::as_str) {
        output.line(time);
    }
    let connectors = seen["connectors"].as_array().into_iter().flatten();
    let connectors: Vec<&str> = connectors.filter_map(Value::as_str).collect();
    output.line(match connectors.as_slice() {
        [] => "for no connector at present".to_owned(),
        some => format!("for {}", some.join(", ")),
    });
    if !preview.retention {
        return Ok(());
    }
    let kept = api
        .post("/policies/preview/retention", Some(&policy))
        .await?;
    for one in kept["items"].as_array().into_iter().flatten() {
        output.event(one);
        let snapshots = one["snapshots"].as_array().map_or(&[][..], Vec::as_slice);
        let gone: Vec<&Value> = snapshots
            .iter()
            .filter(|one| one["keep"] == false)
            .collect();
        output.line(format!(
            "{}: {} of {} snapshots would be forgotten",
            text(one, "connector"),
            gone.len(),
            snapshots.len()
        ));
        for snapshot in gone {
            output.line(format!("  {}", text(snapshot, "snapshot")));
        }
        for reason in one["suspicions"].as_array().into_iter().flatten() {
            output.line(format!(
                "  nothing is forgotten now: {}",
                reason.as_str().unwrap_or("")
            ));
        }
    }
    Ok(())
}
