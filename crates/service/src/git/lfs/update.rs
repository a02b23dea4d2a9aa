//! Bringing the large files of a repository up to date.

use std::collections::BTreeSet;

use model::{Issue, ItemRef};

use super::super::Remote;
use super::super::state::State;
use super::{MISSING, Pointer, download, hash};
use crate::{Crawl, Error, Result};

/// How many missing LFS objects an issue names one by one.
const MOST_NAMED: usize = 5;

/// Gets the large files that new commits refer to, and those that the service did not have before.
pub(crate) async fn update(
    cx: &Crawl<'_>,
    remote: &Remote,
    item: &ItemRef,
    state: &State,
    found: Vec<Pointer>,
) -> Result<()> {
    let named: BTreeSet<Pointer> = found
        .into_iter()
        .chain(state.lfs_missing.iter().cloned())
        .collect();
    let mut wanted = Vec::new();
    for pointer in named {
        let stored = state.lfs.contains_key(&pointer.oid);
        // A full run believes nothing that it can read back.
        if !stored
            || (cx.order.full
                && hash(cx.prior, item, &pointer.oid).await?.as_ref() != Some(&pointer.oid))
        {
            wanted.push(pointer);
        }
    }
    let failed = match download(remote, item, cx.sink, &wanted).await {
        Ok(failed) => failed,
        Err(error) => {
            // The commits are stored and will not be searched again.
            note_missing(cx, item, state, &wanted).await?;
            return Err(error);
        }
    };
    let mut missing: Vec<Pointer> = failed
        .iter()
        .map(|(pointer, _)| (*pointer).clone())
        .collect();
    missing.sort();
    note_missing(cx, item, state, &missing).await?;
    if let Some((first, error)) = failed.first() {
        cx.sink.issue(lacking(remote, item, &missing, first, error));
    }
    Ok(())
}

/// The next run tries these again.
async fn note_missing(
    cx: &Crawl<'_>,
    item: &ItemRef,
    state: &State,
    missing: &[Pointer],
) -> Result<()> {
    if missing == state.lfs_missing {
        return Ok(());
    }
    if missing.is_empty() {
        return cx.sink.remove_part(item, MISSING).await;
    }
    let list = Pointer::render(missing);
    cx.sink.part(item, MISSING, &list).await
}

/// The issue names the object and not the repository, which is up to date.
fn lacking(
    remote: &Remote,
    item: &ItemRef,
    missing: &[Pointer],
    first: &Pointer,
    error: &Error,
) -> Issue {
    let named: Vec<&str> = missing
        .iter()
        .take(MOST_NAMED)
        .map(|pointer| pointer.oid.as_str())
        .collect();
    let more = if missing.len() > MOST_NAMED {
        ", …"
    } else {
        ""
    };
    Issue {
        code: "lfs-object-missing".to_owned(),
        class: error.class,
        kind: "lfs-object".to_owned(),
        scope: item.scope.clone(),
        item: Some(ItemRef::new("lfs-object", &item.scope, &first.oid)),
        message: format!(
            "repository {}: {} LFS objects could not be read ({}{more}): {}",
            remote.path,
            missing.len(),
            named.join(", "),
            error.message
        ),
        hint: Some("Push the objects from a clone that has them: `git lfs push --all`.".to_owned()),
    }
}
