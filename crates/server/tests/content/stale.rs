//! What a snapshot carried over is told wherever the snapshot is, with the names of projects.

use model::ItemRef;
use serde_json::{Value, json};

use crate::world::{World, added};

const SHOP: &str = "5f0d9c8e-1111-4c4e-9f0a-000000000001";

fn description(stale: &Value, items: &Value) -> String {
    let source = json!({
        "schema": 1, "service": "azure-devops", "source": "contoso", "url": "https://dev.azure.com", "connector": "contoso",
        "run": "r", "job": "j", "token": 1, "started": "2026-11-20T01:00:00Z", "finished": "2026-11-20T02:00:00Z",
        "selection": [], "cursors": {}, "counts": {}, "stale": stale, "stale_items": items,
    });
    source.to_string()
}

fn parts(snapshot: &Value) -> Vec<(&str, &str, Option<&str>, &str)> {
    let parts = snapshot["stale_parts"].as_array().unwrap().iter();
    parts
        .map(|part| {
            (
                part["kind"].as_str().unwrap(),
                part["scope"].as_str().unwrap(),
                part["scope_name"].as_str(),
                part["since"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_snapshot_says_in_every_list_what_could_not_be_read() {
    let world = World::new().await;
    let project = added(ItemRef::new("project", "", SHOP), "Shop", "projects/1");
    let since = "2026-11-19T02:00:00Z";
    let stale = json!({ format!("team/{SHOP}"): since, "team/gone": since, "wiki": since });
    let item = json!({ "item": { "kind": "work-item", "scope": "", "id": "7" }, "read": since });
    world
        .describe("aaaa", &description(&json!({}), &json!([])), vec![project])
        .await;
    world
        .describe("bbbb", &description(&stale, &json!([item])), Vec::new())
        .await;
    let listed = world.get("/snapshots").await.json();
    let alone = world.get("/snapshots/bbbb").await.json();
    for told in [&listed["items"][0], &alone] {
        let expected = [
            ("team", SHOP, Some("Shop"), since),
            ("team", "gone", None, since),
            ("wiki", "", None, since),
        ];
        assert_eq!(parts(told), expected, "{told}");
        assert_eq!(told["stale_items"], 1, "{told}");
    }
    let whole = &listed["items"][1];
    assert_eq!((whole["id"].as_str(), parts(whole)), (Some("aaaa"), vec![]));
    assert_eq!(whole["stale_items"], 0);
}

#[tokio::test]
async fn av_04_a_snapshot_says_in_every_list_what_was_selected() {
    let world = World::new().await;
    let held =
        json!({ "items": 2, "added": 0, "changed": 0, "removed": 0, "bytes": 0, "requests": 0 });
    let mut source: Value = serde_json::from_str(&description(&json!({}), &json!([]))).unwrap();
    source["counts"] = json!({ "project": held, "work-item": held, "wiki": held });
    source["selection"] = json!(["project", "work-item", "wiki"]);
    world
        .describe("aaaa", &source.to_string(), Vec::new())
        .await;
    source["selection"] = json!(["project", "work-item"]);
    source["picks"] = json!({ "project": { "include": ["Shop"], "known": [SHOP] } });
    world
        .describe("bbbb", &source.to_string(), Vec::new())
        .await;
    let listed = world.get("/snapshots").await.json();
    let alone = world.get("/snapshots/bbbb").await.json();
    let only = json!([{ "kind": "project", "include": ["Shop"], "exclude": [], "new": false }]);
    for told in [&listed["items"][0], &alone] {
        assert_eq!(
            told["selected"],
            json!({ "without": ["wiki"], "only": only })
        );
    }
    assert_eq!(listed["items"][1]["selected"], Value::Null, "all of it was");
}

#[tokio::test]
async fn one_damaged_description_takes_no_other_snapshot_from_the_list() {
    let world = World::new().await;
    world.describe("aaaa", "no json", Vec::new()).await;
    let listed = world.get("/snapshots").await.json();
    assert_eq!(listed["items"][0]["id"], "aaaa", "{listed}");
    let refused = world.get("/snapshots/aaaa").await;
    assert_eq!(refused.json()["code"], "catalog-damaged");
}

#[tokio::test]
async fn an_item_says_by_itself_whether_it_is_old() {
    let world = World::new().await;
    let files = [("one", "7"), ("other", "8")].map(|(name, id)| {
        let path = format!("work-items/0000/{id}/work-item.json");
        (
            path,
            format!("{{\"id\": {id}, \"name\": \"{name}\"}}").into_bytes(),
        )
    });
    let items = [
        ("work-item", "7", "work-items/0000/7"),
        ("work-item", "8", "work-items/0000/8"),
    ];
    let since = "2026-11-19T02:00:00Z";
    let old = json!({ "item": { "kind": "work-item", "scope": "", "id": "7" }, "read": since });
    let source = description(&json!({}), &json!([old]));
    let id = world
        .snapshot_described("contoso", &files.into(), &items, &source)
        .await;
    for (item, expected) in [("7", json!(since)), ("8", Value::Null)] {
        let path = format!("/snapshots/{id}/item?kind=work-item&item={item}");
        let told = world.get(&path).await.json();
        assert_eq!(told["stale_since"], expected, "{told}");
    }
}

#[tokio::test]
async fn only_parts_of_items_are_kinds_within_others() {
    let world = World::new().await;
    let kinds = world.get("/kinds").await.json();
    let items = kinds["items"].as_array().unwrap().iter();
    let within: Vec<&str> = items
        .filter(|kind| kind["within"].is_string())
        .map(|kind| kind["id"].as_str().unwrap())
        .collect();
    assert!(within.contains(&"comment"), "{within:?}");
    assert!(!within.contains(&"iteration"), "{within:?}");
}
