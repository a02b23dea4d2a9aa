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

    /// Opens the SQLite file that another process works with, whose schema is not to change below it: `None` unless it is this program's.
    pub async fn open_file_beside(path: &Path) -> Result<Option<Self>> {
        let db = dialect::sqlite::open(path).await?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::args;

    #[tokio::test]
    async fn the_schema_of_another_version_is_not_changed_below_its_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let catalog = Catalog::open_file(&path).await.unwrap();
        let beside = async || Catalog::open_file_beside(&path).await.unwrap().is_some();
        assert!(beside().await);
        let newest = "SELECT MAX(version) FROM schema_version";
        let mut tx = catalog.db.begin().await.unwrap();
        let older =
            "DELETE FROM schema_version WHERE version = (SELECT MAX(version) FROM schema_version)";
        tx.execute(older, args![]).await.unwrap();
        tx.commit().await.unwrap();
        let version = async || catalog.db.read(newest, args![]).await.unwrap()[0].int(0);
        let before = version().await.unwrap();
        assert!(!beside().await);
        assert_eq!(version().await.unwrap(), before);
    }
}
