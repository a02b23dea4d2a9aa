//! Snapshot files, and those that are gone although their second copy is there.

use std::collections::HashSet;

use super::index::Indexed;
use super::{CheckReport, ProblemKind, ids, list};
use crate::files::unseal;
use crate::{BlobType, Error, FileKind, Id, Repository, Result, Snapshot, SnapshotId, TreeId};

impl Repository {
    /// Of all snapshot files, readable or not.
    pub async fn snapshot_ids(&self) -> Result<HashSet<SnapshotId>> {
        Ok(ids(&self.files().list(FileKind::Snapshot).await?))
    }
}

/// What there is to check below.
#[derive(Default)]
pub(super) struct Snapshots {
    /// Also those that only their second copy tells about.
    pub(super) found: Vec<(SnapshotId, Snapshot)>,
    /// Copies without their file.
    alone: Vec<Id>,
}

pub(super) async fn read(repository: &Repository, report: &mut CheckReport) -> Result<Snapshots> {
    let (files, kind) = (repository.files(), FileKind::Snapshot);
    let mut snapshots = Snapshots::default();
    // Copies first: a snapshot that is forgotten meanwhile must not look like a lost one.
    let copies = ids(&files.list_copies(kind).await?);
    let mut here = HashSet::new();
    for listed in list(files, kind, report).await? {
        here.insert(listed.id);
        if let Err(error) = files.read_original(kind, listed.id).await {
            report.add_error(ProblemKind::SnapshotDamaged, kind.path(listed.id), error)?;
        }
        match repository.snapshot(listed.id).await {
            Ok(snapshot) => snapshots.found.push((listed.id, snapshot)),
            // Its hash is wrong and it has no copy: that is said above.
            Err(_) if report.names(&kind.path(listed.id)) => {}
            Err(error) => {
                report.add_error(ProblemKind::SnapshotDamaged, kind.path(listed.id), error)?;
            }
        }
    }
    report.snapshots = here.len() as u64;
    report.copies_missing += here.difference(&copies).count() as u64;
    for id in copies {
        match files.read_copy(kind, id).await {
            Ok(_) if !here.contains(&id) => snapshots.alone.push(id),
            Ok(_) | Err(Error::FileMissing { .. }) => {}
            Err(error) => {
                report.add_error(ProblemKind::CopyDamaged, kind.copy_path(id), error)?;
            }
        }
    }
    Ok(snapshots)
}

impl Snapshots {
    /// A copy whose data is there belongs to a snapshot that was lost; one whose data is gone to one that was pruned.
    pub(super) async fn check_lost(
        &mut self,
        repository: &Repository,
        indexed: &Indexed,
        report: &mut CheckReport,
    ) -> Result<()> {
        let (files, kind) = (repository.files(), FileKind::Snapshot);
        let readable = self.found.iter();
        let replaced: HashSet<(Id, TreeId)> = readable
            .filter_map(|(_, snapshot)| snapshot.stands_for())
            .collect();
        for id in std::mem::take(&mut self.alone) {
            let at = kind.path(id);
            let snapshot = match files.read_copy(kind, id).await {
                Ok(sealed) => parse(repository, id, &sealed),
                // Forgotten since the listing.
                Err(Error::FileMissing { .. }) => continue,
                Err(error) => Err(error),
            };
            match snapshot {
                Ok(snapshot) if replaced.contains(&(id, snapshot.tree)) => {}
                Ok(snapshot) if indexed.table.get(BlobType::Tree, &snapshot.tree).is_some() => {
                    let reason = format!(
                        "the snapshot of {} is gone, though its data is there: it was lost (`keepward repository repair snapshots` brings it back), \
                         or another program forgot it (`keepward snapshot forget {}` accepts that)",
                        snapshot.time,
                        id.short()
                    );
                    report.add_file(ProblemKind::SnapshotMissing, at, reason);
                    self.found.push((id, snapshot));
                }
                Ok(snapshot) => {
                    let reason = format!(
                        "another program forgot the snapshot of {} and removed its data",
                        snapshot.time
                    );
                    report.add_file(ProblemKind::SnapshotForgotten, at, reason);
                }
                Err(error) => {
                    report.add_error(ProblemKind::CopyDamaged, kind.copy_path(id), error)?;
                }
            }
        }
        Ok(())
    }
}

/// A snapshot from the bytes of its second copy.
pub(crate) fn parse(repository: &Repository, id: Id, sealed: &[u8]) -> Result<Snapshot> {
    let at = FileKind::Snapshot.copy_path(id);
    let json = unseal(repository.cipher(), &at, sealed)?;
    serde_json::from_slice(&json).map_err(|error| Error::damaged(at, error))
}
