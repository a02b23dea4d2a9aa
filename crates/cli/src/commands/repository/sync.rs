//! `keepward repository sync`, `list`, `default` and `sheet`.

use tokio_util::sync::CancellationToken;

use super::Which;
use crate::app::App;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::Output;
use crate::progress::Progress;
use crate::recovery;

pub(super) async fn sync(app: &App, which: &Which, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app.repository(which.name()).await?;
    let progress = Progress::new(output);
    let synced = app
        .control
        .sync_and_tell(&repository, progress.as_ref())
        .await;
    progress.finish();
    let synced = synced?;
    output.event(&serde_json::json!({"event": "result", "repository": row.name, "added": synced.added, "removed": synced.removed}));
    output.line(format!(
        "{}: {} snapshots added to the index, {} removed from it",
        row.name, synced.added, synced.removed
    ));
    Ok(Exit::Done)
}

/// A server does it as a run.
pub(super) async fn ask(
    api: &Api,
    which: &Which,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let name = which.asked(api).await?;
    let path = format!("/repositories/{}/sync", segment(&name));
    let queued = api.post(&path, None::<&()>).await?;
    let run = follow::follow(api, &queued, output, cancel).await?;
    let exit = follow::exit(&run)?;
    let (added, removed) = (&run["result"]["added"], &run["result"]["removed"]);
    output.event(&serde_json::json!({"event": "result", "repository": name, "added": added, "removed": removed, "run": run["id"]}));
    output.line(format!(
        "{name}: {added} snapshots added to the index, {removed} removed from it"
    ));
    Ok(exit)
}

pub(super) async fn list(app: &App, output: &Output) -> Result<Exit, Failure> {
    let default = app.catalog.default_repository().await?.map(|row| row.name);
    let rows: Vec<_> = app
        .catalog
        .repositories()
        .await?
        .into_iter()
        .map(|row| {
            let default = default.as_ref() == Some(&row.name);
            serde_json::json!({"name": row.name, "location": row.location, "id": row.id, "default": default})
        })
        .collect();
    show(&rows, output);
    Ok(Exit::Done)
}

pub(super) async fn ask_list(api: &Api, output: &Output) -> Result<Exit, Failure> {
    show(&api.list("/repositories").await?, output);
    Ok(Exit::Done)
}

fn show(rows: &[serde_json::Value], output: &Output) {
    output.rows(&["name", "location", "id", ""], rows, |row| {
        let text = |key: &str| row[key].as_str().unwrap_or("").to_owned();
        let default = if row["default"] == true {
            "default"
        } else {
            ""
        };
        let [name, location, id] = ["name", "location", "id"].map(text);
        vec![name, location, id, default.to_owned()]
    });
}

/// Here and at a server alike: which policies it changes, and whether that waits for somebody, the interface knows.
pub(super) async fn default(
    api: &Api,
    name: &str,
    accept_less: bool,
    output: &Output,
) -> Result<Exit, Failure> {
    let path = format!(
        "/repositories/{}/default?accept_less={accept_less}",
        segment(name)
    );
    api.put(&path, None::<&()>).await?;
    output.result(&serde_json::json!({ "default": name }));
    output.line(format!("{name} is used when no repository is named"));
    Ok(Exit::Done)
}

pub(super) async fn sheet(app: &App, which: &Which, output: &Output) -> Result<Exit, Failure> {
    let row = app.repository_row(which.name()).await?;
    let file = super::default_password_file(&app.data, &row.name);
    let file = file.exists().then_some(file.as_path());
    let text = recovery::sheet(&row.location, &row.id, file);
    output.event(&serde_json::json!({"event": "recovery-sheet", "text": text}));
    output.line(text);
    Ok(Exit::Done)
}
