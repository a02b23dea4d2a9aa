//! What processes do: each opens the repository anew and works as a command does.

use std::collections::BTreeSet;
use std::sync::Arc;

use ::model::{Clock, Resumed, Silent};
use async_trait::async_trait;
use engine::backup::{BackupContext, BackupRequest};
use engine::coordinator::{Beat, Coordinator, Pace, Rows, SnapshotInfo};
use engine::export::{ExportOptions, export};
use engine::retention::{ForgetRequest, Keep, forget};
use jiff::SignedDuration;
use repository::{CopyOptions, Holder, Limit, LockGuard, PruneOptions, Repository, SnapshotId};
use tokio_util::sync::CancellationToken;

use crate::history::{Act, Trouble};
use crate::model::Files;
use crate::site::{Place, Site};
use crate::stand_in::request;

/// The catalog keeps a checkpoint, and may not hear of a snapshot.
struct Catalog<'a> {
    site: &'a Site,
    resumed: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Coordinator for Catalog<'_> {
    fn pace(&self) -> Option<Pace> {
        Some(Pace {
            least: std::time::Duration::ZERO,
            percent: 0,
            rest: 0,
            requests: 0,
        })
    }

    async fn left(&self) -> engine::Result<Option<String>> {
        Ok(self.site.checkpoint.lock().unwrap().clone())
    }

    async fn resumed(&self, _from: &Resumed) -> engine::Result<()> {
        self.resumed
            .store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }

    async fn checkpoint(&self, text: Option<&str>) -> engine::Result<()> {
        *self.site.checkpoint.lock().unwrap() = text.map(str::to_owned);
        Ok(())
    }

    async fn beat(&self) -> engine::Result<Beat> {
        Ok(Beat { cancel: false })
    }

    async fn permit_commit(&self) -> engine::Result<()> {
        Ok(())
    }

    async fn index(&self, _snapshot: &SnapshotInfo, rows: &mut dyn Rows) -> engine::Result<()> {
        while rows.next().await?.is_some() {}
        Ok(())
    }
}

/// How an act ended that did not die.
#[derive(Debug)]
pub(crate) enum Done {
    Backup {
        resumed: bool,
    },
    Forget,
    Prune,
    Copy(Vec<SnapshotId>),
    Export {
        snapshot: SnapshotId,
        files: Files,
        left_out: Vec<String>,
    },
    /// There was nothing to do it with.
    Nothing,
}

impl Site {
    pub(crate) async fn act(&self, act: &Act) -> engine::Result<Done> {
        let repository = self.open(Place::Main).await?;
        let done = match act {
            Act::Backup {
                trouble,
                full,
                accept,
            } => {
                self.trouble(trouble.as_ref());
                Box::pin(self.backup(&repository, *full, *accept)).await
            }
            Act::Forget { keep, accept } => self.forget(&repository, keep, *accept).await,
            Act::Prune { grace } => Box::pin(self.prune(&repository, *grace)).await,
            Act::Export => Box::pin(self.export(&repository)).await,
            Act::Copy => Box::pin(self.copy(&repository)).await,
        };
        // A command ends when its locks are gone.
        repository.close().await;
        done
    }

    fn trouble(&self, trouble: Option<&Trouble>) {
        let mut world = self.world.lock().unwrap();
        world.heal();
        match trouble {
            Some(Trouble::Kind(kind, class, after)) => world.fail_after(kind, *class, *after),
            Some(Trouble::Note(id)) => world.hide_note(*id),
            None => {}
        }
    }

    pub(crate) fn holder(&self) -> Holder {
        Holder::new("keepward", Arc::clone(&self.clock) as Arc<dyn Clock>)
            .with_patience(std::time::Duration::ZERO)
    }

    pub(crate) async fn shared(&self, repository: &Repository) -> repository::Result<LockGuard> {
        repository.lock_shared(&self.holder()).await
    }

    async fn backup(
        &self,
        repository: &Repository,
        full: bool,
        accept: bool,
    ) -> engine::Result<Done> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let catalog = Catalog {
            site: self,
            resumed: false.into(),
        };
        let cx = BackupContext {
            service: self.service,
            client: &self.client,
            repository,
            coordinator: &catalog,
            clock: &clock,
            reporter: &Silent,
        };
        let accepted: BTreeSet<String> = ["project", "note", "log"].map(str::to_owned).into();
        let request = BackupRequest {
            accept_deletions: if accept { accepted } else { BTreeSet::new() },
            full,
            ..request(self.work.path())
        };
        engine::backup::backup(&cx, &request).await?;
        let resumed = catalog.resumed.into_inner();
        Ok(Done::Backup { resumed })
    }

    async fn forget(
        &self,
        repository: &Repository,
        keep: &Keep,
        accept: bool,
    ) -> engine::Result<Done> {
        let request = ForgetRequest {
            keep: keep.clone(),
            accept_drop: if accept {
                BTreeSet::from(["contoso".to_owned()])
            } else {
                BTreeSet::new()
            },
            ..ForgetRequest::default()
        };
        let lock = self.shared(repository).await?;
        let plan = forget(repository, self.service, &request, self.clock.now()).await;
        lock.release().await?;
        plan?;
        Ok(Done::Forget)
    }

    async fn prune(&self, repository: &Repository, grace: u16) -> engine::Result<Done> {
        let options = PruneOptions {
            max_unused: Limit::Bytes(0),
            grace: SignedDuration::from_mins(i64::from(grace)),
            ..PruneOptions::default()
        };
        repository.prune(&self.holder(), &options, &Silent).await?;
        Ok(Done::Prune)
    }

    async fn copy(&self, repository: &Repository) -> engine::Result<Done> {
        let target = self.open(Place::Second).await?;
        let snapshots = repository.snapshots().await?;
        let ids: Vec<SnapshotId> = snapshots.into_iter().map(|(id, _)| id).collect();
        let options = CopyOptions { index_every: 1 };
        let holder = self.holder();
        let done = repository.copy_to(&target, &ids, &holder, &options, &Silent);
        let done = done.await;
        target.close().await;
        done?;
        Ok(Done::Copy(ids))
    }

    /// The newest snapshot, into a folder.
    async fn export(&self, repository: &Repository) -> engine::Result<Done> {
        let lock = self.shared(repository).await?;
        let snapshots = repository.snapshots().await?;
        let Some((id, _)) = snapshots.last() else {
            lock.release().await?;
            return Ok(Done::Nothing);
        };
        let folder = tempfile::tempdir_in(self.work.path()).unwrap();
        let options = ExportOptions {
            overwrite: false,
            reporter: &Silent,
            cancel: &CancellationToken::new(),
        };
        let report = export(repository, *id, "", folder.path(), &options).await?;
        lock.release().await?;
        let left_out = report.left_out.into_iter().map(|left| left.path);
        Ok(Done::Export {
            snapshot: *id,
            files: files_below(folder.path()),
            left_out: left_out.collect(),
        })
    }
}

fn files_below(root: &std::path::Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    files.remove("source.json");
    files
}
