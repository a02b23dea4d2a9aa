//! Wizards on their way: what they know lies sealed, bound to who began them, and is forgotten in time.

use jiff::Timestamp;
use model::Secret;
use rand::CryptoRng;

use crate::db::args;
use crate::vault::envelope::{self, Sealed, Seed};
use crate::{Catalog, Error, Kek, Result};

/// The place of a session's secret among all sealed values; credentials never begin so.
fn place(id: &str) -> String {
    format!("\0connect-session\0{id}")
}

impl Catalog {
    /// Keeps a new session; expired ones are forgotten on the way.
    pub async fn begin_connect_session<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        (id, owner): (&str, &str),
        state: &Secret,
        (now, expires): (Timestamp, Timestamp),
        rng: &mut R,
    ) -> Result<()> {
        self.db
            .write(
                "DELETE FROM connect_session WHERE expires <= $1",
                args![now],
            )
            .await?;
        let Sealed { wrapped, sealed } =
            envelope::seal(kek, &place(id), 1, state, &Seed::draw(rng))?;
        let sql = "INSERT INTO connect_session (id, owner, version, wrapped, sealed, expires)
            VALUES ($1, $2, 1, $3, $4, $5)";
        let values = args![id, owner, wrapped, sealed, expires];
        self.db.write(sql, values).await.map(drop)
    }

    /// The state of a session that this owner began and that has not expired, with its version.
    pub async fn connect_session(
        &self,
        kek: &Kek,
        (id, owner): (&str, &str),
        now: Timestamp,
    ) -> Result<(Secret, i64)> {
        let sql = "SELECT version, wrapped, sealed FROM connect_session
            WHERE id = $1 AND owner = $2 AND expires > $3";
        let row = self.db.read_one(sql, args![id, owner, now]).await?;
        let row = row.ok_or(Error::ConnectSessionUnknown)?;
        let sealed = Sealed {
            wrapped: row.blob(1)?,
            sealed: row.blob(2)?,
        };
        let version = row.int(0)?;
        Ok((envelope::open(kek, &place(id), version, &sealed)?, version))
    }

    /// The id of the session that awaits this return; whose it is says only [`Catalog::connect_session`].
    pub async fn awaiting_connect_session(&self, awaited: &str) -> Result<String> {
        let sql = "SELECT id FROM connect_session WHERE awaited = $1";
        let row = self.db.read_one(sql, args![awaited]).await?;
        row.ok_or(Error::ConnectSessionUnknown)?.text(0)
    }

    /// Puts the next state in the place of exactly this version.
    pub async fn advance_connect_session<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        (id, version): (&str, i64),
        state: &Secret,
        awaited: Option<&str>,
        rng: &mut R,
    ) -> Result<()> {
        let Sealed { wrapped, sealed } =
            envelope::seal(kek, &place(id), version + 1, state, &Seed::draw(rng))?;
        let sql = "UPDATE connect_session SET version = version + 1, wrapped = $3, sealed = $4, awaited = $5
            WHERE id = $1 AND version = $2";
        match self
            .db
            .write(sql, args![id, version, wrapped, sealed, awaited])
            .await?
        {
            0 => Err(Error::ConnectSessionChanged),
            _ => Ok(()),
        }
    }

    /// Forgets a session; one that is gone already is fine.
    pub async fn end_connect_session(&self, id: &str) -> Result<()> {
        self.db
            .write("DELETE FROM connect_session WHERE id = $1", args![id])
            .await
            .map(drop)
    }
}
