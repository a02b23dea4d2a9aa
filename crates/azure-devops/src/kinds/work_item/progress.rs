//! Where a crawl stands in the middle: a killed run goes on from it instead of reading everything again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use service::{Error, Result};

use super::attachments::Fetched;
use super::crawl::{Run, Said};
use super::marks::Marks;
use super::position::{Position, Wanted};

const VERSION: u32 = 1;

/// What the streams have told.
#[derive(Serialize, Deserialize)]
pub(super) struct Known {
    /// Where the streams stand; the rest of it is that of the crawl before.
    pub(super) position: Position,
    /// All streams were read to their ends once.
    pub(super) read: bool,
    pub(super) marks: Marks,
    /// Items in the recycle bin.
    pub(super) bin: BTreeSet<u32>,
    /// When the last revision was made.
    pub(super) newest: Option<String>,
    pub(super) said: Said,
}

impl Known {
    pub(super) fn at(mut position: Position) -> Self {
        Self {
            bin: std::mem::take(&mut position.bin),
            position,
            read: false,
            marks: Marks::default(),
            newest: None,
            said: Said::default(),
        }
    }
}

/// All that is needed to go on.
#[derive(Deserialize)]
pub(super) struct Saved {
    version: u32,
    /// See [`Run::full`].
    pub(super) full: bool,
    /// See [`Run::again`].
    pub(super) again: bool,
    pub(super) known: Known,
    pub(super) done: Marks,
    pub(super) fetched: Fetched,
    pub(super) failed: BTreeSet<u32>,
}

/// The same, borrowed.
#[derive(Serialize)]
struct Lent<'a> {
    version: u32,
    full: bool,
    again: bool,
    known: &'a Known,
    done: &'a Marks,
    fetched: &'a Fetched,
    failed: &'a BTreeSet<u32>,
}

impl Saved {
    /// `None` for what another version wrote, or for a crawl of something else.
    pub(super) fn read(bytes: &[u8], wanted: Wanted) -> Option<Self> {
        let saved: Self = serde_json::from_slice(bytes).ok()?;
        (saved.version == VERSION && saved.known.position.wanted == wanted).then_some(saved)
    }

    pub(super) fn write(
        run: &Run<'_>,
        known: &Known,
        done: &Marks,
        failed: &BTreeSet<u32>,
    ) -> Result<Vec<u8>> {
        let lent = Lent {
            version: VERSION,
            full: run.full,
            again: run.again,
            known,
            done,
            fetched: &run.fetched,
            failed,
        };
        serde_json::to_vec(&lent).map_err(|error| {
            Error::malformed(format!("where the crawl stands cannot be written: {error}"))
        })
    }
}
