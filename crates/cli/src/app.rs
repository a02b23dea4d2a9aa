//! The data directory of a user: catalog, key and lock.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use catalog::{Catalog, Kek, RepositoryRow};
use control::Control;
use model::Secret;
use repository::Repository;

use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::services::SERVICES;

/// What commands work with; one process at a time holds a data directory.
pub(crate) struct App {
    pub data: PathBuf,
    pub catalog: Catalog,
    pub kek: Arc<Kek>,
    pub control: Control,
    /// The lock is held as long as this file is open.
    _lock: File,
}

impl App {
    /// Opens the data directory, making it when it is not there.
    pub(crate) async fn open(data: &Path) -> Result<Self, Failure> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot make the data directory {}", data.display()))?;
        let lock = lock(data)?;
        let kek = Arc::new(kek(&data.join("key"))?);
        let catalog = Catalog::open_file(&data.join("catalog.db")).await?;
        let control = Control {
            catalog: catalog.clone(),
            kek: Arc::clone(&kek),
            clock: Arc::new(SystemClock),
            services: SERVICES,
            worker: "command line".to_owned(),
            work: std::env::temp_dir(),
        };
        // Nobody else holds the data directory: what is still marked as running was killed.
        control.recover().await?;
        Ok(Self {
            data: data.to_owned(),
            catalog,
            kek,
            control,
            _lock: lock,
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
                None if self.catalog.repositories().await?.is_empty() => Err(Failure::usage(
                    "there is no repository yet",
                    "make one: keepward repository init PATH",
                )),
                None => Err(Failure::usage(
                    "there are several repositories",
                    "say which: --repository NAME (keepward repository list)",
                )),
            },
        }
    }

    pub(crate) async fn repository(
        &self,
        name: Option<&str>,
    ) -> Result<(RepositoryRow, Repository), Failure> {
        let row = self.repository_row(name).await?;
        let password = self.secret(&row.password_credential).await?;
        let (store, _) = repository::store_from(&row.location)?;
        let repository = Repository::open(store, &password).await?;
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

/// Reads the key that opens the vault, making it on the first use.
fn kek(path: &Path) -> Result<Kek, Failure> {
    let context = || format!("cannot use the key file {}", path.display());
    if path.exists() {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|mut file| file.read_to_end(&mut bytes))
            .with_context(context)?;
        let bytes: [u8; 32] = bytes
            .try_into()
            .map_err(|_| anyhow::anyhow!("{}: it does not hold 32 bytes", context()))?;
        return Ok(Kek::new(bytes));
    }
    let kek = Kek::generate(&mut rand::rng());
    write_private(path, kek.expose()).with_context(context)?;
    Ok(kek)
}

/// Writes a new file that only its owner can read; an existing one is never replaced.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A secret from a file's first line.
pub(crate) fn read_secret(path: &Path) -> Result<Secret, Failure> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.lines().next().unwrap_or("").trim();
    if line.is_empty() {
        return Err(Failure::usage(
            format!("{} is empty", path.display()),
            "put the secret into its first line",
        ));
    }
    Ok(Secret::new(line))
}
