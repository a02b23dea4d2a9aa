//! The repository of a command that must also work without a data directory: for checks and repairs after the worst.

use std::path::PathBuf;
use std::sync::Arc;

use catalog::RepositoryRow;
use clap::Args;
use model::Secret;
use object_store::ObjectStore;
use repository::{Holder, Location, Repository, StoreCredential};

use super::Which;
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::commands::Global;
use crate::failure::Failure;

#[derive(Args)]
pub(crate) struct Place {
    /// A folder or the address of a bucket, of a repository that need not be known here
    #[arg(value_name = "PATH", conflicts_with = "repository")]
    path: Option<String>,
    /// The file whose first line is the password of one of its keys; with PATH
    #[arg(
        long,
        value_name = "FILE",
        env = "KEEPWARD_REPOSITORY_PASSWORD_FILE",
        hide_env_values = true
    )]
    password_file: Option<PathBuf>,
    /// What opens the storage of PATH, where the machine's own identity does not
    #[arg(
        long,
        value_name = "FILE",
        env = "KEEPWARD_STORAGE_SECRET_FILE",
        hide_env_values = true
    )]
    storage_secret_file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// Where the repository is and what opens it; it may be too damaged to be open.
pub(super) struct Found {
    pub store: Arc<dyn ObjectStore>,
    pub password: Secret,
    pub location: String,
    /// As the catalog knows it; `None` when it was named by its path.
    pub known: Option<Known>,
}

pub(super) struct Known {
    pub app: App,
    pub row: RepositoryRow,
}

impl Place {
    pub(super) async fn find(&self, global: &Global) -> Result<Found, Failure> {
        match &self.path {
            Some(path) => self.at(path),
            None => self.known_to(App::open(&global.data()).await?).await,
        }
    }

    /// The same for a command that only reads it, also beside whoever holds the data directory.
    pub(super) async fn find_to_read(&self, global: &Global) -> Result<Found, Failure> {
        match &self.path {
            Some(path) => self.at(path),
            None => self.known_to(App::open_beside(&global.data()).await?).await,
        }
    }

    fn at(&self, path: &str) -> Result<Found, Failure> {
        let file = self.password_file.as_ref().ok_or_else(|| {
            Failure::usage(
                format!("the password of {path} is not known here"),
                "give its file: --password-file FILE, or KEEPWARD_REPOSITORY_PASSWORD_FILE",
            )
        })?;
        let password = app::read_secret(file)?;
        let location: Location = path.parse()?;
        let credential = match (&self.storage_secret_file, &location) {
            (Some(file), Location::Cloud(bucket)) => {
                StoreCredential::parse(bucket.cloud, &app::read_whole_secret(file)?)?
            }
            _ => StoreCredential::Machine,
        };
        let store = repository::open_store(&location, &credential)?;
        Ok(Found {
            store,
            password,
            location: location.to_string(),
            known: None,
        })
    }

    /// The one that is meant, unless it was named by its path.
    pub(super) fn known(&self) -> Option<&Which> {
        self.path.is_none().then_some(&self.which)
    }

    async fn known_to(&self, app: App) -> Result<Found, Failure> {
        let row = app.repository_row(self.which.name()).await?;
        let password = app.secret(&row.password_credential).await?;
        let store = app.control.store_of(&row).await?;
        Ok(Found {
            store,
            password,
            location: row.location.clone(),
            known: Some(Known { app, row }),
        })
    }
}

impl Found {
    pub(super) async fn open(&self) -> Result<Repository, Failure> {
        let opened = Repository::open(Arc::clone(&self.store), &self.password).await;
        opened.map_err(|error| self.failure(error))
    }

    /// Nothing at the place of a repository that is known here is another matter than nothing at a path.
    pub(super) fn failure(&self, error: repository::Error) -> Failure {
        match &self.known {
            Some(known) => control::gone(&known.row.name, &known.row.location, error.into()).into(),
            None => error.into(),
        }
    }
}

pub(super) fn holder() -> Holder {
    Holder::new("keepward", Arc::new(SystemClock))
}
