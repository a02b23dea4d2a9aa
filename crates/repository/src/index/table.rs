//! A compact map from blob to place: 48 bytes an entry and 4 bytes a slot, for hundreds of thousands of blobs.

use crate::pack::{BlobType, Entry};
use crate::{Id, PackId};

const EMPTY: u32 = u32::MAX;
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

/// Where a blob lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) pack: PackId,
    pub(crate) entry: Entry,
}

/// Open addressing over the ids, which are uniform as they are.
#[derive(Default)]
pub(crate) struct Table {
    packs: Vec<PackId>,
    rows: Vec<Row>,
    slots: Vec<u32>,
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Keeps the first place of a blob that comes twice.
    pub(crate) fn insert_pack(&mut self, pack: PackId, entries: &[Entry]) {
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
            self.insert(Row {
                id,
                pack: tagged,
                offset,
                length,
                raw_length,
            });
        }
    }

    fn insert(&mut self, row: Row) {
        if (self.rows.len() + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot(row.pack & TREE, &row.id);
        if self.slots[slot] == EMPTY {
            self.slots[slot] = self.rows.len() as u32;
            self.rows.push(row);
        }
    }

    /// The slot of this blob, or the free one where it belongs.
    fn slot(&self, tag: u32, id: &Id) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(id) & mask;
        loop {
            match self.slots[slot] {
                EMPTY => return slot,
                row => {
                    let row = &self.rows[row as usize];
                    if row.id == *id && row.pack & TREE == tag {
                        return slot;
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(1024);
        self.slots = vec![EMPTY; size];
        let mask = size - 1;
        for (number, row) in self.rows.iter().enumerate() {
            let mut slot = hash(&row.id) & mask;
            while self.slots[slot] != EMPTY {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = number as u32;
        }
    }

    pub(crate) fn get(&self, kind: BlobType, id: &Id) -> Option<Place> {
        self.number(kind, id).map(|number| self.place(number))
    }

    /// Blobs are numbered from 0 in the order in which they first came.
    pub(crate) fn number(&self, kind: BlobType, id: &Id) -> Option<u32> {
        if self.rows.is_empty() {
            return None;
        }
        let tag = if kind == BlobType::Tree { TREE } else { 0 };
        let number = self.slots[self.slot(tag, id)];
        (number != EMPTY).then_some(number)
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

fn hash(id: &Id) -> usize {
    let [a, b, c, d, ..] = id.0;
    u32::from_le_bytes([a, b, c, d]) as usize
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
