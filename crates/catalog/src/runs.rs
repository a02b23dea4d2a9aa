//! Runs.

use jiff::Timestamp;
use model::{Resumed, Run, RunKind, RunState};

use crate::db::{Row, Tx, Value, args, json, word};
use crate::{Catalog, Error, Listed, Page, Result, page};

/// The columns that [`read`] reads.
pub(crate) const COLUMNS: &str =
    "id, kind, connector, repository, state, created, finished, snapshot, counts, error, resumed,
    policy, reason, retry_of, waiting, result";

pub(crate) fn read(row: &Row) -> Result<Run> {
    Ok(Run {
        id: row.text(0)?,
        kind: row.word(1)?,
        connector: row.text(2)?,
        repository: row.text(3)?,
        state: row.word(4)?,
        created: row.time(5)?,
        finished: row.opt_time(6)?,
        snapshot: row.opt_text(7)?,
        counts: row.json(8)?,
        error: row.opt_text(9)?,
        resumed: row
            .opt_text(10)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Error::damaged(format!("the checkpoint of a run: {error}")))?,
        policy: row.opt_text(11)?,
        reason: row.word(12)?,
        retry_of: row.opt_text(13)?,
        waiting: row
            .opt_text(14)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Error::damaged(format!("what a run waits for: {error}")))?,
        result: row.opt_json(15)?,
    })
}

pub(crate) fn insert(run: &Run) -> Result<(&'static str, Vec<Value>)> {
    let sql = "INSERT INTO run (id, kind, connector, repository, state, created, finished, snapshot, counts, error,
            policy, reason, retry_of)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let values = args![
        &run.id,
        word(&run.kind)?,
        &run.connector,
        &run.repository,
        word(&run.state)?,
        run.created,
        run.finished,
        run.snapshot.as_deref(),
        json(&run.counts)?,
        run.error.as_deref(),
        run.policy.as_deref(),
        word(&run.reason)?,
        run.retry_of.as_deref(),
    ];
    Ok((sql, values))
}

/// What [`Catalog::finish_run`] stores.
pub(crate) fn finish(run: &Run) -> Result<(&'static str, Vec<Value>)> {
    let sql = "UPDATE run SET state = $2, finished = $3, snapshot = $4, counts = $5, error = $6, waiting = NULL, result = $7,
            requests = $8, received = $9, stored = $10, items = $11, whole = $12
        WHERE id = $1";
    let items: u64 = run.counts.kinds.values().map(|kind| kind.items).sum();
    let values = args![
        &run.id,
        word(&run.state)?,
        run.finished,
        run.snapshot.as_deref(),
        json(&run.counts)?,
        run.error.as_deref(),
        run.result.as_ref().map(json).transpose()?,
        run.counts.requests,
        run.counts.bytes_received,
        run.counts.bytes_stored,
        items,
        whole(run),
    ];
    Ok((sql, values))
}

/// When everything that a backup is for had been read, in it or before; `None` for a run that is no good backup.
fn whole(run: &Run) -> Option<Timestamp> {
    let good = matches!(
        run.state,
        RunState::Succeeded | RunState::SucceededWithIssues
    );
    let finished = run
        .finished
        .filter(|_| good && run.kind == RunKind::Backup)?;
    Some(run.counts.whole(finished))
}

const GET: &str = "SELECT id, kind, connector, repository, state, created, finished, snapshot, counts, error, resumed,
        policy, reason, retry_of, waiting, result
    FROM run WHERE id = $1";

/// As its transaction sees it.
pub(crate) async fn get(tx: &mut Tx, id: &str) -> Result<Run> {
    let row = tx.one(GET, args![id]).await?;
    row.as_ref()
        .map_or_else(|| Err(Error::RunUnknown { id: id.to_owned() }), read)
}

impl Catalog {
    pub async fn create_run(&self, run: &Run) -> Result<()> {
        let (sql, values) = insert(run)?;
        self.db.write(sql, values).await.map(drop)
    }

    /// Stores how the run stands: state, end, snapshot, counts, error and result of `run`; the rest stays as it was created.
    pub async fn finish_run(&self, run: &Run) -> Result<()> {
        let (sql, values) = finish(run)?;
        match self.db.write(sql, values).await? {
            0 => Err(Error::RunUnknown { id: run.id.clone() }),
            _ => Ok(()),
        }
    }

    /// Notes the checkpoint that a run goes on from.
    pub async fn set_resumed(&self, run: &str, from: &Resumed) -> Result<()> {
        let sql = "UPDATE run SET resumed = $2 WHERE id = $1";
        match self.db.write(sql, args![run, json(from)?]).await? {
            0 => Err(Error::RunUnknown { id: run.to_owned() }),
            _ => Ok(()),
        }
    }

    pub async fn run(&self, id: &str) -> Result<Run> {
        let row = self.db.read_one(GET, args![id]).await?;
        row.as_ref()
            .map_or_else(|| Err(Error::RunUnknown { id: id.to_owned() }), read)
    }

    /// The newest first, by id: ids of runs grow with time.
    pub async fn runs(&self, page: &Page) -> Result<Listed<Run>> {
        let before = page.position::<1>()?.map(|[id]| id);
        let sql = "SELECT id, kind, connector, repository, state, created, finished, snapshot, counts, error, resumed,
                policy, reason, retry_of, waiting, result
            FROM run WHERE id < $1 OR $1 IS NULL ORDER BY id DESC LIMIT $2";
        let rows = self
            .db
            .read(sql, args![before, page.limit() as u64 + 1])
            .await?;
        let runs = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(runs, page.limit(), |run| {
            page::cursor(&[&run.id])
        }))
    }
}
