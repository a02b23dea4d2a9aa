//! `keepward repository key`.

use std::path::PathBuf;

use catalog::RepositoryRow;
use clap::Subcommand;
use model::{Clock as _, Secret};
use repository::Repository;
use serde_json::json;

use super::Which;
use crate::app::{self, App};
use crate::clock::SystemClock;
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

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
    /// Let Keepward itself open the repository with another password from now on
    #[command(
        after_help = "Example, to change the password:\n  keepward repository key add --new-password-file new.password\n  keepward repository key use --password-file new.password\n  \
        keepward repository key list\n  keepward repository key remove 5c1d"
    )]
    Use {
        #[command(flatten)]
        which: Which,
        /// The file whose first line is the password of one of its keys
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// Remove a key by its id: its password opens the repository no longer
    #[command(after_help = "Example:\n  keepward repository key remove 5c1d")]
    Remove {
        #[command(flatten)]
        which: Which,
        /// The id, or its beginning, as `key list` shows it
        id: String,
    },
}

pub(super) async fn key(app: &App, key: Key, output: &Output) -> Result<Exit, Failure> {
    match key {
        Key::List(which) => list(app, &which, output).await?,
        Key::Add {
            which,
            new_password_file,
        } => add(app, &which, &app::read_secret(&new_password_file)?, output).await?,
        Key::Use {
            which,
            password_file,
        } => adopt(app, &which, &app::read_secret(&password_file)?, output).await?,
        Key::Remove { which, id } => remove(app, &which, &id, output).await?,
    }
    Ok(Exit::Done)
}

async fn list(app: &App, which: &Which, output: &Output) -> Result<(), Failure> {
    let (_, repository) = app.repository(which.name()).await?;
    for key in repository.keys().await? {
        output.event(&json!({"id": key.id.to_string(), "created": key.created, "hostname": key.hostname, "username": key.username, "in_use": key.in_use, "gone": key.is_gone}));
        let current = if key.in_use { "  (in use)" } else { "" };
        let gone = if key.is_gone {
            "  (gone: another program removed it, or it was lost; only its second copy is left)"
        } else {
            ""
        };
        output.line(format!(
            "{}  {}  {}@{}{current}{gone}",
            key.id.short(),
            moment(&key.created),
            key.username,
            key.hostname
        ));
    }
    Ok(())
}

async fn add(app: &App, which: &Which, password: &Secret, output: &Output) -> Result<(), Failure> {
    let (row, repository) = app.repository(which.name()).await?;
    if let Some(id) = repository.key_of(password).await? {
        output.event(&json!({"event": "key", "id": id.to_string(), "known": true}));
        output.line(format!("key {} has this password already", id.short()));
        return Ok(());
    }
    let by = super::by();
    let added = async { Ok(repository.add_key(password, &by).await?) };
    let id = app
        .noted("repository.key-add", &subject(&row), json!({}), added)
        .await?;
    output.event(&json!({"event": "key", "id": id.to_string()}));
    output.line(format!("added key {}", id.short()));
    Ok(())
}

async fn remove(app: &App, which: &Which, id: &str, output: &Output) -> Result<(), Failure> {
    let (row, repository) = app.repository(which.name()).await?;
    let mut matching = repository.keys().await?;
    matching.retain(|key| key.id.to_string().starts_with(id));
    let [key] = matching.as_slice() else {
        return Err(match matching.len() {
            0 => Failure::coded("key-unknown", format!("no key begins with {id}")),
            count => {
                let message = format!("{count} keys begin with {id}");
                Failure::coded("key-ambiguous", message)
            }
        });
    };
    let removed = async { Ok(repository.remove_key(key.id).await?) };
    let details = json!({ "key": key.id.to_string() });
    app.noted("repository.key-remove", &subject(&row), details, removed)
        .await?;
    output.event(&json!({"event": "key-removed", "id": key.id.to_string()}));
    output.line(format!("removed key {}", key.id.short()));
    Ok(())
}

fn subject(row: &RepositoryRow) -> String {
    format!("repository/{}", row.name)
}

/// Replaces the password in the vault, once it has opened the repository.
async fn adopt(
    app: &App,
    which: &Which,
    password: &Secret,
    output: &Output,
) -> Result<(), Failure> {
    let row = app.repository_row(which.name()).await?;
    let store = app.control.store_of(&row).await?;
    let repository = Repository::open(store, password).await?;
    let kept = async {
        let (name, now) = (&row.password_credential, SystemClock.now());
        app.catalog
            .put_credential(&app.kek, name, "password", password, now, &mut rand::rng())
            .await?;
        Ok(())
    };
    app.noted("repository.key-use", &subject(&row), json!({}), kept)
        .await?;
    let keys = repository.keys().await?;
    let used = keys.iter().find(|key| key.in_use).map(|key| key.id);
    output.event(&json!({"event": "key-used", "id": used.map(|id| id.to_string())}));
    output.line(format!(
        "{} is opened with this password from now on",
        row.name
    ));
    Ok(())
}
