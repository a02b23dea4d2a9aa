//! Search over the interface: who finds what.

use catalog::IndexChange;
use model::{ItemRef, Role};
use serde_json::json;

use crate::world::{World, added, person};

/// A work item with a secret in its text, in an organization.
async fn listed(world: &World, source: &str) {
    let item = ItemRef::new("work-item", "", "7");
    let name = format!("Salaries at {source}");
    let item = IndexChange {
        text: "the combination of the safe is 4711".to_owned(),
        project: "Payroll".to_owned(),
        ..added(item, &name, "work-items/0000/7")
    };
    let place = ("https://dev.azure.com", source);
    world.list(place, &format!("{source}-1"), item).await;
}

#[tokio::test]
async fn texts_are_for_those_who_may_read_content() {
    let world = World::new().await;
    listed(&world, "contoso").await;
    let restorer = person(Role::Restorer, None);
    let found = world.ask(restorer, "/search?q=4711%20payroll*", &[]).await;
    assert_eq!(found.json()["items"], json!([]), "a project is no text");
    let restorer = person(Role::Restorer, None);
    let found = world
        .ask(restorer, "/search?q=4711&project=payroll", &[])
        .await;
    let hit = found.json()["items"][0].clone();
    assert_eq!(hit["item"]["name"], "Salaries at contoso");
    assert_eq!(hit["snapshot"]["id"], "contoso-1");
    assert_eq!(hit["excerpt"][1], json!({"text": "4711", "hit": true}));

    let ask = async |query: &str| {
        let viewer = person(Role::Viewer, None);
        world.ask(viewer, &format!("/search?q={query}"), &[]).await
    };
    for query in ["4711", "salaries%204711", "combination"] {
        assert_eq!(ask(query).await.json()["items"], json!([]), "{query}");
    }
    for query in ["salaries", "salaries%20-4711", "contoso"] {
        let found = ask(query).await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "{query}");
        assert!(!found.to_string().contains("4711"));
        assert_eq!(found["items"][0]["excerpt"], json!([]));
    }
}

#[tokio::test]
async fn what_is_out_of_reach_is_not_found() {
    let world = World::new().await;
    listed(&world, "contoso").await;
    listed(&world, "fabrikam").await;
    assert_eq!(
        world.get("/search?q=salaries").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let limited = || person(Role::Restorer, Some(&["elsewhere"]));
    let found = world.ask(limited(), "/search?q=salaries", &[]).await;
    assert_eq!(found.json()["items"], json!([]));
    let found = world
        .ask(limited(), "/search?q=salaries&connector=contoso", &[])
        .await;
    found.refuses(404, "connector-unknown");
    let found = world
        .ask(limited(), "/search?q=salaries&snapshot=contoso-1", &[])
        .await;
    found.refuses(404, "snapshot-unknown");
}

#[tokio::test]
async fn hostile_queries_are_answered_and_wrong_times_refused() {
    let world = World::new().await;
    listed(&world, "contoso").await;
    for query in [
        "",
        "%22",
        "-",
        "*",
        "%00",
        "%27%20OR%201%3D1",
        "name%3A",
        "%EF%BF%BF",
        "%22%22%22*-(",
    ] {
        let found = world.get(&format!("/search?q={query}")).await;
        assert_eq!(found.status, 200, "{query}");
    }
    for refused in [
        "/search",
        "/search?q=a&since=yesterday",
        "/search?q=a&after=nonsense",
    ] {
        assert_eq!(world.get(refused).await.status, 400, "{refused}");
    }
}
