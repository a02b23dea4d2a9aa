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
            code: None,
            hint: Some(hint.into()),
            exit: Exit::Usage,
            checks: Value::Null,
        }
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
            message: "canceled; what was stored is used by the next run".to_owned(),
            code: None,
            hint: None,
            exit: Exit::Canceled,
            checks: Value::Null,
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
    fn from(error: anyhow::Error) -> Self {
        Self::new(format!("{error:#}"), None, None)
    }
}
