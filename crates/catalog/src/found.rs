//! What syncs have found at the services: projects, repositories, users.

use jiff::Timestamp;

use crate::db::{Row, args};
use crate::{Catalog, Listed, Page, Result, page};

/// An item that a sync has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundItem {
    pub kind: String,
    /// In lower case.
    pub id: String,
    /// As a person calls it: `Payments/web`.
    pub name: String,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    /// It was there at the first sync, or came while new ones were added by themselves.
    pub added: bool,
}

/// How a connector's syncs stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncRow {
    /// Times of the schedule up to this one are dealt with.
    pub handled: Timestamp,
    /// The last one that succeeded.
    pub synced: Option<Timestamp>,
    pub error: Option<String>,
}

fn read(row: &Row) -> Result<FoundItem> {
    Ok(FoundItem {
        kind: row.text(0)?,
        id: row.text(1)?,
        name: row.text(2)?,
        first_seen: row.time(3)?,
        last_seen: row.time(4)?,
        added: row.flag(5)?,
    })
}

impl Catalog {
    /// Stores a complete listing of one kind. Items that are new get `added` as `add_new` says, all of them at the first listing; with
    /// `add_new` those that waited are added too. Answers the new ones.
    pub async fn store_found(
        &self,
        connector: &str,
        kind: &str,
        items: &[(String, String)],
        add_new: bool,
        now: Timestamp,
    ) -> Result<Vec<String>> {
        let key = connector.to_lowercase();
        let mut tx = self.db.begin().await?;
        let known = tx
            .rows(
                "SELECT id FROM found_item WHERE connector = $1 AND kind = $2",
                args![&key, kind],
            )
            .await?;
        let known: Vec<String> = known.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        let known: std::collections::HashSet<String> = known.into_iter().collect();
        let mut ids = std::collections::HashSet::new();
        let new: Vec<String> = items
            .iter()
            .map(|(id, _)| id.to_lowercase())
            .filter(|id| !known.contains(id) && ids.insert(id.clone()))
            .collect();
        let added = add_new || known.is_empty();
        for some in items.chunks(500) {
            let mut seen = std::collections::HashSet::new();
            let mut values = Vec::with_capacity(some.len() * 7);
            for (id, name) in some {
                let id = id.to_lowercase();
                if seen.insert(id.clone()) {
                    values.extend(args![&key, kind, id, name, now, now, added]);
                }
            }
            let head =
                "INSERT INTO found_item (connector, kind, id, name, first_seen, last_seen, added)";
            let tail = if add_new {
                "ON CONFLICT (connector, kind, id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen, added = 1"
            } else {
                "ON CONFLICT (connector, kind, id) DO UPDATE SET name = excluded.name, last_seen = excluded.last_seen"
            };
            tx.insert(head, 7, values, tail).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// What was found, by kind and id.
    pub async fn found(
        &self,
        connector: &str,
        kind: Option<&str>,
        page: &Page,
    ) -> Result<Listed<FoundItem>> {
        let (after_kind, after_id) = match page.position::<2>()? {
            Some([kind, id]) => (kind, id),
            None => (String::new(), String::new()),
        };
        let sql = "SELECT kind, id, name, first_seen, last_seen, added FROM found_item
            WHERE connector = $1 AND (kind = $2 OR $2 IS NULL) AND (kind > $3 OR (kind = $3 AND id > $4))
            ORDER BY kind, id LIMIT $5";
        let values = args![
            connector.to_lowercase(),
            kind,
            after_kind,
            after_id,
            page.limit() as u64 + 1
        ];
        let rows = self.db.read(sql, values).await?;
        let items = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(items, page.limit(), |item| {
            page::cursor(&[&item.kind, &item.id])
        }))
    }

    pub async fn sync_row(&self, connector: &str) -> Result<Option<SyncRow>> {
        let sql = "SELECT handled, synced, error FROM connector_sync WHERE connector = $1";
        let values = args![connector.to_lowercase()];
        let row = self.db.read_one(sql, values).await?;
        row.map(|row| {
            Ok(SyncRow {
                handled: row.time(0)?,
                synced: row.opt_time(1)?,
                error: row.opt_text(2)?,
            })
        })
        .transpose()
    }

    pub async fn set_sync_row(&self, connector: &str, row: &SyncRow) -> Result<()> {
        let sql = "INSERT INTO connector_sync (connector, handled, synced, error) VALUES ($1, $2, $3, $4)
            ON CONFLICT (connector) DO UPDATE SET handled = excluded.handled, synced = excluded.synced, error = excluded.error";
        let values = args![
            connector.to_lowercase(),
            row.handled,
            row.synced,
            row.error.as_deref()
        ];
        self.db.write(sql, values).await.map(drop)
    }
}
