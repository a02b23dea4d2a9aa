//! Adding a snapshot: its row and its changes, all or nothing.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use super::text::{self, Known, NewText};
use crate::db::{Tx, Value, args, json};
use crate::dialect::{Dialect, MANY_ROWS};
use crate::{Catalog, Change, Error, IndexChange, ItemState, Result, SnapshotRow, SourceKey};

const COLUMNS: usize = 11;
const HEAD: &str = "INSERT INTO item_version
    (section, item, first_seq, text, name, folded, path, digest, size, modified, binned)";
/// The place of `text` among them: it is known only when a batch is stored.
const TEXT: usize = 3;
/// Rows in one statement: more gains nothing.
const BATCH: usize = 200;
/// So many bytes of text end a batch early.
const MOST_TEXT: usize = 2 << 20;

/// Takes the changes of one snapshot. The database is not written by others meanwhile (SQLite), so feed it swiftly; dropped
/// without [`SnapshotWriter::commit`] it leaves nothing behind.
pub struct SnapshotWriter {
    tx: Tx,
    /// Told when it is there.
    listed: Arc<Notify>,
    dialect: &'static Dialect,
    source: i64,
    seq: i64,
    snapshot: String,
    mode: Mode,
    sections: HashMap<String, HashMap<String, i64>>,
    /// Rows to insert, and how many there were in all.
    added: Vec<Value>,
    rows: u64,
    /// Their texts, and the bytes of these.
    texts: Vec<NewText>,
    text_bytes: usize,
    /// Items whose current version ends.
    ended: Vec<Value>,
    /// Items that are not in this snapshot.
    removed: Vec<Value>,
    statement: Option<Arc<str>>,
}

/// How the rows relate to what the index holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The snapshot is known: its rows are too.
    Known,
    /// Nothing is there yet.
    First,
    /// The difference to the newest snapshot.
    Next,
    /// The difference to something else: what that makes of the newest snapshot is found out in the end.
    Settle,
}

impl Catalog {
    /// Remembers a snapshot and what changed in it, in one transaction; answers its sequence number. One that is known
    /// already keeps its number and its rows.
    pub async fn add_snapshot(
        &self,
        row: &SnapshotRow,
        rows: impl IntoIterator<Item = IndexChange, IntoIter: Send> + Send,
    ) -> Result<i64> {
        let mut writer = self.begin_snapshot(row).await?;
        for change in rows {
            writer.push(change).await?;
        }
        writer.commit().await
    }

    /// As [`Catalog::add_snapshot`], for rows that come one after the other.
    pub async fn begin_snapshot(&self, row: &SnapshotRow) -> Result<SnapshotWriter> {
        let mut tx = self.db.begin().await?;
        let source = source_id(&mut tx, &row.source, &row.name).await?;
        let newest = tx
            .one(
                "SELECT seq, id FROM snapshot WHERE source = $1 ORDER BY seq DESC LIMIT 1",
                args![source],
            )
            .await?
            .map(|row| Ok::<_, Error>((row.int(0)?, row.text(1)?)))
            .transpose()?;
        let known = tx
            .one("SELECT seq FROM snapshot WHERE id = $1", args![&row.id])
            .await?;
        let (mode, seq) = match (&known, &newest, &row.parent) {
            (Some(known), ..) => (Mode::Known, known.int(0)?),
            (None, None, None) => (Mode::First, 1),
            // The difference to what is not here: taken for the whole, it would pass for a small snapshot.
            (None, None, Some(parent)) => {
                return Err(Error::SnapshotUnknown { id: parent.clone() });
            }
            (None, Some((seq, id)), Some(parent)) if parent == id => (Mode::Next, seq + 1),
            (None, Some((seq, _)), _) => (Mode::Settle, seq + 1),
        };
        if mode == Mode::Settle {
            super::settle::rebase(&mut tx, source, seq, row.parent.as_deref()).await?;
        }
        if mode != Mode::Known {
            insert_snapshot(&mut tx, source, seq, row).await?;
        }
        Ok(SnapshotWriter {
            sections: sections(&mut tx, source).await?,
            tx,
            listed: Arc::clone(&self.texts),
            dialect: self.db.dialect(),
            source,
            seq,
            snapshot: row.id.clone(),
            mode,
            added: Vec::new(),
            rows: 0,
            texts: Vec::new(),
            text_bytes: 0,
            ended: Vec::new(),
            removed: Vec::new(),
            statement: None,
        })
    }
}

/// The source's number; its row stays locked, so that two snapshots of one source follow each other.
async fn source_id(tx: &mut Tx, source: &SourceKey, name: &str) -> Result<i64> {
    let sql = "INSERT INTO source (repository, service, address, name) VALUES ($1, $2, $3, $4)
        ON CONFLICT (repository, service, address) DO UPDATE SET name = excluded.name RETURNING id";
    let row = tx
        .one(
            sql,
            args![
                &source.repository,
                &source.id.service,
                &source.id.address,
                name
            ],
        )
        .await?;
    row.map_or_else(
        || Err(Error::damaged("a source without a number")),
        |row| row.int(0),
    )
}

async fn sections(tx: &mut Tx, source: i64) -> Result<HashMap<String, HashMap<String, i64>>> {
    let mut sections: HashMap<String, HashMap<String, i64>> = HashMap::new();
    for row in tx
        .rows(
            "SELECT kind, scope, id FROM section WHERE source = $1",
            args![source],
        )
        .await?
    {
        sections
            .entry(row.text(0)?)
            .or_default()
            .insert(row.text(1)?, row.int(2)?);
    }
    Ok(sections)
}

async fn insert_snapshot(tx: &mut Tx, source: i64, seq: i64, row: &SnapshotRow) -> Result<()> {
    let sql =
        "INSERT INTO snapshot (id, source, seq, taken, run, tree, parent, counts, source_file)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let values = args![
        &row.id,
        source,
        seq,
        row.time,
        &row.run,
        &row.tree,
        row.parent.as_deref(),
        json(&row.counts)?,
        &row.source_file
    ];
    tx.execute(sql, values).await.map(drop)
}

impl SnapshotWriter {
    pub async fn push(&mut self, change: IndexChange) -> Result<()> {
        if self.mode == Mode::Known {
            return Ok(());
        }
        let section = self.section(&change.item.kind, &change.item.scope).await?;
        if self.mode != Mode::First {
            self.ended.extend(args![section, &change.item.id]);
        }
        if change.change == Change::Removed {
            self.removed.extend(args![section, change.item.id]);
        } else {
            let folded = (!change.name.is_ascii()).then(|| change.name.to_lowercase());
            let project = change.project.to_lowercase();
            self.text_bytes += change.text.len();
            self.texts.push(NewText {
                section,
                item: change.item.id.clone(),
                hash: text::hash(&change.name, &project, &change.text),
                project,
                body: change.text,
            });
            self.added.reserve(BATCH * COLUMNS);
            self.added.extend(args![
                section,
                change.item.id,
                self.seq,
                None::<i64>,
                change.name,
                folded,
                change.path,
                change.digest,
                change.size,
                change.modified,
                change.state == ItemState::Binned,
            ]);
        }
        let is_full = self.added.len() == BATCH * COLUMNS || self.text_bytes >= MOST_TEXT;
        if is_full || self.ended.len() == 2 * BATCH {
            self.flush().await?;
        }
        Ok(())
    }

    /// Stores what is left; answers the snapshot's sequence number.
    pub async fn commit(mut self) -> Result<i64> {
        self.flush().await?;
        if self.mode == Mode::Settle {
            super::settle::merge(&mut self.tx, &self.dialect.search, self.source, self.seq).await?;
        }
        if let Some(sql) = self.dialect.analyze.filter(|_| self.rows >= MANY_ROWS) {
            self.tx.execute(sql, args![]).await?;
        }
        self.tx.commit().await?;
        self.listed.notify_one();
        Ok(self.seq)
    }

    async fn section(&mut self, kind: &str, scope: &str) -> Result<i64> {
        if let Some(id) = self.sections.get(kind).and_then(|scopes| scopes.get(scope)) {
            return Ok(*id);
        }
        let sql = "INSERT INTO section (source, kind, scope) VALUES ($1, $2, $3) RETURNING id";
        let row = self.tx.one(sql, args![self.source, kind, scope]).await?;
        let id = row.map_or_else(
            || Err(Error::damaged("a section without a number")),
            |row| row.int(0),
        )?;
        self.sections
            .entry(kind.to_owned())
            .or_default()
            .insert(scope.to_owned(), id);
        Ok(id)
    }

    async fn flush(&mut self) -> Result<()> {
        let ended = std::mem::take(&mut self.ended);
        let known = text::known(&mut self.tx, &self.dialect.search, self.seq, &ended).await?;
        if !ended.is_empty() {
            let sql = format!(
                "UPDATE item_version AS v SET gone_seq = {seq} FROM ({values}) AS c
                 WHERE v.section = c.column1 AND v.item = c.column2 AND v.gone_seq IS NULL AND v.first_seq < {seq}",
                seq = self.seq,
                values = self.tx.values("", 2, ended.len() / 2, ""),
            );
            self.tx.execute(sqlx::AssertSqlSafe(sql), ended).await?;
        }
        let removed = std::mem::take(&mut self.removed);
        if !removed.is_empty() && self.mode == Mode::Settle {
            let sql = format!(
                "DELETE FROM item_version WHERE first_seq = {} AND (section, item) IN ({})",
                self.seq,
                self.tx.values("", 2, removed.len() / 2, ""),
            );
            self.tx.execute(sqlx::AssertSqlSafe(sql), removed).await?;
        }
        self.insert(&known).await
    }

    async fn insert(&mut self, known: &Known) -> Result<()> {
        let mut added = std::mem::take(&mut self.added);
        if added.is_empty() {
            return Ok(());
        }
        self.text_bytes = 0;
        let texts = std::mem::take(&mut self.texts);
        let ids = text::store(&mut self.tx, &self.dialect.search, known, texts).await?;
        for (row, id) in added.chunks_mut(COLUMNS).zip(ids) {
            row[TEXT] = id.into();
        }
        let tail = if self.mode == Mode::Settle {
            super::settle::REPLACE
        } else {
            ""
        };
        let rows = added.len() / COLUMNS;
        self.rows += rows as u64;
        let sql = match &self.statement {
            Some(sql) if rows == BATCH => Arc::clone(sql),
            _ => Arc::from(self.tx.values(HEAD, COLUMNS, rows, tail)),
        };
        if rows == BATCH {
            self.statement = Some(Arc::clone(&sql));
        }
        match self.tx.execute(sqlx::AssertSqlSafe(sql), added).await {
            Err(error) if error.is_unique() => Err(Error::DuplicateItem {
                snapshot: self.snapshot.clone(),
            }),
            other => other.map(drop),
        }
    }
}
