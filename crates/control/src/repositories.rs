//! Repositories: make or take up, move, look after, forget about. No operation here removes a backup.

mod bounds;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use catalog::RepositoryRow;
use model::{Reporter, Secret};
use rand::{RngExt as _, SeedableRng as _};
use repository::{
    InitOptions, Location, LockMode, ObjectLockRule, Repository, Snapshot, Stats, Store,
    open_locked_store, open_store,
};

pub use bounds::Bounds;
use url::Url;

use crate::open::STORAGE;
use crate::{Control, Error, Result};

/// A storage that does not answer must not hold up the page that asks about it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A repository to be made, or one that exists.
pub struct NewRepository {
    pub name: String,
    pub location: Location,
    /// The credential that opens the storage; with a secret it is made under this name, or `storage NAME`.
    pub storage_credential: Option<String>,
    pub storage_secret: Option<Secret>,
    pub object_lock: Option<ObjectLockRule>,
    /// Without one a new repository gets a random one; an existing one is opened with that which the vault still has.
    pub password: Option<Secret>,
    /// It exists already, and is not made.
    pub adopt: bool,
}

/// A repository that is known now.
pub struct AddedRepository {
    pub row: RepositoryRow,
    /// That of a new repository, when nobody gave one: without it or the vault, nobody can read the backups.
    pub password: Option<Secret>,
}

/// How a known repository is reached from now on.
pub struct RepositoryMove {
    pub location: Location,
    pub storage_credential: Option<String>,
    /// Takes the place of the one that the credential has.
    pub storage_secret: Option<Secret>,
    pub object_lock: Option<ObjectLockRule>,
    /// What it changes; whatever is there when absent.
    pub version: Option<i64>,
}

/// What a look at the storage found.
pub struct RepositoryState {
    /// Why it cannot be opened.
    pub error: Option<Error>,
    pub snapshots: Option<u64>,
}

/// The credential of a repository's password.
pub fn password_credential(repository: &str) -> String {
    format!("repository {repository}")
}

impl Control {
    /// Makes a repository, or opens one that exists, and remembers it. Nothing is remembered of one that cannot be used.
    pub async fn add_repository(&self, mut new: NewRepository) -> Result<AddedRepository> {
        check_name(&new.name)?;
        self.refuse_known(&new.name, &new.location.to_string())
            .await?;
        let made = self.keep_storage_secret(&mut new).await?;
        let added = self.add_with_credential(new).await;
        if let (Err(_), Some(made)) = (&added, made) {
            self.catalog.remove_credential(&made).await?;
        }
        added
    }

    async fn add_with_credential(&self, new: NewRepository) -> Result<AddedRepository> {
        let location = new.location.to_string();
        let credential = password_credential(&new.name);
        let kept = self.catalog.get_credential(&self.kek, &credential).await?;
        let other = |kept: &Secret| {
            let given = new.password.as_ref();
            given.is_none_or(|password| password.expose() != kept.expose())
        };
        let silent = new.adopt && new.password.is_none();
        if !silent && kept.as_ref().is_some_and(other) {
            // It may be the only thing that opens an older repository of this name.
            return Err(catalog::Error::CredentialExists { name: credential }.into());
        }
        let store = self.new_store(&new).await?;
        let random = new.password.is_none() && !new.adopt;
        let (given, was_kept) = (new.password.is_some(), kept.is_some());
        let password = match new.password {
            Some(password) => password,
            None if random => random_password(),
            None => kept.ok_or_else(|| refused("the repository's password is missing"))?,
        };
        let repository = if new.adopt {
            let repository = Repository::open(store, &password).await?;
            if given {
                self.keep_password(&credential, &password).await?;
            }
            repository
        } else {
            // In the vault before it is used: nobody else knows a random password.
            self.keep_password(&credential, &password).await?;
            let made = Repository::init(store, &password, &self.by()).await;
            if made.is_err() && !was_kept {
                self.catalog.remove_credential(&credential).await?;
            }
            made?
        };
        let row = RepositoryRow {
            name: new.name,
            location,
            id: repository.id().to_string(),
            password_credential: credential,
            storage_credential: new.storage_credential,
            object_lock: rule_text(new.object_lock)?,
            ..RepositoryRow::default()
        };
        self.catalog.add_repository(&row).await?;
        Ok(AddedRepository {
            row,
            password: random.then_some(password),
        })
    }

    async fn new_store(&self, new: &NewRepository) -> Result<Store> {
        let named = new.storage_credential.as_deref();
        let opens = self.store_credential(&new.location, named).await?;
        let by = self.access(&new.location, &opens)?;
        let Some(rule) = new.object_lock else {
            return Ok(open_store(&new.location, by)?);
        };
        let clock = Arc::clone(&self.clock);
        let (store, _) = open_locked_store(&new.location, by, rule, clock).await?;
        Ok(store)
    }

    /// The name of the credential that it made.
    async fn keep_storage_secret(&self, new: &mut NewRepository) -> Result<Option<String>> {
        let Some(secret) = new.storage_secret.take() else {
            return Ok(None);
        };
        let usual = || format!("storage {}", new.name);
        let name = new.storage_credential.clone().unwrap_or_else(usual);
        if self.has_credential(&name).await? {
            return Err(catalog::Error::CredentialExists { name }.into());
        }
        self.keep_secret(&name, STORAGE, &secret).await?;
        new.storage_credential = Some(name.clone());
        Ok(Some(name))
    }

    /// Another way to the same repository: refused unless the one that is found there has the same id.
    pub async fn move_repository(
        &self,
        name: &str,
        mut to: RepositoryMove,
    ) -> Result<RepositoryRow> {
        let before = self.catalog.repository(name).await?;
        if to.version.is_some_and(|version| version != before.version) {
            let what = format!("repository `{}`", before.name);
            return Err(catalog::Error::SettingsChanged { what }.into());
        }
        refuse_weaker(before.object_lock.as_deref(), to.object_lock)?;
        let kept = self.keep_moved_secret(&before, &mut to).await?;
        let row = RepositoryRow {
            location: to.location.to_string(),
            storage_credential: to.storage_credential,
            object_lock: rule_text(to.object_lock)?,
            ..before
        };
        let moved = self.found_there(&row).await;
        if let (Err(_), Some((name, secret))) = (&moved, kept) {
            match secret {
                Some(secret) => self.keep_secret(&name, STORAGE, &secret).await?,
                None => self.catalog.remove_credential(&name).await?,
            }
        }
        moved?;
        Ok(RepositoryRow {
            version: row.version + 1,
            ..row
        })
    }

    async fn found_there(&self, row: &RepositoryRow) -> Result<()> {
        let found = self.open_as(row, row.object_lock.as_deref()).await?;
        if found.id().to_string() != row.id {
            return Err(refused("another repository is there: its id differs"));
        }
        Ok(self.catalog.move_repository(row).await?)
    }

    /// Keeps the secret that came with a move; the name of its credential, and what that held before.
    async fn keep_moved_secret(
        &self,
        before: &RepositoryRow,
        to: &mut RepositoryMove,
    ) -> Result<Option<(String, Option<Secret>)>> {
        let Some(secret) = &to.storage_secret else {
            return Ok(None);
        };
        let usual = || format!("storage {}", before.name);
        let name = to.storage_credential.clone().unwrap_or_else(usual);
        let held = match self.catalog.credential(&name).await {
            Err(catalog::Error::CredentialUnknown { .. }) => None,
            Err(error) => return Err(error.into()),
            Ok(known) if known.method != STORAGE => {
                return Err(repository::Error::StoreCredential("it is for something else").into());
            }
            Ok(_) => self.catalog.get_credential(&self.kek, &name).await?,
        };
        let users = self.catalog.credential_users(&name).await?;
        let own = format!("repository {}", before.name);
        if users.iter().any(|user| *user != own) {
            // The others would be opened with it too.
            return Err(catalog::Error::CredentialExists { name }.into());
        }
        self.keep_secret(&name, STORAGE, secret).await?;
        to.storage_credential = Some(name.clone());
        Ok(Some((name, held)))
    }

    /// Refuses to send a secret of the vault, or a token of this machine, to a server of somebody's own for which it was not given: whoever owns
    /// the server could read it there. `given` says that it comes with the request.
    pub async fn known_server(
        &self,
        location: &Location,
        credential: Option<&str>,
        given: bool,
    ) -> Result<()> {
        let Some(there) = server_of(location) else {
            return Ok(());
        };
        let key = |name: Option<&str>| name.map(str::to_lowercase);
        let used = self.catalog.repositories().await?.into_iter().any(|row| {
            let at = row.location.parse::<Location>();
            key(row.storage_credential.as_deref()) == key(credential)
                && at.is_ok_and(|at| server_of(&at).as_ref() == Some(&there))
        });
        if given || used {
            return Ok(());
        }
        let message = match credential {
            Some(name) => format!(
                "the secret of `{name}` was not given for {there}: give it again, for a credential of another name"
            ),
            None => format!("the identity of this machine is not for {there}: give a secret"),
        };
        Err(Error::Request {
            code: "credential-host",
            message,
        })
    }

    /// Forgets where it is. Backups, and the password in the vault, stay.
    pub async fn remove_repository(&self, name: &str) -> Result<()> {
        Ok(self.catalog.remove_repository(name).await?)
    }

    /// The bytes of all of its files; lists them.
    pub async fn repository_size(&self, row: &RepositoryRow) -> Result<u64> {
        Ok(self.read_repository(row).await?.size().await?)
    }

    /// Looks whether it can be opened.
    pub async fn repository_state(&self, row: &RepositoryRow) -> RepositoryState {
        let look = async {
            let repository = self.read_repository(row).await?;
            Ok::<_, Error>(repository.snapshot_ids().await?.len() as u64)
        };
        let looked = tokio::time::timeout(PATIENCE, look).await;
        let late = |_| {
            Err(Error::Request {
                code: "storage-failed",
                message: format!("the storage did not answer for {} s", PATIENCE.as_secs()),
            })
        };
        match looked.unwrap_or_else(late) {
            Ok(snapshots) => RepositoryState {
                error: None,
                snapshots: Some(snapshots),
            },
            Err(error) => RepositoryState {
                error: Some(error),
                snapshots: None,
            },
        }
    }

    /// How large it is and what makes it so; reads the whole index and all trees.
    pub async fn repository_stats(&self, name: &str, reporter: &dyn Reporter) -> Result<Stats> {
        let row = self.catalog.repository(name).await?;
        let repository = self.read_repository(&row).await?;
        let lock = repository.lock_to_read(&self.holder(), reporter).await?;
        let counted = repository.stats(source_of, reporter).await;
        lock.release().await?;
        Ok(counted?)
    }

    async fn refuse_known(&self, name: &str, location: &str) -> Result<()> {
        let known = self.catalog.repositories().await?;
        let same = |row: &RepositoryRow| {
            row.name.to_lowercase() == name.to_lowercase() || row.location == location
        };
        if known.iter().any(same) {
            let (name, location) = (name.to_owned(), location.to_owned());
            return Err(catalog::Error::RepositoryExists { name, location }.into());
        }
        Ok(())
    }

    async fn keep_password(&self, credential: &str, password: &Secret) -> Result<()> {
        self.keep_secret(credential, "password", password).await
    }

    async fn keep_secret(&self, name: &str, method: &str, secret: &Secret) -> Result<()> {
        let mut rng = rand::rngs::StdRng::from_rng(&mut rand::rng());
        let now = self.now();
        self.catalog
            .put_credential(&self.kek, name, method, secret, now, &mut rng)
            .await?;
        Ok(())
    }

    fn by(&self) -> InitOptions {
        let holder = self.holder();
        InitOptions {
            created: self.now(),
            hostname: holder.hostname,
            username: holder.username,
        }
    }
}

/// The server that an address names, where that is not the cloud's own.
fn server_of(location: &Location) -> Option<String> {
    let Location::Cloud(bucket) = location else {
        return None;
    };
    let endpoint = bucket.endpoint.as_deref()?;
    let origin = Url::parse(endpoint).map(|url| url.origin().ascii_serialization());
    Some(origin.unwrap_or_else(|_| endpoint.to_owned()))
}

fn refused(message: &str) -> Error {
    Error::Request {
        code: "repository-refused",
        message: message.to_owned(),
    }
}

/// It is part of file names and of addresses.
fn check_name(name: &str) -> Result<()> {
    let odd = |char: char| char.is_control() || "/\\".contains(char);
    if name.trim() != name
        || name.is_empty()
        || name.len() > 64
        || name.starts_with('.')
        || name.contains(odd)
    {
        return Err(refused(
            "a repository's name has up to 64 characters, no slash, and begins with no dot",
        ));
    }
    Ok(())
}

fn rule_text(rule: Option<ObjectLockRule>) -> Result<Option<String>> {
    let text = rule.map(|rule| serde_json::to_string(&rule)).transpose();
    text.map_err(|error| refused(&error.to_string()))
}

/// An object lock is there against those who can change settings.
fn refuse_weaker(before: Option<&str>, after: Option<ObjectLockRule>) -> Result<()> {
    let Some(before) = before.and_then(|text| serde_json::from_str::<ObjectLockRule>(text).ok())
    else {
        return Ok(());
    };
    let keeps = after.is_some_and(|after| {
        after.keep >= before.keep
            && (after.mode == LockMode::Compliance || before.mode == LockMode::Governance)
    });
    if keeps {
        return Ok(());
    }
    Err(refused(
        "an object lock can be made stricter, and never weaker",
    ))
}

fn random_password() -> Secret {
    let random: [u8; 24] = rand::rng().random();
    Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random))
}

/// The organization, or where the snapshot of another program comes from.
fn source_of(snapshot: &Snapshot) -> String {
    let tag = |name: &str| snapshot.tags.iter().find_map(|tag| tag.strip_prefix(name));
    match (tag("service="), tag("source=")) {
        (Some(service), Some(source)) => format!("{service}/{source}"),
        _ => format!("{}:{}", snapshot.hostname, snapshot.paths.join(",")),
    }
}
