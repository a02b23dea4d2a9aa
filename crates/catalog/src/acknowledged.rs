//! Issues over runs: the same one again and again is one thing that a person can acknowledge.

use jiff::Timestamp;
use model::Issue;

use crate::db::{Row, args};
use crate::{Catalog, Listed, Page, Result, page};

/// Which issue, whatever the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub connector: String,
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
    pub connector: String,
    /// As it was found last.
    pub issue: Issue,
    pub runs: u64,
    pub first: Timestamp,
    pub last: Timestamp,
    /// In effect now.
    pub acknowledged: Option<Acknowledgement>,
}

fn read(row: &Row, now: Timestamp) -> Result<RecurringIssue> {
    let connector = row.text(0)?;
    let by_whom = row.opt_text(5)?;
    let until = row.opt_time(7)?;
    let issue: Issue = row.json(1)?;
    let acknowledged = match by_whom {
        Some(by_whom) if until.is_none_or(|until| until > now) => Some(Acknowledgement {
            connector: connector.clone(),
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
        issue,
        runs: row.unsigned(2)?,
        first: row.time(3)?,
        last: row.time(4)?,
        acknowledged,
    })
}

impl Catalog {
    /// Issues of runs since a time, one entry for each that is the same: by connector, code, kind, scope and item.
    pub async fn recurring_issues(
        &self,
        connector: Option<&str>,
        since: Timestamp,
        now: Timestamp,
        page: &Page,
    ) -> Result<Listed<RecurringIssue>> {
        let after: i64 = match page.position::<1>()? {
            Some([number]) => number.parse().map_err(|_| crate::Error::Cursor)?,
            None => i64::MAX,
        };
        let sql = "SELECT g.connector, i.body, g.runs, g.first, g.last, a.by_whom, a.at, a.until, a.note, g.newest
            FROM (SELECT r.connector, i.code, i.kind, i.scope, i.item, count(DISTINCT r.id) AS runs,
                    min(r.created) AS first, max(r.created) AS last, max(i.id) AS newest
                FROM issue i JOIN run r ON r.id = i.run
                WHERE r.created >= $1 AND (r.connector = $2 OR $2 IS NULL) AND i.kind IS NOT NULL
                GROUP BY r.connector, i.code, i.kind, i.scope, i.item) g
            JOIN issue i ON i.id = g.newest
            LEFT JOIN acknowledged a ON a.connector = g.connector AND a.code = g.code AND a.kind = g.kind
                AND a.scope = g.scope AND a.item = g.item
            WHERE g.newest < $3 ORDER BY g.newest DESC LIMIT $4";
        let values = args![since, connector, after, page.limit() as u64 + 1];
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
        let sql = "INSERT INTO acknowledged (connector, code, kind, scope, item, by_whom, at, until, note)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            ON CONFLICT (connector, code, kind, scope, item) DO UPDATE
                SET by_whom = excluded.by_whom, at = excluded.at, until = excluded.until, note = excluded.note";
        let values = args![
            &one.connector,
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

    /// Whether this issue of this connector is acknowledged now.
    pub async fn is_acknowledged(
        &self,
        connector: &str,
        issue: &Issue,
        now: Timestamp,
    ) -> Result<bool> {
        let sql = "SELECT 1 FROM acknowledged WHERE connector = $1 AND code = $2 AND kind = $3 AND scope = $4 AND item = $5
            AND (until IS NULL OR until > $6)";
        let item = issue.item.as_ref().map_or("", |item| item.id.as_str());
        let values = args![connector, &issue.code, &issue.kind, &issue.scope, item, now];
        Ok(self.db.read_one(sql, values).await?.is_some())
    }
}
