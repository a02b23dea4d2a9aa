//! The cursor of work items: where the three streams stood, and what has to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::kinds::parts;
use service::Kind as _;

/// An item that cannot be read is asked for again in this many runs.
const ATTEMPTS: u8 = 5;

/// What belongs to a work item and can be left out of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) comments: bool,
    pub(super) attachments: bool,
}

impl Wanted {
    pub(super) fn of(selection: &BTreeSet<String>) -> Self {
        Self {
            comments: selection.contains(parts::COMMENT.spec().name),
            attachments: selection.contains(parts::ATTACHMENT.spec().name),
        }
    }

    /// What was read with this includes what is wanted now.
    fn covers(self, now: Self) -> bool {
        (self.comments || !now.comments) && (self.attachments || !now.attachments)
    }
}

/// The cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// 1.
    version: u32,
    pub(super) revisions: Option<String>,
    pub(super) links: Option<String>,
    pub(super) discussions: Option<String>,
    pub(super) wanted: Wanted,
    /// Items that lie in the recycle bin.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) bin: BTreeSet<u32>,
    /// Items that could not be read whole, and how often that was tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) again: BTreeMap<u32, u8>,
    /// Projects whose items were left out: the streams do not tell of them once more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) left: BTreeSet<String>,
}

impl Position {
    pub(super) fn start(wanted: Wanted) -> Self {
        Self {
            version: 1,
            revisions: None,
            links: None,
            discussions: None,
            wanted,
            bin: BTreeSet::new(),
            again: BTreeMap::new(),
            left: BTreeSet::new(),
        }
    }

    /// `None` when a crawl of everything is needed: another version, or more is wanted than before.
    pub(super) fn read(cursor: &str, wanted: Wanted) -> Option<Self> {
        let position: Self = serde_json::from_str(cursor).ok()?;
        (position.version == 1 && position.revisions.is_some() && position.wanted.covers(wanted))
            .then_some(Self { wanted, ..position })
    }

    pub(super) fn write(&self) -> service::Result<String> {
        serde_json::to_string(self).map_err(|error| {
            service::Error::malformed(format!("the cursor cannot be written: {error}"))
        })
    }

    /// The items to look at again after this run: those that failed now, unless that was tried often enough.
    pub(super) fn retried(&self, failed: &BTreeSet<u32>) -> BTreeMap<u32, u8> {
        let attempts = |id: &u32| self.again.get(id).copied().unwrap_or(0) + 1;
        failed
            .iter()
            .map(|id| (*id, attempts(id)))
            .filter(|(_, attempts)| *attempts < ATTEMPTS)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Wanted = Wanted {
        comments: true,
        attachments: true,
    };
    const NONE: Wanted = Wanted {
        comments: false,
        attachments: false,
    };

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let mut position = Position::start(ALL);
        position.revisions = Some("813;350;1".to_owned());
        position.bin = BTreeSet::from([7]);
        position.again = BTreeMap::from([(9, 2)]);
        let text = position.write().unwrap();
        assert_eq!(Position::read(&text, ALL), Some(position));
    }

    #[test]
    fn wanting_more_needs_a_crawl_of_everything() {
        let mut position = Position::start(NONE);
        position.revisions = Some("1".to_owned());
        let text = position.write().unwrap();
        assert!(Position::read(&text, NONE).is_some());
        assert!(Position::read(&text, ALL).is_none());
        assert!(Position::read("{}", NONE).is_none());
        assert!(Position::read(&text.replace("\"version\":1", "\"version\":2"), NONE).is_none());
    }

    #[test]
    fn what_fails_is_tried_again_but_not_forever() {
        let mut position = Position::start(ALL);
        for run in 1..=8 {
            position.again = position.retried(&BTreeSet::from([5]));
            assert_eq!(position.again.contains_key(&5), run % 5 != 0, "run {run}");
        }
    }
}
