//! Counts of items, taken anew from the files where what was counted before is in doubt.

use std::collections::{BTreeMap, BTreeSet};

use service::Kind;

use crate::Result;
use crate::layout::{Layouts, Place};
use crate::rows::{is_lines, lines_of};
use crate::stored::SnapshotReader;

/// How many items of these kinds a snapshot holds. What cannot be read holds none, as for the rows of a run.
pub(super) async fn items(
    of: &SnapshotReader,
    layouts: Layouts,
    kinds: &BTreeSet<&'static str>,
) -> Result<BTreeMap<&'static str, u64>> {
    let mut counts: BTreeMap<&'static str, u64> = kinds.iter().map(|kind| (*kind, 0)).collect();
    let mut open = Vec::new();
    if !kinds.is_empty() {
        open.push(String::new());
    }
    while let Some(folder) = open.pop() {
        for node in of.nodes(&folder).await? {
            let path = match folder.as_str() {
                "" => node.name.clone(),
                folder => format!("{folder}/{}", node.name),
            };
            let place = layouts.parse(&path);
            if !node.is_file() {
                if let Some(Place { item, part }) = place
                    && part.is_empty()
                    && let Some(count) = counts.get_mut(&*item.kind)
                {
                    // As for the rows: an item is there as long as a file of it is.
                    *count += u64::from(!of.parts_up_to(&item, 1).await?.0.is_empty());
                }
                open.push(path);
            } else if let Some(kind) = place.and_then(|place| part_kind(layouts, &place))
                && let Some(count) = counts.get_mut(kind.spec().name)
            {
                *count += if is_lines(kind) {
                    lines_of(of, &node).await?.unwrap_or(0)
                } else {
                    1
                };
            }
        }
    }
    Ok(counts)
}

/// The kind that a file is an item of, or the items of, within an item of another.
fn part_kind(layouts: Layouts, place: &Place) -> Option<&'static dyn Kind> {
    layouts.part_kind(&place.item.kind, &place.part)
}
