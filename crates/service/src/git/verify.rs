//! Reading a restored repository back: the refs as the service lists them, and whether it has the large files.

use model::ItemRef;

use super::lfs::{self, Operation, Pointer};
use super::restore::is_restored;
use super::state::State;
use super::{Remote, about};
use crate::{Result, Target};

/// Differences beyond these are counted, not told.
const MOST_TOLD: usize = 20;

/// What differs between the snapshot and `remote`, in words: branches, tags and notes, the default branch, and LFS objects.
pub async fn verify_repository(
    cx: &Target<'_>,
    item: &ItemRef,
    remote: &Remote,
) -> Result<Vec<String>> {
    differences(cx, item, remote)
        .await
        .map_err(|error| about(&remote.path, error))
}

async fn differences(cx: &Target<'_>, item: &ItemRef, remote: &Remote) -> Result<Vec<String>> {
    let state = State::load(cx.stored, item).await?;
    if !state.known {
        return Ok(Vec::new());
    }
    let adv = remote.advertise().await?;
    let mut told = Vec::new();
    for (name, id) in state.refs.iter().filter(|(name, _)| is_restored(name)) {
        match adv.refs.get(name) {
            Some(found) if found == id => {}
            Some(found) => told.push(format!("{name} is at {found} and not at {id}")),
            None => told.push(format!("{name} is missing")),
        }
    }
    for name in adv
        .refs
        .keys()
        .filter(|name| is_restored(name) && !state.refs.contains_key(*name))
    {
        told.push(format!("{name} is not in the snapshot"));
    }
    if let Some(branch) = state
        .head_branch()
        .filter(|name| state.refs.contains_key(*name))
        && let Some(head) = adv.head.as_deref().filter(|head| *head != branch)
    {
        told.push(format!("the default branch is {head} and not {branch}"));
    }
    let objects: Vec<Pointer> = state
        .lfs
        .iter()
        .map(|(oid, size)| Pointer {
            oid: oid.clone(),
            size: *size,
        })
        .collect();
    for (pointer, answer) in lfs::ask(remote, Operation::Download, &objects).await? {
        match answer {
            Ok(actions) if actions.download.is_some() => {}
            Ok(_) => told.push(format!("LFS object {} cannot be downloaded", pointer.oid)),
            Err(error) => told.push(error.message),
        }
    }
    if told.len() > MOST_TOLD {
        let more = told.len() - MOST_TOLD;
        told.truncate(MOST_TOLD);
        told.push(format!("and {more} more differences"));
    }
    Ok(told)
}
