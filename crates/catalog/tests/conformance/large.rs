//! Lists that are longer than what a page looks at.

use catalog::{
    Catalog, Change, IndexChange, ItemFilter, ItemState, Page, Query, SourceKey, TextFilter,
};
use model::ItemRef;

use crate::support::{Place, snapshot, source, work_item};

/// More than the places at which a word is still rare.
const MANY: usize = 6600;

fn id(number: usize) -> String {
    format!("{number:05}")
}

fn project(number: usize) -> &'static str {
    if number % 1500 == 17 { "Rare" } else { "Web" }
}

fn name(number: usize) -> String {
    match number {
        2200 => "Änderung der Aufgabe".to_owned(),
        _ if number % 1000 == 5 => format!("Common task {number} Quarantäne"),
        _ => format!("Common task {number}"),
    }
}

/// The first snapshot has one item, which is the last of the list; the second one all others too.
async fn filled(place: &Place) -> (Catalog, SourceKey) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let item = |number: usize| -> IndexChange {
        let mut row = work_item(&id(number), &name(number), "d", Change::Added);
        project(number).clone_into(&mut row.project);
        if number % 1250 == 9 {
            row.state = ItemState::Binned;
        }
        row
    };
    let mut team = work_item("t", "Common team", "d", Change::Added);
    team.item = ItemRef::new("team", "p-1", "t");
    let first = snapshot(&source, "s1", 10, None);
    catalog.add_snapshot(&first, [item(MANY)]).await.unwrap();
    let others: Vec<IndexChange> = (0..MANY).map(item).chain([team]).collect();
    let second = snapshot(&source, "s2", 20, Some("s1"));
    catalog.add_snapshot(&second, others).await.unwrap();
    (catalog, source)
}

/// All ids, and how many pages they took.
async fn ids(
    catalog: &Catalog,
    source: &SourceKey,
    seq: i64,
    filter: &ItemFilter,
) -> (Vec<String>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    let mut page = Some(Page::first(900));
    while let Some(this) = page {
        let listed = catalog.items_at(source, seq, filter, &this).await.unwrap();
        assert!(listed.items.len() <= 900);
        page = this.following(&listed);
        ids.extend(listed.items.into_iter().map(|entry| entry.item.id));
        pages += 1;
    }
    (ids, pages)
}

pub(crate) async fn a_page_looks_at_a_part_of_a_large_list_and_all_pages_find_all(place: Place) {
    let (catalog, source) = filled(&place).await;
    of_an_old_snapshot(&catalog, &source).await;
    let known: Vec<Known> = (0..=MANY).map(Known::of).collect();
    let texts = |text: &'static str| Some(text.to_owned());
    let names = [
        None,
        texts("TASK comm"),
        texts("quarantäne 3005"),
        texts("0520"),
        texts("nowhere"),
        texts("-"),
    ];
    for indexed in [false, true] {
        for name in &names {
            for of in [None, Some("rare"), Some("none")] {
                for state in [None, Some(ItemState::Binned)] {
                    let filter = ItemFilter {
                        kind: texts("work-item"),
                        project: of.map(str::to_owned),
                        name: name.clone(),
                        state,
                        ..ItemFilter::default()
                    };
                    let expected: Vec<String> = (0..=MANY)
                        .filter(|number| known[*number].is_wanted(&filter))
                        .map(id)
                        .collect();
                    let (found, _) = ids(&catalog, &source, 2, &filter).await;
                    assert_eq!(found, expected, "{indexed} {filter:?}");
                }
            }
        }
        catalog.index_texts().await.unwrap();
    }
    of_narrow_filters(&catalog, &source).await;
    of_a_search(&catalog, &source).await;
}

/// What the catalog has to find, said as simply as can be.
struct Known {
    words: Vec<String>,
    project: String,
    binned: bool,
}

fn words(text: &str) -> Vec<String> {
    let plain = text.to_lowercase().replace('ä', "a");
    plain.split_whitespace().map(str::to_owned).collect()
}

impl Known {
    fn of(number: usize) -> Self {
        Self {
            words: words(&format!("{} {}", name(number), id(number))),
            project: project(number).to_lowercase(),
            binned: number % 1250 == 9,
        }
    }

    fn is_wanted(&self, filter: &ItemFilter) -> bool {
        let of = filter.project.as_ref();
        let state = filter.state.map(|state| state == ItemState::Binned);
        if of.is_some_and(|of| *of != self.project) || state.is_some_and(|is| is != self.binned) {
            return false;
        }
        let asked = filter.name.as_deref().map(words).unwrap_or_default();
        asked.iter().enumerate().all(|(at, word)| {
            let last = at + 1 == asked.len();
            let is = |has: &String| has == word || (last && has.starts_with(word));
            self.words.iter().any(is)
        })
    }
}

/// It has one item, behind all that came later.
async fn of_an_old_snapshot(catalog: &Catalog, source: &SourceKey) {
    let named = |name: Option<&str>| ItemFilter {
        name: name.map(str::to_owned),
        ..ItemFilter::default()
    };
    for filter in [named(None), named(Some("common")), named(Some("-"))] {
        let first = catalog
            .items_at(source, 1, &filter, &Page::first(50))
            .await
            .unwrap();
        assert!(
            first.items.is_empty() && first.next.is_some(),
            "{filter:?}: {first:?}"
        );
        let (found, pages) = ids(catalog, source, 1, &filter).await;
        let all = if filter.name.as_deref() == Some("-") {
            vec![]
        } else {
            vec![id(MANY)]
        };
        assert_eq!(found, all, "{filter:?}");
        assert!(pages < 5, "{pages}");
    }
}

/// What is in a bin, and what belongs to a small project, is not looked for among the rest.
async fn of_narrow_filters(catalog: &Catalog, source: &SourceKey) {
    let binned = ItemFilter {
        state: Some(ItemState::Binned),
        ..ItemFilter::default()
    };
    let rare = ItemFilter {
        project: Some("rare".to_owned()),
        ..ItemFilter::default()
    };
    for (filter, most) in [(binned, 2), (rare, 1)] {
        let (found, pages) = ids(catalog, source, 2, &filter).await;
        assert!(!found.is_empty() && pages <= most, "{filter:?}: {pages}");
    }
}

async fn of_a_search(catalog: &Catalog, source: &SourceKey) {
    let filter = |project: &str| TextFilter {
        project: Some(project.to_owned()),
        source: Some(source.clone()),
        ..TextFilter::default()
    };
    for (project, expected) in [("none", 0), ("rare", 5)] {
        let (mut found, mut pages, mut page) = (0, 0, Some(Page::first(20)));
        while let Some(this) = page {
            let words = Query::parse("common");
            let listed = catalog
                .search_text(&words, &filter(project), &this)
                .await
                .unwrap();
            page = this.following(&listed);
            found += listed.items.len();
            pages += 1;
        }
        assert_eq!(found, expected, "{project}");
        assert!((2..100).contains(&pages), "{project}: {pages}");
    }
}
