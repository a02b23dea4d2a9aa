//! Forget, prune, copy, statistics and keys as users run them.

use serde_json::Value;

use crate::common::World;

fn number(event: &Value, name: &str) -> u64 {
    event[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {event}"))
}

#[tokio::test]
async fn a_prune_does_what_its_dry_run_said() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let snapshots = world.snapshots("default").await;
    world
        .done(&format!("snapshot forget {}", snapshots[0]))
        .await;

    let young = world.done("repository prune --dry-run").await;
    assert_eq!(
        number(young.event("result"), "bytes_freed"),
        0,
        "{}",
        young.told()
    );
    let all = ["--grace", "0s", "--max-unused", "0"];
    let planned = world
        .keepward(&[&["repository", "prune", "--dry-run"], &all[..]].concat())
        .await;
    planned.exits(0);
    let before = world.run("repository stats").await;
    let done = world
        .keepward(&[&["repository", "prune"], &all[..]].concat())
        .await;
    done.exits(0);
    let (planned, done) = (planned.event("result"), done.event("result"));
    assert!(number(done, "bytes_freed") > 0, "{done}");
    for (name, value) in planned.as_object().unwrap() {
        if name != "dry_run" {
            assert_eq!(*value, done[name], "{name}");
        }
    }
    let after = world.run("repository stats").await;
    let (before, after) = (before.event("result"), after.event("result"));
    assert_eq!(
        number(before, "bytes_packs") - number(after, "bytes_packs"),
        number(done, "bytes_freed")
    );
    assert_eq!(
        (number(after, "snapshots"), number(after, "bytes_unused")),
        (1, 0)
    );
    assert_eq!(after["sources"][0]["source"], "azure-devops/contoso");
    assert_eq!(
        number(&after["sources"][0], "files"),
        number(after, "files")
    );

    let checked = world.restic("default", &["check", "--read-data"]).await;
    assert!(checked.status.success(), "{checked:?}");
    world.backup("default").await.exits(0);
}

#[tokio::test]
async fn limits_and_times_that_make_no_sense_are_refused() {
    let world = World::bare().await;
    world.repository("default").await;
    for wrong in [
        ["--max-unused", "much"],
        ["--max-repack-size", "5%"],
        ["--grace", "-1h"],
        ["--wait", "soon"],
    ] {
        world
            .run(&format!("repository prune {} {}", wrong[0], wrong[1]))
            .await
            .exits(2);
    }
}

#[tokio::test]
async fn a_copy_is_backed_up_to_and_restored_from_like_the_original() {
    let world = World::connected().await;
    world.repository("second").await;
    world.backup("default").await.exits(0);
    let copied = world
        .done("repository copy --from default --to second")
        .await;
    assert_eq!(number(copied.event("result"), "snapshots_copied"), 1);
    assert_eq!(
        world.content("second").await,
        world.content("default").await
    );

    // It goes on from the copied cursors: nothing is fetched again.
    let before = world.requests().await;
    world.backup("second").await.exits(0);
    let quiet = world.requests().await - before;
    let before = world.requests().await;
    world.backup("default").await.exits(0);
    assert_eq!(world.requests().await - before, quiet);

    let (password, place) = (world.at("password"), world.at("second"));
    let by_path =
        format!("repository copy --from default --to {place} --to-password-file {password}");
    let again = world.done(&by_path).await;
    let result = again.event("result");
    assert_eq!(
        (
            number(result, "snapshots_copied"),
            number(result, "snapshots_present")
        ),
        (1, 1)
    );
    let checked = world.restic("second", &["check", "--read-data"]).await;
    assert!(checked.status.success(), "{checked:?}");

    let itself = world
        .run("repository copy --from default --to default")
        .await;
    itself.exits(2);
    world
        .refused(
            "repository copy --from default --to second 0000",
            1,
            "snapshot-unknown",
        )
        .await;
}

#[tokio::test]
async fn a_password_is_changed_and_the_old_one_opens_nothing() {
    let world = World::connected().await;
    let new = world.file("new", "the new password");
    let add = format!("repository key add --new-password-file {new}");
    let added = world.done(&add).await;
    // As after one that was killed: another key of the same password would survive the removal of the first.
    let again = world.done(&add).await;
    assert_eq!(added.event("key")["id"], again.event("key")["id"]);
    let listed = world.run("repository key list").await;
    assert_eq!(listed.events.len(), 2);
    let old = listed
        .events
        .iter()
        .find(|key| key["in_use"] == true)
        .unwrap();
    let old = old["id"].as_str().unwrap();
    world
        .refused(&format!("repository key remove {old}"), 1, "key-in-use")
        .await;
    let wrong = world.file("wrong", "not a password");
    world
        .refused(
            &format!("repository key use --password-file {wrong}"),
            1,
            "wrong-password",
        )
        .await;
    world
        .done(&format!("repository key use --password-file {new}"))
        .await;
    world.done(&format!("repository key remove {old}")).await;
    world.backup("default").await.exits(0);

    let refused = world.restic("default", &["snapshots"]).await;
    assert!(!refused.status.success());
    std::fs::copy(&new, world.at("password")).unwrap();
    let opened = world.restic("default", &["snapshots"]).await;
    assert!(opened.status.success(), "{opened:?}");
    let last = world.run("repository key list").await;
    let last = last.events[0]["id"].as_str().unwrap().to_owned();
    world
        .refused(&format!("repository key remove {last}"), 1, "key-in-use")
        .await;
    world.run("repository key remove zz").await.exits(2);
}

#[tokio::test]
async fn a_password_that_restic_changed_is_told_to_keepward_as_the_hint_says() {
    let world = World::connected().await;
    let new = world.file("new", "the new password");
    let change = ["key", "passwd", "--new-password-file", &new];
    let changed = world.restic("default", &change).await;
    assert!(changed.status.success(), "{changed:?}");
    let refused = world.run("repository key list").await;
    refused.refuses(8, "repository-damaged");
    let message = refused.event("error")["message"].to_string();
    let told = "keepward repository key use --password-file";
    assert!(message.contains(told), "{message}");
    let told = format!("repository key use --password-file {new}");
    world.done(&told).await;
    world.backup("default").await.exits(0);
}

#[tokio::test]
async fn the_password_of_a_repository_is_not_replaced_by_another_one_of_its_name() {
    let world = World::connected().await;
    let other = world.file("other", "another password");
    let place = world.at("elsewhere");
    let arguments = format!("repository init {place} --password-file {other}");
    world.refused(&arguments, 1, "repository-exists").await;
    assert!(!world.path("elsewhere").exists());
    world.backup("default").await.exits(0);
}
