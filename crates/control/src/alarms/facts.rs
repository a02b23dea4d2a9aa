//! The facts that alarms come from, as the catalog and the machine have them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use catalog::{CredentialRow, KnownSnapshot, RepositoryRow};
use jiff::Timestamp;
use model::policy::When;
use model::{Connector, Task};
use repository::Location;

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
    /// Names of repositories that are to be pruned by themselves.
    pub pruning: BTreeSet<String>,
    /// Snapshots whose last verification found damage.
    pub damaged: Vec<KnownSnapshot>,
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
        let mut storage = BTreeMap::new();
        for row in &repositories {
            if let Ok(Location::Local(folder)) = row.location.parse()
                && let Some(fact) = disk(folder).await
            {
                storage.insert(row.name.clone(), fact);
            }
        }
        Ok(Facts {
            last_good: catalog.last_good_backups().await?,
            unprotected: catalog.unprotected().await?,
            credentials: catalog.credentials().await?,
            verified: catalog.last_verifications().await?,
            first_snapshot: catalog.first_snapshots().await?,
            pruning: self.pruning().await?,
            damaged: catalog.damaged_snapshots().await?,
            global_tokens: catalog
                .connectors_warned_of(GLOBAL)
                .await?
                .into_iter()
                .collect(),
            connectors,
            users,
            repositories,
            storage,
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

/// `None` for a folder that is not there or cannot be asked: another alarm tells of backups that fail.
async fn disk(folder: PathBuf) -> Option<StorageFact> {
    // A network file system that hangs must hold up no one else.
    let asked = tokio::task::spawn_blocking(move || ask(&folder));
    asked.await.ok().flatten()
}

#[cfg(unix)]
fn ask(folder: &Path) -> Option<StorageFact> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    let block = found.fragment_size();
    Some(StorageFact {
        total: found.blocks().saturating_mul(block),
        free: found.blocks_available().saturating_mul(block),
    })
}

#[cfg(not(unix))]
fn ask(_: &Path) -> Option<StorageFact> {
    None
}
