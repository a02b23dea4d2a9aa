//! A connector gets another name, and whatever names it follows. The audit log keeps the names of its time.

mod credential;
mod mentions;

use model::Connector;
use rand::CryptoRng;

use crate::connectors::{REPLACE, insertion, name_taken, unchanged};
use crate::db::{Tx, args};
use crate::{Catalog, Error, Kek, Result, former};

impl Catalog {
    /// Puts `after` in the place of the connector `before`, which may have another name, and has every mention follow. Refused while a
    /// run of the connector is open: what is at work knows the old name; and when somebody changed it since it was read. `credential` is one
    /// that gets another name along with it.
    pub async fn rename_connector<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        before: &Connector,
        after: &Connector,
        credential: Option<(&str, &str)>,
        rng: &mut R,
    ) -> Result<()> {
        let (old, new) = (before.name.to_lowercase(), after.name.to_lowercase());
        let mut tx = self.begin_ruling().await?;
        unchanged(&mut tx, before).await?;
        idle(&mut tx, before).await?;
        if let Some((from, to)) = credential {
            credential::copy(&mut tx, kek, from, to, rng).await?;
        }
        former::becomes(&mut tx, &old, after).await?;
        former::renamed(&mut tx, &old, &after.name).await?;
        let sql = "UPDATE connector SET key = $2, name = $3 WHERE key = $1";
        match tx.execute(sql, args![&old, &new, &after.name]).await {
            Err(error) if error.is_unique() => return Err(name_taken(after)),
            moved => moved?,
        };
        let (sql, values) = insertion(after, REPLACE)?;
        tx.execute(sqlx::AssertSqlSafe(sql), values).await?;
        if let Some((from, to)) = credential {
            credential::leave(&mut tx, from, to).await?;
        }
        mentions::follow(&mut tx, &old, &after.name).await?;
        tx.commit().await
    }
}

async fn idle(tx: &mut Tx, connector: &Connector) -> Result<()> {
    let open = "SELECT 1 FROM job j JOIN run r ON r.id = j.run
        WHERE lower(r.connector) = $1 AND j.state IN ('queued', 'leased') LIMIT 1";
    match tx.one(open, args![connector.name.to_lowercase()]).await? {
        None => Ok(()),
        Some(_) => Err(Error::ConnectorBusy {
            name: connector.name.clone(),
        }),
    }
}
