//! What a command does to a data directory is in its audit log, as over a server.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::common::World;

/// `action subject outcome` of all rows, the oldest first.
async fn log(world: &World) -> Vec<String> {
    let listed = world.done("audit list --limit 200").await;
    let rows = listed.events.iter().rev();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("").to_owned();
    rows.map(|row| {
        ["action", "subject", "outcome"]
            .map(|name| text(row, name))
            .join(" ")
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_destroys_or_gives_out_something_leaves_a_row() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let snapshot = world.snapshots("default").await.remove(0);
    world.backup("default").await.exits(0);
    world.repository("second").await;
    let (key, out) = (world.file("new", "another password"), world.at("out"));
    let plan = world.done("restore plan latest --kind project").await;
    let plan = plan.event("plan")["id"].as_str().unwrap().to_owned();
    for (command, action) in [
        (
            format!("export {snapshot} source.json --to {out}"),
            format!("snapshot.export snapshot/{snapshot}"),
        ),
        (
            format!("restore apply {plan}"),
            format!("restore.apply restore-plan/{plan}"),
        ),
        (
            format!("repository key add --new-password-file {key}"),
            "repository.key-add repository/default".to_owned(),
        ),
        (
            format!("repository key use --password-file {key}"),
            "repository.key-use repository/default".to_owned(),
        ),
        (
            "repository repair index".to_owned(),
            "repository.repair-index repository/default".to_owned(),
        ),
        (
            "repository copy --from default --to second".to_owned(),
            "repository.copy repository/default".to_owned(),
        ),
        (
            "snapshot forget --keep-last 1".to_owned(),
            "snapshot.forget repository/default".to_owned(),
        ),
        (
            "repository prune".to_owned(),
            "repository.prune repository/default".to_owned(),
        ),
    ] {
        let before = log(&world).await.len();
        let ran = world.done(&command).await;
        let rows = log(&world).await.split_off(before);
        assert_eq!(rows, [format!("{action} done")], "{}", ran.told());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_leaves_no_row() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let before = log(&world).await.len();
    for look in [
        "repository prune --dry-run",
        "repository repair index --dry-run",
        "repository key list",
        "snapshot list",
        "snapshot forget --keep-last 1 --dry-run",
    ] {
        world.done(look).await;
    }
    assert_eq!(log(&world).await.len(), before);
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
    world.keepward(&export).await.refuses(1, "file-failed");
    let listed = world.run("audit list").await;
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
    world.done("audit verify").await;
}

/// Also who is killed on the way has left a trace.
#[tokio::test(flavor = "multi_thread")]
async fn a_forget_is_noted_before_it_is_begun() {
    let world = World::connected().await;
    for _ in 0..2 {
        world.backup("default").await.exits(0);
    }
    let oldest = world.snapshots("default").await.remove(0);
    // Its second copy cannot be removed.
    let copy = world.path("default/keepward/snapshots").join(&oldest);
    std::fs::remove_file(&copy).unwrap();
    std::fs::create_dir(&copy).unwrap();
    let before = log(&world).await.len();
    let ran = world.run("snapshot forget --keep-last 1").await;
    ran.exits(1);
    let rows = log(&world).await.split_off(before);
    let noted = ["done", "failed"].map(|end| format!("snapshot.forget repository/default {end}"));
    assert_eq!(rows, noted, "{}", ran.told());
}
