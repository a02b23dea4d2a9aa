//! `keepward repository stats`.

use std::time::Duration;

use repository::Snapshot;
use tokio_util::sync::CancellationToken;

use super::{Which, place};
use crate::app::App;
use crate::client::{Api, segment, text};
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};
use crate::progress::Progress;

const AGAIN: Duration = Duration::from_secs(5);

/// The organization, or where the snapshot of another program comes from.
fn source(snapshot: &Snapshot) -> String {
    let tag = |name: &str| snapshot.tags.iter().find_map(|tag| tag.strip_prefix(name));
    match (tag("service="), tag("source=")) {
        (Some(service), Some(source)) => format!("{service}/{source}"),
        _ => format!("{}:{}", snapshot.hostname, snapshot.paths.join(",")),
    }
}

pub(super) async fn stats(app: &App, which: &Which, output: &Output) -> Result<Exit, Failure> {
    let (row, repository) = app.repository(which.name()).await?;
    let progress = Progress::new(output);
    let lock = repository
        .lock_to_read(&place::holder(), progress.as_ref())
        .await?;
    let stats = repository.stats(source, progress.as_ref()).await;
    progress.finish();
    lock.release().await?;
    let stats = stats?;
    if output.json {
        output.result(&stats);
        return Ok(Exit::Done);
    }
    output.line(format!(
        "{} at {}\n{} snapshots, {} files, {} in all of them together\n\
        {} blobs of {}, stored as {} (compression {:.2}, deduplication {:.2})\n\
        {} packs, {}, of which {} are unused; {} index files, {}\n",
        row.name,
        row.location,
        stats.snapshots,
        stats.files,
        bytes(stats.bytes_logical),
        stats.blobs,
        bytes(stats.bytes_clear),
        bytes(stats.bytes_stored),
        stats.compression,
        stats.deduplication,
        stats.packs,
        bytes(stats.bytes_packs),
        bytes(stats.bytes_unused),
        stats.index_files,
        bytes(stats.bytes_index),
    ));
    let head = ["source", "snapshots", "newest", "files", "size", "stored"];
    output.rows(&head, &stats.sources, |source| {
        vec![
            source.source.clone(),
            source.snapshots.to_string(),
            moment(&source.newest),
            source.files.to_string(),
            bytes(source.bytes),
            bytes(source.bytes_stored),
        ]
    });
    Ok(Exit::Done)
}

/// Waits for a server that is still counting.
pub(super) async fn ask(
    api: &Api,
    which: &Which,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let name = which.asked(api).await?;
    let path = format!("/repositories/{}/stats", segment(&name));
    let stats = loop {
        match api.get(&path).await {
            Err(failure) if failure.code.as_deref() == Some("repository-counting") => {}
            answer => break answer?,
        }
        output.notice("the server is still counting");
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = cancel.cancelled() => return Err(Failure::canceled()),
        }
    };
    if output.json {
        output.result(&stats);
        return Ok(Exit::Done);
    }
    let size = |key: &str| bytes(stats[key].as_u64().unwrap_or(0));
    output.line(format!(
        "{name}\n{} snapshots, {} files, {} in all of them together\n\
        stored as {} (compression {:.2}, deduplication {:.2}), in packs of {}, of which {} are unused\n",
        stats["snapshots"],
        stats["files"],
        size("bytes_logical"),
        size("bytes_stored"),
        stats["compression"].as_f64().unwrap_or(1.0),
        stats["deduplication"].as_f64().unwrap_or(1.0),
        size("bytes_packs"),
        size("bytes_unused"),
    ));
    let sources = stats["sources"].as_array().map_or(&[][..], Vec::as_slice);
    let head = ["source", "snapshots", "newest", "files", "size", "stored"];
    output.rows(&head, sources, |source| {
        let size = |key: &str| bytes(source[key].as_u64().unwrap_or(0));
        vec![
            text(source, "source").to_owned(),
            source["snapshots"].to_string(),
            moment(&text(source, "newest")),
            source["files"].to_string(),
            size("bytes"),
            size("bytes_stored"),
        ]
    });
    Ok(Exit::Done)
}
