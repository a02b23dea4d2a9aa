//! The data directory of a user: catalog, key and lock.

pub(crate) mod key;
mod reach;

use std::fs::{File, OpenOptions};
use std::ops::Deref;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use catalog::{Catalog, Kek, NewAudit, RepositoryRow};
use control::Control;
use model::Secret;
use repository::Repository;
use service::egress::Egress;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::services::SERVICES;

/// Where a data directory is, and the configuration that goes with it.
pub(crate) struct Place {
    data: PathBuf,
    config: Option<PathBuf>,
    /// The user named a server: a command that works on a data directory is not what was meant.
    elsewhere: bool,
}

impl Place {
    pub(crate) fn new(data: PathBuf, config: Option<PathBuf>, elsewhere: bool) -> Self {
        Self {
            data,
            config,
            elsewhere,
        }
    }

    pub(crate) fn config(&self) -> Result<Config, Failure> {
        Config::load(self.config.as_deref(), &self.data)
    }
}

impl Deref for Place {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.data
    }
}

/// Of a command that no server is asked for.
pub(crate) fn only_here() -> Failure {
    Failure::usage(
        "this command works on a data directory, not over a server",
        "leave out --server (and KEEPWARD_SERVER), and run it where the server runs",
    )
}

/// What commands work with; one process at a time holds a data directory, and those that only read work beside it.
pub(crate) struct App {
    pub data: PathBuf,
    pub catalog: Catalog,
    pub kek: Arc<Kek>,
    pub control: Control,
    /// The lock is held as long as this file is open; commands that only read do not hold it.
    lock: Option<File>,
}

impl App {
    /// Opens the data directory, making it when it is not there; for commands of this machine's administrator, whose connectors may lead to
    /// this machine itself.
    pub(crate) async fn open(place: &Place) -> Result<Self, Failure> {
        let allow = place.config()?.outbound.allow;
        Self::reaching(place, Egress::with_this_machine(allow)).await
    }

    /// The same for others than the administrator of this machine.
    pub(crate) async fn open_to_serve(place: &Place) -> Result<Self, Failure> {
        let allow = place.config()?.outbound.allow;
        Self::reaching(place, Egress::new(allow)).await
    }

    /// The same for commands that only read repositories: beside whoever holds the data directory, and keeping nobody else from it.
    pub(crate) async fn open_beside(place: &Place) -> Result<Self, Failure> {
        if let Some(app) = Self::beside(place).await? {
            return Ok(app);
        }
        let mut app = Self::open(place).await?;
        drop(app.lock.take());
        Ok(app)
    }

    /// `None` where something is to be made, brought forward or brought to its end first, which is for who holds the lock.
    async fn beside(place: &Place) -> Result<Option<Self>, Failure> {
        if place.elsewhere {
            return Err(only_here());
        }
        let config = place.config()?;
        let file = place.join("catalog.db");
        if !place.exists() || !key::is_settled(&config.vault, place) {
            return Ok(None);
        }
        let catalog = match &config.catalog.url {
            Some(url) => Catalog::open_beside(url).await?,
            None if file.exists() => Catalog::open_file_beside(&file).await?,
            None => None,
        };
        let Some(catalog) = catalog else {
            return Ok(None);
        };
        let kek = Arc::new(key::read(&config.vault, place)?);
        let egress = Egress::with_this_machine(config.outbound.allow.clone());
        Self::over(place, &config, (catalog, kek), egress).map(Some)
    }

    async fn reaching(place: &Place, egress: Egress) -> Result<Self, Failure> {
        if place.elsewhere {
            return Err(only_here());
        }
        let config = place.config()?;
        let data: &Path = place;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot make the data directory {}", data.display()))?;
        let lock = lock(data)?;
        let kek = key::read(&config.vault, data)?;
        let catalog = match &config.catalog.url {
            Some(url) => Catalog::open(url).await?,
            None => Catalog::open_file(&private(data.join("catalog.db"))?).await?,
        };
        let kek = Arc::new(key::settle(kek, &config.vault, data, &catalog).await?);
        empty(&work(data))?;
        let mut app = Self::over(place, &config, (catalog, kek), egress)?;
        app.lock = Some(lock);
        // Nobody else holds the data directory: what is still marked as running was killed.
        app.control.recover().await?;
        Ok(app)
    }

    fn over(
        data: &Path,
        config: &Config,
        (catalog, kek): (Catalog, Arc<Kek>),
        egress: Egress,
    ) -> Result<Self, Failure> {
        let control = Control {
            catalog: catalog.clone(),
            kek: Arc::clone(&kek),
            clock: Arc::new(SystemClock),
            services: SERVICES,
            reach: reach::reach(config, egress)?,
            // The lock proves that nobody else is this worker; who reads beside it takes no job.
            worker: config.worker_name(data)?,
            work: work(data),
        };
        Ok(Self {
            data: data.to_owned(),
            catalog,
            kek,
            control,
            lock: None,
        })
    }

    /// A repository by its name, or the default one.
    pub(crate) async fn repository_row(
        &self,
        name: Option<&str>,
    ) -> Result<RepositoryRow, Failure> {
        match name {
            Some(name) => Ok(self.catalog.repository(name).await?),
            None => match self.catalog.default_repository().await? {
                Some(row) => Ok(row),
                None if self.catalog.repositories().await?.is_empty() => Err(Failure {
                    exit: Exit::Usage,
                    ..Failure::coded("repository-none", "there is no repository yet")
                }),
                None => Err(Failure::coded(
                    "repository-unnamed",
                    "there are several repositories, and none of them is the default",
                )),
            },
        }
    }

    /// A repository to read.
    pub(crate) async fn repository(
        &self,
        name: Option<&str>,
    ) -> Result<(RepositoryRow, Repository), Failure> {
        let row = self.repository_row(name).await?;
        let repository = self.control.read_repository(&row).await?;
        Ok((row, repository))
    }

    /// A repository to write into: its object lock, if it has one, has to prove that it holds.
    pub(crate) async fn repository_to_write(
        &self,
        name: Option<&str>,
    ) -> Result<(RepositoryRow, Repository), Failure> {
        let row = self.repository_row(name).await?;
        let repository = self.control.open_repository(&row).await?;
        Ok((row, repository))
    }

    pub(crate) async fn secret(&self, name: &str) -> Result<Secret, Failure> {
        let secret = self.catalog.get_credential(&self.kek, name).await?;
        secret.ok_or_else(|| {
            Failure::coded(
                "credential-refused",
                format!("the credential {name} is not in the vault"),
            )
        })
    }
}

impl App {
    /// Does what destroys or gives out something, and notes it first, as a server notes what it is asked for: also who is killed on the way has
    /// left a trace. What failed is noted once more.
    pub(crate) async fn noted<T>(
        &self,
        action: &str,
        subject: &str,
        details: serde_json::Value,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.note(action, subject, "done", &details).await?;
        let done = work.await;
        if done.is_err() {
            self.note(action, subject, "failed", &details).await?;
        }
        done
    }

    /// Adds a row to the audit log; details never hold secrets.
    pub(crate) async fn note(
        &self,
        action: &str,
        subject: &str,
        outcome: &str,
        details: &serde_json::Value,
    ) -> Result<(), Failure> {
        let event = NewAudit {
            time: self.control.clock.now(),
            kind: "local-administrator".to_owned(),
            actor: "local".to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            outcome: outcome.to_owned(),
            details: details.to_string(),
            address: None,
            request: None,
        };
        self.catalog.append_audit(&event).await?;
        Ok(())
    }
}

/// Where the data directory is when nobody says.
pub(crate) fn default_data() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the environment is read here and in clap alone"
    )]
    let (data, home) = (std::env::var_os("XDG_DATA_HOME"), std::env::var_os("HOME"));
    match (data, home) {
        (Some(data), _) => PathBuf::from(data).join("keepward"),
        (None, Some(home)) => PathBuf::from(home).join(".local/share/keepward"),
        (None, None) => PathBuf::from("keepward-data"),
    }
}

fn lock(data: &Path) -> Result<File, Failure> {
    let path = data.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Failure::coded(
            "data-directory-busy",
            format!("another Keepward process holds {}", data.display()),
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(anyhow::Error::new(error)
            .context(format!("cannot lock {}", path.display()))
            .into()),
    }
}

/// The file as its owner's alone, made if it is not there: SQLite gives what it puts beside it the same rights.
fn private(path: PathBuf) -> Result<PathBuf, Failure> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path);
    file.with_context(|| format!("cannot open {}", path.display()))?;
    Ok(path)
}

/// A secret from a file's first line.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let text = secret_text(path)?;
    secret(path, text.lines().next().unwrap_or(""))
}

/// A secret that may have several lines, like a key file in JSON.
pub(crate) fn read_whole_secret(path: &Path) -> Result<Secret, Failure> {
    secret(path, &secret_text(path)?)
}

fn secret_text(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        let code = match error.kind() {
            std::io::ErrorKind::InvalidData => "secret-file-not-text",
            _ => "secret-file-unreadable",
        };
        Failure::coded(code, format!("cannot read {}: {error}", path.display()))
    })
}

fn secret(path: &Path, text: &str) -> Result<Secret, Failure> {
    if text.trim().is_empty() {
        let message = format!("{} is empty", path.display());
        return Err(Failure::coded("secret-file-empty", message));
    }
    Ok(Secret::new(text.trim()))
}

/// The folder for what is read and written on the way.
fn work(data: &Path) -> PathBuf {
    data.join("work")
}

/// Makes the folder; what a killed process left in it, in clear, goes. The lock is held.
fn empty(folder: &Path) -> Result<(), Failure> {
    let emptied = || {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        for left in std::fs::read_dir(folder)? {
            std::fs::remove_dir_all(left?.path())?;
        }
        std::io::Result::Ok(())
    };
    Ok(emptied().with_context(|| format!("cannot empty {}", folder.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_only_reads_works_beside_the_holder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("data"), None, false);
        let first = App::open_beside(&place).await.ok().unwrap();
        let holder = App::open(&place).await.ok().unwrap();
        let second = App::open_beside(&place).await.ok().unwrap();
        for reader in [&first, &second] {
            assert!(reader.catalog.repositories().await.unwrap().is_empty());
        }
        let refused = App::open(&place).await.err().unwrap();
        assert_eq!(refused.code.as_deref(), Some("data-directory-busy"));
        drop(holder);
        assert!(App::open(&place).await.is_ok());
    }

    #[tokio::test]
    async fn a_key_that_is_to_be_made_or_changed_is_for_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("data"), None, false);
        drop(App::open(&place).await.ok().unwrap());
        let beside = async || App::beside(&place).await.ok().unwrap().is_some();
        assert!(beside().await);
        let next = place.join("key.next");
        std::fs::write(&next, "x").unwrap();
        assert!(!beside().await);
        std::fs::remove_file(&next).unwrap();
        assert!(beside().await);
        std::fs::remove_file(place.join("key")).unwrap();
        assert!(!beside().await);
        assert!(!place.join("key").exists());
    }

    /// A backup that begins at the moment at which somebody lists snapshots must not fail for it.
    #[tokio::test]
    async fn who_only_reads_keeps_nobody_out_for_a_moment() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("data"), None, false);
        drop(App::open(&place).await.ok().unwrap());
        let read = async {
            for _ in 0..10 {
                App::open_beside(&place).await.ok().unwrap();
            }
        };
        let hold = async {
            for _ in 0..10 {
                assert!(App::open(&place).await.is_ok());
            }
        };
        tokio::join!(read, hold);
    }
}
