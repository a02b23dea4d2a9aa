//! How a command fails: message, stable code, hint, exit code.

use std::process::ExitCode;

use control::Ending;
use serde_json::Value;

/// Exit codes of every command (docs/reference/cli.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    DoneWithIssues = 3,
    SignInAgain = 4,
    WaitsForApproval = 7,
    Damage = 8,
    Canceled = 130,
}

/// Of what is wrong with the command itself.
const USAGE: &str = "usage";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended without its result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub message: String,
    /// In [`model::code::CODES`], for `keepward explain`.
    pub code: Option<String>,
    pub hint: Option<String>,
    pub exit: Exit,
    /// What was checked before it failed.
    pub checks: Value,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: Some(USAGE.to_owned()),
            hint: Some(hint.into()),
            exit: Exit::Usage,
            checks: Value::Null,
        }
    }

    /// From the parser's text, whose first paragraph says what is wrong, and the others what would be right.
    pub(crate) fn not_understood(text: &str) -> Self {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = text.trim_start_matches("error: ").trim();
        let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
        Self::usage(words(message), words(rest))
    }

    pub(crate) fn coded(code: &str, message: impl Into<String>) -> Self {
        let remedy = model::code::find(code).map(|code| code.remedy.to_owned());
        Self {
            message: message.into(),
            exit: exit_of(Some(code)),
            checks: Value::Null,
            code: Some(code.to_owned()),
            hint: remedy,
        }
    }

    pub(crate) fn canceled() -> Self {
        Self {
            exit: Exit::Canceled,
            ..Self::coded(
                "canceled",
                "canceled; what was stored is used by the next run",
            )
        }
    }

    fn new(message: String, code: Option<String>, hint: Option<String>) -> Self {
        let remedy = || {
            code.as_deref()
                .and_then(model::code::find)
                .map(|code| code.remedy.to_owned())
        };
        Self {
            hint: hint.or_else(remedy),
            exit: exit_of(code.as_deref()),
            checks: Value::Null,
            message,
            code,
        }
    }
}

fn exit_of(code: Option<&str>) -> Exit {
    match code {
        Some(
            "credential-refused"
            | "pat-global"
            | "token-expired"
            | "token-not-configured"
            | "client-secret-refused"
            | "certificate-refused"
            | "account-refused"
            | "sign-in-more",
        ) => Exit::SignInAgain,
        Some("repository-damaged") => Exit::Damage,
        Some(
            USAGE | "key-ambiguous" | "key-unknown" | "repository-unnamed" | "secret-file-empty",
        ) => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// The message with what caused it, outermost first.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

impl From<engine::Error> for Failure {
    fn from(error: engine::Error) -> Self {
        if matches!(error, engine::Error::Canceled) {
            return Self::canceled();
        }
        Self::new(
            chain(&error),
            error.code().map(str::to_owned),
            error.hint().map(str::to_owned),
        )
    }
}

impl From<control::Error> for Failure {
    fn from(error: control::Error) -> Self {
        let ending = error.ending();
        if ending == Ending::Canceled {
            return Self::canceled();
        }
        let mut failure = Self::new(
            chain(&error),
            error.code().map(str::to_owned),
            error.hint().map(str::to_owned),
        );
        if ending == Ending::SignInAgain {
            failure.exit = Exit::SignInAgain;
        }
        failure
    }
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        Self::new(chain(&error), Some(error.code().to_owned()), None)
    }
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        Self::new(chain(&error), error.code().map(str::to_owned), None)
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        Self::new(
            chain(&error),
            Some(error.code.to_owned()),
            error.hint.clone(),
        )
    }
}

impl From<anyhow::Error> for Failure {
    /// Nearly all that the layers below do not name is about files of this machine.
    fn from(error: anyhow::Error) -> Self {
        let of_a_file = error
            .chain()
            .any(<dyn std::error::Error>::is::<std::io::Error>);
        let code = if of_a_file {
            "file-failed"
        } else {
            "unexpected"
        };
        Self::new(format!("{error:#}"), Some(code.to_owned()), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parsers_text_becomes_message_and_hint() {
        let text = "error: the following required arguments were not provided:\n  <SNAPSHOT>\n\nUsage: keepward snapshot show <SNAPSHOT>\n\nFor more information, try '--help'.\n";
        let failure = Failure::not_understood(text);
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(
            failure.message,
            "the following required arguments were not provided: <SNAPSHOT>"
        );
        let hint = failure.hint.unwrap();
        assert!(hint.starts_with("Usage: keepward snapshot show"), "{hint}");
    }

    #[test]
    fn every_failure_has_a_code_that_can_be_explained() {
        let io = std::io::Error::from(std::io::ErrorKind::NotFound);
        let failures = [
            Failure::usage("message", "hint"),
            Failure::canceled(),
            Failure::from(anyhow::Error::new(io).context("cannot read it")),
            Failure::from(anyhow::anyhow!("something else")),
        ];
        for failure in failures {
            let code = failure.code.unwrap();
            assert!(model::code::find(&code).is_some(), "{code}");
            assert!(failure.hint.is_some(), "{code}");
        }
    }
}
