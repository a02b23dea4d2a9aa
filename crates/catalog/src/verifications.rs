//! When snapshots were verified, and what that came to.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::db::{Row, args};
use crate::snapshots::KnownSnapshot;
use crate::{Catalog, Result};

/// The last verification of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    pub time: Timestamp,
    pub damage: u64,
    pub doubts: u64,
    /// Of a restore into the simulator; `None` when there was none.
    pub differences: Option<u64>,
    /// Who asked for it: a person, `schedule`, `command`.
    pub by: String,
}

impl Verification {
    /// Nothing was found that a person has to look at.
    pub fn is_clean(&self) -> bool {
        self.damage == 0 && self.doubts == 0 && self.differences.unwrap_or(0) == 0
    }
}

impl Catalog {
    /// Remembers it in place of an earlier one of the same snapshot, whose id need not be listed here.
    pub async fn set_verification(&self, snapshot: &str, made: &Verification) -> Result<()> {
        let sql = "INSERT INTO verification (snapshot, verified, damage, doubts, differences, by_whom)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (snapshot) DO UPDATE SET verified = excluded.verified,
                damage = excluded.damage, doubts = excluded.doubts, differences = excluded.differences,
                by_whom = excluded.by_whom";
        let differences = made
            .differences
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        let values = args![
            snapshot,
            made.time,
            made.damage,
            made.doubts,
            differences,
            &made.by
        ];
        self.db.write(sql, values).await.map(drop)
    }

    /// All of them by the snapshot's id.
    pub async fn verifications(&self) -> Result<BTreeMap<String, Verification>> {
        let sql =
            "SELECT snapshot, verified, damage, doubts, differences, by_whom FROM verification";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, read(row)?)))
            .collect()
    }

    /// The last verifications of these snapshots, by their ids.
    pub async fn verifications_of(
        &self,
        snapshots: &[&str],
    ) -> Result<BTreeMap<String, Verification>> {
        if snapshots.is_empty() {
            return Ok(BTreeMap::new());
        }
        let places: Vec<String> = (1..=snapshots.len())
            .map(|number| format!("${number}"))
            .collect();
        let sql = format!(
            "SELECT snapshot, verified, damage, doubts, differences, by_whom FROM verification WHERE snapshot IN ({})",
            places.join(", ")
        );
        let values = snapshots.iter().map(|id| (*id).into()).collect();
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, read(row)?)))
            .collect()
    }

    /// Snapshots that are listed and in which the last verification found damage.
    pub async fn damaged_snapshots(&self) -> Result<Vec<KnownSnapshot>> {
        let sql = format!(
            "SELECT {} FROM verification v JOIN snapshot n ON n.id = v.snapshot JOIN source s ON s.id = n.source
            WHERE v.damage > 0 ORDER BY n.taken DESC, n.id",
            KnownSnapshot::COLUMNS
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), args![]).await?;
        rows.iter().map(KnownSnapshot::read).collect()
    }
}

fn read(row: &Row) -> Result<Verification> {
    Ok(Verification {
        time: row.time(1)?,
        damage: row.unsigned(2)?,
        doubts: row.unsigned(3)?,
        differences: row.opt_int(4)?.map(i64::cast_unsigned),
        by: row.text(5)?,
    })
}
