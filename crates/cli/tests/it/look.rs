//! Looking into snapshots, here and over a server.

use serde_json::Value;

use crate::common::World;
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

#[tokio::test]
async fn a_snapshot_is_looked_into_here_and_over_a_server() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let below = async |path: &str| {
        let listed = world
            .keepward(&["snapshot", "browse", "latest", path])
            .await;
        listed.exits(0);
        names(&listed.events)
    };
    let group = below("work-items").await.swap_remove(0);
    let item = below(&format!("work-items/{group}")).await.swap_remove(0);
    let document = format!("work-items/{group}/{item}/work-item.json");
    let mut history = None;
    for id in below("git").await {
        let folder = format!("git/{id}");
        let log = world
            .keepward(&["snapshot", "git-log", "latest", &folder])
            .await;
        if log.code == Some(0) && !log.events.is_empty() {
            history = Some(folder);
        }
    }
    let folder = history.expect("a repository with a commit");
    let commands: Vec<Vec<&str>> = vec![
        vec!["snapshot", "browse", "latest"],
        vec!["snapshot", "browse", "latest", "git"],
        vec!["snapshot", "history", "work-item", &item],
        vec!["snapshot", "git-log", "latest", &folder],
        vec!["snapshot", "cat", "latest", &document],
    ];
    let mut here = Vec::new();
    for command in &commands {
        let ran = world.keepward(command).await;
        ran.exits(0);
        assert!(!ran.events.is_empty(), "{}", ran.told());
        here.push(ran.events);
    }
    let password = world.file("anna", "correct horse battery staple");
    let person = [
        "user",
        "add",
        "anna",
        "--role",
        "restorer",
        "--password-file",
        &password,
    ];
    world.keepward(&person).await.exits(0);
    let token = world.at("token");
    let made = [
        "token",
        "add",
        "tests",
        "--user",
        "anna",
        "--permission",
        "read-status",
        "--permission",
        "read-content",
        "--to",
        &token,
    ];
    world.keepward(&made).await.exits(0);
    let mut serving = Serving::start(&world, &[]);
    let url = serving.url().await;
    for (command, here) in commands.iter().zip(&here) {
        let asked = [
            command.as_slice(),
            &["--server", &url, "--token-file", &token],
        ]
        .concat();
        let there = world.keepward(&asked).await;
        there.exits(0);
        if command[1] == "cat" {
            assert_eq!(&there.events, here);
        }
        let (here, there) = (rows(here), rows(&there.events));
        let ids = command[1] == "git-log";
        for (here, there) in here.iter().zip(&there) {
            let same = if ids { 0..5 } else { 0..4 };
            assert_eq!(here[same.clone()], there[same], "{command:?}");
        }
        assert_eq!(here.len(), there.len(), "{command:?}");
    }
    let gone = [
        "snapshot",
        "cat",
        "latest",
        "../../etc/passwd",
        "--server",
        &url,
        "--token-file",
        &token,
    ];
    world.keepward(&gone).await.refuses(1, "file-unknown");
    assert_eq!(serving.terminate().await, 0);
}
