//! Counts of lines, taken anew from the files where what was counted before is in doubt.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use crate::layout::Layouts;
use crate::rows::lines_of;
use crate::stored::SnapshotReader;
use crate::{Error, Result};

/// How many items of these kinds, whose items are lines, a snapshot holds. Files that cannot be read hold none, as for the rows of a run;
/// where a folder cannot be read, nothing is known.
pub(super) async fn lines(
    of: &SnapshotReader,
    layouts: Layouts,
    kinds: &BTreeSet<&'static str>,
) -> Result<BTreeMap<&'static str, u64>> {
    let mut counts: BTreeMap<&'static str, u64> = kinds.iter().map(|kind| (*kind, 0)).collect();
    let Some(tree) = of.tree_id().filter(|_| !kinds.is_empty()) else {
        return Ok(counts);
    };
    let mut walk = std::pin::pin!(of.repository().walk(tree, ""));
    while let Some(entry) = walk.next().await {
        let (path, node) = match entry.map_err(Error::from) {
            Err(error) if error.is_damage() => return Ok(BTreeMap::new()),
            entry => entry?,
        };
        let count = layouts
            .parse(&path)
            .and_then(|place| layouts.part_kind(&place.item.kind, &place.part))
            .and_then(|kind| counts.get_mut(kind.spec().name));
        if let Some(count) = count.filter(|_| node.is_file()) {
            *count += lines_of(of, &node).await?.unwrap_or(0);
        }
    }
    Ok(counts)
}
