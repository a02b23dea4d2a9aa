//! The audit log: rows are only ever added, and each row's hash covers the row before it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::db::{Row, Value, args};
use crate::{Catalog, Listed, Page, Result, page};

/// What happened, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAudit {
    pub time: Timestamp,
    /// `person`, `token`, `local-administrator`, `worker`, `identity-provider`, or `nobody` for who did not get in.
    pub kind: String,
    pub actor: String,
    /// `connector.add`
    pub action: String,
    /// `connector/contoso`
    pub subject: String,
    /// `done`, `refused` or `failed`.
    pub outcome: String,
    /// A JSON document without secrets.
    pub details: String,
    pub address: Option<String>,
    /// The request's id, as logs have it.
    pub request: Option<String>,
}

/// A row of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub seq: u64,
    pub event: NewAudit,
    pub hash: String,
}

/// Which rows to list; `None` asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub actor: Option<String>,
    /// Whole, or with what follows a dot: `connector` finds `connector.add`.
    pub action: Option<String>,
    /// Whole, or with what follows a slash.
    pub subject: Option<String>,
    pub outcome: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only what somebody who does not reach everything may see.
    pub reach: Option<AuditReach>,
}

/// What somebody did, and what was done to some connectors, their runs and their restore plans.
#[derive(Clone, Debug, Default)]
pub struct AuditReach {
    pub actor: String,
    /// Names in lower case.
    pub connectors: BTreeSet<String>,
}

impl AuditReach {
    /// The condition; its values follow those that are there.
    fn condition(&self, values: &mut Vec<Value>) -> String {
        let mut parameter = |value: &str| {
            values.push(value.into());
            format!("${}", values.len())
        };
        let actor = parameter(&self.actor);
        let mut names: Vec<String> = self.connectors.iter().map(|one| parameter(one)).collect();
        // An empty list is no SQL.
        names.push("NULL".to_owned());
        let names = names.join(", ");
        format!(
            "AND (actor = {actor}
                OR (substr(subject, 1, 10) = 'connector/' AND lower(substr(subject, 11)) IN ({names}))
                OR (substr(subject, 1, 4) = 'run/' AND substr(subject, 5) IN (SELECT id FROM run WHERE lower(connector) IN ({names})))
                OR (substr(subject, 1, 13) = 'restore-plan/' AND substr(subject, 14) IN (SELECT id FROM plan WHERE lower(connector) IN ({names}))))"
        )
    }
}

/// What reading the whole log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditVerdict {
    pub rows: u64,
    /// The hash of the last row; whoever noted an earlier one elsewhere can prove that the log still begins with it.
    pub head: String,
    /// The first row that is not as it was written, and why.
    pub fault: Option<(u64, String)>,
}

fn read(row: &Row) -> Result<AuditRow> {
    Ok(AuditRow {
        seq: row.unsigned(0)?,
        event: NewAudit {
            time: row.time(1)?,
            kind: row.text(2)?,
            actor: row.text(3)?,
            action: row.text(4)?,
            subject: row.text(5)?,
            outcome: row.text(6)?,
            details: row.text(7)?,
            address: row.opt_text(8)?,
            request: row.opt_text(9)?,
        },
        hash: row.text(10)?,
    })
}

/// Every part with its length, so that no two rows read the same.
fn hash(before: &str, seq: u64, event: &NewAudit) -> String {
    let time = event.time.as_microsecond().to_string();
    let seq = seq.to_string();
    let parts = [
        Some(before),
        Some(&seq),
        Some(&time),
        Some(&event.kind),
        Some(&event.actor),
        Some(&event.action),
        Some(&event.subject),
        Some(&event.outcome),
        Some(&event.details),
        event.address.as_deref(),
        event.request.as_deref(),
    ];
    let mut hasher = Sha256::new();
    for part in parts {
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(part.unwrap_or_default());
    }
    hex::encode(hasher.finalize())
}

const COLUMNS: &str =
    "seq, time, kind, actor, action, subject, outcome, details, address, request, hash";

impl Catalog {
    /// Adds a row and answers with its number. Writers wait for each other, also those of other processes.
    pub async fn append_audit(&self, event: &NewAudit) -> Result<u64> {
        let mut tx = self.db.begin().await?;
        let head = "UPDATE audit_head SET seq = seq + 1 WHERE only_one = 1 RETURNING seq, hash";
        let head = tx.one(head, args![]).await?;
        let head = head.ok_or_else(|| crate::Error::damaged("the audit log has no head"))?;
        let (seq, before) = (head.unsigned(0)?, head.text(1)?);
        // Times are kept to the microsecond, and the hash must be that of what is kept.
        let hash = hash(&before, seq, event);
        let sql = "INSERT INTO audit (seq, time, kind, actor, action, subject, outcome, details, address, request, hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values = args![
            seq,
            event.time,
            &event.kind,
            &event.actor,
            &event.action,
            &event.subject,
            &event.outcome,
            &event.details,
            event.address.as_deref(),
            event.request.as_deref(),
            &hash,
        ];
        tx.execute(sql, values).await?;
        let sql = "UPDATE audit_head SET hash = $1 WHERE only_one = 1";
        tx.execute(sql, args![&hash]).await?;
        tx.commit().await?;
        Ok(seq)
    }

    /// The newest first.
    pub async fn audit(&self, filter: &AuditFilter, page: &Page) -> Result<Listed<AuditRow>> {
        let before = match page.position::<1>()? {
            Some([seq]) => seq.parse().map_err(|_| crate::Error::Cursor)?,
            None => i64::MAX,
        };
        let mut values = args![
            before,
            filter.actor.as_deref(),
            filter.action.as_deref(),
            filter.subject.as_deref(),
            filter.outcome.as_deref(),
            filter.since,
            filter.until,
            page.limit() as u64 + 1
        ];
        let reach = filter.reach.as_ref();
        let reach = reach.map_or_else(String::new, |reach| reach.condition(&mut values));
        let sql = format!(
            "SELECT {COLUMNS} FROM audit WHERE seq < $1
               AND (actor = $2 OR $2 IS NULL)
               AND (action = $3 OR substr(action, 1, length($3) + 1) = $3 || '.' OR $3 IS NULL)
               AND (subject = $4 OR substr(subject, 1, length($4) + 1) = $4 || '/' OR $4 IS NULL)
               AND (outcome = $5 OR $5 IS NULL)
               AND (time >= $6 OR $6 IS NULL) AND (time < $7 OR $7 IS NULL) {reach}
             ORDER BY seq DESC LIMIT $8"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(rows, page.limit(), |row| {
            page::cursor(&[&row.seq.to_string()])
        }))
    }

    /// Up to `limit` rows after one, in the order in which they were written.
    pub async fn audit_after(&self, seq: u64, limit: u32) -> Result<Vec<AuditRow>> {
        let sql = format!("SELECT {COLUMNS} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2");
        let values = args![seq, i64::from(limit)];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter().map(read).collect()
    }

    /// Reads the whole log and looks for rows that were changed, removed or moved. `anchor` is a row's number and hash that somebody noted
    /// elsewhere: against one who rewrites everything behind a row, nothing else helps.
    pub async fn verify_audit(&self, anchor: Option<(u64, &str)>) -> Result<AuditVerdict> {
        let head = "SELECT seq, hash FROM audit_head";
        let head = self.db.read_one(head, args![]).await?;
        let (last, last_hash) = head.map_or(Ok((0, String::new())), |row| {
            Ok::<_, crate::Error>((row.unsigned(0)?, row.text(1)?))
        })?;
        let mut verdict = AuditVerdict {
            rows: 0,
            head: String::new(),
            fault: None,
        };
        loop {
            let rows = self.audit_after(verdict.rows, 1000).await?;
            // Rows that came after the head was read are for the next time.
            let rows = rows
                .into_iter()
                .filter(|row| row.seq <= last)
                .collect::<Vec<_>>();
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let seq = verdict.rows + 1;
                let fault = if row.seq != seq {
                    Some("it is missing")
                } else if hash(&verdict.head, seq, &row.event) != row.hash {
                    Some("it, or the order, is not as it was written")
                } else if anchor.is_some_and(|(at, noted)| at == seq && noted != row.hash) {
                    Some("it is not the one that was noted")
                } else {
                    None
                };
                if let Some(fault) = fault {
                    verdict.fault = Some((seq, fault.to_owned()));
                    return Ok(verdict);
                }
                (verdict.rows, verdict.head) = (seq, row.hash);
            }
        }
        let ends = last.max(anchor.map_or(0, |(seq, _)| seq));
        if ends > verdict.rows || verdict.head != last_hash {
            verdict.fault = Some((verdict.rows + 1, "the log ends before it".to_owned()));
        }
        Ok(verdict)
    }
}
