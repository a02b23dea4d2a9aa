//! Getting what is new, with the proof that nothing is missing.

use std::collections::BTreeSet;
use std::path::Path;

use model::Class;

use super::advertisement::Advertisement;
use super::fetch::is_moved;
use super::index::{Indexed, index};
use super::listing::Listing;
use super::state::State;
use super::{Closure, Oid, Packs, Remote, closure, request};
use crate::{Error, Result};

/// What is to be stored: refs, and the pack that they need beyond the stored ones.
pub(super) struct Gain {
    pub(super) adv: Advertisement,
    pub(super) pack: Option<Indexed>,
    pub(super) proof: Closure,
    /// The pack holds everything that the refs reach, and stands for all that were stored before.
    pub(super) whole: bool,
}

/// Fetches until the closure is proved. A moved ref is looked at once more, an incomplete pack is replaced by a whole one once.
/// With `whole` nothing that is stored is built on.
pub(super) async fn obtain(
    remote: &Remote,
    state: &State,
    stored: &Packs,
    listing: &Listing,
    work: &Path,
    mut whole: bool,
) -> Result<Gain> {
    let mut adv = listing.adv.clone();
    let mut listed_again = false;
    // What is not stored whole must not be announced.
    whole |= state.damaged || !state.refs.values().all(|id| stored.contains(id));
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
                adv = listing.again(remote.advertise().await?, state);
                continue;
            }
            result => result?,
        };
        match prove(pack.as_deref(), &known, &tips, work).await {
            Ok((pack, proof)) => {
                return Ok(Gain {
                    adv,
                    pack,
                    proof,
                    whole: whole || state.packs.is_empty(),
                });
            }
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
pub(super) async fn prove(
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
