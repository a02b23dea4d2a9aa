//! Connectors as they were: who made the snapshots of a place for which no connector, or another one, stands today. What their policies keep
//! stays (design rule 7).

use model::Connector;

use crate::db::{Tx, args};
use crate::{Catalog, Result};

impl Catalog {
    /// Each name with each place that it stood for and does not any more: name, service, organization, address and tenant alone.
    pub async fn former_connectors(&self) -> Result<Vec<Connector>> {
        let sql = "SELECT name, service, organization, nullif(url, ''), nullif(tenant, '') FROM former_connector
            ORDER BY key, service, organization_key, url, tenant";
        let rows = self.db.read(sql, args![]).await?;
        let former = rows.iter().map(|row| {
            Ok(Connector {
                name: row.text(0)?,
                service: row.text(1)?,
                organization: row.text(2)?,
                url: row.opt_text(3)?,
                tenant: row.opt_text(4)?,
                ..Connector::default()
            })
        });
        former.collect()
    }
}

const KEEP: &str =
    "INSERT INTO former_connector (key, name, service, organization, organization_key, url, tenant)
    SELECT key, name, service, organization, organization_key, coalesce(url, ''), coalesce(tenant, '')
    FROM connector WHERE key = $1";

/// Before the connector of this key is removed.
pub(crate) async fn leaves(tx: &mut Tx, key: &str) -> Result<()> {
    let sql = format!("{KEEP} ON CONFLICT DO NOTHING");
    tx.execute(sqlx::AssertSqlSafe(sql), args![key])
        .await
        .map(drop)
}

/// Before the connector of this key, if there is one, becomes `after`.
pub(crate) async fn becomes(tx: &mut Tx, key: &str, after: &Connector) -> Result<()> {
    let sql = format!(
        "{KEEP} AND (service <> $2 OR organization_key <> $3 OR coalesce(url, '') <> $4 OR coalesce(tenant, '') <> $5)
        ON CONFLICT DO NOTHING"
    );
    let values = args![
        key,
        &after.service,
        after.organization.to_lowercase(),
        after.url.as_deref().unwrap_or(""),
        after.tenant.as_deref().unwrap_or(""),
    ];
    tx.execute(sqlx::AssertSqlSafe(sql), values).await.map(drop)
}

/// Follows a connector to its new name, as the policies do that name it.
pub(crate) async fn renamed(tx: &mut Tx, old: &str, name: &str) -> Result<()> {
    let key = name.to_lowercase();
    let copy = "INSERT INTO former_connector (key, name, service, organization, organization_key, url, tenant)
        SELECT $2, $3, service, organization, organization_key, url, tenant FROM former_connector WHERE key = $1
        ON CONFLICT DO NOTHING";
    if key != old {
        tx.execute(copy, args![old, &key, name]).await?;
        let sql = "DELETE FROM former_connector WHERE key = $1";
        tx.execute(sql, args![old]).await?;
    }
    Ok(())
}
