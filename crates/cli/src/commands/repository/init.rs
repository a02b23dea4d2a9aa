//! `keepward repository init` and `add`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use base64::Engine as _;
use catalog::RepositoryRow;
use clap::Args;
use model::{Clock as _, Secret};
use rand::RngExt as _;
use repository::Repository;

use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::recovery;

#[derive(Args)]
pub(crate) struct Init {
    /// A local folder or file:// URL
    location: String,
    /// The password's file; made with a random password when it does not exist [default: in the data directory]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// What to call it here
    #[arg(long, default_value = "default")]
    name: String,
}

#[derive(Args)]
pub(crate) struct Add {
    /// A local folder or file:// URL
    location: String,
    /// The file whose first line is the password of one of its keys
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// What to call it here
    #[arg(long, default_value = "default")]
    name: String,
}

pub(super) async fn init(app: &App, init: Init, output: &Output) -> Result<Exit, Failure> {
    let (store, location) = repository::store_from(&init.location)?;
    refuse_known(app, &init.name, &location.to_string()).await?;
    let (file, password) = password(&app.data, &init)?;
    let repository = Repository::init(store, &password, &super::by()).await?;
    remember(
        app,
        &init.name,
        &location.to_string(),
        &repository,
        &password,
    )
    .await?;
    let id = repository.id().to_string();
    output.event(&serde_json::json!({"event": "repository", "name": init.name, "location": location.to_string(), "id": id, "password_file": file}));
    output.line(recovery::sheet(
        &location.to_string(),
        &id,
        &file.display().to_string(),
    ));
    Ok(Exit::Done)
}

/// Takes up an existing repository, after opening it with the password.
pub(super) async fn add(app: &App, add: Add, output: &Output) -> Result<Exit, Failure> {
    let (store, location) = repository::store_from(&add.location)?;
    let password = app::read_secret(&add.password_file)?;
    let repository = Repository::open(store, &password).await?;
    refuse_known(app, &add.name, &location.to_string()).await?;
    remember(
        app,
        &add.name,
        &location.to_string(),
        &repository,
        &password,
    )
    .await?;
    output.event(&serde_json::json!({"event": "repository", "name": add.name, "location": location.to_string(), "id": repository.id().to_string()}));
    output.line(format!(
        "{}: {}\nnext: keepward repository sync, so that the index knows its snapshots",
        add.name, location
    ));
    Ok(Exit::Done)
}

/// Before anything is stored: the password of the other one must not be replaced.
async fn refuse_known(app: &App, name: &str, location: &str) -> Result<(), Failure> {
    let same = |row: &RepositoryRow| {
        row.name.to_lowercase() == name.to_lowercase() || row.location == location
    };
    if app.catalog.repositories().await?.iter().any(same) {
        let (name, location) = (name.to_owned(), location.to_owned());
        return Err(catalog::Error::RepositoryExists { name, location }.into());
    }
    Ok(())
}

async fn remember(
    app: &App,
    name: &str,
    location: &str,
    repository: &Repository,
    password: &Secret,
) -> Result<(), Failure> {
    let credential = format!("repository {name}");
    app.catalog
        .put_credential(
            &app.kek,
            &credential,
            "password",
            password,
            SystemClock.now(),
            &mut rand::rng(),
        )
        .await?;
    let row = RepositoryRow {
        name: name.to_owned(),
        location: location.to_owned(),
        id: repository.id().to_string(),
        password_credential: credential,
    };
    Ok(app.catalog.add_repository(&row).await?)
}

/// The password from its file, or a new random one in a new file.
fn password(data: &Path, init: &Init) -> Result<(PathBuf, Secret), Failure> {
    let file = init
        .password_file
        .clone()
        .unwrap_or_else(|| super::default_password_file(data, &init.name));
    if file.exists() {
        return Ok((file.clone(), app::read_secret(&file)?));
    }
    let random: [u8; 24] = rand::rng().random();
    let password = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
    app::write_private(&file, format!("{password}\n").as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok((file, Secret::new(password)))
}
