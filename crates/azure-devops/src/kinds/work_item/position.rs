//! The cursor of work items: where the three streams stood, and what has to be looked at again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::kinds::parts;
use service::Kind as _;

/// So often all ids are looked at, for items that the streams told of before this identity could read them.
const SWEEP: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    /// Items that could not be read whole: they are asked for, and named as issues, until they are.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) again: BTreeSet<u32>,
    /// Projects whose items were left out: the streams do not tell of them once more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) left: BTreeSet<String>,
    /// The projects that the identity saw, in lower case. The streams pass over what it could not read, and do not tell of it once more.
    pub(super) seen: Option<BTreeSet<String>>,
    /// Projects that it saw once and then no longer.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) lost: BTreeSet<String>,
    /// Those of them whose items are known to be gone, or of which none was stored.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) settled: BTreeSet<String>,
    /// What is to be said of records that are not understood and name no item: nobody tells of them once more.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) unread: BTreeSet<String>,
    /// When all ids were looked at last.
    pub(super) swept: Option<Timestamp>,
    /// The names of projects by their ids, as the stored documents of their work items have them; what is not here is not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) names: BTreeMap<String, String>,
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
            again: BTreeSet::new(),
            left: BTreeSet::new(),
            seen: None,
            lost: BTreeSet::new(),
            settled: BTreeSet::new(),
            unread: BTreeSet::new(),
            swept: None,
            names: BTreeMap::new(),
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

    /// Whether a project can be seen again: what happened in it meanwhile was passed over.
    pub(super) fn is_back(&self, projects: Option<&BTreeSet<String>>) -> bool {
        projects.is_some_and(|projects| !projects.is_disjoint(&self.lost))
    }

    /// Projects that cannot be seen any more, and of whose items nobody knows yet whether they are gone.
    pub(super) fn doubtful(&self, projects: &BTreeSet<String>) -> BTreeSet<String> {
        let seen = self.seen.iter().flatten().chain(&self.lost);
        let open = seen.filter(|id| !projects.contains(*id) && !self.settled.contains(*id));
        open.cloned().collect()
    }

    /// Whether all ids are to be looked at: a project can be seen that could not, one that could be seen vanished, or it is time. A time in
    /// the future is none.
    pub(super) fn is_due(&self, projects: Option<&BTreeSet<String>>, now: Timestamp) -> bool {
        let more = match (projects, &self.seen) {
            (Some(projects), Some(seen)) => !projects.is_subset(seen),
            _ => false,
        };
        let less = projects.is_some_and(|projects| !self.doubtful(projects).is_empty());
        let past = |at: Timestamp| (SignedDuration::ZERO..SWEEP).contains(&now.duration_since(at));
        more || less || !self.swept.is_some_and(past)
    }

    /// Notes the projects that can be seen now.
    pub(super) fn see(&mut self, projects: BTreeSet<String>) {
        self.lost.extend(self.seen.take().unwrap_or_default());
        self.lost.retain(|project| !projects.contains(project));
        self.settled.retain(|project| self.lost.contains(project));
        self.seen = Some(projects);
    }

    /// Notes that of the items of all projects that are lost but these it is known that they are gone.
    pub(super) fn settle(&mut self, doubtful: &BTreeSet<String>) {
        self.settled = self.lost.difference(doubtful).cloned().collect();
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
        position.again = BTreeSet::from([9]);
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
    fn projects_that_come_and_come_back_are_noticed() {
        let set = |names: &[&str]| -> BTreeSet<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        let now = Timestamp::UNIX_EPOCH;
        let mut position = Position::start(ALL);
        position.swept = Some(now);
        assert!(
            !position.is_due(Some(&set(&["a"])), now),
            "nothing is known"
        );
        position.see(set(&["a", "b"]));
        assert!(position.is_due(Some(&set(&["a"])), now), "one is gone");
        assert!(position.is_due(Some(&set(&["a", "b", "c"])), now));
        position.see(set(&["a"]));
        assert!(
            position.is_due(Some(&set(&["a"])), now),
            "until it is known"
        );
        position.settle(&BTreeSet::new());
        assert!(!position.is_due(Some(&set(&["a"])), now));
        assert!(!position.is_back(Some(&set(&["a"]))));
        assert!(position.is_back(Some(&set(&["a", "b"]))));
        assert!(!position.is_back(None) && !position.is_due(None, now));
        position.see(set(&["a", "b"]));
        assert!(!position.is_back(Some(&set(&["a", "b"]))));
    }

    #[test]
    fn all_ids_are_looked_at_every_month_and_after_a_clock_that_ran_ahead() {
        let now = Timestamp::UNIX_EPOCH;
        let mut position = Position::start(ALL);
        assert!(position.is_due(None, now));
        position.swept = Some(now);
        assert!(!position.is_due(None, now + SignedDuration::from_hours(29 * 24)));
        assert!(position.is_due(None, now + SWEEP));
        position.swept = Some(now + SWEEP * 12);
        assert!(position.is_due(None, now));
    }
}
