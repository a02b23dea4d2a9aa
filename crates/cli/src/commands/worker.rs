//! `keepward worker`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use control::remote::{Elsewhere, Line};
use serde_json::{Value, json};
use service::egress::Egress;
use tokio_util::sync::CancellationToken;

use super::Global;
use crate::app::read_secret;
use crate::client::{Api, needed, segment};
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::new_file::Keeping;
use crate::output::{Output, moment};
use crate::services::SERVICES;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    work: Work,
}

#[derive(Args)]
struct Work {
    /// A label by which policies find this worker; may be given several times
    #[arg(long = "label", value_name = "LABEL")]
    labels: Vec<String>,
    /// A repository in a folder that is reached from here; may be given several times
    #[arg(long = "storage", value_name = "REPOSITORY")]
    storages: Vec<String>,
    /// Jobs at the same time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    slots: u16,
}

#[derive(Subcommand)]
enum Verb {
    /// Workers, where they are and when they were seen last
    #[command(after_help = "Example:\n  keepward worker list")]
    List,
    /// Let a worker in that runs elsewhere; its token goes into a new file that only you can read
    #[command(after_help = "Example:\n  keepward worker token edge --to edge.token")]
    Token {
        /// A name for the worker
        name: String,
        /// The file to write; it must not exist; - for standard output, which then gets the text alone
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Shut a worker out; what it works on is taken over by another one
    #[command(after_help = "Example:\n  keepward worker remove edge")]
    Remove {
        /// The worker
        name: String,
    },
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    match command.verb {
        None => work(command.work, global, output, cancel).await,
        Some(verb) => {
            let api = Api::open(global).await?;
            manage(verb, &api, output).await
        }
    }
}

async fn manage(verb: Verb, api: &Api, output: &Output) -> Result<Exit, Failure> {
    match verb {
        Verb::List => {
            let workers = api.list("/workers").await?;
            output.rows(
                &["worker", "place", "labels", "storages", "seen"],
                &workers,
                |worker| {
                    let words = |key: &str| {
                        let all = worker[key].as_array().into_iter().flatten();
                        all.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
                    };
                    let place = if worker["own"] == true {
                        "server"
                    } else {
                        "elsewhere"
                    };
                    vec![
                        worker["name"].as_str().unwrap_or("").to_owned(),
                        place.to_owned(),
                        words("labels"),
                        words("storages"),
                        moment(&worker["seen"].as_str().unwrap_or("never")),
                    ]
                },
            );
        }
        Verb::Token { name, to } => {
            let keeping = Keeping::at(&to)?;
            let body = json!({ "name": name });
            let made = api.post("/workers", Some(&body)).await?;
            if !keeping.keep(needed(&made, "token")?, output)? {
                return Ok(Exit::Done);
            }
            output.result(&json!({ "worker": name, "file": to }));
            output.line(format!(
                "wrote {}; there: keepward worker --server URL --token-file {}",
                to.display(),
                to.display()
            ));
        }
        Verb::Remove { name } => {
            api.delete(&format!("/workers/{}", segment(&name))).await?;
            output.result(&json!({ "removed": name }));
            output.line(format!("worker {name} is shut out"));
        }
    }
    Ok(Exit::Done)
}

async fn work(
    work: Work,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let hint = "keepward worker --server https://keepward.example.com --token-file edge.token";
    let url = global
        .server
        .as_deref()
        .ok_or_else(|| Failure::usage("a worker needs --server", hint))?;
    let token = global
        .token_file
        .as_deref()
        .ok_or_else(|| Failure::usage("a worker needs --token-file", hint))?;
    let http = http(global.ca_file.as_deref())?;
    let worker = Elsewhere {
        line: Line::new(http, url, read_secret(token)?)?,
        clock: Arc::new(SystemClock),
        services: SERVICES,
        egress: Egress::new(global.data().config()?.outbound.allow),
        labels: work.labels.into_iter().collect::<BTreeSet<_>>(),
        storages: work.storages.into_iter().collect(),
        slots: work.slots.into(),
        work: std::env::temp_dir(),
        patience: 20,
    };
    output.event(&json!({ "event": "working", "server": url }));
    output.line(format!("working for {url}"));
    worker.run(cancel).await?;
    Ok(Exit::Done)
}

fn http(ca: Option<&Path>) -> Result<reqwest::Client, Failure> {
    let mut builder = reqwest::Client::builder()
        .user_agent(control::USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(15))
        .timeout(Duration::from_mins(2));
    if let Some(path) = ca {
        let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let roots = reqwest::Certificate::from_pem_bundle(&pem)
            .with_context(|| format!("{} holds no certificates", path.display()))?;
        for root in roots {
            builder = builder.add_root_certificate(root);
        }
    }
    Ok(builder.build().context("cannot make an HTTP client")?)
}
