//! Texts of items: stored with the versions that have them, and indexed by their words in small steps afterwards.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::words::{named_words, words};
use crate::db::{Tx, Value, args};
use crate::dialect::{MANY_ROWS, Search};
use crate::{Catalog, Error, Result};

/// Texts whose words are looked for at once, and so often in one transaction.
const AT_ONCE: u64 = 100;
const ROUNDS: usize = 20;
/// Columns of `item_text`.
const COLUMNS: usize = 6;

/// A text on its way into the catalog, for the row of the same number.
pub(super) struct NewText {
    pub(super) section: i64,
    pub(super) item: String,
    pub(super) hash: i64,
    pub(super) project: String,
    pub(super) body: String,
}

/// The current texts of items, as id and hash.
pub(super) type Known = HashMap<(i64, String), Vec<(i64, i64)>>;

pub(super) fn hash(name: &str, project: &str, body: &str) -> i64 {
    let mut hash = Sha256::new();
    for text in [name, project, body] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    }
    let mut head = [0; 8];
    head.copy_from_slice(&hash.finalize()[..8]);
    i64::from_le_bytes(head)
}

/// The texts that items had until `seq`; `items` are pairs of section and item.
pub(super) async fn known(
    tx: &mut Tx,
    search: &Search,
    seq: i64,
    items: &[Value],
) -> Result<Known> {
    let mut known = Known::new();
    if items.is_empty() {
        return Ok(known);
    }
    let sql = format!(
        "SELECT v.section, v.item, t.id, t.hash FROM ({values}) AS c {join} item_version v
            ON v.section = c.column1 AND v.item = c.column2 AND (v.gone_seq IS NULL OR v.gone_seq = {seq})
         {join} item_text t ON t.id = v.text",
        values = tx.values("", 2, items.len() / 2, ""),
        join = search.ordered_join,
    );
    for row in tx.rows(sqlx::AssertSqlSafe(sql), items.to_vec()).await? {
        let of = (row.int(0)?, row.text(1)?);
        known
            .entry(of)
            .or_default()
            .push((row.int(2)?, row.int(3)?));
    }
    Ok(known)
}

/// Stores texts and answers the id of each; those that the item had already are taken again.
pub(super) async fn store(
    tx: &mut Tx,
    search: &Search,
    known: &Known,
    texts: Vec<NewText>,
) -> Result<Vec<i64>> {
    let again = |text: &NewText| {
        let ids = known.get(&(text.section, text.item.clone()))?;
        ids.iter()
            .find(|(_, hash)| *hash == text.hash)
            .map(|(id, _)| *id)
    };
    let mut ids: Vec<Option<i64>> = texts.iter().map(again).collect();
    let missing = ids.iter().filter(|id| id.is_none()).count();
    if missing > 0 {
        let rows = tx.rows(search.new_ids, args![missing as u64]).await?;
        let mut new = rows.iter().map(|row| row.int(0));
        let (mut stored, mut pending) = (Vec::new(), Vec::new());
        for (id, text) in ids.iter_mut().zip(texts) {
            if id.is_some() {
                continue;
            }
            let number = new
                .next()
                .ok_or_else(|| Error::damaged("a text without a number"))??;
            *id = Some(number);
            pending.extend(args![number]);
            stored.extend(args![
                number,
                text.section,
                text.item,
                text.hash,
                text.project,
                text.body
            ]);
        }
        tx.insert(
            "INSERT INTO item_text (id, section, item, hash, project, body)",
            COLUMNS,
            stored,
            "",
        )
        .await?;
        tx.insert("INSERT INTO text_pending (id)", 1, pending, "")
            .await?;
    }
    Ok(ids.into_iter().flatten().collect())
}

/// Drops versions, and the texts that only they have. `doomed` is a condition on the alias that it is given.
pub(super) async fn drop_versions(
    tx: &mut Tx,
    search: &Search,
    doomed: impl Fn(&str) -> String,
    values: Vec<Value>,
) -> Result<()> {
    let texts = format!(
        "SELECT v.text FROM item_version v WHERE v.text IS NOT NULL AND {}
            AND NOT EXISTS (SELECT 1 FROM item_version k
                WHERE k.section = v.section AND k.item = v.item AND k.text = v.text AND ({}) IS NOT TRUE)",
        doomed("v"),
        doomed("k"),
    );
    for (table, id) in [
        ("text_words", search.id),
        ("text_pending", "id"),
        ("item_text", "id"),
    ] {
        let sql = format!("DELETE FROM {table} WHERE {id} IN ({texts})");
        tx.execute(sqlx::AssertSqlSafe(sql), values.clone()).await?;
    }
    let sql = format!("DELETE FROM item_version AS v WHERE {}", doomed("v"));
    tx.execute(sqlx::AssertSqlSafe(sql), values).await.map(drop)
}

impl Catalog {
    /// Ends when this process has listed a snapshot since the last wait: there may be texts to index.
    pub async fn texts_came(&self) {
        self.texts.notified().await;
    }

    /// How many texts cannot be found by their words yet.
    pub async fn texts_to_index(&self) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM text_pending";
        let row = self.db.read_one(sql, args![]).await?;
        row.map_or(Ok(0), |row| Ok(row.int(0)?.unsigned_abs()))
    }

    /// Makes the texts that snapshots have brought searchable. Other writers come in between its steps.
    pub async fn index_texts(&self) -> Result<()> {
        self.index_texts_telling(|_| ()).await
    }

    /// The same, telling after each step how many it has done.
    pub async fn index_texts_telling(&self, tell: impl Fn(u64)) -> Result<()> {
        let mut indexed = 0;
        loop {
            match self.index_some().await? {
                0 => break,
                some => indexed += some,
            }
            tell(indexed);
        }
        if let Some(sql) = self.db.dialect().analyze.filter(|_| indexed >= MANY_ROWS) {
            self.db.write(sql, args![]).await?;
        }
        Ok(())
    }

    /// How many; there may be more until there were none.
    async fn index_some(&self) -> Result<u64> {
        let search = &self.db.dialect().search;
        let mut tx = self.db.begin().await?;
        let mut indexed = 0;
        for _ in 0..ROUNDS {
            let sql = "DELETE FROM text_pending WHERE id IN (SELECT id FROM text_pending ORDER BY id LIMIT $1) RETURNING id";
            let taken = tx.rows(sql, args![AT_ONCE]).await?;
            let ids = taken
                .iter()
                .map(|row| row.int(0))
                .collect::<Result<Vec<i64>>>()?;
            if ids.is_empty() {
                break;
            }
            indexed += ids.len() as u64;
            let wanted: Vec<String> = ids.iter().map(i64::to_string).collect();
            let sql = format!(
                "SELECT t.id, t.item, t.body, (SELECT v.name FROM item_version v
                    WHERE v.section = t.section AND v.item = t.item AND v.text = t.id LIMIT 1)
                 FROM item_text t WHERE t.id IN ({}) ORDER BY t.id",
                wanted.join(",")
            );
            let mut values = Vec::new();
            for row in tx.rows(sqlx::AssertSqlSafe(sql), args![]).await? {
                let name = named_words(&row.opt_text(3)?.unwrap_or_default(), &row.text(1)?);
                let body: Vec<String> = words(&row.text(2)?).map(|word| word.text).collect();
                values.extend(args![row.int(0)?]);
                values.extend((search.document)(&name, &body));
            }
            let (head, columns, tail) = search.insert;
            tx.insert(head, columns, values, tail).await?;
        }
        tx.commit().await?;
        Ok(indexed)
    }
}
