//! Runs of a server, from the request that made them to their end.

use std::sync::Arc;
use std::time::Duration;

use model::Reporter as _;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::{Api, Stream, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::visible::visible;

/// How often the server is asked where it does not tell by itself.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is asked all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// So often in a row it may be unreachable while the run goes on: it may start again, or what is between.
const TRIES: u32 = 60;
/// What ended a run is among its first issues.
const ISSUES: usize = 20;

/// Tells what a run that was just queued does until it has ended; the run as it is then. Who cancels asks the server to end it.
pub(crate) async fn follow(
    api: &Api,
    queued: &Value,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Value, Failure> {
    let id = text(queued, "id");
    output.event(&json!({ "event": "queued", "run": id }));
    output.line(format!("run {id} is queued"));
    let progress = Progress::new(output);
    let ended = to_the_end(api, id, &progress, output, cancel).await;
    progress.finish();
    ended
}

async fn to_the_end(
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

fn standing(run: &Value) -> String {
    match run["waiting"]["message"].as_str() {
        Some(why) => format!("{}: {why}", text(run, "state")),
        None => text(run, "state").to_owned(),
    }
}

/// The exit code that a run which has ended would have had here; a failed one is the failure.
pub(crate) fn exit(run: &Value) -> Result<Exit, Failure> {
    match text(run, "state") {
        "succeeded" => return Ok(Exit::Done),
        "succeeded_with_issues" => return Ok(Exit::DoneWithIssues),
        "canceled" => return Err(Failure::canceled()),
        _ => {}
    }
    let mut failure = if run["result"]["damage"].as_u64().unwrap_or(0) > 0 {
        Failure::coded("repository-damaged", text(run, "error"))
    } else {
        Failure::from(anyhow::anyhow!("the run failed: {}", text(run, "error")))
    };
    failure.hint = Some(format!("keepward run issues {}", text(run, "id")));
    Err(failure)
}

/// As [`exit`], where the run's issues may tell that somebody has to sign in again.
pub(crate) async fn ended(api: &Api, run: &Value) -> Result<Exit, Failure> {
    let failure = match exit(run) {
        Err(failure) if failure.exit == Exit::Failed => failure,
        other => return other,
    };
    let path = format!("/runs/{}/issues", segment(text(run, "id")));
    let issues = api.list_most(&path, ISSUES).await?;
    let coded = |issue: &Value| {
        let mut coded = Failure::coded(text(issue, "code"), failure.message.clone());
        coded.hint = issue["hint"].as_str().map(str::to_owned).or(coded.hint);
        coded
    };
    let coded = issues.iter().map(coded);
    let again = coded.into_iter().find(|one| one.exit == Exit::SignInAgain);
    Err(again.unwrap_or(failure))
}

/// What to show of a run that has ended, with the name that it has in the events of commands.
pub(crate) fn result(run: &Value) -> Value {
    let mut result = run.clone();
    result["run"] = run["id"].clone();
    result
}

/// The first issues of a run, each as an event of this name.
pub(crate) async fn tell_issues(
    api: &Api,
    run: &Value,
    event: &str,
    most: usize,
    output: &Output,
) -> Result<(), Failure> {
    let path = format!("/runs/{}/issues", segment(text(run, "id")));
    let issues = api.list_most(&path, most).await?;
    for issue in &issues {
        output.event(&json!({
            "event": event, "code": issue["code"], "kind": issue["kind"], "item": issue["item"], "message": issue["message"],
        }));
    }
    for issue in issues.iter().take(most) {
        let message = visible(text(issue, "message"));
        output.line(format!("{event}: {message}"));
    }
    if issues.len() > most {
        output.line(format!("and more: keepward run issues {}", text(run, "id")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_with_the_code_that_its_command_would_have() {
        let table = [
            (json!({"state": "succeeded"}), Exit::Done),
            (
                json!({"state": "succeeded_with_issues"}),
                Exit::DoneWithIssues,
            ),
            (json!({"state": "canceled"}), Exit::Canceled),
            (json!({"state": "failed", "error": "why"}), Exit::Failed),
            (
                json!({"state": "failed", "result": {"damage": 2}}),
                Exit::Damage,
            ),
        ];
        for (run, expected) in table {
            let found = exit(&run).unwrap_or_else(|failure| failure.exit);
            assert_eq!(found, expected, "{run}");
        }
    }
}
