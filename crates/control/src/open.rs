//! From a repository's row to the repository.

use std::sync::Arc;

use catalog::RepositoryRow;
use model::{Clock, Secret, Silent};
use repository::{
    Access, Holder, Location, Repository, Store, StoreCredential, open_locked_store, open_store,
};
use service::egress::{Egress, Purpose};

use crate::{Control, Error, Result};

/// The method of credentials that open storages: no other secret is ever sent to one.
pub(crate) const STORAGE: &str = "storage";

/// Opens a repository with secrets in hand; `lock` is the rule of its object lock (JSON).
pub(crate) async fn open(
    location: &str,
    password: &Secret,
    storage: Option<&Secret>,
    lock: Option<&str>,
    clock: &Arc<dyn Clock>,
    rules: &Egress,
) -> Result<Repository> {
    let location: Location = location.parse()?;
    let credential = match (storage, &location) {
        (Some(secret), Location::Cloud(bucket)) => StoreCredential::parse(bucket.cloud, secret)?,
        _ => StoreCredential::Machine,
    };
    let Some(rule) = lock else {
        let store = open_store(&location, access(&credential, rules))?;
        return Ok(Repository::open(store, password).await?);
    };
    let rule = serde_json::from_str(rule).map_err(|error| Error::Request {
        code: "catalog-damaged",
        message: format!("the object lock of repository {location}: {error}"),
    })?;
    let by = access(&credential, rules);
    let (store, lock) = open_locked_store(&location, by, rule, Arc::clone(clock)).await?;
    let repository = Repository::open(store, password).await?;
    // What new snapshots are about to share is held as long as those.
    let holder = Holder::new("keepward", Arc::clone(clock));
    repository.keep_locked(&lock, &holder, &Silent).await?;
    Ok(repository)
}

/// Names are judged each time that they are looked up: they may lead elsewhere than when the repository was added.
fn access<'a>(credential: &'a StoreCredential, rules: &Egress) -> Access<'a> {
    Access {
        credential,
        names: Some(rules.names(Purpose::Connector)),
    }
}

impl Control {
    pub(crate) fn access<'a>(&self, credential: &'a StoreCredential) -> Access<'a> {
        access(credential, &self.reach.egress)
    }

    pub(crate) async fn secret_named(&self, name: &str) -> Result<Secret> {
        let secret = self.catalog.get_credential(&self.kek, name).await?;
        Ok(secret.ok_or_else(|| catalog::Error::CredentialUnknown {
            name: name.to_owned(),
        })?)
    }

    /// What opens a storage: a credential of the vault, or the machine's own identity.
    pub(crate) async fn store_credential(
        &self,
        location: &Location,
        name: Option<&str>,
    ) -> Result<StoreCredential> {
        match (name, location) {
            (Some(name), Location::Cloud(bucket)) => {
                let secret = self.storage_secret(name).await?;
                Ok(StoreCredential::parse(bucket.cloud, &secret)?)
            }
            _ => Ok(StoreCredential::Machine),
        }
    }

    /// The secret of a storage, and of nothing else.
    pub(crate) async fn storage_secret(&self, name: &str) -> Result<Secret> {
        let row = self.catalog.credential(name).await?;
        if row.method != STORAGE {
            return Err(Error::Request {
                code: "storage-credential",
                message: format!("{} is no credential of a storage", row.name),
            });
        }
        self.secret_named(name).await
    }

    /// Opens a repository with what the vault has for it. An object lock is proved first: what is written has to be immutable.
    pub async fn open_repository(&self, row: &RepositoryRow) -> Result<Repository> {
        let opened = self.open_as(row, row.object_lock.as_deref()).await;
        opened.map_err(|error| gone(row, error))
    }

    /// The same for reading alone: nothing is proved of an object lock.
    pub async fn read_repository(&self, row: &RepositoryRow) -> Result<Repository> {
        let opened = self.open_as(row, None).await;
        opened.map_err(|error| gone(row, error))
    }

    /// The storage of a repository that may be too damaged to be opened, or is to be opened with another password.
    pub async fn store_of(&self, row: &RepositoryRow) -> Result<Store> {
        let location: Location = row.location.parse()?;
        let credential = self
            .store_credential(&location, row.storage_credential.as_deref())
            .await?;
        Ok(open_store(&location, self.access(&credential))?)
    }

    /// At a place where there may never have been one.
    pub(crate) async fn open_as(
        &self,
        row: &RepositoryRow,
        lock: Option<&str>,
    ) -> Result<Repository> {
        let password = self.secret_named(&row.password_credential).await?;
        let storage = match &row.storage_credential {
            Some(name) => Some(self.storage_secret(name).await?),
            None => None,
        };
        open(
            &row.location,
            &password,
            storage.as_ref(),
            lock,
            &self.clock,
            &self.reach.egress,
        )
        .await
    }
}

/// A repository that is known was there: where nothing is left of it, its disk is away, and nothing new is to be made in its place.
pub fn gone(row: &RepositoryRow, error: Error) -> Error {
    match error {
        Error::Repository(repository::Error::NotFound(_)) => Error::Request {
            code: "repository-gone",
            message: format!(
                "the repository {} is no longer at {}: nothing of it is there",
                row.name, row.location
            ),
        },
        other => other,
    }
}
