//! What the catalog knows of snapshots: a cache of what their repositories say.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::{KindCounts, SourceId};

use crate::db::{Row, args};
use crate::{Catalog, Error, Listed, Page, Result, page};

/// What snapshots are of, and where they lie: sequence numbers count within it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey {
    /// The id of the repository, not the name that it has here.
    pub repository: String,
    pub id: SourceId,
}

impl SourceKey {
    /// Its columns, of `source s` or another alias.
    pub(crate) fn read(row: &Row, from: usize) -> Result<Self> {
        Ok(Self {
            repository: row.text(from)?,
            id: SourceId {
                service: row.text(from + 1)?,
                address: row.text(from + 2)?,
            },
        })
    }
}

/// A source that has or had snapshots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceRow {
    pub key: SourceKey,
    /// As its newest snapshot calls it: the organization, lower case. Two sources may have one name.
    pub name: String,
}

/// A snapshot to be remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotRow {
    pub source: SourceKey,
    /// What people call the source: the organization, lower case.
    pub name: String,
    pub id: String,
    pub time: Timestamp,
    pub run: String,
    pub tree: String,
    /// The snapshot that the rows are the difference to; `None` when they are everything there is.
    pub parent: Option<String>,
    pub counts: BTreeMap<String, KindCounts>,
    /// The text of `source.json`.
    pub source_file: String,
}

/// A snapshot that is remembered; its `source.json` is read by [`Catalog::source_file`].
#[derive(Clone, Debug, PartialEq)]
pub struct KnownSnapshot {
    pub source: SourceKey,
    /// What people call the source; two sources may have one name.
    pub name: String,
    /// Grows by one from snapshot to snapshot of a source; forgotten ones leave gaps.
    pub seq: i64,
    pub id: String,
    pub time: Timestamp,
    pub run: String,
    pub tree: String,
    pub parent: Option<String>,
    pub counts: BTreeMap<String, KindCounts>,
}

impl KnownSnapshot {
    /// The columns that [`KnownSnapshot::read`] reads, of `source s` and `snapshot n`.
    pub(crate) const COLUMNS: &str = "s.repository, s.service, s.address, s.name, n.seq, n.id, n.taken, n.run, n.tree, n.parent, n.counts";

    pub(crate) fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            source: SourceKey::read(row, 0)?,
            name: row.text(3)?,
            seq: row.int(4)?,
            id: row.text(5)?,
            time: row.time(6)?,
            run: row.text(7)?,
            tree: row.text(8)?,
            parent: row.opt_text(9)?,
            counts: row.json(10)?,
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.repository, s.service, s.address, s.name, n.seq, n.id, n.taken, n.run, n.tree, n.parent, n.counts
            FROM snapshot n JOIN source s ON s.id = n.source ",
            $rest
        )
    };
}

impl Catalog {
    /// Everything that has or had snapshots.
    pub async fn sources(&self) -> Result<Vec<SourceRow>> {
        let sql = "SELECT repository, service, address, name FROM source ORDER BY repository, service, address";
        let rows = self.db.read(sql, args![]).await?;
        let read = |row| {
            Ok(SourceRow {
                key: SourceKey::read(row, 0)?,
                name: row.text(3)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Snapshots of all sources, or of those in one repository, the newest first.
    pub async fn snapshots(
        &self,
        repository: Option<&str>,
        page: &Page,
    ) -> Result<Listed<KnownSnapshot>> {
        let (time, id): (i64, _) = match page.position::<2>()? {
            Some([time, id]) => (time.parse().map_err(|_| Error::Cursor)?, Some(id)),
            None => (0, None),
        };
        let sql = select!(
            "WHERE ($1 IS NULL OR s.repository = $1) AND ($3 IS NULL OR n.taken < $2 OR (n.taken = $2 AND n.id < $3))
            ORDER BY n.taken DESC, n.id DESC LIMIT $4"
        );
        let rows = self
            .db
            .read(sql, args![repository, time, id, page.limit() as u64 + 1])
            .await?;
        let snapshots = rows
            .iter()
            .map(KnownSnapshot::read)
            .collect::<Result<Vec<_>>>()?;
        Ok(Listed::cut(snapshots, page.limit(), |last| {
            page::cursor(&[&last.time.as_microsecond().to_string(), &last.id])
        }))
    }

    /// Names, in lower case, of the repositories that hold snapshots which no run of this catalog made: another installation did, or this one before its
    /// catalog was lost.
    pub async fn adopted_repositories(&self) -> Result<BTreeSet<String>> {
        let sql = "SELECT key FROM repository WHERE id IN (SELECT source.repository FROM snapshot
            JOIN source ON source.id = snapshot.source
            WHERE NOT EXISTS (SELECT 1 FROM run WHERE run.id = snapshot.run))";
        let rows = self.db.read(sql, args![]).await?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    /// All snapshots of one source, the newest first.
    pub async fn source_snapshots(&self, source: &SourceKey) -> Result<Vec<KnownSnapshot>> {
        let sql = select!(
            "WHERE s.repository = $1 AND s.service = $2 AND s.address = $3 ORDER BY n.seq DESC"
        );
        let rows = self
            .db
            .read(
                sql,
                args![&source.repository, &source.id.service, &source.id.address],
            )
            .await?;
        rows.iter().map(KnownSnapshot::read).collect()
    }

    /// The newest snapshot of a source that was taken at or before a time, or at all.
    pub async fn latest_snapshot(
        &self,
        source: &SourceKey,
        at: Option<Timestamp>,
    ) -> Result<Option<KnownSnapshot>> {
        let sql = select!(
            "WHERE s.repository = $1 AND s.service = $2 AND s.address = $3 AND ($4 IS NULL OR n.taken <= $4)
            ORDER BY n.seq DESC LIMIT 1"
        );
        let values = args![
            &source.repository,
            &source.id.service,
            &source.id.address,
            at
        ];
        self.db
            .read_one(sql, values)
            .await?
            .as_ref()
            .map(KnownSnapshot::read)
            .transpose()
    }

    /// The one snapshot whose id begins so.
    pub async fn find_snapshot(&self, prefix: &str) -> Result<KnownSnapshot> {
        let sql = select!("WHERE n.id >= $1 AND n.id < $2 ORDER BY n.id LIMIT 10");
        let rows = self
            .db
            .read(sql, args![prefix, format!("{prefix}\u{10FFFF}")])
            .await?;
        let mut found = rows
            .iter()
            .map(KnownSnapshot::read)
            .collect::<Result<Vec<_>>>()?;
        if found.len() > 1 {
            let candidates = found.into_iter().map(|snapshot| snapshot.id).collect();
            return Err(Error::SnapshotAmbiguous {
                prefix: prefix.to_owned(),
                candidates,
            });
        }
        found.pop().ok_or_else(|| Error::SnapshotUnknown {
            id: prefix.to_owned(),
        })
    }

    /// The text of a snapshot's `source.json`.
    pub async fn source_file(&self, id: &str) -> Result<String> {
        let row = self
            .db
            .read_one("SELECT source_file FROM snapshot WHERE id = $1", args![id])
            .await?;
        row.map_or_else(
            || Err(Error::SnapshotUnknown { id: id.to_owned() }),
            |row| row.text(0),
        )
    }
}
