//! What a source looked like, and what became of an item.

use super::{IndexEntry, columns, entry, within};
use crate::db::{Row, Value, args};
use crate::{Catalog, ItemState, Listed, Page, Result, SourceKey, page};

/// Which items to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    pub kind: Option<String>,
    /// `Some("")` is the items without a project.
    pub scope: Option<String>,
    /// Of the project of this name (of any time) or id, wherever its items lie; `Some("")` is those that name none.
    pub project: Option<String>,
    /// Text within the name, without regard to case; where few have it, words of the name or the id, the last of which may be a beginning.
    pub name: Option<String>,
    pub state: Option<ItemState>,
}

/// A kind in a scope of a source.
pub(super) struct Section {
    pub(super) id: i64,
    pub(super) kind: String,
    pub(super) scope: String,
}

impl Catalog {
    /// The items that a snapshot holds, by kind, scope and id (as text).
    pub async fn items_at(
        &self,
        source: &SourceKey,
        seq: i64,
        filter: &ItemFilter,
        page: &Page,
    ) -> Result<Listed<IndexEntry>> {
        let aliases = match &filter.project {
            Some(project) => self.aliases(project).await?,
            None => Vec::new(),
        };
        let sections = self.sections_from(source, filter, page).await?;
        let few = match &filter.name {
            Some(name) => {
                let all: Vec<&Section> = sections.iter().map(|(section, _)| section).collect();
                self.few_named(name, &all).await?
            }
            None => None,
        };
        let name = filter.name.as_deref().filter(|_| few.is_none());
        let name = name.map(within);
        let binned = filter
            .state
            .map(|state| i64::from(state == ItemState::Binned));
        let mut entries = Vec::new();
        for (section, after) in sections {
            let wanted = page.limit() + 1 - entries.len();
            let values = args![section.id, after, seq, name.clone(), binned, wanted as u64];
            let scope = section.scope.to_lowercase();
            let is_whole =
                filter.project.is_none() || (!scope.is_empty() && aliases.contains(&scope));
            let mut rows = Vec::new();
            if is_whole {
                rows = self.section_rows(few.as_deref(), false, values).await?;
            } else if section.scope.is_empty() {
                for alias in &aliases {
                    let values = [values.clone(), args![alias]].concat();
                    rows.extend(self.section_rows(few.as_deref(), true, values).await?);
                }
            }
            let found = rows
                .iter()
                .map(|row| entry(row, 0, &section.kind, &section.scope));
            let mut found = found.collect::<Result<Vec<_>>>()?;
            found.sort_by(|a, b| a.item.id.cmp(&b.item.id));
            found.truncate(wanted);
            entries.extend(found);
            if entries.len() > page.limit() {
                break;
            }
        }
        Ok(Listed::cut(entries, page.limit(), |last| {
            page::cursor(&[&last.item.kind, &last.item.scope, &last.item.id])
        }))
    }

    /// Rows of a section: `$1` section, `$2` the item after which to begin, `$3` the snapshot, `$4` name, `$5` state, `$6` limit; only those
    /// with one of the texts `few`, and with `of_project` those whose documents name the project `$7`.
    async fn section_rows(
        &self,
        few: Option<&str>,
        of_project: bool,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        if few == Some("") {
            return Ok(Vec::new());
        }
        let dialect = self.db.dialect();
        let columns = columns!("v");
        let held = format!(
            "v.first_seq <= $3 AND (v.gone_seq IS NULL OR v.gone_seq > $3)
                AND ($4 IS NULL OR coalesce(v.folded, v.name) {} $4 ESCAPE '\\')
                AND ($5 IS NULL OR v.binned = $5)",
            dialect.like,
        );
        let named = few.map_or_else(String::new, |few| format!("AND t.id IN ({few})"));
        let project = if of_project { "AND t.project = $7" } else { "" };
        let sql = if few.is_some() || of_project {
            format!(
                "SELECT {columns} FROM item_text t {join} item_version v
                    ON v.section = t.section AND v.item = t.item AND v.text = t.id
                 WHERE t.section = $1 {project} {named} AND t.item > $2 AND {held} ORDER BY t.item LIMIT $6",
                join = dialect.search.ordered_join,
            )
        } else {
            format!(
                "SELECT {columns} FROM item_version v WHERE v.section = $1 AND v.item > $2 AND {held} ORDER BY v.item LIMIT $6"
            )
        };
        self.db.read(sqlx::AssertSqlSafe(sql), values).await
    }

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
