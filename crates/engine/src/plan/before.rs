//! What earlier restores of the same source made at the same target, for items that have no name to be found by there.

use std::collections::HashMap;

use model::{ItemRef, MadeBefore, RestorePlan};
use service::{Found, FoundState, Kind, StoredItem, Target};

use super::PlanStore;
use super::find::{Unfound, recognize};
use crate::Result;

/// An answer of a lookup.
type Answer = Result<Option<Found>, Unfound>;

/// Fills the answers of items that were not found with what other plans made of them, where that still stands; returns whose it is.
pub(crate) async fn add_made_before(
    (store, plan): (&dyn PlanStore, &RestorePlan),
    kind: &dyn Kind,
    target: &Target<'_>,
    items: &[StoredItem],
    answers: &mut [Answer],
) -> Result<HashMap<ItemRef, MadeBefore>> {
    // An open intent is about a write of this very plan.
    let absent =
        |(item, answer): (&StoredItem, &Answer)| matches!(answer, Ok(None)) && !item.open_intent;
    let mut made: HashMap<ItemRef, Vec<MadeBefore>> = HashMap::new();
    let ids: Vec<&str> = items
        .iter()
        .zip(&*answers)
        .filter(|pair| absent(*pair))
        .map(|(item, _)| item.item.id.as_str())
        .collect();
    if !ids.is_empty() {
        for one in store.made_before(plan, kind.spec().name, &ids).await? {
            made.entry(one.item.clone()).or_default().push(one);
        }
    }
    // The newest is the last to be asked about.
    for all in made.values_mut() {
        all.reverse();
    }
    let mut known = HashMap::new();
    loop {
        let mut asked = Vec::new();
        for (at, pair) in items.iter().zip(&*answers).enumerate() {
            if absent(pair)
                && let Some(one) = made.get_mut(&pair.0.item).and_then(Vec::pop)
            {
                asked.push((at, one));
            }
        }
        if asked.is_empty() {
            return Ok(known);
        }
        let sought: Vec<StoredItem> = asked
            .iter()
            .map(|(at, one)| StoredItem {
                new_id: Some(one.new_id.clone()),
                ..items[*at].clone()
            })
            .collect();
        let there = recognize(kind, target, &sought).await?;
        for ((at, one), there) in asked.into_iter().zip(there) {
            match there {
                Ok(false) => {}
                Ok(true) => {
                    answers[at] = Ok(Some(Found {
                        id: one.new_id.clone(),
                        state: FoundState::Present,
                    }));
                    known.insert(one.item.clone(), one);
                }
                Err(unfound) => answers[at] = Err(unfound),
            }
        }
    }
}
