//! Snapshots whose rows are not the difference to the newest one: complete listings, and children of older snapshots.
//!
//! The index first takes the state that the rows refer to as the new snapshot's, then the rows, and in the end joins what
//! turned out to be the same version as before.

use super::text::drop_versions;
use crate::db::{Tx, args};
use crate::dialect::Search;
use crate::{Error, Result};

/// Rows of the state that the rows refer to are replaced by theirs.
pub(super) const REPLACE: &str =
    "ON CONFLICT (section, item, first_seq) DO UPDATE SET name = excluded.name,
    folded = excluded.folded, text = excluded.text, path = excluded.path, digest = excluded.digest, size = excluded.size,
    modified = excluded.modified, binned = excluded.binned";

/// Makes the state of `parent` (nothing, without one) that of `seq`.
pub(super) async fn rebase(tx: &mut Tx, source: i64, seq: i64, parent: Option<&str>) -> Result<()> {
    let base = match parent {
        None => 0,
        Some(id) => {
            let sql = "SELECT seq FROM snapshot WHERE id = $1 AND source = $2";
            let row = tx.one(sql, args![id, source]).await?;
            row.map_or_else(
                || Err(Error::SnapshotUnknown { id: id.to_owned() }),
                |row| row.int(0),
            )?
        }
    };
    let sql = "UPDATE item_version SET gone_seq = $2 WHERE section IN (SELECT id FROM section WHERE source = $1)
        AND gone_seq IS NULL AND first_seq > $3";
    tx.execute(sql, args![source, seq, base]).await?;
    let sql = "INSERT INTO item_version
            (section, item, first_seq, text, name, folded, path, digest, size, modified, binned)
        SELECT section, item, $2, text, name, folded, path, digest, size, modified, binned FROM item_version
        WHERE section IN (SELECT id FROM section WHERE source = $1) AND first_seq <= $3 AND gone_seq > $3 AND gone_seq < $2";
    tx.execute(sql, args![source, seq, base]).await.map(drop)
}

/// A version that ends with `seq` and begins again with it went on.
pub(super) async fn merge(tx: &mut Tx, search: &Search, source: i64, seq: i64) -> Result<()> {
    let sql = "UPDATE item_version AS o SET gone_seq = NULL
        WHERE o.section IN (SELECT id FROM section WHERE source = $1) AND o.gone_seq = $2 AND EXISTS (
            SELECT 1 FROM item_version n
            WHERE n.section = o.section AND n.item = o.item AND n.first_seq = $2
              AND n.name = o.name AND n.path = o.path AND n.digest = o.digest AND n.size = o.size
              AND n.binned = o.binned AND coalesce(n.modified, -1) = coalesce(o.modified, -1))";
    tx.execute(sql, args![source, seq]).await?;
    let doomed = |alias: &str| {
        format!(
            "{alias}.section IN (SELECT id FROM section WHERE source = $1) AND {alias}.first_seq = $2 AND EXISTS (
                SELECT 1 FROM item_version o
                WHERE o.section = {alias}.section AND o.item = {alias}.item
                  AND o.first_seq < $2 AND o.gone_seq IS NULL)"
        )
    };
    drop_versions(tx, search, doomed, args![source, seq]).await
}
