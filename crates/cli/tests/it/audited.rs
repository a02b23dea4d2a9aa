//! What a command does to a data directory is in its audit log, as over a server.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::World;

/// `action subject outcome` of all rows, the oldest first.
async fn log(world: &World) -> Vec<String> {
    let listed = world.keepward(&["audit", "list", "--limit", "200"]).await;
    listed.exits(0);
    let rows = listed.events.iter().rev();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("").to_owned();
    rows.map(|row| {
        ["action", "subject", "outcome"]
            .map(|name| text(row, name))
            .join(" ")
    })
    .collect()
}

fn words(command: &str) -> Vec<&str> {
    command.split(' ').collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_or_gives_out_something_leaves_a_row() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let snapshot = world.snapshots("default").await.remove(0);
    world.backup("default").await.exits(0);
    world.repository("second").await;
    let (key, out) = (world.file("new", "another password"), world.at("out"));
    let plan = "restore plan latest --kind project --repository default";
    let plan = world.keepward(&words(plan)).await;
    let plan = plan.event("plan")["id"].as_str().unwrap().to_owned();
    let of = |rest: &str| format!("{rest} --repository default");
    for (command, row) in [
        (
            of(&format!("export {snapshot} source.json --to {out}")),
            format!("snapshot.export snapshot/{snapshot}"),
        ),
        (
            format!("restore apply {plan}"),
            format!("restore.apply restore-plan/{plan}"),
        ),
        (
            of(&format!("repository key add --new-password-file {key}")),
            "repository.key-add repository/default".to_owned(),
        ),
        (
            of(&format!("repository key use --password-file {key}")),
            "repository.key-use repository/default".to_owned(),
        ),
        (
            of("repository repair index"),
            "repository.repair-index repository/default".to_owned(),
        ),
        (
            "repository copy --from default --to second".to_owned(),
            "repository.copy repository/default".to_owned(),
        ),
        (
            of("snapshot forget --keep-last 1"),
            "snapshot.forget repository/default".to_owned(),
        ),
        (
            of("repository prune"),
            "repository.prune repository/default".to_owned(),
        ),
    ] {
        let before = log(&world).await.len();
        let ran = world.keepward(&words(&command)).await;
        ran.exits(0);
        let rows = log(&world).await.split_off(before);
        assert_eq!(rows, [format!("{row} done")], "{}", ran.told());
    }
    let before = log(&world).await.len();
    for look in [
        "repository prune --dry-run",
        "repository repair index --dry-run",
        "repository key list",
        "snapshot list",
        "snapshot forget --keep-last 1 --dry-run",
    ] {
        world.keepward(&words(&of(look))).await.exits(0);
    }
    let after = log(&world).await.len();
    assert_eq!(after, before, "who only looks changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_told_as_such_and_by_whom() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let taken = world.file("taken", "a file where the folder is to be");
    let export = [
        "export",
        "latest",
        "/",
        "--to",
        &taken,
        "--repository",
        "default",
    ];
    assert_ne!(world.keepward(&export).await.code, Some(0));
    let listed = world.keepward(&["audit", "list"]).await;
    let rows: Vec<&Value> = listed
        .events
        .iter()
        .filter(|row| row["action"] == "snapshot.export")
        .collect();
    let outcomes: BTreeSet<&str> = rows
        .iter()
        .map(|row| row["outcome"].as_str().unwrap())
        .collect();
    assert!(outcomes.contains("failed"), "{}", listed.told());
    assert!(rows.iter().all(|row| row["kind"] == "local-administrator"));
    let verified = world.keepward(&["audit", "verify"]).await;
    verified.exits(0);
}
