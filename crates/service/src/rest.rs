//! Kinds as tables: what one list request, its pages and a few JSON pointers can say.

mod compare;
mod crawl;
mod kind;
mod pages;
pub(crate) mod read;
mod restore;
mod target;

use crate::KindSpec;

pub use pages::Pages;
pub use read::text_at;
pub(crate) use read::text_in;

/// A kind whose items all come from one list, whole. Its items have the scope in which it is crawled. A kind that needs an `if` implements [`crate::Kind`] by hand.
#[derive(Debug)]
pub struct RestKind {
    pub spec: KindSpec,
    pub list: List,
    /// JSON pointer to the id in an item's document; a text or a number.
    pub id: &'static str,
    /// JSON pointer to the name: what a person searches for, and what makes items of two places the same.
    pub name: &'static str,
    /// JSON pointer to the time of the last change.
    pub modified: Option<&'static str>,
    /// More lists of each item; each costs one request or more an item.
    pub parts: &'static [PartList],
    pub write: Option<Write>,
}

/// A request whose answers are `{"count":n,"value":[…]}`.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub host: &'static str,
    /// Begins with `/`; may hold `{scope}` (the id) and `{scope-name}`, which are percent-encoded here.
    pub path: &'static str,
    pub query: &'static [(&'static str, &'static str)],
    pub version: &'static str,
    pub paging: Paging,
}

/// How a list goes on. Whatever it is, an `x-ms-continuationtoken` in an answer is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// One answer.
    One,
    /// `x-ms-continuationtoken` becomes `continuationToken`.
    Header,
    /// `$top` and `$skip` up to a page with fewer than `size` items.
    Skip { size: u32 },
    /// A member of the answer becomes `continuationToken`; it ends when that is missing, null or empty.
    Body { token: &'static str },
}

/// A list that belongs to an item and is stored beside its document.
#[derive(Clone, Copy, Debug)]
pub struct PartList {
    /// With `.ndjson` one record a line, else the only answer as it is.
    pub file: &'static str,
    /// May hold `{id}`, `{scope}` and `{scope-name}`.
    pub path: &'static str,
    pub version: &'static str,
    pub paging: Paging,
}

/// How items are written back.
#[derive(Clone, Copy, Debug)]
pub struct Write {
    /// POST there; may hold `{scope}`.
    pub create: &'static str,
    /// PATCH there; may hold `{scope}` and `{id}`. Without it an item cannot be replaced.
    pub update: Option<&'static str>,
    pub version: &'static str,
    /// Top-level members that the service sets by itself: they are neither sent nor compared.
    pub drop: &'static [&'static str],
}
