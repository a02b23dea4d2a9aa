//! A backup: crawl every selected kind, merge with the snapshot before, commit, tell the catalog.

pub(crate) mod checkpoint;
mod crawls;
mod gone;
mod prior;
mod resume;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::{
    Class, Clock, Connector, Counts, Event, Issue, ItemRef, KindCounts, Picks, Reporter,
    SourceFile, SourceId, StaleItem,
};
use rand::RngExt as _;
use repository::{
    BlobType, FileContent, Holder, Node, REPAIRED_TAG, Repository, Snapshot, SnapshotId,
    TreeEditor, TreeId, Writer,
};
use service::{Client, Service};

pub use checkpoint::Checkpoint;
pub(crate) use gone::implausible;

use checkpoint::{Checkpoints, Order};
use prior::Prior;

use crate::coordinator::{Coordinator, SnapshotInfo};
use crate::layout::{Layouts, SOURCE_FILE};
use crate::merge::{Merge, Merged};
use crate::rebuild::DiffRows;
use crate::rows::SpooledRows;
use crate::sink::{Collected, Collector};
use crate::spool::Spool;
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
    /// Items by kind; what is not picked stays as it was in the snapshot before.
    pub picks: Picks,
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
        result = Box::pin(run(cx, request, &lock)) => result,
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
    let parent = latest(
        cx.repository,
        cx.service,
        &request.connector.organization,
        &request.url,
    )
    .await?;
    match attempt(cx, request, lock, parent.as_ref(), true).await {
        Err(error) if error.is_start_again() => {
            resume::give_up(cx, &error).await?;
            attempt(cx, request, lock, parent.as_ref(), false).await
        }
        result => result,
    }
}

/// From what an earlier run has left, if it may, or from the beginning.
async fn attempt(
    cx: &BackupContext<'_>,
    request: &BackupRequest,
    lock: &repository::LockGuard,
    parent: Option<&Parent>,
    go_on: bool,
) -> Result<BackupReport> {
    let work = crate::work::private(&request.work)
        .map_err(Error::io("cannot make a folder for temporary files"))?;
    let layouts = Layouts::new(cx.service);
    let spool = |name: &str| -> Result<Spool> {
        let folder = work.path().join(name);
        std::fs::create_dir(&folder)
            .map_err(Error::io("cannot make a folder for temporary files"))?;
        Ok(Spool::new(&folder, rand::rng().random()))
    };
    let base = SnapshotReader::new(
        cx.repository.clone(),
        cx.service,
        parent.map(|parent| parent.tree),
    );
    let mut changes = spool("changes")?;
    let order = order(cx, request, parent);
    let left = if go_on {
        resume::left(cx, &order, parent, &mut changes).await?
    } else {
        None
    };
    let started = left
        .as_ref()
        .map_or_else(|| cx.clock.now(), |left| left.checkpoint.started);
    let mut collector = Collector::new(
        layouts,
        cx.repository.writer(),
        cx.reporter,
        work.path().to_owned(),
        parent.is_some(),
        Checkpoints::new(
            cx.coordinator,
            cx.client,
            cx.clock.as_ref(),
            Checkpoint::new(&request.run, started, order),
        ),
        changes,
    );
    let (begun, kept) = left.map_or_else(Default::default, |left| left.pass_on(&mut collector));
    let prior = Prior::new(&base, layouts, kept);
    let crawled =
        crawls::crawl_all(cx, request, parent, &prior, &collector, begun, started).await?;
    let Collected {
        mut writer,
        spool: mut changes,
        mentioned,
        mut issues,
        received,
    } = collector.finish();
    issues.extend(crawled.issues.iter().cloned());
    let doubts = gone::find(
        layouts,
        &prior,
        &crawled,
        &mentioned,
        &request.accept_deletions,
        &mut changes,
    )
    .await?;
    for issue in doubts.issues {
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
        prior: &base,
        crawls: &crawled.infos,
        left_out: &crawled.left_out(),
        started,
    };
    let merged = merge.run(changes, &mut writer, spool("rows")?).await?;

    let usage = cx.client.usage();
    let now = cx.clock.now();
    let finished = finished(now, parent);
    if let Some(issue) = clock_behind(now, finished) {
        cx.reporter.report(Event::Issue {
            issue: issue.clone(),
        });
        issues.push(issue);
    }
    let mut source = source_file(
        cx, request, parent, &crawled, &merged, issues, &received, started, finished,
    );
    source.stale_items = stale_items(&base, layouts, parent, &source.issues, &doubts.kept).await?;
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

fn order(cx: &BackupContext<'_>, request: &BackupRequest, parent: Option<&Parent>) -> Order {
    Order {
        service: cx.service.name.to_owned(),
        source: request.connector.organization.to_lowercase(),
        url: request.url.clone(),
        base: parent.map(|parent| parent.id),
        selection: request.selection.iter().cloned().collect(),
        full: request.full,
        picks: request.picks.clone(),
    }
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
    parent: Option<&Parent>,
    rows: Spool,
) -> Result<BackupReport> {
    cx.reporter.report(Event::Phase {
        phase: "commit".to_owned(),
    });
    writer.flush().await?;
    cx.coordinator.permit_commit().await?;
    let snapshot = Snapshot {
        parent: parent.map(|parent| parent.id),
        paths: vec![format!("/{}/{}", source.service, source.source)],
        hostname: source.source.clone(),
        username: "keepward".to_owned(),
        tags: tags(&source.service, &source.source),
        ..Snapshot::new(source.finished, tree)
    };
    let id = writer.commit(&snapshot, lock).await?;
    let stored = writer.stored();
    // Its packs' memory is not needed together with that of the catalog.
    drop(writer);
    counts.bytes_stored = stored.stored_bytes;
    counts.blobs_stored = stored.blobs;
    let info = SnapshotInfo {
        id,
        time: source.finished,
        tree,
        parent: parent.map(|parent| parent.id),
        source: source.clone(),
    };
    list(cx, &info, rows).await?;
    cx.coordinator.checkpoint(None).await?;
    Ok(BackupReport {
        snapshot: id,
        parent: parent.map(|parent| parent.id),
        source,
        counts,
    })
}

/// Lists the snapshot by what changed, or by all there is where nobody knows its parent: a kill came between that and its rows.
async fn list(cx: &BackupContext<'_>, info: &SnapshotInfo, rows: Spool) -> Result<()> {
    let mut changed = SpooledRows(rows.sorted()?);
    match cx.coordinator.index(info, &mut changed).await {
        Err(Error::Control { code, .. }) if code == "snapshot-unknown" && info.parent.is_some() => {
            let whole = SnapshotInfo {
                parent: None,
                ..info.clone()
            };
            let mut all = DiffRows::new(cx.repository, cx.service, None, info.tree);
            cx.coordinator.index(&whole, &mut all).await
        }
        listed => listed,
    }
}

/// The tags by which snapshots of one source are found.
pub(crate) fn tags(service: &str, source: &str) -> Vec<String> {
    vec![
        "keepward".to_owned(),
        format!("service={service}"),
        format!("source={source}"),
    ]
}

/// Whether Keepward made it, of this service.
pub(crate) fn is_of(snapshot: &Snapshot, service: &str) -> bool {
    let has = |wanted: &str| snapshot.tags.iter().any(|tag| tag == wanted);
    has("keepward") && has(&format!("service={service}"))
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
    let own = SourceId::new(service.name, url, source);
    let mut snapshots = repository.snapshots().await?;
    snapshots.retain(|(_, snapshot)| wanted.iter().all(|tag| snapshot.tags.contains(tag)));
    // What a repair left lacks items that its cursors do not ask for again, and so does the damaged original: no run goes on
    // from there.
    let is_repaired = |snapshot: &Snapshot| snapshot.tags.iter().any(|tag| tag == REPAIRED_TAG);
    let originals: HashSet<SnapshotId> = snapshots
        .iter()
        .filter(|(_, snapshot)| is_repaired(snapshot))
        .filter_map(|(_, snapshot)| snapshot.original)
        .collect();
    snapshots.retain(|(id, snapshot)| !is_repaired(snapshot) && !originals.contains(id));
    snapshots.sort_by_key(|(_, snapshot)| std::cmp::Reverse(snapshot.time));
    for (id, snapshot) in snapshots {
        let Some(source) = known_source(repository, service, &snapshot).await? else {
            continue;
        };
        if source.id() == own {
            return Ok(Some(Parent {
                id,
                tree: snapshot.tree,
                source,
            }));
        }
    }
    Ok(None)
}

/// A snapshot is younger than the one that it goes on from, whatever the clock says: the order of times decides which is the newest.
fn finished(now: Timestamp, parent: Option<&Parent>) -> Timestamp {
    let after = parent.and_then(|parent| {
        let next = parent
            .source
            .finished
            .checked_add(SignedDuration::from_millis(1));
        next.ok()
    });
    after.map_or(now, |after| after.max(now))
}

/// The clock of another machine may be a little behind.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

fn clock_behind(now: Timestamp, finished: Timestamp) -> Option<Issue> {
    (finished.duration_since(now) > SKEW).then(|| Issue {
        code: "clock-behind".to_owned(),
        class: Class::Implausible,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: format!(
            "the clock says {now:.0}, and the snapshot before is of a later time: this one is dated {finished:.0}"
        ),
        hint: Some("Check the clock of this machine, and of the one that made the snapshot before.".to_owned()),
    })
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

/// Like [`read_source`], but `None` for a snapshot that cannot say what it is: `check` names the damage. A storage that fails is an error.
pub(crate) async fn known_source(
    repository: &Repository,
    service: &'static Service,
    snapshot: &Snapshot,
) -> Result<Option<SourceFile>> {
    match read_source(repository, service, snapshot.tree).await {
        Ok(source) => Ok(Some(source)),
        Err(error) if error.code() == Some("repository-damaged") => {
            tracing::warn!(tree = %snapshot.tree, %error, "a snapshot is passed over");
            Ok(None)
        }
        Err(error) => Err(error),
    }
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
    finished: Timestamp,
) -> SourceFile {
    let before = parent.map(|parent| &parent.source);
    let usage = cx.client.usage();
    let mut counts: BTreeMap<String, KindCounts> = BTreeMap::new();
    for kind in cx.service.kinds {
        let name = kind.spec().name;
        let was = before
            .and_then(|before| before.counts.get(name))
            .map_or(0, |counts| counts.items);
        let mut own = merged.counts.get(name).cloned().unwrap_or_default();
        own.items = (was + own.added).saturating_sub(own.removed);
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
        .stale_keys(Layouts::new(cx.service))
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
        finished,
        selection: crawled.selection.iter().cloned().collect(),
        picks: request.picks.clone(),
        accepted: request.accept_deletions.clone(),
        cursors: crawled.cursors.clone(),
        counts,
        stale,
        stale_items: Vec::new(),
        issues,
        requests: usage.requests,
    }
}

/// What issues are about and the snapshot before has, and what is kept unlisted: it was carried over.
async fn stale_items(
    base: &SnapshotReader,
    layouts: Layouts,
    parent: Option<&Parent>,
    issues: &[Issue],
    kept: &[ItemRef],
) -> Result<Vec<StaleItem>> {
    let Some(before) = parent.map(|parent| &parent.source) else {
        return Ok(Vec::new());
    };
    let items: BTreeSet<&ItemRef> = issues
        .iter()
        .filter_map(|issue| issue.item.as_ref())
        .chain(kept)
        .collect();
    let mut stale = Vec::new();
    for item in items {
        let (Some(folder), Some(document)) = (layouts.path(item), layouts.document(&item.kind))
        else {
            continue;
        };
        if base.node(&format!("{folder}/{document}")).await?.is_some() {
            let known = before.stale_items.iter().find(|known| known.item == *item);
            stale.push(StaleItem {
                item: item.clone(),
                read: known.map_or(before.finished, |known| known.read),
            });
        }
    }
    Ok(stale)
}

/// The key of a cursor or stale mark: `kind`, or `kind/scope`.
pub(crate) fn scope_key(kind: &str, scope: &str) -> String {
    if scope.is_empty() {
        kind.to_owned()
    } else {
        format!("{kind}/{scope}")
    }
}

/// Crawls, by index.
pub(crate) type Failed = HashSet<u16>;
