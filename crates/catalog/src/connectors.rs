//! Connectors. Deleting one never touches a snapshot (design rule 7).

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{Connector, ConnectorStatus, Policy};
use rand::CryptoRng;

use crate::credentials::{self, NewCredential};
use crate::db::{Row, Tx, Value, args, json};
use crate::{Catalog, Error, Kek, QueuedRun, Result, former, people, policies};

/// What comes into being together, all of it or nothing.
#[derive(Clone, Copy, Default)]
pub struct Connecting<'a> {
    /// What the connectors sign in with, where that is new.
    pub credential: Option<&'a NewCredential<'a>>,
    pub connectors: &'a [Connector],
    /// They take the place of those of their names, and so does the credential.
    pub replace: bool,
    pub policies: &'a [Policy],
    /// Ids of people, with the connectors that they reach from now on beside those that they did.
    pub reach: &'a [(String, BTreeSet<String>)],
    pub runs: &'a [QueuedRun],
}

pub(crate) const SELECT: &str =
    "SELECT name, service, organization, url, method, credential, restore_credential, tenant,
    status, worker, sync, created, updated FROM connector";

pub(crate) const REPLACE: &str =
    "ON CONFLICT (key) DO UPDATE SET name = excluded.name, service = excluded.service,
    organization = excluded.organization, organization_key = excluded.organization_key,
    url = excluded.url, method = excluded.method, credential = excluded.credential,
    credential_key = excluded.credential_key, restore_credential = excluded.restore_credential,
    restore_key = excluded.restore_key, tenant = excluded.tenant, status = excluded.status,
    worker = excluded.worker, sync = excluded.sync, updated = excluded.updated";

pub(crate) fn read(row: &Row) -> Result<Connector> {
    Ok(Connector {
        name: row.text(0)?,
        service: row.text(1)?,
        organization: row.text(2)?,
        url: row.opt_text(3)?,
        method: row.text(4)?,
        credential: row.text(5)?,
        restore_credential: row.opt_text(6)?,
        tenant: row.opt_text(7)?,
        status: row.opt_json(8)?.unwrap_or_default(),
        worker: row.opt_text(9)?,
        sync: row.opt_json(10)?.unwrap_or_default(),
        created: row.time(11)?,
        updated: row.time(12)?,
    })
}

impl Catalog {
    /// All connectors by name.
    pub async fn connectors(&self) -> Result<Vec<Connector>> {
        let sql = format!("{SELECT} ORDER BY key");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), args![]).await?;
        rows.iter().map(read).collect()
    }

    /// The connector of this name, without regard to case.
    pub async fn connector(&self, name: &str) -> Result<Connector> {
        let sql = format!("{SELECT} WHERE key = $1");
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![name.to_lowercase()])
            .await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// Its name must be new, and unless it uses a token, its organization too; its credentials must be in the vault.
    pub async fn add_connector(&self, connector: &Connector) -> Result<()> {
        self.store_connector(connector, false).await
    }

    /// Adds it, or replaces the one of its name; when that is refused, the old one stays.
    pub async fn replace_connector(&self, connector: &Connector) -> Result<()> {
        self.store_connector(connector, true).await
    }

    /// Puts `after` in the place of `before`, which has its name; refused when somebody removed or changed that since it was read.
    pub async fn change_connector(&self, before: &Connector, after: &Connector) -> Result<()> {
        let mut tx = self.db.begin().await?;
        unchanged(&mut tx, before).await?;
        self.stored(tx, after, true).await
    }

    async fn store_connector(&self, connector: &Connector, replace: bool) -> Result<()> {
        let tx = self.db.begin().await?;
        self.stored(tx, connector, replace).await
    }

    async fn stored(&self, mut tx: Tx, connector: &Connector, replace: bool) -> Result<()> {
        if let Err(error) = store(&mut tx, connector, replace).await {
            drop(tx);
            return Err(self.refusal(error, connector, replace).await);
        }
        tx.commit().await
    }

    /// Keeps connectors, their credential, and what is for them.
    pub async fn connect<R: CryptoRng + ?Sized>(
        &self,
        kek: &Kek,
        new: Connecting<'_>,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<()> {
        let connectors = new.connectors;
        let mut tx = if new.policies.is_empty() {
            self.db.begin().await?
        } else {
            self.begin_ruling().await?
        };
        if let Some(credential) = new.credential {
            let known = new.replace && credentials::is_known(&mut tx, credential.name).await?;
            if known {
                credentials::rotate(&mut tx, kek, credential, now, rng).await?;
            } else {
                credentials::add(&mut tx, kek, credential, now, rng).await?;
            }
        }
        for (at, connector) in connectors.iter().enumerate() {
            let Err(error) = store(&mut tx, connector, new.replace).await else {
                continue;
            };
            drop(tx);
            let twice = connectors[..at]
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(&connector.name));
            if error.is_unique() && twice {
                return Err(name_taken(connector));
            }
            return Err(self.refusal(error, connector, new.replace).await);
        }
        for policy in new.policies {
            let (sql, values) = policies::insertion(policy, now)?;
            match tx.execute(sql, values).await {
                Err(error) if error.is_unique() => return Err(policies::taken(policy)),
                added => added?,
            };
        }
        for (person, more) in new.reach {
            people::add_reach(&mut tx, person, more).await?;
        }
        for run in new.runs {
            Self::queue_in(&mut tx, run).await?;
        }
        tx.commit().await
    }

    /// Which rule a connector broke that was not stored.
    async fn refusal(&self, error: Error, connector: &Connector, replace: bool) -> Error {
        if error.is_foreign_key() {
            return self.missing(connector).await;
        }
        if !error.is_unique() {
            return error;
        }
        if !replace && self.connector(&connector.name).await.is_ok() {
            return name_taken(connector);
        }
        Error::OrganizationExists {
            organization: connector.organization.clone(),
        }
    }

    /// Which of its credentials is not in the vault.
    async fn missing(&self, connector: &Connector) -> Error {
        let name = match &connector.restore_credential {
            Some(name) if self.credential(&connector.credential).await.is_ok() => name,
            _ => &connector.credential,
        };
        Error::CredentialUnknown { name: name.clone() }
    }

    /// Notes how the connection stands; nothing else of the connector changes.
    pub async fn set_connector_status(&self, name: &str, stands: &ConnectorStatus) -> Result<()> {
        let sql = "UPDATE connector SET status = $2 WHERE key = $1";
        let values = args![name.to_lowercase(), status(stands)?];
        match self.db.write(sql, values).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// Every connector that signs in with this credential is to be signed in again, or no longer.
    pub async fn set_status_of_users(
        &self,
        credential: &str,
        stands: &ConnectorStatus,
    ) -> Result<()> {
        let sql = "UPDATE connector SET status = $2 WHERE credential_key = $1 AND status IS DISTINCT FROM $2";
        let values = args![credential.to_lowercase(), status(stands)?];
        self.db.write(sql, values).await.map(drop)
    }

    /// Forgets how to reach the organization; its snapshots, runs and credential stay, and so does what it stood for
    /// ([`Catalog::former_connectors`]).
    pub async fn remove_connector(&self, name: &str) -> Result<()> {
        let key = name.to_lowercase();
        let mut tx = self.db.begin().await?;
        former::leaves(&mut tx, &key).await?;
        let sql = "DELETE FROM connector WHERE key = $1";
        if tx.execute(sql, args![key]).await? == 0 {
            return Err(unknown(name));
        }
        tx.commit().await
    }
}

/// Refuses where the connector is another one by now; how it stands changes by itself. The update makes whoever else changes it wait.
pub(crate) async fn unchanged(tx: &mut Tx, before: &Connector) -> Result<()> {
    let key = before.name.to_lowercase();
    let sql = "UPDATE connector SET key = key WHERE key = $1";
    tx.execute(sql, args![&key]).await?;
    let sql = format!("{SELECT} WHERE key = $1");
    let row = tx.one(sqlx::AssertSqlSafe(sql), args![key]).await?;
    let now = read(&row.ok_or_else(|| unknown(&before.name))?)?;
    let status = before.status.clone();
    if (Connector { status, ..now }) == *before {
        return Ok(());
    }
    Err(Error::ConnectorChanged {
        name: before.name.clone(),
    })
}

/// What the database refuses here, [`Catalog::refusal`] explains once the transaction is given up.
async fn store(tx: &mut Tx, connector: &Connector, replace: bool) -> Result<()> {
    if replace {
        former::becomes(tx, &connector.name.to_lowercase(), connector).await?;
    }
    let (sql, values) = insertion(connector, if replace { REPLACE } else { "" })?;
    tx.execute(sqlx::AssertSqlSafe(sql), values).await.map(drop)
}

/// The statement that keeps a connector.
pub(crate) fn insertion(
    connector: &Connector,
    conflict: &'static str,
) -> Result<(String, Vec<Value>)> {
    let sql = format!(
        "INSERT INTO connector (key, name, service, organization, organization_key, url, method, credential,
            credential_key, restore_credential, restore_key, tenant, status, worker, sync, created, updated)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) {conflict}"
    );
    let values = args![
        connector.name.to_lowercase(),
        &connector.name,
        &connector.service,
        &connector.organization,
        connector.organization.to_lowercase(),
        connector.url.as_deref(),
        &connector.method,
        &connector.credential,
        connector.credential.to_lowercase(),
        connector.restore_credential.as_deref(),
        connector
            .restore_credential
            .as_ref()
            .map(|name| name.to_lowercase()),
        connector.tenant.as_deref(),
        status(&connector.status)?,
        connector.worker.as_deref(),
        json(&connector.sync)?,
        connector.created,
        connector.updated,
    ];
    Ok((sql, values))
}

pub(crate) fn name_taken(connector: &Connector) -> Error {
    Error::ConnectorExists {
        name: connector.name.clone(),
    }
}

fn unknown(name: &str) -> Error {
    Error::ConnectorUnknown {
        name: name.to_owned(),
    }
}

fn status(status: &ConnectorStatus) -> Result<Option<String>> {
    match status {
        ConnectorStatus::Connected => Ok(None),
        other => json(other).map(Some),
    }
}
