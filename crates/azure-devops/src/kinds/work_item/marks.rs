//! What is known of each work item during a crawl, in a byte each: a hundred thousand items must not cost memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Was in a stream, or is to be read again for another reason.
pub(super) const SEEN: u8 = 1;
/// Its newest revision says that it is deleted.
pub(super) const DELETED: u8 = 2;
/// Its discussion changed.
pub(super) const TALKED: u8 = 4;
/// Its stored revisions were thrown away, since they come anew.
pub(super) const ANEW: u8 = 8;
/// It has revisions in the stream; items that only links name may be anyone's.
pub(super) const REVISED: u8 = 16;
/// Its newest revision is of a project that is not selected.
pub(super) const OUT: u8 = 32;
/// Its first revision was in the stream.
pub(super) const BORN: u8 = 64;

const PAGE: u32 = 1024;

/// Marks by id, in pages of neighboring ids.
#[derive(Default)]
pub(super) struct Marks {
    pages: BTreeMap<u32, Box<[u8; PAGE as usize]>>,
}

impl Marks {
    pub(super) fn get(&self, id: u32) -> u8 {
        self.pages
            .get(&(id / PAGE))
            .map_or(0, |page| page[(id % PAGE) as usize])
    }

    pub(super) fn set(&mut self, id: u32, marks: u8) {
        self.page(id)[(id % PAGE) as usize] |= marks;
    }

    pub(super) fn clear(&mut self, id: u32, marks: u8) {
        self.page(id)[(id % PAGE) as usize] &= !marks;
    }

    /// Ids with all of `with` and none of `without`, in order.
    pub(super) fn ids(&self, with: u8, without: u8) -> impl Iterator<Item = u32> + '_ {
        self.pages.iter().flat_map(move |(number, page)| {
            let chosen = page
                .iter()
                .enumerate()
                .filter(move |(_, marks)| *marks & with == with && *marks & without == 0);
            chosen.map(move |(at, _)| number * PAGE + at as u32)
        })
    }

    fn page(&mut self, id: u32) -> &mut [u8; PAGE as usize] {
        self.pages
            .entry(id / PAGE)
            .or_insert_with(|| Box::new([0; PAGE as usize]))
    }
}

/// As runs of neighboring ids with the same marks: first id, how many, marks.
impl Serialize for Marks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut runs: Vec<(u32, u32, u8)> = Vec::new();
        for (number, page) in &self.pages {
            for (id, &marks) in (number * PAGE..).zip(page.iter()) {
                match runs.last_mut() {
                    _ if marks == 0 => {}
                    Some((first, count, same)) if *same == marks && *first + *count == id => {
                        *count += 1;
                    }
                    _ => runs.push((id, 1, marks)),
                }
            }
        }
        serializer.collect_seq(runs)
    }
}

impl<'de> Deserialize<'de> for Marks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        for (first, count, marks) in Vec::<(u32, u32, u8)>::deserialize(deserializer)? {
            for id in first..=first.saturating_add(count - 1) {
                all.set(id, marks);
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distant_ids_cost_a_page_each() {
        let mut marks = Marks::default();
        for id in [1, 1023, 1024, 4_000_000_000] {
            marks.set(id, SEEN);
        }
        marks.set(1024, DELETED);
        assert_eq!(
            marks.ids(SEEN, DELETED).collect::<Vec<_>>(),
            [1, 1023, 4_000_000_000]
        );
        assert_eq!(marks.ids(SEEN | DELETED, 0).collect::<Vec<_>>(), [1024]);
        marks.clear(1024, DELETED);
        assert_eq!(marks.get(1024), SEEN);
        assert_eq!(marks.pages.len(), 3);
    }

    proptest! {
        #[test]
        fn marks_are_a_map_of_ids(writes in proptest::collection::vec((0u32..5000, 0u8..16), 0..200)) {
            let mut marks = Marks::default();
            let mut model = BTreeMap::new();
            for (id, bits) in writes {
                marks.set(id, bits);
                *model.entry(id).or_insert(0) |= bits;
            }
            let expected: Vec<u32> = model.iter().filter(|(_, bits)| *bits & SEEN == SEEN && *bits & DELETED == 0).map(|(id, _)| *id).collect();
            prop_assert_eq!(marks.ids(SEEN, DELETED).collect::<Vec<_>>(), expected);
            let text = serde_json::to_string(&marks).unwrap();
            let again: Marks = serde_json::from_str(&text).unwrap();
            for id in 0..5000 {
                prop_assert_eq!(again.get(id), marks.get(id));
            }
        }
    }
}
