//! What is told, before it has the form of a channel.

use jiff::Timestamp;
use model::{Alarm, Issue, Occasion, Outcome, Run, RunKind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, Result};

/// Issues that a message names.
pub(super) const ISSUES: u32 = 5;
/// Foreign texts are cut: a receiver may refuse long ones.
const LONGEST: usize = 500;

/// One thing that happened. It holds no secrets: errors and issues are free of them where they are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub occasion: Occasion,
    /// `run.failure`, `alarm.raised`, …
    pub kind: String,
    pub at: Timestamp,
    /// One line.
    pub title: String,
    pub lines: Vec<String>,
    /// For programs.
    pub data: Value,
}

impl Message {
    /// `before` is how often the same failed before it.
    pub(super) fn of_run(run: &Run, occasion: Occasion, issues: &[Issue], before: u64) -> Self {
        let outcome = Outcome::of(run.state).unwrap_or(Outcome::Failure);
        let (connector, repository) = (&run.connector, &run.repository);
        let what = match run.kind {
            RunKind::Backup => format!("Backup of {connector}"),
            RunKind::Plan => format!("Plan of a restore into {connector}"),
            RunKind::Restore => format!("Restore into {connector}"),
            RunKind::Check => format!("Check of repository {repository}"),
            RunKind::Sync => format!("Reading the index of repository {repository}"),
            RunKind::Prune => format!("Prune of repository {repository}"),
            RunKind::Verify if connector.is_empty() => {
                format!("Verification in repository {repository}")
            }
            RunKind::Verify => format!("Verification of {connector}"),
        };
        let ended = match outcome {
            Outcome::Success => "succeeded",
            Outcome::Warning => "succeeded with issues",
            Outcome::Failure if before > 0 => "is still failing",
            Outcome::Failure => "failed",
            Outcome::Canceled => "was canceled",
        };
        let mut lines = Vec::new();
        lines.extend(run.error.as_deref().map(cut));
        for issue in issues {
            lines.push(cut(&format!("{}: {}", issue.code, issue.message)));
        }
        if issues.len() == ISSUES as usize {
            lines.push(format!("and perhaps more: keepward run issues {}", run.id));
        }
        if before > 0 {
            lines.push(format!("It failed {} times in a row", before + 1));
        }
        lines.push(format!("Run {}", run.id));
        Self {
            occasion,
            kind: format!("run.{}", outcome.name()),
            at: run.finished.unwrap_or(run.created),
            title: one_line(&format!("{what} {ended}")),
            lines,
            data: json!({
                "run": run.id, "run_kind": run.kind, "connector": run.connector, "repository": run.repository,
                "outcome": outcome, "snapshot": run.snapshot, "result": run.result, "error": run.error.as_deref().map(cut),
                "issues": issues.iter().map(|issue| json!({"code": issue.code, "message": cut(&issue.message)})).collect::<Vec<_>>(),
            }),
        }
    }

    pub(super) fn of_alarm(alarm: &Alarm, raised: Timestamp) -> Self {
        Self {
            occasion: Occasion::Alarm,
            kind: "alarm.raised".to_owned(),
            at: raised,
            title: one_line(&alarm.message),
            lines: vec![cut(&alarm.hint)],
            data: json!({
                "alarm": alarm.key(), "alarm_kind": alarm.kind, "subject": alarm.subject, "connector": alarm.connector,
                "level": alarm.level, "message": cut(&alarm.message),
            }),
        }
    }

    pub(super) fn test(channel: &str, at: Timestamp) -> Self {
        Self {
            occasion: Occasion::Success,
            kind: "test".to_owned(),
            at,
            title: one_line(&format!("Keepward reaches the channel {channel}")),
            lines: vec!["Somebody asked for this message to see whether it arrives.".to_owned()],
            data: json!({ "channel": channel }),
        }
    }

    pub(super) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| damaged(&error))
    }

    pub(super) fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| damaged(&error))
    }

    pub(super) fn text(&self) -> String {
        self.lines.join("\n")
    }
}

fn damaged(error: &serde_json::Error) -> Error {
    Error::Request {
        code: "catalog-damaged",
        message: format!("a message in the outbox makes no sense: {error}"),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Names come from people and services: none may begin a header or a line of its own.
fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    cut(&plain)
}
