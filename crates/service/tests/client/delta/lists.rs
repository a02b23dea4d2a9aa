//! Items and the lists of theirs that come in pieces.

use std::sync::Mutex;

use model::Class;

use super::{GROUP, ONE, batch, crawl, document, end, graph, group, has, known, members, page};
use crate::memory::Memory;
use crate::server::Server;

/// What is stored after a round that goes on from what was known.
async fn another_round(server: &Server) -> Memory {
    let (memory, cursor) = known(server);
    crawl(&GROUP, &memory, server, Some(&cursor)).await.unwrap();
    memory
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
    let memory = another_round(&server).await;
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
    let memory = another_round(&server).await;
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
    let memory = another_round(&server).await;
    assert_eq!(members(&memory, "g1"), None);
}

#[tokio::test]
async fn a_complete_round_empties_lists_that_it_does_not_give() {
    let server = graph(|base, _| page(&[ONE], &end(base, "b"))).await;
    let (memory, _) = known(&server);
    crawl(&GROUP, &memory, &server, None).await.unwrap();
    assert_eq!(members(&memory, "g1"), None);
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
    let memory = another_round(&server).await;
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
    let memory = another_round(&server).await;
    assert_eq!(document(&memory, "g1").unwrap(), ONE);
    let issues = memory.issues.lock().unwrap();
    assert_eq!(issues.len(), 1);
    assert_eq!(issues[0].class, Class::Permission);
    assert_eq!(issues[0].item, Some(group("g1")));
    assert!(issues[0].message.contains("Insufficient privileges"));
}

/// Damage of what is stored costs a reading of everything, and never all further backups.
#[tokio::test]
async fn a_stored_list_that_is_damaged_is_listed_anew() {
    let server = graph(|base, seen| {
        let piece = if has(seen, "deltatoken=a") {
            r#"{"id":"g1","displayName":"Ops","unknown":2,"members@delta":[{"id":"u3"}]}"#
        } else {
            r#"{"id":"g1","displayName":"Ops","unknown":2,"members@delta":[{"id":"u2"},{"id":"u3"}]}"#
        };
        page(&[piece], &end(base, "b"))
    })
    .await;
    let whole = "{\"id\":\"u2\"}\n{\"id\":\"u3\"}\n";
    for cut in [false, true] {
        let (memory, cursor) = known(&server);
        if cut {
            let key = ("g1".to_owned(), "members.ndjson".to_owned());
            let mut parts = memory.parts.lock().unwrap();
            parts.insert(key, b"{\"id\":\"u1\"}\n{\"id\":".to_vec());
        } else {
            memory.damage("g1", "members.ndjson");
        }
        let error = crawl(&GROUP, &memory, &server, Some(&cursor)).await;
        assert!(error.unwrap_err().is_cursor_expired());
        crawl(&GROUP, &memory, &server, None).await.unwrap();
        memory.damaged.lock().unwrap().clear();
        assert_eq!(members(&memory, "g1").unwrap(), whole);
    }
}

#[tokio::test]
async fn a_stored_document_that_is_damaged_is_no_measure_of_what_came() {
    let server = graph(|base, seen| {
        if has(seen, "$batch") {
            let whole =
                r#"{"id":"0","status":200,"body":{"id":"g1","displayName":"New","unknown":1.50}}"#;
            batch(&[whole])
        } else {
            page(&[r#"{"id":"g1","displayName":"New"}"#], &end(base, "b"))
        }
    })
    .await;
    for cut in [false, true] {
        let (memory, cursor) = known(&server);
        if cut {
            memory.store(&group("g1"), "{\"id\":");
        } else {
            memory.damage("g1", "");
        }
        crawl(&GROUP, &memory, &server, Some(&cursor))
            .await
            .unwrap();
        memory.damaged.lock().unwrap().clear();
        assert_eq!(
            document(&memory, "g1").unwrap(),
            r#"{"id":"g1","displayName":"New","unknown":1.50}"#
        );
    }
}

/// So new that the service names it and does not find it yet.
#[tokio::test]
async fn an_item_that_is_not_found_yet_is_asked_for_again() {
    let asked = Mutex::new(0);
    let server = graph(move |base, seen| {
        let mut asked = asked.lock().unwrap();
        if !has(seen, "$batch") {
            let new = [r#"{"id":"g5","members@delta":[{"id":"u1"}]}"#];
            let items = if *asked == 0 { &new[..] } else { &[] };
            return page(items, &end(base, "b"));
        }
        *asked += 1;
        batch(&[if *asked == 1 {
            r#"{"id":"0","status":404,"body":{"error":{"code":"x","message":"no"}}}"#
        } else {
            r#"{"id":"0","status":200,"body":{"id":"g5","displayName":"Five"}}"#
        }])
    })
    .await;
    let (memory, cursor) = known(&server);
    let cursor = crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(document(&memory, "g5"), None);
    let cursor = crawl(&GROUP, &memory, &server, Some(&cursor))
        .await
        .unwrap();
    assert_eq!(
        document(&memory, "g5").unwrap(),
        r#"{"id":"g5","displayName":"Five"}"#
    );
    assert_eq!(members(&memory, "g5").unwrap(), "{\"id\":\"u1\"}\n");
    assert!(cursor.starts_with("http"), "nothing is open: {cursor}");
}
