//! A backup: crawl every selected kind, merge with the snapshot before, commit, tell the catalog.

mod attempt;
pub(crate) mod checkpoint;
mod crawls;
mod describe;
mod gaps;
mod gone;
mod lost;
mod parent;
mod prior;
pub(crate) mod pulse;
mod recount;
mod resume;
mod stale;

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::{Clock, Connector, Counts, Picks, Reporter, SourceFile};
use repository::{Holder, LockGuard, Repository, SnapshotId};
use service::{Client, Service};

pub use checkpoint::Checkpoint;
pub(crate) use gone::implausible;
pub(crate) use parent::{Parent, is_of, known_source, latest, originals};
pub use parent::{read_source, told_source};

use attempt::{Attempt, Ended};

use crate::coordinator::Coordinator;
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

/// Runs a backup to its committed snapshot, or fails without one.
pub async fn backup(cx: &BackupContext<'_>, request: &BackupRequest) -> Result<BackupReport> {
    cx.client.compare_clocks(cx.clock);
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
    lock: &LockGuard,
) -> Result<BackupReport> {
    let parent = latest(
        cx.repository,
        cx.service,
        &request.connector.organization,
        &request.url,
    )
    .await?;
    let tree = parent.as_ref().map(|parent| parent.tree);
    let base = SnapshotReader::new(cx.repository.clone(), cx.service, tree).around_damage();
    let mut attempt = Attempt {
        cx,
        request,
        lock,
        parent: parent.as_ref(),
        base: &base,
        anew: BTreeSet::new(),
    };
    let mut go_on = true;
    loop {
        let why = match attempt.run(go_on).await {
            Ok(Ended::Whole(report)) => return Ok(*report),
            Ok(Ended::Anew(kinds)) => {
                let listed = kinds.iter().copied().collect::<Vec<_>>().join(", ");
                attempt.anew.extend(kinds);
                format!(
                    "what the snapshot before holds cannot be read whole: reading everything of {listed}"
                )
            }
            Err(error) if go_on && error.is_start_again() => format!(
                "the checkpoint of an earlier run is of no use, everything begins anew: {error}"
            ),
            Err(error) => return Err(error),
        };
        resume::give_up(cx, why).await?;
        go_on = false;
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

/// Crawls, by index.
pub(crate) type Failed = HashSet<u16>;
