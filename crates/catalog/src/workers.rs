//! Workers: that of this server, and those elsewhere with their tokens' hashes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::db::{Row, args, json};
use crate::{Catalog, Error, Result};

/// A worker as it showed itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    pub name: String,
    pub labels: BTreeSet<String>,
    /// Repositories on this worker's own storage, which others do not reach.
    pub storages: BTreeSet<String>,
    /// In a server's own process: it reaches every repository that none says to be its own.
    pub own: bool,
    pub created: Timestamp,
    pub seen: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT name, labels, storages, own, created, seen FROM worker";

fn read(row: &Row) -> Result<WorkerRow> {
    Ok(WorkerRow {
        name: row.text(0)?,
        labels: row.json(1)?,
        storages: row.json(2)?,
        own: row.flag(3)?,
        created: row.time(4)?,
        seen: row.opt_time(5)?,
    })
}

impl Catalog {
    /// All workers by name.
    pub async fn workers(&self) -> Result<Vec<WorkerRow>> {
        let sql = format!("{COLUMNS} ORDER BY key");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), args![]).await?;
        rows.iter().map(read).collect()
    }

    pub async fn worker(&self, name: &str) -> Result<WorkerRow> {
        let sql = format!("{COLUMNS} WHERE key = $1");
        let values = args![name.to_lowercase()];
        let row = self.db.read_one(sqlx::AssertSqlSafe(sql), values).await?;
        row.as_ref().map_or_else(
            || {
                Err(Error::WorkerUnknown {
                    name: name.to_owned(),
                })
            },
            read,
        )
    }

    /// A worker elsewhere, by the hash of its token; it has not shown itself yet.
    pub async fn add_worker(&self, name: &str, token_hash: &str, now: Timestamp) -> Result<()> {
        let sql = "INSERT INTO worker (key, name, labels, storages, own, token, created)
            VALUES ($1, $2, '[]', '[]', 0, $3, $4)";
        let values = args![name.to_lowercase(), name, token_hash, now];
        match self.db.write(sql, values).await {
            Err(error) if error.is_unique() => Err(Error::WorkerExists {
                name: name.to_owned(),
            }),
            other => other.map(drop),
        }
    }

    /// The worker of a token.
    pub async fn worker_of_token(&self, token_hash: &str) -> Result<Option<WorkerRow>> {
        let sql = format!("{COLUMNS} WHERE token = $1");
        let values = args![token_hash];
        // On the writer: a removed worker must be out at once.
        let rows = self.db.write_rows(sqlx::AssertSqlSafe(sql), values).await?;
        rows.first().map(read).transpose()
    }

    /// The worker in this process shows itself; it needs no token.
    pub async fn own_worker(
        &self,
        name: &str,
        labels: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "INSERT INTO worker (key, name, labels, storages, own, created, seen) VALUES ($1, $2, $3, '[]', 1, $4, $4)
            ON CONFLICT (key) DO UPDATE SET name = excluded.name, labels = excluded.labels, own = 1, token = NULL, seen = excluded.seen";
        let values = args![name.to_lowercase(), name, json(labels)?, now];
        self.db.write(sql, values).await.map(drop)
    }

    /// A worker elsewhere shows itself.
    pub async fn worker_seen(
        &self,
        name: &str,
        labels: &BTreeSet<String>,
        storages: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<()> {
        let sql = "UPDATE worker SET labels = $2, storages = $3, seen = $4 WHERE key = $1";
        let values = args![name.to_lowercase(), json(labels)?, json(storages)?, now];
        match self.db.write(sql, values).await? {
            0 => Err(Error::WorkerUnknown {
                name: name.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Its token is worth nothing from now on, and what it holds is somebody else's as soon as its lease ends.
    pub async fn remove_worker(&self, name: &str) -> Result<()> {
        let sql = "DELETE FROM worker WHERE key = $1";
        match self.db.write(sql, args![name.to_lowercase()]).await? {
            0 => Err(Error::WorkerUnknown {
                name: name.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Keeps a page of rows that a worker elsewhere sends for its snapshot; one that comes again replaces itself.
    pub async fn keep_rows(&self, job: &str, token: i64, page: u32, body: &str) -> Result<()> {
        let sql = "INSERT INTO job_rows (job, token, page, body) VALUES ($1, $2, $3, $4)
            ON CONFLICT (job, token, page) DO UPDATE SET body = excluded.body";
        let values = args![job, token, i64::from(page), body];
        self.db.write(sql, values).await.map(drop)
    }

    pub async fn kept_rows(&self, job: &str, token: i64, page: u32) -> Result<Option<String>> {
        let sql = "SELECT body FROM job_rows WHERE job = $1 AND token = $2 AND page = $3";
        let values = args![job, token, i64::from(page)];
        // Beside the transaction that lists the snapshot, which holds the one connection that writes.
        let row = self.db.read_one(sql, values).await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// Of all attempts of the job.
    pub async fn drop_rows(&self, job: &str) -> Result<()> {
        let sql = "DELETE FROM job_rows WHERE job = $1";
        self.db.write(sql, args![job]).await.map(drop)
    }
}
