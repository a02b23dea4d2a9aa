//! What becomes of items that are gone, or that nobody chose.

use std::collections::BTreeMap;

use model::policy::Pick;
use model::{ItemRef, Picks};

use super::{GROUP, ONE, SITE, batch, crawl, crawl_picked, end, graph, group, has, known, page};
use crate::memory::Memory;

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
