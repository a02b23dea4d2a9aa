//! How many items of each kind and project a snapshot holds: counted once, and from there on by what changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::db::{Value, args, json};
use crate::{Catalog, Error, KnownSnapshot, Result};

/// Items of a kind in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectCount {
    pub kind: String,
    /// Its id or name in lower case, as the documents say it; empty for what belongs to no project.
    pub project: String,
    pub items: u64,
}

type Counts = BTreeMap<(String, String), i64>;

/// Versions by kind and project; a condition on `v` follows.
const COUNT: &str =
    "SELECT s.kind, CASE WHEN s.scope = '' THEN coalesce(t.project, '') ELSE s.scope END AS project, count(*)
     FROM section s JOIN item_version v ON v.section = s.id LEFT JOIN item_text t ON t.id = v.text
     WHERE s.source = (SELECT source FROM snapshot WHERE id = $1) AND ";

const GROUP: &str = " GROUP BY 1, 2";

/// Versions of the snapshot `$2` that are not in `$3`, which comes later.
const LEFT: &str =
    "v.gone_seq IS NOT NULL AND v.gone_seq > $2 AND v.gone_seq <= $3 AND v.first_seq <= $2";

/// Versions of the snapshot `$3` that are not in `$2`, which comes earlier. `first_seq > 1` lets the partial index be used.
const CAME: &str = "v.first_seq > 1 AND v.first_seq > $2 AND v.first_seq <= $3
    AND (v.gone_seq IS NULL OR v.gone_seq > $3)";

impl Catalog {
    /// Sorted by kind and project.
    pub async fn project_counts(&self, snapshot: &KnownSnapshot) -> Result<Vec<ProjectCount>> {
        let sql = "SELECT seq, projects FROM snapshot
            WHERE source = (SELECT source FROM snapshot WHERE id = $1) AND projects IS NOT NULL
            ORDER BY abs(seq - $2), seq LIMIT 1";
        let values = args![&snapshot.id, snapshot.seq];
        let known = self.db.read_one(sql, values).await?;
        let counts = match known {
            Some(row) if row.int(0)? == snapshot.seq => return row.json(1),
            Some(row) => {
                let known: Vec<ProjectCount> = row.json(1)?;
                self.moved(snapshot, row.int(0)?, known).await?
            }
            None => {
                let held = "v.first_seq <= $2 AND (v.gone_seq IS NULL OR v.gone_seq > $2)";
                self.count(held, args![&snapshot.id, snapshot.seq]).await?
            }
        };
        let counts: Vec<ProjectCount> = counts
            .into_iter()
            .filter(|(_, items)| *items > 0)
            .map(|((kind, project), items)| ProjectCount {
                kind,
                project,
                items: items.cast_unsigned(),
            })
            .collect();
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE snapshot SET projects = $2 WHERE id = $1";
        tx.execute(sql, args![&snapshot.id, json(&counts)?]).await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// The counts of a snapshot, from those of another one.
    async fn moved(
        &self,
        snapshot: &KnownSnapshot,
        known: i64,
        counts: Vec<ProjectCount>,
    ) -> Result<Counts> {
        let (low, high) = (known.min(snapshot.seq), known.max(snapshot.seq));
        // Back in time, what came is what goes.
        let sign = if known < snapshot.seq { 1 } else { -1 };
        let mut all: Counts = counts
            .into_iter()
            .map(|count| ((count.kind, count.project), count.items.cast_signed()))
            .collect();
        for (condition, sign) in [(LEFT, -sign), (CAME, sign)] {
            let values = args![&snapshot.id, low, high];
            for (of, items) in self.count(condition, values).await? {
                *all.entry(of).or_default() += sign * items;
            }
        }
        if all.values().any(|items| *items < 0) {
            return Err(Error::damaged("the counts of a snapshot"));
        }
        Ok(all)
    }

    async fn count(&self, condition: &str, values: Vec<Value>) -> Result<Counts> {
        let sql = format!("{COUNT}{condition}{GROUP}");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let mut counts = Counts::new();
        for row in &rows {
            let of = (row.text(0)?, row.text(1)?.to_lowercase());
            *counts.entry(of).or_default() += row.int(2)?;
        }
        Ok(counts)
    }
}
