//! Damage as users meet it: `check` names the file with exit code 8, also on a machine that knows nothing but the password,
//! and repairs lead back to whole backups.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::common::{World, lost};

/// A repository that an earlier version wrote; see the fixtures of `repository`.
fn golden(folder: &Path) -> PathBuf {
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../repository/tests/fixtures/keepward-0.1");
    let to = folder.join("repository");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&from, &to])
        .status();
    assert!(copied.unwrap().success());
    to
}

/// The program with an empty home and no data directory.
fn keepward(folder: &Path, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("password"), "correct horse\n").unwrap();
    std::process::Command::new(env!("CARGO_BIN_EXE_keepward"))
        .args(arguments)
        .env_clear()
        .env("HOME", folder.join("home"))
        .env("KEEPWARD_REPOSITORY_PASSWORD_FILE", folder.join("password"))
        .output()
        .unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_check_by_path_names_damage_without_a_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let repository = golden(folder.path());
    let place = repository.to_str().unwrap();
    let check = |expected: i32, part: &str| {
        let output = keepward(folder.path(), &["repository", "check", part, place]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(expected), "{text}");
        text
    };
    let first = |name: &str| files(&repository.join(name)).remove(0);
    let lock = first("locks");
    flip(&lock);
    let name = lock.strip_prefix(&repository).unwrap().to_str().unwrap();
    assert!(check(8, "--read-data").contains(name), "{name}");
    std::fs::remove_file(&lock).unwrap();
    check(0, "--read-data");
    check(0, "--read-data=30%");
    for path in ["keys", "index", "data", "snapshots", "keepward/keys"]
        .map(first)
        .into_iter()
        .chain([repository.join("config")])
    {
        let name = path.strip_prefix(&repository).unwrap().to_str().unwrap();
        let whole = std::fs::read(&path).unwrap();
        flip(&path);
        assert!(check(8, "--read-data").contains(name), "{name}");
        std::fs::write(&path, &whole[..whole.len() / 3]).unwrap();
        assert!(check(8, "--read-data").contains(name), "{name}");
        std::fs::write(&path, whole).unwrap();
        check(0, "--read-data");
    }
    assert!(
        !folder.path().join("home").exists(),
        "a check by path leaves nothing behind"
    );

    let damaged = first("data");
    flip(&damaged);
    let superficial = ["repository", "repair", "index", place];
    let output = keepward(folder.path(), &superficial);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("repair index --read-data"), "{text}");
    for (arguments, expected) in [
        (&["repair", "access"][..], 0),
        (&["repair", "index", "--read-data"], 3),
        (&["repair", "snapshots", "--forget"], 3),
        (&["check", "--read-data"], 0),
    ] {
        let output = keepward(
            folder.path(),
            &[&["repository"], arguments, &[place]].concat(),
        );
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{arguments:?}: {output:?}"
        );
    }
}

#[test]
fn a_wrong_password_and_an_empty_folder_are_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let repository = golden(folder.path());
    let place = repository.to_str().unwrap();
    let wrong = folder.path().join("wrong");
    std::fs::write(&wrong, "nobody knows\n").unwrap();
    let arguments = [
        "repository",
        "check",
        place,
        "--password-file",
        wrong.to_str().unwrap(),
    ];
    let output = keepward(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("wrong-password"));
    let output = keepward(
        folder.path(),
        &["repository", "check", folder.path().to_str().unwrap()],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("repository-not-found"));
}

#[tokio::test]
async fn a_snapshot_that_the_catalog_alone_remembers_is_named() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let id = world.snapshots("default").await.remove(0);
    for folder in ["default/snapshots", "default/keepward/snapshots"] {
        std::fs::remove_file(world.path(folder).join(&id)).unwrap();
    }
    let checked = world
        .refused("repository check", 8, "repository-damaged")
        .await;
    assert_eq!(checked.event("problem")["file"], format!("snapshots/{id}"));
    world.done("repository sync").await;
    world.done("repository check").await;
}

#[tokio::test]
async fn a_snapshot_that_nobody_can_read_hides_no_other_and_stops_no_backup() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let first = world.snapshots("default").await.remove(0);
    world.backup("default").await.exits(0);
    let mut both = world.snapshots("default").await;
    both.retain(|id| *id != first);
    for folder in ["default/snapshots", "default/keepward/snapshots"] {
        flip(&world.path(folder).join(&both[0]));
    }
    let listed = world
        .refused("snapshot list", 8, "repository-damaged")
        .await;
    assert!(listed.told().contains(&first), "{}", listed.told());
    world.done("snapshot browse latest").await;
    world.backup("default").await.exits(0);
    // Who removes data has to know all snapshots.
    world
        .refused("repository prune", 8, "repository-damaged")
        .await;
}

/// The cursors of a damaged snapshot would not ask for the lost items again: the next backup does not go on from it.
#[tokio::test]
async fn after_a_repair_the_next_backup_holds_everything_again() {
    let world = World::connected().await;
    for (name, forget) in [("kept", false), ("forgotten", true)] {
        world.repository(name).await;
        world.backup(name).await.exits(0);
        let whole = world.content(name).await;
        let packs = files(&world.path(name).join("data"));
        let largest = packs
            .iter()
            .max_by_key(|path| path.metadata().unwrap().len())
            .unwrap();
        flip(largest);
        let repository = |arguments: &[&'static str]| {
            [&["repository"], arguments, &["--repository", name]].concat()
        };
        let check = repository(&["check", "--read-data"]);
        world
            .keepward(&check)
            .await
            .refuses(8, "repository-damaged");
        world
            .keepward(&repository(&["repair", "index", "--read-data"]))
            .await
            .exits(3);
        let arguments: &[&str] = if forget {
            &["repair", "snapshots", "--forget"]
        } else {
            &["repair", "snapshots"]
        };
        let repaired = world.keepward(&repository(arguments)).await;
        repaired.exits(3);
        assert!(
            repaired.event("lost")["subject"]
                .as_str()
                .unwrap()
                .starts_with('/')
        );
        world.backup(name).await.exits(0);
        let now = world.content(name).await;
        let mut lost = lost(&whole, &now);
        // It tells when git packs were looked after, in this chain of backups.
        lost.retain(|path| !path.ends_with("/upkeep.json"));
        assert_eq!(lost, Vec::<&str>::new());
        // What was read again is the same by its hash, so that even an original that was kept is whole now.
        world.keepward(&check).await.exits(0);
    }
}

/// What restic says of something in a repository.
async fn told(world: &World, repository: &str, arguments: &[&str]) -> String {
    let arguments = [&["--no-lock", "--quiet"], arguments].concat();
    let output = world.restic(repository, &arguments).await;
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn json_of(world: &World, repository: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&told(world, repository, arguments).await).unwrap()
}

/// A bit flips in the tree of a folder of the newest snapshot, and nowhere else; answers its id.
async fn damage_node(world: &World, repository: &str, path: &str) -> String {
    let listed = json_of(world, repository, &["snapshots", "--json"]).await;
    let newest = listed.as_array().unwrap().last().unwrap();
    let mut tree = newest["tree"].as_str().unwrap().to_owned();
    for name in path.split('/') {
        let nodes = json_of(world, repository, &["cat", "blob", &tree]).await;
        let mut nodes = nodes["nodes"].as_array().unwrap().iter();
        let node = nodes.find(|node| node["name"] == name).unwrap();
        let blob = node["subtree"].as_str().or(node["content"][0].as_str());
        tree = blob.unwrap().to_owned();
    }
    for id in told(world, repository, &["list", "index"]).await.lines() {
        let index = json_of(world, repository, &["cat", "index", id]).await;
        for pack in index["packs"].as_array().unwrap() {
            let mut blobs = pack["blobs"].as_array().unwrap().iter();
            let Some(blob) = blobs.find(|blob| blob["id"] == tree.as_str()) else {
                continue;
            };
            let name = pack["id"].as_str().unwrap();
            let folder = world.path(repository).join("data").join(&name[..2]);
            let mut bytes = std::fs::read(folder.join(name)).unwrap();
            bytes[blob["offset"].as_u64().unwrap() as usize + 20] ^= 1;
            std::fs::write(folder.join(name), bytes).unwrap();
            return tree;
        }
    }
    panic!("tree {tree} is in no index")
}

#[tokio::test]
async fn a_folder_of_work_items_that_cannot_be_read_is_read_from_the_service_again() {
    let world = World::connected().await;
    for (name, full) in [("full", true), ("changed", false)] {
        world.repository(name).await;
        world.backup(name).await.exits(0);
        let tree = damage_node(&world, name, "work-items/0000").await;
        let mut arguments = vec!["backup", "contoso", "--repository", name];
        if full {
            arguments.push("--full");
        } else {
            let contoso = json!({"organization": "contoso"});
            world.post("/__demo/change", &contoso).await;
        }
        let again = world.keepward(&arguments).await;
        again.exits(3);
        let issues = again.issues();
        assert_eq!(issues.len(), 1, "{}", again.told());
        assert_eq!(issues[0]["code"], "repository-damaged");
        let message = issues[0]["message"].as_str().unwrap();
        assert!(message.contains("`work-items/0000`"), "{message}");
        assert!(message.contains(&tree), "{message}");
        world.backup(name).await.exits(0);
        let healed = world.content(name).await;
        let undisturbed = format!("undisturbed-{name}");
        world.repository(&undisturbed).await;
        world.backup(&undisturbed).await.exits(0);
        let expected = world.content(&undisturbed).await;
        assert_eq!(lost(&expected, &healed), Vec::<&str>::new());
        assert_eq!(lost(&healed, &expected), Vec::<&str>::new());
    }
}

/// The packs that hold contents, and not folders.
async fn content_packs(world: &World, repository: &str) -> Vec<PathBuf> {
    let mut packs = Vec::new();
    for id in told(world, repository, &["list", "index"]).await.lines() {
        let index = json_of(world, repository, &["cat", "index", id]).await;
        let all = index["packs"].as_array().unwrap().iter();
        let names = all.filter(|pack| pack["blobs"][0]["type"] == "data");
        let names = names.map(|pack| pack["id"].as_str().unwrap());
        let data = world.path(repository).join("data");
        packs.extend(names.map(|name| data.join(&name[..2]).join(name)));
    }
    packs
}

#[tokio::test]
async fn a_full_backup_reads_again_what_the_index_no_longer_has() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let whole = world.content("default").await;
    assert!(whole.keys().any(|path| path.contains("/attachments/")));
    let packs = content_packs(&world, "default").await;
    // What the newest snapshot says of itself lies elsewhere: it is gone on from.
    world.backup("default").await.exits(0);
    for pack in packs {
        std::fs::remove_file(pack).unwrap();
    }
    world.run("repository repair index").await.exits(3);
    world.run("backup contoso --full").await.exits(3);
    world.done("verify latest").await;
    let now = world.content("default").await;
    assert_eq!(lost(&whole, &now), Vec::<&str>::new());
}

#[tokio::test]
async fn a_restore_plan_leaves_out_what_cannot_be_read_and_names_it() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let whole = world.done("restore plan latest --everything").await;
    let whole = whole.event("plan")["steps"].as_u64().unwrap();
    let tree = damage_node(&world, "default", "work-items/0000").await;
    let plan = world.run("restore plan latest --everything").await;
    plan.exits(3);
    let unread = plan.event("plan")["unread"].as_array().unwrap();
    assert_eq!(unread.len(), 1, "{}", plan.told());
    let why = unread[0].as_str().unwrap();
    assert!(why.contains("`work-items/0000`"), "{why}");
    assert!(why.contains(&tree), "{why}");
    let steps = plan.event("plan")["steps"].as_u64().unwrap();
    assert!((2..whole).contains(&steps), "{steps} of {whole}");
    let one = "restore plan latest --kind work-item --id 1";
    let refused = world.refused(one, 8, "repository-damaged").await;
    assert!(refused.told().contains("work-items/0000"));
    world.done("restore plan latest --kind project").await;
}

#[tokio::test]
async fn a_snapshot_whose_description_is_lost_hides_no_other() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let first = world.snapshots("default").await.remove(0);
    world.backup("default").await.exits(0);
    damage_node(&world, "default", "source.json").await;
    let listed = world
        .refused("snapshot list --source contoso", 8, "repository-damaged")
        .await;
    assert!(listed.told().contains(&first), "{}", listed.told());
    for line in ["repair index --read-data", "repair snapshots --forget"] {
        world.run(&format!("repository {line}")).await.exits(3);
    }
    let listed = world.done("snapshot list").await;
    assert!(listed.told().contains(&first), "{}", listed.told());
}

/// The damaged originals stay, so that their readable part can be looked at: nothing stumbles over them, and only the repair speaks of them.
#[tokio::test]
async fn after_a_repair_every_command_works_beside_the_damaged_originals() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    damage_node(&world, "default", "work-items/0000").await;
    world.backup("default").await.exits(0);
    world
        .run("repository repair index --read-data")
        .await
        .exits(3);
    world.run("repository repair snapshots").await.exits(3);
    for data in ["data", "elsewhere"] {
        if data == "elsewhere" {
            let (place, password) = (world.at("default"), world.at("password"));
            let add = ["repository", "add", &place, "--password-file", &password];
            world.keepward_in(&world.at(data), &add).await.exits(0);
        }
        for line in ["repository sync", "snapshot list", "snapshot browse latest"] {
            let words: Vec<&str> = line.split(' ').collect();
            let ran = world.keepward_in(&world.at(data), &words).await;
            ran.exits(0);
            assert!(!ran.told().contains("passed over"), "{}", ran.told());
        }
    }
    let listed = world.snapshots("default").await;
    assert_eq!(listed.len(), 4, "two originals, and what is left of them");
    world.backup("default").await.exits(0);
    world.done("repository check").await;
}
