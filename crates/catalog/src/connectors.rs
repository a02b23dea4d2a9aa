//! Connectors. Deleting one never touches a snapshot (design rule 7).

use std::collections::BTreeSet;

use jiff::Timestamp;
use model::{Connector, ConnectorStatus, Policy};
use rand::CryptoRng;

use crate::credentials::{self, NewCredential};
use crate::db::{Row, Value, args, json};
use crate::{Catalog, Error, Kek, QueuedRun, Result, former, people, policies};

/// What comes into being together, all of it or nothing.
#[derive(Clone, Copy, Default)]
pub struct Connecting<'a> {
    /// What the connectors sign in with, where that is new.
    pub credential: Option<&'a NewCredential<'a>>,
    pub connectors: &'a [Connector],
    pub policies: &'a [Policy],
    /// Ids of people, with the connectors that they reach from now on.
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
        self.store_connector(connector, "").await
    }

    /// Adds it, or replaces the one of its name; when that is refused, the old one stays.
    pub async fn replace_connector(&self, connector: &Connector) -> Result<()> {
        self.store_connector(connector, REPLACE).await
    }

    async fn store_connector(&self, connector: &Connector, conflict: &'static str) -> Result<()> {
        let (sql, values) = insertion(connector, conflict)?;
        let stored = async {
            let mut tx = self.db.begin().await?;
            if !conflict.is_empty() {
                former::becomes(&mut tx, &connector.name.to_lowercase(), connector).await?;
            }
            tx.execute(sqlx::AssertSqlSafe(sql), values).await?;
            tx.commit().await
        };
        match stored.await {
            Ok(()) => Ok(()),
            Err(error) if error.is_unique() => Err(self.clash(connector, conflict).await),
            Err(error) if error.is_foreign_key() => Err(self.missing(connector).await),
            Err(error) => Err(error),
        }
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
        let mut tx = self.db.begin().await?;
        if let Some(new) = new.credential {
            let (sql, values) = credentials::insertion(kek, new, now, rng)?;
            match tx.execute(sql, values).await {
                Err(error) if error.is_unique() => return Err(credentials::exists(new.name)),
                added => added?,
            };
        }
        for (at, connector) in connectors.iter().enumerate() {
            let (sql, values) = insertion(connector, "")?;
            let Err(error) = tx.execute(sqlx::AssertSqlSafe(sql), values).await else {
                continue;
            };
            drop(tx);
            let twice = connectors[..at]
                .iter()
                .any(|other| other.name.eq_ignore_ascii_case(&connector.name));
            return Err(match error {
                error if error.is_unique() && twice => name_taken(connector),
                error if error.is_unique() => self.clash(connector, "").await,
                error if error.is_foreign_key() => self.missing(connector).await,
                error => error,
            });
        }
        for policy in new.policies {
            let (sql, values) = policies::insertion(policy, now)?;
            match tx.execute(sql, values).await {
                Err(error) if error.is_unique() => return Err(policies::taken(policy)),
                added => added?,
            };
        }
        for (person, reached) in new.reach {
            people::set_reach(&mut tx, person, Some(reached)).await?;
        }
        for run in new.runs {
            Self::queue_in(&mut tx, run).await?;
        }
        tx.commit().await
    }

    /// Which of the two rules a refused connector broke.
    async fn clash(&self, connector: &Connector, conflict: &str) -> Error {
        if conflict.is_empty() && self.connector(&connector.name).await.is_ok() {
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
