//! Lists in pages: every item once, whatever the split and the paging.

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use service::http::Url;
use service::rest::{List, Pages, Paging};
use service::{Client, Error, Scope};

use crate::server::{Reply, Seen, Server, json};

const SIZE: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// The header, which the table may know about or not.
    Header,
    Body,
    Skip,
}

/// The items 0, 1, 2 … in pages of these sizes.
type Split = Arc<Mutex<(How, Vec<usize>)>>;

fn parameter(seen: &Seen, name: &str) -> Option<String> {
    let url = Url::parse(&format!("http://h{}", seen.target)).unwrap();
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn serve(split: &Split, seen: &Seen) -> Reply {
    let (how, sizes) = split.lock().unwrap().clone();
    let number =
        |name: &str| parameter(seen, name).map_or(0, |value| value.parse::<usize>().unwrap());
    let body = |items: std::ops::Range<usize>, more: &str| {
        let items: Vec<_> = items.map(|id| format!("{{\"id\":{id}}}")).collect();
        format!(
            "{{\"count\":{},\"value\":[{}]{more}}}",
            items.len(),
            items.join(",")
        )
    };
    if how == How::Skip {
        let total: usize = sizes.iter().sum();
        let start = number("$skip").min(total);
        return json(body(start..(start + number("$top")).min(total), ""));
    }
    let page = number("continuationToken");
    let start: usize = sizes[..page].iter().sum();
    let last = page + 1 >= sizes.len();
    let items = start..start + sizes.get(page).copied().unwrap_or(0);
    match how {
        How::Header if !last => {
            json(body(items, "")).with("X-MS-ContinuationToken", &(page + 1).to_string())
        }
        How::Body if !last => json(body(items, &format!(",\"next\":\"{}\"", page + 1))),
        _ => json(body(items, ",\"next\":null")),
    }
}

/// The ids in the order in which they came.
async fn all(client: &Client, paging: Paging) -> Result<Vec<String>, Error> {
    let list = List {
        host: "dev",
        path: "/_apis/x",
        query: &[("a", "b")],
        version: "7.1",
        paging,
    };
    let mut pages = Pages::new(client, &list, &Scope::default());
    let mut found = Vec::new();
    while let Some(page) = pages.next().await? {
        found.extend(
            page.values()?
                .into_iter()
                .map(|value| service::rest::text_at(value, "/id").unwrap().into_owned()),
        );
    }
    Ok(found)
}

#[test]
fn any_split_into_pages_gives_all_items_once() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let split: Split = Arc::new(Mutex::new((How::Header, vec![])));
    let served = Arc::clone(&split);
    let server = runtime.block_on(Server::start(move |seen| serve(&served, seen)));
    let client = server.client();
    let ways = prop_oneof![
        Just((How::Header, Paging::Header)),
        Just((How::Header, Paging::One)),
        Just((How::Header, Paging::Skip { size: 1000 })),
        Just((How::Body, Paging::Body { token: "next" })),
        Just((How::Skip, Paging::Skip { size: SIZE })),
    ];
    proptest!(|((how, paging) in ways, sizes in prop::collection::vec(0_usize..6, 0..6))| {
        let total: usize = sizes.iter().sum();
        let pages = sizes.len().max(1);
        *split.lock().unwrap() = (how, sizes);
        let before = client.usage().requests;
        let found = runtime.block_on(all(&client, paging)).unwrap();
        prop_assert_eq!(found, (0..total).map(|id| id.to_string()).collect::<Vec<_>>());
        let floor = if how == How::Skip { total / SIZE as usize + 1 } else { pages };
        prop_assert_eq!(client.usage().requests - before, floor as u64);
    });
}

#[tokio::test]
async fn a_token_that_never_changes_ends_with_an_error() {
    let server =
        Server::script([json("{\"value\":[]}").with("x-ms-continuationtoken", "same")]).await;
    let error = all(&server.client(), Paging::Header).await.unwrap_err();
    assert!(error.message.contains("again and again"), "{error}");
}

#[tokio::test]
async fn a_service_that_ignores_skip_ends_with_an_error() {
    let server = Server::script([json("{\"value\":[{\"id\":1},{\"id\":2}]}")]).await;
    all(&server.client(), Paging::Skip { size: 2 })
        .await
        .unwrap_err();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_service_that_ignores_top_gave_everything() {
    let server = Server::script([json("{\"value\":[{\"id\":1},{\"id\":2}]}")]).await;
    assert_eq!(
        all(&server.client(), Paging::Skip { size: 1 })
            .await
            .unwrap(),
        ["1", "2"]
    );
}

#[tokio::test]
async fn parameters_of_the_table_are_on_every_page() {
    let server = Server::script([
        json("{\"value\":[]}").with("x-ms-continuationtoken", "n"),
        json("{\"value\":[]}"),
    ])
    .await;
    all(&server.client(), Paging::One).await.unwrap();
    let targets: Vec<_> = server.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(
        targets,
        [
            "/contoso/_apis/x?a=b",
            "/contoso/_apis/x?a=b&continuationToken=n"
        ]
    );
}

#[tokio::test]
async fn a_page_that_fails_makes_the_list_fail() {
    let first = json("{\"value\":[{\"id\":1}]}").with("x-ms-continuationtoken", "n");
    let server = Server::script([first, json("{\"count\":0}")]).await;
    assert_eq!(
        all(&server.client(), Paging::One).await.unwrap_err().code,
        "answer-not-understood"
    );
}
