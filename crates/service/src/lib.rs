//! The kit for services: what a service and its kinds are, the HTTP client, git.

pub mod crawl;
pub mod delta;
pub mod directory;
pub mod egress;
pub mod entra;
pub mod error;
pub mod git;
pub mod http;
pub mod inspect;
mod json;
pub mod kind;
#[cfg(test)]
#[path = "../../../fuzz/mutate.rs"]
mod mutate;
pub mod people;
pub mod preflight;
pub mod restore;
pub mod stored;
pub mod text;

pub use crawl::{Crawl, Cursor, Item, Order, Scope, Sink};
pub use delta::DeltaKind;
pub use error::{Error, Result};
pub use http::Client;
pub use inspect::{Inspect, Inspection};
pub use kind::{Crawled, Fidelity, Kind, KindSpec, Layout, Loss, Permission};
pub use preflight::{Check, Outcome as CheckOutcome};
pub use restore::{
    Found, FoundState, GONE, Ids, Journal, Outcome, Pass, Removal, Restore, StoredItem, Target,
};
pub use stored::{PartInfo, Stored, Unreadable};
pub use text::{Searched, TextOf};

/// A host of a service; a connector may override it (simulator, Server, sovereign clouds).
#[derive(Clone, Copy, Debug)]
pub struct Host {
    /// How kinds name it: `dev`.
    pub name: &'static str,
    /// Its address, with `{organization}` where that belongs.
    pub url: &'static str,
}

/// A product that we can protect, as data.
pub struct Service {
    /// Stored in snapshots, never changed.
    pub name: &'static str,
    pub title: &'static str,
    pub hosts: &'static [Host],
    pub kinds: &'static [&'static dyn Kind],
    /// Checks organization and credential before anything is saved; reads only.
    pub preflight: &'static dyn preflight::Preflight,
}

impl Service {
    pub fn kind(&self, name: &str) -> Option<&'static dyn Kind> {
        self.kinds
            .iter()
            .copied()
            .find(|kind| kind.spec().name == name)
    }
}
