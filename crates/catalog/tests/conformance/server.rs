//! What the server asks of the catalog beside everything else: answers to repeat, lists for people, figures.

use std::time::Duration;

use catalog::{Catalog, Earlier, Kek, Page, RunFilter, SnapshotFilter};
use model::{RunState, Secret};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::support::{Place, at, run, snapshot, source};

const PATIENCE: Duration = Duration::from_mins(3);

async fn begin(catalog: &Catalog, request: &[u8], second: i64) -> Earlier {
    let kek = Kek::new([1; 32]);
    let begun = catalog
        .begin_answer(&kek, "ann", "k1", request, at(second), PATIENCE)
        .await;
    begun.unwrap()
}

pub(crate) async fn an_answer_is_kept_for_its_request(place: Place) {
    let catalog = place.open().await;
    let kek = Kek::new([1; 32]);
    assert!(matches!(begin(&catalog, b"one", 0).await, Earlier::Nothing));
    assert!(matches!(begin(&catalog, b"one", 1).await, Earlier::AtWork));
    assert!(matches!(begin(&catalog, b"two", 1).await, Earlier::Another));
    let answer = Secret::new("the answer");
    let mut rng = StdRng::seed_from_u64(1);
    catalog
        .keep_answer(&kek, "ann", "k1", at(0), &answer, &mut rng)
        .await
        .unwrap();
    let Earlier::Answered(kept) = begin(&catalog, b"one", 2).await else {
        panic!("it is not kept");
    };
    assert_eq!(kept.expose(), "the answer");
    assert!(matches!(begin(&catalog, b"two", 2).await, Earlier::Another));
    let day = 24 * 60 * 60 + 1;
    assert!(matches!(
        begin(&catalog, b"two", day).await,
        Earlier::Nothing
    ));
}

pub(crate) async fn a_request_that_was_cut_off_may_begin_again(place: Place) {
    let catalog = place.open().await;
    let kek = Kek::new([1; 32]);
    assert!(matches!(begin(&catalog, b"one", 0).await, Earlier::Nothing));
    assert!(matches!(
        begin(&catalog, b"one", 200).await,
        Earlier::Nothing
    ));
    // The first one ends after all: it is not the one that counts.
    let mut rng = StdRng::seed_from_u64(1);
    let late = Secret::new("late");
    catalog
        .keep_answer(&kek, "ann", "k1", at(0), &late, &mut rng)
        .await
        .unwrap();
    assert!(matches!(
        begin(&catalog, b"one", 201).await,
        Earlier::AtWork
    ));
    catalog.drop_answer("ann", "k1", at(200)).await.unwrap();
    assert!(matches!(
        begin(&catalog, b"one", 202).await,
        Earlier::Nothing
    ));
}

pub(crate) async fn runs_are_listed_by_what_people_may_see(place: Place) {
    let catalog = place.open().await;
    for (id, connector) in [
        ("1", "Contoso"),
        ("2", "fabrikam"),
        ("3", "contoso"),
        ("4", "other"),
    ] {
        let mut run = run(id);
        connector.clone_into(&mut run.connector);
        catalog.create_run(&run).await.unwrap();
    }
    let mut failed = run("3");
    failed.state = RunState::Failed;
    catalog.finish_run(&failed).await.unwrap();
    let ids = async |filter: RunFilter, limit| {
        let mut page = Page::first(limit);
        let mut ids = Vec::new();
        loop {
            let listed = catalog.list_runs(&filter, &page).await.unwrap();
            ids.extend(listed.items.iter().map(|run| run.id.clone()));
            match page.following(&listed) {
                Some(next) => page = next,
                None => return ids.join(" "),
            }
        }
    };
    let all = RunFilter::default();
    assert_eq!(ids(all.clone(), 3).await, "4 3 2 1");
    let connector = Some("CONTOSO".to_owned());
    assert_eq!(
        ids(
            RunFilter {
                connector,
                ..all.clone()
            },
            1
        )
        .await,
        "3 1"
    );
    let state = Some(RunState::Failed);
    assert_eq!(
        ids(
            RunFilter {
                state,
                ..all.clone()
            },
            10
        )
        .await,
        "3"
    );
    let connectors = Some(vec!["Fabrikam".to_owned(), "other".to_owned()]);
    assert_eq!(
        ids(
            RunFilter {
                connectors,
                ..all.clone()
            },
            1
        )
        .await,
        "4 2"
    );
    let connectors = Some(Vec::new());
    assert_eq!(ids(RunFilter { connectors, ..all }, 10).await, "");
}

pub(crate) async fn snapshots_are_listed_by_what_people_may_see(place: Place) {
    let catalog = place.open().await;
    for (name, id, second) in [
        ("contoso", "a", 1),
        ("fabrikam", "b", 1),
        ("contoso", "c", 2),
    ] {
        let source = source(name);
        let row = snapshot(&source, id, second, None);
        let writer = catalog.begin_snapshot(&row).await.unwrap();
        writer.commit().await.unwrap();
    }
    let ids = async |filter: SnapshotFilter, page: Page| {
        let listed = catalog.list_snapshots(&filter, &page).await.unwrap();
        let ids: Vec<String> = listed.items.iter().map(|row| row.id.clone()).collect();
        (ids.join(" "), page.following(&listed))
    };
    let (first, next) = ids(SnapshotFilter::default(), Page::first(2)).await;
    let (second, end) = ids(SnapshotFilter::default(), next.unwrap()).await;
    assert_eq!((first.as_str(), second.as_str(), end), ("c b", "a", None));
    let sources = Some(vec![source("contoso").id]);
    let filter = SnapshotFilter {
        sources,
        ..SnapshotFilter::default()
    };
    assert_eq!(ids(filter, Page::first(10)).await.0, "c a");
    let sources = Some(Vec::new());
    let filter = SnapshotFilter {
        sources,
        ..SnapshotFilter::default()
    };
    assert_eq!(ids(filter, Page::first(10)).await.0, "");
    for (source, expected) in [
        ("Contoso", "c a"),
        ("https://dev.azure.com/Contoso/", "c a"),
        ("contos", ""),
    ] {
        let filter = SnapshotFilter {
            source: Some(source.to_owned()),
            ..SnapshotFilter::default()
        };
        assert_eq!(ids(filter, Page::first(10)).await.0, expected);
    }
    let repository = Some("another".to_owned());
    let filter = SnapshotFilter {
        repository,
        ..SnapshotFilter::default()
    };
    assert_eq!(ids(filter, Page::first(10)).await.0, "");
}

pub(crate) async fn figures_tell_of_the_last_good_backup(place: Place) {
    let catalog = place.open().await;
    for (id, state, finished) in [
        ("1", RunState::Succeeded, 10),
        ("2", RunState::SucceededWithIssues, 20),
        ("3", RunState::Failed, 30),
    ] {
        let mut run = run(id);
        catalog.create_run(&run).await.unwrap();
        run.state = state;
        run.finished = Some(at(finished));
        catalog.finish_run(&run).await.unwrap();
    }
    let figures = catalog.figures().await.unwrap();
    assert_eq!(figures.last_success, [("contoso".to_owned(), None, at(20))]);
    assert_eq!(
        figures
            .runs
            .iter()
            .map(|(_, _, number)| number)
            .sum::<u64>(),
        3
    );
}
