//! `keepward backup --server`: the server makes the backup, and this waits for its end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::client::{Api, segment};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes};

/// How often the server is asked.
const LOOK: Duration = Duration::from_secs(1);

pub(super) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let mut body = json!({
        "connector": command.connector,
        "kinds": command.kind,
        "accept_deletions": command.accept_deletions,
        "full": command.full,
    });
    if let Some(repository) = command.repository {
        body["repository"] = json!(repository);
    }
    let run = api.post("/backups", Some(&body)).await?;
    let id = run["id"].as_str().unwrap_or_default().to_owned();
    output.event(&json!({ "event": "queued", "run": id }));
    output.line(format!("run {id} is queued"));
    let path = format!("/runs/{}", segment(&id));
    let mut asked = false;
    let mut told = String::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = cancel.cancelled(), if !asked => {
                asked = true;
                api.post(&format!("{path}/cancel"), None::<&()>).await?;
            }
        }
        let run = api.get(&path).await?;
        if let Some(exit) = ended(&run, output)? {
            return Ok(exit);
        }
        let now = standing(&run);
        if now != told {
            output.line(&now);
            told = now;
        }
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

fn standing(run: &Value) -> String {
    match run["waiting"]["message"].as_str() {
        Some(why) => format!("{}: {why}", text(run, "state")),
        None => text(run, "state").to_owned(),
    }
}

/// The exit code of a run that has ended.
fn ended(run: &Value, output: &Output) -> Result<Option<Exit>, Failure> {
    let exit = match text(run, "state") {
        "queued" | "running" => return Ok(None),
        "succeeded" => Exit::Done,
        "succeeded_with_issues" => Exit::DoneWithIssues,
        "canceled" => return Err(Failure::canceled()),
        _ => {
            let message = text(run, "error");
            return Err(Failure::from(anyhow::anyhow!("the run failed: {message}")));
        }
    };
    output.result(run);
    let counts = &run["counts"];
    output.line(format!(
        "snapshot {}: {} requests, {} received, {} stored",
        text(run, "snapshot"),
        counts["requests"],
        bytes(counts["bytes_received"].as_u64().unwrap_or(0)),
        bytes(counts["bytes_stored"].as_u64().unwrap_or(0)),
    ));
    if exit == Exit::DoneWithIssues {
        output.line(format!("with issues: keepward run issues {}", text(run, "id")));
    }
    Ok(Some(exit))
}
