//! Messages on their way to channels. An event gets in once for each channel; a message is sent at least once, under one id.

use jiff::Timestamp;
use model::Run;

use crate::db::{Row, Tx, args, word};
use crate::{Catalog, Listed, Page, Result, page};

/// A message to one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: String,
    /// The channel's name in lower case.
    pub channel: String,
    /// What it is about: `run/…`, `alarm/…`.
    pub event: String,
    pub body: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u64,
    pub created: Timestamp,
    /// When it is tried again, while it waits.
    pub due: Timestamp,
    pub finished: Option<Timestamp>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// A message to be sent.
pub struct NewMessage {
    pub id: String,
    pub channel: String,
    pub event: String,
    pub body: String,
}

fn read(row: &Row) -> Result<OutboxRow> {
    Ok(OutboxRow {
        id: row.text(0)?,
        channel: row.text(1)?,
        event: row.text(2)?,
        body: row.text(3)?,
        state: row.text(4)?,
        attempts: row.unsigned(5)?,
        created: row.time(6)?,
        due: row.time(7)?,
        finished: row.opt_time(8)?,
        error: row.opt_text(9)?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, channel, event, body, state, attempts, created, due, finished, error FROM outbox ",
            $rest
        )
    };
}

pub(crate) async fn insert(tx: &mut Tx, messages: &[NewMessage], now: Timestamp) -> Result<()> {
    for message in messages {
        let sql = "INSERT INTO outbox (id, channel, event, body, state, attempts, created, due)
            VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5) ON CONFLICT (channel, event) DO NOTHING";
        let values = args![
            &message.id,
            message.channel.to_lowercase(),
            &message.event,
            &message.body,
            now
        ];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

impl Catalog {
    /// Runs that have ended and that nobody was told of, the oldest first.
    pub async fn untold_runs(&self, limit: u32) -> Result<Vec<Run>> {
        let sql =
            "SELECT id FROM run WHERE told IS NULL AND finished IS NOT NULL ORDER BY id LIMIT $1";
        let rows = self.db.read(sql, args![i64::from(limit)]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(self.run(&row.text(0)?).await?);
        }
        Ok(found)
    }

    /// Puts the messages about a run into the outbox; nothing when another process did it first.
    pub async fn tell_run(&self, run: &str, messages: &[NewMessage], now: Timestamp) -> Result<()> {
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE run SET told = 1 WHERE id = $1 AND told IS NULL";
        if tx.execute(sql, args![run]).await? == 1 {
            insert(&mut tx, messages, now).await?;
        }
        tx.commit().await
    }

    /// How often a run like this one failed in a row before it: of the same kind, for the same connector, or
    /// repository where there is none, since the last good one.
    pub async fn failed_before(&self, run: &Run) -> Result<u64> {
        let sql = "SELECT count(*) FROM run WHERE kind = $1 AND connector = $2 AND (connector <> '' OR repository = $3) AND state = 'failed' AND id < $4
            AND id > coalesce((SELECT max(id) FROM run WHERE kind = $1 AND connector = $2 AND (connector <> '' OR repository = $3)
                AND state IN ('succeeded', 'succeeded_with_issues') AND id < $4), '')";
        let values = args![word(&run.kind)?, &run.connector, &run.repository, &run.id];
        let row = self.db.read_one(sql, values).await?;
        row.map_or(Ok(0), |row| row.unsigned(0))
    }

    /// The channels, in lower case, that were told of a failure of such a run after this time.
    pub async fn told_of_failures(&self, run: &Run, after: Timestamp) -> Result<Vec<String>> {
        let good = "'succeeded', 'succeeded_with_issues'";
        self.told_of("failed", good, "", run, after).await
    }

    /// The channels, in lower case, that were told after this time of such a run with all issues of this one, and of none without any since.
    pub async fn told_of_issues(&self, run: &Run, after: Timestamp) -> Result<Vec<String>> {
        let all = "AND NOT EXISTS (SELECT 1 FROM issue a WHERE a.run = $4 AND NOT EXISTS (SELECT 1 FROM issue b
            WHERE b.run = r.id AND b.code = a.code AND b.kind = a.kind AND b.scope = a.scope AND b.item = a.item))";
        self.told_of("succeeded_with_issues", "'succeeded'", all, run, after)
            .await
    }

    /// The channels that were told after a time of runs before this one, of its kind and for the same: those that ended in `state` since the last
    /// one that ended in one of `better`, and that meet the condition on `r`.
    async fn told_of(
        &self,
        state: &str,
        better: &str,
        condition: &str,
        run: &Run,
        after: Timestamp,
    ) -> Result<Vec<String>> {
        let alike =
            "kind = $1 AND connector = $2 AND (connector <> '' OR repository = $3) AND id < $4";
        let sql = format!(
            "SELECT DISTINCT o.channel FROM (SELECT id FROM run WHERE {alike} AND state = $6) r JOIN outbox o ON o.event = 'run/' || r.id
             WHERE o.created > $5
               AND r.id > coalesce((SELECT max(id) FROM run WHERE {alike} AND state IN ({better})), '') {condition}"
        );
        let values = args![
            word(&run.kind)?,
            &run.connector,
            &run.repository,
            &run.id,
            after,
            state
        ];
        let rows = self.db.read(sqlx::AssertSqlSafe(sql), values).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// Messages whose time has come, the oldest first.
    pub async fn due_messages(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>> {
        let sql = select!("WHERE state = 'waiting' AND due <= $1 ORDER BY due, id LIMIT $2");
        let rows = self.db.read(sql, args![now, i64::from(limit)]).await?;
        rows.iter().map(read).collect()
    }

    /// Takes a message for one attempt until `until`; `false` when another process has it.
    pub async fn claim_message(&self, row: &OutboxRow, until: Timestamp) -> Result<bool> {
        let sql = "UPDATE outbox SET attempts = attempts + 1, due = $3
            WHERE id = $1 AND attempts = $2 AND state = 'waiting'";
        let taken = self
            .db
            .write(sql, args![&row.id, row.attempts, until])
            .await?;
        Ok(taken == 1)
    }

    pub async fn message_sent(&self, id: &str, now: Timestamp) -> Result<()> {
        let sql = "UPDATE outbox SET state = 'sent', finished = $2, error = NULL WHERE id = $1";
        self.db.write(sql, args![id, now]).await.map(drop)
    }

    /// Tries again at `due`, or never: `None`.
    pub async fn message_failed(
        &self,
        id: &str,
        error: &str,
        due: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<()> {
        let (sql, time) = if let Some(due) = due {
            let sql = "UPDATE outbox SET due = $2, error = $3 WHERE id = $1";
            (sql, due)
        } else {
            let sql = "UPDATE outbox SET state = 'failed', finished = $2, error = $3 WHERE id = $1";
            (sql, now)
        };
        self.db.write(sql, args![id, time, error]).await.map(drop)
    }

    /// Forgets what was sent or given up before this time.
    pub async fn clean_outbox(&self, before: Timestamp) -> Result<u64> {
        let sql = "DELETE FROM outbox WHERE finished IS NOT NULL AND finished < $1";
        self.db.write(sql, args![before]).await
    }

    /// The newest first; all channels, or one.
    pub async fn messages(&self, channel: Option<&str>, page: &Page) -> Result<Listed<OutboxRow>> {
        let before = page.position::<1>()?.map(|[id]| id);
        let channel = channel.map(str::to_lowercase);
        let sql = select!(
            "WHERE ($1 IS NULL OR channel = $1) AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
        );
        let values = args![channel, before, page.limit() as u64 + 1];
        let rows = self.db.read(sql, values).await?;
        let rows = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(rows, page.limit(), |row| {
            page::cursor(&[&row.id])
        }))
    }
}
