//! What the records of an item that will be written tell: whom they name, and what is lost of it.

use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt as _, TryStreamExt as _};
use model::{Action, ItemRef};
use service::people::Person;
use service::{Ids, Kind, Loss, Service, StoredItem, Target};

use super::once::Once;
use super::order::has_items;
use super::people::{Acquainted, named_by};
use super::select::{Chosen, Why};
use super::{IdMap, PlanContext};
use crate::Result;

/// Items whose records are read side by side.
const READERS: usize = 8;

/// What one item tells; nothing of one that is not written.
#[derive(Default)]
pub(super) struct Told {
    pub people: BTreeSet<Person>,
    pub losses: Vec<String>,
}

/// In the items' order. The records of each are read once, and nothing is asked of the service but whom it knows.
pub(super) async fn told(
    (cx, acquainted): (&PlanContext<'_>, &Acquainted),
    target: &Target<'_>,
    kind: &dyn Kind,
    items: &[StoredItem],
) -> Result<Vec<Told>> {
    let all: Vec<_> = items
        .iter()
        .map(|item| by_one((cx, acquainted), target, kind, item))
        .collect();
    let told = futures::stream::iter(all).buffered(READERS);
    told.try_collect().await
}

async fn by_one(
    (cx, acquainted): (&PlanContext<'_>, &Acquainted),
    target: &Target<'_>,
    kind: &dyn Kind,
    item: &StoredItem,
) -> Result<Told> {
    // What comes out of the service's own recycle bin comes back whole.
    if matches!(
        item.action,
        Action::Skip | Action::Export | Action::Undelete | Action::Remove
    ) {
        return Ok(Told::default());
    }
    let document = cx.layouts().document(&item.item.kind);
    let stored = Once::new(target.stored, &item.item, document);
    let people = cx.service.preflight.people();
    let named = match people {
        Some(people) => named_by(&stored, people, &item.item).await?,
        None => BTreeSet::new(),
    };
    let target = Target {
        stored: &stored,
        ..*target
    };
    let mut losses = losses_of(cx.service, &target, kind, item).await?;
    if let Some(people) = people
        && !acquainted.lacks_one(cx, people, &named).await?
    {
        losses.retain(|loss| loss != people.loss());
    }
    Ok(Told {
        people: named,
        losses,
    })
}

/// What an item loses, with the parts of it that have no steps of their own.
pub(crate) async fn losses_of(
    service: &Service,
    target: &Target<'_>,
    kind: &dyn Kind,
    item: &StoredItem,
) -> Result<Vec<String>> {
    let declared = declared(service, kind);
    if declared.is_empty() {
        return Ok(Vec::new());
    }
    let told = match kind.losses(target, item).await {
        Ok(Some(told)) => told,
        Err(error) if error.is_fatal() => return Err(error.into()),
        // Of what cannot be read nothing is ruled out; whoever writes it says why.
        Ok(None) | Err(_) => declared.clone(),
    };
    debug_assert!(
        told.iter().all(|loss| declared.contains(loss)),
        "{} loses what it does not declare: {told:?}",
        item.item
    );
    Ok(told.into_iter().map(str::to_owned).collect())
}

/// What a kind declares, and the kinds whose items are parts of its items.
fn declared(service: &Service, kind: &dyn Kind) -> Vec<Loss> {
    let owner = kind.spec();
    let parts = service.kinds.iter().map(|part| part.spec());
    let parts = parts.filter(|part| part.with == Some(owner.name) && !has_items(part));
    let mut declared: Vec<Loss> = Vec::new();
    for spec in std::iter::once(owner).chain(parts) {
        for loss in spec.losses() {
            if !declared.contains(loss) {
                declared.push(loss);
            }
        }
    }
    declared
}

/// Ids at the target, with what the plan is going to put there.
pub(super) struct Coming<'a> {
    pub ids: &'a IdMap,
    pub chosen: &'a Chosen,
    /// What stands at the target and stays there beside what is made of it.
    pub doubled: &'a HashSet<ItemRef>,
    /// What was not looked up yet will be made beside what stands there.
    pub duplicates: bool,
}

impl Ids for Coming<'_> {
    fn get(&self, kind: &str, old: &str) -> Option<String> {
        self.ids.get(kind, old)
    }

    fn is_of_another(&self, kind: &str, new: &str) -> bool {
        self.ids.is_of_another(kind, new)
    }

    fn is_expected(&self, kind: &str, old: &str) -> bool {
        let item = ItemRef::new(kind, "", old);
        self.get(kind, old).is_some() || self.chosen.contains(&item)
    }

    fn is_doubled(&self, kind: &str, old: &str) -> bool {
        let item = ItemRef::new(kind, "", old);
        let coming = || {
            let why = self.chosen.why(&item);
            let wanted = why.is_some_and(|why| matches!(why, Why::Swept | Why::Asked));
            wanted && !self.ids.is_decided(&item)
        };
        self.doubled.contains(&item) || (self.duplicates && coming())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plan_makes_is_expected_and_has_no_id_yet() {
        let ids = IdMap::new(false);
        ids.insert(&ItemRef::new("thing", "", "1"), "12");
        let mut chosen = Chosen::default();
        chosen.add("thing", "", "2", Why::Swept);
        let ids = Coming {
            ids: &ids,
            chosen: &chosen,
            doubled: &HashSet::new(),
            duplicates: false,
        };
        let told = ["1", "2", "3"].map(|id| (ids.is_expected("thing", id), ids.get("thing", id)));
        let known = (true, Some("12".to_owned()));
        assert_eq!(told, [known, (true, None), (false, None)]);
    }

    #[test]
    fn what_a_plan_duplicates_stays_and_what_it_leaves_alone_has_no_double() {
        let ids = IdMap::new(true);
        let item = |id: &str| ItemRef::new("thing", "", id);
        let mut chosen = Chosen::default();
        for (id, why) in [
            ("1", Why::Asked),
            ("2", Why::Swept),
            ("3", Why::IfGone),
            ("4", Why::Swept),
        ] {
            chosen.add("thing", "", id, why);
        }
        // Two were looked up: one is made beside itself, one is left alone.
        ids.set_absent(&item("1"));
        ids.insert(&item("4"), "4");
        let doubled = HashSet::from([item("1")]);
        let told = |duplicates| {
            let coming = Coming {
                ids: &ids,
                chosen: &chosen,
                doubled: &doubled,
                duplicates,
            };
            ["1", "2", "3", "4", "5"].map(|id| coming.is_doubled("thing", id))
        };
        assert_eq!(told(true), [true, true, false, false, false]);
        assert_eq!(told(false), [true, false, false, false, false]);
    }
}
