//! Kinds that are reported by change: rounds as Graph answers them, on good and bad days.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use model::policy::Pick;
use model::{Class, ItemRef, Picks};
use service::delta::{Gone, Relation};
use service::{Crawled, DeltaKind, Error, Fidelity, Kind as _, KindSpec, Layout, Scope};

use crate::memory::Memory;
use crate::server::{Reply, Seen, Server, answer, json};

const SPEC: KindSpec = KindSpec {
    name: "group",
    title: "Groups",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[],
    layout: Layout::Item {
        folder: "groups",
        shard: Some(256),
        document: "group.json",
    },
    bin: None,
    search: service::Searched::NAMES,
    read: &[],
    write: &[],
    restore: Fidelity::ExportOnly("a test"),
};

static GROUP: DeltaKind = DeltaKind {
    spec: SPEC,
    host: "dev",
    path: "/groups/delta",
    query: &[("$select", "displayName,members")],
    headers: &[("Prefer", "IdType=\"ImmutableId\"")],
    probe: "/groups?$top=1",
    id: "/id",
    name: &["/displayName", "/mail"],
    modified: None,
    one: "/groups/{id}?$select=displayName",
    relations: &[Relation {
        member: "members@delta",
        file: "members.ndjson",
    }],
    gone: Gone::Marked,
};

static SITE: DeltaKind = DeltaKind {
    spec: KindSpec {
        name: "site",
        ..SPEC
    },
    path: "/sites/delta",
    query: &[],
    headers: &[],
    one: "/sites/{id}?$select=id",
    relations: &[],
    gone: Gone::Asked,
    ..GROUP_TABLE
};

/// What both tables have in common.
const GROUP_TABLE: DeltaKind = DeltaKind {
    spec: SPEC,
    host: "dev",
    path: "",
    query: &[],
    headers: &[],
    probe: "",
    id: "/id",
    name: &["/displayName"],
    modified: None,
    one: "",
    relations: &[],
    gone: Gone::Marked,
};

/// A round's page; links are made absolute, since the server's port is known late.
fn page(items: &[&str], link: &str) -> Reply {
    json(format!("{{\"value\":[{}],{link}}}", items.join(",")))
}

fn next(base: &str, token: &str) -> String {
    format!("\"@odata.nextLink\":\"{base}/contoso/x/delta?$skiptoken={token}\"")
}

fn end(base: &str, token: &str) -> String {
    format!("\"@odata.deltaLink\":\"{base}/contoso/x/delta?$deltatoken={token}\"")
}

/// A server whose answers may name its own address.
async fn graph(reply: impl Fn(&str, &Seen) -> Reply + Send + Sync + 'static) -> Server {
    let address = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&address);
    let server = Server::start(move |seen| reply(&own.lock().unwrap(), seen)).await;
    address.lock().unwrap().clone_from(&server.url);
    server
}

fn has(seen: &Seen, text: &str) -> bool {
    seen.target.contains(text)
}

async fn crawl(
    kind: &DeltaKind,
    memory: &Memory,
    server: &Server,
    cursor: Option<&str>,
) -> Result<String, Error> {
    let crawled = crawl_picked(kind, memory, server, cursor, &Picks::default()).await?;
    Ok(crawled.unwrap())
}

async fn crawl_picked(
    kind: &DeltaKind,
    memory: &Memory,
    server: &Server,
    cursor: Option<&str>,
    picks: &Picks,
) -> Result<Option<String>, Error> {
    let (client, scope) = (server.client(), Scope::default());
    let mut cx = memory.crawl(&client, &scope);
    cx.cursor = cursor;
    cx.order.picks = picks;
    kind.crawl(&cx).await
}

fn group(id: &str) -> ItemRef {
    ItemRef::new("group", "", id)
}

fn document(memory: &Memory, id: &str) -> Option<String> {
    let documents = memory.documents.lock().unwrap();
    let bytes = documents.get(&group(id)).cloned();
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

fn members(memory: &Memory, id: &str) -> Option<String> {
    let key = (id.to_owned(), "members.ndjson".to_owned());
    let bytes = memory.parts.lock().unwrap().get(&key).cloned();
    bytes.map(|bytes| String::from_utf8(bytes).unwrap())
}

const ONE: &str = "{ \"id\":\"g1\", \"displayName\":\"Ops\",\n\"unknown\":1.50}";

#[tokio::test]
async fn a_first_round_goes_through_empty_pages_to_the_delta_link() {
    let server = graph(|base, seen| {
        if has(seen, "skiptoken=1") {
            page(&[], &next(base, "2"))
        } else if has(seen, "skiptoken=2") {
            let rest = r#"{"id":"g2","displayName":"All","members@delta":[{"id":"u0"}]}"#;
            page(&[rest], &end(base, "a"))
        } else {
            let begin = r#"{"id":"g2","displayName":"All","members@delta":[{"@odata.type":"user","id":"u2"},{"id":"u1","n":1.0}]}"#;
            page(&[ONE, begin], &next(base, "1"))
        }
    })
    .await;
    let memory = Memory::default();
    let cursor = crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(
        cursor,
        format!("{}/contoso/x/delta?$deltatoken=a", server.url)
    );
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    assert_eq!(
        document(&memory, "g2").unwrap(),
        r#"{"id":"g2","displayName":"All"}"#
    );
    assert_eq!(
        members(&memory, "g2").unwrap(),
        "{\"id\":\"u0\"}\n{\"id\":\"u1\",\"n\":1.0}\n{\"@odata.type\":\"user\",\"id\":\"u2\"}\n"
    );
    assert_eq!(members(&memory, "g1"), None);
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(
        seen[0]
            .target
            .starts_with("/contoso/groups/delta?%24select=")
    );
    for seen in seen {
        assert_eq!(seen.headers["prefer"], "IdType=\"ImmutableId\"");
    }
}

#[tokio::test]
async fn a_quiet_round_is_one_request_and_gives_a_new_cursor() {
    let server = graph(|base, _| page(&[], &end(base, "b"))).await;
    let memory = Memory::default();
    let cursor = format!("{}/contoso/x/delta?$deltatoken=a", server.url);
    let new = crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert!(new.ends_with("deltatoken=b"));
    let seen = server.seen();
    assert_eq!(
        (seen.len(), seen[0].target.as_str()),
        (1, "/contoso/x/delta?$deltatoken=a")
    );
}

/// A memory with group g1 and its members u1 and u2, and a cursor.
fn known(server: &Server) -> (Memory, String) {
    let memory = Memory::default();
    memory.store(&group("g1"), ONE);
    let lines = b"{\"id\":\"u1\"}\n{\"id\":\"u2\"}\n".to_vec();
    let key = ("g1".to_owned(), "members.ndjson".to_owned());
    memory.parts.lock().unwrap().insert(key, lines);
    (
        memory,
        format!("{}/contoso/x/delta?$deltatoken=a", server.url),
    )
}

#[tokio::test]
async fn a_later_round_changes_what_it_names_and_the_last_word_counts() {
    let server = graph(|base, _| {
        let items = [
            r#"{"id":"g1","displayName":"Old","unknown":1}"#,
            r#"{"id":"g1","displayName":"New","unknown":2,"members@delta":[{"id":"u1","@removed":{"reason":"deleted"}},{"id":"u3"}]}"#,
            r#"{"id":"g2","displayName":"Short"}"#,
            r#"{"id":"g2","@removed":{"reason":"changed"}}"#,
            r#"{"id":"g3","@removed":{"reason":"deleted"}}"#,
            r#"{"id":"g3","displayName":"Back"}"#,
        ];
        page(&items, &end(base, "b"))
    })
    .await;
    let (memory, cursor) = known(&server);
    crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(
        document(&memory, "g1").unwrap(),
        r#"{"id":"g1","displayName":"New","unknown":2}"#
    );
    assert_eq!(
        members(&memory, "g1").unwrap(),
        "{\"id\":\"u2\"}\n{\"id\":\"u3\"}\n"
    );
    assert_eq!(document(&memory, "g2"), None);
    assert!(document(&memory, "g3").unwrap().contains("Back"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_piece_of_a_list_is_no_document() {
    let server = graph(|base, seen| {
        if has(seen, "$batch") {
            return batch(&[r#"{"id":"0","status":200,"body":{"id":"g7","displayName":"Late"}}"#]);
        }
        let items = [
            ONE,
            r#"{"id":"g1","members@delta":[{"id":"u5"}]}"#,
            r#"{"@odata.type":"x","id":"g7","members@delta":[{"id":"u6"}]}"#,
        ];
        page(&items, &end(base, "b"))
    })
    .await;
    let memory = Memory::default();
    crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    assert_eq!(members(&memory, "g1").unwrap(), "{\"id\":\"u5\"}\n");
    assert!(document(&memory, "g7").unwrap().contains("Late"));

    let server = graph(|base, _| {
        let piece = r#"{"id":"g1","members@delta":[{"id":"u2","@removed":{"reason":"deleted"}}]}"#;
        page(&[piece], &end(base, "b"))
    })
    .await;
    let (memory, cursor) = known(&server);
    crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    assert_eq!(members(&memory, "g1").unwrap(), "{\"id\":\"u1\"}\n");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn the_last_member_that_goes_takes_the_list_along() {
    let server = graph(|base, _| {
        let gone = r#"{"id":"g1","displayName":"Ops","unknown":1,"members@delta":[{"id":"u1","@removed":{}},{"id":"u2","@removed":{}}]}"#;
        page(&[gone], &end(base, "b"))
    })
    .await;
    let (memory, cursor) = known(&server);
    crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(members(&memory, "g1"), None);
}

#[tokio::test]
async fn a_complete_round_empties_lists_that_it_does_not_give() {
    let server = graph(|base, _| page(&[ONE], &end(base, "b"))).await;
    let (memory, _) = known(&server);
    crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(members(&memory, "g1"), None);
}

/// An answer to `$batch`, in an order of its own.
fn batch(responses: &[&str]) -> Reply {
    json(format!("{{\"responses\":[{}]}}", responses.join(",")))
}

#[tokio::test]
async fn items_that_came_with_less_than_is_stored_are_read_whole() {
    let asked = Mutex::new(0);
    let server = graph(move |base, seen| {
        if !has(seen, "$batch") {
            let sparse = r#"{"id":"g1","displayName":"New"}"#;
            let nameless = r#"{"id":"g9","mailNickname":"x"}"#;
            return page(&[sparse, nameless], &end(base, "b"));
        }
        let mut asked = asked.lock().unwrap();
        *asked += 1;
        match *asked {
            1 => batch(&[
                r#"{"id":"1","status":404,"body":{"error":{"code":"Request_ResourceNotFound","message":"no"}}}"#,
                r#"{"id":"0","status":429,"headers":{"Retry-After":"0"},"body":{"error":{"code":"TooManyRequests"}}}"#,
            ]),
            _ => batch(&[
                r#"{"id":"0","status":200,"headers":{},"body":{"@odata.context":"https://x/$metadata#groups/$entity","id":"g1", "displayName":"New","unknown":1.50}}"#,
            ]),
        }
    })
    .await;
    let (memory, cursor) = known(&server);
    crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(
        document(&memory, "g1").unwrap(),
        r#"{"id":"g1","displayName":"New","unknown":1.50}"#
    );
    assert_eq!(document(&memory, "g9"), None);
    assert!(memory.issues.lock().unwrap().is_empty());
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    let body = String::from_utf8(seen[1].body.clone()).unwrap();
    assert!(
        body.contains("\"url\":\"/groups/g1?$select=displayName\""),
        "{body}"
    );
    assert!(
        !String::from_utf8(seen[2].body.clone())
            .unwrap()
            .contains("g9")
    );
}

#[tokio::test]
async fn an_item_that_may_not_be_read_is_an_issue_and_stays() {
    let server = graph(|base, seen| {
        if has(seen, "$batch") {
            batch(&[r#"{"id":"0","status":403,"body":{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}}"#])
        } else {
            page(&[r#"{"id":"g1","displayName":"New"}"#], &end(base, "b"))
        }
    })
    .await;
    let (memory, cursor) = known(&server);
    crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    let issues = memory.issues.lock().unwrap();
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].class, Class::Permission);
    assert_eq!(issues[0].item, Some(group("g1")));
    assert!(issues[0].message.contains("Insufficient privileges"));
}

#[tokio::test]
async fn an_item_that_could_not_be_read_is_asked_for_until_it_can_be() {
    let rounds = Mutex::new(0);
    let server = graph(move |base, seen| {
        let mut rounds = rounds.lock().unwrap();
        if has(seen, "$batch") {
            return batch(&[match *rounds {
                1 | 2 => r#"{"id":"0","status":403,"body":{"error":{"code":"x","message":"no"}}}"#,
                _ => r#"{"id":"0","status":200,"body":{"id":"g7","displayName":"Seven"}}"#,
            }]);
        }
        *rounds += 1;
        match *rounds {
            // A piece of a group that was never stored: the service does not name it again.
            1 => page(
                &[r#"{"id":"g7","members@delta":[{"id":"m1"}]}"#],
                &end(base, "one"),
            ),
            2 => page(
                &[r#"{"id":"g7","members@delta":[{"id":"m2"}]}"#],
                &end(base, "two"),
            ),
            _ => page(&[], &end(base, "three")),
        }
    })
    .await;
    let (memory, mut cursor) = known(&server);
    for run in 1..=2 {
        let crawled = crawl(&GROUP, &memory, &server, Some(&cursor)).await;
        cursor = crawled.unwrap();
        assert_eq!(memory.issues.lock().unwrap().len(), run, "named each time");
    }
    assert_eq!(document(&memory, "g7"), None);
    let crawled = crawl(&GROUP, &memory, &server, Some(&cursor)).await;
    cursor = crawled.unwrap();
    assert!(cursor.starts_with("http"), "nothing is open: {cursor}");
    assert_eq!(
        document(&memory, "g7").unwrap(),
        r#"{"id":"g7","displayName":"Seven"}"#
    );
    let parts = memory.parts.lock().unwrap();
    let key = ("g7".to_owned(), "members.ndjson".to_owned());
    assert_eq!(parts[&key], b"{\"id\":\"m1\"}\n{\"id\":\"m2\"}\n");
}

#[tokio::test]
async fn a_token_that_is_too_old_is_told_from_other_refusals() {
    for (status, code, expired) in [
        (410, "resyncChangesApplyDifferences", true),
        (410, "", true),
        (400, "SyncStateNotFound", true),
        (400, "syncStateInvalid", true),
        (400, "Directory_ExpiredPageToken", true),
        (400, "Request_UnsupportedQuery", false),
        (403, "syncStateNotFound", false),
        (404, "itemNotFound", false),
    ] {
        let body = format!(r#"{{"error":{{"code":"{code}","message":"words"}}}}"#);
        let server = graph(move |_, _| {
            answer(status, body.clone()).with("Content-Type", "application/json")
        })
        .await;
        let (memory, cursor) = known(&server);
        let error = crawl(&GROUP, &memory, &server, Some(&cursor))
            .await
            .unwrap_err();
        assert_eq!(
            error.is_cursor_expired(),
            expired,
            "{status} {code}: {error:?}"
        );
        let first = crawl(&GROUP, &memory, &server, None).await.unwrap_err();
        assert!(!first.is_cursor_expired(), "a first request has no token");
        assert_eq!(document(&memory, "g1").unwrap(), ONE);
    }
}

#[tokio::test]
async fn a_first_round_whose_pages_expire_begins_anew() {
    let times = Mutex::new(0);
    let server = graph(move |base, seen| {
        let mut times = times.lock().unwrap();
        *times += 1;
        match (*times, has(seen, "skiptoken")) {
            (1, _) => page(
                &[r#"{"id":"g1","displayName":"A","members@delta":[{"id":"u1"}]}"#],
                &next(base, "1"),
            ),
            (2, _) => answer(410, ""),
            (_, false) => page(&[ONE], &next(base, "1")),
            (_, true) => page(&[], &end(base, "z")),
        }
    })
    .await;
    let memory = Memory::default();
    crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    assert_eq!(
        members(&memory, "g1"),
        None,
        "of the round that was given up"
    );
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let evil = Server::start(|_| page(&[], "\"@odata.deltaLink\":\"x\"")).await;
    let link = format!(
        "\"@odata.nextLink\":\"{}/contoso/groups/delta?$skiptoken=1\"",
        evil.url
    );
    let server = graph(move |_, _| page(&[ONE], &link)).await;
    let error = crawl(&GROUP, &Memory::default(), &server, None)
        .await
        .unwrap_err();
    assert!(error.message.contains("another host"), "{error}");
    assert!(evil.seen().is_empty());
    let error = crawl(&GROUP, &Memory::default(), &server, Some(&evil.url))
        .await
        .unwrap_err();
    assert!(error.message.contains("another host"), "{error}");
    assert!(evil.seen().is_empty());
}

#[tokio::test]
async fn a_round_without_end_is_an_error_and_never_a_whole_list() {
    let circle = graph(|base, _| page(&[ONE], &next(base, "1"))).await;
    let error = crawl(&GROUP, &Memory::default(), &circle, None)
        .await
        .unwrap_err();
    assert!(error.message.contains("again and again"), "{error}");
    let cut = graph(|_, _| json("{\"value\":[]}")).await;
    let error = crawl(&GROUP, &Memory::default(), &cut, None)
        .await
        .unwrap_err();
    assert!(error.message.contains("no end"), "{error}");
    for body in [
        "{}",
        "{\"value\":[{\"displayName\":\"x\"}],\"@odata.deltaLink\":\"x\"}",
        "{\"value\":[1]}",
    ] {
        let server = graph(move |_, _| json(body)).await;
        let error = crawl(&GROUP, &Memory::default(), &server, None)
            .await
            .unwrap_err();
        assert_eq!(error.class, Class::Malformed, "{body}");
    }
}

#[tokio::test]
async fn a_killed_round_goes_on_at_its_page() {
    let server = graph(|base, seen| match seen.target.rsplit('=').next().unwrap() {
        "1" if seen.headers.contains_key("x-never") => unreachable!(),
        "1" => answer(500, ""),
        "2" => page(&[], &end(base, "z")),
        _ => page(
            &[r#"{"id":"g1","displayName":"A","members@delta":[{"id":"u1"}]}"#],
            &next(base, "1"),
        ),
    })
    .await;
    let mut memory = Memory::default();
    crawl(&GROUP, &memory, &server, None).await.unwrap_err();
    let place = memory.place.lock().unwrap().take().unwrap();
    let moved = String::from_utf8(place)
        .unwrap()
        .replace("skiptoken=1", "skiptoken=2");
    memory.resumed = Some(moved.into_bytes());
    let before = server.seen().len();
    crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(server.seen().len() - before, 1);
    assert_eq!(members(&memory, "g1").unwrap(), "{\"id\":\"u1\"}\n");

    let gone = graph(|_, _| answer(410, "")).await;
    let place = format!(
        "{{\"link\":\"{}/contoso/x?$skiptoken=1\",\"relations\":{{}},\"listed\":[],\"again\":[],\"doubtful\":[]}}",
        gone.url
    );
    for place in [place.as_str(), "not understood"] {
        memory.resumed = Some(place.into());
        let error = crawl(&GROUP, &memory, &gone, None).await.unwrap_err();
        assert!(error.is_start_again(), "{place}: {error}");
    }
}

#[tokio::test]
async fn where_removals_are_not_marked_changed_items_are_asked_for() {
    let server = graph(|base, seen| {
        if has(seen, "$batch") {
            return batch(&[
                r#"{"id":"0","status":404,"body":{"error":{"code":"itemNotFound","message":"no"}}}"#,
                r#"{"id":"1","status":200,"body":{"id":"s2"}}"#,
                r#"{"id":"2","status":403,"body":{"error":{"code":"accessDenied","message":"no"}}}"#,
            ]);
        }
        let items = [
            r#"{"id":"s1","displayName":"gone"}"#,
            r#"{"id":"s2","displayName":"there"}"#,
            r#"{"id":"s3","displayName":"locked"}"#,
        ];
        page(&items, &end(base, "b"))
    })
    .await;
    let (memory, cursor) = known(&server);
    let site = |id| ItemRef::new("site", "", id);
    memory.store(&site("s1"), r#"{"id":"s1","displayName":"was"}"#);
    crawl(&SITE, &memory, &server, Some(&cursor)).await.unwrap();
    let documents = memory.documents.lock().unwrap();
    assert!(!documents.contains_key(&site("s1")));
    assert!(documents.contains_key(&site("s2")) && documents.contains_key(&site("s3")));
}

#[tokio::test]
async fn what_is_gone_stays_if_it_is_not_chosen_or_may_not_be() {
    let server = graph(|base, _| page(&[ONE], &end(base, "a"))).await;
    let memory = Memory::default();
    let stored = [
        ("g2", r#"{"id":"g2","displayName":"chosen"}"#),
        ("g3", r#"{"id":"g3","displayName":"not chosen"}"#),
        ("g4", "cut short: {"),
    ];
    for (id, document) in stored {
        memory.store(&group(id), document);
    }
    let pick = Pick {
        exclude: vec!["g3".to_owned()],
        ..Pick::default()
    };
    let picks = Picks(BTreeMap::from([("group".to_owned(), pick)]));
    let crawled = crawl_picked(&GROUP, &memory, &server, None, &picks).await;
    crawled.unwrap();
    assert_eq!(*memory.kept.lock().unwrap(), [group("g3"), group("g4")]);
}
