//! A handle that writes only while a job is held: what works on a restore plan after its job was taken over must not write beside whoever
//! has it now.

use std::sync::Arc;

use sqlx::SqlSafeStr;

use crate::db::{Tx, Value, args};
use crate::{Catalog, Result};

/// A job and the token of its lease.
#[derive(Clone)]
pub(crate) struct Held {
    job: Arc<str>,
    token: i64,
}

impl Catalog {
    /// A handle whose writes to restore plans are refused with [`Error::Superseded`](crate::Error::Superseded) once another worker has the
    /// job.
    #[must_use]
    pub fn held(&self, job: &str, token: i64) -> Self {
        Self {
            held: Some(Held {
                job: job.into(),
                token,
            }),
            ..self.clone()
        }
    }

    /// A transaction beside which nobody takes the job over; refused when somebody has.
    pub(crate) async fn begin_held(&self) -> Result<Tx> {
        let mut tx = self.db.begin().await?;
        if let Some(held) = &self.held {
            let sql =
                "UPDATE job SET token = token WHERE id = $1 AND token = $2 AND state = 'leased'";
            if tx.execute(sql, args![&*held.job, held.token]).await? == 0 {
                drop(tx);
                return Err(self.lost(&held.job, held.token).await?);
            }
        }
        Ok(tx)
    }

    /// A single statement in such a transaction; answers how many rows it touched.
    pub(crate) async fn write_held(&self, sql: impl SqlSafeStr, values: Vec<Value>) -> Result<u64> {
        let mut tx = self.begin_held().await?;
        let touched = tx.execute(sql, values).await?;
        tx.commit().await?;
        Ok(touched)
    }
}
