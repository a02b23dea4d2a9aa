//! Discussions without a comment: items that never had one, and items whose only one was deleted.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::http::Method;
use service::{Client, Order};
use simulator::{Seed, Simulator};

use crate::support::{
    Journal, Snapshot, all_kinds, backed_up, backup, backup_ordered, codes, contoso, edit, empty,
    get, heal, impatient, owner, post, restore, start, state, without_code,
};

const COMMENTS: &str = "comments.ndjson";

/// Every answer with documents ends early, and looks whole.
async fn spoil(http: &Client) {
    let rule = json!({ "path": "*workitemsbatch*", "fault": "truncate-clean", "bytes": 20 });
    post(http, "/__faults", &rule).await;
}

async fn full(http: &Client, prior: &Snapshot) -> Snapshot {
    let order = Order {
        full: true,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    backup_ordered(http, prior, &all_kinds(), order).await
}

fn silent(snapshot: &Snapshot) -> ItemRef {
    let mut items = snapshot.in_use(|kind| kind == "work-item").into_iter();
    let silent = items.find(|item| !snapshot.items[item].contains_key(COMMENTS));
    silent.unwrap()
}

#[tokio::test]
async fn an_item_without_comments_gets_no_file_of_them_when_it_is_read_again() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let item = silent(&first);
    edit(&http, &item.id, "System.Title", "changed").await;
    spoil(&http).await;
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(codes(&second.issues), ["answer-cut-short work-item"]);
    heal(&http).await;
    let third = backup(&http, &second, &all_kinds()).await;
    assert_eq!(codes(&third.issues), [""; 0]);
    assert!(!third.items[&item].contains_key(COMMENTS));
    simulator.stop().await;
}

#[tokio::test]
async fn an_empty_file_of_comments_goes_when_everything_is_read() {
    let (simulator, http, mut first) = backed_up(Seed::Small).await;
    let item = silent(&first);
    let parts = first.items.get_mut(&item).unwrap();
    parts.insert(COMMENTS.to_owned(), Vec::new().into());
    let second = full(&http, &first).await;
    assert_eq!(codes(&second.issues), [""; 0]);
    assert!(!second.items[&item].contains_key(COMMENTS));
    simulator.stop().await;
}

/// An item that somebody said one thing about, and took it back. Its number.
async fn taken_back(simulator: &Simulator, http: &Client) -> u64 {
    let before = state(http, simulator.organization()).await;
    let items = before["workItems"].as_array().unwrap();
    let silent = |item: &&Value| item["comments"].as_array().is_some_and(Vec::is_empty);
    let item = items.iter().find(silent).unwrap();
    let project = item["project"].as_str().unwrap();
    let path = format!("/{project}/_apis/wit/workItems/{}/comments", item["id"]);
    let call = http.call(Method::POST, "dev", &path);
    let call = call.version("7.1-preview.4");
    let said = call.json(&json!({ "text": "nobody is to read this" }));
    let said: Value = said.send().await.unwrap().json().unwrap();
    let path = format!("{path}/{}", said["id"]);
    let call = http.call(Method::DELETE, "dev", &path);
    call.version("7.1-preview.4").send().await.unwrap();
    item["id"].as_u64().unwrap()
}

/// The comments at the target of what was restored of an item.
async fn there(http: &Client, journal: &Journal, item: &ItemRef) -> Vec<Value> {
    let new: u64 = journal.new_id(item).parse().unwrap();
    let after = state(http, "empty").await;
    let items = after["workItems"].as_array().unwrap();
    let made = items.iter().find(|made| made["id"] == new);
    made.unwrap()["comments"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_comment_that_was_deleted_before_the_first_backup_is_stored_and_stays_deleted() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let id = taken_back(&simulator, &http).await;
    let counted = owner(&simulator);
    let snapshot = backup(&counted, &Snapshot::default(), &all_kinds()).await;
    assert_eq!(codes(&snapshot.issues), [""; 0]);
    let item = ItemRef::new("work-item", "", &id.to_string());
    let stored: Value = serde_json::from_str(&snapshot.part_text(&item, COMMENTS)).unwrap();
    assert_eq!(stored["isDeleted"], true);
    // A request for each item that was ever spoken of, and none for the others.
    let address = format!("/__inventory?organization={}", simulator.organization());
    let inventory = get(&http, &address).await;
    let asked = counted.usage().by_kind["comment"].0;
    assert_eq!(asked, inventory["commentedItems"].as_u64().unwrap());
    let quiet = owner(&simulator);
    backup(&quiet, &snapshot, &all_kinds()).await;
    assert!(!quiet.usage().by_kind.contains_key("comment"));

    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(without_code);
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, [""; 0]);
    assert_eq!(report.differences, [""; 0]);
    let there = there(&http, &journal, &item).await;
    assert!(there.iter().all(|comment| comment["isDeleted"] == true));
    simulator.stop().await;
}

#[tokio::test]
async fn a_deleted_comment_is_not_said_again_where_comments_were_not_backed_up() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let id = taken_back(&simulator, &http).await;
    let mut selection = all_kinds();
    selection.remove("comment");
    let snapshot = backup(&http, &Snapshot::default(), &selection).await;
    let item = ItemRef::new("work-item", "", &id.to_string());
    assert_eq!(snapshot.part_text(&item, COMMENTS), "");
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(without_code);
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    let there = there(&http, &journal, &item).await;
    assert!(there.is_empty(), "{there:?}");
    simulator.stop().await;
}

#[tokio::test]
async fn answers_that_are_all_spoiled_are_given_up_and_asked_for_next_time() {
    let simulator = start(contoso(250)).await;
    let http = owner(&simulator);
    let selection: BTreeSet<String> = ["work-item", "comment"].map(str::to_owned).into();
    spoil(&http).await;
    let client = impatient(&simulator);
    let first = backup(&client, &Snapshot::default(), &selection).await;
    let asked = get(&http, "/__faults").await["rules"][0]["hits"].as_u64();
    // Two batches, and for each those on the way to one item with a few more.
    assert!(asked.unwrap() <= 2 * (9 + 4), "{asked:?} requests");
    heal(&http).await;
    let state = state(&http, simulator.organization()).await;
    let live: BTreeSet<String> = state["workItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].to_string())
        .collect();
    let named: BTreeSet<String> = first
        .issues
        .iter()
        .map(|issue| issue.item.as_ref().unwrap().id.clone())
        .collect();
    assert_eq!(named, live, "each item is named");
    assert_eq!(first.issues.len(), live.len(), "and each once");

    let second = backup(&owner(&simulator), &first, &selection).await;
    assert_eq!(codes(&second.issues), [""; 0]);
    let whole = backup(&owner(&simulator), &Snapshot::default(), &selection).await;
    for (item, parts) in whole.content() {
        for (part, bytes) in parts {
            assert_eq!(second.items[item].get(part), Some(bytes), "{item} {part}");
        }
    }
    simulator.stop().await;
}
