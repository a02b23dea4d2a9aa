//! What is done for repositories by itself, and how they stand after it.

use jiff::Timestamp;
use model::{Maintenance, RunKind};

use crate::db::{Row, Tx, args, json, word};
use crate::{Catalog, Error, QueuedRun, Result};

/// A task of a repository as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaintenanceRow {
    /// The repository's name.
    pub repository: String,
    pub maintenance: Maintenance,
    /// Where the next check begins to read, in percent of all packs.
    pub position: u8,
    /// Times of its schedule up to this one are dealt with; 1970 until the scheduler has seen it.
    pub handled: Timestamp,
    /// When its schedule made a run last.
    pub fired: Option<Timestamp>,
}

/// What a check says about a repository beside its number of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    pub at: Timestamp,
    /// Notes aside.
    pub problems: u64,
    /// Some of them only show when packs are read.
    pub hidden: bool,
    /// All packs were read.
    pub read_all: bool,
}

/// Complete rows; what follows narrows them down.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.name, m.task, m.schedule, m.read_percent, m.position, m.handled, m.fired
            FROM maintenance m JOIN repository r ON r.key = m.repository ",
            $rest
        )
    };
}

fn percent(number: u64) -> Result<u8> {
    u8::try_from(number).map_err(|_| Error::damaged(format!("percentage {number}")))
}

fn read(row: &Row) -> Result<MaintenanceRow> {
    Ok(MaintenanceRow {
        repository: row.text(0)?,
        maintenance: Maintenance {
            task: row.word(1)?,
            schedule: row.json(2)?,
            read_percent: percent(row.unsigned(3)?)?,
        },
        position: percent(row.unsigned(4)?)?,
        handled: row.time(5)?,
        fired: row.opt_time(6)?,
    })
}

impl Catalog {
    /// What is done by itself, for all repositories.
    pub async fn all_maintenance(&self) -> Result<Vec<MaintenanceRow>> {
        let sql = select!("ORDER BY m.repository, m.task");
        self.db.read(sql, args![]).await?.iter().map(read).collect()
    }

    /// What is done by itself for a repository.
    pub async fn maintenance(&self, repository: &str) -> Result<Vec<MaintenanceRow>> {
        let sql = select!("WHERE m.repository = $1 ORDER BY m.task");
        let rows = self.db.read(sql, args![repository.to_lowercase()]).await?;
        rows.iter().map(read).collect()
    }

    /// Replaces what is done by itself for a repository, if it is still at `version`; whatever is there without one. Another schedule counts
    /// from `now` on, and what is not named is switched off.
    pub async fn set_maintenance(
        &self,
        repository: &str,
        tasks: &[Maintenance],
        version: Option<i64>,
        now: Timestamp,
    ) -> Result<()> {
        let known = self.repository(repository).await?;
        let before = self.maintenance(repository).await?;
        let key = repository.to_lowercase();
        let mut tx = self.db.begin().await?;
        let sql = "UPDATE repository SET maintenance_version = maintenance_version + 1
            WHERE key = $1 AND (maintenance_version = $2 OR $2 IS NULL)";
        if tx.execute(sql, args![&key, version]).await? == 0 {
            return Err(Error::SettingsChanged {
                what: format!("what is done for repository `{}` by itself", known.name),
            });
        }
        tx.execute("DELETE FROM maintenance WHERE repository = $1", args![&key])
            .await?;
        for one in tasks {
            let known = before.iter().find(|row| row.maintenance.task == one.task);
            let same = known.filter(|row| row.maintenance.schedule == one.schedule);
            let handled = same.map_or(now, |row| row.handled);
            let position = known.map_or(0, |row| row.position);
            let fired = known.and_then(|row| row.fired);
            insert(&mut tx, &key, one, position, handled, fired).await?;
        }
        tx.commit().await
    }

    /// Deals with the times of a task up to `handled`, and queues the runs for them, all or nothing. The next check reads from `position`
    /// on. `false` when somebody else was faster, or changed it.
    pub async fn fire_maintenance(
        &self,
        before: &MaintenanceRow,
        handled: Timestamp,
        position: u8,
        runs: &[QueuedRun],
    ) -> Result<bool> {
        let mut tx = self.db.begin().await?;
        let fired = runs.iter().map(|queued| queued.run.created).max();
        let sql = "UPDATE maintenance SET handled = $4, position = $5, fired = coalesce($6, fired)
            WHERE repository = $1 AND task = $2 AND handled = $3";
        let values = args![
            before.repository.to_lowercase(),
            word(&before.maintenance.task)?,
            before.handled,
            handled,
            i64::from(position),
            fired,
        ];
        if tx.execute(sql, values).await? == 0 {
            return Ok(false);
        }
        for queued in runs {
            Self::queue_in(&mut tx, queued).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether a run of this kind waits for this repository already: another one would do the same.
    pub async fn is_waiting(&self, kind: RunKind, repository: &str) -> Result<bool> {
        // SQLite knows the case of ASCII letters alone.
        let sql = "SELECT DISTINCT repository FROM run WHERE state = 'queued' AND kind = $1";
        let key = repository.to_lowercase();
        for row in self.db.read(sql, args![word(&kind)?]).await? {
            if row.text(0)?.to_lowercase() == key {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Notes what a check found. Damage stays noted until a check that could see it finds none.
    pub async fn note_examined(&self, repository: &str, found: &Examined) -> Result<()> {
        let sql = "UPDATE repository SET checked = $2, problems = $3,
                damaged = CASE WHEN $3 > 0 OR (damage_read = 1 AND $5 = 0) THEN coalesce(damaged, $2) END,
                damage_read = CASE WHEN $4 = 1 OR (damage_read = 1 AND $5 = 0) THEN 1 ELSE 0 END
            WHERE key = $1";
        let values = args![
            repository.to_lowercase(),
            found.at,
            found.problems,
            found.hidden,
            found.read_all,
        ];
        match self.db.write(sql, values).await? {
            0 => Err(Error::RepositoryUnknown {
                name: repository.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Notes that a prune went through. `repository` is an id; one that is not known here is left alone.
    pub async fn note_pruned(&self, repository: &str, at: Timestamp) -> Result<()> {
        let sql = "UPDATE repository SET pruned = $2 WHERE id = $1";
        self.db.write(sql, args![repository, at]).await.map(drop)
    }

    /// Notes how large all files of a repository are, by its id.
    pub async fn note_size(&self, repository: &str, bytes: u64, at: Timestamp) -> Result<()> {
        let sql = "UPDATE repository SET bytes = $2, measured = $3 WHERE id = $1";
        let values = args![repository, bytes, at];
        self.db.write(sql, values).await.map(drop)
    }

    /// Remembers what the check of a connector warned of, in place of what was known.
    pub async fn set_connector_warnings(&self, connector: &str, codes: &[&str]) -> Result<()> {
        let key = connector.to_lowercase();
        let mut tx = self.db.begin().await?;
        tx.execute(
            "DELETE FROM connector_warning WHERE connector = $1",
            args![&key],
        )
        .await?;
        for code in codes {
            tx.execute(
                "INSERT INTO connector_warning (connector, code) VALUES ($1, $2) ON CONFLICT (connector, code) DO NOTHING",
                args![&key, *code],
            )
            .await?;
        }
        tx.commit().await
    }

    /// The connectors whose last check warned of this, in lower case.
    pub async fn connectors_warned_of(&self, code: &str) -> Result<Vec<String>> {
        let sql = "SELECT connector FROM connector_warning WHERE code = $1 ORDER BY connector";
        let rows = self.db.read(sql, args![code]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }
}

/// What a new repository begins with.
pub(crate) async fn begin(tx: &mut Tx, key: &str) -> Result<()> {
    for one in Maintenance::standard() {
        insert(tx, key, &one, 0, Timestamp::UNIX_EPOCH, None).await?;
    }
    Ok(())
}

async fn insert(
    tx: &mut Tx,
    key: &str,
    one: &Maintenance,
    position: u8,
    handled: Timestamp,
    fired: Option<Timestamp>,
) -> Result<()> {
    let sql = "INSERT INTO maintenance (repository, task, schedule, read_percent, position, handled, fired)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = args![
        key,
        word(&one.task)?,
        json(&one.schedule)?,
        i64::from(one.read_percent),
        i64::from(position),
        handled,
        fired,
    ];
    match tx.execute(sql, values).await {
        Err(error) if error.is_foreign_key() => Err(Error::RepositoryUnknown {
            name: key.to_owned(),
        }),
        other => other.map(drop),
    }
}
