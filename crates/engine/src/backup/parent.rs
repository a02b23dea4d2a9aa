//! The snapshot that a backup goes on from.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use model::{SourceFile, SourceId};
use repository::{OWN_TAG, Repository, Snapshot, SnapshotId, TreeId};
use service::Service;

use crate::layout::SOURCE_FILE;
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// The user in the snapshots of backups. `restic backup` writes that of its machine.
pub(super) const USER: &str = "keepward";

/// The snapshot before.
pub(crate) struct Parent {
    pub id: SnapshotId,
    pub tree: TreeId,
    /// It lacks what its original had, or another program wrote it, which may have left anything out.
    pub is_doubtful: bool,
    pub source: SourceFile,
}

/// The tags by which snapshots of one source are found.
pub(crate) fn tags(service: &str, source: &str) -> Vec<String> {
    vec![
        OWN_TAG.to_owned(),
        format!("service={service}"),
        format!("source={source}"),
    ]
}

/// Whether Keepward made it, of this service.
pub(crate) fn is_of(snapshot: &Snapshot, service: &str) -> bool {
    let service = format!("service={service}");
    snapshot.is_own() && snapshot.tags.contains(&service)
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
    let (mut snapshots, damaged) = repository.readable_snapshots().await?;
    for error in damaged {
        tracing::warn!(%error, "a snapshot is passed over: the backup goes on from another one");
    }
    snapshots.retain(|(_, snapshot)| wanted.iter().all(|tag| snapshot.tags.contains(tag)));
    // Of a damaged snapshot and its repaired one the latter is gone on from.
    let originals = originals(&snapshots);
    snapshots.retain(|(id, _)| !originals.contains(id));
    snapshots.sort_by_key(|(_, snapshot)| std::cmp::Reverse(snapshot.time));
    for (id, snapshot) in snapshots {
        let Some(mut source) = known_source(repository, service, &snapshot).await? else {
            continue;
        };
        if source.id() == own {
            let is_doubtful = snapshot.is_repaired() || snapshot.username != USER;
            if is_doubtful {
                // It may lack items that its cursors would not ask for again: everything is read, and what is gone is judged as ever.
                source.cursors.clear();
            }
            return Ok(Some(Parent {
                id,
                tree: snapshot.tree,
                is_doubtful,
                source,
            }));
        }
    }
    Ok(None)
}

/// The damaged snapshots among these that a repair has left another one of, which says so.
pub(crate) fn originals(snapshots: &[(SnapshotId, Snapshot)]) -> HashSet<SnapshotId> {
    let repaired = snapshots.iter().map(|(_, snapshot)| snapshot);
    let repaired = repaired.filter(|snapshot| snapshot.is_repaired());
    repaired.filter_map(|snapshot| snapshot.original).collect()
}

/// A snapshot that has what a later one lost.
pub(crate) struct Older {
    pub id: SnapshotId,
    pub time: Timestamp,
}

/// Of each folder the newest snapshot of the same source before `parent` in which it can be read; those that none can show are missing.
pub(crate) async fn older(
    repository: &Repository,
    service: &'static Service,
    parent: &Parent,
    folders: impl IntoIterator<Item = String>,
) -> Result<BTreeMap<String, Older>> {
    let (mut found, mut sought) = (BTreeMap::new(), Vec::from_iter(folders));
    if sought.is_empty() {
        return Ok(found);
    }
    let wanted = tags(service.name, &parent.source.source);
    let (mut snapshots, _) = repository.readable_snapshots().await?;
    snapshots.retain(|(_, snapshot)| wanted.iter().all(|tag| snapshot.tags.contains(tag)));
    snapshots.retain(|(_, snapshot)| snapshot.time < parent.source.finished);
    for (id, snapshot) in snapshots.into_iter().rev() {
        if sought.is_empty() {
            break;
        }
        let reader = SnapshotReader::new(repository.clone(), service, Some(snapshot.tree));
        let source = match read_source(repository, service, snapshot.tree).await {
            Err(error) if error.is_damage() => continue,
            source => source?,
        };
        if source.id() != parent.source.id() {
            continue;
        }
        for folder in std::mem::take(&mut sought) {
            let nodes = match reader.nodes(&folder).await {
                Err(error) if error.is_damage() => Vec::new(),
                nodes => nodes?,
            };
            if nodes.is_empty() {
                sought.push(folder);
            } else {
                let time = snapshot.time;
                found.insert(folder, Older { id, time });
            }
        }
    }
    Ok(found)
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

/// Like [`read_source`], with the damage of a snapshot that cannot say what it is beside it. A storage that fails is an error.
pub async fn told_source(
    repository: &Repository,
    service: &'static Service,
    snapshot: &Snapshot,
) -> Result<Result<SourceFile>> {
    match read_source(repository, service, snapshot.tree).await {
        Err(error) if !error.is_damage() => Err(error),
        read => Ok(read),
    }
}

/// The same with a warning for damage: `check` names it.
pub(crate) async fn known_source(
    repository: &Repository,
    service: &'static Service,
    snapshot: &Snapshot,
) -> Result<Option<SourceFile>> {
    let read = told_source(repository, service, snapshot).await?;
    let warn =
        |error: &Error| tracing::warn!(tree = %snapshot.tree, %error, "a snapshot is passed over");
    Ok(read.inspect_err(warn).ok())
}
