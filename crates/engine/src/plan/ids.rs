//! Old id → id at the target.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use model::ItemRef;
use service::Ids;

/// What is known so far about ids at the target; grows while a plan is made or applied.
pub(crate) struct IdMap {
    original: bool,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    new: HashMap<String, HashMap<String, String>>,
    absent: HashMap<String, HashSet<String>>,
    /// Ids at the target of what other plans made.
    others: HashMap<String, HashSet<String>>,
}

impl IdMap {
    /// At the original place an id stands for itself until something else is known.
    pub(crate) fn new(original: bool) -> Self {
        Self {
            original,
            known: RwLock::default(),
        }
    }

    pub(crate) fn insert(&self, item: &ItemRef, new_id: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(absent) = known.absent.get_mut(&item.kind) {
            absent.remove(&item.id);
        }
        known
            .new
            .entry(item.kind.clone())
            .or_default()
            .insert(item.id.clone(), new_id.to_owned());
    }

    /// Whether it is known what becomes of the item at the target.
    pub(crate) fn is_decided(&self, item: &ItemRef) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let new = known.new.get(&item.kind);
        let absent = known.absent.get(&item.kind);
        new.is_some_and(|ids| ids.contains_key(&item.id))
            || absent.is_some_and(|ids| ids.contains(&item.id))
    }

    /// Another plan made what has this id.
    pub(crate) fn add_other(&self, kind: &str, new_id: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let others = known.others.entry(kind.to_owned()).or_default();
        others.insert(new_id.to_owned());
    }

    /// The item was taken away from the target.
    pub(crate) fn remove(&self, item: &ItemRef) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = known.new.get_mut(&item.kind) {
            new.remove(&item.id);
        }
        drop(known);
        self.set_absent(item);
    }

    /// The item is not at the target, so its old id must not be used there.
    pub(crate) fn set_absent(&self, item: &ItemRef) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !known
            .new
            .get(&item.kind)
            .is_some_and(|ids| ids.contains_key(&item.id))
        {
            known
                .absent
                .entry(item.kind.clone())
                .or_default()
                .insert(item.id.clone());
        }
    }
}

impl Ids for IdMap {
    fn get(&self, kind: &str, old: &str) -> Option<String> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = known.new.get(kind).and_then(|ids| ids.get(old)) {
            return Some(new.clone());
        }
        let absent = known.absent.get(kind).is_some_and(|ids| ids.contains(old));
        (self.original && !absent).then(|| old.to_owned())
    }

    fn is_of_another(&self, kind: &str, new: &str) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.others.get(kind).is_some_and(|ids| ids.contains(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_place_keeps_ids_of_what_is_still_there() {
        let ids = IdMap::new(true);
        ids.set_absent(&ItemRef::new("thing", "", "2"));
        assert_eq!(ids.get("thing", "1").as_deref(), Some("1"));
        assert_eq!(ids.get("thing", "2"), None);
        ids.insert(&ItemRef::new("thing", "", "2"), "12");
        ids.set_absent(&ItemRef::new("thing", "", "2"));
        assert_eq!(ids.get("thing", "2").as_deref(), Some("12"));
        ids.remove(&ItemRef::new("thing", "", "2"));
        assert_eq!(ids.get("thing", "2"), None);
    }

    #[test]
    fn another_place_knows_only_what_was_found_or_made() {
        let ids = IdMap::new(false);
        assert_eq!(ids.get("thing", "1"), None);
        ids.insert(&ItemRef::new("thing", "", "1"), "7");
        assert_eq!(ids.get("thing", "1").as_deref(), Some("7"));
        assert_eq!(ids.get("other", "1"), None);
    }
}
