//! Progress: what the engine says while it works; terminals, logs and consoles render it.

use serde::{Deserialize, Serialize};

use crate::Issue;

/// One coalesced report of progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A phase begins: `crawl work-item`, `write`, `index`, `commit`, `verify`.
    Phase {
        phase: String,
    },
    /// Totals so far within the run; `expected` items when a listing told them.
    Progress {
        phase: String,
        /// The name, or the id, of what is read now: foreign text.
        #[serde(skip_serializing_if = "Option::is_none")]
        current: Option<String>,
        items: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<u64>,
        bytes: u64,
        requests: u64,
        /// What the service says is left of the identity's budget (TSTU), when it says so.
        #[serde(skip_serializing_if = "Option::is_none")]
        budget_left: Option<f64>,
    },
    /// Waiting because the service asked for it.
    Waiting {
        seconds: u64,
        reason: String,
    },
    Issue {
        issue: Issue,
    },
    /// Something that a person may want to read, once.
    Note {
        message: String,
    },
}

/// Takes events; must return at once.
pub trait Reporter: Send + Sync {
    fn report(&self, event: Event);
}

/// For work that nobody watches.
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _: Event) {}
}
