//! How things stand, in a few statements that read indexes alone: whoever opens the first page waits for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::RunState;

use crate::db::{Value, args};
use crate::{Catalog, Result};

/// In microseconds, as times are.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// A backup, as far as the overview tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestRun {
    pub run: String,
    pub state: RunState,
    pub finished: Timestamp,
    pub snapshot: Option<String>,
    /// In its snapshot.
    pub items: u64,
}

/// Runs of one connector that ended in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedRuns {
    /// In lower case; empty for what is done for a repository.
    pub connector: String,
    pub state: RunState,
    pub runs: u64,
    /// To the service.
    pub requests: u64,
}

/// What backups have put into one repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Put {
    /// From the services, before anything was found to be there already.
    pub received: u64,
    /// New to the repository, after compression and encryption.
    pub stored: u64,
    /// The part of `stored` since the repository was measured.
    pub since_measured: u64,
}

/// Something that a sync found and no policy took up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprotected {
    pub connector: String,
    pub kind: String,
    pub name: String,
}

impl Catalog {
    /// The last good backup of each connector, by its name in lower case.
    pub async fn latest_good(&self) -> Result<BTreeMap<String, LatestRun>> {
        let sql = "SELECT lower(r.connector), r.id, r.state, r.finished, r.snapshot, coalesce(r.items, 0)
            FROM (SELECT max(id) AS id FROM run
                WHERE kind = 'backup' AND state IN ('succeeded', 'succeeded_with_issues') GROUP BY lower(connector)) newest
            JOIN run r ON r.id = newest.id WHERE r.finished IS NOT NULL";
        self.latest(sql).await
    }

    /// The last backup of each connector that ended and that nobody canceled, by its name in lower case.
    pub async fn latest_ended(&self) -> Result<BTreeMap<String, LatestRun>> {
        let sql = "SELECT lower(r.connector), r.id, r.state, r.finished, r.snapshot, coalesce(r.items, 0)
            FROM (SELECT max(id) AS id FROM run
                WHERE kind = 'backup' AND state IN ('succeeded', 'succeeded_with_issues', 'failed') GROUP BY lower(connector)) newest
            JOIN run r ON r.id = newest.id WHERE r.finished IS NOT NULL";
        self.latest(sql).await
    }

    async fn latest(&self, sql: &'static str) -> Result<BTreeMap<String, LatestRun>> {
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| {
                let run = LatestRun {
                    run: row.text(1)?,
                    state: row.word(2)?,
                    finished: row.time(3)?,
                    snapshot: row.opt_text(4)?,
                    items: row.unsigned(5)?,
                };
                Ok((row.text(0)?, run))
            })
            .collect()
    }

    /// Runs that ended since a time, counted by connector and state.
    pub async fn ended_since(&self, since: Timestamp) -> Result<Vec<EndedRuns>> {
        let sql = "SELECT lower(connector), state, count(*), CAST(sum(coalesce(requests, 0)) AS BIGINT) FROM run
            WHERE finished IS NOT NULL AND finished >= $1 GROUP BY lower(connector), state ORDER BY lower(connector), state";
        let rows = self.db.read(sql, args![since]).await?;
        rows.iter()
            .map(|row| {
                Ok(EndedRuns {
                    connector: row.text(0)?,
                    state: row.word(1)?,
                    runs: row.unsigned(2)?,
                    requests: row.unsigned(3)?,
                })
            })
            .collect()
    }

    /// What backups stored on each day (UTC) since a time, for all connectors or for these alone; days without any are left out.
    pub async fn growth(
        &self,
        since: Timestamp,
        connectors: Option<&[String]>,
    ) -> Result<Vec<(Timestamp, u64)>> {
        let mut values: Vec<Value> = args![since];
        let among = among(connectors, &mut values);
        let sql = format!(
            "SELECT finished / {DAY} * {DAY}, CAST(sum(coalesce(stored, 0)) AS BIGINT) FROM run
            WHERE finished IS NOT NULL AND finished >= $1 AND kind = 'backup'{among} GROUP BY finished / {DAY} * {DAY} ORDER BY 1"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter()
            .map(|row| Ok((row.time(0)?, row.unsigned(1)?)))
            .collect()
    }

    /// What backups put into each repository, by the repository's name: those of all connectors or of these alone.
    pub async fn put(&self, connectors: Option<&[String]>) -> Result<BTreeMap<String, Put>> {
        let mut values: Vec<Value> = args![];
        let among = among(connectors, &mut values);
        let sql = format!(
            "SELECT r.repository, CAST(sum(coalesce(r.received, 0)) AS BIGINT), CAST(sum(coalesce(r.stored, 0)) AS BIGINT),
                CAST(sum(CASE WHEN p.measured IS NULL OR r.finished > p.measured THEN coalesce(r.stored, 0) ELSE 0 END) AS BIGINT)
            FROM run r LEFT JOIN repository p ON p.key = lower(r.repository)
            WHERE r.finished IS NOT NULL AND r.kind = 'backup'{among} GROUP BY r.repository"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter()
            .map(|row| {
                let put = Put {
                    received: row.unsigned(1)?,
                    stored: row.unsigned(2)?,
                    since_measured: row.unsigned(3)?,
                };
                Ok((row.text(0)?, put))
            })
            .collect()
    }

    /// What syncs found and no policy took up.
    pub async fn unprotected_items(&self, most: u32) -> Result<Vec<Unprotected>> {
        let sql = "SELECT connector, kind, name FROM found_item WHERE added = 0 ORDER BY connector, kind, name LIMIT $1";
        let rows = self.db.read(sql, args![u64::from(most)]).await?;
        rows.iter()
            .map(|row| {
                Ok(Unprotected {
                    connector: row.text(0)?,
                    kind: row.text(1)?,
                    name: row.text(2)?,
                })
            })
            .collect()
    }

    /// Proposals that can still be decided.
    pub async fn waiting_proposals(&self, now: Timestamp) -> Result<u64> {
        let sql = "SELECT count(*) FROM proposal WHERE state = 'open' AND expires > $1";
        let row = self.db.read_one(sql, args![now]).await?;
        row.map_or(Ok(0), |row| row.unsigned(0))
    }
}

/// The condition for these connectors, whose names are in lower case.
fn among(connectors: Option<&[String]>, values: &mut Vec<Value>) -> String {
    let Some(names) = connectors else {
        return String::new();
    };
    if names.is_empty() {
        return " AND 1 = 0".to_owned();
    }
    let places: Vec<String> = names
        .iter()
        .map(|name| {
            values.push(name.into());
            format!("${}", values.len())
        })
        .collect();
    format!(" AND lower(connector) IN ({})", places.join(", "))
}
