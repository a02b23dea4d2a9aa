//! A compact map from blob to place: about 56 bytes for each of millions of blobs.

use hashbrown::hash_table::{self, HashTable};

use crate::pack::{BlobType, Entry};
use crate::{Id, PackId};

/// Marks trees in the number of the pack.
const TREE: u32 = 1 << 31;

#[derive(Clone, Copy)]
struct Row {
    id: Id,
    pack: u32,
    offset: u32,
    length: u32,
    raw_length: u32,
}

impl Row {
    fn is(&self, tag: u32, id: &Id) -> bool {
        self.id == *id && self.pack & TREE == tag
    }
}

/// Where a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pack: PackId,
    pub(crate) entry: Entry,
}

#[derive(Default)]
pub(crate) struct Table {
    packs: Vec<PackId>,
    rows: Vec<Row>,
    /// Of rows. Most of them are passed over without a look at the row, which is seldom in the processor's cache.
    numbers: HashTable<u32>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Keeps the first place of a blob that comes twice: files are read from the newest back.
    pub(crate) fn insert_pack(&mut self, pack: PackId, entries: &[Entry]) {
        self.add_pack(pack, entries, false);
    }

    /// Takes the new place of a blob that is there already: it was written again because the old one is unreadable.
    pub(crate) fn supersede_pack(&mut self, pack: PackId, entries: &[Entry]) {
        self.add_pack(pack, entries, true);
    }

    fn add_pack(&mut self, pack: PackId, entries: &[Entry], supersede: bool) {
        let number = self.packs.len() as u32;
        self.packs.push(pack);
        for entry in entries {
            let tagged = if entry.kind == BlobType::Tree {
                number | TREE
            } else {
                number
            };
            let Entry {
                id,
                offset,
                length,
                raw_length,
                ..
            } = *entry;
            let row = Row {
                id,
                pack: tagged,
                offset,
                length,
                raw_length,
            };
            self.insert(row, supersede);
        }
    }

    fn insert(&mut self, row: Row, supersede: bool) {
        if self.rows.len() == self.numbers.capacity() {
            self.grow();
        }
        let rows = &self.rows;
        let same = |number: &u32| rows[*number as usize].is(row.pack & TREE, &row.id);
        let of = |number: &u32| hash(&rows[*number as usize].id);
        match self.numbers.entry(hash(&row.id), same, of) {
            hash_table::Entry::Vacant(free) => {
                free.insert(rows.len() as u32);
                self.rows.push(row);
            }
            hash_table::Entry::Occupied(taken) if supersede => {
                let number = *taken.get() as usize;
                self.rows[number] = row;
            }
            hash_table::Entry::Occupied(_) => {}
        }
    }

    /// In the order of rows, which is several times faster than in that of the table; the old numbers are freed before there is room for the new.
    fn grow(&mut self) {
        self.numbers = HashTable::new();
        self.numbers = HashTable::with_capacity((self.rows.len() * 2).max(1024));
        for (number, row) in (0..).zip(&self.rows) {
            let of = |number: &u32| hash(&self.rows[*number as usize].id);
            self.numbers.insert_unique(hash(&row.id), number, of);
        }
    }

    pub(crate) fn get(&self, kind: BlobType, id: &Id) -> Option<Place> {
        self.number(kind, id).map(|number| self.place(number))
    }

    /// Blobs are numbered from 0 in the order in which they first came.
    pub(crate) fn number(&self, kind: BlobType, id: &Id) -> Option<u32> {
        let tag = if kind == BlobType::Tree { TREE } else { 0 };
        let same = |number: &u32| self.rows[*number as usize].is(tag, id);
        self.numbers.find(hash(id), same).copied()
    }

    /// The place of a number that [`Self::number`] gave.
    pub(crate) fn place(&self, number: u32) -> Place {
        let Row {
            id,
            pack,
            offset,
            length,
            raw_length,
        } = self.rows[number as usize];
        let entry = Entry {
            kind: if pack & TREE == 0 {
                BlobType::Data
            } else {
                BlobType::Tree
            },
            id,
            offset,
            length,
            raw_length,
        };
        Place {
            pack: self.packs[(pack & !TREE) as usize],
            entry,
        }
    }
}

/// Ids are uniform as they are.
fn hash(id: &Id) -> u64 {
    id.0.first_chunk()
        .map_or(0, |head| u64::from_le_bytes(*head))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_table_agrees_with_a_map(packs in proptest::collection::vec(proptest::collection::vec((0..2000_u32, any::<bool>()), 0..400), 0..20)) {
            let (mut table, mut map) = (Table::default(), HashMap::new());
            for (number, blobs) in packs.iter().enumerate() {
                let pack = Id::of(&number.to_le_bytes());
                let entries: Vec<Entry> = blobs.iter().zip(0..).map(|(&(blob, tree), offset)| {
                    let kind = if tree { BlobType::Tree } else { BlobType::Data };
                    Entry { kind, id: Id::of(&blob.to_le_bytes()), offset, length: blob, raw_length: 1 }
                }).collect();
                table.insert_pack(pack, &entries);
                for entry in entries {
                    map.entry((entry.kind, entry.id)).or_insert(Place { pack, entry });
                }
            }
            prop_assert_eq!(table.len(), map.len());
            for blob in 0..2000_u32 {
                for kind in [BlobType::Data, BlobType::Tree] {
                    let id = Id::of(&blob.to_le_bytes());
                    prop_assert_eq!(table.get(kind, &id), map.get(&(kind, id)).copied());
                }
            }
        }
    }
}
