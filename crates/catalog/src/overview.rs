//! How things stand, in a few statements that read indexes alone: whoever opens the first page waits for them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::RunState;

use crate::db::{Value, args, parse_word};
use crate::{Catalog, Result};

/// In microseconds, as times are.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The last backups of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestRuns {
    /// The last one that made a snapshot.
    pub good: Option<LatestRun>,
    /// How the last one ended that nobody canceled.
    pub ended: Option<RunState>,
}

/// A good backup, as far as the overview tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestRun {
    pub run: String,
    pub finished: Timestamp,
    /// When everything that it is for had been read, in it or before.
    pub whole: Timestamp,
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
}

/// Something that a sync found and no policy took up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprotected {
    pub connector: String,
    pub kind: String,
    pub name: String,
}

impl Catalog {
    /// The last backups of each connector, by its name in lower case. What a clock that was ahead dated after `now` is passed over.
    pub async fn latest_runs(&self, now: Timestamp) -> Result<BTreeMap<String, LatestRuns>> {
        // Joined to nothing, the name has no index: the one of names would look into every row, and the widest index looks into none.
        let sql = "SELECT n.connector, g.id, g.finished, g.whole, g.snapshot, coalesce(g.items, 0), e.state
            FROM (SELECT lower(connector || '') AS connector,
                    max(CASE WHEN state IN ('succeeded', 'succeeded_with_issues') THEN id END) AS good,
                    max(CASE WHEN state <> 'canceled' THEN id END) AS ended
                FROM run WHERE finished <= $1 AND kind = 'backup' GROUP BY lower(connector || '')) n
            LEFT JOIN run g ON g.id = n.good LEFT JOIN run e ON e.id = n.ended";
        let rows = self.db.read(sql, args![now]).await?;
        rows.iter()
            .map(|row| {
                let good = match (row.opt_text(1)?, row.opt_time(2)?, row.opt_time(3)?) {
                    (Some(run), Some(finished), Some(whole)) => Some(LatestRun {
                        run,
                        finished,
                        whole,
                        snapshot: row.opt_text(4)?,
                        items: row.unsigned(5)?,
                    }),
                    _ => None,
                };
                let ended = row.opt_text(6)?.map(|word| parse_word(&word));
                let ended = ended.transpose()?;
                Ok((row.text(0)?, LatestRuns { good, ended }))
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
            "SELECT repository, CAST(sum(coalesce(received, 0)) AS BIGINT), CAST(sum(coalesce(stored, 0)) AS BIGINT) FROM run
            WHERE finished IS NOT NULL AND kind = 'backup'{among} GROUP BY repository"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter()
            .map(|row| {
                let put = Put {
                    received: row.unsigned(1)?,
                    stored: row.unsigned(2)?,
                };
                Ok((row.text(0)?, put))
            })
            .collect()
    }

    /// What all backups put into each repository since it was measured, by the repository's name.
    pub async fn put_since_measured(&self) -> Result<BTreeMap<String, u64>> {
        let sql = "SELECT p.name, CAST(sum(coalesce(r.stored, 0)) AS BIGINT) FROM repository p JOIN run r ON r.repository = p.name
            WHERE r.finished IS NOT NULL AND r.finished > coalesce(p.measured, 0) AND r.kind = 'backup' GROUP BY p.name";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.unsigned(1)?)))
            .collect()
    }

    /// What syncs found and no policy took up.
    pub async fn unprotected_items(
        &self,
        connectors: Option<&[String]>,
        most: u32,
    ) -> Result<Vec<Unprotected>> {
        let mut values: Vec<Value> = args![u64::from(most)];
        let own = among(connectors, &mut values);
        let sql = format!(
            "SELECT connector, kind, name FROM found_item WHERE added = 0{own} ORDER BY connector, kind, name LIMIT $1"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
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
