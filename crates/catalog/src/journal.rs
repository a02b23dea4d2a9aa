//! The journal of a restore: what was about to be written and what came of it, so that nothing is doubled.

use model::{ItemRef, MadeBefore, PlanState, RestorePlan, RestoreTarget, Written};

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

    /// The write of this item was refused, and nothing came of it. What stands at the target for it is not forgotten.
    pub async fn withdraw(&self, plan: &str, item: &ItemRef) -> Result<()> {
        let sql = "UPDATE journal SET intended = 0
            WHERE plan = $1 AND kind = $2 AND scope = $3 AND item = $4 AND new_id IS NULL";
        self.journal(plan, sql, args![plan, &item.kind, &item.scope, &item.id])
            .await
    }

    /// Something stands at the target for the item: made by this plan, or found there.
    pub async fn wrote(&self, plan: &str, written: &Written) -> Result<()> {
        let sql = "INSERT INTO journal (plan, kind, scope, item, intended, new_id, made) VALUES ($1, $2, $3, $4, 1, $5, $6)
            ON CONFLICT (plan, kind, scope, item) DO UPDATE SET new_id = excluded.new_id, made = excluded.made";
        let item = &written.item;
        let values = args![
            plan,
            &item.kind,
            &item.scope,
            &item.id,
            &written.new_id,
            written.made
        ];
        self.journal(plan, sql, values).await
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
    pub async fn written(&self, plan: &str) -> Result<Vec<Written>> {
        let sql =
            "SELECT kind, scope, item, new_id, made FROM journal WHERE plan = $1 AND new_id IS NOT NULL
            ORDER BY kind, scope, item";
        let rows = self.db.read(sql, args![plan]).await?;
        let read = |row: &Row| {
            Ok(Written {
                item: item(row)?,
                new_id: row.text(3)?,
                made: row.flag(4)?,
            })
        };
        rows.iter().map(read).collect()
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

    /// What other plans, from the same source into the same organization, made of items of a kind: the newest first.
    pub async fn made_before(
        &self,
        plan: &RestorePlan,
        kind: &str,
        ids: &[&str],
    ) -> Result<Vec<MadeBefore>> {
        let Some(source) = plan.source.as_ref().filter(|_| !ids.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut values = args![kind, &plan.id, &source.service, &source.address];
        let mut places = Vec::with_capacity(ids.len());
        for id in ids {
            values.push((*id).into());
            places.push(format!("${}", values.len()));
        }
        let sql = format!(
            "SELECT j.kind, j.scope, j.item, j.new_id, p.id, p.state, p.target FROM journal j JOIN plan p ON p.id = j.plan
            WHERE j.kind = $1 AND j.item IN ({}) AND j.new_id IS NOT NULL AND p.id <> $2
                AND p.source_service = $3 AND p.source_address = $4 ORDER BY p.id DESC",
            places.join(", ")
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let mut made = Vec::new();
        for row in &rows {
            let target: RestoreTarget = row.json(6)?;
            if target.source() != plan.target.source() {
                continue;
            }
            let state: PlanState = row.word(5)?;
            made.push(MadeBefore {
                item: item(row)?,
                new_id: row.text(3)?,
                plan: row.text(4)?,
                finished: matches!(state, PlanState::Applied | PlanState::AppliedWithIssues),
            });
        }
        Ok(made)
    }

    async fn journal(&self, plan: &str, sql: &'static str, values: Vec<Value>) -> Result<()> {
        self.write_held(sql, values)
            .await
            .map(drop)
            .map_err(|error| plan_error(error, plan))
    }
}
