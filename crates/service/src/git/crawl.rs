//! Backing up one repository: list the refs, fetch what is new, prove that it is whole, then store it.

use model::{Class, ItemRef};
use tokio::fs::File;

use super::fetch::disk;
use super::lfs;
use super::listing::Listing;
use super::obtain::Gain;
use super::state::{self, State};
use super::tend::Tending;
use super::upkeep::{RECORD, Record};
use super::{Remote, about};
use crate::{Crawl, Result};

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
    let state = match State::load(cx.prior, item).await {
        Err(error) if error.is_damage() => {
            cx.sink
                .issue(error.to_issue(&item.kind, &item.scope, Some(item.clone())));
            // Nothing of it is built on.
            State {
                damaged: true,
                ..State::default()
            }
        }
        state => state?,
    };
    let listing = Listing::new(remote.advertise().await?, &state, cx.order, &item.kind);
    if let Some(issue) = listing.issue(remote, item) {
        cx.sink.issue(issue);
    }
    let due = remote.upkeep.due(&state, &listing, item, cx.order);
    if state.equals(&listing.adv) && due.is_none() {
        return lfs::update(cx, remote, item, &state, Vec::new()).await;
    }
    let work = tempfile::tempdir_in(cx.work).map_err(|e| disk(cx.work, e))?;
    let mut tending = Tending {
        cx,
        remote,
        item,
        state: &state,
        work: work.path(),
        record: state.record.clone(),
    };
    let gain = Box::pin(tending.gain(&listing, due)).await?;
    let record = tending.record;
    Box::pin(store(cx, item, &state, &gain, &record)).await?;
    Box::pin(lfs::update(cx, remote, item, &state, gain.proof.lfs)).await
}

/// Packs first, refs last: at every moment what the refs name is there.
async fn store(
    cx: &Crawl<'_>,
    item: &ItemRef,
    state: &State,
    gain: &Gain,
    record: &Record,
) -> Result<()> {
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
    if *record != state.record {
        cx.sink.part(item, RECORD, &record.render()?).await?;
    }
    if gain.whole {
        drop_others(cx, item, gain.pack.as_ref().map(|pack| pack.name.as_str())).await?;
    }
    Ok(())
}

/// One pack holds everything. Snapshots that were committed keep the others.
async fn drop_others(cx: &Crawl<'_>, item: &ItemRef, whole: Option<&str>) -> Result<()> {
    let whole: Vec<String> = whole
        .iter()
        .flat_map(|name| [state::pack_part(name), state::idx_part(name)])
        .collect();
    let parts = match cx.prior.parts(item).await {
        // Its folder cannot be read, and begins anew with what came.
        Err(error) if error.is_damage() => return Ok(()),
        parts => parts?,
    };
    for part in parts {
        if part.name.starts_with("objects/pack/") && !whole.contains(&part.name) {
            cx.sink.remove_part(item, &part.name).await?;
        }
    }
    Ok(())
}
