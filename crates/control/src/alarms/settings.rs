//! What alarms go by.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Hours in a year: nobody means more.
const MOST_HOURS: u32 = 366 * 24;

/// When something counts as wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlarmSettings {
    /// How old the last good backup of a connector may be: its recovery point objective.
    pub backup_hours: u32,
    /// Other objectives, by connector.
    pub connectors: BTreeMap<String, u32>,
    /// How long ago a snapshot of each repository was verified, or the repository checked, at most.
    pub verify_days: u32,
    /// How long ago a repository that is to be pruned by itself was, at most.
    pub prune_days: u32,
    /// Of a disk: how much of it may be in use.
    pub storage_percent: u32,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self {
            backup_hours: 26,
            connectors: BTreeMap::new(),
            verify_days: 35,
            prune_days: 35,
            storage_percent: 90,
        }
    }
}

impl AlarmSettings {
    pub(super) fn read(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|error| Error::Request {
            code: "catalog-damaged",
            message: format!("the settings of alarms make no sense: {error}"),
        })
    }

    pub(super) fn checked(&self) -> Result<String> {
        let hours = std::iter::once(&self.backup_hours).chain(self.connectors.values());
        let fine = hours.clone().all(|hours| (1..=MOST_HOURS).contains(hours))
            && (1..=366).contains(&self.verify_days)
            && (1..=366).contains(&self.prune_days)
            && (1..=100).contains(&self.storage_percent);
        let refused = |message: String| Error::Request {
            code: "alarm-settings-refused",
            message,
        };
        if !fine {
            return Err(refused(format!(
                "hours are 1 to {MOST_HOURS}, days 1 to 366, a percentage 1 to 100"
            )));
        }
        serde_json::to_string(self).map_err(|error| refused(error.to_string()))
    }

    pub(crate) fn objective(&self, connector: &str) -> SignedDuration {
        let own = self
            .connectors
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(connector));
        let hours = own.map_or(self.backup_hours, |(_, hours)| *hours);
        SignedDuration::from_hours(i64::from(hours))
    }
}
