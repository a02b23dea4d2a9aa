//! Lists of connectors, runs and snapshots for people: filtered, and without what they do not reach.

use model::{Connector, Run, RunKind, RunState, SourceId};

use crate::connectors;
use crate::db::{Value, args, word};
use crate::index::within;
use crate::runs::{self, COLUMNS};
use crate::snapshots::KnownSnapshot;
use crate::{Catalog, Error, Listed, Page, Result, page};

/// Which runs to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Without regard to case.
    pub connector: Option<String>,
    pub kind: Option<RunKind>,
    pub state: Option<RunState>,
    /// Of these connectors alone.
    pub connectors: Option<Vec<String>>,
}

/// Which connectors to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectorFilter {
    /// What is somewhere in the name or the organization, without regard to case.
    pub text: Option<String>,
    /// Of these names alone.
    pub names: Option<Vec<String>>,
}

/// Which snapshots to return; `None` is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotFilter {
    /// Of the sources of this name or address, without regard to case, whatever their services.
    pub source: Option<String>,
    /// A repository's id.
    pub repository: Option<String>,
    /// Of these sources alone.
    pub sources: Option<Vec<SourceId>>,
}

/// Conditions with their arguments.
pub(crate) struct Where {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Where {
    pub(crate) fn new() -> Self {
        Self {
            sql: "WHERE 1 = 1".to_owned(),
            values: Vec::new(),
        }
    }

    /// `{}` in the condition is the value's place.
    pub(crate) fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let place = format!("${}", self.values.len());
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replace("{}", &place));
    }

    /// The columns are one of these.
    fn among(&mut self, columns: &str, rows: Vec<Vec<String>>) {
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            let row: Vec<String> = row
                .into_iter()
                .map(|value| {
                    self.values.push(value.into());
                    format!("${}", self.values.len())
                })
                .collect();
            places.push(format!("({})", row.join(", ")));
        }
        let condition = if places.is_empty() {
            " AND 1 = 0".to_owned()
        } else {
            format!(" AND {columns} IN (VALUES {})", places.join(", "))
        };
        self.sql.push_str(&condition);
    }
}

impl Catalog {
    /// By name.
    pub async fn list_connectors(
        &self,
        filter: &ConnectorFilter,
        page: &Page,
    ) -> Result<Listed<Connector>> {
        let mut wanted = Where::new();
        if let Some([after]) = page.position::<1>()? {
            wanted.and("key > {}", after);
        }
        if let Some(text) = &filter.text {
            let like = "(key LIKE {} ESCAPE '\\' OR organization_key LIKE {} ESCAPE '\\')";
            wanted.and(like, within(text));
        }
        if let Some(names) = &filter.names {
            let names = names.iter().map(|name| vec![name.to_lowercase()]);
            wanted.among("key", names.collect());
        }
        let Where { sql, values } = wanted;
        let limit = page.limit() + 1;
        let sql = format!("{} {sql} ORDER BY key LIMIT {limit}", connectors::SELECT);
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let items = rows.iter().map(connectors::read).collect::<Result<_>>()?;
        Ok(Listed::cut(items, page.limit(), |last: &Connector| {
            page::cursor(&[&last.name.to_lowercase()])
        }))
    }

    /// The newest first, by id: ids of runs grow with time.
    pub async fn list_runs(&self, filter: &RunFilter, page: &Page) -> Result<Listed<Run>> {
        let mut wanted = Where::new();
        if let Some([before]) = page.position::<1>()? {
            wanted.and("id < {}", before);
        }
        if let Some(connector) = &filter.connector {
            wanted.and("lower(connector) = {}", connector.to_lowercase());
        }
        if let Some(kind) = &filter.kind {
            wanted.and("kind = {}", word(kind)?);
        }
        if let Some(state) = &filter.state {
            wanted.and("state = {}", word(state)?);
        }
        if let Some(names) = &filter.connectors {
            let names = names.iter().map(|name| vec![name.to_lowercase()]);
            wanted.among("lower(connector)", names.collect());
        }
        let Where { sql, values } = wanted;
        let limit = page.limit() + 1;
        let sql = format!("SELECT {COLUMNS} FROM run {sql} ORDER BY id DESC LIMIT {limit}");
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let runs = rows.iter().map(runs::read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(runs, page.limit(), |run| {
            page::cursor(&[&run.id])
        }))
    }

    /// The newest first.
    pub async fn list_snapshots(
        &self,
        filter: &SnapshotFilter,
        page: &Page,
    ) -> Result<Listed<KnownSnapshot>> {
        let mut wanted = Where::new();
        if let Some([time, id]) = page.position::<2>()? {
            let time: i64 = time.parse().map_err(|_| Error::Cursor)?;
            wanted.values.extend(args![time, id]);
            wanted.sql.push_str(" AND (n.taken, n.id) < ($1, $2)");
        }
        if let Some(repository) = &filter.repository {
            wanted.and("s.repository = {}", repository);
        }
        if let Some(source) = &filter.source {
            let named = source.trim_end_matches('/').to_lowercase();
            wanted.and("{} IN (s.name, s.address)", named);
        }
        if let Some(sources) = &filter.sources {
            let sources = sources.iter();
            let rows = sources.map(|id| vec![id.service.clone(), id.address.clone()]);
            wanted.among("(s.service, s.address)", rows.collect());
        }
        let Where { sql, values } = wanted;
        let columns = KnownSnapshot::COLUMNS;
        let limit = page.limit() + 1;
        let sql = format!(
            "SELECT {columns} FROM snapshot n JOIN source s ON s.id = n.source {sql}
             ORDER BY n.taken DESC, n.id DESC LIMIT {limit}"
        );
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let snapshots = rows.iter().map(KnownSnapshot::read);
        let snapshots = snapshots.collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(snapshots, page.limit(), |last| {
            page::cursor(&[&last.time.as_microsecond().to_string(), &last.id])
        }))
    }
}
