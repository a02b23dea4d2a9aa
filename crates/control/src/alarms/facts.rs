//! The facts that alarms come from, as the catalog and the machine have them.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{CredentialRow, KnownSnapshot, RepositoryRow};
use jiff::Timestamp;
use model::policy::When;
use model::{AlarmKind, AlarmLevel, Connector, SourceId, Task};
use repository::Location;

use super::disk::{self, Asked};
use super::find::AHEAD;
use crate::{Control, Result};

/// The code of a check that warns of a token for all organizations.
const GLOBAL: &str = "pat-global";

/// Everything that [`super::find()`] looks at.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    pub connectors: Vec<Connector>,
    /// By connector, lower case.
    pub last_good: BTreeMap<String, Timestamp>,
    /// What no policy protects, by connector, lower case.
    pub unprotected: BTreeMap<String, u64>,
    pub credentials: Vec<CredentialRow>,
    /// The connectors that sign in with each credential, by its name in lower case.
    pub users: BTreeMap<String, Vec<String>>,
    pub repositories: Vec<RepositoryRow>,
    /// By the repository's id.
    pub verified: BTreeMap<String, Timestamp>,
    /// By the repository's id: when there was something to verify.
    pub first_snapshot: BTreeMap<String, Timestamp>,
    /// By the repository's name; only disks that we can ask.
    pub storage: BTreeMap<String, StorageFact>,
    /// Names of repositories whose disk does not answer.
    pub silent: BTreeSet<String>,
    /// How bad the alarm of a filling disk is that is raised already, by the repository's name.
    pub filling: BTreeMap<String, AlarmLevel>,
    /// Names of repositories that are to be pruned by themselves.
    pub pruning: BTreeSet<String>,
    /// Snapshots whose last verification found damage.
    pub damaged: Vec<KnownSnapshot>,
    /// The names of connectors by what they stand for.
    pub sources: BTreeMap<SourceId, String>,
    /// Connectors whose token is for all organizations of its owner, lower case.
    pub global_tokens: BTreeSet<String>,
}

/// A disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StorageFact {
    pub total: u64,
    pub free: u64,
}

impl Control {
    pub(super) async fn facts(&self) -> Result<Facts> {
        let catalog = &self.catalog;
        let connectors = catalog.connectors().await?;
        let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for connector in &connectors {
            let credentials = [
                Some(&connector.credential),
                connector.restore_credential.as_ref(),
            ];
            for credential in credentials.into_iter().flatten() {
                let user = connector.name.clone();
                users
                    .entry(credential.to_lowercase())
                    .or_default()
                    .push(user);
            }
        }
        let repositories = catalog.repositories().await?;
        let (mut storage, mut silent) = (BTreeMap::new(), BTreeSet::new());
        for row in &repositories {
            if let Ok(Location::Local(folder)) = row.location.parse() {
                match disk::ask(&folder).await {
                    Asked::Told(fact) => {
                        storage.insert(row.name.clone(), fact);
                    }
                    Asked::Silent => {
                        silent.insert(row.name.clone());
                    }
                    Asked::Nothing => {}
                }
            }
        }
        let raised = catalog.alarms().await?.into_iter().map(|row| row.alarm);
        let filling = raised.filter(|alarm| alarm.kind == AlarmKind::StorageFilling);
        Ok(Facts {
            last_good: catalog.last_good_backups(self.now()).await?,
            unprotected: catalog.unprotected().await?,
            credentials: catalog.credentials().await?,
            verified: catalog.last_verifications(self.now() + AHEAD).await?,
            first_snapshot: catalog.first_snapshots().await?,
            pruning: self.pruning().await?,
            damaged: catalog.damaged_snapshots().await?,
            global_tokens: catalog
                .connectors_warned_of(GLOBAL)
                .await?
                .into_iter()
                .collect(),
            sources: connectors
                .iter()
                .filter_map(|one| Some((self.source_of(one).ok()?, one.name.clone())))
                .collect(),
            connectors,
            users,
            repositories,
            storage,
            silent,
            filling: filling.map(|alarm| (alarm.subject, alarm.level)).collect(),
        })
    }
}

impl Control {
    async fn pruning(&self) -> Result<BTreeSet<String>> {
        let rows = self.catalog.all_maintenance().await?.into_iter();
        let prunes = rows.filter(|row| {
            row.maintenance.task == Task::Prune && row.maintenance.schedule.when != When::Manual
        });
        Ok(prunes.map(|row| row.repository).collect())
    }
}
