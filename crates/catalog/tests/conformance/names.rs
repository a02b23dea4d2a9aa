use catalog::{Change, ItemFilter, Page};
use model::ItemRef;

use crate::index::all_at;
use crate::support::{Place, run, snapshot, source, work_item};

pub(crate) fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "'; DROP TABLE item_version; --",
        "\" OR 1=1",
        "$1 ? :name @x",
        "%_\\%",
        "a/b\\c/../..",
        "nul\0in the middle",
        "\u{1}\u{7f}\u{9b}\r\n\t",
        "\u{FDD0}0\u{FDD0}",
        "İstanbul ß ﬁ",
        "{text} {blob}",
        " ",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("語".repeat(166) + "ab");
    names.push("e\u{301}".repeat(166));
    assert_eq!(names[names.len() - 2].len(), 500);
    names
}

pub(crate) async fn hostile_names_come_back_unchanged(place: Place) {
    let catalog = place.open().await;
    let names = hostile();
    for name in &names {
        let mut run = run(&format!("run {name}"));
        run.error = Some(name.clone());
        run.connector.clone_from(name);
        catalog.create_run(&run).await.unwrap();
        assert_eq!(catalog.run(&run.id).await.unwrap(), run);
    }
    let source = source(&names.concat());
    let rows: Vec<_> = names
        .iter()
        .map(|name| {
            let mut row = work_item(&format!("id {name}"), name, name, Change::Added);
            row.item = ItemRef::new(&format!("kind {name}"), name, &row.item.id);
            row.path.clone_from(name);
            row
        })
        .collect();
    let seq = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows.clone())
        .await
        .unwrap();
    let found = all_at(&catalog, &source, seq).await;
    assert_eq!(found.len(), rows.len());
    for row in &rows {
        let entry = found.iter().find(|entry| entry.item == row.item).unwrap();
        assert_eq!(
            (&entry.name, &entry.path, &entry.digest),
            (&row.name, &row.path, &row.digest)
        );
        let history = catalog
            .history(&source, &row.item.kind, &row.item.id)
            .await
            .unwrap();
        assert_eq!(history.len(), 1);
    }
}

pub(crate) async fn hostile_names_are_data_in_filters(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let names = hostile();
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(id, name)| {
            work_item(
                &format!("{id:02}"),
                &format!("before {name} after"),
                "d",
                Change::Added,
            )
        })
        .collect();
    let seq = catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    for (id, name) in names
        .iter()
        .enumerate()
        .filter(|(_, name)| !name.trim().is_empty())
    {
        let filter = ItemFilter {
            name: Some(name.clone()),
            ..ItemFilter::default()
        };
        let found = catalog
            .items_at(&source, seq, &filter, &Page::first(100))
            .await
            .unwrap()
            .items;
        let ids: Vec<_> = found.iter().map(|entry| entry.item.id.as_str()).collect();
        assert_eq!(ids, [format!("{id:02}")], "{name:?}");
        let nothing = ItemFilter {
            kind: Some(name.clone()),
            scope: Some(name.clone()),
            ..ItemFilter::default()
        };
        assert!(
            catalog
                .items_at(&source, seq, &nothing, &Page::first(1))
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
}
