//! What the objects of a pack mention, noted one by one.

use std::collections::{BTreeMap, HashSet};

use gix_object::Kind;

use super::references;
use crate::git::{Oid, Pointer};

#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// Each id once: unchanged files and folders are mentioned again and again.
    pub(in crate::git) ids: HashSet<Oid>,
    /// Size by oid.
    pointers: BTreeMap<String, u64>,
    /// An object whose references cannot be read.
    pub(super) senseless: Option<(Kind, Oid)>,
}

impl Mentions {
    pub(in crate::git) fn pointers(&self) -> impl Iterator<Item = Pointer> {
        self.pointers.iter().map(|(oid, size)| Pointer {
            oid: oid.clone(),
            size: *size,
        })
    }

    pub(crate) fn visit(&mut self, kind: Kind, data: &[u8], id: Oid) {
        if kind == Kind::Blob {
            if let Some(pointer) = Pointer::read(data) {
                self.pointers.insert(pointer.oid, pointer.size);
            }
        } else if references::each(kind, data, &mut |id| _ = self.ids.insert(id)).is_none() {
            self.senseless = Some((kind, id));
        }
    }
}
