//! The snapshot that a backup goes on from.

use std::collections::HashSet;

use model::{SourceFile, SourceId};
use repository::{REPAIRED_TAG, Repository, Snapshot, SnapshotId, TreeId};
use service::Service;

use crate::layout::SOURCE_FILE;
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// The snapshot before.
pub(crate) struct Parent {
    pub id: SnapshotId,
    pub tree: TreeId,
    pub source: SourceFile,
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
    let (mut snapshots, damaged) = repository.readable_snapshots().await?;
    for error in damaged {
        tracing::warn!(%error, "a snapshot is passed over: the backup goes on from another one");
    }
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
