//! The proof that nothing is missing: every id that a new object mentions has its object, here or in a stored pack.

mod cache;
mod references;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use gix_pack::index::traverse::{Algorithm, Options, SafetyCheck};
use gix_pack::{Bundle, cache::Never};
use gix_utils::progress::{Discard, Progress};
use model::Class;

use self::cache::Recent;
use super::index::{Indexed, MOST_OBJECT_BYTES, MOST_OBJECTS, blocking};
use super::{HASH, Oid, Packs, Pointer};
use crate::{Error, Result};

/// Missing ids beyond these are not worth remembering.
const MOST_MISSING: usize = 1000;

/// What one pass over a new pack told.
#[derive(Clone, Debug, Default)]
pub struct Closure {
    /// Ids that are mentioned and not stored, at most 1000 of them; none when the closure is proved.
    pub missing: Vec<Oid>,
    /// LFS pointers among the new blobs, each object once.
    pub lfs: Vec<Pointer>,
}

/// Reads every object of a new pack (made by [`super::index()`]) once, and looks up what its commits, trees and tags refer to,
/// as well as the `tips`. Submodules' commits live elsewhere and are left out.
pub async fn closure(new: Option<&Indexed>, stored: &Packs, tips: &BTreeSet<Oid>) -> Result<Closure> {
    let (new, stored, tips) = (new.cloned(), stored.clone(), tips.clone());
    blocking(move |interrupt| {
        let Some(new) = new.filter(|new| new.objects > 0) else {
            let missing = tips.iter().filter(|id| !stored.contains(id)).take(MOST_MISSING).copied().collect();
            return Ok(Closure { missing, lfs: Vec::new() });
        };
        let bundle = Bundle::at(&new.idx, HASH).map_err(|error| unreadable(&error))?;
        let survey = survey(&bundle, &stored, new.objects > MOST_OBJECTS, interrupt)?;
        survey.finish(&tips)
    })
    .await
}

/// The objects were hashed when they were indexed, so this pass only reads them.
fn survey<'a>(bundle: &'a Bundle, stored: &'a Packs, sparing: bool, interrupt: &AtomicBool) -> Result<Survey<'a>> {
    let survey = Mutex::new(Survey::new(bundle, stored));
    let visit = |kind: gix_object::Kind, data: &[u8], entry: &gix_pack::index::Entry, _: &dyn Progress| {
        survey.lock().unwrap_or_else(PoisonError::into_inner).visit(kind, data, entry.oid);
        Ok(())
    };
    let check = SafetyCheck::SkipFileAndObjectChecksumVerification;
    let thread_limit = Some(1);
    let mut done = false;
    if !sparing {
        let options = Options { traversal: Algorithm::DeltaTreeLookup, thread_limit, check, alloc_limit_bytes: Some(MOST_OBJECT_BYTES), make_pack_lookup_cache: || Never };
        match bundle.index.traverse(&bundle.pack, &mut Discard, interrupt, visit, options) {
            Ok(_) => done = true,
            Err(error) if error.is_resource_exhausted() => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
    if !done {
        let options = Options { traversal: Algorithm::Lookup, thread_limit, check, alloc_limit_bytes: None, make_pack_lookup_cache: Recent::default };
        bundle.index.traverse(&bundle.pack, &mut Discard, interrupt, visit, options).map_err(|error| unreadable(&error))?;
    }
    Ok(survey.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Survey<'a> {
    new: &'a Bundle,
    stored: &'a Packs,
    /// Found in stored packs before: unchanged files and folders are mentioned again and again.
    known: HashSet<Oid>,
    missing: BTreeSet<Oid>,
    pointers: BTreeMap<String, u64>,
    senseless: Option<(gix_object::Kind, Oid)>,
}

impl<'a> Survey<'a> {
    fn new(new: &'a Bundle, stored: &'a Packs) -> Self {
        Self { new, stored, known: HashSet::new(), missing: BTreeSet::new(), pointers: BTreeMap::new(), senseless: None }
    }

    fn visit(&mut self, kind: gix_object::Kind, data: &[u8], id: Oid) {
        if kind == gix_object::Kind::Blob {
            if let Some(pointer) = Pointer::read(data) {
                self.pointers.insert(pointer.oid, pointer.size);
            }
        } else if references::each(kind, data, &mut |id| self.needs(id)).is_none() {
            self.senseless = Some((kind, id));
        }
    }

    fn needs(&mut self, id: Oid) {
        if self.new.index.lookup(id).is_some() || self.known.contains(&id) {
            return;
        }
        if self.stored.contains(&id) {
            self.known.insert(id);
        } else if self.missing.len() < MOST_MISSING {
            self.missing.insert(id);
        }
    }

    fn finish(mut self, tips: &BTreeSet<Oid>) -> Result<Closure> {
        for id in tips {
            self.needs(*id);
        }
        if let Some((kind, id)) = self.senseless {
            return Err(Error::new(Class::Missing, "git-object-missing", format!("the {kind} {id} cannot be read")));
        }
        let lfs = self.pointers.into_iter().map(|(oid, size)| Pointer { oid, size }).collect();
        Ok(Closure { missing: self.missing.into_iter().collect(), lfs })
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> Error {
    Error::new(Class::Malformed, "git-object-missing", format!("the pack that came cannot be read: {error}"))
}
