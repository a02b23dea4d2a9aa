//! A check of a repository that is known here, and what the catalog learns of it.

use std::collections::HashSet;
use std::time::Duration;

use catalog::{Examined, KnownSnapshot, Page, RepositoryRow};
use model::Reporter;
use repository::{
    BlobType, CheckOptions, CheckReport, Problem, ProblemKind, ReadData, Repository, Snapshot,
};

use crate::{Control, Error, Result};

/// Snapshots that are looked up at once.
const AT_ONCE: u32 = 500;
/// How often, and how many times at most, it is asked whether somebody is just forgetting what is missing.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
const PATIENCE: u32 = 60;

impl Control {
    /// Reads what the options say, also of a repository that is too damaged to be opened, and notes what was found. Damage is in the report.
    pub async fn check_repository(
        &self,
        row: &RepositoryRow,
        options: &CheckOptions,
        reporter: &dyn Reporter,
    ) -> Result<CheckReport> {
        let report = match self.read_repository(row).await {
            Ok(repository) => self.check_opened(&repository, options, reporter).await?,
            Err(Error::Repository(error)) => {
                let store = self.store_of(row).await?;
                let password = self.secret_named(&row.password_credential).await?;
                Repository::check_damaged(store, &password, error, options).await?
            }
            Err(error) => return Err(error),
        };
        self.note_checked(row, options, &report).await?;
        Ok(report)
    }

    /// Notes on a repository what a check of it came to.
    pub async fn note_checked(
        &self,
        row: &RepositoryRow,
        options: &CheckOptions,
        report: &CheckReport,
    ) -> Result<()> {
        let found = Examined {
            at: self.now(),
            problems: problems(report),
            hidden: report.problems.iter().any(|problem| {
                let kind = problem.kind;
                matches!(kind, ProblemKind::PackDamaged | ProblemKind::BlobDamaged)
            }),
            read_all: options.read_data == ReadData::All,
        };
        Ok(self.catalog.note_examined(&row.name, &found).await?)
    }

    async fn check_opened(
        &self,
        repository: &Repository,
        options: &CheckOptions,
        reporter: &dyn Reporter,
    ) -> Result<CheckReport> {
        let lock = repository.lock_to_read(&self.holder(), reporter).await?;
        let checked = repository.check_reporting(options, reporter).await;
        lock.release().await?;
        let mut report = checked?;
        let lost = self.lost_snapshots(repository, &report).await?;
        report.problems.extend(lost);
        self.measure(repository).await?;
        repository.close().await;
        Ok(report)
    }

    /// Snapshots that the catalog knows, the repository no longer has, and the report does not name. One whose data was pruned, and whose source has a
    /// newer one, was forgotten by another installation: that is a note, since nothing is lost that somebody wanted to keep.
    pub async fn lost_snapshots(
        &self,
        repository: &Repository,
        report: &CheckReport,
    ) -> Result<Vec<Problem>> {
        let mut missing = self.missing(repository).await?;
        missing.retain(|snapshot| {
            let file = snapshot_file(snapshot);
            let named = |problem: &Problem| problem.file.as_deref() == Some(file.as_str());
            !report.problems.iter().any(named)
        });
        // Whoever forgets has the lock until the catalog knows: what stays in it without such a lock is lost.
        for _ in 0..PATIENCE {
            if missing.is_empty() {
                break;
            }
            // Of locks that cannot be read the report tells.
            let locks = repository.locks().await;
            let forgetting = locks.is_ok_and(|locks| !locks.is_empty());
            let mut still = Vec::new();
            for snapshot in missing {
                match self.catalog.source_file(&snapshot.id).await {
                    Ok(_) => still.push(snapshot),
                    Err(catalog::Error::SnapshotUnknown { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            missing = still;
            if !forgetting {
                break;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let (here, _) = repository.readable_snapshots().await?;
        let mut problems = Vec::with_capacity(missing.len());
        for snapshot in &missing {
            let is_followed = here.iter().any(|(_, other)| follows(other, snapshot));
            let is_forgotten = is_followed && is_pruned(repository, &snapshot.tree).await?;
            problems.push(gone(snapshot, is_forgotten));
        }
        Ok(problems)
    }

    /// What the catalog knows and the repository does not have. The catalog is asked first: what is committed meanwhile is in both.
    async fn missing(&self, repository: &Repository) -> Result<Vec<KnownSnapshot>> {
        let id = repository.id().to_string();
        let mut known = Vec::new();
        let mut page = Some(Page::first(AT_ONCE));
        while let Some(this) = page {
            let listed = self.catalog.snapshots(Some(&id), &this).await?;
            page = this.following(&listed);
            known.extend(listed.items);
        }
        let here = repository.snapshot_ids().await?.into_iter();
        let here: HashSet<String> = here.map(|id| id.to_string()).collect();
        known.retain(|snapshot| !here.contains(&snapshot.id));
        if !known.is_empty() {
            // What cannot be read stands for nothing, and the report names it.
            let (readable, _) = repository.readable_snapshots().await?;
            known.retain(|missing| !readable.iter().any(|(_, other)| replaces(other, missing)));
        }
        Ok(known)
    }

    /// Notes how large a repository is.
    pub(crate) async fn measure(&self, repository: &Repository) -> Result<()> {
        let (id, bytes) = (repository.id().to_string(), repository.size().await?);
        Ok(self.catalog.note_size(&id, bytes, self.now()).await?)
    }
}

fn snapshot_file(snapshot: &KnownSnapshot) -> String {
    format!("snapshots/{}", snapshot.id)
}

/// `restic tag` writes a snapshot anew, with another id. However often it does, `original` is the first one, so that alone names no other.
fn replaces(other: &Snapshot, missing: &KnownSnapshot) -> bool {
    other.original.is_some()
        && other.tree.to_string() == missing.tree
        && other.time.as_millisecond() == missing.time.as_millisecond()
}

/// A newer one of the same source.
fn follows(other: &Snapshot, missing: &KnownSnapshot) -> bool {
    let service = format!("service={}", missing.source.id.service);
    let source = format!("source={}", missing.name);
    other.time > missing.time && [service, source].iter().all(|tag| other.tags.contains(tag))
}

/// Whether no index names the tree, which a damaged one cannot tell.
async fn is_pruned(repository: &Repository, tree: &str) -> Result<bool> {
    let Ok(tree) = tree.parse() else {
        return Ok(false);
    };
    match repository.has(BlobType::Tree, tree).await {
        Ok(is_there) => Ok(!is_there),
        Err(error) if error.is_damage() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn gone(snapshot: &KnownSnapshot, is_forgotten: bool) -> Problem {
    let (kind, why) = if is_forgotten {
        let why = "and another installation or program forgot it and removed its data (`keepward repository sync` takes it out of the catalog)";
        (ProblemKind::SnapshotForgotten, why)
    } else {
        let why = "and it is gone: it was lost, or another program forgot it (then `keepward repository sync` takes it out of the catalog)";
        (ProblemKind::SnapshotMissing, why)
    };
    let file = snapshot_file(snapshot);
    Problem {
        kind,
        file: Some(file.clone()),
        subject: file,
        reason: format!("the catalog knows the snapshot of {}, {why}", snapshot.time),
    }
}

/// Notes aside.
pub(crate) fn problems(report: &CheckReport) -> u64 {
    let errors = report
        .problems
        .iter()
        .filter(|problem| !problem.kind.is_note());
    errors.count() as u64 + report.more_problems
}
