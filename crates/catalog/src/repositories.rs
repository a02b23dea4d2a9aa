//! Repositories that this installation knows.

use crate::db::{Row, args};
use crate::{Catalog, Error, Result};

/// Where a repository is and how to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Unique without regard to case.
    pub name: String,
    /// Path or address.
    pub location: String,
    /// The id in the repository's own `config`; the same wherever the repository is reached.
    pub id: String,
    /// The credential that holds its password.
    pub password_credential: String,
}

impl RepositoryRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.text(0)?,
            location: row.text(1)?,
            id: row.text(2)?,
            password_credential: row.text(3)?,
        })
    }
}

impl Catalog {
    /// All repositories by name.
    pub async fn repositories(&self) -> Result<Vec<RepositoryRow>> {
        let sql = "SELECT name, location, id, password_credential FROM repository ORDER BY key";
        self.db
            .read(sql, args![])
            .await?
            .iter()
            .map(RepositoryRow::read)
            .collect()
    }

    /// The repository of this name, without regard to case.
    pub async fn repository(&self, name: &str) -> Result<RepositoryRow> {
        let sql = "SELECT name, location, id, password_credential FROM repository WHERE key = $1";
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        let unknown = || {
            Err(Error::RepositoryUnknown {
                name: name.to_owned(),
            })
        };
        row.as_ref().map_or_else(unknown, RepositoryRow::read)
    }

    /// Name and location must be new; its password must be in the vault.
    pub async fn add_repository(&self, row: &RepositoryRow) -> Result<()> {
        let added = self
            .db
            .write(
                "INSERT INTO repository (key, name, location, id, password_credential, password_key, is_default)
                 VALUES ($1, $2, $3, $4, $5, $6, 0)",
                args![
                    row.name.to_lowercase(),
                    &row.name,
                    &row.location,
                    &row.id,
                    &row.password_credential,
                    row.password_credential.to_lowercase(),
                ],
            )
            .await;
        match added {
            Ok(_) => Ok(()),
            Err(error) if error.is_unique() => Err(Error::RepositoryExists {
                name: row.name.clone(),
                location: row.location.clone(),
            }),
            Err(error) if error.is_foreign_key() => Err(Error::CredentialUnknown {
                name: row.password_credential.clone(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Forgets where it is; the repository itself and what the catalog knows of its snapshots stay.
    pub async fn remove_repository(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        match self
            .db
            .write("DELETE FROM repository WHERE key = $1", args![key])
            .await?
        {
            0 => Err(Error::RepositoryUnknown {
                name: name.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The repository that is used when none is named: the one that was chosen, or the only one.
    pub async fn default_repository(&self) -> Result<Option<RepositoryRow>> {
        let sql = "SELECT name, location, id, password_credential FROM repository r
            WHERE is_default = 1 OR (SELECT count(*) FROM repository) = 1";
        self.db
            .read_one(sql, args![])
            .await?
            .as_ref()
            .map(RepositoryRow::read)
            .transpose()
    }

    pub async fn set_default_repository(&self, name: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute(
            "UPDATE repository SET is_default = 0 WHERE is_default = 1",
            args![],
        )
        .await?;
        let sql = "UPDATE repository SET is_default = 1 WHERE key = $1";
        if tx.execute(sql, args![name.to_lowercase()]).await? == 0 {
            return Err(Error::RepositoryUnknown {
                name: name.to_owned(),
            });
        }
        tx.commit().await
    }
}
