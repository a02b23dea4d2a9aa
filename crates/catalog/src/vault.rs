//! The vault: secrets under envelope encryption. A key-encryption key, which only the caller has, wraps a key of its own
//! for each secret, so that it can be changed without touching what the secrets' keys sealed.

mod envelope;

use jiff::Timestamp;
use model::Secret;
use rand::CryptoRng;

pub use envelope::Kek;

use crate::db::{Row, args};
use crate::{Catalog, Error, Result};
use envelope::{Sealed, Seed};

/// A credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    pub name: String,
    /// `pat`, `repository-password`, …
    pub method: String,
    pub created: Timestamp,
    /// When the secret was last replaced.
    pub updated: Timestamp,
}

impl CredentialRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.text(0)?,
            method: row.text(1)?,
            created: row.time(2)?,
            updated: row.time(3)?,
        })
    }
}

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
        tx.execute(
            "INSERT INTO credential (key, name, method, version, wrapped, sealed, created, updated)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
             ON CONFLICT (key) DO UPDATE SET name = excluded.name, method = excluded.method,
                version = excluded.version, wrapped = excluded.wrapped, sealed = excluded.sealed,
                updated = excluded.updated",
            args![key, name, method, version, wrapped, sealed, now],
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

    /// All credentials by name.
    pub async fn credentials(&self) -> Result<Vec<CredentialRow>> {
        let sql = "SELECT name, method, created, updated FROM credential ORDER BY key";
        self.db
            .read(sql, args![])
            .await?
            .iter()
            .map(CredentialRow::read)
            .collect()
    }

    /// Refused while a connector or a repository uses it.
    pub async fn remove_credential(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let removed = self
            .db
            .write("DELETE FROM credential WHERE key = $1", args![&key])
            .await;
        match removed {
            Ok(0) => Err(Error::CredentialUnknown {
                name: name.to_owned(),
            }),
            Ok(_) => Ok(()),
            Err(error) if error.is_foreign_key() => {
                let users = self.credential_users(&key).await?.join(", ");
                Err(Error::CredentialInUse {
                    name: name.to_owned(),
                    users,
                })
            }
            Err(error) => Err(error),
        }
    }

    async fn credential_users(&self, key: &str) -> Result<Vec<String>> {
        let sql = "SELECT 'connector', name FROM connector WHERE credential_key = $1
            UNION ALL SELECT 'repository', name FROM repository WHERE password_key = $1";
        let rows = self.db.read(sql, args![key]).await?;
        rows.iter()
            .map(|row| Ok(format!("{} {}", row.text(0)?, row.text(1)?)))
            .collect()
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
        tx.commit().await?;
        Ok(rows.len() as u64)
    }
}
