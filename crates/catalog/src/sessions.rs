//! Sessions of people in browsers. Only the hash of a session's secret is stored.

use jiff::Timestamp;

use crate::db::{Row, args};
use crate::people::{COLUMNS, PersonRow, WIDTH, read as read_person};
use crate::{Catalog, Listed, Page, Result, page};

/// A session as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Not the secret: safe to show.
    pub id: String,
    /// The name of its person.
    pub person: String,
    /// `password`, or the name of an identity provider.
    pub method: String,
    pub created: Timestamp,
    /// To the minute.
    pub seen: Timestamp,
    pub expires: Timestamp,
    pub address: Option<String>,
    pub agent: Option<String>,
}

/// A session to be begun.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub hash: String,
    pub id: String,
    pub person: String,
    pub method: String,
    pub created: Timestamp,
    pub expires: Timestamp,
    pub address: Option<String>,
    pub agent: Option<String>,
}

const SESSION: &str =
    "session.id, person.name, session.method, session.created, session.seen, session.expires,
    session.address, session.agent";

fn read(row: &Row, from: usize) -> Result<SessionRow> {
    Ok(SessionRow {
        id: row.text(from)?,
        person: row.text(from + 1)?,
        method: row.text(from + 2)?,
        created: row.time(from + 3)?,
        seen: row.time(from + 4)?,
        expires: row.time(from + 5)?,
        address: row.opt_text(from + 6)?,
        agent: row.opt_text(from + 7)?,
    })
}

impl Catalog {
    /// Begins a session, and forgets those that have expired.
    pub async fn add_session(&self, session: &NewSession) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM session WHERE expires <= $1";
        tx.execute(sql, args![session.created]).await?;
        let sql =
            "INSERT INTO session (hash, id, person, method, created, seen, expires, address, agent)
            VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)";
        let values = args![
            &session.hash,
            &session.id,
            &session.person,
            &session.method,
            session.created,
            session.expires,
            session.address.as_deref(),
            session.agent.as_deref(),
        ];
        tx.execute(sql, values).await?;
        tx.commit().await
    }

    /// The session of a secret with its person, whether or not it has expired.
    pub async fn session(&self, hash: &str) -> Result<Option<(SessionRow, PersonRow)>> {
        let sql = format!(
            "SELECT {COLUMNS}, {SESSION} FROM session JOIN person ON person.id = session.person
             WHERE session.hash = $1"
        );
        let row = self
            .db
            .read_one(sqlx::AssertSqlSafe(sql), args![hash])
            .await?;
        row.map(|row| Ok((read(&row, WIDTH)?, read_person(&row)?)))
            .transpose()
    }

    /// Notes that a session was used; call it at most once a minute.
    pub async fn touch_session(&self, id: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE session SET seen = $2 WHERE id = $1 AND seen < $2";
        self.db.write(sql, args![id, now]).await.map(drop)
    }

    /// Sessions that have not expired, the newest first: of one person by id, or of all. `idle_since` leaves out those not used since.
    pub async fn sessions(
        &self,
        person: Option<&str>,
        now: Timestamp,
        idle_since: Timestamp,
        page: &Page,
    ) -> Result<Listed<SessionRow>> {
        let before = page.position::<1>()?.map(|[id]| id);
        let sql = format!(
            "SELECT {SESSION} FROM session JOIN person ON person.id = session.person
             WHERE (session.person = $1 OR $1 IS NULL) AND (session.id < $2 OR $2 IS NULL)
               AND session.expires > $3 AND session.seen > $4
             ORDER BY session.id DESC LIMIT $5"
        );
        let values = args![person, before, now, idle_since, page.limit() as u64 + 1];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        let sessions = rows
            .iter()
            .map(|row| read(row, 0))
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(sessions, page.limit(), |session| {
            page::cursor(&[&session.id])
        }))
    }

    /// Ends a session, of one person alone when given; answers whether there was one.
    pub async fn remove_session(&self, id: &str, person: Option<&str>) -> Result<bool> {
        let sql = "DELETE FROM session WHERE id = $1 AND (person = $2 OR $2 IS NULL)";
        Ok(self.db.write(sql, args![id, person]).await? == 1)
    }
}
