//! `keepward vault`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::Global;
use crate::app::{App, key};
use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Put all stored secrets under a new key, all or none; the server must not run
    #[command(after_help = "Examples:\n  keepward vault rotate-key\n  \
        keepward vault rotate-key --new-key-file new.key\n\n\
        Killed on the way, the next command goes on with whichever key the secrets are under.\n\
        Copies of the catalog that were made before open with the old key alone.")]
    RotateKey(RotateKey),
}

#[derive(Args)]
pub(crate) struct RotateKey {
    /// Holds the new key, 32 bytes as they are, in hexadecimal or base64 [default: one is made]
    #[arg(long, value_name = "FILE")]
    new_key_file: Option<PathBuf>,
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let Command::RotateKey(rotate) = command;
    let place = global.data();
    let vault = place.config()?.vault;
    let app = App::open(&place).await?;
    let given = rotate.new_key_file.as_deref();
    let secrets = key::rotate((&vault, &app.data), &app.catalog, &app.kek, given).await?;
    let details = json!({ "secrets": secrets, "given": given.is_some() });
    app.note("vault.rotate-key", "vault", "done", &details)
        .await?;
    app.catalog.close().await;
    output.result(&json!({ "secrets": secrets }));
    output.line(format!("{secrets} secrets are under the new key"));
    let elsewhere = vault.credential.as_ref().or(vault.env.as_ref());
    if let (Some(name), Some(given)) = (elsewhere, given) {
        output.line(format!(
            "next: put the key of {} into {name}, before anything starts",
            given.display()
        ));
    }
    Ok(Exit::Done)
}
