//! The engine's error: it names the part that failed and keeps its code and hint.

use model::Class;

pub type Result<T, E = Error> = std::result::Result<T, E>;

pub(crate) const DAMAGED: &str = "repository-damaged";

/// Why a backup, restore or export ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Service(#[from] service::Error),
    #[error(transparent)]
    Repository(#[from] repository::Error),
    /// The control side refused or failed.
    #[error("{message}")]
    Control { code: &'static str, message: String },
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    #[error("canceled")]
    Canceled,
    /// The request itself makes no sense.
    #[error("{message}")]
    Request { code: &'static str, message: String },
}

impl Error {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn missing(item: &model::ItemRef, part: &str) -> Self {
        Self::Request {
            code: DAMAGED,
            message: format!("{item}: the snapshot has no {part}"),
        }
    }

    /// Something stored cannot be read back; the storage itself answers.
    pub(crate) fn is_damage(&self) -> bool {
        self.code() == Some(DAMAGED)
    }

    /// A checkpoint turned out to be of no use.
    pub(crate) fn is_start_again(&self) -> bool {
        matches!(self, Self::Service(error) if error.is_start_again())
    }

    /// A code of [`model::code::CODES`], where the error has one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service(error) => Some(error.code),
            Self::Repository(error) => Some(error.code()),
            Self::Control { code, .. } | Self::Request { code, .. } => Some(code),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Some("disk-full")
            }
            Self::Io { .. } | Self::Canceled => None,
        }
    }

    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Service(error) => error.hint.as_deref(),
            _ => None,
        }
    }

    /// For a sink's answer to a kind, which knows only the service's error.
    pub(crate) fn into_service(self) -> service::Error {
        let full = |error: &std::io::Error| error.kind() == std::io::ErrorKind::StorageFull;
        let (class, code) = match &self {
            // What is damaged says nothing of the rest of the repository.
            Self::Repository(error) if error.code() == DAMAGED => (Class::Malformed, DAMAGED),
            Self::Repository(error) => (Class::Storage, error.code()),
            // An item with a name that nothing stored can have, or without what it should have: others fare better.
            Self::Request { code, .. } => (Class::Malformed, *code),
            Self::Control { code, .. } => (Class::Storage, *code),
            Self::Io { source, .. } if full(source) => (Class::Storage, "disk-full"),
            Self::Io { .. } | Self::Canceled | Self::Service(_) => {
                (Class::Storage, "storage-failed")
            }
        };
        match self {
            Self::Service(error) => error,
            other => service::Error::new(class, code, other.to_string()),
        }
    }
}
