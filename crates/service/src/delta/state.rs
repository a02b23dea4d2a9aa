//! How far a round has come.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::relations::Relations;
use crate::{Error, Result};

/// What a round knows; it is also the place from which a killed run goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// Where the round goes on; at its beginning none, or the cursor.
    pub(super) link: Option<String>,
    pub(super) relations: Relations,
    /// Items that a complete crawl has sent: their lists are sent even when they are empty. Of kinds with relations, and where items are chosen.
    pub(super) listed: BTreeSet<String>,
    /// Items that came with less than was stored: they are read by their id.
    pub(super) again: BTreeSet<String>,
    /// Items whose stored documents are damaged: they are read by their id, and named until the round after that.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) damaged: BTreeSet<String>,
    /// Items that may be gone.
    pub(super) doubtful: BTreeSet<String>,
}

impl State {
    /// Where a round begins: at a link, or at one with what the round before left open.
    pub(super) fn begin(cursor: Option<&str>) -> Result<Self> {
        match cursor {
            Some(open) if open.starts_with('{') => serde_json::from_str(open)
                .map_err(|error| Error::cursor_expired(format!("it is not understood: {error}"))),
            link => Ok(Self {
                link: link.map(str::to_owned),
                ..Self::default()
            }),
        }
    }

    /// The cursor for next time. What could not be read now is not named again by the service: it goes along, with the pieces of its lists.
    pub(super) fn cursor(mut self, link: String, open: &BTreeSet<String>) -> Result<String> {
        if open.is_empty() {
            return Ok(link);
        }
        self.link = Some(link);
        self.relations.keep(open);
        self.listed.clear();
        self.damaged.clear();
        self.again.retain(|id| open.contains(id));
        self.doubtful.retain(|id| open.contains(id));
        serde_json::to_string(&self)
            .map_err(|error| Error::malformed(format!("the cursor cannot be written: {error}")))
    }

    pub(super) fn read(saved: &[u8]) -> Result<Self> {
        serde_json::from_slice(saved)
            .map_err(|error| Error::start_again(format!("its place is not understood: {error}")))
    }

    pub(super) fn write(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self)
            .map_err(|error| Error::malformed(format!("the place cannot be written: {error}")))
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.relations.forget(id);
        self.listed.remove(id);
        self.again.remove(id);
        self.damaged.remove(id);
        self.doubtful.remove(id);
    }
}
