//! Users, groups and sites of tenants, and which of them are protected.

use jiff::Timestamp;
use model::directory::{Entry, EntryKind, KnownEntry, Licensing, Nature};

use crate::db::{Row, args, word};
use crate::{Catalog, Listed, Page, Result, page};

/// Rows in one statement.
const BATCH: usize = 200;
const COLUMNS: &str =
    "id, name, address, nature, enabled, decided, waiting, first_seen, last_seen, folded";

/// What a complete listing changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryChange {
    pub listed: u64,
    pub new: u64,
    pub gone: u64,
}

/// A number of entries that stand alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryCount {
    pub nature: Nature,
    pub decided: Option<bool>,
    pub waiting: bool,
    pub count: u64,
}

fn read(row: &Row) -> Result<KnownEntry> {
    Ok(KnownEntry {
        entry: Entry {
            id: row.text(0)?,
            name: row.text(1)?,
            address: row.opt_text(2)?,
            nature: row.word(3)?,
            enabled: row.flag(4)?,
        },
        decided: row.opt_int(5)?.map(|decided| decided != 0),
        waiting: row.flag(6)?,
        first_seen: row.time(7)?,
        last_seen: row.time(8)?,
    })
}

fn folded(entry: &Entry) -> String {
    let address = entry.address.as_deref().unwrap_or_default();
    format!("{} {address}", entry.name).to_lowercase()
}

impl Catalog {
    /// Who decides which users of a connector are protected.
    pub async fn licensing(&self, connector: &str) -> Result<Licensing> {
        let sql = "SELECT licensing FROM tenant WHERE connector = $1";
        let row = self
            .db
            .read_one(sql, args![connector.to_lowercase()])
            .await?;
        row.map_or_else(|| Ok(Licensing::default()), |row| row.word(0))
    }

    pub async fn set_licensing(&self, connector: &str, licensing: Licensing) -> Result<()> {
        let sql = "INSERT INTO tenant (connector, licensing) VALUES ($1, $2)
            ON CONFLICT (connector) DO UPDATE SET licensing = excluded.licensing";
        self.db
            .write(sql, args![connector.to_lowercase(), word(&licensing)?])
            .await?;
        Ok(())
    }

    /// Stores a complete listing of one kind. What is new waits for a person unless `add_new`; at the first listing nothing waits.
    pub async fn store_directory(
        &self,
        connector: &str,
        kind: EntryKind,
        entries: &[Entry],
        add_new: bool,
        now: Timestamp,
    ) -> Result<DirectoryChange> {
        let key = connector.to_lowercase();
        let kind = word(&kind)?;
        let mut tx = self.db.begin().await?;
        let count = "SELECT count(*) FROM directory_entry WHERE connector = $1 AND kind = $2";
        let before = tx.one(count, args![&key, &kind]).await?;
        let before = before.map_or(Ok(0), |row| row.unsigned(0))?;
        let waiting = !add_new && before > 0;
        let head = "INSERT INTO directory_entry (connector, kind, id, name, folded, address, nature, enabled, waiting, first_seen, last_seen)";
        let tail = "ON CONFLICT (connector, kind, id) DO UPDATE SET name = excluded.name, folded = excluded.folded,
            address = excluded.address, nature = excluded.nature, enabled = excluded.enabled, last_seen = excluded.last_seen, gone = NULL";
        // A listing may give an entry twice, and one statement may not.
        let mut seen = std::collections::HashSet::new();
        for some in entries.chunks(BATCH) {
            let mut values = Vec::with_capacity(some.len() * 11);
            for entry in some {
                if seen.insert(entry.id.as_str()) {
                    values.extend(args![
                        &key,
                        &kind,
                        &entry.id,
                        &entry.name,
                        folded(entry),
                        entry.address.as_deref(),
                        word(&entry.nature)?,
                        entry.enabled,
                        waiting,
                        now,
                        now,
                    ]);
                }
            }
            tx.insert(head, 11, values, tail).await?;
        }
        let gone = "UPDATE directory_entry SET gone = $1 WHERE connector = $2 AND kind = $3 AND last_seen < $4 AND gone IS NULL";
        let gone = tx.execute(gone, args![now, &key, &kind, now]).await?;
        let after = tx.one(count, args![&key, &kind]).await?;
        let after = after.map_or(Ok(0), |row| row.unsigned(0))?;
        tx.commit().await?;
        Ok(DirectoryChange {
            listed: seen.len() as u64,
            new: after - before,
            gone,
        })
    }

    /// What the service still lists, by name; `search` is a part of the name or address.
    pub async fn directory(
        &self,
        connector: &str,
        kind: EntryKind,
        search: &str,
        page: &Page,
    ) -> Result<Listed<KnownEntry>> {
        let limit = page.limit();
        let [name, id] = page.position::<2>()?.unwrap_or_default();
        let escaped = search
            .to_lowercase()
            .replace('\\', "\\\\")
            .replace('%', "\\%")
            .replace('_', "\\_");
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_entry WHERE connector = $1 AND kind = $2 AND gone IS NULL
             AND (folded > $3 OR (folded = $4 AND id > $5)) AND folded LIKE $6 ESCAPE '\\' ORDER BY folded, id LIMIT $7"
        );
        let values = args![
            connector.to_lowercase(),
            word(&kind)?,
            &name,
            &name,
            &id,
            format!("%{escaped}%"),
            limit as u64 + 1,
        ];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let items: Vec<KnownEntry> = rows.iter().map(read).collect::<Result<_>>()?;
        Ok(Listed::cut(items, limit, |last| {
            page::cursor(&[&folded(&last.entry), &last.entry.id])
        }))
    }

    /// The ids of what was there at a moment, also of what the service no longer lists.
    pub async fn directory_ids(
        &self,
        connector: &str,
        kind: EntryKind,
        at: Timestamp,
    ) -> Result<Vec<String>> {
        let sql = "SELECT id FROM directory_entry WHERE connector = $1 AND kind = $2 AND first_seen <= $3 ORDER BY id";
        let values = args![connector.to_lowercase(), word(&kind)?, at];
        let rows = self.db.read(sql, values).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// An entry by its id; also one that the service no longer lists.
    pub async fn directory_entry(
        &self,
        connector: &str,
        kind: EntryKind,
        id: &str,
    ) -> Result<Option<KnownEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM directory_entry WHERE connector = $1 AND kind = $2 AND id = $3"
        );
        let values = args![connector.to_lowercase(), word(&kind)?, id];
        let row = self.db.read_one(sqlx::AssertSqlSafe(sql), values).await?;
        row.as_ref().map(read).transpose()
    }

    /// Notes a person's decision, or leaves it to the rule again; answers whether there is such an entry.
    pub async fn decide_entry(
        &self,
        connector: &str,
        kind: EntryKind,
        id: &str,
        decided: Option<bool>,
    ) -> Result<bool> {
        let sql = "UPDATE directory_entry SET decided = $1, waiting = 0 WHERE connector = $2 AND kind = $3 AND id = $4";
        let values = args![
            decided.map(i64::from),
            connector.to_lowercase(),
            word(&kind)?,
            id
        ];
        Ok(self.db.write(sql, values).await? > 0)
    }

    /// How many entries stand how, of those that the service lists.
    pub async fn directory_counts(
        &self,
        connector: &str,
        kind: EntryKind,
    ) -> Result<Vec<DirectoryCount>> {
        let sql = "SELECT nature, decided, waiting, count(*) FROM directory_entry
            WHERE connector = $1 AND kind = $2 AND gone IS NULL GROUP BY nature, decided, waiting ORDER BY nature";
        let values = args![connector.to_lowercase(), word(&kind)?];
        let rows = self.db.read(sql, values).await?;
        let count = |row: &Row| {
            Ok(DirectoryCount {
                nature: row.word(0)?,
                decided: row.opt_int(1)?.map(|decided| decided != 0),
                waiting: row.flag(2)?,
                count: row.unsigned(3)?,
            })
        };
        rows.iter().map(count).collect()
    }
}
