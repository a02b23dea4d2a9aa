//! The journal of a restore: what was about to be written and what came of it, so that nothing is doubled.

use model::ItemRef;

use crate::db::{Row, Value, args};
use crate::plans::plan_error;
use crate::{Catalog, Result};

fn item(row: &Row) -> Result<ItemRef> {
    Ok(ItemRef {
        kind: row.text(0)?,
        scope: row.text(1)?,
        id: row.text(2)?,
    })
}

impl Catalog {
    /// The write of this item is about to be sent.
    pub async fn intend(&self, plan: &str, item: &ItemRef) -> Result<()> {
        let sql =
            "INSERT INTO journal (plan, kind, scope, item, intended) VALUES ($1, $2, $3, $4, 1)
            ON CONFLICT (plan, kind, scope, item) DO UPDATE SET intended = 1";
        self.journal(plan, sql, args![plan, &item.kind, &item.scope, &item.id])
            .await
    }

    /// The write was answered with this id.
    pub async fn created(&self, plan: &str, item: &ItemRef, new_id: &str) -> Result<()> {
        let sql = "INSERT INTO journal (plan, kind, scope, item, intended, new_id) VALUES ($1, $2, $3, $4, 1, $5)
            ON CONFLICT (plan, kind, scope, item) DO UPDATE SET new_id = excluded.new_id";
        self.journal(
            plan,
            sql,
            args![plan, &item.kind, &item.scope, &item.id, new_id],
        )
        .await
    }

    /// Replaces the note on how far the item's further writes have come.
    pub async fn note(&self, plan: &str, item: &ItemRef, text: &str) -> Result<()> {
        let sql = "INSERT INTO journal (plan, kind, scope, item, intended, note) VALUES ($1, $2, $3, $4, 0, $5)
            ON CONFLICT (plan, kind, scope, item) DO UPDATE SET note = excluded.note";
        self.journal(
            plan,
            sql,
            args![plan, &item.kind, &item.scope, &item.id, text],
        )
        .await
    }

    /// The last note.
    pub async fn noted(&self, plan: &str, item: &ItemRef) -> Result<Option<String>> {
        let sql =
            "SELECT note FROM journal WHERE plan = $1 AND kind = $2 AND scope = $3 AND item = $4";
        let row = self
            .db
            .read_one(sql, args![plan, &item.kind, &item.scope, &item.id])
            .await?;
        row.map_or(Ok(None), |row| row.opt_text(0))
    }

    /// Every item whose id at the target is known.
    pub async fn id_map(&self, plan: &str) -> Result<Vec<(ItemRef, String)>> {
        let sql =
            "SELECT kind, scope, item, new_id FROM journal WHERE plan = $1 AND new_id IS NOT NULL
            ORDER BY kind, scope, item";
        let rows = self.db.read(sql, args![plan]).await?;
        rows.iter()
            .map(|row| Ok((item(row)?, row.text(3)?)))
            .collect()
    }

    /// Items whose write was begun, and nobody knows what came of it: look for them before writing again.
    pub async fn open_intents(&self, plan: &str) -> Result<Vec<ItemRef>> {
        let sql = "SELECT kind, scope, item FROM journal WHERE plan = $1 AND intended = 1 AND new_id IS NULL
            ORDER BY kind, scope, item";
        self.db
            .read(sql, args![plan])
            .await?
            .iter()
            .map(item)
            .collect()
    }

    async fn journal(&self, plan: &str, sql: &'static str, values: Vec<Value>) -> Result<()> {
        self.write_held(sql, values)
            .await
            .map(drop)
            .map_err(|error| plan_error(error, plan))
    }
}
