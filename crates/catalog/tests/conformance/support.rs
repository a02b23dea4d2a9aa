//! What the tests share.

use std::collections::BTreeMap;

use catalog::{Catalog, Change, IndexChange, ItemState, SnapshotRow, SourceKey};
use jiff::Timestamp;
use model::{Counts, ItemRef, Run, RunKind, RunState, SourceId};
use tempfile::TempDir;

/// A database that one test has for itself.
pub(crate) struct Place {
    pub(crate) url: String,
    /// Deletes the folder in the end.
    _folder: Option<TempDir>,
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/catalog.db", folder.path().display());
        Self {
            url,
            _folder: Some(folder),
        }
    }

    pub(crate) fn at(url: String) -> Self {
        Self { url, _folder: None }
    }

    /// What no version of the program would do.
    pub(crate) async fn sql(&self, statements: &[&'static str]) {
        if self.url.starts_with("sqlite") {
            let pool = sqlx::SqlitePool::connect(&self.url).await.unwrap();
            for sql in statements {
                sqlx::query(*sql).execute(&pool).await.unwrap();
            }
            pool.close().await;
        } else {
            let pool = sqlx::PgPool::connect(&self.url).await.unwrap();
            for sql in statements {
                sqlx::query(*sql).execute(&pool).await.unwrap();
            }
            pool.close().await;
        }
    }

    /// A handle with connections of its own, as another process would have.
    pub(crate) async fn open(&self) -> Catalog {
        Catalog::open(&self.url).await.unwrap()
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn run(id: &str) -> Run {
    Run {
        id: id.to_owned(),
        kind: RunKind::Backup,
        connector: "contoso".to_owned(),
        repository: "main".to_owned(),
        state: RunState::Queued,
        created: at(0),
        finished: None,
        snapshot: None,
        counts: Counts::default(),
        error: None,
        resumed: None,
        policy: None,
        reason: model::Reason::Command,
        retry_of: None,
        waiting: None,
        result: None,
    }
}

pub(crate) fn source(name: &str) -> SourceKey {
    SourceKey {
        repository: "9d1a".to_owned(),
        id: SourceId::new("azure-devops", "https://dev.azure.com", name),
    }
}

/// What the helpers above call a source.
pub(crate) fn name_of(source: &SourceKey) -> &str {
    source.id.address.rsplit('/').next().unwrap()
}

pub(crate) fn snapshot(
    source: &SourceKey,
    id: &str,
    second: i64,
    parent: Option<&str>,
) -> SnapshotRow {
    SnapshotRow {
        source: source.clone(),
        name: name_of(source).to_owned(),
        id: id.to_owned(),
        time: at(second),
        run: "run-1".to_owned(),
        tree: format!("tree-of-{id}"),
        parent: parent.map(str::to_owned),
        counts: BTreeMap::new(),
        source_file: format!("{{\"of\":\"{id}\"}}"),
    }
}

pub(crate) fn work_item(id: &str, name: &str, digest: &str, change: Change) -> IndexChange {
    IndexChange {
        item: ItemRef::new("work-item", "", id),
        name: name.to_owned(),
        path: format!("work-items/{id}"),
        digest: digest.to_owned(),
        size: 100,
        modified: Some(at(7)),
        state: ItemState::Live,
        change,
        text: String::new(),
        project: String::new(),
    }
}
