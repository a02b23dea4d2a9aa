use std::collections::BTreeSet;

use catalog::{Catalog, Change, IndexChange, Page, Query, TextFilter, TextHit};
use model::ItemRef;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::names::hostile;
use crate::support::{Place, at, snapshot, source, work_item};

fn with_text(id: &str, name: &str, text: &str, change: Change) -> IndexChange {
    let mut row = work_item(id, name, text, change);
    text.clone_into(&mut row.text);
    row
}

async fn found(catalog: &Catalog, query: &str, filter: &TextFilter) -> Vec<TextHit> {
    let mut hits = Vec::new();
    let mut page = Some(Page::first(2));
    while let Some(this) = page {
        let listed = catalog
            .search_text(&Query::parse(query), filter, &this)
            .await
            .unwrap();
        page = this.following(&listed);
        hits.extend(listed.items);
    }
    hits
}

async fn ids(catalog: &Catalog, query: &str, filter: &TextFilter) -> Vec<String> {
    let hits = found(catalog, query, filter).await;
    hits.into_iter().map(|hit| hit.entry.item.id).collect()
}

async fn all_ids(catalog: &Catalog, query: &str) -> Vec<String> {
    ids(catalog, query, &TextFilter::default()).await
}

pub(crate) async fn words_of_names_and_texts_are_found_names_first(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows = [
        with_text(
            "1",
            "Login fails",
            "The user cannot sign in to src/app/login.cs at example.com",
            Change::Added,
        ),
        with_text(
            "2",
            "Crème brûlée",
            "A login that isn't; see the payment log",
            Change::Added,
        ),
        with_text("3", "PaymentService", "支払い処理が失敗する", Change::Added),
        with_text("4", "quiet", "", Change::Added),
        with_text(
            "30",
            "Страница входа СЛОМАНА",
            "100%_done \\ really",
            Change::Added,
        ),
    ];
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    assert!(
        all_ids(&catalog, "login").await.is_empty(),
        "nothing is indexed yet"
    );
    catalog.index_texts().await.unwrap();
    for (query, expected) in [
        ("login", &["1", "2"][..]),
        ("LOGIN user", &["1"]),
        ("login -payment", &["1"]),
        ("\"sign in\"", &["1"]),
        ("\"in sign\"", &[]),
        ("app", &["1"]),
        ("example", &["1"]),
        ("creme", &["2"]),
        ("BRÛLÉE", &["2"]),
        ("pay", &[]),
        ("pay*", &["3", "2"]),
        ("service", &["3"]),
        ("払い処", &["3"]),
        ("処払", &[]),
        ("isn't", &["2"]),
        ("3", &["3"]),
        ("work-item", &[]),
        ("-login", &[]),
        ("сломана Входа", &["30"]),
        ("_done \\", &["30"]),
        ("30", &["30"]),
        ("login missing", &[]),
        ("\"fails the\"", &[]),
    ] {
        assert_eq!(all_ids(&catalog, query).await, expected, "{query}");
    }
    let hits = found(&catalog, "login", &TextFilter::default()).await;
    let marked: Vec<&str> = hits[1]
        .excerpt
        .iter()
        .filter(|piece| piece.hit)
        .map(|piece| piece.text.as_str())
        .collect();
    assert_eq!(marked, ["login"]);
}

pub(crate) async fn who_may_not_read_texts_learns_nothing_of_them(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows = [
        with_text("1", "Salaries", "the secret number is 4711", Change::Added),
        with_text("2", "Salaries of others", "nothing", Change::Added),
    ];
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    catalog.index_texts().await.unwrap();
    let filter = TextFilter {
        names_only: true,
        ..TextFilter::default()
    };
    assert!(ids(&catalog, "secret", &filter).await.is_empty());
    assert!(ids(&catalog, "salaries 4711", &filter).await.is_empty());
    // That something is excluded would tell that it is there.
    assert_eq!(ids(&catalog, "salaries -secret", &filter).await, ["2", "1"]);
    assert_eq!(ids(&catalog, "salaries -others", &filter).await, ["1"]);
    for hit in found(&catalog, "salaries", &filter).await {
        assert!(hit.excerpt.is_empty());
    }
}

pub(crate) async fn old_texts_are_found_in_their_time(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let first = [
        with_text("1", "Plan", "alpha", Change::Added),
        with_text("2", "Other", "alpha", Change::Added),
    ];
    catalog
        .add_snapshot(&snapshot(&source, "aa", 10, None), first)
        .await
        .unwrap();
    let second = [
        with_text("1", "Plan", "beta", Change::Changed),
        with_text("2", "", "", Change::Removed),
    ];
    catalog
        .add_snapshot(&snapshot(&source, "bb", 20, Some("aa")), second)
        .await
        .unwrap();
    catalog.index_texts().await.unwrap();
    let between = |since: Option<i64>, until: Option<i64>| TextFilter {
        since: since.map(at),
        until: until.map(at),
        ..TextFilter::default()
    };
    assert_eq!(
        all_ids(&catalog, "alpha").await,
        ["2", "1"],
        "what is gone is found too"
    );
    assert_eq!(
        ids(&catalog, "alpha", &between(None, Some(15))).await,
        ["2", "1"]
    );
    assert!(
        ids(&catalog, "alpha", &between(Some(15), None))
            .await
            .is_empty()
    );
    assert_eq!(ids(&catalog, "beta", &between(Some(15), None)).await, ["1"]);
    assert!(
        ids(&catalog, "beta", &between(None, Some(15)))
            .await
            .is_empty()
    );
    let plan = found(&catalog, "plan", &TextFilter::default()).await;
    assert_eq!(plan.len(), 1);
    assert_eq!(plan[0].entry.digest, "beta", "the newest version");
    catalog.forget_snapshot("aa").await.unwrap();
    assert!(
        all_ids(&catalog, "alpha").await.is_empty(),
        "what is forgotten is not found"
    );
    catalog.clear_index(&source).await.unwrap();
    assert!(all_ids(&catalog, "plan").await.is_empty());
}

pub(crate) async fn kind_project_and_source_narrow_a_search(place: Place) {
    let catalog = place.open().await;
    let (contoso, fabrikam) = (source("contoso"), source("fabrikam"));
    for (source, id) in [(&contoso, "aa"), (&fabrikam, "bb")] {
        let mut project = with_text("P-1", "Über Payments", "login", Change::Added);
        project.item = ItemRef::new("project", "", "P-1");
        "p-1".clone_into(&mut project.project);
        let mut team = with_text("7", "login team", "", Change::Added);
        team.item = ItemRef::new("team", "P-1", "7");
        let mut item = with_text("1", "login", "", Change::Added);
        "Über Payments".clone_into(&mut item.project);
        let other = with_text("2", "login", "", Change::Added);
        catalog
            .add_snapshot(&snapshot(source, id, 1, None), [project, team, item, other])
            .await
            .unwrap();
    }
    catalog.index_texts().await.unwrap();
    let base = TextFilter {
        source: Some(contoso.clone()),
        ..TextFilter::default()
    };
    assert_eq!(all_ids(&catalog, "login").await.len(), 8);
    assert_eq!(ids(&catalog, "login", &base).await.len(), 4);
    let kind = TextFilter {
        kind: Some("team".to_owned()),
        ..base.clone()
    };
    assert_eq!(ids(&catalog, "login", &kind).await, ["7"]);
    for name in ["p-1", "ÜBER payments"] {
        let project = TextFilter {
            project: Some(name.to_owned()),
            ..base.clone()
        };
        let hits = found(&catalog, "login", &project).await;
        let ids: BTreeSet<&str> = hits.iter().map(|hit| hit.entry.item.id.as_str()).collect();
        assert_eq!(ids, BTreeSet::from(["1", "7", "P-1"]), "{name}");
        assert!(
            hits.iter()
                .all(|hit| hit.project.as_deref() == Some("Über Payments"))
        );
    }
    let none = TextFilter {
        project: Some("nowhere".to_owned()),
        ..base
    };
    assert!(ids(&catalog, "login", &none).await.is_empty());
    let reach = |name: &str| TextFilter {
        sources: Some(BTreeSet::from([source(name).id])),
        ..TextFilter::default()
    };
    let hits = found(&catalog, "login", &reach("fabrikam")).await;
    assert!(hits.len() == 4 && hits.iter().all(|hit| hit.source == fabrikam));
    assert!(
        found(&catalog, "login", &reach("elsewhere"))
            .await
            .is_empty()
    );
}

pub(crate) async fn a_part_of_a_project_s_name_narrows_a_search(place: Place) {
    let catalog = place.open().await;
    let (contoso, fabrikam) = (source("contoso"), source("fabrikam"));
    let project = |id: &str, name: &str| {
        let mut row = with_text(id, name, "", Change::Added);
        row.item = ItemRef::new("project", "", id);
        row
    };
    let item = |id: &str, project: &str| {
        let mut row = with_text(id, "login", "", Change::Added);
        project.clone_into(&mut row.project);
        row
    };
    let mut team = with_text("7", "login team", "", Change::Added);
    team.item = ItemRef::new("team", "p-1", "7");
    let rows = [
        project("p-1", "Adventure Works"),
        project("p-2", "Web"),
        project("p-3", "Web Ö_Shop"),
        item("1", "Adventure Works"),
        item("2", "p-1"),
        item("3", "Web"),
        item("4", "p-3"),
        item("5", "Lonely"),
        team,
    ];
    catalog
        .add_snapshot(&snapshot(&contoso, "aa", 1, None), rows)
        .await
        .unwrap();
    let rows = [project("q-1", "Adventure"), item("9", "q-1")];
    catalog
        .add_snapshot(&snapshot(&fabrikam, "bb", 1, None), rows)
        .await
        .unwrap();
    catalog.index_texts().await.unwrap();
    let found = async |project: &str| {
        let filter = TextFilter {
            project: Some(project.to_owned()),
            sources: Some(BTreeSet::from([contoso.id.clone()])),
            ..TextFilter::default()
        };
        let found = found(&catalog, "login", &filter).await;
        let ids = found.into_iter().map(|hit| hit.entry.item.id);
        ids.collect::<BTreeSet<_>>()
    };
    let all = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    // Another organization's project of that very name, which is not looked in, does not stand before it.
    assert_eq!(found("ADVENTURE").await, all(&["1", "2", "7"]));
    assert_eq!(
        found("LONELY").await,
        all(&["5"]),
        "its project is not there"
    );
    assert_eq!(found("ö_s").await, all(&["4"]), "no pattern of a database");
    assert_eq!(found("_").await, all(&["4"]));
    assert_eq!(found("eb").await, all(&["3", "4"]));
    assert_eq!(
        found("web").await,
        all(&["3"]),
        "the whole name is that one"
    );
    assert_eq!(found("p-").await, all(&[]), "of an id a part is no name");
    assert_eq!(found("p-3").await, all(&["4"]));
}

pub(crate) async fn no_query_is_an_error(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let rows: Vec<_> = hostile()
        .iter()
        .enumerate()
        .map(|(id, name)| {
            with_text(
                &id.to_string(),
                name,
                &format!("before {name} after"),
                Change::Added,
            )
        })
        .collect();
    catalog
        .add_snapshot(&snapshot(&source, "aa", 1, None), rows)
        .await
        .unwrap();
    catalog.index_texts().await.unwrap();
    let pieces = [
        "\"", "'", "*", "-", "(", ")", "NEAR", "AND", "OR", "NOT", "name:", "{name}", ":A", "\\",
        "&", "|", "!", "<->", "$1", "?", "before", "after", "\0", "\u{301}", "語", " ", " ", "^",
        "+", ";", "--", "İ", "\u{FDD0}", "%",
    ];
    let mut rng = StdRng::seed_from_u64(7);
    let mut queries = hostile();
    for _ in 0..400 {
        let length = rng.random_range(0..12);
        queries.push(
            (0..length)
                .map(|_| pieces[rng.random_range(0..pieces.len())])
                .collect(),
        );
    }
    for names_only in [false, true] {
        let filter = TextFilter {
            names_only,
            ..TextFilter::default()
        };
        for query in &queries {
            catalog
                .search_text(&Query::parse(query), &filter, &Page::first(5))
                .await
                .unwrap();
        }
    }
    assert_eq!(
        ids(&catalog, "before after", &TextFilter::default())
            .await
            .len(),
        hostile().len()
    );
}

pub(crate) async fn an_unchanged_text_is_stored_once(place: Place) {
    let (catalog, source) = (place.open().await, source("contoso"));
    let mut parent: Option<String> = None;
    for (number, digest) in (1i64..).zip(["d1", "d2", "d3"]) {
        let mut row = with_text(
            "1",
            "Same",
            "same text",
            if parent.is_none() {
                Change::Added
            } else {
                Change::Changed
            },
        );
        digest.clone_into(&mut row.digest);
        let id = format!("s{number}");
        catalog
            .add_snapshot(&snapshot(&source, &id, number, parent.as_deref()), [row])
            .await
            .unwrap();
        parent = Some(id);
    }
    catalog.index_texts().await.unwrap();
    let hits = found(&catalog, "same", &TextFilter::default()).await;
    assert_eq!((hits.len(), hits[0].entry.digest.as_str()), (1, "d3"));
    // The oldest version goes, and the text stays with the others.
    catalog.forget_snapshot("s1").await.unwrap();
    assert_eq!(all_ids(&catalog, "\"same text\"").await, ["1"]);
    for id in ["s2", "s3"] {
        catalog.forget_snapshot(id).await.unwrap();
    }
    assert!(all_ids(&catalog, "same").await.is_empty());
}
