//! Alarms that are raised, what they go by, and the facts that they come from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::Alarm;

use crate::db::{Row, Value, args, json};
use crate::{Catalog, Error, NewMessage, Result, outbox};

/// An alarm that is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    pub key: String,
    pub alarm: Alarm,
    pub raised: Timestamp,
    /// When it was found last.
    pub seen: Timestamp,
    pub acknowledged: Option<AlarmAcknowledgement>,
}

/// Somebody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmAcknowledgement {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

fn read(row: &Row) -> Result<AlarmRow> {
    let acknowledged = match row.opt_time(4)? {
        Some(at) => Some(AlarmAcknowledgement {
            at,
            by: row.text(5)?,
            reason: row.text(6)?,
        }),
        None => None,
    };
    Ok(AlarmRow {
        key: row.text(0)?,
        alarm: row.json(1)?,
        raised: row.time(2)?,
        seen: row.time(3)?,
        acknowledged,
    })
}

impl Catalog {
    /// All that are raised, the newest first. Each is about something that exists: there are few.
    pub async fn alarms(&self) -> Result<Vec<AlarmRow>> {
        let sql = "SELECT key, body, raised, seen, acknowledged, acknowledged_by, reason FROM alarm ORDER BY raised DESC, key";
        self.db.read(sql, args![]).await?.iter().map(read).collect()
    }

    pub async fn alarm(&self, key: &str) -> Result<AlarmRow> {
        let sql = "SELECT key, body, raised, seen, acknowledged, acknowledged_by, reason FROM alarm WHERE key = $1";
        let row = self.db.read_one(sql, args![key]).await?;
        row.as_ref().map_or_else(
            || {
                Err(Error::AlarmUnknown {
                    key: key.to_owned(),
                })
            },
            read,
        )
    }

    /// Raises it, or again because it got worse, and tells of it, in one step. `since` is when it was raised as far as the caller knows;
    /// nothing when another process was faster.
    pub async fn raise_alarm_anew(
        &self,
        alarm: &Alarm,
        since: Option<Timestamp>,
        messages: &[NewMessage],
        now: Timestamp,
    ) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let raised = if let Some(since) = since {
            let sql = "UPDATE alarm SET body = $2, raised = $3, seen = $3, acknowledged = NULL, acknowledged_by = NULL, reason = NULL
                WHERE key = $1 AND raised = $4";
            tx.execute(sql, args![alarm.key(), json(alarm)?, now, since])
                .await?
        } else {
            let sql = "INSERT INTO alarm (key, body, raised, seen) VALUES ($1, $2, $3, $3) ON CONFLICT (key) DO NOTHING";
            tx.execute(sql, args![alarm.key(), json(alarm)?, now])
                .await?
        };
        if raised == 1 {
            outbox::insert(&mut tx, messages, now).await?;
        }
        tx.commit().await
    }

    /// It was found again: it keeps its time and who acknowledged it.
    pub async fn alarm_stays(&self, alarm: &Alarm, now: Timestamp) -> Result<()> {
        let sql = "UPDATE alarm SET body = $2, seen = $3 WHERE key = $1";
        let values = args![alarm.key(), json(alarm)?, now];
        self.db.write(sql, values).await.map(drop)
    }

    /// It is over. An alarm of the same key is a new one.
    pub async fn clear_alarm(&self, key: &str) -> Result<()> {
        let sql = "DELETE FROM alarm WHERE key = $1";
        self.db.write(sql, args![key]).await.map(drop)
    }

    pub async fn acknowledge_alarm(&self, key: &str, made: &AlarmAcknowledgement) -> Result<()> {
        let sql =
            "UPDATE alarm SET acknowledged = $2, acknowledged_by = $3, reason = $4 WHERE key = $1";
        let values = args![key, made.at, &made.by, &made.reason];
        match self.db.write(sql, values).await? {
            0 => Err(Error::AlarmUnknown {
                key: key.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// What alarms go by (JSON), if a person has set it, and its version; 0 before that.
    pub async fn alarm_settings(&self) -> Result<(Option<String>, i64)> {
        let sql = "SELECT body, version FROM alarm_settings WHERE id = 1";
        match self.db.read_one(sql, args![]).await? {
            Some(row) => Ok((Some(row.text(0)?), row.int(1)?)),
            None => Ok((None, 0)),
        }
    }

    /// Replaces it, if it is still at `version`, and answers the next one; whatever is there without a version.
    pub async fn set_alarm_settings(&self, settings: &str, version: Option<i64>) -> Result<i64> {
        let sql = "INSERT INTO alarm_settings (id, body, version) VALUES (1, $1, 1)
            ON CONFLICT (id) DO UPDATE SET body = excluded.body, version = alarm_settings.version + 1
            WHERE alarm_settings.version = coalesce($2, alarm_settings.version) RETURNING version";
        let rows = self.db.write_rows(sql, args![settings, version]).await?;
        let changed = || Error::SettingsChanged {
            what: "what alarms go by".to_owned(),
        };
        rows.first().ok_or_else(changed)?.int(0)
    }

    /// When backups had last read everything of each connector, by its name in lower case. What a clock that was ahead dated after `now` is
    /// passed over.
    pub async fn last_good_backups(&self, now: Timestamp) -> Result<BTreeMap<String, Timestamp>> {
        let sql = "SELECT lower(connector), max(whole) FROM run WHERE whole <= $1 GROUP BY lower(connector)";
        self.times(sql, args![now]).await
    }

    /// When a snapshot of each repository was verified last, by the repository's id. What a clock that was ahead dated after `now` is passed over.
    pub async fn last_verifications(&self, now: Timestamp) -> Result<BTreeMap<String, Timestamp>> {
        let sql = "SELECT s.repository, max(v.verified) FROM verification v
            JOIN snapshot n ON n.id = v.snapshot JOIN source s ON s.id = n.source
            WHERE v.verified <= $1 GROUP BY s.repository";
        self.times(sql, args![now]).await
    }

    /// When each repository's oldest snapshot that is listed was taken, by the repository's id.
    pub async fn first_snapshots(&self) -> Result<BTreeMap<String, Timestamp>> {
        let sql = "SELECT s.repository, min(n.taken) FROM snapshot n JOIN source s ON s.id = n.source GROUP BY s.repository";
        self.times(sql, args![]).await
    }

    /// What a sync found of each connector and no policy took up, by the connector's name in lower case.
    pub async fn unprotected(&self) -> Result<BTreeMap<String, u64>> {
        let sql = "SELECT lower(connector), count(*) FROM found_item WHERE added = 0 GROUP BY lower(connector)";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.unsigned(1)?)))
            .collect()
    }

    async fn times(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<BTreeMap<String, Timestamp>> {
        let rows = self.db.read(sql, values).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.time(1)?)))
            .collect()
    }
}
