//! Search by words, over all times: what is gone is found too.

use super::{IndexEntry, columns, entry, within};
use crate::db::{Value, args};
use crate::{Catalog, Error, Listed, Page, Result, SourceKey, page};

/// A version of an item that matches; the newest one that does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchHit {
    pub source: SourceKey,
    pub entry: IndexEntry,
    section: i64,
}

/// More words than anyone types.
const WORDS: usize = 8;

impl Catalog {
    /// Items whose name has every word of the text (without regard to case) or whose id is that word; in one source, or
    /// in all. A text without words finds nothing.
    pub async fn search(
        &self,
        text: &str,
        source: Option<&SourceKey>,
        page: &Page,
    ) -> Result<Listed<SearchHit>> {
        let words: Vec<&str> = text.split_whitespace().take(WORDS).collect();
        if words.is_empty() {
            return Ok(Listed {
                items: Vec::new(),
                next: None,
            });
        }
        let (section, item): (i64, _) = match page.position::<2>()? {
            Some([section, item]) => (section.parse().map_err(|_| Error::Cursor)?, item),
            None => (0, String::new()),
        };
        let mut values: Vec<Value> = args![
            section,
            item,
            page.limit() as u64 + 1,
            source.map(|source| source.repository.as_str()),
            source.map(|source| source.service.as_str()),
            source.map(|source| source.name.as_str()),
        ];
        for word in &words {
            values.extend(args![within(word), *word]);
        }
        let sql = self.search_sql(words.len());
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let mut hits = Vec::with_capacity(rows.len());
        for row in &rows {
            hits.push(SearchHit {
                source: SourceKey {
                    repository: row.text(0)?,
                    service: row.text(1)?,
                    name: row.text(2)?,
                },
                section: row.int(3)?,
                entry: entry(row, 6, &row.text(4)?, &row.text(5)?)?,
            });
        }
        Ok(Listed::cut(hits, page.limit(), |last| {
            page::cursor(&[&last.section.to_string(), &last.entry.item.id])
        }))
    }

    /// `$1` to `$6` are cursor, limit and source; each word has a pattern and itself after them.
    fn search_sql(&self, words: usize) -> String {
        let like = self.db.dialect().like;
        let matches = |alias: &str| {
            let word = |number: usize| {
                let (pattern, word) = (7 + 2 * number, 8 + 2 * number);
                format!(
                    "(coalesce({alias}.folded, {alias}.name) {like} ${pattern} ESCAPE '\\' OR {alias}.item = ${word})"
                )
            };
            (0..words).map(word).collect::<Vec<_>>().join(" AND ")
        };
        format!(
            "SELECT c.repository, c.service, c.name, s.id, s.kind, s.scope, {columns}
             FROM item_version v JOIN section s ON s.id = v.section JOIN source c ON c.id = s.source
             WHERE (v.section, v.item) > ($1, $2) AND {newest}
               AND ($4 IS NULL OR (c.repository = $4 AND c.service = $5 AND c.name = $6))
               AND NOT EXISTS (SELECT 1 FROM item_version l
                    WHERE l.section = v.section AND l.item = v.item AND l.first_seq > v.first_seq AND {later})
             ORDER BY v.section, v.item LIMIT $3",
            columns = columns!("v"),
            newest = matches("v"),
            later = matches("l"),
        )
    }
}
