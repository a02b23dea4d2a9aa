//! The error of everything that talks to a service; its class is decided where it is made.

use model::{Class, Issue, ItemRef};

pub type Result<T, E = Error> = std::result::Result<T, E>;

const START_AGAIN: &str = "checkpoint-unusable";
const CURSOR_EXPIRED: &str = "cursor-expired";
const DAMAGED: &str = "repository-damaged";

/// What went wrong, whether a retry can help (`class`), and what a person can do (`hint`).
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    pub class: Class,
    /// In [`model::code::CODES`].
    pub code: &'static str,
    pub message: String,
    pub hint: Option<String>,
    /// The HTTP status, when an answer had one.
    pub status: Option<u16>,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn new(class: Class, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            class,
            code,
            message: message.into(),
            hint: None,
            status: None,
            source: None,
        }
    }

    /// The answer does not make sense.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(Class::Malformed, "answer-not-understood", message)
    }

    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Class::Unsupported, "restore-failed", message)
    }

    /// Our own store or disk is at fault.
    pub fn storage(message: impl Into<String>) -> Self {
        Self::new(Class::Storage, DAMAGED, message)
    }

    /// A crawl cannot go on from its position of a killed run: the run begins anew.
    pub fn start_again(message: impl Into<String>) -> Self {
        Self::new(Class::Malformed, START_AGAIN, message)
    }

    pub fn is_start_again(&self) -> bool {
        self.code == START_AGAIN
    }

    /// The service no longer knows the cursor: the kind is crawled again without one, and what a complete listing lacks is gone.
    pub(crate) fn cursor_expired(message: impl Into<String>) -> Self {
        Self::new(Class::Missing, CURSOR_EXPIRED, message)
    }

    pub fn is_cursor_expired(&self) -> bool {
        self.code == CURSOR_EXPIRED
    }

    /// Something stored cannot be read back; the store itself answers.
    pub fn is_damage(&self) -> bool {
        self.code == DAMAGED && !self.is_fatal()
    }

    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Gets our error back out of one of reading an [`crate::http::Body`]; any other one is about our own disk.
    pub fn from_read(error: std::io::Error) -> Self {
        error
            .downcast::<Self>()
            .unwrap_or_else(|error| Self::storage("reading failed").caused_by(error))
    }

    /// The service's own words, when the error is one of its refusals.
    pub fn fault(&self) -> Option<&crate::http::Fault> {
        self.source.as_ref()?.downcast_ref()
    }

    /// The whole run is at an end: no other item would fare better.
    pub fn is_fatal(&self) -> bool {
        matches!(self.class, Class::Credential | Class::Storage)
    }

    /// The service answered that it does not do what was asked: nothing came of the request. A wait that came to its end (408) does not say that.
    pub fn did_nothing(&self) -> bool {
        self.status
            .is_some_and(|status| (400..500).contains(&status) && status != 408)
    }

    /// As an issue of a run about a kind in a scope, or about one item of it.
    pub fn to_issue(&self, kind: &str, scope: &str, item: Option<ItemRef>) -> Issue {
        Issue {
            code: self.code.to_owned(),
            class: self.class,
            kind: kind.to_owned(),
            scope: scope.to_owned(),
            item,
            message: self.message.clone(),
            hint: self.hint.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_says_that_nothing_was_done() {
        let error = || Error::malformed("");
        let refused = [400, 401, 403, 404, 409, 412, 429];
        assert!(refused.map(|status| error().with_status(status).did_nothing()) == [true; 7]);
        let unclear = [200, 302, 408, 500, 502, 503, 504];
        assert!(unclear.map(|status| error().with_status(status).did_nothing()) == [false; 7]);
        assert!(!error().did_nothing(), "no answer came");
    }
}
