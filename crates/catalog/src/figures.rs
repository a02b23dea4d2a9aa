//! Figures for those who watch the server, counted when they ask.

use jiff::Timestamp;
use model::SourceId;

use crate::db::args;
use crate::{Catalog, Result};

/// How things stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Connector and policy with the end of their last good backup.
    pub last_success: Vec<(String, Option<String>, Timestamp)>,
    /// State and kind of runs, with their number.
    pub runs: Vec<(String, String, u64)>,
    /// States of jobs that have not ended, with their number.
    pub jobs: Vec<(String, u64)>,
    /// Credentials with the end of their validity, where it is known.
    pub expiry: Vec<(String, Timestamp)>,
    /// Repositories with the last check of each, and what it found.
    pub checked: Vec<(String, Timestamp, u64)>,
    /// Sources and their names, with the last verification of a snapshot of each.
    pub verified: Vec<(SourceId, String, Timestamp)>,
    /// Names of workers, with their last sign of life.
    pub workers: Vec<(String, Timestamp)>,
}

impl Catalog {
    pub async fn figures(&self) -> Result<Figures> {
        let last_success = self.last_success().await?;
        let read = |sql| self.db.read(sql, args![]);
        let runs =
            read("SELECT state, kind, count(*) FROM run GROUP BY state, kind ORDER BY state, kind")
                .await?;
        let jobs = read(
            "SELECT state, count(*) FROM job WHERE state IN ('queued', 'leased') GROUP BY state ORDER BY state",
        )
        .await?;
        let expiry =
            read("SELECT name, expires FROM credential WHERE expires IS NOT NULL ORDER BY key")
                .await?;
        let checked = read(
            "SELECT name, checked, coalesce(problems, 0) FROM repository WHERE checked IS NOT NULL ORDER BY key",
        )
        .await?;
        let verified = read(
            "SELECT source.service, source.address, max(source.name), max(verification.verified) FROM verification
            JOIN snapshot ON snapshot.id = verification.snapshot JOIN source ON source.id = snapshot.source
            GROUP BY source.service, source.address ORDER BY source.service, source.address",
        )
        .await?;
        let workers =
            read("SELECT name, seen FROM worker WHERE seen IS NOT NULL ORDER BY key").await?;
        Ok(Figures {
            last_success,
            runs: runs
                .iter()
                .map(|row| Ok((row.text(0)?, row.text(1)?, row.unsigned(2)?)))
                .collect::<Result<_>>()?,
            jobs: jobs
                .iter()
                .map(|row| Ok((row.text(0)?, row.unsigned(1)?)))
                .collect::<Result<_>>()?,
            expiry: expiry
                .iter()
                .map(|row| Ok((row.text(0)?, row.time(1)?)))
                .collect::<Result<_>>()?,
            checked: checked
                .iter()
                .map(|row| Ok((row.text(0)?, row.time(1)?, row.unsigned(2)?)))
                .collect::<Result<_>>()?,
            verified: verified
                .iter()
                .map(|row| {
                    let (service, address) = (row.text(0)?, row.text(1)?);
                    Ok((SourceId { service, address }, row.text(2)?, row.time(3)?))
                })
                .collect::<Result<_>>()?,
            workers: workers
                .iter()
                .map(|row| Ok((row.text(0)?, row.time(1)?)))
                .collect::<Result<_>>()?,
        })
    }

    async fn last_success(&self) -> Result<Vec<(String, Option<String>, Timestamp)>> {
        let sql = "SELECT connector, policy, max(whole) FROM run WHERE whole IS NOT NULL
            GROUP BY connector, policy ORDER BY connector, policy";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.opt_text(1)?, row.time(2)?)))
            .collect()
    }
}
