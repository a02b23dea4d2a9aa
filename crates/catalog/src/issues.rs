//! Issues of runs, in the order in which they were found.

use model::Issue;

use crate::db::{Row, Tx, args, json};
use crate::{Catalog, Error, Listed, Page, Result, page};

/// An issue and its place in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueRow {
    /// Grows with time; not dense.
    pub number: i64,
    pub issue: Issue,
}

impl IssueRow {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            number: row.int(0)?,
            issue: row.json(1)?,
        })
    }
}

pub(crate) async fn add(tx: &mut Tx, run: &str, issues: &[Issue]) -> Result<()> {
    for some in issues.chunks(200) {
        let mut values = Vec::with_capacity(some.len() * 6);
        for issue in some {
            let item = issue.item.as_ref().map_or("", |item| item.id.as_str());
            values.extend(args![
                run,
                &issue.code,
                json(issue)?,
                &issue.kind,
                &issue.scope,
                item
            ]);
        }
        let head = "INSERT INTO issue (run, code, body, kind, scope, item)";
        tx.insert(head, 6, values, "").await.map_err(|error| {
            if error.is_foreign_key() {
                Error::RunUnknown { id: run.to_owned() }
            } else {
                error
            }
        })?;
    }
    Ok(())
}

impl Catalog {
    pub async fn add_issues(&self, run: &str, issues: &[Issue]) -> Result<()> {
        let mut tx = self.db.begin().await?;
        add(&mut tx, run, issues).await?;
        tx.commit().await
    }

    pub async fn issues(&self, run: &str, page: &Page) -> Result<Listed<IssueRow>> {
        let after: i64 = match page.position::<1>()? {
            Some([number]) => number.parse().map_err(|_| Error::Cursor)?,
            None => 0,
        };
        let sql = "SELECT id, body FROM issue WHERE run = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows = self
            .db
            .read(sql, args![run, after, page.limit() as u64 + 1])
            .await?;
        let issues = rows
            .iter()
            .map(IssueRow::read)
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(issues, page.limit(), |row| {
            page::cursor(&[&row.number.to_string()])
        }))
    }

    /// How many issues of each code the run has, the most frequent first.
    pub async fn issue_counts(&self, run: &str) -> Result<Vec<(String, u64)>> {
        let sql = "SELECT code, count(*) FROM issue WHERE run = $1 GROUP BY code ORDER BY count(*) DESC, code";
        let rows = self.db.read(sql, args![run]).await?;
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.unsigned(1)?)))
            .collect()
    }
}
