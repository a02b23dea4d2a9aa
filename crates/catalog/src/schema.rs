//! The schema and its versions: one text for both databases, with their few differing words filled in.

mod addresses;

use std::collections::BTreeSet;

use crate::db::{Db, args};
use crate::{Error, Result};

/// What follows it is no SQL: addresses are read from what snapshots say of themselves.
const ADDRESSES: &str = include_str!("schema/0016_reach.sql");

/// Every version, in order; a released one is never edited.
const VERSIONS: &[&str] = &[
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004_people.sql"),
    include_str!("schema/0005_connect.sql"),
    include_str!("schema/0006_work.sql"),
    include_str!("schema/0007_notify.sql"),
    include_str!("schema/0008_server.sql"),
    include_str!("schema/0009_tenant.sql"),
    include_str!("schema/0010_restore.sql"),
    include_str!("schema/0012_maintenance.sql"),
    include_str!("schema/0013_search.sql"),
    include_str!("schema/0014_browse.sql"),
    include_str!("schema/0015_acknowledged.sql"),
    ADDRESSES,
    include_str!("schema/0017_credential_url.sql"),
    include_str!("schema/0018_lists.sql"),
    include_str!("schema/0019_former_connectors.sql"),
    include_str!("schema/0020_rules.sql"),
    include_str!("schema/0021_over.sql"),
    include_str!("schema/0022_whole.sql"),
    include_str!("schema/0023_made.sql"),
    include_str!("schema/0024_versions.sql"),
    include_str!("schema/0025_found.sql"),
    include_str!("schema/0026_week.sql"),
    include_str!("schema/0027_versions.sql"),
    include_str!("schema/0028_checked.sql"),
];

pub(crate) async fn migrate(db: &Db) -> Result<()> {
    let known = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    let mut tx = db.begin().await?;
    if let Some(lock) = db.dialect().schema_lock {
        tx.rows(lock, args![]).await?;
    }
    tx.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)",
        args![],
    )
    .await?;
    let sql = "SELECT version FROM schema_version";
    let rows = tx.rows(sql, args![]).await?;
    let made = rows.iter().map(|row| row.int(0));
    let made = made.collect::<Result<BTreeSet<i64>>>()?;
    if let Some(&found) = made.last().filter(|&&last| last > known) {
        return Err(Error::NewerSchema { found, known });
    }
    for (version, text) in (1..).zip(VERSIONS) {
        if !made.contains(&version) {
            tx.script(fill(db, text)).await?;
            if *text == ADDRESSES {
                addresses::read(&mut tx, &db.dialect().search).await?;
            }
            tx.execute(
                "INSERT INTO schema_version (version) VALUES ($1)",
                args![version],
            )
            .await?;
        }
    }
    tx.commit().await
}

/// Whether it has every version that this program knows, and no other.
pub(crate) async fn is_current(db: &Db) -> Result<bool> {
    if db
        .read_one(db.dialect().schema_made, args![])
        .await?
        .is_none()
    {
        return Ok(false);
    }
    let newest = "SELECT MAX(version) FROM schema_version";
    let newest = db.read_one(newest, args![]).await?;
    let newest = newest.map(|row| row.opt_int(0)).transpose()?.flatten();
    Ok(newest.is_some_and(|newest| usize::try_from(newest) == Ok(VERSIONS.len())))
}

fn fill(db: &Db, text: &str) -> String {
    let dialect = db.dialect();
    text.replace("{text}", dialect.text)
        .replace("{blob}", dialect.blob)
        .replace("{serial}", dialect.serial)
        .replace("{clustered}", dialect.clustered)
        .replace("{audit_is_append_only}", dialect.audit_is_append_only)
        .replace("{text_words}", dialect.search.tables)
        .replace("{vocabulary}", dialect.search.vocabulary)
}
