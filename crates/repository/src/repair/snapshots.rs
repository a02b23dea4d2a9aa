//! Snapshot files from their second copies, and new snapshots without what is lost.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use serde_json::{Value, json};

use super::trees::{Lost, Trees};
use super::{RepairReport, need_exclusive, unless_damaged, unless_held};
use crate::check::parse_snapshot;
use crate::files::Listed;
use crate::{BlobType, FileKind, Id, LockGuard, Repository, Result, Snapshot, SnapshotId, TreeId};

/// Tag of a snapshot that lacks what its original had.
pub const REPAIRED_TAG: &str = "keepward-repaired";
/// Member of such a snapshot: how many paths are lost, and the first of them.
pub const LOST_MEMBER: &str = "keepward_lost";
const MOST_PATHS: usize = 1000;
const KIND: FileKind = FileKind::Snapshot;

impl Repository {
    /// Brings back snapshot files, and writes a new snapshot, tagged [`REPAIRED_TAG`], for each that lost trees or files: without
    /// them, and naming them. The originals stay unless `forget`; where one is whole again, what stood for it goes. The index is
    /// repaired before, and a dry run ends there if it is to be. `lock` must be exclusive.
    pub async fn repair_snapshots(
        &self,
        lock: &LockGuard,
        forget: bool,
        dry_run: bool,
    ) -> Result<RepairReport> {
        need_exclusive(self, lock).await?;
        // What packs hold and no index names would look lost.
        let mut report = self.repair_index(lock, false, dry_run).await?;
        if dry_run && !report.repaired.is_empty() {
            let what = "what is lost of them can be told once the index is repaired";
            report.repaired("snapshots", what);
            return Ok(report);
        }
        self.index().load_all().await?;
        let mut repair = Repair {
            repository: self,
            lock,
            forget,
            report,
        };
        let snapshots = repair.files().await?;
        repair.contents(&snapshots).await?;
        Ok(repair.report)
    }
}

struct Repair<'a> {
    repository: &'a Repository,
    lock: &'a LockGuard,
    forget: bool,
    report: RepairReport,
}

impl Repair<'_> {
    /// The ids of all snapshot files, and of all second copies. Files that went astray are in their places then; a dry run leaves out
    /// what else it would say of them.
    async fn listed(&mut self) -> Result<(BTreeSet<Id>, BTreeSet<Id>)> {
        let files = self.repository.files();
        let ids = |listed: Vec<Listed>| -> BTreeSet<Id> {
            listed.into_iter().map(|file| file.id).collect()
        };
        let listing = files.listing(KIND).await?;
        let mut here = ids(listing.files);
        let mut copied = ids(files.list_copies(KIND).await?);
        for (Listed { id, .. }, at) in listing.astray {
            if here.contains(&id) {
                continue;
            }
            self.report
                .repaired(KIND.path(id), format!("it lay at {at}"));
            if self.report.dry_run {
                copied.remove(&id);
            } else {
                files.put_in_place(KIND, id, &at).await?;
                here.insert(id);
            }
        }
        Ok((here, copied))
    }

    /// All snapshots that can be read, brought back ones included.
    async fn files(&mut self) -> Result<Vec<(SnapshotId, Snapshot)>> {
        let files = self.repository.files();
        let (here, copied) = self.listed().await?;
        self.put_back_misplaced(&here).await?;
        let replaced = self.replaced(&here).await?;
        let mut snapshots = Vec::new();
        for id in here.union(&copied) {
            let original = unless_damaged(files.read_original(KIND, *id).await)?;
            let copy = unless_damaged(files.read_copy(KIND, *id).await)?;
            let Some(bytes) = original.clone().or_else(|| copy.clone()) else {
                self.drop_unreadable(*id, here.contains(id)).await?;
                continue;
            };
            let Some(snapshot) = unless_damaged(parse_snapshot(self.repository, *id, &bytes))?
            else {
                self.drop_unreadable(*id, true).await?;
                continue;
            };
            match (original.is_some(), copy.is_some()) {
                (true, true) => {}
                (true, false) => {
                    self.write(*id, bytes, "its second copy was written")
                        .await?;
                }
                (false, _) if !here.contains(id) && replaced.contains(&(*id, snapshot.tree)) => {
                    let what = "another snapshot holds all of it: its second copy goes";
                    self.remove(*id, what).await?;
                    continue;
                }
                (false, _) if !here.contains(id) && !self.has_tree(&snapshot).await? => {
                    let what =
                        "another program forgot it and removed its data: its second copy goes too";
                    self.remove(*id, what).await?;
                    continue;
                }
                (false, _) => {
                    self.write(*id, bytes, "written again from its second copy")
                        .await?;
                }
            }
            snapshots.push((*id, snapshot));
        }
        Ok(snapshots)
    }

    /// What the readable snapshots stand for.
    async fn replaced(&self, here: &BTreeSet<Id>) -> Result<HashSet<(Id, TreeId)>> {
        let mut replaced = HashSet::new();
        for id in here {
            let read = self.repository.files().read_original(KIND, *id).await;
            let Some(bytes) = unless_damaged(read)? else {
                continue;
            };
            if let Some(snapshot) = unless_damaged(parse_snapshot(self.repository, *id, &bytes))? {
                replaced.extend(snapshot.stands_for());
            }
        }
        Ok(replaced)
    }

    async fn remove(&mut self, id: Id, what: &str) -> Result<()> {
        self.report.repaired(KIND.path(id), what);
        if self.report.dry_run {
            return Ok(());
        }
        self.repository.files().remove(KIND, id).await
    }

    async fn has_tree(&self, snapshot: &Snapshot) -> Result<bool> {
        self.repository.has(BlobType::Tree, snapshot.tree).await
    }

    /// Files whose content belongs under another name, as after a swap, go there.
    async fn put_back_misplaced(&mut self, here: &BTreeSet<Id>) -> Result<()> {
        let files = self.repository.files();
        let mut misplaced = Vec::new();
        for id in here {
            let Some(bytes) = unless_damaged(files.read_unverified(KIND, *id).await)? else {
                continue;
            };
            let content = Id::of(&bytes);
            if content != *id && parse_snapshot(self.repository, *id, &bytes).is_ok() {
                misplaced.push((content, bytes));
            }
        }
        for (id, bytes) in misplaced {
            if unless_damaged(files.read_original(KIND, id).await)?.is_none() {
                self.write(id, bytes, "its content lay under another name")
                    .await?;
            }
        }
        Ok(())
    }

    async fn write(&mut self, id: Id, bytes: Bytes, what: &str) -> Result<()> {
        self.report.repaired(KIND.path(id), what);
        if self.report.dry_run {
            return Ok(());
        }
        self.repository.files().write(KIND, id, bytes).await
    }

    async fn drop_unreadable(&mut self, id: Id, is_here: bool) -> Result<()> {
        if !is_here {
            // A damaged copy of a snapshot that is not there tells nothing.
            self.report.repaired(
                KIND.copy_path(id),
                "a damaged copy without its file is removed",
            );
        } else if self.forget {
            self.report
                .lost(KIND.path(id), "it cannot be read and is removed");
        } else {
            let what = "it cannot be read and has no second copy; `--forget` removes it";
            self.report.lost(KIND.path(id), what);
            return Ok(());
        }
        if self.report.dry_run {
            return Ok(());
        }
        self.repository.files().remove(KIND, id).await
    }

    async fn contents(&mut self, snapshots: &[(SnapshotId, Snapshot)]) -> Result<()> {
        let replaced: HashSet<Id> = snapshots
            .iter()
            .filter(|(_, snapshot)| snapshot.is_repaired())
            .filter_map(|(_, snapshot)| snapshot.original)
            .collect();
        let mut trees = Trees::new(self.repository, self.report.dry_run).await?;
        let mut whole = HashSet::new();
        for (id, snapshot) in snapshots {
            if trees.rebuild(snapshot.tree).await?.tree == Some(snapshot.tree) {
                whole.insert(*id);
            }
        }
        let mut damaged = Vec::new();
        for (id, snapshot) in snapshots {
            if snapshot.is_repaired() && snapshot.original.is_some_and(|id| whole.contains(&id)) {
                let what = "its original is whole again: it goes";
                unless_held(self.remove(*id, what).await)?;
                continue;
            }
            if whole.contains(id) {
                continue;
            }
            let rebuilt = trees.rebuild(snapshot.tree).await?;
            damaged.push(*id);
            if replaced.contains(id) {
                continue;
            }
            for Lost { path, reason } in &rebuilt.lost {
                self.report
                    .lost(format_args!("/{path} in snapshot {id}"), reason);
            }
            let Some(tree) = rebuilt.tree else {
                let what = "its root tree is lost, and everything in it";
                self.report.lost(format_args!("snapshot {id}"), what);
                continue;
            };
            let what = format!(
                "a new snapshot holds all but the {} paths that are lost",
                rebuilt.lost.len()
            );
            self.report.repaired(format_args!("snapshot {id}"), what);
            if !self.report.dry_run {
                let new = repaired(*id, snapshot, tree, &rebuilt.lost);
                trees.writer().commit(&new, self.lock).await?;
            }
        }
        if self.forget {
            for id in damaged {
                self.report
                    .repaired(KIND.path(id), "the damaged snapshot is forgotten");
                if !self.report.dry_run {
                    self.repository.files().remove(KIND, id).await?;
                }
            }
        }
        Ok(())
    }
}

fn repaired(id: SnapshotId, old: &Snapshot, tree: Id, lost: &[Lost]) -> Snapshot {
    let mut new = Snapshot {
        tree,
        original: Some(id),
        summary: None,
        ..old.clone()
    };
    if !old.is_repaired() {
        new.tags.push(REPAIRED_TAG.to_owned());
    }
    let paths: Vec<Value> = lost
        .iter()
        .take(MOST_PATHS)
        .map(|lost| Value::from(format!("/{}", lost.path)))
        .collect();
    let member = json!({"count": lost.len(), "paths": paths});
    new.extra.insert(LOST_MEMBER.to_owned(), member);
    new
}
