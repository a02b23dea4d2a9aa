//! Where a round begins, goes on and ends.

use std::sync::Mutex;

use model::Class;

use super::{GROUP, ONE, batch, crawl, document, end, graph, has, known, members, next, page};
use crate::memory::Memory;
use crate::server::{Server, answer, json};

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
async fn a_first_round_whose_pages_expire_makes_the_run_begin_anew() {
    let server = graph(|base, seen| {
        if has(seen, "skiptoken") {
            answer(410, "")
        } else {
            page(&[ONE], &next(base, "1"))
        }
    })
    .await;
    // What was sent stands there as if it were listed, and may be gone when the list begins anew.
    let error = crawl(&GROUP, &Memory::default(), &server, None)
        .await
        .unwrap_err();
    assert!(error.is_start_again(), "{error:?}");
    assert_eq!(server.seen().len(), 2);
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
