//! `keepward doctor`: looks at everything that a backup needs, and says what to do about what is wrong.

mod home;
mod machine;
mod network;

use clap::Args;
use serde::Serialize;

use super::Global;
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Args)]
pub(crate) struct Command {
    /// Leave out what needs the network
    #[arg(long)]
    offline: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Pass,
    Fail,
    /// It could not be looked at.
    Unknown,
}

/// What one look found.
#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    outcome: Outcome,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

impl Finding {
    fn pass(check: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            check: check.into(),
            outcome: Outcome::Pass,
            detail: detail.into(),
            fix: None,
        }
    }

    fn fail(check: impl Into<String>, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Fail,
            fix: Some(fix.into()),
            ..Self::pass(check, detail)
        }
    }

    fn unknown(
        check: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            outcome: Outcome::Unknown,
            ..Self::fail(check, detail, fix)
        }
    }

    fn hinted(mut self, fix: &str) -> Self {
        self.fix = Some(fix.to_owned());
        self
    }

    fn failed(check: impl Into<String>, failure: &Failure) -> Self {
        let fix = failure
            .hint
            .as_deref()
            .unwrap_or("The message names the cause.");
        Self::fail(check, &failure.message, fix)
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let mut findings = Vec::new();
    if let Some(url) = &global.server {
        network::server(url, global, &mut findings).await;
    } else {
        machine::look(&mut findings).await;
        home::look(&global.data(), !command.offline, &mut findings).await;
    }
    for finding in &findings {
        output.event(finding);
        let word = match finding.outcome {
            Outcome::Pass => "ok",
            Outcome::Fail => "FAIL",
            Outcome::Unknown => "?",
        };
        output.line(format!("{word:4}  {}: {}", finding.check, finding.detail));
        if let Some(fix) = &finding.fix {
            output.line(format!("      {fix}"));
        }
    }
    let failed = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Fail)
        .count();
    output.result(&serde_json::json!({"checks": findings.len(), "failed": failed}));
    Ok(if failed == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}
