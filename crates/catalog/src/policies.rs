//! Policies, and how far the clock has come for each.

use jiff::Timestamp;
use model::Policy;

use crate::db::{Row, Value, args, json};
use crate::{Catalog, Error, QueuedRun, Result};

/// A policy as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    pub policy: Policy,
    /// Grows with each change.
    pub version: i64,
    pub updated: Timestamp,
    /// Times of its schedule up to this one are dealt with; 1970 until the scheduler has seen it.
    pub handled: Timestamp,
    /// When its schedule made a run last.
    pub fired: Option<Timestamp>,
}

fn read(row: &Row) -> Result<PolicyRow> {
    Ok(PolicyRow {
        policy: row.json(0)?,
        version: row.int(1)?,
        updated: row.time(2)?,
        handled: row.time(3)?,
        fired: row.opt_time(4)?,
    })
}

fn unknown(name: &str) -> Error {
    Error::PolicyUnknown {
        name: name.to_owned(),
    }
}

pub(crate) fn taken(policy: &Policy) -> Error {
    Error::PolicyExists {
        name: policy.name.clone(),
    }
}

/// The statement that adds a policy.
pub(crate) fn insertion(policy: &Policy, now: Timestamp) -> Result<(&'static str, Vec<Value>)> {
    let sql = "INSERT INTO policy (key, name, enabled, body, version, updated, handled)
        VALUES ($1, $2, $3, $4, 1, $5, $5)";
    let values = args![
        policy.name.to_lowercase(),
        &policy.name,
        policy.enabled,
        json(policy)?,
        now
    ];
    Ok((sql, values))
}

impl Catalog {
    /// All policies by name. There are few: they are not paged here.
    pub async fn policies(&self) -> Result<Vec<PolicyRow>> {
        let sql = "SELECT body, version, updated, handled, fired FROM policy ORDER BY key";
        self.db.read(sql, args![]).await?.iter().map(read).collect()
    }

    /// The policy of this name, without regard to case.
    pub async fn policy(&self, name: &str) -> Result<PolicyRow> {
        let sql = "SELECT body, version, updated, handled, fired FROM policy WHERE key = $1";
        let row = self.db.read_one(sql, args![name.to_lowercase()]).await?;
        row.as_ref().map_or_else(|| Err(unknown(name)), read)
    }

    /// Its schedule counts from `now` on.
    pub async fn add_policy(&self, policy: &Policy, now: Timestamp) -> Result<()> {
        let (sql, values) = insertion(policy, now)?;
        match self.write_ruling(sql, values).await {
            Err(error) if error.is_unique() => Err(taken(policy)),
            other => other.map(drop),
        }
    }

    /// Replaces the policy of this name, if it is still at `version`; its name may change. Another schedule, and one that is switched on
    /// again, count from `now` on.
    pub async fn replace_policy(
        &self,
        name: &str,
        version: i64,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<()> {
        let before = self.policy(name).await?;
        let anew = before.policy.schedule != policy.schedule
            || before.policy.name != policy.name
            || (policy.enabled && !before.policy.enabled);
        let sql = "UPDATE policy SET key = $3, name = $4, enabled = $5, body = $6, version = version + 1, updated = $7,
                handled = CASE WHEN $8 = 1 THEN $7 ELSE handled END
            WHERE key = $1 AND version = $2";
        let values = args![
            name.to_lowercase(),
            version,
            policy.name.to_lowercase(),
            &policy.name,
            policy.enabled,
            json(policy)?,
            now,
            anew,
        ];
        match self.write_ruling(sql, values).await {
            Ok(0) => Err(Error::PolicyChanged {
                name: name.to_owned(),
            }),
            Ok(_) => Ok(()),
            Err(error) if error.is_unique() => Err(taken(policy)),
            Err(error) => Err(error),
        }
    }

    /// Its runs stay, and so do its snapshots.
    pub async fn remove_policy(&self, name: &str) -> Result<()> {
        let sql = "DELETE FROM policy WHERE key = $1";
        match self.write_ruling(sql, args![name.to_lowercase()]).await? {
            0 => Err(unknown(name)),
            _ => Ok(()),
        }
    }

    /// Deals with the times of a policy's schedule up to `handled`, and queues the runs for them, all or nothing. `false` when somebody
    /// else was faster: of several schedulers one fires.
    pub async fn fire_policy(
        &self,
        before: &PolicyRow,
        handled: Timestamp,
        runs: &[QueuedRun],
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let fired = runs.iter().map(|queued| queued.run.created).max();
        let sql = "UPDATE policy SET handled = $4, fired = CASE WHEN $5 = 1 THEN $6 ELSE fired END
            WHERE key = $1 AND version = $2 AND handled = $3";
        let values = args![
            before.policy.name.to_lowercase(),
            before.version,
            before.handled,
            handled,
            fired.is_some(),
            fired,
        ];
        if tx.execute(sql, values).await? == 0 {
            return Ok(false);
        }
        for queued in runs {
            Self::queue_in(&mut tx, queued).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}
