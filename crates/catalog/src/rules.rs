//! What decides how long snapshots stay: policies, the names that they are for, and which repository is used when none is named. A change of it is
//! judged by how all of that stands. Two changes may each be harmless alone, and not together: each is written only where nothing came between.

use sqlx::SqlSafeStr;

use crate::db::{Tx, Value, args};
use crate::{Catalog, Error, Result};

impl Catalog {
    /// A handle that changes this only as long as it stands as it does now: judge by what is read after this.
    pub async fn judging(&self) -> Result<Self> {
        let sql = "SELECT rules FROM four_eyes";
        let row = self.db.read_one(sql, args![]).await?;
        let row = row.ok_or_else(|| Error::damaged("the row of four eyes is missing"))?;
        Ok(Self {
            judged: Some(row.int(0)?),
            ..self.clone()
        })
    }

    /// A transaction for such a change, beside which there is no other one.
    pub(crate) async fn begin_ruling(&self) -> Result<Tx> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE four_eyes SET rules = rules + 1 WHERE rules = coalesce($1, rules)";
        if tx.execute(sql, args![self.judged]).await? == 0 {
            return Err(Error::RulesChanged);
        }
        Ok(tx)
    }

    /// A single statement in such a transaction; answers how many rows it touched.
    pub(crate) async fn write_ruling(
        &self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<u64> {
        let mut tx = self.begin_ruling().await?;
        let touched = tx.execute(sql, values).await?;
        tx.commit().await?;
        Ok(touched)
    }
}
