//! `keepward repository`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use catalog::RepositoryRow;
use clap::{Args, Subcommand};
use model::{Clock as _, Secret};
use rand::RngExt as _;
use repository::{CheckOptions, Holder, InitOptions, ReadData, Repository};

use super::Global;
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};
use crate::recovery;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a repository and print its recovery sheet
    #[command(
        after_help = "Examples:\n  keepward repository init /backup/contoso\n  keepward repository init /backup/contoso --password-file ~/contoso.password"
    )]
    Init(Init),
    /// Use a repository that exists already
    #[command(
        after_help = "Example:\n  keepward repository add /backup/contoso --password-file ~/contoso.password"
    )]
    Add(Add),
    /// The repositories that are known here
    #[command(after_help = "Example:\n  keepward repository list --json")]
    List,
    /// Read the catalog's index again from the repository alone: after the catalog was lost, or after `restic forget`
    #[command(
        after_help = "Example:\n  keepward repository sync\n\nIf the whole data directory was lost: `keepward repository add PATH --password-file FILE`, then this, then add the \
        connectors again with their tokens. Snapshots, search and history are as before; runs and restore plans are not kept in repositories."
    )]
    Sync(Which),
    /// Verify that the repository is whole
    #[command(
        after_help = "Examples:\n  keepward repository check\n  keepward repository check --read-data"
    )]
    Check(Check),
    /// Keys (passwords) of the repository
    #[command(subcommand)]
    Key(Key),
    /// Print the recovery sheet again
    #[command(after_help = "Example:\n  keepward repository sheet > recovery.txt")]
    Sheet(Which),
    /// Free the space that no snapshot needs
    #[command(
        after_help = "Examples:\n  keepward repository prune --dry-run\n  keepward repository prune"
    )]
    Prune(Prune),
}

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

#[derive(Args)]
pub(crate) struct Which {
    /// The repository's name here [default: the default one]
    #[arg(long, value_name = "NAME")]
    repository: Option<String>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    which: Which,
    /// Read and verify every pack too
    #[arg(long)]
    read_data: bool,
}

#[derive(Args)]
pub(crate) struct Prune {
    #[command(flatten)]
    which: Which,
    /// Only say what would be freed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Subcommand)]
pub(crate) enum Key {
    /// The keys that open the repository
    #[command(after_help = "Example:\n  keepward repository key list")]
    List(Which),
    /// Add a password
    #[command(
        after_help = "Example:\n  keepward repository key add --new-password-file second.password"
    )]
    Add {
        #[command(flatten)]
        which: Which,
        /// The new password's file
        #[arg(long, value_name = "FILE")]
        new_password_file: PathBuf,
    },
    /// Remove a key by its id
    #[command(after_help = "Example:\n  keepward repository key remove 5c1d")]
    Remove {
        #[command(flatten)]
        which: Which,
        /// The id, or its beginning, as `key list` shows it
        id: String,
    },
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let app = App::open(&global.data()).await?;
    match command {
        Command::Init(init) => make(&app, init, output).await,
        Command::Add(add) => known(&app, add, output).await,
        Command::List => list(&app, output).await,
        Command::Sync(which) => sync(&app, which.repository.as_deref(), output).await,
        Command::Check(check) => verify(&app, check, output).await,
        Command::Key(key) => keys(&app, key, output).await,
        Command::Sheet(which) => sheet(&app, which.repository.as_deref(), output).await,
        Command::Prune(prune) => free(&app, prune, output).await,
    }
}

async fn make(app: &App, init: Init, output: &Output) -> Result<Exit, Failure> {
    let (file, password) = password(&app.data, &init)?;
    let (store, location) = repository::store_from(&init.location)?;
    let repository = Repository::init(store, &password, &by()).await?;
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
async fn known(app: &App, add: Add, output: &Output) -> Result<Exit, Failure> {
    let password = app::read_secret(&add.password_file)?;
    let (store, location) = repository::store_from(&add.location)?;
    let repository = Repository::open(store, &password).await?;
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

async fn sync(app: &App, name: Option<&str>, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app.repository(name).await?;
    let synced = app.control.sync(&repository).await?;
    output.event(&serde_json::json!({"event": "result", "repository": row.name, "added": synced.added, "removed": synced.removed}));
    output.line(format!(
        "{}: {} snapshots added to the index, {} removed from it",
        row.name, synced.added, synced.removed
    ));
    Ok(Exit::Done)
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

/// Who makes repositories and keys.
fn by() -> InitOptions {
    let holder = Holder::new("keepward", Arc::new(SystemClock));
    InitOptions {
        created: SystemClock.now(),
        hostname: holder.hostname,
        username: holder.username,
    }
}

fn default_password_file(data: &Path, name: &str) -> PathBuf {
    data.join(format!("repository-password-{name}"))
}

/// The password from its file, or a new random one in a new file.
fn password(data: &Path, init: &Init) -> Result<(PathBuf, Secret), Failure> {
    let file = init
        .password_file
        .clone()
        .unwrap_or_else(|| default_password_file(data, &init.name));
    if file.exists() {
        return Ok((file.clone(), app::read_secret(&file)?));
    }
    let random: [u8; 24] = rand::rng().random();
    let password = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(random);
    app::write_private(&file, format!("{password}\n").as_bytes())
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok((file, Secret::new(password)))
}

async fn list(app: &App, output: &Output) -> Result<Exit, Failure> {
    let rows: Vec<_> = app
        .catalog
        .repositories()
        .await?
        .into_iter()
        .map(|row| serde_json::json!({"name": row.name, "location": row.location, "id": row.id}))
        .collect();
    output.rows(&["name", "location", "id"], &rows, |row| {
        ["name", "location", "id"]
            .map(|key| row[key].as_str().unwrap_or("").to_owned())
            .to_vec()
    });
    Ok(Exit::Done)
}

async fn verify(app: &App, check: Check, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app.repository(check.which.repository.as_deref()).await?;
    let read_data = if check.read_data {
        ReadData::All
    } else {
        ReadData::None
    };
    let report = repository.check(&CheckOptions { read_data }).await?;
    let problems: Vec<_> = report
        .problems
        .iter()
        .filter(|problem| !problem.kind.is_note())
        .collect();
    for problem in &problems {
        output.event(&serde_json::json!({"event": "problem", "message": problem.to_string()}));
        output.line(format!("problem: {problem}"));
    }
    output.event(&serde_json::json!({"event": "result", "repository": row.name, "ok": problems.is_empty(), "problems": problems.len()}));
    if problems.is_empty() {
        output.line(format!("{}: no problem found", row.location));
        return Ok(Exit::Done);
    }
    Err(Failure::coded(
        "repository-damaged",
        format!("{}: {} problems found", row.location, problems.len()),
    ))
}

async fn keys(app: &App, key: Key, output: &Output) -> Result<Exit, Failure> {
    match key {
        Key::List(which) => {
            let (_, repository) = app.repository(which.repository.as_deref()).await?;
            for key in repository.keys().await? {
                output.event(&serde_json::json!({"id": key.id.to_string(), "created": key.created, "hostname": key.hostname, "username": key.username, "in_use": key.in_use}));
                let current = if key.in_use { "  (in use)" } else { "" };
                output.line(format!(
                    "{}  {}  {}@{}{current}",
                    key.id.short(),
                    moment(&key.created),
                    key.username,
                    key.hostname
                ));
            }
        }
        Key::Add {
            which,
            new_password_file,
        } => {
            let (_, repository) = app.repository(which.repository.as_deref()).await?;
            let password = app::read_secret(&new_password_file)?;
            let id = repository.add_key(&password, &by()).await?;
            output.event(&serde_json::json!({"event": "key", "id": id.to_string()}));
            output.line(format!("added key {}", id.short()));
        }
        Key::Remove { which, id } => {
            let (_, repository) = app.repository(which.repository.as_deref()).await?;
            let matching: Vec<_> = repository
                .keys()
                .await?
                .into_iter()
                .filter(|key| key.id.to_string().starts_with(&id))
                .collect();
            let [key] = matching.as_slice() else {
                return Err(Failure::usage(
                    format!("{} keys begin with {id}", matching.len()),
                    "keepward repository key list",
                ));
            };
            repository.remove_key(key.id).await?;
            output.event(&serde_json::json!({"event": "key-removed", "id": key.id.to_string()}));
            output.line(format!("removed key {}", key.id.short()));
        }
    }
    Ok(Exit::Done)
}

async fn sheet(app: &App, name: Option<&str>, output: &Output) -> Result<Exit, Failure> {
    let row = app.repository_row(name).await?;
    let file = default_password_file(&app.data, &row.name);
    let file = if file.exists() {
        file.display().to_string()
    } else {
        "PASSWORD-FILE".to_owned()
    };
    let text = recovery::sheet(&row.location, &row.id, &file);
    output.event(&serde_json::json!({"event": "recovery-sheet", "text": text}));
    output.line(text);
    Ok(Exit::Done)
}

async fn free(app: &App, prune: Prune, output: &Output) -> Result<Exit, Failure> {
    let (_, repository) = app.repository(prune.which.repository.as_deref()).await?;
    let lock = repository
        .lock_exclusive(&Holder::new("keepward", Arc::new(SystemClock)))
        .await?;
    let report = repository.prune(&lock, prune.dry_run).await;
    lock.release().await?;
    let report = report?;
    let verb = if prune.dry_run {
        "would free up to"
    } else {
        "freed"
    };
    output.event(&serde_json::json!({"event": "result", "dry_run": prune.dry_run, "bytes_freed": report.bytes_freed}));
    output.line(format!("{verb} {}", bytes(report.bytes_freed)));
    Ok(Exit::Done)
}
