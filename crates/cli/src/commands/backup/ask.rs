//! `keepward backup --server`: the server makes the backup, and this tells of it to its end.

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Command;
use crate::client::{Api, text};
use crate::commands::Global;
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::{Output, bytes};

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
    let queued = api.post("/backups", Some(&body)).await?;
    let run = follow::follow(&api, &queued, output, cancel).await?;
    let exit = follow::ended(&api, &run).await?;
    output.result(&follow::result(&run));
    let counts = &run["counts"];
    output.line(format!(
        "snapshot {}: {} requests, {} received, {} stored",
        text(&run, "snapshot").get(..8).unwrap_or_default(),
        counts["requests"],
        bytes(counts["bytes_received"].as_u64().unwrap_or(0)),
        bytes(counts["bytes_stored"].as_u64().unwrap_or(0)),
    ));
    if exit == Exit::DoneWithIssues {
        output.line(format!(
            "with issues: keepward run issues {}",
            text(&run, "id")
        ));
    }
    Ok(exit)
}
