//! What every committed snapshot holds, and how a snapshot may differ from the service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::model::SourceFile;
use futures::StreamExt as _;
use repository::{Error, REPAIRED_TAG, Repository, SnapshotId};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The snapshots that are to be there.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) snapshots: BTreeMap<SnapshotId, Arc<Files>>,
    /// Those that were there and are forgotten.
    gone: BTreeMap<SnapshotId, Arc<Files>>,
}

/// Every file of a snapshot but its own description, and that.
async fn read(
    repository: &Repository,
    tree: repository::TreeId,
) -> Result<(Files, Option<SourceFile>), String> {
    let mut files = Files::new();
    let mut source = None;
    let mut walk = std::pin::pin!(repository.walk(tree, ""));
    while let Some(entry) = walk.next().await {
        let (path, node) = entry.map_err(|error| error.to_string())?;
        if !node.is_file() {
            continue;
        }
        let bytes = repository.read(&node).await;
        let bytes = bytes.map_err(|error| format!("{path}: {error}"))?;
        if bytes.len() as u64 != node.size {
            return Err(format!("{path} has not the size that it tells"));
        }
        if path == "source.json" {
            source = Some(serde_json::from_slice(&bytes).map_err(|error| error.to_string())?);
        } else {
            files.insert(path, bytes.to_vec());
        }
    }
    Ok((files, source))
}

impl Model {
    /// Takes up new snapshots, after comparing them with what the service held while they were read, and looks after those that are to be
    /// there; `forgettable` ones may be gone. Says what the new ones tell about themselves.
    pub(crate) async fn compare(
        &mut self,
        repository: &Repository,
        service: &[Files],
        forgettable: &BTreeSet<SnapshotId>,
    ) -> Result<Vec<SourceFile>, String> {
        let listed = repository.snapshots().await;
        let listed = listed.map_err(|error| format!("the snapshots cannot be listed: {error}"))?;
        let here: BTreeSet<SnapshotId> = listed.iter().map(|(id, _)| *id).collect();
        let lost: Vec<SnapshotId> = self
            .snapshots
            .keys()
            .filter(|id| !here.contains(id))
            .copied()
            .collect();
        for id in lost {
            if !forgettable.contains(&id) {
                return Err(format!("snapshot {} is gone", id.short()));
            }
            let files = self.snapshots.remove(&id).unwrap_or_default();
            self.gone.insert(id, files);
        }
        let mut new = Vec::new();
        for (id, snapshot) in listed {
            let name = format!("snapshot {}", id.short());
            if self.gone.contains_key(&id) {
                return Err(format!("{name} was forgotten and is back"));
            }
            let (files, source) = read(repository, snapshot.tree)
                .await
                .map_err(|error| format!("{name}: {error}"))?;
            if let Some(known) = self.snapshots.get(&id) {
                if **known != files {
                    return Err(format!("{name} has changed"));
                }
                continue;
            }
            // The parent may have been forgotten beside the backup.
            let known = |id| self.snapshots.get(&id).or_else(|| self.gone.get(&id));
            let before = snapshot.parent.and_then(known);
            let source = source.ok_or_else(|| format!("{name} has no source.json"))?;
            if snapshot.parent.is_some() && before.is_none() {
                return Err(format!("{name} has a parent that was never there"));
            }
            let nothing = Files::new();
            let before = before.map_or(&nothing, Arc::as_ref);
            judge(&files, before, service, &source).map_err(|error| format!("{name}: {error}"))?;
            self.snapshots.insert(id, Arc::new(files));
            new.push(source);
        }
        Ok(new)
    }
}

impl Model {
    /// The known snapshots that are not there whole any more. What of them can be read has to be right.
    pub(crate) async fn harmed(
        &self,
        repository: &Repository,
        forgettable: &BTreeSet<SnapshotId>,
    ) -> Result<BTreeSet<SnapshotId>, String> {
        let mut harmed = BTreeSet::new();
        for (id, known) in &self.snapshots {
            if let Ok(snapshot) = repository.snapshot(*id).await {
                let mut whole = repository.list(snapshot.tree).await.is_ok();
                for path in known.keys().map(String::as_str).chain(["source.json"]) {
                    let found = repository.find(snapshot.tree, path).await;
                    let bytes = match found {
                        Ok(Some(node)) => repository.read(&node).await.ok(),
                        // A repair may have had to leave the description out.
                        Ok(None) if path == "source.json" => continue,
                        _ => None,
                    };
                    whole &= bytes.is_some();
                    let held =
                        bytes.is_none_or(|bytes| known.get(path).is_none_or(|held| bytes == *held));
                    if !held {
                        return Err(format!("{path} of {} reads as something else", id.short()));
                    }
                }
                if whole {
                    continue;
                }
            }
            let forgotten = repository
                .snapshot(*id)
                .await
                .is_err_and(|error| matches!(error, Error::FileMissing { .. }));
            if !(forgotten && forgettable.contains(id)) {
                harmed.insert(*id);
            }
        }
        Ok(harmed)
    }

    /// Takes up what a repair made of lost snapshots: less than there was, and nothing else.
    pub(crate) async fn adopt(
        &mut self,
        repository: &Repository,
        service: &[Files],
    ) -> Result<(), String> {
        let listed = repository.snapshots().await;
        for (id, snapshot) in listed.map_err(|error| error.to_string())? {
            if self.snapshots.contains_key(&id)
                || !snapshot.tags.iter().any(|tag| tag == REPAIRED_TAG)
            {
                continue;
            }
            let (files, _) = read(repository, snapshot.tree).await?;
            for (path, bytes) in &files {
                let known = self.snapshots.values().chain(self.gone.values());
                let known = known.map(Arc::as_ref).chain(service);
                let mut held = known.filter_map(|files| files.get(path));
                if !held.any(|held| held == bytes) {
                    return Err(format!("{path} of the repaired {} is made up", id.short()));
                }
            }
            self.snapshots.insert(id, Arc::new(files));
        }
        Ok(())
    }

    /// Every copy is what its original was, and those that were reported are there.
    pub(crate) async fn compare_copies(
        &self,
        second: &Repository,
        copied: &BTreeSet<SnapshotId>,
    ) -> Result<(), String> {
        let mut missing = copied.clone();
        let listed = second.snapshots().await;
        for (id, snapshot) in listed.map_err(|error| error.to_string())? {
            let original = snapshot.original.ok_or("a copy names no original")?;
            let known = self.snapshots.get(&original);
            let known = known.or_else(|| self.gone.get(&original));
            let known = known.ok_or_else(|| format!("{} is a copy of nothing", id.short()))?;
            let (files, _) = read(second, snapshot.tree).await?;
            if **known != files {
                return Err(format!("{} differs from its original", id.short()));
            }
            missing.remove(&original);
        }
        match missing.first() {
            Some(id) => Err(format!("{} was copied and is not there", id.short())),
            None => Ok(()),
        }
    }

    /// An export holds every file of the snapshot, but for those that it names.
    pub(crate) fn compare_export(
        &self,
        snapshot: SnapshotId,
        files: &Files,
        left_out: &[String],
    ) -> Result<(), String> {
        let Some(known) = self.snapshots.get(&snapshot) else {
            return Err("an unknown snapshot was exported".to_owned());
        };
        let paths: BTreeSet<&String> = files.keys().chain(known.keys()).collect();
        for path in paths {
            let written = files.get(path);
            let left_out = written.is_none() && left_out.iter().any(|left| path.starts_with(left));
            if written != known.get(path) && !left_out {
                return Err(format!("the export of {path} differs from the snapshot"));
            }
        }
        Ok(())
    }
}

/// Every file is as the service had it while the run was at work, or as before and the snapshot says why.
fn judge(
    files: &Files,
    before: &Files,
    service: &[Files],
    source: &SourceFile,
) -> Result<(), String> {
    let paths: BTreeSet<&String> = files
        .keys()
        .chain(service.iter().flat_map(Files::keys))
        .collect();
    for path in paths {
        let held = files.get(path);
        if service.iter().any(|state| held == state.get(path)) {
            continue;
        }
        if held != before.get(path) {
            return Err(format!(
                "{path} is neither what the service holds nor what was there before"
            ));
        }
        if !is_named(path, source) {
            return Err(format!("{path} is old, and the snapshot does not say so"));
        }
    }
    Ok(())
}

/// Whether something that the snapshot reports covers the path.
fn is_named(path: &str, source: &SourceFile) -> bool {
    let stale = source.stale.keys().map(|key| {
        let (kind, scope) = key.split_once('/').unwrap_or((key, ""));
        (kind, scope, None)
    });
    let issues = source.issues.iter().map(|issue| {
        let item = issue.item.as_ref().map(|item| item.id.as_str());
        (issue.kind.as_str(), issue.scope.as_str(), item)
    });
    stale.chain(issues).any(|(kind, scope, item)| match kind {
        "project" => path.starts_with("projects/"),
        "note" if scope.is_empty() => path.contains("/notes/"),
        "note" => path.starts_with(&match item {
            Some(item) => format!("projects/{scope}/notes/{item}/"),
            None => format!("projects/{scope}/notes/"),
        }),
        _ => path.starts_with("logs/"),
    })
}
