//! Opening the catalog.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::db::Db;
use crate::held::Held;
use crate::{Result, dialect, schema};

/// A handle on the catalog; clones share its connections.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) db: Db,
    /// Told of snapshots whose texts nobody can search yet.
    pub(crate) texts: Arc<Notify>,
    /// The job without which this handle writes to no restore plan.
    pub(crate) held: Option<Held>,
    /// The version of the rules without which this handle changes none of them.
    pub(crate) judged: Option<i64>,
}

impl Catalog {
    /// Opens `sqlite:///folder/catalog.db` (made when missing), `sqlite::memory:` or `postgres://…`, and brings its
    /// schema up to date. Refuses a schema that is newer than this program.
    pub async fn open(url: &str) -> Result<Self> {
        let db = Db::connect(url).await?;
        schema::migrate(&db).await?;
        Ok(Self::over(db))
    }

    /// Opens the SQLite file at a path, which may hold any characters; made when missing.
    pub async fn open_file(path: &Path) -> Result<Self> {
        let db = dialect::sqlite::open(path).await?;
        schema::migrate(&db).await?;
        Ok(Self::over(db))
    }

    /// Opens a catalog as [`Catalog::open`], below whose holder nothing is to change: `None` unless its schema is this program's.
    pub async fn open_beside(url: &str) -> Result<Option<Self>> {
        Self::beside(Db::connect(url).await?).await
    }

    /// The same for the SQLite file at a path.
    pub async fn open_file_beside(path: &Path) -> Result<Option<Self>> {
        Self::beside(dialect::sqlite::open(path).await?).await
    }

    async fn beside(db: Db) -> Result<Option<Self>> {
        let is_current = schema::is_current(&db).await?;
        Ok(is_current.then(|| Self::over(db)))
    }

    fn over(db: Db) -> Self {
        Self {
            db,
            texts: Arc::default(),
            held: None,
            judged: None,
        }
    }

    /// Waits for running statements and closes all connections; other clones fail afterwards.
    pub async fn close(&self) {
        self.db.close().await;
    }
}
