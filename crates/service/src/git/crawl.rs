//! Backing up one repository: list the refs, fetch what is new, prove that it is whole, then store it.

use std::collections::BTreeSet;
use std::path::Path;

use model::{Class, Issue, ItemRef};
use tokio::fs::File;

use super::advertisement::Advertisement;
use super::fetch::{disk, is_moved};
use super::index::{Indexed, index};
use super::lfs::{self, Pointer};
use super::state::{self, State};
use super::{Closure, Oid, Packs, Remote, about, closure, request};
use crate::{Crawl, Error, Result};

/// How many missing LFS objects an issue names one by one.
const MOST_NAMED: usize = 5;

/// Brings the parts of one repository up to date; its document is the caller's.
///
/// An unchanged repository costs one request and touches no part. What concerns this repository alone becomes an issue here, its parts stay
/// as they were, and the result is `Ok`; an error means that others would not fare better (credential, own storage, throttling).
pub async fn crawl_repository(cx: &Crawl<'_>, remote: &Remote, item: &ItemRef) -> Result<()> {
    match update(cx, remote, item)
        .await
        .map_err(|error| about(&remote.path, error))
    {
        Err(error) if !error.is_fatal() && error.class != Class::Throttled => {
            cx.sink
                .issue(error.to_issue(&item.kind, &item.scope, Some(item.clone())));
            Ok(())
        }
        result => result,
    }
}

async fn update(cx: &Crawl<'_>, remote: &Remote, item: &ItemRef) -> Result<()> {
    let state = State::load(cx.prior, item).await?;
    let adv = remote.advertise().await?;
    if state.equals(&adv) {
        return large_files(cx, remote, item, &state, Vec::new()).await;
    }
    if adv.refs.is_empty() && !state.refs.is_empty() {
        let message = format!(
            "the service lists no ref, and the last snapshot has {}",
            state.refs.len()
        );
        return Err(Error::new(Class::Implausible, "implausible-drop", message));
    }
    let work = tempfile::tempdir_in(cx.work).map_err(|e| disk(cx.work, e))?;
    let stored = if state.damaged {
        Packs::default()
    } else {
        state.indexes(cx.prior, item, work.path()).await?
    };
    let gain = Box::pin(obtain(remote, &state, &stored, adv, work.path())).await?;
    Box::pin(store(cx, item, &state, &gain)).await?;
    Box::pin(large_files(cx, remote, item, &state, gain.proof.lfs)).await
}

/// What is to be stored: refs, and the pack that they need beyond the stored ones.
struct Gain {
    adv: Advertisement,
    pack: Option<Indexed>,
    proof: Closure,
}

/// Fetches until the closure is proved. A moved ref is looked at once more, an incomplete pack is replaced by a whole one once.
async fn obtain(
    remote: &Remote,
    state: &State,
    stored: &Packs,
    mut adv: Advertisement,
    work: &Path,
) -> Result<Gain> {
    let mut listed_again = false;
    // What is not stored whole must not be announced.
    let mut whole = state.damaged || !state.refs.values().all(|id| stored.contains(id));
    let mut tried_whole = whole;
    loop {
        let known = if whole {
            Packs::default()
        } else {
            stored.clone()
        };
        let tips = adv.tips();
        let wants: Vec<Oid> = tips
            .iter()
            .filter(|id| !known.contains(id))
            .copied()
            .collect();
        let haves = if whole {
            Vec::new()
        } else {
            request::haves(&state.refs, &adv.refs)
        };
        let pack = match remote.fetch(&adv, &wants, &haves, work).await {
            Err(error) if is_moved(&error) && !listed_again => {
                listed_again = true;
                adv = remote.advertise().await?;
                continue;
            }
            result => result?,
        };
        match prove(pack.as_deref(), &known, &tips, work).await {
            Ok((pack, proof)) => return Ok(Gain { adv, pack, proof }),
            Err(error) if error.class == Class::Missing && !tried_whole => {
                tracing::warn!(repository = remote.path, %error, "an incomplete pack came, so the whole repository is fetched");
                whole = true;
                tried_whole = true;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Indexes a pack and proves that with it nothing is missing; the error's class is `Missing` when something is.
async fn prove(
    pack: Option<&Path>,
    known: &Packs,
    tips: &BTreeSet<Oid>,
    work: &Path,
) -> Result<(Option<Indexed>, Closure)> {
    let indexed = match pack {
        Some(pack) => Some(index(pack, work).await?).filter(|indexed| indexed.objects > 0),
        None => None,
    };
    let proof = closure(indexed.as_ref(), known, tips).await?;
    match proof.missing.first() {
        None => Ok((indexed, proof)),
        Some(id) => {
            let message = format!(
                "{} objects that others refer to did not arrive, {id} among them",
                proof.missing.len()
            );
            Err(Error::new(Class::Missing, "git-object-missing", message))
        }
    }
}

/// Packs first, refs last: at every moment what the refs name is there.
async fn store(cx: &Crawl<'_>, item: &ItemRef, state: &State, gain: &Gain) -> Result<()> {
    if let Some(pack) = &gain.pack {
        for (part, path) in [
            (state::pack_part(&pack.name), &pack.pack),
            (state::idx_part(&pack.name), &pack.idx),
        ] {
            let mut file = File::open(path).await.map_err(|e| disk(path, e))?;
            cx.sink.stream(item, &part, &mut file).await?;
        }
    }
    if !state.known {
        for (part, bytes) in [state::CONFIG].into_iter().chain(state::FOLDERS) {
            cx.sink.part(item, part, bytes).await?;
        }
    }
    let head = state.head_for(&gain.adv);
    if head != state.head {
        cx.sink.part(item, state::HEAD, head.as_bytes()).await?;
    }
    if !state.known || state.refs != gain.adv.refs {
        cx.sink
            .part(
                item,
                state::PACKED_REFS,
                &state::render_refs(&gain.adv.refs),
            )
            .await?;
    }
    if state.damaged {
        drop_remains(cx, item, gain.pack.as_ref().map(|pack| pack.name.as_str())).await?;
    }
    Ok(())
}

/// The new pack holds everything, and nothing proves what the old ones still hold.
async fn drop_remains(cx: &Crawl<'_>, item: &ItemRef, new: Option<&str>) -> Result<()> {
    let new: Vec<String> = new
        .iter()
        .flat_map(|name| [state::pack_part(name), state::idx_part(name)])
        .collect();
    for part in cx.prior.parts(item).await? {
        if part.name.starts_with("objects/pack/") && !new.contains(&part.name) {
            cx.sink.remove_part(item, &part.name).await?;
        }
    }
    Ok(())
}

/// Gets the large files that new commits refer to, and those that the service did not have before.
async fn large_files(
    cx: &Crawl<'_>,
    remote: &Remote,
    item: &ItemRef,
    state: &State,
    found: Vec<Pointer>,
) -> Result<()> {
    let wanted: BTreeSet<Pointer> = found
        .into_iter()
        .chain(state.lfs_missing.iter().cloned())
        .filter(|pointer| !state.lfs.contains_key(&pointer.oid))
        .collect();
    let wanted: Vec<Pointer> = wanted.into_iter().collect();
    let failed = match lfs::download(remote, item, cx.sink, &wanted).await {
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
        return cx.sink.remove_part(item, lfs::MISSING).await;
    }
    let list = Pointer::render(missing);
    cx.sink.part(item, lfs::MISSING, &list).await
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
