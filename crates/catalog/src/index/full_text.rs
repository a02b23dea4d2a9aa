//! Search over names and texts of all versions: what is found by its name first, then the rest, each with what was stored last first.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use model::SourceId;

use super::excerpt::{Piece, excerpt};
use super::{IndexEntry, Part, Query, columns, entry};
use crate::db::{Row, Value, args};
use crate::{Catalog, Error, Listed, Page, Result, SourceKey, page};

/// Which items to find; what is not said is not asked for.
#[derive(Clone, Debug, Default)]
pub struct TextFilter {
    pub kind: Option<String>,
    /// Name or id of a project.
    pub project: Option<String>,
    /// In a snapshot that was taken at this time or later, or before or at it.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Only in one source.
    pub source: Option<SourceKey>,
    /// Only in these sources, in whatever repository.
    pub sources: Option<BTreeSet<SourceId>>,
    /// Texts are not looked at, and nothing of them is told.
    pub names_only: bool,
}

/// An item that was found, as the newest version that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextHit {
    pub source: SourceKey,
    /// What people call the source.
    pub source_name: String,
    pub entry: IndexEntry,
    /// The project's name, where it is known; else what the document says of it.
    pub project: Option<String>,
    /// What surrounds the first hit in the text; empty where only the name has it.
    pub excerpt: Vec<Piece>,
    part: usize,
    text: i64,
}

/// Columns before those of the entry.
const HEAD: usize = 8;

impl Catalog {
    /// Items of which a version within the filter matches. A query without words finds nothing.
    pub async fn search_text(
        &self,
        query: &Query,
        filter: &TextFilter,
        page: &Page,
    ) -> Result<Listed<TextHit>> {
        let (first, mut below) = match page.position::<2>()? {
            Some([part, below]) => (
                part.parse().map_err(|_| Error::Cursor)?,
                below.parse().map_err(|_| Error::Cursor)?,
            ),
            None => (0, i64::MAX),
        };
        let parts: &[Part] = if filter.names_only {
            &[Part::NameAlone]
        } else {
            &[Part::Named, Part::Rest]
        };
        let mut hits = Vec::new();
        let wanted = if query.is_empty() {
            None
        } else {
            self.wanted(filter).await?
        };
        if let Some(wanted) = wanted {
            for (number, part) in parts.iter().enumerate().skip(first) {
                let limit = page.limit() + 1 - hits.len();
                let rows = self.matching(query, *part, &wanted, below, limit).await?;
                for row in &rows {
                    hits.push(hit(row, number)?);
                }
                if hits.len() > page.limit() {
                    break;
                }
                below = i64::MAX;
            }
        }
        let mut listed = Listed::cut(hits, page.limit(), |last| {
            page::cursor(&[&last.part.to_string(), &last.text.to_string()])
        });
        self.name_projects(&mut listed.items).await?;
        if !filter.names_only {
            self.show(query, &mut listed.items).await?;
        }
        Ok(listed)
    }

    async fn matching(
        &self,
        query: &Query,
        part: Part,
        wanted: &Wanted<'_>,
        below: i64,
        limit: usize,
    ) -> Result<Vec<Row>> {
        let search = &self.db.dialect().search;
        let any = match part {
            Part::NameAlone => part,
            _ => Part::Any,
        };
        let mut values: Vec<Value> = args![
            (search.expression)(query, part),
            (search.expression)(query, any),
            below,
            limit as u64
        ];
        let conditions = wanted.conditions(&mut values);
        let matches = |alias: &str, parameter: &str| {
            let (before, after) = search.matches;
            format!("{alias}{before}{parameter}{after}")
        };
        // The newest version of an item that matches: no later one does.
        let sql = format!(
            "SELECT c.repository, c.service, c.address, c.name, s.kind, s.scope, t.id, t.project, {columns}
             FROM text_words w {join} item_text t ON t.id = w.{id} {join} section s ON s.id = t.section {join} source c ON c.id = s.source
                {join} item_version v ON v.section = t.section AND v.item = t.item AND v.text = t.id
             WHERE {is_part} AND w.{id} < $3 {conditions} {in_time}
               AND NOT EXISTS (SELECT 1 FROM item_version l {join} text_words x ON x.{id} = l.text
                    WHERE l.section = v.section AND l.item = v.item AND l.first_seq > v.first_seq {later_in_time} AND {is_any})
             ORDER BY w.{id} DESC LIMIT $4",
            columns = columns!("v"),
            join = search.ordered_join,
            id = search.id,
            is_part = matches("w", "$1"),
            is_any = matches("x", "$2"),
            in_time = wanted.in_time("v"),
            later_in_time = wanted.in_time("l"),
        );
        self.db.read(sqlx::AssertSqlSafe(sql), values).await
    }

    /// What the filter comes to; `None` when it lets nothing through.
    async fn wanted<'f>(&self, filter: &'f TextFilter) -> Result<Option<Wanted<'f>>> {
        let mut wanted = Wanted {
            filter,
            sources: None,
            projects: Vec::new(),
        };
        if filter.source.is_some() || filter.sources.is_some() {
            let mut ids = Vec::new();
            let sql = "SELECT id, repository, service, address FROM source";
            for row in self.db.read(sql, args![]).await? {
                let key = SourceKey::read(&row, 1)?;
                let is_one = filter.source.as_ref().is_none_or(|one| *one == key);
                let among = filter.sources.as_ref();
                if is_one && among.is_none_or(|all| all.contains(&key.id)) {
                    ids.push(row.int(0)?.to_string());
                }
            }
            if ids.is_empty() {
                return Ok(None);
            }
            wanted.sources = Some(ids.join(","));
        }
        if let Some(project) = &filter.project {
            wanted.projects = self.aliases(project).await?;
        }
        Ok(Some(wanted))
    }

    /// A project's name and ids, in lower case, by any of them; as it was called at any time.
    pub(super) async fn aliases(&self, project: &str) -> Result<Vec<String>> {
        let given = project.to_lowercase();
        let sql = "SELECT DISTINCT v.item, coalesce(v.folded, lower(v.name))
            FROM section s JOIN item_version v ON v.section = s.id WHERE s.kind = 'project'
              AND v.item IN (SELECT p.item FROM section q JOIN item_version p ON p.section = q.id
                    WHERE q.kind = 'project' AND (lower(p.item) = $1 OR coalesce(p.folded, lower(p.name)) = $1))";
        let mut all = BTreeSet::from([given.clone()]);
        for row in self.db.read(sql, args![given]).await? {
            all.extend([row.text(0)?.to_lowercase(), row.text(1)?]);
        }
        Ok(all.into_iter().collect())
    }

    /// Ids of projects become the names that they have, or had last.
    async fn name_projects(&self, hits: &mut [TextHit]) -> Result<()> {
        let mut names: HashMap<(SourceKey, String), Option<String>> = HashMap::new();
        for hit in hits {
            let said = hit.project.take().filter(|project| !project.is_empty());
            let Some(id) = said.or_else(|| {
                let scope = &hit.entry.item.scope;
                (!scope.is_empty()).then(|| scope.clone())
            }) else {
                continue;
            };
            let key = (hit.source.clone(), id.clone());
            if !names.contains_key(&key) {
                let sql = "SELECT v.name FROM source c JOIN section s ON s.source = c.id JOIN item_version v ON v.section = s.id
                    WHERE c.repository = $1 AND c.service = $2 AND c.address = $3 AND s.kind = 'project'
                      AND (lower(v.item) = lower($4) OR coalesce(v.folded, lower(v.name)) = $4)
                    ORDER BY v.first_seq DESC LIMIT 1";
                let of = &hit.source;
                let values = args![&of.repository, &of.id.service, &of.id.address, &id];
                let row = self.db.read_one(sql, values).await?;
                let name = row.map(|row| row.text(0)).transpose()?;
                names.insert(key.clone(), name);
            }
            hit.project = names.get(&key).cloned().flatten().or(Some(id));
        }
        Ok(())
    }

    /// One text at a time: together they could be large.
    async fn show(&self, query: &Query, hits: &mut [TextHit]) -> Result<()> {
        for hit in hits {
            let sql = "SELECT body FROM item_text WHERE id = $1 AND body <> ''";
            if let Some(row) = self.db.read_one(sql, args![hit.text]).await? {
                hit.excerpt = excerpt(&row.text(0)?, query);
            }
        }
        Ok(())
    }
}

/// A filter with its sources and projects found.
struct Wanted<'f> {
    filter: &'f TextFilter,
    /// Numbers, separated by commas.
    sources: Option<String>,
    projects: Vec<String>,
}

impl Wanted<'_> {
    /// Conditions on the source and the item; their values follow those that are there.
    fn conditions(&self, values: &mut Vec<Value>) -> String {
        let mut conditions = Vec::new();
        let mut parameter = |value: Value| {
            values.push(value);
            format!("${}", values.len())
        };
        if let Some(ids) = &self.sources {
            conditions.push(format!("AND c.id IN ({ids}) "));
        }
        if let Some(kind) = &self.filter.kind {
            conditions.push(format!("AND s.kind = {} ", parameter(kind.into())));
        }
        if self.filter.project.is_some() {
            let names: Vec<String> = self
                .projects
                .iter()
                .map(|name| parameter(name.into()))
                .collect();
            let names = names.join(",");
            conditions.push(format!(
                "AND (t.project IN ({names}) OR lower(s.scope) IN ({names})) "
            ));
        }
        conditions.concat()
    }

    /// A snapshot within the time has this version. Times are numbers, which need no parameters.
    fn in_time(&self, alias: &str) -> String {
        let (since, until) = (self.filter.since, self.filter.until);
        if since.is_none() && until.is_none() {
            return String::new();
        }
        let bound = |word: &str, time: Option<Timestamp>| {
            time.map_or_else(String::new, |time| {
                format!("AND p.taken {word} {}", time.as_microsecond())
            })
        };
        format!(
            "AND EXISTS (SELECT 1 FROM snapshot p WHERE p.source = s.source AND p.seq >= {alias}.first_seq
                AND ({alias}.gone_seq IS NULL OR p.seq < {alias}.gone_seq) {} {})",
            bound(">=", since),
            bound("<=", until),
        )
    }
}

fn hit(row: &Row, part: usize) -> Result<TextHit> {
    Ok(TextHit {
        source: SourceKey::read(row, 0)?,
        source_name: row.text(3)?,
        entry: entry(row, HEAD, &row.text(4)?, &row.text(5)?)?,
        project: Some(row.text(7)?),
        excerpt: Vec::new(),
        part,
        text: row.int(6)?,
    })
}
