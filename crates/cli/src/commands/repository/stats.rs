//! `keepward repository stats`.

use repository::Snapshot;

use super::{Which, place};
use crate::app::App;
use crate::failure::{Exit, Failure};
use crate::output::{Output, bytes, moment};
use crate::progress::Progress;

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
    let lock = repository.lock_shared(&place::holder()).await?;
    let progress = Progress::new(output);
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
