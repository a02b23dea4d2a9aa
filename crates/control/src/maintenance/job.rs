//! What a worker is to do for a repository; names only, since it may wait for long.

use std::collections::BTreeSet;

use model::SourceId;
use repository::ReadData;
use serde::{Deserialize, Serialize};

/// A check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckJob {
    pub repository: String,
    /// Of the packs; 0 reads none, and all other files are read whole nevertheless.
    pub read_percent: u8,
    /// Where reading begins, in percent of all packs.
    pub position: u8,
}

impl CheckJob {
    pub(crate) fn read_data(&self) -> ReadData {
        match self.read_percent {
            0 => ReadData::None,
            1..100 => ReadData::Part {
                start: f64::from(self.position) / 100.0,
                share: f64::from(self.read_percent) / 100.0,
            },
            _ => ReadData::All,
        }
    }
}

/// A prune.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PruneJob {
    pub repository: String,
    /// Only tells what would be done.
    pub dry_run: bool,
    /// Organizations whose newest snapshot may have far fewer items than one before.
    pub accept_drop: BTreeSet<String>,
}

/// A verification of one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyJob {
    pub repository: String,
    pub wanted: Wanted,
    /// Who asked for it.
    pub by: String,
}

/// Which snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    Snapshot(String),
    /// The newest of a source when the work begins.
    Newest(SourceId),
}

const PREFIX: &str = "maintenance/";

/// The concurrency key of all maintenance of a repository, by its id.
pub(super) fn key(repository: &str) -> String {
    format!("{PREFIX}{repository}")
}

/// Whether a job leaves nothing in the repository that others would have to spare.
pub(crate) fn is_maintenance(key: &str) -> bool {
    key.starts_with(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_follow_each_other_read_everything() {
        let part = |read_percent, position| CheckJob {
            read_percent,
            position,
            ..CheckJob::default()
        };
        assert_eq!(part(0, 40).read_data(), ReadData::None);
        assert_eq!(part(100, 40).read_data(), ReadData::All);
        let expected = ReadData::Part {
            start: 0.95,
            share: 0.05,
        };
        assert_eq!(part(5, 95).read_data(), expected);
    }
}
