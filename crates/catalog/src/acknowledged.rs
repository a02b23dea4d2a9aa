//! Issues over runs: the same one again and again is one thing that a person can acknowledge.

use jiff::Timestamp;
use model::Issue;

use crate::db::{Row, args};
use crate::{Catalog, Listed, Page, Result, page};

/// Which issue, whatever the run. It is one of a connector, or else of a repository alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Empty for one of a repository.
    pub connector: String,
    /// Empty for one of a connector.
    pub repository: String,
    pub code: String,
    pub kind: String,
    pub scope: String,
    /// The item's id, or empty.
    pub item: String,
    pub by_whom: String,
    pub at: Timestamp,
    /// `None` for good.
    pub until: Option<Timestamp>,
    pub note: Option<String>,
}

/// An issue with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecurringIssue {
    /// Empty for one of a repository alone.
    pub connector: String,
    /// Empty for one of a connector.
    pub repository: String,
    /// As it was found last.
    pub issue: Issue,
    pub runs: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// In effect now.
    pub acknowledged: Option<Acknowledgement>,
}

fn read(row: &Row, now: Timestamp) -> Result<RecurringIssue> {
    let (connector, repository) = (row.text(0)?, row.text(10)?);
    let by_whom = row.opt_text(5)?;
    let until = row.opt_time(7)?;
    let issue: Issue = row.json(1)?;
    let acknowledged = match by_whom {
        Some(by_whom) if until.is_none_or(|until| until > now) => Some(Acknowledgement {
            connector: connector.clone(),
            repository: repository.clone(),
            code: issue.code.clone(),
            kind: issue.kind.clone(),
            scope: issue.scope.clone(),
            item: issue
                .item
                .as_ref()
                .map_or_else(String::new, |item| item.id.clone()),
            by_whom,
            at: row.time(6)?,
            until,
            note: row.opt_text(8)?,
        }),
        _ => None,
    };
    Ok(RecurringIssue {
        connector,
        repository,
        issue,
        runs: row.unsigned(2)?,
        first: row.time(3)?,
        last: row.time(4)?,
        acknowledged,
    })
}

/// Of these alone; `None` is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IssueFilter<'a> {
    pub connector: Option<&'a str>,
    /// Those that are about this repository and no connector.
    pub repository: Option<&'a str>,
}

impl Catalog {
    /// Issues of runs since a time, one entry for each that is the same: by connector or else repository, code, kind, scope and item.
    pub async fn recurring_issues(
        &self,
        filter: IssueFilter<'_>,
        since: Timestamp,
        now: Timestamp,
        page: &Page,
    ) -> Result<Listed<RecurringIssue>> {
        let after: i64 = match page.position::<1>()? {
            Some([number]) => number.parse().map_err(|_| crate::Error::Cursor)?,
            None => i64::MAX,
        };
        let sql = "SELECT g.connector, i.body, g.runs, g.first, g.last, a.by_whom, a.at, a.until, a.note, g.newest, g.repository
            FROM (SELECT r.connector, CASE WHEN r.connector = '' THEN r.repository ELSE '' END AS repository,
                    i.code, i.kind, i.scope, i.item, count(DISTINCT r.id) AS runs,
                    min(r.created) AS first, max(r.created) AS last, max(i.id) AS newest
                FROM issue i JOIN run r ON r.id = i.run
                WHERE r.created >= $1 AND (r.connector = $2 OR $2 IS NULL) AND i.kind IS NOT NULL
                    AND ((r.connector = '' AND r.repository = $3) OR $3 IS NULL)
                GROUP BY 1, 2, i.code, i.kind, i.scope, i.item) g
            JOIN issue i ON i.id = g.newest
            LEFT JOIN acknowledged_issue a ON a.connector = g.connector AND a.repository = g.repository AND a.code = g.code
                AND a.kind = g.kind AND a.scope = g.scope AND a.item = g.item
            WHERE g.newest < $4 ORDER BY g.newest DESC LIMIT $5";
        let values = args![
            since,
            filter.connector,
            filter.repository,
            after,
            page.limit() as u64 + 1
        ];
        let rows = self.db.read(sql, values).await?;
        let items = rows
            .iter()
            .map(|row| Ok((row.int(9)?, read(row, now)?)))
            .collect::<Result<Vec<_>>>()?;
        let listed = Listed::cut(items, page.limit(), |(newest, _)| {
            page::cursor(&[&newest.to_string()])
        });
        Ok(Listed {
            items: listed.items.into_iter().map(|(_, issue)| issue).collect(),
            next: listed.next,
        })
    }

    /// A person has seen it; again replaces what was said before.
    pub async fn acknowledge(&self, one: &Acknowledgement) -> Result<()> {
        let sql = "INSERT INTO acknowledged_issue (connector, repository, code, kind, scope, item, by_whom, at, until, note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            ON CONFLICT (connector, repository, code, kind, scope, item) DO UPDATE
                SET by_whom = excluded.by_whom, at = excluded.at, until = excluded.until, note = excluded.note";
        let values = args![
            &one.connector,
            &one.repository,
            &one.code,
            &one.kind,
            &one.scope,
            &one.item,
            &one.by_whom,
            one.at,
            one.until,
            one.note.as_deref(),
        ];
        self.db.write(sql, values).await.map(drop)
    }

    /// The first issues of a run that nobody has acknowledged.
    pub async fn open_issues(&self, run: &str, now: Timestamp, most: u32) -> Result<Vec<Issue>> {
        let sql = "SELECT i.body FROM issue i JOIN run r ON r.id = i.run
            LEFT JOIN acknowledged_issue a ON a.connector = r.connector
                AND a.repository = CASE WHEN r.connector = '' THEN r.repository ELSE '' END
                AND a.code = i.code AND a.kind = i.kind AND a.scope = i.scope AND a.item = i.item
                AND (a.until IS NULL OR a.until > $2)
            WHERE i.run = $1 AND a.code IS NULL ORDER BY i.id LIMIT $3";
        let rows = self.db.read(sql, args![run, now, u64::from(most)]).await?;
        rows.iter().map(|row| row.json(0)).collect()
    }
}
