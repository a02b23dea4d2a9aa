//! Which connectors are protected, and which are not.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{LatestRun, LatestRuns};
use jiff::{SignedDuration, Timestamp};
use model::policy::{covering, next_runs};
use model::{Connector, ConnectorStatus, Policy, RunState, SourceId};

use crate::{AlarmSettings, Control, Result};

/// How well a connector is protected, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protection {
    /// No policy that is switched on is for it.
    Unprotected,
    /// There was no good backup yet.
    Never,
    /// The last backup failed, or nobody is signed in any more.
    Failing,
    /// The last good backup is older than its objective.
    Late,
    /// The last backup could not read everything; what it could not is not too old yet.
    Partial,
    Protected,
}

impl Protection {
    /// As it is shown: `protected`, `partial`, `late`, `never`, `failing`, `unprotected`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unprotected => "unprotected",
            Self::Never => "never",
            Self::Failing => "failing",
            Self::Late => "late",
            Self::Partial => "partial",
            Self::Protected => "protected",
        }
    }
}

/// A connector and how it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub connector: Connector,
    pub state: Protection,
    pub last_good: Option<LatestRun>,
    /// How old the last good backup may be.
    pub objective: SignedDuration,
    /// The policy that is for it.
    pub policy: Option<String>,
    pub next_run: Option<Timestamp>,
}

impl Standing {
    /// How much would be lost now: the time since everything was last read, or since the connector was made.
    pub fn age(&self, now: Timestamp) -> SignedDuration {
        let last = self.last_good.as_ref().map(|run| run.whole);
        now.duration_since(last.unwrap_or(self.connector.created))
    }
}

/// What standings come from.
struct Facts {
    policies: Vec<Policy>,
    /// When each policy runs next, by its name.
    next: BTreeMap<String, Timestamp>,
    settings: AlarmSettings,
    latest: BTreeMap<String, LatestRuns>,
    now: Timestamp,
}

impl Control {
    /// How all connectors stand, by their names.
    pub async fn standings(&self) -> Result<Vec<Standing>> {
        let (catalog, now) = (&self.catalog, self.now());
        let (connectors, policies, latest) = tokio::try_join!(
            catalog.connectors(),
            catalog.policies(),
            catalog.latest_runs(now),
        )?;
        let enabled = policies.into_iter().map(|row| row.policy);
        let policies: Vec<Policy> = enabled.filter(|policy| policy.enabled).collect();
        let next = policies.iter().filter_map(|policy| {
            let times = next_runs(&policy.schedule, &policy.name, now, 1);
            Some((policy.name.clone(), times.first().copied()?))
        });
        let facts = Facts {
            next: next.collect(),
            settings: self.alarm_settings().await?,
            policies,
            latest,
            now,
        };
        Ok(connectors.into_iter().map(|one| facts.of(one)).collect())
    }
}

impl Control {
    /// Organizations and tenants that have snapshots and no connector, with the names that people call them by.
    pub async fn sources_without_connector(&self) -> Result<BTreeMap<SourceId, String>> {
        let connectors = self.catalog.connectors().await?;
        let connected: BTreeSet<SourceId> = connectors
            .iter()
            .filter_map(|one| self.source_of(one).ok())
            .collect();
        let sources = self.catalog.sources().await?;
        let named = sources.into_iter().map(|one| (one.key.id, one.name));
        Ok(named.filter(|(id, _)| !connected.contains(id)).collect())
    }
}

impl Facts {
    fn of(&self, connector: Connector) -> Standing {
        let key = connector.name.to_lowercase();
        let latest = self.latest.get(&key);
        let covering = covering(&self.policies, &connector.name);
        let next = covering
            .iter()
            .filter_map(|policy| self.next.get(&policy.name));
        let mut standing = Standing {
            state: Protection::Protected,
            last_good: latest.and_then(|runs| runs.good.clone()),
            objective: self.settings.objective(&connector.name),
            policy: covering.first().map(|policy| policy.name.clone()),
            next_run: next.min().copied(),
            connector,
        };
        let failed = latest.is_some_and(|runs| runs.ended == Some(RunState::Failed));
        let out = matches!(
            standing.connector.status,
            ConnectorStatus::SignInNeeded { .. }
        );
        standing.state = if standing.policy.is_none() {
            Protection::Unprotected
        } else if standing.last_good.is_none() {
            Protection::Never
        } else if failed || out {
            Protection::Failing
        } else if standing.age(self.now) > standing.objective {
            Protection::Late
        } else if standing.last_good.as_ref().is_some_and(is_partial) {
            Protection::Partial
        } else {
            Protection::Protected
        };
        standing
    }
}

fn is_partial(run: &LatestRun) -> bool {
    run.whole < run.finished
}
