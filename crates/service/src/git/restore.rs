//! Giving a repository back: large files first, then history by `git push`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::ItemRef;
use sha2::{Digest as _, Sha256};

use super::fetch::disk;
use super::lfs::{self, Pointer};
use super::push;
use super::state::{self, State};
use super::{Oid, Remote, about};
use crate::{Restore, Result, Stored, Target};

/// Namespaces that a push may write; `refs/pull` is the service's own.
pub(super) const RESTORED: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/notes/"];

/// The service's own namespace.
const PULLS: &str = "refs/pull/";

/// Whether a push brings this ref back.
pub(super) fn is_restored(name: &str) -> bool {
    RESTORED.iter().any(|space| name.starts_with(space))
}

/// Pushes the stored repository to `remote`, which must exist, and gives what cannot be pushed, in words.
///
/// Refs of the same name are overwritten, others stay. The default branch is the caller's: it cannot be pushed. May be called again after an interruption.
pub async fn restore_repository(
    cx: &Restore<'_>,
    item: &ItemRef,
    remote: &Remote,
) -> Result<Vec<String>> {
    restore(cx, item, remote)
        .await
        .map_err(|error| about(&remote.path, error))
}

/// A hash of the branches, tags and notes at `remote` that a push would write over.
pub async fn repository_revision(
    cx: &Target<'_>,
    item: &ItemRef,
    remote: &Remote,
) -> Result<String> {
    let state = State::load(cx.stored, item).await?;
    let adv = remote.advertise().await;
    let adv = adv.map_err(|error| about(&remote.path, error))?;
    let mut hash = Sha256::new();
    for name in state.refs.keys().filter(|name| is_restored(name)) {
        let there = adv.refs.get(name).map(Oid::to_string).unwrap_or_default();
        hash.update(format!("{there} {name}\n"));
    }
    Ok(hex::encode(hash.finalize()))
}

async fn restore(cx: &Restore<'_>, item: &ItemRef, remote: &Remote) -> Result<Vec<String>> {
    let target = &cx.target;
    let state = State::load(target.stored, item).await?;
    if !state.known {
        return Ok(vec![
            "its content could not be read when it was backed up, and is not in the snapshot"
                .to_owned(),
        ]);
    }
    let work = tempfile::tempdir_in(target.work).map_err(|e| disk(target.work, e))?;
    let objects: Vec<Pointer> = state
        .lfs
        .iter()
        .map(|(oid, size)| Pointer {
            oid: oid.clone(),
            size: *size,
        })
        .collect();
    Box::pin(lfs::upload(
        remote,
        item,
        target.stored,
        &objects,
        work.path(),
    ))
    .await?;
    let mut left = Vec::new();
    if state.refs.keys().any(|name| is_restored(name)) {
        let bare = bare(target.stored, item, work.path()).await?;
        left = Box::pin(push::push(remote, &state, &bare)).await?;
    }
    left.extend(losses(&state));
    Ok(left)
}

/// What of a stored repository no push brings back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    PullRequests,
    /// Refs that are neither of people nor of pull requests.
    OtherRefs,
    /// All of it: it could not be read when it was backed up.
    Content,
    /// Objects of LFS that the service lacked.
    LargeFiles,
}

/// Reads the snapshot alone, and of that neither packs nor files.
pub async fn left_out(stored: &dyn Stored, item: &ItemRef) -> Result<Vec<LeftOut>> {
    let state = State::load(stored, item).await?;
    let not_pushed = state.refs.keys().filter(|name| !is_restored(name));
    let (pulls, others): (Vec<&String>, Vec<&String>) =
        not_pushed.partition(|name| name.starts_with(PULLS));
    let all = [
        (LeftOut::PullRequests, !pulls.is_empty()),
        (LeftOut::OtherRefs, !others.is_empty()),
        (LeftOut::Content, !state.known),
        (LeftOut::LargeFiles, !state.lfs_missing.is_empty()),
    ];
    let left = all.into_iter().filter(|(_, is_left)| *is_left);
    Ok(left.map(|(what, _)| what).collect())
}

/// Lays the parts out as the bare repository that they are.
pub(super) async fn bare(stored: &dyn Stored, item: &ItemRef, work: &Path) -> Result<PathBuf> {
    let folder = work.join("repository.git");
    let packs = folder.join("objects/pack");
    tokio::fs::create_dir_all(&packs)
        .await
        .map_err(|e| disk(&packs, e))?;
    let refs = folder.join("refs");
    tokio::fs::create_dir_all(&refs)
        .await
        .map_err(|e| disk(&refs, e))?;
    for part in stored.parts(item).await? {
        let name = part.name.as_str();
        let is_pack = name
            .strip_prefix("objects/pack/")
            .is_some_and(|file| !file.contains('/'));
        if is_pack || [state::HEAD, state::PACKED_REFS].contains(&name) {
            state::copy(stored, item, name, &folder.join(name)).await?;
        }
    }
    // Never a stored configuration: it could name programs to run.
    let (config, bytes) = state::CONFIG;
    let path = folder.join(config);
    tokio::fs::write(&path, bytes)
        .await
        .map_err(|e| disk(&path, e))?;
    Ok(folder)
}

fn losses(state: &State) -> Vec<String> {
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    for name in state.refs.keys().filter(|name| !is_restored(name)) {
        let space: Vec<&str> = name.splitn(3, '/').take(2).collect();
        *lost.entry(space.join("/")).or_default() += 1;
    }
    let mut losses: Vec<String> = lost
        .iter()
        .map(|(space, count)| match space.as_str() {
            "refs/pull" => format!("{count} pull request refs ({space}/*) are made by the service alone; they are in the backup and are not pushed"),
            _ => format!("{count} refs in {space}/* are in the backup and are not pushed"),
        })
        .collect();
    if !state.lfs_missing.is_empty() {
        losses.push(format!(
            "{} LFS objects were missing at the service when it was backed up",
            state.lfs_missing.len()
        ));
    }
    losses
}
