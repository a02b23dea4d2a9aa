//! Connectors. Deleting one never touches a snapshot (design rule 7).

use model::Connector;

use crate::db::{Row, args};
use crate::{Catalog, Error, Result};

fn read(row: &Row) -> Result<Connector> {
    Ok(Connector {
        name: row.text(0)?,
        service: row.text(1)?,
        organization: row.text(2)?,
        url: row.opt_text(3)?,
        method: row.text(4)?,
        credential: row.text(5)?,
    })
}

impl Catalog {
    /// All connectors by name.
    pub async fn connectors(&self) -> Result<Vec<Connector>> {
        let sql = "SELECT name, service, organization, url, method, credential FROM connector ORDER BY key";
        self.db.read(sql, args![]).await?.iter().map(read).collect()
    }

    /// The connector of this name, without regard to case.
    pub async fn connector(&self, name: &str) -> Result<Connector> {
        let sql = "SELECT name, service, organization, url, method, credential FROM connector WHERE key = $1";
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        row.as_ref().map_or_else(
            || {
                Err(Error::ConnectorUnknown {
                    name: name.to_owned(),
                })
            },
            read,
        )
    }

    /// Its name must be new, and unless it uses a token, its service, organization and method together; its credential must be in the vault.
    pub async fn add_connector(&self, connector: &Connector) -> Result<()> {
        self.store_connector(connector, "").await
    }

    /// Adds it, or replaces the one of its name; when that is refused, the old one stays.
    pub async fn replace_connector(&self, connector: &Connector) -> Result<()> {
        let replace =
            "ON CONFLICT (key) DO UPDATE SET name = excluded.name, service = excluded.service,
            organization = excluded.organization, organization_key = excluded.organization_key,
            url = excluded.url, method = excluded.method, credential = excluded.credential,
            credential_key = excluded.credential_key";
        self.store_connector(connector, replace).await
    }

    async fn store_connector(&self, connector: &Connector, conflict: &'static str) -> Result<()> {
        let sql = format!(
            "INSERT INTO connector (key, name, service, organization, organization_key, url, method,
                credential, credential_key)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) {conflict}"
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
        ];
        match self.db.write(sqlx::AssertSqlSafe(sql), values).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_unique() => Err(Error::ConnectorExists {
                name: connector.name.clone(),
                organization: connector.organization.clone(),
            }),
            Err(error) if error.is_foreign_key() => Err(Error::CredentialUnknown {
                name: connector.credential.clone(),
            }),
            Err(error) => Err(error),
        }
    }

    /// Forgets how to reach the organization; its snapshots, runs and credential stay.
    pub async fn remove_connector(&self, name: &str) -> Result<()> {
        match self
            .db
            .write(
                "DELETE FROM connector WHERE key = $1",
                args![name.to_lowercase()],
            )
            .await?
        {
            0 => Err(Error::ConnectorUnknown {
                name: name.to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
