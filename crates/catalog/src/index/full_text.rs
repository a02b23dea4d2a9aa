//! Search over names and texts of all versions: what is found by its name first, then the rest, each with what was stored last first.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use model::SourceId;

use super::excerpt::{Piece, excerpt};
use super::{IndexEntry, Part, Query, columns, entry, within};
use crate::db::{Row, Value, args};
use crate::lists::Where;
use crate::{Catalog, Error, Listed, Page, Result, SourceKey, page};

/// Which items to find; what is not said is not asked for.
#[derive(Clone, Debug, Default)]
pub struct TextFilter {
    pub kind: Option<String>,
    /// Name or id of a project; where none is called so, of those with this in their names.
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
    /// Nothing is told of what is found but the entry: neither an excerpt nor the project's name.
    pub bare: bool,
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
    text: i64,
}

/// What was looked through at once.
struct Found {
    rows: Vec<Row>,
    /// There may be more, in texts of smaller numbers than this.
    below: Option<i64>,
}

/// Columns before those of the entry, and that of the text's number.
const HEAD: usize = 8;
const TEXT: usize = 6;
/// Texts that are looked up at once, and that are read at once.
const AT_ONCE: usize = 128;
const SHOWN_AT_ONCE: usize = 10;

impl Catalog {
    /// Items of which a version within the filter matches. A query without words finds nothing. A page may have fewer hits than its limit, or none,
    /// while more follow: of what the words find, so much is looked at for each.
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
        let mut listed = Listed {
            items: Vec::new(),
            next: None,
        };
        let wanted = if query.is_empty() {
            None
        } else {
            self.wanted(filter).await?
        };
        if let Some(wanted) = wanted {
            for (number, part) in parts.iter().enumerate().skip(first) {
                let limit = page.limit() - listed.items.len();
                let found = self.hits(query, *part, &wanted, below, limit).await?;
                for row in &found.rows {
                    listed.items.push(hit(row)?);
                }
                if let Some(below) = found.below {
                    listed.next = Some(page::cursor(&[&number.to_string(), &below.to_string()]));
                    break;
                }
                below = i64::MAX;
            }
        }
        if filter.bare {
            return Ok(listed);
        }
        self.name_projects(&mut listed.items).await?;
        if !filter.names_only {
            self.show(query, &mut listed.items).await?;
        }
        Ok(listed)
    }

    /// Those of the newest texts that are found which the filter lets through, and where to go on.
    async fn hits(
        &self,
        query: &Query,
        part: Part,
        wanted: &Wanted<'_>,
        below: i64,
        limit: usize,
    ) -> Result<Found> {
        let texts = self.newest_texts(query, part, below).await?;
        let listed = |ids: &[i64]| ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
        let all = listed(&texts.ids);
        let mut rows = Vec::new();
        for some in texts.ids.chunks(AT_ONCE) {
            let (some, most) = (listed(some), limit + 1 - rows.len());
            let matching = self.matching(query, part, wanted, (&some, &all), most);
            rows.extend(matching.await?);
            if rows.len() > limit {
                rows.truncate(limit);
                // Nothing was wanted: the page was full before.
                let last = rows.last().map_or(Ok(below), |row| row.int(TEXT))?;
                let below = Some(last);
                return Ok(Found { rows, below });
            }
        }
        let below = texts.below;
        Ok(Found { rows, below })
    }

    /// The newest versions that match, where they have one of the texts; all of the second ones are known to match.
    async fn matching(
        &self,
        query: &Query,
        part: Part,
        wanted: &Wanted<'_>,
        (texts, known): (&str, &str),
        limit: usize,
    ) -> Result<Vec<Row>> {
        let search = &self.db.dialect().search;
        let any = match part {
            Part::NameAlone => part,
            _ => Part::Any,
        };
        let mut values: Vec<Value> = args![(search.expression)(query, any), limit as u64];
        let conditions = wanted.conditions(&mut values);
        let (before, after) = search.matches;
        // The newest version of an item that matches: no later one does.
        let sql = format!(
            "SELECT c.repository, c.service, c.address, c.name, s.kind, s.scope, t.id, t.project, {columns}
             FROM item_text t {join} section s ON s.id = t.section {join} source c ON c.id = s.source
                {join} item_version v ON v.section = t.section AND v.item = t.item AND v.text = t.id
             WHERE t.id IN ({texts}) {conditions} {in_time}
               AND NOT EXISTS (SELECT 1 FROM item_version l
                    WHERE l.section = v.section AND l.item = v.item AND l.first_seq > v.first_seq {later_in_time}
                      AND (l.text IN ({known}) OR EXISTS (SELECT 1 FROM text_words x WHERE x.{id} = l.text AND x{before}$1{after})))
             ORDER BY t.id DESC LIMIT $2",
            columns = columns!("v"),
            join = search.ordered_join,
            id = search.id,
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
            projects: None,
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
            let mut among = Where::new();
            if let Some(ids) = &wanted.sources {
                among.sql.extend([" AND c.id IN (", ids, ")"]);
            }
            let sections = self.sections_of_projects(among).await?;
            let aliases = self.aliases(project, &sections).await?;
            wanted.projects = Some(if aliases.len() > 1 || sections.is_empty() {
                Projects::Called(aliases)
            } else {
                let given = project.to_lowercase();
                Projects::Like(sections, within(project), given)
            });
        }
        Ok(Some(wanted))
    }

    /// A project's name and ids, in lower case, by any of them; as it was called at any time in these sections. What no project is called is alone.
    async fn aliases(&self, project: &str, sections: &str) -> Result<Vec<String>> {
        let given = project.to_lowercase();
        let mut all = BTreeSet::from([given.clone()]);
        if !sections.is_empty() {
            let sql = format!(
                "SELECT DISTINCT v.item, coalesce(v.folded, lower(v.name)) FROM item_version v WHERE v.section IN ({sections})
                   AND v.item IN (SELECT p.item FROM item_version p WHERE p.section IN ({sections})
                        AND (lower(p.item) = $1 OR coalesce(p.folded, lower(p.name)) = $1))"
            );
            for row in self.db.read(sqlx::AssertSqlSafe(sql), args![given]).await? {
                all.extend([row.text(0)?.to_lowercase(), row.text(1)?]);
            }
        }
        Ok(all.into_iter().collect())
    }

    /// The sections of a source's projects.
    pub(super) async fn project_sections(&self, source: &SourceKey) -> Result<String> {
        let mut of = Where::new();
        of.and("c.repository = {}", &source.repository);
        of.and("c.service = {}", &source.id.service);
        of.and("c.address = {}", &source.id.address);
        self.sections_of_projects(of).await
    }

    /// Sections of projects as numbers, separated by commas: with them in a statement, the databases know how few items that is.
    async fn sections_of_projects(&self, among: Where) -> Result<String> {
        let Where { sql, values } = among;
        let sql = format!(
            "SELECT s.id FROM section s JOIN source c ON c.id = s.source {sql} AND s.kind = 'project'"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let ids = rows.iter().map(|row| Ok(row.int(0)?.to_string()));
        Ok(ids.collect::<Result<Vec<_>>>()?.join(","))
    }

    /// Ids of projects become the names that they have, or had last.
    async fn name_projects(&self, hits: &mut [TextHit]) -> Result<()> {
        let mut sections: HashMap<SourceKey, String> = HashMap::new();
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
                if !sections.contains_key(&hit.source) {
                    let own = self.project_sections(&hit.source).await?;
                    sections.insert(hit.source.clone(), own);
                }
                let own = sections.get(&hit.source).map_or("", String::as_str);
                names.insert(key.clone(), self.project_name(own, &id).await?);
            }
            hit.project = names.get(&key).cloned().flatten().or(Some(id));
        }
        Ok(())
    }

    /// The last name of the project with this id or name in these sections.
    async fn project_name(&self, sections: &str, id: &str) -> Result<Option<String>> {
        if sections.is_empty() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT v.name FROM item_version v WHERE v.section IN ({sections})
               AND (lower(v.item) = lower($1) OR coalesce(v.folded, lower(v.name)) = $1)
             ORDER BY v.first_seq DESC LIMIT 1"
        );
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![id])
            .await?;
        row.map(|row| row.text(0)).transpose()
    }

    /// A few texts at a time: together they could be large.
    async fn show(&self, query: &Query, hits: &mut [TextHit]) -> Result<()> {
        for some in hits.chunks_mut(SHOWN_AT_ONCE) {
            let ids: Vec<String> = some.iter().map(|hit| hit.text.to_string()).collect();
            let sql = format!(
                "SELECT id, body FROM item_text WHERE id IN ({}) AND body <> ''",
                ids.join(",")
            );
            for row in self.db.read(sqlx::AssertSqlSafe(sql), args![]).await? {
                let (id, body) = (row.int(0)?, row.text(1)?);
                for hit in some.iter_mut().filter(|hit| hit.text == id) {
                    hit.excerpt = excerpt(&body, query);
                }
            }
        }
        Ok(())
    }
}

/// Which projects are meant, by what documents and scopes call them.
enum Projects {
    Called(Vec<String>),
    /// In these sections, by a pattern of names. They may be many: they are not fetched to be sent back. What documents call just so is meant too, where
    /// the project itself is not backed up.
    Like(String, String, String),
}

impl Projects {
    /// The inside of an `IN (…)`.
    fn names(&self, mut parameter: impl FnMut(Value) -> String) -> String {
        match self {
            Self::Called(names) => {
                let names: Vec<String> = names.iter().map(|name| parameter(name.into())).collect();
                names.join(",")
            }
            Self::Like(sections, pattern, given) => {
                let (pattern, given) = (parameter(pattern.into()), parameter(given.into()));
                let of = format!(
                    "FROM item_version p WHERE p.section IN ({sections}) AND p.item IN (SELECT n.item FROM item_version n
                       WHERE n.section IN ({sections}) AND coalesce(n.folded, lower(n.name)) LIKE {pattern} ESCAPE '\\')"
                );
                format!(
                    "SELECT lower(p.item) {of} UNION SELECT coalesce(p.folded, lower(p.name)) {of} UNION SELECT {given}"
                )
            }
        }
    }
}

/// A filter with its sources and projects found.
struct Wanted<'f> {
    filter: &'f TextFilter,
    /// Numbers, separated by commas.
    sources: Option<String>,
    projects: Option<Projects>,
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
        if let Some(projects) = &self.projects {
            let names = projects.names(parameter);
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

fn hit(row: &Row) -> Result<TextHit> {
    Ok(TextHit {
        source: SourceKey::read(row, 0)?,
        source_name: row.text(3)?,
        entry: entry(row, HEAD, &row.text(4)?, &row.text(5)?)?,
        project: Some(row.text(7)?),
        excerpt: Vec::new(),
        text: row.int(TEXT)?,
    })
}
