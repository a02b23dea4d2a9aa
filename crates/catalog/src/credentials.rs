//! Credentials of the vault as people see them: everything but the secret.

use jiff::Timestamp;
use model::{Secret, SignIn};
use rand::CryptoRng;

use crate::db::{Row, Tx, args, json};
use crate::page::{Listed, Page, cursor};
use crate::vault::envelope::{self, Sealed, Seed};
use crate::{AppProfile, Catalog, Error, Kek, Result, app_profiles};

/// A credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRow {
    pub name: String,
    /// `pat`, `user`, …; `repository-password` and the like for secrets of the program's own.
    pub method: String,
    /// How it signs in at a service; `None` for secrets of the program's own, which nobody manages by name.
    pub sign_in: Option<SignIn>,
    /// The host for which its secret was entered, where that is none of the service's own; connectors may use it at others too.
    pub url: Option<String>,
    /// When the service stops taking it, as far as anybody said.
    pub expires: Option<Timestamp>,
    pub created: Timestamp,
    /// When the secret was last replaced.
    pub updated: Timestamp,
    pub used: Option<Timestamp>,
    pub tested: Option<Timestamp>,
    /// Why the last test failed; `None` after one that passed.
    pub test_error: Option<String>,
}

/// A credential to be kept.
pub struct NewCredential<'a> {
    pub name: &'a str,
    pub sign_in: &'a SignIn,
    /// Empty for ways to sign in that have none.
    pub secret: &'a Secret,
    pub expires: Option<Timestamp>,
    /// Through which app a person signed in, where the tenant has no profile of it yet: it is kept first (AV-02).
    pub profile: Option<&'a AppProfile>,
}

const SELECT: &str = "SELECT name, method, sign_in, expires, created, updated, used, tested, test_error, url FROM credential";

fn read(row: &Row) -> Result<CredentialRow> {
    Ok(CredentialRow {
        name: row.text(0)?,
        method: row.text(1)?,
        sign_in: row.opt_json(2)?,
        expires: row.opt_time(3)?,
        created: row.time(4)?,
        updated: row.time(5)?,
        used: row.opt_time(6)?,
        tested: row.opt_time(7)?,
        test_error: row.opt_text(8)?,
        url: row.opt_text(9)?,
    })
}

pub(crate) fn exists(name: &str) -> Error {
    Error::CredentialExists {
        name: name.to_owned(),
    }
}

pub(crate) async fn is_known(tx: &mut Tx, name: &str) -> Result<bool> {
    let sql = "SELECT 1 FROM credential WHERE key = $1";
    Ok(tx.one(sql, args![name.to_lowercase()]).await?.is_some())
}

/// Keeps a new credential; its name must be new.
pub(crate) async fn add<R: CryptoRng + ?Sized>(
    tx: &mut Tx,
    kek: &Kek,
    new: &NewCredential<'_>,
    now: Timestamp,
    rng: &mut R,
) -> Result<()> {
    if let Some(profile) = new.profile {
        app_profiles::add(tx, profile).await?;
    }
    let key = new.name.to_lowercase();
    let Sealed { wrapped, sealed } = envelope::seal(kek, &key, 1, new.secret, &Seed::draw(rng))?;
    let sql = "INSERT INTO credential (key, name, method, version, wrapped, sealed, created, updated, sign_in, expires)
        VALUES ($1, $2, $3, 1, $4, $5, $6, $6, $7, $8)";
    let values = args![
        key,
        new.name,
        new.sign_in.method(),
        wrapped,
        sealed,
        now,
        json(new.sign_in)?,
        new.expires,
    ];
    match tx.execute(sql, values).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_unique() => Err(exists(new.name)),
        Err(error) => Err(error),
    }
}

/// Puts a new secret and sign-in in the place of the old ones.
pub(crate) async fn rotate<R: CryptoRng + ?Sized>(
    tx: &mut Tx,
    kek: &Kek,
    new: &NewCredential<'_>,
    now: Timestamp,
    rng: &mut R,
) -> Result<()> {
    if let Some(profile) = new.profile {
        app_profiles::add(tx, profile).await?;
    }
    let key = new.name.to_lowercase();
    let sql = "SELECT version FROM credential WHERE key = $1";
    let found = tx.one(sql, args![&key]).await?;
    let version = found.ok_or_else(|| unknown(new.name))?.int(0)?;
    let Sealed { wrapped, sealed } =
        envelope::seal(kek, &key, version + 1, new.secret, &Seed::draw(rng))?;
    let sql = "UPDATE credential SET method = $3, version = version + 1, wrapped = $4, sealed = $5, updated = $6,
        sign_in = $7, expires = $8, tested = NULL, test_error = NULL WHERE key = $1 AND version = $2";
    let values = args![
        &key,
        version,
        new.sign_in.method(),
        wrapped,
        sealed,
        now,
        json(new.sign_in)?,
        new.expires,
    ];
    if tx.execute(sql, values).await? == 0 {
        return Err(unknown(new.name));
    }
    let sql = "UPDATE connector SET method = $2 WHERE credential_key = $1";
    let values = args![key, new.sign_in.method()];
    tx.execute(sql, values).await.map(drop)
}

fn unknown(name: &str) -> Error {
    Error::CredentialUnknown {
        name: name.to_owned(),
    }
}

impl Catalog {
    /// All credentials by name, the program's own among them.
    pub async fn credentials(&self) -> Result<Vec<CredentialRow>> {
        let sql = format!("{SELECT} ORDER BY key");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), args![]).await?;
        rows.iter().map(read).collect()
    }

    /// Credentials that sign in at a service, and secrets of the program's own of this method, by name, a page at a time.
    pub async fn credentials_page(
        &self,
        own: Option<&str>,
        page: &Page,
    ) -> Result<Listed<CredentialRow>> {
        let limit = page.limit();
        let after = page.position::<1>()?.map(|[key]| key).unwrap_or_default();
        let sql = format!(
            "{SELECT} WHERE key > $1 AND (sign_in IS NOT NULL OR method = $3) ORDER BY key LIMIT $2"
        );
        let values = args![after, limit as u64 + 1, own];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let items: Vec<CredentialRow> = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(Listed::cut(items, limit, |last| {
            cursor(&[&last.name.to_lowercase()])
        }))
    }

    /// Credentials that the service will stop taking before this time, soonest first.
    pub async fn credentials_expiring(&self, before: Timestamp) -> Result<Vec<CredentialRow>> {
        let sql = format!("{SELECT} WHERE expires IS NOT NULL AND expires < $1 ORDER BY expires");
        let rows = self
            .db
            .read(sqlx::AssertSqlSafe(sql), args![before])
            .await?;
        rows.iter().map(read).collect()
    }

    /// The credential of this name, without regard to case.
    pub async fn credential(&self, name: &str) -> Result<CredentialRow> {
        let sql = format!("{SELECT} WHERE key = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![name.to_lowercase()])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// Keeps a new credential; its name must be new.
    pub async fn add_credential<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        new: &NewCredential<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        add(&mut tx, kek, new, now, rng).await?;
        tx.commit().await
    }

    /// Puts a new secret and sign-in in the place of the old ones; whoever refers to it goes on with these.
    pub async fn rotate_credential<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        new: &NewCredential<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        rotate(&mut tx, kek, new, now, rng).await?;
        tx.commit().await
    }

    /// The secret with its version, for [`Catalog::replace_secret`].
    pub async fn versioned_secret(&self, kek: &Kek, name: &str) -> Result<(Secret, i64)> {
        let key = name.to_lowercase();
        let sql = "SELECT version, wrapped, sealed FROM credential WHERE key = $1";
        let row = self.db.read_one(sql, args![&key]).await?;
        let row = row.ok_or_else(|| unknown(name))?;
        let version = row.int(0)?;
        let sealed = Sealed {
            wrapped: row.blob(1)?,
            sealed: row.blob(2)?,
        };
        Ok((envelope::open(kek, &key, version, &sealed)?, version))
    }

    /// Replaces the secret of exactly this version and answers the new one; `None` when somebody else was first, whose secret stands.
    pub async fn replace_secret<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        name: &str,
        version: i64,
        secret: &Secret,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<Option<i64>> {
        let key = name.to_lowercase();
        let Sealed { wrapped, sealed } =
            envelope::seal(kek, &key, version + 1, secret, &Seed::draw(rng))?;
        let sql =
            "UPDATE credential SET version = version + 1, wrapped = $3, sealed = $4, updated = $5
            WHERE key = $1 AND version = $2";
        let values = args![key, version, wrapped, sealed, now];
        Ok((self.db.write(sql, values).await? == 1).then_some(version + 1))
    }

    pub async fn note_credential_used(&self, name: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE credential SET used = $2 WHERE key = $1";
        self.db
            .write(sql, args![name.to_lowercase(), now])
            .await
            .map(drop)
    }

    pub async fn note_credential_tested(
        &self,
        name: &str,
        now: Timestamp,
        failed: Option<&str>,
    ) -> Result<()> {
        let sql = "UPDATE credential SET tested = $2, test_error = $3 WHERE key = $1";
        self.db
            .write(sql, args![name.to_lowercase(), now, failed])
            .await
            .map(drop)
    }

    /// Changes when the service stops taking it, as a person knows it.
    pub async fn set_credential_expiry(
        &self,
        name: &str,
        expires: Option<Timestamp>,
    ) -> Result<()> {
        let sql = "UPDATE credential SET expires = $2 WHERE key = $1";
        match self
            .db
            .write(sql, args![name.to_lowercase(), expires])
            .await?
        {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// Says for which host its secret was entered.
    pub async fn set_credential_url(&self, name: &str, url: &str) -> Result<()> {
        let sql = "UPDATE credential SET url = $2 WHERE key = $1";
        match self.db.write(sql, args![name.to_lowercase(), url]).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// Refused while a connector or a repository uses it.
    pub async fn remove_credential(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let removed = self
            .db
            .write("DELETE FROM credential WHERE key = $1", args![&key])
            .await;
        match removed {
            Ok(0) => Err(unknown(name)),
            Ok(_) => Ok(()),
            Err(error) if error.is_foreign_key() => Err(Error::CredentialInUse {
                name: name.to_owned(),
                users: self.credential_users(&key).await?.join(", "),
            }),
            Err(error) => Err(error),
        }
    }

    /// Who signs in with it: `connector contoso`, `repository main`.
    pub async fn credential_users(&self, name: &str) -> Result<Vec<String>> {
        let sql =
            "SELECT 'connector', name FROM connector WHERE credential_key = $1 OR restore_key = $1
            UNION ALL SELECT 'repository', name FROM repository WHERE password_key = $1 OR storage_key = $1
            UNION ALL SELECT 'notification', name FROM channel WHERE credential_key = $1
            UNION ALL SELECT 'app profile', name FROM app_profile WHERE credential_key = $1";
        let rows = self.db.read(sql, args![name.to_lowercase()]).await?;
        rows.iter()
            .map(|row| Ok(format!("{} {}", row.text(0)?, row.text(1)?)))
            .collect()
    }
}
