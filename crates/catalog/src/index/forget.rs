//! Forgetting snapshots: intervals that no snapshot sees any more go with them.

use super::text::drop_versions;
use crate::db::{Tx, args};
use crate::dialect::Search;
use crate::{Catalog, Error, Result, SourceKey};

impl Catalog {
    /// Forgets one snapshot in the catalog; the repository is not touched.
    pub async fn forget_snapshot(&self, id: &str) -> Result<()> {
        let search = &self.db.dialect().search;
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM snapshot WHERE id = $1 RETURNING source, seq";
        let Some(row) = tx.one(sql, args![id]).await? else {
            return Err(Error::SnapshotUnknown { id: id.to_owned() });
        };
        let (source, seq) = (row.int(0)?, row.int(1)?);
        tx.execute("DELETE FROM verification WHERE snapshot = $1", args![id])
            .await?;
        // Locked, so that nothing is added to this source before the neighbors are settled.
        tx.execute("UPDATE source SET name = name WHERE id = $1", args![source])
            .await?;
        let sql = "SELECT (SELECT max(seq) FROM snapshot WHERE source = $1 AND seq < $2),
            (SELECT min(seq) FROM snapshot WHERE source = $1 AND seq > $2)";
        let row = tx
            .one(sql, args![source, seq])
            .await?
            .ok_or_else(|| Error::damaged("no neighbors"))?;
        let before = row.opt_int(0)?.unwrap_or(0);
        match row.opt_int(1)? {
            Some(after) => drop_between(&mut tx, search, source, before, after).await?,
            None => drop_after(&mut tx, search, source, before).await?,
        }
        tx.commit().await
    }

    /// Forgets all snapshots of a source in the catalog, so that they can be added again in their order.
    pub async fn clear_index(&self, source: &SourceKey) -> Result<()> {
        let search = &self.db.dialect().search;
        let mut tx = self.db.begin().await?;
        let sql = "SELECT id FROM source WHERE repository = $1 AND service = $2 AND address = $3";
        let row = tx
            .one(
                sql,
                args![&source.repository, &source.id.service, &source.id.address],
            )
            .await?;
        let Some(row) = row else { return Ok(()) };
        drop_source(&mut tx, search, row.int(0)?).await?;
        tx.commit().await
    }
}

/// A source with all that is listed of it.
pub(crate) async fn drop_source(tx: &mut Tx, search: &Search, id: i64) -> Result<()> {
    drop_versions(tx, search, of_source, args![id]).await?;
    tx.execute("DELETE FROM section WHERE source = $1", args![id])
        .await?;
    tx.execute("DELETE FROM snapshot WHERE source = $1", args![id])
        .await?;
    tx.execute("DELETE FROM source WHERE id = $1", args![id])
        .await
        .map(drop)
}

/// Versions of the source `$1`.
fn of_source(alias: &str) -> String {
    format!("{alias}.section IN (SELECT id FROM section WHERE source = $1)")
}

/// Drops what began after one snapshot and ended by the next one: nobody sees it.
async fn drop_between(
    tx: &mut Tx,
    search: &Search,
    source: i64,
    before: i64,
    after: i64,
) -> Result<()> {
    let doomed = |alias: &str| {
        let own = of_source(alias);
        format!(
            "{own} AND {alias}.first_seq > $2 AND {alias}.gone_seq > $2 AND {alias}.gone_seq <= $3"
        )
    };
    drop_versions(tx, search, doomed, args![source, before, after]).await
}

/// Makes an earlier snapshot the newest: what began later goes, what ended later is current again.
async fn drop_after(tx: &mut Tx, search: &Search, source: i64, newest: i64) -> Result<()> {
    let doomed = |alias: &str| format!("{} AND {alias}.first_seq > $2", of_source(alias));
    drop_versions(tx, search, doomed, args![source, newest]).await?;
    let sql = "UPDATE item_version SET gone_seq = NULL
        WHERE section IN (SELECT id FROM section WHERE source = $1) AND gone_seq > $2";
    tx.execute(sql, args![source, newest]).await.map(drop)
}
