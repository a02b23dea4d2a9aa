//! `keepward backup --server`: the server makes the backup, and this tells of it to its end.

use std::sync::Arc;
use std::time::Duration;

use model::Reporter as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::client::{Api, Stream, segment};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes};
use crate::progress::Progress;

/// How often the server is asked where it does not tell by itself.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is asked all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// So often in a row it may be unreachable while the run goes on: it may start again, or what is between.
const TRIES: u32 = 60;

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
    let id = text(&run, "id").to_owned();
    output.event(&json!({ "event": "queued", "run": id }));
    output.line(format!("run {id} is queued"));
    let progress = Progress::new(output);
    let ended = follow(&api, &id, &progress, output, cancel).await;
    progress.finish();
    end(&ended?, output)
}

/// Tells what the run does until it has ended.
async fn follow(
    api: &Api,
    id: &str,
    progress: &Arc<Progress>,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Value, Failure> {
    let path = format!("/runs/{}", segment(id));
    let events = format!("{path}/events");
    let mut asked = false;
    let mut told = String::new();
    let mut failures = 0;
    let mut last = None;
    let mut stream = None;
    loop {
        // It listens before it looks: what happens between the two is told.
        if stream.is_none() {
            stream = api.follow(&events, last.as_deref()).await;
        }
        match api.get(&path).await {
            Ok(run) if !matches!(text(&run, "state"), "queued" | "running") => return Ok(run),
            Ok(run) => {
                failures = 0;
                let now = standing(&run);
                if now != told {
                    output.line(&now);
                    told = now;
                }
            }
            Err(failure) => {
                failures += 1;
                let gone = failure.code.as_deref() == Some("server-unreachable");
                if !gone || failures > TRIES {
                    return Err(failure);
                }
            }
        }
        let pause = if stream.is_some() { LOOK_AGAIN } else { LOOK };
        tokio::select! {
            () = cancel.cancelled(), if !asked => {
                asked = true;
                api.post(&format!("{path}/cancel"), None::<&()>).await?;
            }
            () = tokio::time::sleep(pause) => {}
            heard = hear(&mut stream, progress) => {
                last = heard;
            }
        }
    }
}

/// Shows progress until the run is another than it was, or the stream has ended; gives the id of the last event.
async fn hear(stream: &mut Option<Stream>, progress: &Arc<Progress>) -> Option<String> {
    let Some(open) = stream else {
        return std::future::pending().await;
    };
    while let Some(told) = open.next().await {
        if matches!(told.name.as_str(), "changed" | "reset") {
            return open.last.clone();
        }
        match serde_json::from_value(told.data["data"].clone()) {
            Ok(event) => progress.report(event),
            Err(error) => {
                tracing::debug!(%error, name = told.name, "an event that is not known here");
            }
        }
    }
    let last = open.last.clone();
    *stream = None;
    last
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

/// What the run came to, with the exit code that it would have had here.
fn end(run: &Value, output: &Output) -> Result<Exit, Failure> {
    let exit = match text(run, "state") {
        "succeeded" => Exit::Done,
        "succeeded_with_issues" => Exit::DoneWithIssues,
        "canceled" => return Err(Failure::canceled()),
        _ => {
            let mut failure =
                Failure::from(anyhow::anyhow!("the run failed: {}", text(run, "error")));
            failure.hint = Some(format!("keepward run issues {}", text(run, "id")));
            return Err(failure);
        }
    };
    let mut result = run.clone();
    result["run"] = run["id"].clone();
    output.result(&result);
    let counts = &run["counts"];
    output.line(format!(
        "snapshot {}: {} requests, {} received, {} stored",
        text(run, "snapshot").get(..8).unwrap_or_default(),
        counts["requests"],
        bytes(counts["bytes_received"].as_u64().unwrap_or(0)),
        bytes(counts["bytes_stored"].as_u64().unwrap_or(0)),
    ));
    if exit == Exit::DoneWithIssues {
        output.line(format!(
            "with issues: keepward run issues {}",
            text(run, "id")
        ));
    }
    Ok(exit)
}
