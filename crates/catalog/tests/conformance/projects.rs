use std::collections::BTreeMap;

use catalog::{Catalog, Change, IndexChange, ItemFilter, Page, ProjectCount, SourceKey};
use model::ItemRef;

use crate::support::{Place, snapshot, source, work_item};

fn item(kind: &str, scope: &str, id: &str, project: &str, change: Change) -> IndexChange {
    let mut row = work_item(id, &format!("{kind} {id}"), project, change);
    row.item = ItemRef::new(kind, scope, id);
    project.clone_into(&mut row.project);
    row
}

async fn ids(catalog: &Catalog, source: &SourceKey, seq: i64, filter: &ItemFilter) -> Vec<String> {
    let mut ids = Vec::new();
    let mut page = Some(Page::first(2));
    while let Some(this) = page {
        let listed = catalog.items_at(source, seq, filter, &this).await.unwrap();
        page = this.following(&listed);
        ids.extend(listed.items.into_iter().map(|entry| entry.item.id));
    }
    ids
}

fn of(project: &str) -> ItemFilter {
    ItemFilter {
        project: Some(project.to_owned()),
        ..ItemFilter::default()
    }
}

/// Three snapshots: work items move, and a project gets another name.
async fn filled(place: &Place) -> (Catalog, SourceKey) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let mut web = item("project", "", "p-1", "p-1", Change::Added);
    "Web".clone_into(&mut web.name);
    let first = [
        web,
        item("area", "p-1", "a1", "", Change::Added),
        item("area", "p-2", "a2", "", Change::Added),
        item("git-repository", "", "r1", "p-1", Change::Added),
        item("work-item", "", "1", "Web", Change::Added),
        item("work-item", "", "2", "Web", Change::Added),
        item("work-item", "", "3", "Other", Change::Added),
        item("work-item", "", "4", "Web", Change::Added),
    ];
    let mut renamed = item("project", "", "p-1", "p-1", Change::Changed);
    "Shop".clone_into(&mut renamed.name);
    let second = [
        renamed,
        item("work-item", "", "2", "Other", Change::Changed),
        item("work-item", "", "3", "Shop", Change::Changed),
        item("work-item", "", "4", "", Change::Removed),
    ];
    let third = [item("work-item", "", "5", "Shop", Change::Added)];
    let row = snapshot(&source, "s1", 10, None);
    catalog.add_snapshot(&row, first).await.unwrap();
    let row = snapshot(&source, "s2", 20, Some("s1"));
    catalog.add_snapshot(&row, second).await.unwrap();
    let row = snapshot(&source, "s3", 30, Some("s2"));
    catalog.add_snapshot(&row, third).await.unwrap();
    (catalog, source)
}

pub(crate) async fn items_of_a_project_are_listed_wherever_they_lie(place: Place) {
    let (catalog, source) = filled(&place).await;
    for project in ["Web", "p-1", "SHOP"] {
        let filter = of(project);
        let first = ids(&catalog, &source, 1, &filter).await;
        assert_eq!(first, ["a1", "r1", "p-1", "1", "2", "4"], "{project}");
        let second = ids(&catalog, &source, 2, &filter).await;
        assert_eq!(second, ["a1", "r1", "p-1", "1", "3"], "{project}");
    }
    let work_items = ItemFilter {
        kind: Some("work-item".to_owned()),
        ..of("other")
    };
    assert_eq!(ids(&catalog, &source, 1, &work_items).await, ["3"]);
    assert_eq!(ids(&catalog, &source, 2, &work_items).await, ["2"]);
    assert!(ids(&catalog, &source, 2, &of("none")).await.is_empty());
    // What belongs to none, and not what lies outside of the folders of projects.
    assert!(ids(&catalog, &source, 2, &of("")).await.is_empty());
}

pub(crate) async fn a_name_that_another_project_took_over_is_that_ones(place: Place) {
    let (catalog, source) = filled(&place).await;
    let mut other = item("project", "", "p-9", "p-9", Change::Added);
    "Web".clone_into(&mut other.name);
    let fourth = [
        other,
        item("git-repository", "", "r9", "p-9", Change::Added),
        item("work-item", "", "1", "Shop", Change::Changed),
        item("work-item", "", "9", "Web", Change::Added),
    ];
    let row = snapshot(&source, "s4", 40, Some("s3"));
    catalog.add_snapshot(&row, fourth).await.unwrap();
    for project in ["p-1", "shop"] {
        let own = ids(&catalog, &source, 4, &of(project)).await;
        assert_eq!(own, ["a1", "r1", "p-1", "1", "3", "5"], "{project}");
    }
    for project in ["P-9", "web"] {
        let own = ids(&catalog, &source, 4, &of(project)).await;
        assert_eq!(own, ["r9", "p-9", "9"], "{project}");
    }
    // Before that the name was the first one's.
    let before = ids(&catalog, &source, 2, &of("web")).await;
    assert_eq!(before, ["a1", "r1", "p-1", "1", "3"]);
}

async fn counts(catalog: &Catalog, id: &str) -> BTreeMap<(String, String), u64> {
    let known = catalog.find_snapshot(id).await.unwrap();
    let counts = catalog.project_counts(&known).await.unwrap();
    let pair = |count: ProjectCount| ((count.kind, count.project), count.items);
    counts.into_iter().map(pair).collect()
}

pub(crate) async fn counts_are_the_same_however_they_were_found(place: Place) {
    let (catalog, source) = filled(&place).await;
    let expected = |pairs: &[(&str, &str, u64)]| -> BTreeMap<(String, String), u64> {
        let pair = |(kind, project, items): &(&str, &str, u64)| {
            (((*kind).to_owned(), (*project).to_owned()), *items)
        };
        pairs.iter().map(pair).collect()
    };
    let always = [
        ("project", "p-1", 1),
        ("area", "p-1", 1),
        ("area", "p-2", 1),
        ("git-repository", "p-1", 1),
    ];
    let first = [
        &always[..],
        &[("work-item", "web", 3), ("work-item", "other", 1)],
    ]
    .concat();
    let second = [
        &always[..],
        &[
            ("work-item", "web", 1),
            ("work-item", "other", 1),
            ("work-item", "shop", 1),
        ],
    ]
    .concat();
    let third = [
        &always[..],
        &[
            ("work-item", "web", 1),
            ("work-item", "other", 1),
            ("work-item", "shop", 2),
        ],
    ]
    .concat();
    // Counted whole, then backward, then forward over two.
    assert_eq!(counts(&catalog, "s3").await, expected(&third));
    assert_eq!(counts(&catalog, "s1").await, expected(&first));
    assert_eq!(counts(&catalog, "s2").await, expected(&second));
    // From the first one on, and after a snapshot in between is gone.
    catalog.clear_index(&source).await.unwrap();
    let (catalog, _) = filled(&place).await;
    assert_eq!(counts(&catalog, "s1").await, expected(&first));
    catalog.forget_snapshot("s2").await.unwrap();
    assert_eq!(counts(&catalog, "s3").await, expected(&third));
    assert_eq!(counts(&catalog, "s3").await, expected(&third));
}

pub(crate) async fn names_are_found_by_their_words_whether_or_not_these_are_indexed(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let mut rows = Vec::new();
    for number in 0..2500 {
        let id = format!("{number:04}");
        let mut row = item("work-item", "", &id, "Web", Change::Added);
        row.name = format!(
            "Common task {}",
            if number % 500 == 7 { "login page" } else { "" }
        );
        rows.push(row);
    }
    catalog
        .add_snapshot(&snapshot(&source, "s1", 10, None), rows)
        .await
        .unwrap();
    let mut gone = item("work-item", "", "0507", "Web", Change::Changed);
    "Common task elsewhere".clone_into(&mut gone.name);
    let row = snapshot(&source, "s2", 20, Some("s1"));
    catalog.add_snapshot(&row, [gone]).await.unwrap();
    let named = |name: &str, project: Option<&str>| ItemFilter {
        name: Some(name.to_owned()),
        project: project.map(str::to_owned),
        ..ItemFilter::default()
    };
    for round in 0..2 {
        for name in ["login page", "LOGIN", "login pa"] {
            let filter = named(name, None);
            assert_eq!(
                ids(&catalog, &source, 1, &filter).await,
                ["0007", "0507", "1007", "1507", "2007"],
                "{name} {round}"
            );
            assert_eq!(
                ids(&catalog, &source, 2, &filter).await,
                ["0007", "1007", "1507", "2007"],
                "{name} {round}"
            );
            let filter = named(name, Some("web"));
            assert_eq!(
                ids(&catalog, &source, 2, &filter).await,
                ["0007", "1007", "1507", "2007"],
                "{name} {round}"
            );
            let filter = named(name, Some("other"));
            assert!(
                ids(&catalog, &source, 2, &filter).await.is_empty(),
                "{name} {round}"
            );
        }
        assert!(
            ids(&catalog, &source, 2, &named("nowhere", None))
                .await
                .is_empty()
        );
        let (filter, page) = (named("common", None), Page::first(10));
        let common = catalog.items_at(&source, 2, &filter, &page).await;
        assert_eq!(common.unwrap().items.len(), 10);
        // In any order, and by the id.
        let turned = ids(&catalog, &source, 1, &named("page login", None)).await;
        assert_eq!(turned.len(), 5, "{round}");
        let numbered = ids(&catalog, &source, 2, &named("0507", None)).await;
        assert_eq!(numbered, ["0507"], "{round}");
        catalog.index_texts().await.unwrap();
    }
}
