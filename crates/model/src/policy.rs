//! Policies: what is backed up, when, where to, and how long it stays.

mod check;
mod pattern;
mod retention;
mod schedule;
mod selection;
mod work;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use check::Invalid;
pub use pattern::matches;
pub use retention::{Keep, Within};
pub use schedule::{Due, Missed, Reached, Schedule, When, Window, due, next_runs};
pub use selection::{Choice, Pick, Picks, Selection};
pub use work::{Reason, Waiting};

/// The name of the policy that exists from the start.
pub const DEFAULT: &str = "default";

/// What, when, where to and how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    pub name: String,
    /// One that is not enabled can still be run by hand.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Names or patterns of connectors; empty for those that no other enabled policy names, also such as come later.
    #[serde(default)]
    pub connectors: Vec<String>,
    #[serde(default)]
    pub selection: Selection,
    #[serde(default)]
    pub schedule: Schedule,
    /// Without a rule everything is kept.
    #[serde(default)]
    pub retention: Keep,
    /// `None` for the default repository at the time of each run.
    #[serde(default)]
    pub repository: Option<String>,
    /// Labels that a worker must have; empty for any.
    #[serde(default)]
    pub worker: BTreeSet<String>,
    #[serde(default)]
    pub limits: Limits,
    /// Another person has to agree before its retention is shortened.
    #[serde(default)]
    pub four_eyes: bool,
}

/// How much of the machine and the line its runs may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Runs of this policy at the same time.
    pub runs: Option<u32>,
    /// Bytes received from the service in a second, for each run.
    pub bytes_per_second: Option<u64>,
}

pub(crate) fn yes() -> bool {
    true
}

impl Policy {
    /// Everything, daily at an hour of its own, for a year: so that a backup can be made at once. All backups of a week stay: who is alarmed
    /// by a loss makes another one, which must not take the place of the last that had it.
    pub fn standard() -> Self {
        Self {
            name: DEFAULT.to_owned(),
            enabled: true,
            connectors: Vec::new(),
            selection: Selection::default(),
            schedule: Schedule::default(),
            retention: Keep {
                daily: 30,
                weekly: 12,
                monthly: 12,
                within: Some(Within {
                    days: 7,
                    ..Within::default()
                }),
                ..Keep::default()
            },
            repository: None,
            worker: BTreeSet::new(),
            limits: Limits::default(),
            four_eyes: false,
        }
    }

    fn fits(&self, connector: &str) -> bool {
        self.connectors
            .iter()
            .any(|pattern| matches(pattern, connector))
    }
}

/// The policies that are for this connector, switched off or not: those that name it, or else those that name none.
pub fn covering<'a>(policies: &'a [Policy], connector: &str) -> Vec<&'a Policy> {
    let named = policies
        .iter()
        .any(|one| one.enabled && one.fits(connector));
    policies
        .iter()
        .filter(|one| one.fits(connector) || (!named && one.connectors.is_empty()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, connectors: &[&str], enabled: bool) -> Policy {
        Policy {
            name: name.to_owned(),
            enabled,
            connectors: connectors.iter().map(|one| (*one).to_owned()).collect(),
            ..Policy::standard()
        }
    }

    #[test]
    fn a_policy_that_names_a_connector_takes_it_from_the_default_one() {
        let policies = [
            policy("default", &[], true),
            policy("pay", &["pay*"], true),
            policy("off", &["web"], false),
        ];
        let names = |connector: &str| {
            let found = covering(&policies, connector).into_iter();
            found.map(|one| one.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(names("Payments"), ["pay"]);
        assert_eq!(names("web"), ["default", "off"]);
        assert_eq!(names("other"), ["default"]);
    }

    #[test]
    fn the_standard_policy_is_right() {
        assert_eq!(Policy::standard().check(), []);
    }
}
