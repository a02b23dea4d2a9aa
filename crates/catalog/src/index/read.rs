//! What a source looked like, and what became of an item.

use super::{IndexEntry, ItemFilter, columns, entry};
use crate::db::{Row, args};
use crate::{Catalog, Page, Result, SourceKey};

/// A kind in a scope of a source.
pub(super) struct Section {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) scope: String,
}

impl Catalog {
    /// Every version of an item, the oldest first.
    pub async fn history(
        &self,
        source: &SourceKey,
        kind: &str,
        id: &str,
    ) -> Result<Vec<IndexEntry>> {
        let sql = concat!(
            "SELECT s.scope, ",
            columns!("v"),
            " FROM source c JOIN section s ON s.source = c.id JOIN item_version v ON v.section = s.id
             WHERE c.repository = $1 AND c.service = $2 AND c.address = $3 AND s.kind = $4 AND v.item = $5
             ORDER BY v.first_seq, s.scope"
        );
        let values = args![
            &source.repository,
            &source.id.service,
            &source.id.address,
            kind,
            id
        ];
        let rows = self.db.read(sql, values).await?;
        rows.iter()
            .map(|row| entry(row, 1, kind, &row.text(0)?))
            .collect()
    }

    /// How many items of each kind and scope a snapshot holds: `(kind, scope, items)`.
    pub async fn counts_at(
        &self,
        source: &SourceKey,
        seq: i64,
    ) -> Result<Vec<(String, String, u64)>> {
        let sql = "SELECT s.kind, s.scope, count(*)
             FROM source c JOIN section s ON s.source = c.id JOIN item_version v ON v.section = s.id
             WHERE c.repository = $1 AND c.service = $2 AND c.address = $3
                AND v.first_seq <= $4 AND (v.gone_seq IS NULL OR v.gone_seq > $4)
             GROUP BY s.kind, s.scope ORDER BY s.kind, s.scope";
        let values = args![
            &source.repository,
            &source.id.service,
            &source.id.address,
            seq
        ];
        let rows = self.db.read(sql, values).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.text(1)?, row.unsigned(2)?)))
            .collect()
    }

    /// The sections that the filter lets through, from the page's cursor on, each with the item after which to begin.
    pub(super) async fn sections_from(
        &self,
        source: &SourceKey,
        filter: &ItemFilter,
        page: &Page,
    ) -> Result<Vec<(Section, String)>> {
        let sql = "SELECT s.id, s.kind, s.scope FROM source c JOIN section s ON s.source = c.id
            WHERE c.repository = $1 AND c.service = $2 AND c.address = $3
              AND ($4 IS NULL OR s.kind = $4) AND ($5 IS NULL OR s.scope = $5)
            ORDER BY s.kind, s.scope";
        let values = args![
            &source.repository,
            &source.id.service,
            &source.id.address,
            filter.kind.as_deref(),
            filter.scope.as_deref()
        ];
        let [kind, scope, item] = page.position()?.unwrap_or_default();
        let mut sections = Vec::new();
        for row in self.db.read(sql, values).await? {
            let section = section(&row)?;
            let place = (&section.kind, &section.scope).cmp(&(&kind, &scope));
            if place.is_ge() {
                let after = if place.is_eq() {
                    item.clone()
                } else {
                    String::new()
                };
                sections.push((section, after));
            }
        }
        Ok(sections)
    }
}

fn section(row: &Row) -> Result<Section> {
    Ok(Section {
        id: row.int(0)?,
        kind: row.text(1)?,
        scope: row.text(2)?,
    })
}
