//! The control side's error, and what it means for the one who waits for the end.

use std::borrow::Cow;

use model::{Class, Outcome, RunState};

use crate::next;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    #[error(transparent)]
    Engine(#[from] engine::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error(transparent)]
    Repository(#[from] repository::Error),
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    /// Something was checked before it was to be saved, and does not fit.
    #[error("{error}")]
    Unfit {
        error: service::Error,
        checks: Vec<service::Check>,
    },
    /// The request itself makes no sense.
    #[error("{message}")]
    Request { code: &'static str, message: String },
}

impl Error {
    /// A code of [`model::code::CODES`], where the error has one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Catalog(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Service(error) | Self::Unfit { error, .. } => Some(error.code),
            Self::Repository(error) => Some(error.code()),
            Self::Io { source, .. } => {
                (source.kind() == std::io::ErrorKind::StorageFull).then_some("disk-full")
            }
            Self::Request { code, .. } => Some(code),
        }
    }

    /// A refusal whose words are those of its code.
    pub(crate) fn coded(code: &'static str) -> Self {
        let message = model::code::find(code)
            .map_or(code, |code| code.title)
            .to_owned();
        Self::Request { code, message }
    }

    /// What the person can do, when the error itself knows more than its code.
    pub fn hint(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Catalog(error) => next::after_catalog(error).map(Cow::from),
            Self::Repository(error) => next::after_repository(error).map(Cow::from),
            Self::Engine(error) => error.hint().map(Cow::from),
            Self::Service(error) | Self::Unfit { error, .. } => {
                error.hint.as_deref().map(Cow::from)
            }
            _ => None,
        }
    }

    pub fn ending(&self) -> Ending {
        let class = match self {
            Self::Service(error)
            | Self::Unfit { error, .. }
            | Self::Engine(engine::Error::Service(error)) => Some(error.class),
            Self::Engine(engine::Error::Canceled) => return Ending::Canceled,
            _ => None,
        };
        match (class, self.code()) {
            (Some(Class::Credential), _) => Ending::SignInAgain,
            (_, Some("repository-damaged")) => Ending::Damage,
            _ => Ending::Failed,
        }
    }
}

/// How something ended, as exit codes tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    Failed,
    DoneWithIssues,
    SignInAgain,
    Damage,
    Canceled,
}

impl From<RunState> for Ending {
    fn from(state: RunState) -> Self {
        match Outcome::of(state) {
            Some(Outcome::Success) => Self::Done,
            Some(Outcome::Warning) => Self::DoneWithIssues,
            Some(Outcome::Canceled) => Self::Canceled,
            Some(Outcome::Failure) | None => Self::Failed,
        }
    }
}
