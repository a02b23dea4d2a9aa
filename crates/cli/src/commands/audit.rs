//! `keepward audit`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::Value;

use super::Global;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::new_file::{NewFile, is_standard_output};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// What was done, the newest first
    #[command(
        after_help = "Examples:\n  keepward audit list --limit 20\n  keepward audit list --action session --outcome refused --since 2026-11-01T00:00:00Z"
    )]
    List(List),
    /// Look for entries that were altered, removed or moved (exit 8 when there are)
    #[command(
        after_help = "Examples:\n  keepward audit verify\n  keepward audit verify --noted 4711:5f3a…\n\nNote the number of entries and the hash that it prints somewhere else: somebody who writes the whole log anew is found by that alone."
    )]
    Verify {
        /// An entry's number and hash that were noted earlier
        #[arg(long, value_name = "NUMBER:HASH")]
        noted: Option<String>,
    },
    /// Write the whole log to a file, a JSON document a line
    #[command(
        after_help = "Examples:\n  keepward audit export audit.jsonl\n  keepward audit export - | grep refused"
    )]
    Export {
        /// It must not exist; - for standard output
        file: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct List {
    /// Only what this one did, as the list shows the name
    #[arg(long)]
    actor: Option<String>,
    /// Only this: connector.add, or connector for all of them
    #[arg(long)]
    action: Option<String>,
    /// Only about this: connector/contoso, or connector for all of them
    #[arg(long)]
    subject: Option<String>,
    /// Only what ended so: done, refused, failed
    #[arg(long)]
    outcome: Option<String>,
    /// From this time on, as 2026-11-22T10:00:00Z
    #[arg(long)]
    since: Option<String>,
    /// Before this time
    #[arg(long)]
    until: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

impl List {
    fn path(&self) -> String {
        let given = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("subject", &self.subject),
            ("outcome", &self.outcome),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let mut path = format!("/audit?limit={}", self.limit);
        for (name, value) in given {
            if let Some(value) = value {
                path.extend(["&", name, "=", &segment(value)]);
            }
        }
        path
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List(list) => {
            let page = api.get(&list.path()).await?;
            let entries = page["items"].as_array().cloned().unwrap_or_default();
            let head = ["number", "time", "who", "did", "about", "outcome", "from"];
            output.rows(&head, &entries, |entry| {
                let text = |key: &str| entry[key].as_str().unwrap_or("").to_owned();
                vec![
                    entry["seq"].to_string(),
                    moment(&text("time")),
                    text("actor"),
                    text("action"),
                    text("subject"),
                    text("outcome"),
                    text("address"),
                ]
            });
            Ok(Exit::Done)
        }
        Command::Verify { noted } => verify(&api, noted.as_deref(), output).await,
        Command::Export { file } if is_standard_output(&file) => {
            let take = |text: &str| {
                output.data(text.as_bytes());
                Ok(())
            };
            export(&api, take).await?;
            Ok(Exit::Done)
        }
        Command::Export { file } => {
            let mut out = NewFile::private(&file)?;
            export(&api, |text| out.write(text.as_bytes())).await?;
            out.finish()?;
            output.result(&serde_json::json!({ "file": file.display().to_string() }));
            output.line(format!("wrote {}", file.display()));
            Ok(Exit::Done)
        }
    }
}

async fn verify(api: &Api, noted: Option<&str>, output: &Output) -> Result<Exit, Failure> {
    let path = match noted.map(|noted| noted.split_once(':').ok_or(noted)) {
        None => "/audit/verify".to_owned(),
        Some(Ok((seq, hash))) => {
            format!("/audit/verify?seq={}&hash={}", segment(seq), segment(hash))
        }
        Some(Err(noted)) => {
            return Err(Failure::usage(
                format!("`{noted}` is no entry's number and hash"),
                "write it as NUMBER:HASH, as `audit verify` printed it",
            ));
        }
    };
    let verdict = api.get(&path).await?;
    output.result(&verdict);
    let (entries, hash) = (&verdict["entries"], verdict["hash"].as_str().unwrap_or(""));
    if verdict["whole"] == true {
        output.line(format!("{entries} entries, all as they were written"));
        output.line(format!("note this elsewhere: {entries}:{hash}"));
        return Ok(Exit::Done);
    }
    let fault = &verdict["fault"];
    let reason = fault["reason"].as_str().unwrap_or("");
    output.line(format!(
        "entry {}: {reason}; the {entries} before it are as they were written",
        fault["seq"]
    ));
    Ok(Exit::Damage)
}

const AT_ONCE: usize = 5000;

/// Hands over the log in pieces of whole lines.
async fn export(
    api: &Api,
    mut take: impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let text = api
            .text(&format!("/audit/export?after={after}&limit={AT_ONCE}"))
            .await?;
        take(&text)?;
        let Some(last) = text.lines().last() else {
            return Ok(());
        };
        let last: Value = serde_json::from_str(last).context("an entry is no JSON document")?;
        after = last["seq"].as_u64().unwrap_or(u64::MAX);
    }
}
