//! A check of a repository that is known here, and what the catalog learns of it.

use std::collections::HashSet;

use catalog::{Examined, Page, RepositoryRow};
use model::{Event, Reporter};
use repository::{
    CheckOptions, CheckReport, LockGuard, Problem, ProblemKind, ReadData, Repository,
};

use crate::{Control, Error, Result};

/// Snapshots that are looked up at once.
const AT_ONCE: u32 = 500;

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
        let lock = self.lock_if_possible(repository, reporter).await?;
        let checked = repository.check_reporting(options, reporter).await;
        if let Some(lock) = lock {
            lock.release().await?;
        }
        let mut report = checked?;
        let lost = self.lost_snapshots(repository, &report).await?;
        report.problems.extend(lost);
        self.measure(repository).await?;
        repository.close().await;
        Ok(report)
    }

    /// Damaged locks and full disks must be checked too; whoever excludes us is waited for.
    async fn lock_if_possible(
        &self,
        repository: &Repository,
        reporter: &dyn Reporter,
    ) -> Result<Option<LockGuard>> {
        match repository.lock_shared(&self.holder()).await {
            Ok(lock) => Ok(Some(lock)),
            Err(error) if matches!(error.code(), "lock-held" | "lock-lost") => Err(error.into()),
            Err(error) => {
                let message = format!("checked without a lock: {error}");
                reporter.report(Event::Note { message });
                Ok(None)
            }
        }
    }

    /// Snapshots that the catalog knows, the repository no longer has, and the report does not name.
    pub async fn lost_snapshots(
        &self,
        repository: &Repository,
        report: &CheckReport,
    ) -> Result<Vec<Problem>> {
        let here: HashSet<String> = repository
            .snapshot_ids()
            .await?
            .iter()
            .map(ToString::to_string)
            .collect();
        let named: HashSet<&str> = report
            .problems
            .iter()
            .filter_map(|problem| problem.file.as_deref())
            .collect();
        let id = repository.id().to_string();
        let mut lost = Vec::new();
        let mut page = Some(Page::first(AT_ONCE));
        while let Some(this) = page {
            let listed = self.catalog.snapshots(Some(&id), &this).await?;
            for snapshot in &listed.items {
                let file = format!("snapshots/{}", snapshot.id);
                if here.contains(&snapshot.id) || named.contains(file.as_str()) {
                    continue;
                }
                lost.push(Problem {
                    kind: ProblemKind::SnapshotMissing,
                    file: Some(file.clone()),
                    subject: file,
                    reason: format!(
                        "the catalog knows the snapshot of {}, and it is gone: it was lost, or another program forgot it \
                         (then `keepward repository sync` takes it out of the catalog)",
                        snapshot.time
                    ),
                });
            }
            page = this.following(&listed);
        }
        Ok(lost)
    }

    /// Notes how large a repository is.
    pub(crate) async fn measure(&self, repository: &Repository) -> Result<()> {
        let (id, bytes) = (repository.id().to_string(), repository.size().await?);
        Ok(self.catalog.note_size(&id, bytes, self.now()).await?)
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
