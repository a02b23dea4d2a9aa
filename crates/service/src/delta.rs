//! Kinds that the service reports by change (Microsoft Graph): a first round lists everything, each later one what changed since.

mod batch;
mod crawl;
mod document;
mod kind;
mod link;
mod page;
mod relations;
mod state;

use crate::KindSpec;

pub use batch::{Inner, get_each};
pub use page::{each_page, follow};

/// A kind whose items come from one delta query. A kind that needs an `if` implements [`crate::Kind`] by hand.
#[derive(Debug)]
pub struct DeltaKind {
    pub spec: KindSpec,
    pub host: &'static str,
    /// Where the first round begins: `/users/delta`. Its query is baked into the tokens, so that changing it here needs a full backup.
    pub path: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    /// Sent with every request of the kind.
    pub headers: &'static [(&'static str, &'static str)],
    /// One request that proves that the kind can be read, with at most one item in its answer.
    pub probe: &'static str,
    /// JSON pointer to the id.
    pub id: &'static str,
    /// JSON pointers to what a person searches for; the first that is there counts.
    pub name: &'static [&'static str],
    /// JSON pointer to the time of the last change.
    pub modified: Option<&'static str>,
    /// One item as the rounds give it; holds `{id}`.
    pub one: &'static str,
    /// Members that list other items; they are stored beside the document, one record a line.
    pub relations: &'static [Relation],
    pub gone: Gone,
}

/// A list within an item that a round gives in pieces, and later by what was added and removed.
#[derive(Clone, Copy, Debug)]
pub struct Relation {
    /// `members@delta`.
    pub member: &'static str,
    /// `members.ndjson`.
    pub file: &'static str,
}

/// How the service says that an item is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// The round marks it.
    Marked,
    /// The round may give it without any mark: changed items are asked for by their id, and those that are not found are gone.
    Asked,
}
