//! Looking into snapshots, here and over a server.

use std::collections::BTreeMap;

use catalog::{Catalog, Change, IndexChange, ItemState, SnapshotRow, SourceKey};
use model::{ItemRef, SourceId};
use serde_json::Value;

use crate::common::{World, typed};
use crate::serve::Serving;

/// What lists say of each row, whichever way they were asked for.
fn rows(events: &[Value]) -> Vec<[Value; 5]> {
    let row = |event: &Value| {
        let first = event["first"]["id"].clone();
        let last = event["last"]["id"].clone();
        let id = event["id"].clone();
        [event["name"].clone(), event["end"].clone(), first, last, id]
    };
    events.iter().map(row).collect()
}

fn names(events: &[Value]) -> Vec<String> {
    let names = events.iter().filter_map(|event| event["name"].as_str());
    names.map(str::to_owned).collect()
}

/// A work item of the newest snapshot and a repository that has a commit, as their places in it.
async fn places(world: &World) -> (String, String) {
    let below = async |path: &str| {
        let listed = world.done(&format!("snapshot browse latest {path}")).await;
        names(&listed.events)
    };
    let group = below("work-items").await.swap_remove(0);
    let item = below(&format!("work-items/{group}")).await.swap_remove(0);
    for id in below("git").await {
        let folder = format!("git/{id}");
        let log = format!("snapshot git-log latest {folder}");
        let log = world.run(&log).await;
        if log.code == Some(0) && !log.events.is_empty() {
            return (format!("work-items/{group}/{item}"), folder);
        }
    }
    panic!("no repository with a commit");
}

#[tokio::test]
async fn a_snapshot_is_looked_into_here_and_over_a_server() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let (item, repository) = places(&world).await;
    let id = item.rsplit_once('/').unwrap().1;
    let commands = [
        "browse latest".to_owned(),
        "browse latest git".to_owned(),
        format!("history work-item {id}"),
        format!("git-log latest {repository}"),
        format!("cat latest {item}/work-item.json"),
    ];
    let mut here = Vec::new();
    for command in &commands {
        let ran = world.done(&format!("snapshot {command}")).await;
        assert!(!ran.events.is_empty(), "{}", ran.told());
        here.push(ran.events);
    }
    let (password, token) = (
        world.file("anna", "correct horse battery staple"),
        world.at("token"),
    );
    for line in [
        format!("user add anna --role restorer --password-file {password}"),
        format!(
            "token add tests --user anna --permission read-status --permission read-content --to {token}"
        ),
    ] {
        world.done(&line).await;
    }
    let mut serving = Serving::start(&world, &[]);
    let asking = format!("--server {} --token-file {token}", serving.url().await);
    for (command, here) in commands.iter().zip(&here) {
        let there = world.done(&format!("snapshot {command} {asking}")).await;
        if command.starts_with("cat") {
            assert_eq!(&there.events, here);
        }
        let (here, there) = (rows(here), rows(&there.events));
        let same = if command.starts_with("git-log") {
            0..5
        } else {
            0..4
        };
        for (here, there) in here.iter().zip(&there) {
            assert_eq!(here[same.clone()], there[same.clone()], "{command}");
        }
        assert_eq!(here.len(), there.len(), "{command}");
    }
    let gone = format!("snapshot cat latest ../../etc/passwd {asking}");
    world.refused(&gone, 1, "file-unknown").await;
    assert_eq!(serving.terminate().await, 0);
}

/// A snapshot in the catalog whose words nobody has looked for yet.
async fn list_many(world: &World, items: u32) {
    let file = world.path("data/catalog.db");
    let catalog = Catalog::open_file(&file).await.unwrap();
    let row = SnapshotRow {
        source: SourceKey {
            repository: "9d1a".to_owned(),
            id: SourceId::new("azure-devops", "https://dev.azure.com", "fabrikam"),
        },
        name: "fabrikam".to_owned(),
        id: "1".repeat(64),
        time: "2026-01-01T00:00:00Z".parse().unwrap(),
        run: "01a20184-000000000000".to_owned(),
        tree: "2".repeat(64),
        parent: None,
        counts: BTreeMap::new(),
        source_file: "{}".to_owned(),
    };
    let mut writer = catalog.begin_snapshot(&row).await.unwrap();
    for item in 0..items {
        let change = IndexChange {
            item: ItemRef::new("work-item", "", &item.to_string()),
            name: format!("item {item}"),
            path: format!("work-items/{item}"),
            digest: "3".repeat(64),
            size: 1,
            modified: None,
            state: ItemState::Live,
            change: Change::Added,
            text: format!("kestrel{item}"),
            project: "Main".to_owned(),
        };
        writer.push(change).await.unwrap();
    }
    writer.commit().await.unwrap();
    catalog.close().await;
}

#[tokio::test]
async fn the_first_search_after_a_large_backup_says_what_it_is_at() {
    let world = World::connected().await;
    let search = "snapshot search kestrel5001";
    let told = |events: &[Value]| -> Vec<u64> {
        let at = |event: &&Value| event["event"] == "progress" && event["phase"] == "index words";
        let told = events.iter().filter(at);
        told.map(|event| event["items"].as_u64().unwrap()).collect()
    };
    list_many(&world, 5002).await;
    let first = world.done(search).await;
    assert_eq!(told(&first.events), [2000, 4000, 5002], "{}", first.told());
    assert_eq!(first.events.last().unwrap()["id"], "5001");
    let again = world.done(search).await;
    assert_eq!(told(&again.events), [0; 0]);
    assert_eq!(again.events.len(), 1);
}

#[tokio::test]
async fn a_search_whose_output_is_piped_says_it_beside_its_result() {
    let world = World::connected().await;
    list_many(&world, 5002).await;
    let (out, told) = typed(&world, "snapshot search kestrel5001").await;
    assert!(told.contains("words of 5002 items"), "{told}");
    assert_eq!(out.lines().count(), 2, "{out}");
    let (_, told) = typed(&world, "snapshot search kestrel5001").await;
    assert_eq!(told, "");
}
