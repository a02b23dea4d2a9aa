//! Items by words of their names: few are found by the index of words, many by looking at them in order.

use super::read::Section;
use super::{Part, Query};
use crate::db::args;
use crate::{Catalog, Result};

/// So many are common: whoever looks at items in their order finds a page of them soon.
const COMMON: u64 = 2000;

impl Catalog {
    /// The texts of the versions, of all times, whose names have these words, the last of which may be a beginning; `None` when they are many,
    /// when there is no word, and while words are still to be indexed.
    pub(super) async fn few_named(
        &self,
        name: &str,
        sections: &[&Section],
    ) -> Result<Option<String>> {
        let query = Query::of_name(name);
        if query.is_empty() || sections.is_empty() {
            return Ok(None);
        }
        let pending = "SELECT id FROM text_pending LIMIT 1";
        if self.db.read_one(pending, args![]).await?.is_some() {
            return Ok(None);
        }
        let search = &self.db.dialect().search;
        let (before, after) = search.matches;
        let sections: Vec<String> = sections
            .iter()
            .map(|section| section.id.to_string())
            .collect();
        let sql = format!(
            "SELECT w.{id} FROM text_words w {join} item_text t ON t.id = w.{id}
             WHERE w{before}$1{after} AND t.section IN ({}) LIMIT $2",
            sections.join(","),
            id = search.id,
            join = search.ordered_join,
        );
        let values = args![(search.expression)(&query, Part::NameAlone), COMMON + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        if rows.len() as u64 > COMMON {
            return Ok(None);
        }
        let ids = rows.iter().map(|row| Ok(row.int(0)?.to_string()));
        Ok(Some(ids.collect::<Result<Vec<_>>>()?.join(",")))
    }
}
