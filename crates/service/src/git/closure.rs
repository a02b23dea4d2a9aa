//! The proof that nothing is missing: every id that a new object mentions has its object, here or in a stored pack.

mod cache;
mod mentions;
mod references;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use gix_pack::Bundle;
use gix_pack::index::traverse::{Algorithm, Options, SafetyCheck};
use gix_utils::progress::{Discard, Progress};
use model::Class;

use self::cache::Recent;
pub(super) use self::mentions::Mentions;
use super::index::{Indexed, blocking};
use super::{HASH, Oid, Packs, Pointer};
use crate::{Error, Result};

/// Missing ids beyond these are not worth remembering.
const MOST_MISSING: usize = 1000;

/// What the objects of a new pack told.
#[derive(Clone, Debug, Default)]
pub struct Closure {
    /// Ids that are mentioned and not stored, at most 1000 of them; none when the closure is proved.
    pub missing: Vec<Oid>,
    /// LFS pointers among the new blobs, each object once.
    pub lfs: Vec<Pointer>,
}

/// Looks up what the commits, trees and tags of a new pack refer to, as well as the `tips`, in its index and in those of stored packs.
/// Submodules' commits live elsewhere and are left out.
pub async fn closure(
    new: Option<&Indexed>,
    stored: &Packs,
    tips: &BTreeSet<Oid>,
) -> Result<Closure> {
    let (new, stored, tips) = (new.cloned(), stored.clone(), tips.clone());
    blocking(move |interrupt| {
        let Some(new) = new.filter(|new| new.objects > 0) else {
            let missing = tips
                .iter()
                .filter(|id| !stored.contains(id))
                .take(MOST_MISSING)
                .copied()
                .collect();
            return Ok(Closure {
                missing,
                lfs: Vec::new(),
            });
        };
        let mentions = mentions_of(&new, interrupt)?;
        let index =
            gix_pack::index::File::at(&new.idx, HASH).map_err(|error| unreadable(&error))?;
        let is_missing = |id: &&Oid| index.lookup(id).is_none() && !stored.contains(id);
        let missing: BTreeSet<Oid> = mentions
            .ids
            .iter()
            .chain(&tips)
            .filter(is_missing)
            .take(MOST_MISSING)
            .copied()
            .collect();
        Ok(Closure {
            missing: missing.into_iter().collect(),
            lfs: mentions.pointers().collect(),
        })
    })
    .await
}

/// What the objects of a pack refer to; an object that makes no sense is an error of class `Missing`.
pub(super) async fn mentions(new: &Indexed) -> Result<Arc<Mentions>> {
    let new = new.clone();
    blocking(move |interrupt| mentions_of(&new, interrupt)).await
}

fn mentions_of(new: &Indexed, interrupt: &AtomicBool) -> Result<Arc<Mentions>> {
    let mentions = match &new.mentions {
        Some(mentions) => Arc::clone(mentions),
        None => Arc::new(survey(&new.idx, interrupt)?),
    };
    match mentions.senseless {
        None => Ok(mentions),
        Some((kind, id)) => Err(Error::new(
            Class::Missing,
            "git-object-missing",
            format!("the {kind} {id} cannot be read"),
        )),
    }
}

/// Reads every object of a large pack; they were hashed when it was indexed.
fn survey(idx: &Path, interrupt: &AtomicBool) -> Result<Mentions> {
    let bundle = Bundle::at(idx, HASH).map_err(|error| unreadable(&error))?;
    let mentions = Mutex::new(Mentions::default());
    let visit = |kind, data: &[u8], entry: &gix_pack::index::Entry, _: &dyn Progress| {
        mentions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .visit(kind, data, entry.oid);
        Ok(())
    };
    let options = Options {
        traversal: Algorithm::Lookup,
        thread_limit: Some(1),
        check: SafetyCheck::SkipFileAndObjectChecksumVerification,
        alloc_limit_bytes: None,
        make_pack_lookup_cache: Recent::default,
    };
    bundle
        .index
        .traverse(&bundle.pack, &mut Discard, interrupt, visit, options)
        .map_err(|error| unreadable(&error))?;
    Ok(mentions
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner))
}

fn unreadable(error: &dyn std::fmt::Display) -> Error {
    Error::new(
        Class::Malformed,
        "git-object-missing",
        format!("the pack that came cannot be read: {error}"),
    )
}
