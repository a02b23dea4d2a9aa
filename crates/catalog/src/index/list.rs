//! The items of a snapshot as a list. Whatever is asked for, a page looks at so many rows of an index and no more: where few of them are wanted it is
//! short, and the next one goes on where it ended.
//!
//! Rows are looked at in the order of the list, in steps: first where a step ends, then what is wanted of it. They are those of a whole section, or of
//! the narrowest index that the filter allows: of a project, of what is in a recycle bin, of the texts that have a rare word in their names.

use std::collections::BTreeSet;

use super::named::Named;
use super::newest::FewNamed;
use super::read::Section;
use super::{IndexEntry, columns, entry};
use crate::db::{Row, Value, args};
use crate::lists::Where;
use crate::{Catalog, Error, ItemState, Listed, Page, Result, SourceKey, page};

/// Rows for a page.
const MOST: usize = 6000;
/// What a row of another table costs, whose version is then looked up: as much as so many versions.
const LOOKUP: usize = 3;
/// Rows of the first step; each further one has four times as many.
const STEP: usize = 256;
/// What a step costs beside its rows: it is two statements.
const STATEMENTS: usize = 64;

/// Which items to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    pub kind: Option<String>,
    /// `Some("")` is the items without a project.
    pub scope: Option<String>,
    /// Of the project of this name or id, wherever its items lie; a former name counts as long as no other project has it in the snapshot.
    /// `Some("")` is those that name none.
    pub project: Option<String>,
    /// Words of the name or the id in any order, the last of which may be a beginning; where there is no word in it, text within the name, without
    /// regard to case.
    pub name: Option<String>,
    pub state: Option<ItemState>,
}

/// A filter with what it names found.
struct Wanted<'a> {
    catalog: &'a Catalog,
    seq: i64,
    aliases: Option<Vec<String>>,
    binned: Option<bool>,
    named: Option<Named>,
    few: Option<Few>,
}

/// Texts with the name, where they are few.
struct Few {
    /// Separated by commas.
    ids: String,
    /// So many of them may not have it after all.
    doubtful: usize,
    sections: BTreeSet<i64>,
}

/// Rows of a section in the order of the list.
enum Lane {
    Versions,
    /// Those in the recycle bin.
    Binned,
    /// Few.
    Texts,
    Project(String),
}

/// A project as it was in some snapshots.
struct ProjectVersion {
    /// Its id and its name are in lower case.
    id: String,
    name: String,
    /// In the snapshot that is looked into.
    is_held: bool,
}

/// The items after one, and up to another.
type Range<'a> = (&'a str, Option<&'a str>);

impl Catalog {
    /// The items that a snapshot holds, by kind, scope and id (as text). A page may have fewer than its limit, or none, while more follow.
    pub async fn items_at(
        &self,
        source: &SourceKey,
        seq: i64,
        filter: &ItemFilter,
        page: &Page,
    ) -> Result<Listed<IndexEntry>> {
        let wanted = self.wanted_items(source, seq, filter).await?;
        let mut entries = Vec::new();
        let mut left = MOST;
        for (section, mut after) in self.sections_from(source, filter, page).await? {
            let lanes = wanted.lanes(&section);
            let mut step = STEP.max(page.limit() + 1);
            while !lanes.is_empty() {
                if left == 0 {
                    let next = page::cursor(&[&section.kind, &section.scope, &after]);
                    let (items, next) = (entries, Some(next));
                    return Ok(Listed { items, next });
                }
                let (rows, end) = wanted.step(&section, &lanes, &after, step).await?;
                let limit = page.limit() + 1 - entries.len();
                let range = (after.as_str(), end.as_deref());
                entries.extend(wanted.items(&section, &lanes, range, limit).await?);
                if entries.len() > page.limit() {
                    return Ok(Listed::cut(entries, page.limit(), |last| {
                        page::cursor(&[&last.item.kind, &last.item.scope, &last.item.id])
                    }));
                }
                left = left.saturating_sub(rows + STATEMENTS);
                step = (step * 4).min(left);
                let Some(end) = end else { break };
                after = end;
            }
        }
        let (items, next) = (entries, None);
        Ok(Listed { items, next })
    }

    async fn wanted_items(
        &self,
        source: &SourceKey,
        seq: i64,
        filter: &ItemFilter,
    ) -> Result<Wanted<'_>> {
        let aliases = match &filter.project {
            Some(project) => {
                let sections = self.project_sections(source).await?;
                Some(self.aliases_at(project, &sections, seq).await?)
            }
            None => None,
        };
        let named = filter.name.as_deref().map(Named::parse);
        let few = match &named {
            Some(Named::Words(query)) => self.few_named(query).await?,
            _ => None,
        };
        let few = match few {
            Some(few) => Some(self.few(&few).await?),
            None => None,
        };
        Ok(Wanted {
            catalog: self,
            seq,
            aliases,
            binned: filter.state.map(|state| state == ItemState::Binned),
            named,
            few,
        })
    }

    /// What items of a snapshot call a project, in lower case: its id, and the names that it had at any time. One that another project has in this
    /// snapshot is the other's.
    async fn aliases_at(&self, project: &str, sections: &str, seq: i64) -> Result<Vec<String>> {
        let given = project.to_lowercase();
        let mut all = BTreeSet::from([given.clone()]);
        let versions = self.projects_called(&given, sections, seq).await?;
        let holder = |name: &str| {
            let held = versions.iter().find(|one| one.is_held && one.name == name);
            held.map(|one| one.id.as_str())
        };
        let meant = if versions.iter().any(|one| one.id == given) {
            Some(given.as_str())
        } else {
            holder(&given)
        };
        let is_meant = |id: &str| meant.is_none_or(|meant| meant == id);
        for one in versions.iter().filter(|one| is_meant(&one.id)) {
            all.insert(one.id.clone());
            if holder(&one.name).is_none_or(is_meant) {
                all.insert(one.name.clone());
            }
        }
        Ok(all.into_iter().collect())
    }

    /// The projects that ever had this name or id, and those that ever had a name of one of them.
    async fn projects_called(
        &self,
        given: &str,
        sections: &str,
        seq: i64,
    ) -> Result<Vec<ProjectVersion>> {
        if sections.is_empty() {
            return Ok(Vec::new());
        }
        let called = |of: &str| format!("coalesce({of}.folded, lower({of}.name))");
        let (v, m, p) = (called("v"), called("m"), called("p"));
        let sql = format!(
            "WITH meant AS (SELECT p.item FROM item_version p WHERE p.section IN ({sections}) AND (lower(p.item) = $1 OR {p} = $1))
            SELECT v.item, {v}, CAST(CASE WHEN v.first_seq <= $2 AND (v.gone_seq IS NULL OR v.gone_seq > $2) THEN 1 ELSE 0 END AS BIGINT)
            FROM item_version v WHERE v.section IN ({sections}) AND (v.item IN (SELECT item FROM meant) OR {v} IN
                (SELECT {m} FROM item_version m WHERE m.section IN ({sections}) AND m.item IN (SELECT item FROM meant)))"
        );
        let rows = self
            .db
            .read(sqlx::AssertSqlSafe(sql), args![given, seq])
            .await?;
        let version = |row: &Row| {
            Ok(ProjectVersion {
                id: row.text(0)?.to_lowercase(),
                name: row.text(1)?,
                is_held: row.int(2)? == 1,
            })
        };
        rows.iter().map(version).collect()
    }

    async fn few(&self, few: &FewNamed) -> Result<Few> {
        let mut sections = BTreeSet::new();
        let ids = few.found.iter().chain(&few.pending);
        let ids: Vec<String> = ids.map(i64::to_string).collect();
        let ids = ids.join(",");
        if !ids.is_empty() {
            let sql = format!("SELECT DISTINCT section FROM item_text WHERE id IN ({ids})");
            for row in self.db.read(sqlx::AssertSqlSafe(sql), args![]).await? {
                sections.insert(row.int(0)?);
            }
        }
        let doubtful = few.pending.len();
        Ok(Few {
            ids,
            doubtful,
            sections,
        })
    }
}

impl Wanted<'_> {
    /// Where its items are looked for: nowhere in a section that has none.
    fn lanes(&self, section: &Section) -> Vec<Lane> {
        let few = self.few.as_ref();
        if few.is_some_and(|few| !few.sections.contains(&section.id)) {
            return Vec::new();
        }
        let scope = section.scope.to_lowercase();
        match &self.aliases {
            Some(aliases) if scope.is_empty() => {
                aliases.iter().cloned().map(Lane::Project).collect()
            }
            Some(aliases) if !aliases.contains(&scope) => Vec::new(),
            _ if few.is_some() => vec![Lane::Texts],
            _ if self.binned == Some(true) => vec![Lane::Binned],
            _ => vec![Lane::Versions],
        }
    }

    /// Of how many rows a step is at most, and the item with which it ends; `None` when it takes all that is left.
    async fn step(
        &self,
        section: &Section,
        lanes: &[Lane],
        after: &str,
        step: usize,
    ) -> Result<(usize, Option<String>)> {
        let (mut rows, mut end): (usize, Option<String>) = (0, None);
        // Those that are few are looked at all at once.
        for lane in lanes.iter().filter(|_| self.few.is_none()) {
            let mut values = args![section.id, after, step as u64];
            let (table, condition) = match lane {
                Lane::Versions => ("item_version", ""),
                Lane::Binned => ("item_version", "AND binned = 1"),
                Lane::Texts => ("item_text", ""),
                Lane::Project(project) => {
                    values.push(project.into());
                    ("item_text", "AND project = $4")
                }
            };
            let sql = format!(
                "SELECT count(*), max(item) FROM (SELECT item FROM {table} WHERE section = $1 AND item > $2 {condition}
                 ORDER BY item LIMIT $3) r"
            );
            let row = self.catalog.db.read_one(sqlx::AssertSqlSafe(sql), values);
            let row = row.await?.ok_or_else(|| Error::damaged("no count"))?;
            let looked = usize::try_from(row.unsigned(0)?).unwrap_or(step);
            rows += match lane {
                Lane::Versions => looked,
                Lane::Binned | Lane::Texts | Lane::Project(_) => LOOKUP * looked,
            };
            if looked == step {
                let last = row.opt_text(1)?;
                end = match (end, last) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
            }
        }
        Ok((rows, end))
    }

    /// The wanted items of a range in order: the first of them, so many at most.
    async fn items(
        &self,
        section: &Section,
        lanes: &[Lane],
        range: Range<'_>,
        limit: usize,
    ) -> Result<Vec<IndexEntry>> {
        let mut found = Vec::new();
        for lane in lanes {
            let (sql, values) = self.statement(section, lane, range, limit);
            for row in self
                .catalog
                .db
                .read(sqlx::AssertSqlSafe(sql), values)
                .await?
            {
                let entry = entry(&row, 0, &section.kind, &section.scope)?;
                if self.named.as_ref().is_none_or(|named| named.has(&entry)) {
                    found.push(entry);
                }
            }
        }
        found.sort_by(|a, b| a.item.id.cmp(&b.item.id));
        found.truncate(limit);
        Ok(found)
    }

    fn statement(
        &self,
        section: &Section,
        lane: &Lane,
        (after, end): Range<'_>,
        limit: usize,
    ) -> (String, Vec<Value>) {
        let dialect = self.catalog.db.dialect();
        // Rows of an index first, and then their versions: together the databases would rather look at all versions.
        let from = |table: &str, on: &str| {
            let join = dialect.search.ordered_join;
            format!(
                "{table} t {join} item_version v ON v.section = t.section AND v.item = t.item AND {on}"
            )
        };
        let (of, from) = match lane {
            Lane::Versions => ("v", "item_version v".to_owned()),
            Lane::Binned => ("t", from("item_version", "v.first_seq = t.first_seq")),
            Lane::Texts | Lane::Project(_) => ("t", from("item_text", "v.text = t.id")),
        };
        let mut wanted = Where::new();
        // `+` keeps SQLite from going through the whole section for the few.
        let plus = if self.few.is_some() { "+" } else { "" };
        wanted.and(&format!("{plus}{of}.section = {{}}"), section.id);
        if let Some(few) = &self.few {
            wanted
                .sql
                .push_str(&[" AND t.id IN (", &few.ids, ")"].concat());
        }
        wanted.and(&format!("{of}.item > {{}}"), after);
        if let Some(end) = end {
            wanted.and(&format!("{of}.item <= {{}}"), end);
        }
        match lane {
            Lane::Project(project) => wanted.and("t.project = {}", project),
            Lane::Binned => wanted.sql.push_str(" AND t.binned = 1"),
            Lane::Versions | Lane::Texts => {}
        }
        self.narrow(dialect.like, &mut wanted);
        // Names are compared once more afterwards: how many come through is not always known before.
        let most = match (&self.named, &self.few) {
            (None, _) => format!("LIMIT {limit}"),
            (Some(_), Some(few)) => format!("LIMIT {}", limit + few.doubtful),
            (Some(_), None) => String::new(),
        };
        let Where { sql, values } = wanted;
        let columns = columns!("v");
        let sql = format!("SELECT {columns} FROM {from} {sql} ORDER BY {of}.item {most}");
        (sql, values)
    }

    /// To versions in the snapshot, in the state, and that may have the name.
    fn narrow(&self, like: &str, wanted: &mut Where) {
        let held = "v.first_seq <= {} AND (v.gone_seq IS NULL OR v.gone_seq > {})";
        wanted.and(held, self.seq);
        match self.binned {
            Some(true) => wanted.sql.push_str(" AND v.binned = 1"),
            Some(false) => wanted.sql.push_str(" AND v.binned = 0"),
            None => {}
        }
        if let Some(named) = &self.named {
            named.narrow(like, wanted);
        }
    }
}
