use catalog::{
    Catalog, Change, Error, IndexChange, IndexEntry, ItemFilter, ItemState, Page, SourceKey,
};
use tokio::task::JoinSet;

use crate::support::{Place, at, snapshot, source, work_item};

pub(crate) async fn all_at(catalog: &Catalog, source: &SourceKey, seq: i64) -> Vec<IndexEntry> {
    catalog
        .items_at(source, seq, &ItemFilter::default(), &Page::first(1000))
        .await
        .unwrap()
        .items
}

pub(crate) async fn a_quiet_snapshot_writes_no_rows(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows = [
        work_item("1", "One", "d1", Change::Added),
        work_item("2", "Two", "d2", Change::Added),
    ];
    let first = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    let quiet = catalog
        .add_snapshot(&snapshot(&source, "bb", 2, Some("aa")), [])
        .await
        .unwrap();
    assert_eq!((first, quiet), (1, 2));
    let entries = all_at(&catalog, &source, quiet).await;
    assert_eq!(entries, all_at(&catalog, &source, first).await);
    assert!(
        entries
            .iter()
            .all(|entry| entry.first_seq == 1 && entry.gone_seq.is_none())
    );
    assert_eq!(entries[0].modified, Some(at(7)));

    let mut binned = work_item("2", "Two", "d2", Change::Changed);
    binned.state = ItemState::Binned;
    let rows = [work_item("1", "", "", Change::Removed), binned];
    catalog
        .add_snapshot(&snapshot(&source, "cc", 3, Some("bb")), rows)
        .await
        .unwrap();
    let history = catalog.history(&source, "work-item", "2").await.unwrap();
    let intervals: Vec<_> = history
        .iter()
        .map(|entry| (entry.state, entry.first_seq, entry.gone_seq))
        .collect();
    assert_eq!(
        intervals,
        [(ItemState::Live, 1, Some(3)), (ItemState::Binned, 3, None)]
    );
    let history = catalog.history(&source, "work-item", "1").await.unwrap();
    assert_eq!(history[0].gone_seq, Some(3));
    let only_live = ItemFilter {
        state: Some(ItemState::Live),
        ..ItemFilter::default()
    };
    assert!(
        catalog
            .items_at(&source, 3, &only_live, &Page::first(9))
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let counts = catalog.counts_at(&source, 2).await.unwrap();
    assert_eq!(counts, [("work-item".to_owned(), String::new(), 2)]);
}

pub(crate) async fn an_interrupted_snapshot_leaves_nothing(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let mut writer = catalog
        .begin_snapshot(&snapshot(&source, "aa", 1, None))
        .await
        .unwrap();
    for number in 0..1000 {
        writer
            .push(work_item(&number.to_string(), "n", "d", Change::Added))
            .await
            .unwrap();
    }
    drop(writer);
    let catalog = place.open().await;
    assert!(matches!(
        catalog.find_snapshot("aa").await,
        Err(Error::SnapshotUnknown { .. })
    ));
    let rows = [work_item("5", "five", "d", Change::Added)];
    let seq = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    assert_eq!(all_at(&catalog, &source, seq).await.len(), 1);
}

pub(crate) async fn a_known_snapshot_keeps_its_number(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let row = snapshot(&source, "aa", 1, None);
    let rows = || [work_item("1", "One", "d1", Change::Added)];
    assert_eq!(catalog.add_snapshot(&row, rows()).await.unwrap(), 1);
    assert_eq!(catalog.add_snapshot(&row, rows()).await.unwrap(), 1);
    assert_eq!(all_at(&catalog, &source, 1).await.len(), 1);
    let orphan = catalog
        .add_snapshot(&snapshot(&source, "bb", 2, Some("zz")), [])
        .await;
    assert!(matches!(orphan, Err(Error::SnapshotUnknown { id }) if id == "zz"));
}

pub(crate) async fn an_item_that_comes_twice_is_refused(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows = [
        work_item("1", "One", "d1", Change::Added),
        work_item("1", "Uno", "d2", Change::Added),
    ];
    let refused = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await;
    assert!(matches!(refused, Err(Error::DuplicateItem { .. })));
    assert!(catalog.source_snapshots(&source).await.unwrap().is_empty());
}

pub(crate) async fn changes_are_paged_in_both_directions(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let added = (0..50).map(|id| work_item(&format!("{id:02}"), "n", "d", Change::Added));
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), added.collect::<Vec<_>>())
        .await
        .unwrap();
    let mut rows = vec![
        work_item("00", "", "", Change::Removed),
        work_item("99", "n", "d", Change::Added),
    ];
    rows.extend((1..20).map(|id| work_item(&format!("{id:02}"), "n", "e", Change::Changed)));
    catalog
        .add_snapshot(&snapshot(&source, "bb", 2, Some("aa")), rows)
        .await
        .unwrap();

    let all = ItemFilter::default();
    let mut changes = Vec::new();
    let mut page = Some(Page::first(4));
    while let Some(this) = page {
        let listed = catalog
            .changes_between(&source, 1, 2, &all, None, &this)
            .await
            .unwrap();
        changes.extend(
            listed
                .items
                .iter()
                .map(|change| (change.item.id.clone(), change.change)),
        );
        page = this.following(&listed);
    }
    assert_eq!(changes.len(), 21);
    assert_eq!(changes[0], ("00".to_owned(), Change::Removed));
    assert_eq!(changes[20], ("99".to_owned(), Change::Added));
    assert!(
        changes[1..20]
            .iter()
            .all(|(_, change)| *change == Change::Changed)
    );
    let back = catalog
        .changes_between(&source, 2, 1, &all, None, &Page::first(100))
        .await
        .unwrap()
        .items;
    assert_eq!(back[0].change, Change::Added);
    assert_eq!(back[0].after.as_ref().unwrap().digest, "d");
    assert_eq!(back[20].change, Change::Removed);
    let other = ItemFilter {
        kind: Some("team".to_owned()),
        ..ItemFilter::default()
    };
    assert!(
        catalog
            .changes_between(&source, 1, 2, &other, None, &Page::first(9))
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

pub(crate) async fn what_came_into_the_recycle_bin_is_a_deletion(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let row = |id: &str, digest: &str, change, state| IndexChange {
        state,
        ..work_item(id, "n", digest, change)
    };
    let (live, binned) = (ItemState::Live, ItemState::Binned);
    let first = [
        row("back", "a", Change::Added, binned),
        row("deleted", "a", Change::Added, live),
        row("destroyed", "a", Change::Added, binned),
        row("edited", "a", Change::Added, live),
        row("restated", "a", Change::Added, binned),
    ];
    let second = [
        row("back", "b", Change::Changed, live),
        row("deleted", "b", Change::Changed, binned),
        row("destroyed", "", Change::Removed, live),
        row("edited", "b", Change::Changed, live),
        row("new", "b", Change::Added, live),
        row("restated", "b", Change::Changed, binned),
    ];
    for (id, number, parent, rows) in [
        ("aa", 1, None, first.to_vec()),
        ("bb", 2, Some("aa"), second.to_vec()),
    ] {
        let snapshot = snapshot(&source, id, number, parent);
        catalog.add_snapshot(&snapshot, rows).await.unwrap();
    }
    let changes = async |from: i64, to: i64, only: Option<Change>| {
        let (all, page) = (ItemFilter::default(), Page::first(9));
        let listed = catalog.changes_between(&source, from, to, &all, only, &page);
        let items = listed.await.unwrap().items.into_iter();
        let told = items.map(|one| {
            let sides = (one.before.is_some(), one.after.is_some());
            (one.item.id, one.change, sides)
        });
        told.collect::<Vec<_>>()
    };
    let told = |id: &str, change, before, after| (id.to_owned(), change, (before, after));
    let added = [
        told("back", Change::Added, true, true),
        told("new", Change::Added, false, true),
    ];
    let removed = [
        told("deleted", Change::Removed, true, true),
        told("destroyed", Change::Removed, true, false),
    ];
    assert_eq!(changes(1, 2, Some(Change::Added)).await, added);
    assert_eq!(changes(1, 2, Some(Change::Removed)).await, removed);
    let changed: Vec<_> = changes(1, 2, Some(Change::Changed)).await;
    assert_eq!(
        changed,
        ["edited", "restated"].map(|id| told(id, Change::Changed, true, true))
    );
    assert_eq!(changes(1, 2, None).await.len(), 6);
    // The other way round, what was deleted came back.
    let back: Vec<String> = changes(2, 1, Some(Change::Added))
        .await
        .into_iter()
        .map(|(id, ..)| id)
        .collect();
    assert_eq!(back, ["deleted", "destroyed"]);
}

pub(crate) async fn snapshots_are_found_by_prefix_and_time(place: Place) {
    let (catalog, one, two) = (place.open().await, source("contoso"), source("fabrikam"));
    for (source, id, second, parent) in [
        (&one, "abc1", 10, None),
        (&two, "abc2", 20, None),
        (&one, "def3", 30, Some("abc1")),
    ] {
        catalog
            .add_snapshot(&snapshot(source, id, second, parent), [])
            .await
            .unwrap();
    }
    assert_eq!(catalog.find_snapshot("def").await.unwrap().seq, 2);
    let ambiguous = catalog.find_snapshot("abc").await.unwrap_err();
    assert!(ambiguous.to_string().contains("abc1, abc2"));
    assert_eq!(ambiguous.code(), Some("snapshot-ambiguous"));
    let unknown = catalog.find_snapshot("%").await.unwrap_err();
    assert_eq!(unknown.code(), Some("snapshot-unknown"));
    assert_eq!(
        catalog.source_file("abc2").await.unwrap(),
        "{\"of\":\"abc2\"}"
    );

    let mut ids = Vec::new();
    let mut page = Some(Page::first(2));
    while let Some(this) = page {
        let listed = catalog.snapshots(Some("9d1a"), &this).await.unwrap();
        ids.extend(listed.items.iter().map(|snapshot| snapshot.id.clone()));
        page = this.following(&listed);
    }
    assert_eq!(ids, ["def3", "abc2", "abc1"]);
    assert!(
        catalog
            .snapshots(Some("other"), &Page::first(9))
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let at_noon = catalog
        .latest_snapshot(&one, Some(at(29)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(at_noon.id, "abc1");
    assert_eq!(
        catalog
            .latest_snapshot(&one, None)
            .await
            .unwrap()
            .unwrap()
            .id,
        "def3"
    );
    assert!(
        catalog
            .latest_snapshot(&one, Some(at(1)))
            .await
            .unwrap()
            .is_none()
    );
    let sources = async || {
        let rows = catalog.sources().await.unwrap().into_iter();
        rows.map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(sources().await, [one.clone(), two.clone()]);
    catalog.clear_index(&two).await.unwrap();
    assert_eq!(sources().await, [one]);
    assert!(matches!(
        catalog.forget_snapshot("abc2").await,
        Err(Error::SnapshotUnknown { .. })
    ));
}

pub(crate) async fn two_writers_of_one_source_follow_each_other(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let mut writers = JoinSet::new();
    for writer in 0..6_u32 {
        let (catalog, source) = (catalog.clone(), source.clone());
        writers.spawn(async move {
            // Complete listings, so that none depends on which one came before.
            let row = snapshot(&source, &format!("snapshot-{writer}"), 1, None);
            let items = (0..=writer).map(|id| work_item(&id.to_string(), "n", "d", Change::Added));
            catalog
                .add_snapshot(&row, items.collect::<Vec<_>>())
                .await
                .unwrap()
        });
    }
    let mut seqs = writers.join_all().await;
    seqs.sort_unstable();
    assert_eq!(seqs, [1, 2, 3, 4, 5, 6]);
    for known in catalog.source_snapshots(&source).await.unwrap() {
        let writer: usize = known.id.strip_prefix("snapshot-").unwrap().parse().unwrap();
        assert_eq!(all_at(&catalog, &source, known.seq).await.len(), writer + 1);
    }
}
