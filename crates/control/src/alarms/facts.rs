//! The facts that alarms come from, as the catalog and the machine have them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use catalog::{CredentialRow, RepositoryRow};
use jiff::Timestamp;
use model::Connector;
use repository::Location;

use crate::{Control, Result};

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
            connectors,
            users,
            repositories,
            storage,
        })
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
