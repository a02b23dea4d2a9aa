//! Which objects are stored already, told by pack indexes alone.

use std::path::Path;
use std::sync::Arc;

use super::{HASH, Oid};
use crate::{Error, Result};

/// The indexes of stored packs; no pack is needed. Cheap to clone.
#[derive(Clone, Default)]
pub struct Packs(Arc<Vec<gix_pack::index::File<gix_pack::MMap>>>);

impl Packs {
    /// Opens indexes (`.idx`) that stay in place as long as this value.
    pub fn open<P: AsRef<Path>>(indexes: impl IntoIterator<Item = P>) -> Result<Self> {
        let open = |path: P| {
            gix_pack::index::File::at(path.as_ref(), HASH).map_err(|error| {
                Error::storage(format!(
                    "{} is not an index of a pack",
                    path.as_ref().display()
                ))
                .caused_by(error)
            })
        };
        indexes
            .into_iter()
            .map(open)
            .collect::<Result<Vec<_>>>()
            .map(|files| Self(Arc::new(files)))
    }

    /// Objects in all packs; one that two packs hold counts twice.
    pub(super) fn objects(&self) -> u64 {
        self.0
            .iter()
            .map(|index| u64::from(index.num_objects()))
            .sum()
    }

    /// Calls `found` with the id of each object.
    pub(super) fn each(&self, found: &mut dyn FnMut(Oid)) {
        for index in self.0.iter() {
            index.iter().for_each(|entry| found(entry.oid));
        }
    }

    /// Newest packs are the most likely ones, and they come last.
    pub fn contains(&self, id: &Oid) -> bool {
        self.0.iter().rev().any(|index| index.lookup(id).is_some())
    }
}
