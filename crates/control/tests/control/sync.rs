//! The catalog from the repository alone.

use catalog::{Catalog, IndexEntry, ItemFilter, KnownSnapshot, Page, SourceKey};
use control::{Control, Synced};
use engine::retention::{ForgetRequest, Keep};
use model::Class;

use crate::Installation;

/// What a catalog knows of all snapshots and the items in each.
async fn known(
    catalog: &Catalog,
    source: &SourceKey,
) -> Vec<(KnownSnapshot, String, Vec<IndexEntry>)> {
    let mut known = Vec::new();
    for snapshot in catalog.source_snapshots(source).await.unwrap() {
        let file = catalog.source_file(&snapshot.id).await.unwrap();
        let items = catalog
            .items_at(
                source,
                snapshot.seq,
                &ItemFilter::default(),
                &Page::first(1000),
            )
            .await
            .unwrap();
        known.push((snapshot, file, items.items));
    }
    known
}

async fn with_history() -> (Installation, SourceKey) {
    let installation = Installation::new().await;
    let world = &installation.world;
    world.put("box", "", "b1", "first box");
    for number in 0..20 {
        world.put(
            "leaf",
            "b1",
            &format!("l{number}"),
            &format!("leaf {number}"),
        );
    }
    installation.backup().await.result.unwrap();
    world.put("leaf", "b1", "l3", "leaf 3, changed");
    world.put("box", "", "b2", "second box");
    world.put("leaf", "b2", "m1", "Blatt 1 日本");
    installation.backup().await.result.unwrap();
    world.remove("leaf", "b1", "l7");
    installation.backup().await.result.unwrap();
    let source = SourceKey {
        repository: installation.repository.id().to_string(),
        id: installation
            .control
            .source_of(&installation.connector)
            .unwrap(),
    };
    (installation, source)
}

#[tokio::test]
async fn a_lost_catalog_is_made_again_from_the_repository() {
    let (installation, source) = with_history().await;
    let expected = known(&installation.control.catalog, &source).await;
    assert_eq!(
        expected
            .iter()
            .map(|(snapshot, ..)| snapshot.seq)
            .collect::<Vec<_>>(),
        [3, 2, 1]
    );
    assert_eq!(
        expected
            .iter()
            .map(|(.., items)| items.len())
            .collect::<Vec<_>>(),
        [22, 23, 21]
    );
    let control = Control {
        catalog: Catalog::open("sqlite::memory:").await.unwrap(),
        ..installation.control.clone()
    };
    assert_eq!(
        control.sync(&installation.repository).await.unwrap(),
        Synced {
            added: 3,
            removed: 0
        }
    );
    assert_eq!(known(&control.catalog, &source).await, expected);
    assert_eq!(
        control.sync(&installation.repository).await.unwrap(),
        Synced::default()
    );
}

#[tokio::test]
async fn a_snapshot_that_was_never_listed_is_found() {
    let (installation, source) = with_history().await;
    let catalog = &installation.control.catalog;
    let expected = known(catalog, &source).await;
    for missing in [0, 1] {
        catalog
            .forget_snapshot(&expected[missing].0.id)
            .await
            .unwrap();
        installation
            .control
            .sync(&installation.repository)
            .await
            .unwrap();
        let items: Vec<_> = known(catalog, &source)
            .await
            .into_iter()
            .map(|(.., items)| items)
            .collect();
        assert_eq!(items.len(), 3);
        for (items, (.., expected)) in items.iter().zip(&expected) {
            let named = |items: &[IndexEntry]| {
                items
                    .iter()
                    .map(|item| (item.item.clone(), item.digest.clone(), item.name.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(named(items), named(expected));
        }
    }
}

#[tokio::test]
async fn forgotten_snapshots_leave_the_catalog() {
    let (installation, source) = with_history().await;
    let oldest = installation.repository.snapshots().await.unwrap()[0].0;
    installation.repository.forget(&[oldest]).await.unwrap();
    assert_eq!(
        installation
            .control
            .sync(&installation.repository)
            .await
            .unwrap(),
        Synced {
            added: 0,
            removed: 1
        }
    );
    assert_eq!(
        installation
            .control
            .catalog
            .source_snapshots(&source)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn forgetting_spares_the_last_good_snapshot() {
    let (installation, source) = with_history().await;
    let good = installation.repository.snapshots().await.unwrap()[2].0;
    installation.world.fail(Some(Class::Permission));
    let stale = installation.backup().await.result.unwrap().snapshot;
    let (control, repository) = (&installation.control, &installation.repository);
    let service = control.service("fake").unwrap();
    let mut request = ForgetRequest {
        keep: Keep {
            last: 1,
            ..Keep::default()
        },
        dry_run: true,
        ..ForgetRequest::default()
    };
    let tried = control
        .forget(repository, service, &request)
        .await
        .unwrap()
        .decisions;
    assert_eq!((tried.len(), installation.snapshots().await), (4, 4));
    request.dry_run = false;
    let decided = control
        .forget(repository, service, &request)
        .await
        .unwrap()
        .decisions;
    assert_eq!(decided, tried);
    let kept: Vec<_> = decided
        .iter()
        .filter(|decision| decision.keep())
        .map(|decision| (decision.id, decision.reasons.join(", ")))
        .collect();
    assert_eq!(
        kept,
        [
            (stale, "last snapshot".to_owned()),
            (good, "last good snapshot of its source".to_owned())
        ]
    );
    assert_eq!(installation.snapshots().await, 2);
    let listed: Vec<String> = control
        .catalog
        .source_snapshots(&source)
        .await
        .unwrap()
        .into_iter()
        .map(|snapshot| snapshot.id)
        .collect();
    assert_eq!(listed, [stale.to_string(), good.to_string()]);
}

/// What is of each snapshot, the newest first; which numbers the catalog gave is its own affair.
async fn contents(catalog: &Catalog, source: &SourceKey) -> Vec<(String, Vec<(String, String)>)> {
    let all = known(catalog, source).await.into_iter();
    let named = |items: Vec<IndexEntry>| items.into_iter().map(|item| (item.item.id, item.digest));
    all.map(|(snapshot, _, items)| (snapshot.id, named(items).collect()))
        .collect()
}

#[tokio::test]
async fn after_a_kill_between_a_snapshot_and_its_rows_backups_go_on() {
    // The kill came at the third snapshot, or at the first of this catalog: three are in the repository in any case.
    for lost in [1, 2, 3] {
        let (installation, source) = with_history().await;
        let catalog = &installation.control.catalog;
        for (snapshot, ..) in &known(catalog, &source).await[..lost] {
            catalog.forget_snapshot(&snapshot.id).await.unwrap();
        }
        installation.world.put("leaf", "b2", "m2", "after the kill");
        for _ in 0..2 {
            let ended = installation.backup().await;
            assert_eq!(ended.run.state, model::RunState::Succeeded);
            ended.result.unwrap();
        }
        let afresh = Control {
            catalog: Catalog::open("sqlite::memory:").await.unwrap(),
            ..installation.control.clone()
        };
        afresh.sync(&installation.repository).await.unwrap();
        let expected = contents(&afresh.catalog, &source).await;
        assert_eq!(expected.len(), 5);
        assert_eq!(contents(catalog, &source).await, expected, "{lost} lost");
    }
}

#[tokio::test]
async fn a_forget_that_fails_in_the_middle_is_known_to_the_catalog() {
    let (installation, source) = with_history().await;
    let (control, repository) = (&installation.control, &installation.repository);
    let ids = repository.snapshots().await.unwrap();
    let (oldest, newest) = (ids[0].0, ids[2].0);
    // As after an error of the storage, or a kill: one of two is gone, and nobody told the catalog.
    repository.forget(&[oldest]).await.unwrap();
    let failed = control.forget_these(repository, &[newest, oldest]).await;
    assert_eq!(failed.unwrap_err().code(), Some("snapshot-unknown"));
    let listed = control.catalog.source_snapshots(&source).await.unwrap();
    let listed: Vec<String> = listed.into_iter().map(|snapshot| snapshot.id).collect();
    assert_eq!(listed, [ids[2].0.to_string(), ids[1].0.to_string()]);
}
