//! Which texts a query finds: the newest of them, as many as can be told soon, whatever is looked for.

use super::{Part, Query};
use crate::db::{Row, args};
use crate::{Catalog, Error, Result};

/// So many texts are found at once: what a search then looks up of them is bounded.
const MOST: usize = 500;
/// So many have a name that few have: a list looks all of them up.
const FEW: usize = 2000;
/// So many texts are looked at one by one where the index does not answer soon.
const LOOKED_AT: u64 = 500;
/// A word is rare when it is at fewer places: what has a rare word is found soon, whatever else it is to have.
const RARE: i64 = 4000;
/// Up to so many, an index that only tells all places at once is asked for the newest of them.
const MANY: i64 = 50_000;

/// Numbers of texts, the largest first.
pub(super) struct Newest {
    pub(super) ids: Vec<i64>,
    /// There may be more, all of smaller numbers than this; it is smaller than what was asked for.
    pub(super) below: Option<i64>,
}

/// Texts that may have a name.
pub(super) struct FewNamed {
    /// They have it.
    pub(super) found: Vec<i64>,
    /// Their words are still to be indexed.
    pub(super) pending: Vec<i64>,
}

impl Catalog {
    /// The newest texts of a smaller number than `below` that are found; they can be none, and more can follow.
    pub(super) async fn newest_texts(
        &self,
        query: &Query,
        part: Part,
        below: i64,
    ) -> Result<Newest> {
        let search = &self.db.dialect().search;
        let looked_at = search.newest_looked_at;
        if looked_at.is_none() || self.has_word_below(query, MANY).await? {
            let found = self.indexed_texts(query, part, below, MOST);
            if let Some(found) = found.await? {
                return Ok(found);
            }
        }
        let sql = looked_at.ok_or_else(|| Error::damaged("a search without an answer"))?;
        let values = args![(search.expression)(query, part), below, LOOKED_AT];
        let rows = self.db.read(sql, values).await?;
        let last = rows.last().map(|row| row.int(0)).transpose()?;
        let mut ids = Vec::new();
        for row in &rows {
            if row.flag(1)? {
                ids.push(row.int(0)?);
            }
        }
        let all = (rows.len() as u64) < LOOKED_AT;
        let below = last.filter(|_| !all);
        Ok(Newest { ids, below })
    }

    /// All texts, of all times, that may have a name which the query finds; `None` when they are many, and when the index cannot tell soon.
    pub(super) async fn few_named(&self, query: &Query) -> Result<Option<FewNamed>> {
        if !self.has_word_below(query, RARE).await? {
            return Ok(None);
        }
        let pending = "SELECT id FROM text_pending LIMIT $1";
        let pending = self.db.read(pending, args![FEW as u64 + 1]).await?;
        if pending.len() > FEW {
            return Ok(None);
        }
        let found = self.indexed_texts(query, Part::NameAlone, i64::MAX, FEW);
        let found = found.await?.filter(|found| found.below.is_none());
        found
            .map(|found| {
                Ok(FewNamed {
                    found: found.ids,
                    pending: ids(&pending)?,
                })
            })
            .transpose()
    }

    /// `None` when the index does not answer soon.
    async fn indexed_texts(
        &self,
        query: &Query,
        part: Part,
        below: i64,
        most: usize,
    ) -> Result<Option<Newest>> {
        let search = &self.db.dialect().search;
        let values = args![(search.expression)(query, part), below, most as u64 + 1];
        let Some(rows) = self.db.read_soon(search.newest, values).await? else {
            return Ok(None);
        };
        let mut ids = ids(&rows)?;
        let more = ids.len() > most;
        ids.truncate(most);
        let below = ids.last().copied().filter(|_| more);
        Ok(Some(Newest { ids, below }))
    }

    /// Whether one of the words is at fewer places.
    async fn has_word_below(&self, query: &Query, places: i64) -> Result<bool> {
        let sql = self.db.dialect().search.places;
        for term in &query.all {
            for (at, word) in term.words.iter().enumerate() {
                let begins = term.prefix && at + 1 == term.words.len();
                let end = if begins { "\u{10ffff}" } else { "" };
                let values = args![word, format!("{word}{end}"), places];
                let row = self.db.read_one(sql, values).await?;
                if row.map_or(Ok(0), |row| row.int(0))? < places {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn ids(rows: &[Row]) -> Result<Vec<i64>> {
    rows.iter().map(|row| row.int(0)).collect()
}
