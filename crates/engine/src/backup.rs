//! A backup: crawl every selected kind, merge with the snapshot before, commit, tell the catalog.

mod crawls;
mod gone;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use model::{Clock, Connector, Counts, Event, Issue, KindCounts, Reporter, SourceFile};
use rand::RngExt as _;
use repository::{
    BlobType, FileContent, Holder, Node, Repository, Snapshot, SnapshotId, TreeEditor, TreeId,
    Writer,
};
use service::{Client, Service};

use crate::coordinator::{Coordinator, IndexRow, Rows, SnapshotInfo};
use crate::layout::{Layouts, SOURCE_FILE};
use crate::merge::{Merge, Merged};
use crate::sink::{Collected, Collector};
use crate::spool::{Sorted, Spool};
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// How often a job shows that it is alive and asks whether it is to end.
const BEAT: Duration = Duration::from_secs(5);

/// What a backup works with.
pub struct BackupContext<'a> {
    pub service: &'static Service,
    pub client: &'a Client,
    pub repository: &'a Repository,
    pub coordinator: &'a dyn Coordinator,
    pub clock: &'a Arc<dyn Clock>,
    pub reporter: &'a dyn Reporter,
}

/// What to back up.
pub struct BackupRequest {
    pub connector: Connector,
    /// The address that `source.json` names.
    pub url: String,
    pub run: String,
    pub job: String,
    /// The job's fencing token.
    pub token: i64,
    /// Kinds; empty selects all.
    pub selection: BTreeSet<String>,
    /// Kinds whose implausible drop a person has confirmed.
    pub accept_deletions: BTreeSet<String>,
    /// Ignore cursors: read everything again and compare.
    pub full: bool,
    /// A folder for temporary files; a private one is made in it and removed afterwards.
    pub work: PathBuf,
}

/// What a backup did.
#[derive(Debug)]
pub struct BackupReport {
    pub snapshot: SnapshotId,
    pub parent: Option<SnapshotId>,
    pub source: SourceFile,
    pub counts: Counts,
}

/// The snapshot before.
pub(crate) struct Parent {
    pub id: SnapshotId,
    pub tree: TreeId,
    pub source: SourceFile,
}

/// Runs a backup to its committed snapshot, or fails without one.
pub async fn backup(cx: &BackupContext<'_>, request: &BackupRequest) -> Result<BackupReport> {
    let lock = cx
        .repository
        .lock_shared(&Holder::new("keepward", Arc::clone(cx.clock)))
        .await?;
    let result = tokio::select! {
        result = run(cx, request, &lock) => result,
        error = beats(cx.coordinator) => Err(error),
    };
    let released = lock.release().await;
    let report = result?;
    released?;
    Ok(report)
}

/// Ends only when the job is to end.
async fn beats(coordinator: &dyn Coordinator) -> Error {
    loop {
        tokio::time::sleep(BEAT).await;
        match coordinator.beat().await {
            Ok(beat) if beat.cancel => return Error::Canceled,
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

async fn run(
    cx: &BackupContext<'_>,
    request: &BackupRequest,
    lock: &repository::LockGuard,
) -> Result<BackupReport> {
    let started = cx.clock.now();
    let parent = latest(
        cx.repository,
        cx.service,
        &request.connector.organization,
        &request.url,
    )
    .await?;
    let prior = SnapshotReader::new(
        cx.repository.clone(),
        cx.service,
        parent.as_ref().map(|parent| parent.tree),
    );
    let work = tempfile::Builder::new()
        .prefix("keepward-")
        .tempdir_in(&request.work)
        .map_err(Error::io("cannot make a folder for temporary files"))?;
    let layouts = Layouts::new(cx.service);
    let spool = |name: &str| -> Result<Spool> {
        let folder = work.path().join(name);
        std::fs::create_dir(&folder)
            .map_err(Error::io("cannot make a folder for temporary files"))?;
        Ok(Spool::new(&folder, rand::rng().random()))
    };

    let collector = Collector::new(
        layouts,
        cx.repository.writer(),
        cx.reporter,
        work.path().to_owned(),
        parent.is_some(),
        spool("changes")?,
    );
    let crawled = crawls::crawl_all(cx, request, parent.as_ref(), &prior, &collector).await?;
    let Collected {
        mut writer,
        spool: mut changes,
        mentioned,
        mut issues,
        received,
    } = collector.finish();
    issues.extend(crawled.issues.iter().cloned());
    for issue in gone::find(
        layouts,
        &prior,
        &crawled,
        &mentioned,
        &request.accept_deletions,
        &mut changes,
    )
    .await?
    {
        cx.reporter.report(Event::Issue {
            issue: issue.clone(),
        });
        issues.push(issue);
    }

    cx.reporter.report(Event::Phase {
        phase: "write".to_owned(),
    });
    let merge = Merge {
        layouts,
        prior: &prior,
        crawls: &crawled.infos,
        failed: &crawled.failed,
        started,
    };
    let merged = merge.run(changes, &mut writer, spool("rows")?).await?;

    let usage = cx.client.usage();
    let source = source_file(
        cx,
        request,
        parent.as_ref(),
        &crawled,
        &merged,
        issues,
        &received,
        started,
    );
    let tree = put_source(&mut writer, Some(merged.tree), &source).await?;
    let counts = Counts {
        kinds: source.counts.clone(),
        requests: usage.requests,
        bytes_received: usage.bytes,
        bytes_stored: 0,
        blobs_stored: 0,
    };
    commit(cx, lock, writer, tree, source, counts, parent, merged.rows).await
}

#[expect(
    clippy::too_many_arguments,
    reason = "the last step takes what all others made"
)]
async fn commit(
    cx: &BackupContext<'_>,
    lock: &repository::LockGuard,
    mut writer: Writer,
    tree: TreeId,
    source: SourceFile,
    mut counts: Counts,
    parent: Option<Parent>,
    rows: Spool,
) -> Result<BackupReport> {
    cx.reporter.report(Event::Phase {
        phase: "commit".to_owned(),
    });
    writer.flush().await?;
    cx.coordinator.permit_commit().await?;
    let snapshot = Snapshot {
        parent: parent.as_ref().map(|parent| parent.id),
        paths: vec![format!("/{}/{}", source.service, source.source)],
        hostname: source.source.clone(),
        username: "keepward".to_owned(),
        tags: tags(&source.service, &source.source),
        ..Snapshot::new(source.finished, tree)
    };
    let id = writer.commit(&snapshot, lock).await?;
    let stored = writer.stored();
    counts.bytes_stored = stored.stored_bytes;
    counts.blobs_stored = stored.blobs;
    let info = SnapshotInfo {
        id,
        time: source.finished,
        tree,
        parent: parent.as_ref().map(|parent| parent.id),
        source: source.clone(),
    };
    cx.coordinator
        .index(&info, &mut SpooledRows(rows.sorted()?))
        .await?;
    Ok(BackupReport {
        snapshot: id,
        parent: parent.map(|parent| parent.id),
        source,
        counts,
    })
}

/// The tags by which snapshots of one source are found.
pub(crate) fn tags(service: &str, source: &str) -> Vec<String> {
    vec![
        "keepward".to_owned(),
        format!("service={service}"),
        format!("source={source}"),
    ]
}

/// The newest snapshot of a source at this address. The repository is the truth, so the catalog is not asked.
///
/// Organizations of one name at two hosts (a Server collection, a sandbox) are two sources: the other's snapshots are passed over.
pub(crate) async fn latest(
    repository: &Repository,
    service: &'static Service,
    source: &str,
    url: &str,
) -> Result<Option<Parent>> {
    let wanted = tags(service.name, &source.to_lowercase());
    let mut snapshots = repository.snapshots().await?;
    snapshots.retain(|(_, snapshot)| wanted.iter().all(|tag| snapshot.tags.contains(tag)));
    snapshots.sort_by_key(|(_, snapshot)| std::cmp::Reverse(snapshot.time));
    for (id, snapshot) in snapshots {
        let source = read_source(repository, service, snapshot.tree).await?;
        if source.url.eq_ignore_ascii_case(url) {
            return Ok(Some(Parent {
                id,
                tree: snapshot.tree,
                source,
            }));
        }
    }
    Ok(None)
}

/// Reads `source.json` of a snapshot.
pub async fn read_source(
    repository: &Repository,
    service: &'static Service,
    tree: TreeId,
) -> Result<SourceFile> {
    let reader = SnapshotReader::new(repository.clone(), service, Some(tree));
    let damaged = |what: &str| Error::Request {
        code: "repository-damaged",
        message: format!("{SOURCE_FILE} of the snapshot {what}"),
    };
    let node = reader
        .node(SOURCE_FILE)
        .await?
        .ok_or_else(|| damaged("is missing: it was not made by Keepward"))?;
    let bytes = repository.read(&node).await?;
    serde_json::from_slice(&bytes).map_err(|error| damaged(&format!("cannot be read: {error}")))
}

async fn put_source(
    writer: &mut Writer,
    tree: Option<TreeId>,
    source: &SourceFile,
) -> Result<TreeId> {
    let bytes = serde_json::to_vec_pretty(source)
        .map_err(|error| Error::io("cannot write the snapshot's description")(error.into()))?;
    // The run's own id is in it, so it cannot be there already: no index is read for it.
    let content = FileContent {
        blobs: vec![writer.blob_unique(BlobType::Data, &bytes).await?],
        size: bytes.len() as u64,
    };
    let mut editor = TreeEditor::new(writer, tree);
    editor
        .put(
            SOURCE_FILE,
            Node::file(SOURCE_FILE, content, source.finished),
        )
        .await?;
    Ok(editor.finish().await?)
}

#[expect(clippy::too_many_arguments, reason = "it gathers what all steps made")]
fn source_file(
    cx: &BackupContext<'_>,
    request: &BackupRequest,
    parent: Option<&Parent>,
    crawled: &crawls::Crawled,
    merged: &Merged,
    issues: Vec<Issue>,
    received: &BTreeMap<String, u64>,
    started: Timestamp,
) -> SourceFile {
    let before = parent.map(|parent| &parent.source);
    let usage = cx.client.usage();
    let mut counts: BTreeMap<String, KindCounts> = BTreeMap::new();
    for kind in cx.service.kinds {
        let name = kind.spec().name;
        let was = before
            .and_then(|before| before.counts.get(name))
            .map_or(0, |counts| counts.items);
        let delta = merged.items_delta.get(name).copied().unwrap_or(0);
        let mut own = merged.counts.get(name).cloned().unwrap_or_default();
        own.items = was.saturating_add_signed(delta);
        own.bytes = received.get(name).copied().unwrap_or(0);
        own.requests = usage.by_kind.get(name).map_or(0, |usage| usage.0);
        counts.insert(name.to_owned(), own);
    }
    let last_read = |key: &str| {
        before.map_or(started, |before| {
            before.stale.get(key).copied().unwrap_or(before.finished)
        })
    };
    let stale = crawled
        .stale_keys()
        .into_iter()
        .map(|key| (key.clone(), last_read(&key)))
        .collect();
    SourceFile {
        schema: 1,
        service: cx.service.name.to_owned(),
        source: request.connector.organization.to_lowercase(),
        url: request.url.clone(),
        connector: request.connector.name.clone(),
        run: request.run.clone(),
        job: request.job.clone(),
        token: request.token,
        started,
        finished: cx.clock.now(),
        selection: crawled.selection.iter().cloned().collect(),
        cursors: crawled.cursors.clone(),
        counts,
        stale,
        issues,
        requests: usage.requests,
    }
}

struct SpooledRows(Sorted);

#[async_trait::async_trait]
impl Rows for SpooledRows {
    async fn next(&mut self) -> Result<Option<IndexRow>> {
        let Some(record) = self.0.next()? else {
            return Ok(None);
        };
        let row = serde_json::from_slice(&record.payload)
            .map_err(|error| Error::io("cannot read the spool")(error.into()))?;
        Ok(Some(row))
    }
}

/// The key of a cursor or stale mark: `kind`, or `kind/scope`.
pub(crate) fn scope_key(kind: &str, scope: &str) -> String {
    if scope.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}/{scope}")
    }
}

/// Kinds whose crawl failed in this run, by index.
pub(crate) type Failed = HashSet<u16>;
