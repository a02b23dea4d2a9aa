//! Answers to requests with an idempotency key, so that a request that comes twice is done once. An answer may hold a new
//! token: it lies sealed.

use std::time::Duration;

use jiff::Timestamp;
use model::Secret;
use rand::CryptoRng;

use crate::db::{Tx, args};
use crate::vault::envelope::{self, Sealed, Seed};
use crate::{Catalog, Kek, Result};

/// How long an answer is repeated.
const KEPT: Duration = Duration::from_hours(24);

/// What is known of a request of this caller and key.
pub enum Earlier {
    /// Nothing: it is begun with this.
    Nothing,
    /// It has not ended yet.
    AtWork,
    /// The key was used for another request.
    Another,
    /// It ended so.
    Answered(Secret),
}

/// The place of an answer among all sealed values.
fn place(caller: &str, key: &str) -> String {
    format!("answer\0{caller}\0{key}")
}

/// Forgets all answers to a caller who is gone: `person/ID` or `token/ID`.
pub(crate) async fn forget(tx: &mut Tx, caller: &str) -> Result<()> {
    tx.execute("DELETE FROM answer WHERE caller = $1", args![caller])
        .await
        .map(drop)
}

impl Catalog {
    /// Begins a request of `caller` (`person/ID`, `token/ID`), unless it is known. One that has not ended within `patience` was cut off, and may begin again.
    pub async fn begin_answer(
        &self,
        kek: &Kek,
        caller: &str,
        key: &str,
        request: &[u8],
        now: Timestamp,
        patience: Duration,
    ) -> Result<Earlier> {
        let before = |age: Duration| {
            now.as_microsecond() - i64::try_from(age.as_micros()).unwrap_or(i64::MAX)
        };
        let mut tx = self.db.begin().await?;
        tx.execute(
            "DELETE FROM answer WHERE created < $1 OR (sealed IS NULL AND created < $2)",
            args![before(KEPT), before(patience)],
        )
        .await?;
        let begun = tx
            .execute(
                "INSERT INTO answer (caller, key, request, created) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                args![caller, key, request.to_vec(), now],
            )
            .await?;
        let row = tx
            .one(
                "SELECT request, coalesce(wrapped, request), coalesce(sealed, request), CASE WHEN sealed IS NULL THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END FROM answer WHERE caller = $1 AND key = $2",
                args![caller, key],
            )
            .await?;
        tx.commit().await?;
        let Some(row) = row.filter(|_| begun == 0) else {
            return Ok(Earlier::Nothing);
        };
        if row.blob(0)? != request {
            return Ok(Earlier::Another);
        }
        if row.flag(3)? {
            return Ok(Earlier::AtWork);
        }
        let sealed = Sealed {
            wrapped: row.blob(1)?,
            sealed: row.blob(2)?,
        };
        envelope::open(kek, &place(caller, key), 1, &sealed).map(Earlier::Answered)
    }

    /// Keeps the answer of a request that was begun at `begun`.
    pub async fn keep_answer<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        caller: &str,
        key: &str,
        begun: Timestamp,
        answer: &Secret,
        rng: &mut R,
    ) -> Result<()> {
        let Sealed { wrapped, sealed } =
            envelope::seal(kek, &place(caller, key), 1, answer, &Seed::draw(rng))?;
        let sql = "UPDATE answer SET wrapped = $4, sealed = $5 WHERE caller = $1 AND key = $2 AND created = $3";
        let values = args![caller, key, begun, wrapped, sealed];
        self.db.write(sql, values).await.map(drop)
    }

    /// Forgets a request that had no effect: it may be sent again.
    pub async fn drop_answer(&self, caller: &str, key: &str, begun: Timestamp) -> Result<()> {
        let sql =
            "DELETE FROM answer WHERE caller = $1 AND key = $2 AND created = $3 AND sealed IS NULL";
        self.db
            .write(sql, args![caller, key, begun])
            .await
            .map(drop)
    }
}
