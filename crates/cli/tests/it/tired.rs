//! What a tired administrator does: nothing is lost by it, and what is said leads on.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::World;

#[tokio::test]
async fn an_archive_takes_the_place_of_nothing_that_was_not_named_for_it() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let precious = world.file("precious.zip", "precious");
    world.file("precious.zip.part", "of somebody else");
    let link = world.at("link.zip");
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    let export = async |zip: &str, overwrite: &[&str]| {
        let arguments = ["export", "latest", "source.json", "--zip", zip];
        world.keepward(&[&arguments, overwrite].concat()).await
    };
    for (zip, overwrite) in [
        (&precious, &[][..]),
        (&link, &[]),
        (&link, &["--overwrite"]),
    ] {
        export(zip, overwrite).await.refuses(1, "file-exists");
    }
    assert_eq!(std::fs::read(&precious).unwrap(), b"precious");
    export(&precious, &["--overwrite"]).await.exits(0);
    export(&world.at("new.zip"), &[]).await.exits(0);
    let archive = std::fs::read(&precious).unwrap();
    assert!(archive.starts_with(b"PK"));
    assert_eq!(archive.len(), std::fs::read(&link).unwrap().len());
    let part = std::fs::read(world.path("precious.zip.part")).unwrap();
    assert_eq!(part, b"of somebody else");
}

#[tokio::test]
async fn programs_get_errors_of_the_command_line_as_json_too() {
    let world = World::bare().await;
    for arguments in [
        &["snapshot", "show"][..],
        &["repository", "check", "--read-data=0%"],
        &["snapshot", "no-such-verb"],
        &["snapshot", "list", "--no-such-option"],
    ] {
        world.keepward(arguments).await.refuses(2, "usage");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_no_success() {
    let explain = |arguments: &[&str], to: Stdio| {
        Command::new(env!("CARGO_BIN_EXE_keepward"))
            .args(["explain", "disk-full"])
            .args(arguments)
            .stdout(to)
            .stderr(Stdio::piped())
            .output()
            .unwrap()
    };
    for arguments in [&[][..], &["--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full");
        let lost = explain(arguments, full.unwrap().into());
        let told = String::from_utf8_lossy(&lost.stderr);
        assert_eq!(lost.status.code(), Some(1), "{told}");
        assert!(told.contains("output-failed"), "{told}");

        // As with `| head -1`.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let closed = explain(arguments, writer.into());
        let told = String::from_utf8_lossy(&closed.stderr);
        assert_eq!((closed.status.code(), &*told), (Some(0), ""));
    }
}

#[tokio::test]
async fn a_second_repository_changes_nothing_for_commands_that_name_none() {
    let world = World::connected().await;
    world.repository("second").await;
    let backup = ["backup", "contoso"];
    world.keepward(&backup).await.exits(0);
    assert_eq!(world.snapshots("default").await.len(), 1);

    let choose = async |name| world.keepward(&["repository", "default", name]).await;
    choose("nowhere").await.refuses(1, "repository-not-found");
    choose("second").await.exits(0);
    world.keepward(&backup).await.exits(0);
    let count = (
        world.snapshots("default").await.len(),
        world.snapshots("second").await.len(),
    );
    assert_eq!(count, (1, 1));
    let listed = world.keepward(&["repository", "list"]).await;
    let defaults: Vec<(&Value, &Value)> = listed
        .events
        .iter()
        .map(|row| (&row["name"], &row["default"]))
        .collect();
    let expected = [
        (&json!("default"), &json!(false)),
        (&json!("second"), &json!(true)),
    ];
    assert_eq!(defaults, expected);
}

#[tokio::test]
async fn a_repository_whose_disk_is_away_is_not_to_be_made_anew() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let (place, away) = (world.path("default"), world.path("away"));
    std::fs::rename(&place, &away).unwrap();
    // As the folder at which a disk is mounted.
    std::fs::create_dir(&place).unwrap();
    for arguments in [
        &["backup", "contoso"][..],
        &["snapshot", "list"],
        &["repository", "check"],
        &["repository", "repair", "index"],
        &["repository", "prune"],
    ] {
        let ran = world.keepward(arguments).await;
        ran.refuses(1, "repository-gone");
        let hint = ran.event("error")["hint"].as_str().unwrap();
        assert!(!hint.contains("repository init"), "{hint}");
    }
    let at = world.at("default");
    world
        .keepward(&["repository", "init", &at, "--name", "again"])
        .await
        .refuses(1, "repository-exists");
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    std::fs::remove_dir(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    assert_eq!(world.snapshots("default").await.len(), 1);
}

#[tokio::test]
async fn what_another_program_forgot_can_be_accepted() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let snapshots = world.snapshots("default").await;
    let gone = world.restic("default", &["forget", &snapshots[0]]).await;
    assert!(gone.status.success(), "{gone:?}");

    let checked = world.keepward(&["repository", "check"]).await;
    checked.refuses(8, "repository-damaged");
    let problem = checked.event("problem")["message"].as_str().unwrap();
    let accept = format!("keepward snapshot forget {}", &snapshots[0][..8]);
    assert!(problem.contains(&accept), "{problem}");

    let words: Vec<&str> = accept.split(' ').skip(1).collect();
    world.keepward(&words).await.exits(0);
    world.keepward(&["repository", "check"]).await.exits(0);
    world.keepward(&words).await.refuses(1, "snapshot-unknown");
    assert_eq!(world.snapshots("default").await, snapshots[1..]);
    let pruned = world
        .keepward(&["repository", "prune", "--grace", "0s"])
        .await;
    pruned.exits(0);
    assert_eq!(pruned.event("result")["snapshots_lost"], 0);
}

#[tokio::test]
async fn a_snapshot_of_another_program_needs_no_newer_version() {
    let world = World::connected().await;
    let file = world.file("notes", "of somebody");
    let made = world.restic("default", &["backup", &file]).await;
    assert!(made.status.success(), "{made:?}");
    let verified = world.keepward(&["verify", "latest"]).await;
    verified.refuses(1, "snapshot-foreign");
    let hint = verified.event("error")["hint"].as_str().unwrap();
    assert!(!hint.contains("newer version"), "{hint}");
}

#[tokio::test]
async fn a_recovery_sheet_names_the_folder_itself() {
    let world = World::bare().await;
    std::fs::create_dir(world.path("u")).unwrap();
    let place = format!("{}/u/../r/repository", world.at("").trim_end_matches('/'));
    world
        .keepward(&["repository", "init", &place])
        .await
        .exits(0);
    std::fs::remove_dir(world.path("u")).unwrap();
    let sheet = world.keepward(&["repository", "sheet"]).await;
    let text = sheet.event("recovery-sheet")["text"].as_str().unwrap();
    assert!(!text.contains("/../"), "{text}");
    world.keepward(&["repository", "check"]).await.exits(0);
}
