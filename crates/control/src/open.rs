//! From a repository's row to the repository.

use std::sync::Arc;

use catalog::RepositoryRow;
use model::{Clock, Secret, Silent};
use repository::{
    Access, Holder, Location, Repository, Store, StoreCredential, open_locked_store, open_store,
};
use service::egress::{Egress, Purpose};
use url::Url;

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
    let by = access(&location, &credential, rules)?;
    let Some(rule) = lock else {
        let store = open_store(&location, by)?;
        return Ok(Repository::open(store, password).await?);
    };
    let rule = serde_json::from_str(rule).map_err(|error| Error::Request {
        code: "catalog-damaged",
        message: format!("the object lock of repository {location}: {error}"),
    })?;
    let (store, lock) = open_locked_store(&location, by, rule, Arc::clone(clock)).await?;
    let repository = Repository::open(store, password).await?;
    // What new snapshots are about to share is held as long as those.
    let holder = Holder::new("keepward", Arc::clone(clock));
    repository.keep_locked(&lock, &holder, &Silent).await?;
    Ok(repository)
}

/// Names are judged each time that they are looked up: they may lead elsewhere than when the repository was added. A number in place of a name is
/// looked up by nobody, and what may be reached may have changed.
fn access<'a>(
    location: &Location,
    credential: &'a StoreCredential,
    rules: &Egress,
) -> Result<Access<'a>> {
    if let Location::Cloud(bucket) = location
        && let Some(Ok(endpoint)) = bucket.endpoint.as_deref().map(Url::parse)
    {
        rules.judge_literal(&endpoint, Purpose::Connector)?;
    }
    Ok(Access {
        credential,
        names: Some(rules.names(Purpose::Connector)),
    })
}

impl Control {
    pub(crate) fn access<'a>(
        &self,
        location: &Location,
        credential: &'a StoreCredential,
    ) -> Result<Access<'a>> {
        access(location, credential, &self.reach.egress)
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
        opened.map_err(|error| gone(&row.name, &row.location, error))
    }

    /// The same for reading alone: nothing is proved of an object lock.
    pub async fn read_repository(&self, row: &RepositoryRow) -> Result<Repository> {
        let opened = self.open_as(row, None).await;
        opened.map_err(|error| gone(&row.name, &row.location, error))
    }

    /// The storage of a repository that may be too damaged to be opened, or is to be opened with another password.
    pub async fn store_of(&self, row: &RepositoryRow) -> Result<Store> {
        let location: Location = row.location.parse()?;
        let credential = self
            .store_credential(&location, row.storage_credential.as_deref())
            .await?;
        let by = self.access(&location, &credential)?;
        Ok(open_store(&location, by)?)
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
pub fn gone(name: &str, location: &str, error: Error) -> Error {
    match error {
        Error::Repository(repository::Error::NotFound(_)) => Error::Request {
            code: "repository-gone",
            message: format!(
                "the repository {name} is no longer at {location}: nothing of it is there"
            ),
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_place_of_a_name_is_judged_at_each_use() {
        let code = |endpoint: &str, rules: &Egress| {
            let location = format!("s3://backups?endpoint={endpoint}").parse().unwrap();
            let opened = access(&location, &StoreCredential::Machine, rules);
            opened
                .err()
                .and_then(|error| error.code().map(str::to_owned))
        };
        let rules = Egress::new(Vec::new());
        for endpoint in [
            "http://127.0.0.1:9000",
            "http://[::1]:9000",
            "http://169.254.169.254",
            "http://2130706433",
        ] {
            assert_eq!(
                code(endpoint, &rules),
                Some("address-refused".to_owned()),
                "{endpoint}"
            );
        }
        assert_eq!(code("http://10.0.0.5:9000", &rules), None);
        let allowed = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(code("http://127.0.0.1:9000", &allowed), None);
    }
}
