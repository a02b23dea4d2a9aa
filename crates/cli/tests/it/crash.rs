//! The program is killed in the middle: what was there stays whole, and the next run finishes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::{World, lost};

/// Lets the program run until it waits for an answer of this place, and kills it there.
async fn killed_at(world: &World, place: &str, arguments: &[&str]) {
    // Sixteen parts with a pause each: far longer than the kill needs.
    world
        .disturb(&json!({"path": place, "fault": "slow", "milliseconds": 5000}))
        .await;
    let mut child = world.start(arguments);
    while world.hits(0).await == 0 {
        assert!(child.try_wait().unwrap().is_none(), "{place} was not asked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    world.heal().await;
}

async fn is_whole(world: &World) {
    for arguments in [&["unlock"][..], &["check", "--read-data"]] {
        let output = world.restic("default", arguments).await;
        assert!(
            output.status.success(),
            "restic {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Where a first backup waits: before it has anything, between its streams, in the middle of files and packs.
const PLACES: [&str; 8] = [
    "/contoso/_apis/projects?*",
    "*/_apis/wit/classificationnodes*",
    "*/workitemrevisions?*",
    "*/workitemsbatch*",
    "*/comments?*",
    "*/_apis/wit/attachments/*",
    "*/git-upload-pack",
    "*/info/lfs/objects/*",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_leaves_no_snapshot_and_the_next_one_has_everything() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    for place in PLACES {
        killed_at(
            &world,
            place,
            &["backup", "contoso", "--repository", "default"],
        )
        .await;
        assert_eq!(world.snapshots("default").await, [""; 0], "{place}");
        is_whole(&world).await;
    }
    world.backup("default").await.exits(0);
    assert_eq!(world.snapshots("default").await.len(), 1);
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
    is_whole(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_second_backup_leaves_the_first_as_it_was() {
    let world = World::connected().await;
    world.repository("calm").await;
    for repository in ["default", "calm"] {
        world.backup(repository).await.exits(0);
    }
    let (first, before) = (
        world.snapshots("default").await,
        world.content("default").await,
    );
    world
        .post("/__demo/change", &json!({"organization": "contoso"}))
        .await;
    for place in ["*/workitemsbatch*", "*/git-upload-pack", "*/discussions?*"] {
        killed_at(
            &world,
            place,
            &["backup", "contoso", "--repository", "default"],
        )
        .await;
        assert_eq!(world.snapshots("default").await, first, "{place}");
        assert_eq!(
            lost(&before, &world.content("default").await),
            [""; 0],
            "{place}"
        );
    }
    is_whole(&world).await;
    // One of the changes destroys a work item, which a backup names.
    for repository in ["default", "calm"] {
        world.backup(repository).await.exits(3);
    }
    let (whole, after) = (world.content("calm").await, world.content("default").await);
    assert_eq!(lost(&whole, &after), [""; 0]);
    assert_eq!(lost(&after, &whole), [""; 0]);
    is_whole(&world).await;
}

/// Killed wherever it happens to be, by the time and not by the place.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_at_any_time_can_be_repeated() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    for milliseconds in (20..260).step_by(20) {
        let mut child = world.start(&["backup", "contoso", "--repository", "default", "--full"]);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        child.kill().await.unwrap();
        // Whatever became a snapshot is a whole one.
        if !world.snapshots("default").await.is_empty() {
            assert_eq!(
                lost(&whole, &world.content("default").await),
                [""; 0],
                "{milliseconds} ms"
            );
        }
    }
    world.backup("default").await.exits(0);
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
    is_whole(&world).await;
}

/// How many of everything there are.
async fn counts(world: &World, organization: &str) -> BTreeMap<String, Value> {
    let state = world
        .get(&format!("/__state?organization={organization}"))
        .await;
    let count = |value: &Value| value.as_array().map(|list| json!(list.len()));
    let members = state.as_object().unwrap().iter();
    members
        .filter_map(|(name, value)| Some((name.clone(), count(value)?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_restore_goes_on_and_doubles_nothing() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    // What a restore that nobody disturbs comes to.
    let mut expected = None;
    for (organization, places) in [
        ("calm", &[][..]),
        (
            "killed",
            &[
                "*/git-receive-pack",
                "/killed/_apis/wit/attachments*",
                "/killed/*/_apis/wit/workitems/$*",
                "/killed/_apis/wit/$batch*",
                "*/comments?*",
            ],
        ),
    ] {
        let made = world
            .post("/__organizations", &json!({"name": organization}))
            .await;
        world.file("pat", made["pat"].as_str().unwrap());
        world.connect(organization, "pat").await.exits(0);
        let planned = world
            .keepward(&[
                "restore",
                "plan",
                "latest",
                "--everything",
                "--into",
                organization,
            ])
            .await;
        planned.exits(0);
        let plan = planned.event("plan")["id"].as_str().unwrap().to_owned();
        for place in places {
            killed_when_asked(&world, place, &["restore", "apply", &plan]).await;
        }
        let applied = world.keepward(&["restore", "apply", &plan]).await;
        assert!(
            applied.code == Some(0) || applied.code == Some(3),
            "{}",
            applied.told()
        );
        let result = applied.event("result");
        assert_eq!(
            (&result["failed"], &result["differs"]),
            (&json!(0), &json!(0)),
            "{}",
            applied.told()
        );
        let now = counts(&world, organization).await;
        assert_eq!(
            expected.get_or_insert_with(|| now.clone()),
            &now,
            "{}",
            applied.told()
        );
        let again = world.keepward(&["restore", "apply", &plan]).await;
        assert_eq!(counts(&world, organization).await, now, "{}", again.told());
    }
}

/// As [`killed_at`], where a place may have been passed in an earlier try.
async fn killed_when_asked(world: &World, place: &str, arguments: &[&str]) {
    world
        .disturb(&json!({"path": place, "fault": "slow", "milliseconds": 5000}))
        .await;
    let mut child = world.start(arguments);
    while world.hits(0).await == 0 && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    child.kill().await.unwrap();
    world.heal().await;
}
