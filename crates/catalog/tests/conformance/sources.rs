use std::collections::BTreeSet;

use catalog::{Catalog, Change, ItemFilter, Page, Query, SnapshotFilter, SourceKey, TextFilter};
use model::SourceId;

use crate::index::all_at;
use crate::support::{Place, snapshot, work_item};

const ONE: &str = "https://one.example/tfs/DefaultCollection";
const OTHER: &str = "https://other.example/tfs/DefaultCollection";

fn at(url: &str) -> SourceKey {
    SourceKey {
        repository: "9d1a".to_owned(),
        id: SourceId::new("azure-devops", url, "DefaultCollection"),
    }
}

/// Two servers back up into one repository, by turns.
async fn filled(place: &Place) -> Catalog {
    let catalog = place.open().await;
    for (url, id, second, parent, change) in [
        (ONE, "a1", 1, None, Change::Added),
        (OTHER, "b1", 2, None, Change::Added),
        (ONE, "a2", 3, Some("a1"), Change::Changed),
        (OTHER, "b2", 4, Some("b1"), Change::Removed),
    ] {
        let mut row = snapshot(&at(url), id, second, parent);
        row.source_file = said(url);
        let item = work_item("7", &format!("Salaries of {url}"), id, change);
        catalog.add_snapshot(&row, [item]).await.unwrap();
    }
    catalog.index_texts().await.unwrap();
    catalog
}

/// As a snapshot describes itself.
fn said(url: &str) -> String {
    let (time, none) = ("2026-11-22T10:00:00Z", serde_json::json!({}));
    serde_json::json!({
        "schema": 1, "service": "azure-devops", "source": "defaultcollection", "url": url, "connector": "c", "run": "r", "job": "j",
        "token": 1, "started": time, "finished": time, "selection": [], "cursors": none, "counts": none,
    })
    .to_string()
}

async fn snapshots(catalog: &Catalog, filter: SnapshotFilter) -> String {
    let listed = catalog.list_snapshots(&filter, &Page::first(10)).await;
    let ids: Vec<String> = listed
        .unwrap()
        .items
        .into_iter()
        .map(|one| one.id)
        .collect();
    ids.join(" ")
}

pub(crate) async fn organizations_of_one_name_at_two_addresses_are_two_sources(place: Place) {
    let catalog = filled(&place).await;
    let rows = catalog.sources().await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].name, rows[1].name);
    for (url, ids) in [(ONE, "a2 a1"), (OTHER, "b2 b1")] {
        let own = SnapshotFilter {
            sources: Some(vec![at(url).id]),
            ..SnapshotFilter::default()
        };
        assert_eq!(snapshots(&catalog, own).await, ids);
        let named = SnapshotFilter {
            source: Some(url.to_owned()),
            ..SnapshotFilter::default()
        };
        assert_eq!(snapshots(&catalog, named).await, ids);
        let filter = TextFilter {
            sources: Some(BTreeSet::from([at(url).id])),
            ..TextFilter::default()
        };
        let found = catalog
            .search_text(&Query::parse("salaries"), &filter, &Page::first(10))
            .await
            .unwrap();
        let sources: Vec<&SourceKey> = found.items.iter().map(|hit| &hit.source).collect();
        assert_eq!(sources, [&at(url)]);
    }
    let both = SnapshotFilter {
        source: Some("DefaultCollection".to_owned()),
        ..SnapshotFilter::default()
    };
    assert_eq!(snapshots(&catalog, both).await, "b2 a2 b1 a1");
    // Sequence numbers and versions count for each alone.
    let (all, page) = (ItemFilter::default(), Page::first(10));
    let changes = catalog
        .changes_between(&at(ONE), 1, 2, &all, None, &page)
        .await;
    assert_eq!(changes.unwrap().items[0].change, Change::Changed);
    assert_eq!(all_at(&catalog, &at(ONE), 2).await.len(), 1);
    assert_eq!(all_at(&catalog, &at(OTHER), 2).await.len(), 0);
    catalog.clear_index(&at(OTHER)).await.unwrap();
    assert_eq!(all_at(&catalog, &at(ONE), 2).await[0].digest, "a2");
}

/// What an older program wrote: sources are told by their names.
pub(crate) async fn sources_of_an_older_catalog_get_the_addresses_that_their_snapshots_say(
    place: Place,
) {
    let catalog = place.open().await;
    for (url, name, ids) in [
        (ONE, "contoso", ["a1", "a2"]),
        (OTHER, "fabrikam", ["b1", "b2"]),
    ] {
        let mut parent = None;
        for (second, id) in (1..).zip(ids) {
            let key = SourceKey {
                id: SourceId::new("azure-devops", "", name),
                ..at(url)
            };
            let mut row = snapshot(&key, id, second, parent);
            // One of the second name was taken elsewhere.
            row.source_file = said(if id == "b2" { ONE } else { url });
            let change = [Change::Added, Change::Changed][usize::from(parent.is_some())];
            let item = work_item("7", "Seven", id, change);
            catalog.add_snapshot(&row, [item]).await.unwrap();
            parent = Some(id);
        }
    }
    catalog.close().await;
    place
        .sql(&[
            "ALTER TABLE person DROP COLUMN reach_of_groups",
            "ALTER TABLE source DROP COLUMN name",
            "ALTER TABLE source RENAME COLUMN address TO name",
            "DELETE FROM schema_version WHERE version = 15",
        ])
        .await;
    let catalog = place.open().await;
    let rows = catalog.sources().await.unwrap();
    let keys: Vec<SourceKey> = rows.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, [at(ONE)], "two that were listed as one are taken out");
    assert_eq!(all_at(&catalog, &at(ONE), 2).await[0].digest, "a2");
    assert_eq!(
        snapshots(&catalog, SnapshotFilter::default()).await,
        "a2 a1"
    );
    // What was taken out can be listed again.
    let again = snapshot(&at(OTHER), "b1", 1, None);
    catalog.add_snapshot(&again, []).await.unwrap();
}
