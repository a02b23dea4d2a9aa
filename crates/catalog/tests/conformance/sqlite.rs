//! What only an embedded database can be asked.

use catalog::{Catalog, Change};

use crate::index::all_at;
use crate::support::{Place, snapshot, source, work_item};

#[tokio::test]
async fn memory_holds_a_whole_catalog() {
    let (catalog, source) = (
        Catalog::open("sqlite::memory:").await.unwrap(),
        source("contoso"),
    );
    let rows = (0..500).map(|id| work_item(&id.to_string(), "n", "d", Change::Added));
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows.collect::<Vec<_>>())
        .await
        .unwrap();
    assert_eq!(all_at(&catalog.clone(), &source, 1).await.len(), 500);
}

/// The files as a power cut would leave them, while one transaction is committed and one is open.
#[tokio::test]
async fn a_copy_of_the_files_in_use_holds_what_was_committed() {
    let (place, copy) = (Place::sqlite(), Place::sqlite());
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows = [work_item("1", "One", "d", Change::Added)];
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    let mut open = catalog
        .begin_snapshot(&snapshot(&source, "bb", 2, Some("aa")))
        .await
        .unwrap();
    for id in 2..5000 {
        open.push(work_item(&id.to_string(), "n", "d", Change::Added))
            .await
            .unwrap();
    }
    let path = |place: &Place| place.url.strip_prefix("sqlite://").unwrap().to_owned();
    for end in ["", "-wal"] {
        std::fs::copy(path(&place) + end, path(&copy) + end).unwrap();
    }
    drop(open);
    let found = copy.open().await;
    assert_eq!(found.source_snapshots(&source).await.unwrap().len(), 1);
    assert_eq!(all_at(&found, &source, 1).await.len(), 1);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_an_error() {
    assert!(
        Catalog::open("sqlite:///nowhere/at/all/catalog.db")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_path_may_hold_any_characters() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("a b?mode=ro&c%20d#ü.db");
    Catalog::open_file(&path).await.unwrap().close().await;
    assert!(path.is_file());
}
