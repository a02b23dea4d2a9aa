//! What differs between two snapshots of a source.

use model::ItemRef;

use super::read::Section;
use super::{IndexEntry, WIDTH, columns, entry};
use crate::db::{Row, args};
use crate::{Catalog, Change, ItemFilter, Listed, Page, Result, SourceKey, page};

/// An item that differs. What came into the recycle bin of its service was deleted there: it counts as `Removed`, and what came out of it
/// as `Added`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemChange {
    pub item: ItemRef,
    pub change: Change,
    /// `None` for what was not there.
    pub before: Option<IndexEntry>,
    /// `None` for what is not there any more.
    pub after: Option<IndexEntry>,
}

/// [`Change::name`] of an item that stood as `o` and stands as `n`.
macro_rules! change {
    () => {
        "CASE WHEN o.item IS NULL OR o.binned > n.binned THEN 'added'
            WHEN n.item IS NULL OR o.binned < n.binned THEN 'removed' ELSE 'changed' END"
    };
}

/// Items with an interval that begins or ends between the two, and how each stands in both: `$1` section, `$2` the item
/// after which to begin, `$3` and `$4` the snapshots, `$5` and `$6` the same in order, `$8` the change. `first_seq > 1` is no condition of
/// its own, but lets the partial index be used.
const SQL: &str = concat!(
    "SELECT ",
    columns!("o"),
    ", ",
    columns!("n"),
    ", ",
    change!(),
    " FROM (
        SELECT item FROM item_version
        WHERE section = $1 AND item > $2 AND first_seq > 1 AND first_seq > $5 AND first_seq <= $6
        UNION
        SELECT item FROM item_version
        WHERE section = $1 AND item > $2 AND gone_seq IS NOT NULL AND gone_seq > $5 AND gone_seq <= $6
    ) c
    LEFT JOIN item_version o ON o.section = $1 AND o.item = c.item
        AND o.first_seq <= $3 AND (o.gone_seq IS NULL OR o.gone_seq > $3)
    LEFT JOIN item_version n ON n.section = $1 AND n.item = c.item
        AND n.first_seq <= $4 AND (n.gone_seq IS NULL OR n.gone_seq > $4)
    WHERE ((o.item IS NULL AND n.item IS NOT NULL) OR (o.item IS NOT NULL AND n.item IS NULL)
        OR o.digest <> n.digest OR o.binned <> n.binned OR o.name <> n.name OR o.path <> n.path)
        AND ($8 IS NULL OR $8 = ",
    change!(),
    ")
    ORDER BY c.item LIMIT $7"
);

impl Catalog {
    /// How items of the snapshot `before` stand in the snapshot `after`, by kind, scope and id; either may be the older
    /// one; `None` is every change. Of the filter, `kind` and `scope` count.
    pub async fn changes_between(
        &self,
        source: &SourceKey,
        before: i64,
        after: i64,
        filter: &ItemFilter,
        only: Option<Change>,
        page: &Page,
    ) -> Result<Listed<ItemChange>> {
        let (low, high) = (before.min(after), before.max(after));
        let only = only.map(Change::name);
        let mut changes = Vec::new();
        for (section, item) in self.sections_from(source, filter, page).await? {
            let wanted = (page.limit() + 1 - changes.len()) as u64;
            let values = args![section.id, item, before, after, low, high, wanted, only];
            for row in self.db.read(SQL, values).await? {
                changes.push(read(&row, &section)?);
            }
            if changes.len() > page.limit() {
                break;
            }
        }
        Ok(Listed::cut(changes, page.limit(), |last| {
            page::cursor(&[&last.item.kind, &last.item.scope, &last.item.id])
        }))
    }
}

fn read(row: &Row, section: &Section) -> Result<ItemChange> {
    let side = |from: usize| match row.opt_text(from)? {
        Some(_) => entry(row, from, &section.kind, &section.scope).map(Some),
        None => Ok(None),
    };
    let (before, after) = (side(0)?, side(WIDTH)?);
    let one = before.as_ref().or(after.as_ref());
    let change = Change::find(&row.text(2 * WIDTH)?);
    let (Some(one), Some(change)) = (one, change) else {
        return Err(crate::Error::damaged("a change of nothing"));
    };
    Ok(ItemChange {
        item: one.item.clone(),
        change,
        before,
        after,
    })
}
