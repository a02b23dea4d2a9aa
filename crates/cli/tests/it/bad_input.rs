//! What wrong words, files and passwords get: an error that names the thing and says what to do, and nothing lost.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{World, restic};

async fn connectors(world: &World) -> Vec<Value> {
    world.done("connector list").await.events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_file_that_is_empty_missing_or_no_text_is_named() {
    let world = World::bare().await;
    world.file("empty", "\n");
    std::fs::write(world.path("latin"), b"Pa\xdfwort").unwrap();
    for (file, exit, code) in [
        ("empty", 2, "secret-file-empty"),
        ("nowhere", 1, "secret-file-unreadable"),
        ("latin", 1, "secret-file-not-text"),
    ] {
        let ran = world.connect("contoso", file).await;
        ran.refuses(exit, code);
        let message = ran.event("error")["message"].as_str().unwrap().to_owned();
        assert!(message.contains(file), "{message}");
    }
    assert_eq!(world.requests().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_no_organization_can_have_are_refused_without_asking() {
    let world = World::bare().await;
    for name in [
        "../contoso",
        "con toso",
        "-contoso",
        "contoso/../../x y",
        "größe",
    ] {
        let pat = world.at("pat");
        let ran = world
            .keepward(&[
                "connector",
                "add",
                "azure-devops",
                "--url",
                world.simulator.url(),
                "--pat-file",
                &pat,
                "--",
                name,
            ])
            .await;
        ran.exits(2);
    }
    assert_eq!(world.requests().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_of_this_name_is_not_replaced_by_accident() {
    let world = World::connected().await;
    let before = connectors(&world).await;
    for organization in ["contoso", "CONTOSO"] {
        world
            .connect(organization, "pat")
            .await
            .refuses(1, "connector-name-taken");
    }
    assert_eq!(connectors(&world).await, before);
    // One token that reads for backups, another that writes for restores.
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let arguments =
        format!("connector add azure-devops contoso --url {url} --pat-file {pat} --name another");
    world.done(&arguments).await;
    assert_eq!(connectors(&world).await.len(), before.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_opens_nothing() {
    let world = World::bare().await;
    world.repository("default").await;
    let (place, wrong) = (world.at("default"), world.file("wrong", "not this one\n"));
    let arguments = [
        "repository",
        "add",
        &place,
        "--name",
        "again",
        "--password-file",
        &wrong,
    ];
    // Where it is not known yet.
    let other = world.at("other");
    world
        .keepward_in(&other, &arguments)
        .await
        .refuses(1, "wrong-password");
    let listed = world.keepward_in(&other, &["repository", "list"]).await;
    assert_eq!(listed.events.len(), 0, "{}", listed.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_of_another_version_is_left_as_it_is() {
    let world = World::bare().await;
    let (place, password) = (world.path("old"), world.path("password"));
    let made = restic(&place, &password, &["init", "--repository-version", "1"]).await;
    assert!(made.status.success());
    let arguments = format!(
        "repository add {} --password-file {}",
        world.at("old"),
        world.at("password")
    );
    world.refused(&arguments, 1, "repository-version").await;
    let config = restic(&place, &password, &["cat", "config"]).await;
    let config: Value = serde_json::from_slice(&config.stdout).unwrap();
    assert_eq!(config["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_repository_is_not_made_again() {
    let world = World::bare().await;
    world.repository("default").await;
    let (place, password) = (world.at("default"), world.at("password"));
    let config = std::fs::read(world.path("default/config")).unwrap();
    let arguments = format!("repository init {place} --name again --password-file {password}");
    let hint = async |arguments: &str| {
        let ran = world.refused(arguments, 1, "repository-exists").await;
        ran.event("error")["hint"].as_str().unwrap().to_owned()
    };
    assert!(hint(&arguments).await.contains("by that name"));
    // One that nothing here knows of is taken up.
    let moved = world.at("moved");
    std::fs::rename(&place, &moved).unwrap();
    let arguments = format!("repository init {moved} --name again --password-file {password}");
    let said = hint(&arguments).await;
    let add = format!("keepward repository add {moved}");
    assert!(said.contains(&add) && said.contains(&password), "{said}");
    std::fs::rename(&moved, &place).unwrap();
    assert_eq!(std::fs::read(world.path("default/config")).unwrap(), config);
    assert_eq!(
        std::fs::read_dir(world.path("default/keys"))
            .unwrap()
            .count(),
        1
    );

    let nowhere = world.at("nowhere");
    let arguments = format!("repository add {nowhere} --name other --password-file {password}");
    world.refused(&arguments, 1, "repository-not-found").await;
    let arguments = format!("repository init ftp://host/x --name other --password-file {password}");
    world.refused(&arguments, 1, "repository-location").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_found_by_an_id_that_fits_one_alone() {
    let world = World::connected().await;
    // Seventeen ids cannot all differ in their first digit.
    for _ in 0..17 {
        world.done("backup contoso --kind project").await;
    }
    let ids = world.snapshots("default").await;
    let begins = |first: char| ids.iter().filter(|id| id.starts_with(first)).count();
    let twice = "0123456789abcdef"
        .chars()
        .find(|first| begins(*first) > 1)
        .unwrap()
        .to_string();
    let ran = world
        .refused(&format!("snapshot show {twice}"), 1, "snapshot-ambiguous")
        .await;
    let message = ran.event("error")["message"].as_str().unwrap();
    assert!(
        ids.iter()
            .filter(|id| id.starts_with(&twice))
            .all(|id| message.contains(&id[..8])),
        "{message}"
    );
    for unknown in ["ffffffffffffffff", "nonsense", "../config", ""] {
        world
            .keepward(&["snapshot", "show", unknown])
            .await
            .exits(1);
    }
    world
        .refused("snapshot show ffffffffffffffff", 1, "snapshot-unknown")
        .await;
    world.done(&format!("snapshot show {}", ids[3])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_a_place_that_has_everything_changes_nothing() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.get("/__state?organization=contoso").await;
    let planned = world.done("restore plan latest --everything").await;
    let plan = planned.event("plan");
    // The roots of areas and iterations are there in every project and are merged.
    let mut actions = plan["actions"].as_object().unwrap().keys();
    assert!(
        actions.all(|action| action == "skip" || action == "merge"),
        "{}",
        planned.told()
    );
    let id = plan["id"].as_str().unwrap();
    let shown = world.run(&format!("restore steps {id}")).await;
    assert!(
        shown
            .events
            .iter()
            .filter(|step| step["action"] == "skip")
            .all(|step| step["reason"]
                .as_str()
                .is_some_and(|reason| !reason.is_empty())),
        "{}",
        shown.told()
    );
    let applied = world.done(&format!("restore apply {id}")).await;
    assert_eq!(applied.event("result")["created"], 0);
    assert_eq!(world.get("/__state?organization=contoso").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_selected_restores_nothing() {
    let world = World::connected().await;
    world.done("backup contoso --kind project").await;
    let requests = world.requests().await;
    world.run("restore plan latest").await.exits(2);
    world
        .refused("restore apply no-such-plan", 1, "plan-unknown")
        .await;
    world
        .refused("backup contoso --kind work-items", 1, "kind-unknown")
        .await;
    assert_eq!(world.requests().await, requests);
    assert_eq!(world.run("restore list").await.events.len(), 0);
}

/// All files below a folder, none of them through a link.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(at) = open.pop() {
        let metadata = std::fs::symlink_metadata(&at).unwrap();
        assert!(!metadata.is_symlink(), "{}", at.display());
        if metadata.is_dir() {
            let entries = std::fs::read_dir(&at).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else {
            files.push(at);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_the_service_stay_inside_the_folder_of_an_export() {
    let world = World::bare().await;
    let (place, tree, password) = (
        world.path("default"),
        world.path("tree"),
        world.path("password"),
    );
    std::fs::create_dir_all(&tree).unwrap();
    let long = "ü".repeat(127);
    let names = [
        "a\nb",
        "a\u{1b}[31mb",
        "..x",
        "CON",
        "back\\slash",
        ".. ",
        "~",
        &long,
    ];
    for name in names {
        std::fs::write(tree.join(name), name).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", tree.join("link")).unwrap();
    for command in [
        &["init", "--repository-version", "2"][..],
        &["backup", tree.to_str().unwrap()],
    ] {
        let made = restic(&place, &password, command).await;
        assert!(made.status.success(), "{made:?}");
    }
    let (place, password) = (place.display(), password.display());
    let add = format!("repository add {place} --password-file {password}");
    world.done(&add).await;

    let beside = || std::fs::read_dir(world.path("")).unwrap().count();
    let before = beside();
    let export = format!("export latest / --to {}", world.at("out"));
    let ran = world.run(&export).await;
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.told());
    assert_eq!(beside(), before + 1);
    let mut written = Vec::new();
    for file in files(&world.path("out")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        assert!(!name.chars().any(char::is_control), "{name:?}");
        written.push(std::fs::read_to_string(&file).unwrap());
    }
    written.sort_unstable();
    let mut expected = names.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(written, expected, "{}", ran.told());

    let nowhere = format!("export latest no/such/path --to {}", world.at("other"));
    let again = world.run(&nowhere).await;
    assert!(matches!(again.code, Some(1 | 2)), "{}", again.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_directory_is_refused() {
    let world = World::connected().await;
    world
        .disturb(
            &json!({"path": "/contoso/_apis/projects?*", "fault": "slow", "milliseconds": 5000}),
        )
        .await;
    let mut first = world.start(&["backup", "contoso"]);
    while world.hits(0).await == 0 {
        tokio::task::yield_now().await;
    }
    world
        .refused("connector list", 1, "data-directory-busy")
        .await;
    // What only reads goes on beside it.
    for command in [
        "snapshot list",
        "repository check",
        "repository stats",
        "repository key list",
    ] {
        world.done(command).await;
    }
    first.kill().await.unwrap();
    world.done("connector list").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_has_an_exit_code_of_its_own() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let packs = files(&world.path("default/data"));
    let mut bytes = std::fs::read(&packs[0]).unwrap();
    bytes[20] ^= 1;
    std::fs::remove_file(&packs[0]).unwrap();
    std::fs::write(&packs[0], bytes).unwrap();
    world
        .refused("repository check --read-data", 8, "repository-damaged")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_explained() {
    let world = World::bare().await;
    let listed = world.done("explain").await;
    assert_eq!(listed.events.len(), model::code::CODES.len());
    for code in [
        "permission-missing",
        "data-directory-busy",
        "snapshot-ambiguous",
    ] {
        let explained = world.done(&format!("explain {code}")).await;
        assert!(
            explained.events[0]["remedy"]
                .as_str()
                .is_some_and(|remedy| !remedy.is_empty())
        );
    }
    world.run("explain no-such-code").await.exits(2);
}
