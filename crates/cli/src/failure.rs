//! How a command fails: message, stable code, hint, exit code.

use std::process::ExitCode;

use control::{Ending, next};
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
            ..Self::coded("canceled", "canceled")
        }
    }

    /// From what a layer below ended with, which may name no code of its own.
    fn of(
        error: &(dyn std::error::Error + 'static),
        code: Option<&str>,
        hint: Option<&str>,
    ) -> Self {
        let failure = Self::coded(code.unwrap_or_else(|| code_of(error)), chain(error));
        Self {
            hint: hint.map(str::to_owned).or(failure.hint),
            ..failure
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

/// The code of an error that has none: nearly all that the layers below do not name is about files of this machine.
fn code_of(error: &(dyn std::error::Error + 'static)) -> &'static str {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut of_files = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    of_files.next().map_or("unexpected", of_a_file)
}

/// What a file of this machine could not be read or written for.
pub(crate) fn of_a_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => "disk-full",
        _ => "file-failed",
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
        Self::of(&error, error.code(), error.hint())
    }
}

impl From<control::Error> for Failure {
    fn from(error: control::Error) -> Self {
        let ending = error.ending();
        if ending == Ending::Canceled {
            return Self::canceled();
        }
        let code = match &error {
            control::Error::Catalog(error) => Some(of_the_catalog(error)),
            error => error.code(),
        };
        let mut failure = Self::of(&error, code, error.hint().as_deref());
        if ending == Ending::SignInAgain {
            failure.exit = Exit::SignInAgain;
        }
        failure
    }
}

impl From<repository::Error> for Failure {
    fn from(error: repository::Error) -> Self {
        let hint = next::after_repository(&error);
        Self::of(&error, Some(error.code()), hint.as_deref())
    }
}

fn of_the_catalog(error: &catalog::Error) -> &'static str {
    error.code().unwrap_or("catalog-failed")
}

impl From<catalog::Error> for Failure {
    fn from(error: catalog::Error) -> Self {
        let hint = next::after_catalog(&error);
        Self::of(&error, Some(of_the_catalog(&error)), hint)
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        Self::of(&error, Some(error.code), error.hint.as_deref())
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::coded(code_of(error.as_ref()), format!("{error:#}"))
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
    fn a_full_disk_is_told_as_that_wherever_it_comes_from() {
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        let named = std::io::Error::new(full().kind(), full());
        for error in [
            anyhow::Error::new(full()).context("cannot write it"),
            anyhow::Error::new(named),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.code.as_deref(), Some("disk-full"));
        }
    }

    #[test]
    fn every_failure_has_a_code_that_can_be_explained() {
        let io = std::io::Error::from(std::io::ErrorKind::NotFound);
        let failures = [
            Failure::usage("message", "hint"),
            Failure::canceled(),
            Failure::from(anyhow::Error::new(io).context("cannot read it")),
            Failure::from(anyhow::anyhow!("something else")),
            Failure::from(engine::Error::Canceled),
            Failure::from(control::Error::Catalog(catalog::Error::JobUnknown {
                id: String::new(),
            })),
        ];
        for failure in failures {
            let code = failure.code.unwrap();
            assert!(model::code::find(&code).is_some(), "{code}");
            assert!(failure.hint.is_some(), "{code}");
        }
    }
}
