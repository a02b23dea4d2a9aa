//! Runs through the interface.

use serde_json::{Value, json};

use super::{Acknowledge, Command};
use crate::client::{Api, segment, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    match command {
        Command::List { limit } => list(&api, limit, output).await?,
        Command::Show { run } => {
            let run = api.get(&format!("/runs/{}", segment(&run))).await?;
            output.event(&run);
            show(&run, output);
        }
        Command::Issues(issues) => {
            let path = format!("/runs/{}/issues", segment(&issues.run));
            let mut found = api.list(&path).await?;
            found.truncate(issues.limit as usize);
            for issue in &found {
                output.event(issue);
                output.line(format!(
                    "{}: {}",
                    text(issue, "code"),
                    text(issue, "message")
                ));
                if let Some(hint) = issue["hint"].as_str() {
                    output.line(format!("  hint: {hint}"));
                }
            }
        }
        Command::Cancel { run } => {
            let path = format!("/runs/{}/cancel", segment(&run));
            let run = api.post(&path, None::<&()>).await?;
            output.result(&run);
            output.line(match text(&run, "state") {
                "canceled" => "the run is canceled",
                _ => "its worker is asked to end it",
            });
        }
        Command::Retry { run } => {
            let path = format!("/runs/{}/retry", segment(&run));
            let run = api.post(&path, None::<&()>).await?;
            output.result(&run);
            output.line(format!("run {} is queued", text(&run, "id")));
        }
        Command::Recurring { connector } => {
            let filter = connector.map(|name| format!("?connector={}", segment(&name)));
            let issues = api
                .list(&format!("/issues{}", filter.unwrap_or_default()))
                .await?;
            recurring(&issues, output);
        }
        Command::Acknowledge(one) => acknowledge(&api, one, output).await?,
    }
    Ok(Exit::Done)
}

async fn list(api: &Api, limit: u32, output: &Output) -> Result<(), Failure> {
    let limit = limit as usize;
    let mut runs = api.list_most("/runs", limit).await?;
    runs.truncate(limit);
    let head = [
        "run",
        "what",
        "connector",
        "policy",
        "state",
        "begun",
        "requests",
        "waits for",
    ];
    output.rows(&head, &runs, |run| {
        vec![
            text(run, "id").to_owned(),
            text(run, "kind").to_owned(),
            text(run, "connector").to_owned(),
            text(run, "policy").to_owned(),
            text(run, "state").to_owned(),
            moment(&text(run, "created")),
            run["counts"]["requests"].to_string(),
            text(&run["waiting"], "message").to_owned(),
        ]
    });
    Ok(())
}

fn show(run: &Value, output: &Output) {
    let counts = &run["counts"];
    let size = |key: &str| bytes(counts[key].as_u64().unwrap_or(0));
    let requests = format!(
        "{} ({} received, {} stored)",
        counts["requests"],
        size("bytes_received"),
        size("bytes_stored")
    );
    let resumed = match text(run, "resumed_from") {
        "" => String::new(),
        before => format!("from the checkpoint of run {before}"),
    };
    let members = [
        ("run", text(run, "id").to_owned()),
        ("what", text(run, "kind").to_owned()),
        ("connector", text(run, "connector").to_owned()),
        ("repository", text(run, "repository").to_owned()),
        ("policy", text(run, "policy").to_owned()),
        ("reason", text(run, "reason").to_owned()),
        ("state", text(run, "state").to_owned()),
        ("waits for", text(&run["waiting"], "message").to_owned()),
        ("retry of", text(run, "retry_of").to_owned()),
        ("begun", moment(&text(run, "created"))),
        ("finished", moment(&text(run, "finished"))),
        ("snapshot", text(run, "snapshot").to_owned()),
        ("resumed", resumed),
        ("requests", requests),
        ("error", text(run, "error").to_owned()),
    ];
    for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format!("{name:<10} {value}"));
    }
    // What retention dropped after it.
    for gone in run["result"]["forgotten"].as_array().into_iter().flatten() {
        let (id, time) = (text(gone, "id"), moment(&text(gone, "time")));
        output.line(format!("{:<10} {id} {time}", "forgotten"));
    }
}

fn recurring(issues: &[Value], output: &Output) {
    let head = [
        "connector",
        "code",
        "kind",
        "item",
        "runs",
        "last",
        "acknowledged",
        "message",
    ];
    output.rows(&head, issues, |issue| {
        vec![
            match issue["repository"].as_str() {
                Some(repository) => format!("repository {repository}"),
                None => text(issue, "connector").to_owned(),
            },
            text(issue, "code").to_owned(),
            text(issue, "kind").to_owned(),
            text(issue, "item").to_owned(),
            issue["runs"].to_string(),
            moment(&text(issue, "last")),
            text(&issue["acknowledged"], "by").to_owned(),
            text(issue, "message").to_owned(),
        ]
    });
}

async fn acknowledge(api: &Api, one: Acknowledge, output: &Output) -> Result<(), Failure> {
    let what = if one.repository {
        "repository"
    } else {
        "connector"
    };
    let mut body = json!({
        what: one.subject,
        "code": one.code,
        "kind": one.kind,
        "scope": one.scope,
        "item": one.item,
    });
    if let Some(until) = one.until {
        body["until"] = json!(until);
    }
    if let Some(note) = one.note {
        body["note"] = json!(note);
    }
    api.post("/issues/acknowledge", Some(&body)).await?;
    output.result(&json!({ "acknowledged": one.code, what: one.subject }));
    output.line(format!("{} of {} is acknowledged", one.code, one.subject));
    Ok(())
}
