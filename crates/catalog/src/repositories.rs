//! Repositories that this installation knows.

use jiff::Timestamp;

use crate::db::{Row, args};
use crate::{Catalog, Error, Result, maintenance};

/// Where a repository is and how to open it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryRow {
    /// Unique without regard to case.
    pub name: String,
    /// Path or address; it never holds a secret.
    pub location: String,
    /// The id in the repository's own `config`; the same wherever the repository is reached.
    pub id: String,
    /// The credential that holds its password.
    pub password_credential: String,
    /// The credential that opens its storage; `None` for folders and for the machine's own identity.
    pub storage_credential: Option<String>,
    /// The rule of its object lock (JSON).
    pub object_lock: Option<String>,
    /// When it was checked last; set by [`Catalog::note_examined`].
    pub checked: Option<Timestamp>,
    /// What that check found.
    pub problems: Option<u64>,
    /// When a prune went through last.
    pub pruned: Option<Timestamp>,
    /// Of all files, when they were measured last.
    pub bytes: Option<u64>,
    pub measured: Option<Timestamp>,
    /// Since when a check has found damage that none could show to be gone.
    pub damaged: Option<Timestamp>,
    /// Grows each time that it is reached in another way.
    pub version: i64,
    /// Grows each time that what is done for it by itself is replaced.
    pub maintenance_version: i64,
}

/// Complete rows; what follows narrows them down.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT name, location, id, password_credential, storage_credential, object_lock, checked, problems, pruned, bytes,
                measured, damaged, version, maintenance_version FROM repository ",
            $rest
        )
    };
}

impl RepositoryRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            name: row.text(0)?,
            location: row.text(1)?,
            id: row.text(2)?,
            password_credential: row.text(3)?,
            storage_credential: row.opt_text(4)?,
            object_lock: row.opt_text(5)?,
            checked: row.opt_time(6)?,
            problems: row.opt_int(7)?.map(i64::cast_unsigned),
            pruned: row.opt_time(8)?,
            bytes: row.opt_int(9)?.map(i64::cast_unsigned),
            measured: row.opt_time(10)?,
            damaged: row.opt_time(11)?,
            version: row.int(12)?,
            maintenance_version: row.int(13)?,
        })
    }
}

fn unknown(name: &str) -> Error {
    Error::RepositoryUnknown {
        name: name.to_owned(),
    }
}

fn missing_credential(row: &RepositoryRow) -> Error {
    let name = row.storage_credential.as_ref();
    Error::CredentialUnknown {
        name: name.unwrap_or(&row.password_credential).clone(),
    }
}

impl Catalog {
    /// All repositories by name.
    pub async fn repositories(&self) -> Result<Vec<RepositoryRow>> {
        let sql = select!("ORDER BY key");
        self.db
            .read(sql, args![])
            .await?
            .iter()
            .map(RepositoryRow::read)
            .collect()
    }

    /// The repository of this name, without regard to case.
    pub async fn repository(&self, name: &str) -> Result<RepositoryRow> {
        let sql = select!("WHERE key = $1");
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        row.as_ref()
            .map_or_else(|| Err(unknown(name)), RepositoryRow::read)
    }

    /// Name and location must be new; its password must be in the vault. It is looked after as usual from then on.
    pub async fn add_repository(&self, row: &RepositoryRow) -> Result<()> {
        let key = row.name.to_lowercase();
        let mut tx = self.begin_ruling().await?;
        // The only one was used when none was named: a second one does not change what policies are for.
        let only =
            "UPDATE repository SET is_default = 1 WHERE (SELECT count(*) FROM repository) = 1";
        tx.execute(only, args![]).await?;
        let added = tx
            .execute(
                "INSERT INTO repository (key, name, location, id, password_credential, password_key,
                    storage_credential, storage_key, object_lock, is_default)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
                args![
                    &key,
                    &row.name,
                    &row.location,
                    &row.id,
                    &row.password_credential,
                    row.password_credential.to_lowercase(),
                    row.storage_credential.as_deref(),
                    row.storage_credential.as_ref().map(|name| name.to_lowercase()),
                    row.object_lock.as_deref(),
                ],
            )
            .await;
        match added {
            Ok(_) => {
                maintenance::begin(&mut tx, &key).await?;
                tx.commit().await
            }
            Err(error) if error.is_unique() => Err(Error::RepositoryExists {
                name: row.name.clone(),
                location: row.location.clone(),
            }),
            Err(error) if error.is_foreign_key() => Err(missing_credential(row)),
            Err(error) => Err(error),
        }
    }

    /// Changes where it is reached and how it is opened, if it is still at the version of the row; name, id and password stay.
    pub async fn move_repository(&self, row: &RepositoryRow) -> Result<()> {
        let sql = "UPDATE repository SET location = $2, storage_credential = $3, storage_key = $4, object_lock = $5,
                version = version + 1
            WHERE key = $1 AND version = $6";
        let credential = row.storage_credential.as_ref();
        let values = args![
            row.name.to_lowercase(),
            &row.location,
            credential.map(String::as_str),
            credential.map(|name| name.to_lowercase()),
            row.object_lock.as_deref(),
            row.version,
        ];
        match self.db.write(sql, values).await {
            Ok(0) => Err(Error::SettingsChanged {
                what: format!("repository `{}`", row.name),
            }),
            Ok(_) => Ok(()),
            Err(error) if error.is_unique() => Err(Error::RepositoryExists {
                name: row.name.clone(),
                location: row.location.clone(),
            }),
            Err(error) if error.is_foreign_key() => Err(missing_credential(row)),
            Err(error) => Err(error),
        }
    }

    /// Forgets where it is; the repository itself and what the catalog knows of its snapshots stay.
    pub async fn remove_repository(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let sql = "DELETE FROM repository WHERE key = $1";
        match self.write_ruling(sql, args![key]).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// The repository that is used when none is named: the one that was chosen, or the only one.
    pub async fn default_repository(&self) -> Result<Option<RepositoryRow>> {
        let sql = select!("WHERE is_default = 1 OR (SELECT count(*) FROM repository) = 1");
        self.db
            .read_one(sql, args![])
            .await?
            .as_ref()
            .map(RepositoryRow::read)
            .transpose()
    }

    pub async fn set_default_repository(&self, name: &str) -> Result<()> {
        let mut tx = self.begin_ruling().await?;
        tx.execute(
            "UPDATE repository SET is_default = 0 WHERE is_default = 1",
            args![],
        )
        .await?;
        let sql = "UPDATE repository SET is_default = 1 WHERE key = $1";
        if tx.execute(sql, args![name.to_lowercase()]).await? == 0 {
            return Err(unknown(name));
        }
        tx.commit().await
    }
}
