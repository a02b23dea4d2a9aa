//! Two servers with collections of one name: who reaches the connector of one sees nothing of the other.

use model::{Connector, ItemRef, Role, Secret};
use serde_json::Value;

use crate::world::{World, added, person};

const ONE: &str = "https://one.example/tfs";
const OTHER: &str = "https://other.example/tfs";

/// A snapshot of the default collection of a server, with a work item.
async fn listed(world: &World, url: &str, id: &str) {
    let item = ItemRef::new("work-item", "", "7");
    let item = added(item, "Salaries", "work-items/0000/7");
    world.list((url, "DefaultCollection"), id, item).await;
}

async fn connect(world: &World, name: &str, url: &str) {
    let (control, secret) = (&world.server.control, Secret::new("token"));
    let now = control.clock.now();
    control
        .catalog
        .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
        .await
        .unwrap();
    let connector = Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: "DefaultCollection".to_owned(),
        url: Some(url.to_owned()),
        method: "pat".to_owned(),
        credential: name.to_owned(),
        ..Connector::default()
    };
    control.catalog.add_connector(&connector).await.unwrap();
}

/// What an answer lists, by a member of each.
async fn seen(world: &World, reach: Option<&[&str]>, path: &str, member: &str) -> Vec<String> {
    let caller = person(Role::Restorer, reach);
    let answer = world.ask(caller, path, &[]).await.json();
    let items = answer["items"].as_array().unwrap().iter();
    let text = |item: &Value| item.pointer(member).unwrap().as_str().unwrap().to_owned();
    items.map(text).collect()
}

#[tokio::test]
async fn of_two_collections_of_one_name_each_operator_sees_their_own() {
    let world = World::new().await;
    for (name, url, id) in [("one", ONE, "aaaa"), ("other", OTHER, "bbbb")] {
        listed(&world, url, id).await;
        connect(&world, name, url).await;
    }
    for (own, id, elsewhere) in [("one", "aaaa", "bbbb"), ("other", "bbbb", "aaaa")] {
        let reach = Some(&[own][..]);
        let lists = [
            ("/snapshots", "/id"),
            ("/snapshots?source=DefaultCollection", "/id"),
            ("/search?q=salaries", "/snapshot/id"),
        ];
        for (path, member) in lists {
            assert_eq!(seen(&world, reach, path, member).await, [id], "{path}");
        }
        for path in ["", "/items", "/files", "/item?kind=work-item&item=7"] {
            let caller = person(Role::Restorer, reach);
            let path = format!("/snapshots/{elsewhere}{path}");
            let refused = world.ask(caller, &path, &[]).await;
            refused.refuses(404, "snapshot-unknown");
        }
    }
    // Who reaches both can tell them apart.
    let all = ("/snapshots", "/address");
    let mut addresses = seen(&world, None, all.0, all.1).await;
    addresses.sort();
    let expected = [
        "https://one.example/tfs/defaultcollection",
        "https://other.example/tfs/defaultcollection",
    ];
    assert_eq!(addresses, expected);
    let path = format!("/snapshots?source={}", expected[0]);
    assert_eq!(seen(&world, None, &path, "/id").await, ["aaaa"]);
}

#[tokio::test]
async fn a_connector_of_the_same_name_elsewhere_opens_nothing_of_one_that_is_gone() {
    let world = World::new().await;
    listed(&world, ONE, "aaaa").await;
    connect(&world, "mine", OTHER).await;
    let reach = Some(&["mine"][..]);
    assert!(seen(&world, reach, "/snapshots", "/id").await.is_empty());
    assert!(
        seen(&world, reach, "/search?q=salaries", "/address")
            .await
            .is_empty()
    );
    let caller = person(Role::Restorer, reach);
    let refused = world.ask(caller, "/snapshots/aaaa", &[]).await;
    refused.refuses(404, "snapshot-unknown");
    // It has no connector, and those who reach everything are told so.
    let overview = world.get("/overview").await.json();
    let without = overview["sources"].as_array().unwrap().iter();
    let without: Vec<&Value> = without.filter(|one| one["connector"].is_null()).collect();
    assert_eq!(without.len(), 1);
    assert_eq!(
        without[0]["address"],
        "https://one.example/tfs/defaultcollection"
    );
    // A connector of that very address opens it, written in another way.
    connect(
        &world,
        "back",
        "HTTPS://ONE.example:443/tfs/DefaultCollection/",
    )
    .await;
    let reach = Some(&["back"][..]);
    assert_eq!(seen(&world, reach, "/snapshots", "/id").await, ["aaaa"]);
}
