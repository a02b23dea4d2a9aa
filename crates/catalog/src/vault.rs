//! The vault: secrets under envelope encryption. A key-encryption key, which only the caller has, wraps a key of its own
//! for each secret, so that it can be changed without touching what the secrets' keys sealed.

pub(crate) mod envelope;
mod opaque;

use jiff::Timestamp;
use model::Secret;
use rand::CryptoRng;

pub use envelope::Kek;

use crate::db::args;
use crate::{Catalog, Error, Result};
use envelope::{Sealed, Seed};

/// The [`model::SignIn`] of a token without a user's name.
const PAT: &str = r#"{"method":"pat"}"#;

impl Catalog {
    /// Stores a secret, or replaces the one of this name (without regard to case).
    pub async fn put_credential<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        name: &str,
        method: &str,
        secret: &Secret,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<()> {
        let key = name.to_lowercase();
        let seed = Seed::draw(rng);
        let mut tx = self.db.begin().await?;
        let found = tx
            .one("SELECT version FROM credential WHERE key = $1", args![&key])
            .await?;
        let version = found.map_or(Ok(0), |row| row.int(0))? + 1;
        let Sealed { wrapped, sealed } = envelope::seal(kek, &key, version, secret, &seed)?;
        let token = (method == "pat").then_some(PAT);
        tx.execute(
            "INSERT INTO credential (key, name, method, version, wrapped, sealed, created, updated, sign_in)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)
             ON CONFLICT (key) DO UPDATE SET name = excluded.name, method = excluded.method,
                version = excluded.version, wrapped = excluded.wrapped, sealed = excluded.sealed,
                updated = excluded.updated, sign_in = excluded.sign_in, tested = NULL, test_error = NULL",
            args![key, name, method, version, wrapped, sealed, now, token],
        )
        .await?;
        tx.commit().await
    }

    /// The secret, or `None` when there is none of this name; [`Error::WrongKey`] under another key.
    pub async fn get_credential(&self, kek: &Kek, name: &str) -> Result<Option<Secret>> {
        let key = name.to_lowercase();
        let sql = "SELECT version, wrapped, sealed FROM credential WHERE key = $1";
        let Some(row) = self.db.read_one(sql, args![&key]).await? else {
            return Ok(None);
        };
        let sealed = Sealed {
            wrapped: row.blob(1)?,
            sealed: row.blob(2)?,
        };
        envelope::open(kek, &key, row.int(0)?, &sealed).map(Some)
    }

    /// Whether the vault opens with this key; an empty one opens with any.
    pub async fn opens_with(&self, kek: &Kek) -> Result<bool> {
        let sql = "SELECT key, version, wrapped, sealed FROM credential ORDER BY key LIMIT 1";
        let Some(row) = self.db.read_one(sql, args![]).await? else {
            return Ok(true);
        };
        let sealed = Sealed {
            wrapped: row.blob(2)?,
            sealed: row.blob(3)?,
        };
        match envelope::open(kek, &row.text(0)?, row.int(1)?, &sealed) {
            Ok(_) => Ok(true),
            Err(Error::WrongKey { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Wraps every secret's key anew, all or none: the vault opens with `new` alone afterwards.
    pub async fn rotate_kek<R: CryptoRng + ?Sized>(
        &self,
        old: &Kek,
        new: &Kek,
        rng: &mut R,
    ) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        let sql = "SELECT key, version, wrapped FROM credential ORDER BY key";
        let rows = tx.rows(sql, args![]).await?;
        for row in &rows {
            let (key, version, seed) = (row.text(0)?, row.int(1)?, Seed::draw(rng));
            let wrapped = envelope::rewrap(old, new, &key, version, &row.blob(2)?, &seed)?;
            let sql = "UPDATE credential SET wrapped = $2 WHERE key = $1 AND version = $3";
            tx.execute(sql, args![key, wrapped, version]).await?;
        }
        // Wizards on their way begin again, and answers are not repeated.
        tx.execute("DELETE FROM connect_session", args![]).await?;
        tx.execute("DELETE FROM answer", args![]).await?;
        tx.commit().await?;
        Ok(rows.len() as u64)
    }
}
