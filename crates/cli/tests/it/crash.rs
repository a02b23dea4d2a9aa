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
    is_whole_in(world, "default").await;
}

async fn is_whole_in(world: &World, repository: &str) {
    for arguments in [&["unlock"][..], &["check", "--read-data"]] {
        let output = world.restic(repository, arguments).await;
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
            .done(&format!(
                "restore plan latest --everything --into {organization}"
            ))
            .await;
        let plan = planned.event("plan")["id"].as_str().unwrap().to_owned();
        for place in places {
            killed_when_asked(&world, place, &["restore", "apply", &plan]).await;
        }
        let applied = world.run(&format!("restore apply {plan}")).await;
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
        let again = world.run(&format!("restore apply {plan}")).await;
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

/// Requests for what a killed run may have stored. Lists of projects, teams, places and refs are read anew, so that nothing is missed that
/// happened meanwhile.
async fn large_requests(world: &World) -> u64 {
    let ledger = world
        .get("/__ledger?organization=contoso&summary=true")
        .await;
    let kinds = ["work-item", "comment", "attachment", "lfs-object"];
    let of = |kind: &str| ledger["summary"]["kinds"][kind]["requests"].as_u64();
    kinds.into_iter().filter_map(of).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_backup_goes_on_and_asks_for_little_again() {
    let world = World::large(80).await;
    // As far away as a service is: otherwise everything has come before the first checkpoint is written.
    world
        .disturb(&json!({"path": "*", "fault": "slow", "milliseconds": 4}))
        .await;
    let before = large_requests(&world).await;
    let whole = world.undisturbed().await;
    let requests = large_requests(&world).await - before;
    let name = "killed";
    world.repository(name).await;
    let arguments = ["backup", "contoso", "--repository", name];
    let before = large_requests(&world).await;
    let often = [&arguments[..], &["--checkpoint-pause", "50"]].concat();
    let mut child = world.start(&often);
    while large_requests(&world).await - before < requests * 6 / 10 {
        assert!(child.try_wait().unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.kill().await.unwrap();
    let again = world.keepward(&arguments).await;
    again.exits(0);
    let all = large_requests(&world).await - before;
    assert!(all <= requests + requests / 10, "{all} of {requests}");
    assert_eq!(lost(&whole, &world.content(name).await), [""; 0]);
    let run = again.event("result")["run"].as_str().unwrap().to_owned();
    let shown = world.run(&format!("run show {run}")).await;
    assert!(
        shown.events[0]["resumed_from"].is_string(),
        "{}",
        shown.told()
    );
    is_whole_in(&world, name).await;
}

/// What was read before the kill and changed after it is read again.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_between_a_kill_and_the_next_backup_is_in_its_snapshot() {
    for place in ["*/comments?*", "*/_apis/wit/attachments/*"] {
        let world = World::connected().await;
        let arguments = ["backup", "contoso", "--repository", "default"];
        let often = [&arguments[..], &["--checkpoint-pause", "0"]].concat();
        killed_at(&world, place, &often).await;
        world.repository("calm").await;
        world.backup("calm").await.exits(0);
        world
            .post("/__demo/change", &json!({"organization": "contoso"}))
            .await;
        let again = world.keepward(&arguments).await;
        assert!(matches!(again.code, Some(0 | 3)), "{}", again.told());
        assert!(again.told().contains("going on from"), "{}", again.told());
        world.backup("calm").await.exits(3);
        let fresh = world.undisturbed().await;
        let (calm, content) = (world.content("calm").await, world.content("default").await);
        // The service tells old revisions otherwise once something has happened to their item, so they may be as they were.
        let as_it_was = |path: &str| content.get(path) == calm.get(path);
        let missing: Vec<&str> = lost(&fresh, &content)
            .into_iter()
            .filter(|path| !as_it_was(path))
            .collect();
        assert_eq!(missing, [""; 0], "{place}");
        let more: Vec<&str> = lost(&content, &fresh)
            .into_iter()
            .filter(|path| !as_it_was(path))
            .collect();
        assert_eq!(more, [""; 0], "{place}");
        // A work item that was read and then destroyed stays, and the backup names it.
        let stays = content.keys().any(|path| !fresh.contains_key(path));
        assert_eq!(
            again.code,
            Some(if stays { 3 } else { 0 }),
            "{}",
            again.told()
        );
        is_whole(&world).await;
    }
}

/// The snapshot is there, and the catalog has no rows of it: the longest step of a first backup. Nobody does anything about it but to back up
/// again.
#[tokio::test(flavor = "multi_thread")]
async fn backups_go_on_after_a_kill_between_a_snapshot_and_its_rows() {
    let world = World::connected().await;
    let whole = world.undisturbed().await;
    let arguments = ["backup", "contoso", "--repository", "default"];
    let (mut killed, mut there) = (0, 0);
    while killed < 3 {
        let full = [&arguments[..], &["--full"]].concat();
        let ended = crate::kills::at_the_snapshot(&world, &full, "default").await;
        let committed = world.snapshots("default").await.len() > there;
        killed += u32::from(ended && committed);
        world.keepward(&arguments).await.exits(0);
        crate::kills::backup::is_listed(&world, "default").await;
        there = world.snapshots("default").await.len();
    }
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
    let found = ["snapshot", "search", "\"the first\"", "--kind", "project"];
    assert_eq!(
        world.keepward(&found).await.events[0]["name"],
        "Main Project"
    );
    is_whole(&world).await;
}

/// `make crash-test` makes many more of them.
#[tokio::test(flavor = "multi_thread")]
async fn every_command_survives_a_kill_in_the_middle_of_its_writes() {
    let mut kills = crate::kills::Kills::prepare(7).await;
    for command in 0..kills.names().len() {
        kills.kill(command).await;
    }
}
