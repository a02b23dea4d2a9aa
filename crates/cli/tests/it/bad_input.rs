//! What wrong input gets: an error that names the thing and says what to do, and nothing lost.

use serde_json::{Value, json};

use crate::common::{Ran, World, lost, restic};

const READ: [&str; 4] = ["vso.project", "vso.code", "vso.work", "vso.wiki"];

async fn connectors(world: &World) -> Vec<Value> {
    let listed = world.keepward(&["connector", "list"]).await;
    listed.exits(0);
    listed.events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_and_nothing_is_saved() {
    let world = World::bare().await;
    world.file(
        "wrong",
        "xnu2m7wrongwrongwrongwrongwrongwrongwrongwrongwrong4",
    );
    let ran = world.connect("contoso", "wrong").await;
    ran.refuses(4, "credential-refused");
    assert!(!ran.told().contains("wrongwrong"), "{}", ran.told());
    assert_eq!(connectors(&world).await, [Value::Null; 0]);
    let backup = world.keepward(&["backup", "contoso"]).await;
    backup.refuses(1, "connector-unknown");
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
async fn a_token_that_expires_later_ends_the_backup_without_a_snapshot() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.snapshots("default").await;
    world.disturb(&json!({"fault": "203"})).await;
    world
        .backup("default")
        .await
        .refuses(4, "credential-refused");
    world.heal().await;
    assert_eq!(world.snapshots("default").await, before);
}

/// What a token without a scope costs is said before, and what it can read is backed up all the same.
async fn without(scope: &str, kind: &str, others: &[&str]) {
    let world = World::bare().await;
    world.repository("default").await;
    let scopes: Vec<&str> = READ.into_iter().filter(|read| *read != scope).collect();
    world.pat("narrow", "contoso", &scopes).await;
    let added = world.connect("contoso", "narrow").await;
    added.exits(0);
    let check = added.check(kind);
    assert_eq!(
        (&check["outcome"], &check["code"]),
        (&json!("missing"), &json!("permission-missing")),
        "{check}"
    );
    assert!(check["hint"].as_str().unwrap().contains(scope), "{check}");
    assert!(
        check["message"]
            .as_str()
            .unwrap()
            .contains("cannot be backed up"),
        "{check}"
    );
    world
        .keepward(&["connector", "test", "contoso"])
        .await
        .exits(3);

    let ran = world.backup("default").await;
    ran.exits(3);
    let issue = ran
        .issues()
        .into_iter()
        .find(|issue| issue["kind"] == kind)
        .cloned();
    let issue = issue.unwrap_or_else(|| panic!("no issue of {kind}: {}", ran.told()));
    assert_eq!(issue["code"], "permission-missing", "{issue}");
    let counts = &ran.event("result")["counts"]["kinds"];
    for other in others {
        assert!(
            counts[*other]["items"].as_u64().unwrap() > 0,
            "{other}: {counts}"
        );
    }

    // With a better token nothing more is needed.
    let (url, pat) = (world.simulator.url().to_owned(), world.at("pat"));
    world
        .keepward(&[
            "connector",
            "add",
            "azure-devops",
            "contoso",
            "--url",
            &url,
            "--pat-file",
            &pat,
            "--replace",
        ])
        .await
        .exits(0);
    world.backup("default").await.exits(0);
    let whole = world.undisturbed().await;
    assert_eq!(lost(&whole, &world.content("default").await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_code_costs_the_repositories_alone() {
    without(
        "vso.code",
        "git-repository",
        &[
            "project",
            "team",
            "work-item",
            "comment",
            "attachment",
            "wiki",
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_without_work_costs_the_work_items_alone() {
    without(
        "vso.work",
        "work-item",
        &["project", "team", "git-repository", "wiki"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_organization_is_refused() {
    let world = World::bare().await;
    let made = world
        .post("/__organizations", &json!({"name": "fabrikam"}))
        .await;
    world.file("other", made["pat"].as_str().unwrap());
    let ran = world.connect("contoso", "other").await;
    ran.refuses(4, "credential-refused");
    assert_eq!(ran.event("check")["outcome"], "fail", "{}", ran.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_all_organizations_is_taken_and_told_of() {
    let world = World::bare().await;
    world.pat("global", "*", &READ).await;
    let ran = world.connect("contoso", "global").await;
    ran.exits(0);
    let global = |ran: &Ran| ran.codes().iter().any(|code| code == "pat-global");
    assert!(global(&ran), "{}", ran.told());
    let tested = world.keepward(&["connector", "test", "contoso"]).await;
    assert!(global(&tested), "{}", tested.told());
    world.pat("own", "contoso", &READ).await;
    let url = world.simulator.url().to_owned();
    let pat = world.at("own");
    let replace = ["connector", "add", "azure-devops", "contoso", "--replace"];
    let options = ["--url", &url, "--pat-file", &pat];
    let replaced = world.keepward(&[&replace[..], &options[..]].concat()).await;
    replaced.exits(0);
    assert!(!global(&replaced), "{}", replaced.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_organization_is_named() {
    let world = World::bare().await;
    world.pat("global", "*", &READ).await;
    let ran = world.connect("nowhere", "global").await;
    ran.refuses(1, "organization-unknown");
    assert!(
        ran.event("error")["message"]
            .as_str()
            .unwrap()
            .contains("nowhere"),
        "{}",
        ran.told()
    );
    assert_eq!(connectors(&world).await, [Value::Null; 0]);
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
    let arguments = [
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--url",
        url,
        "--pat-file",
        &pat,
        "--name",
        "another",
    ];
    world.keepward(&arguments).await.exits(0);
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
    let arguments = [
        "repository",
        "add",
        &world.at("old"),
        "--password-file",
        &world.at("password"),
    ];
    world
        .keepward(&arguments)
        .await
        .refuses(1, "repository-version");
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
    let arguments = [
        "repository",
        "init",
        &place,
        "--name",
        "again",
        "--password-file",
        &password,
    ];
    world
        .keepward(&arguments)
        .await
        .refuses(1, "repository-exists");
    assert_eq!(std::fs::read(world.path("default/config")).unwrap(), config);
    assert_eq!(
        std::fs::read_dir(world.path("default/keys"))
            .unwrap()
            .count(),
        1
    );

    let nowhere = world.at("nowhere");
    let arguments = [
        "repository",
        "add",
        &nowhere,
        "--name",
        "other",
        "--password-file",
        &password,
    ];
    world
        .keepward(&arguments)
        .await
        .refuses(1, "repository-not-found");
    let arguments = [
        "repository",
        "init",
        "ftp://host/x",
        "--name",
        "other",
        "--password-file",
        &password,
    ];
    world
        .keepward(&arguments)
        .await
        .refuses(1, "repository-location");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_found_by_an_id_that_fits_one_alone() {
    let world = World::connected().await;
    // Seventeen ids cannot all differ in their first digit.
    for _ in 0..17 {
        world
            .keepward(&["backup", "contoso", "--kind", "project"])
            .await
            .exits(0);
    }
    let ids = world.snapshots("default").await;
    let begins = |first: char| ids.iter().filter(|id| id.starts_with(first)).count();
    let twice = "0123456789abcdef"
        .chars()
        .find(|first| begins(*first) > 1)
        .unwrap()
        .to_string();
    let ran = world.keepward(&["snapshot", "show", &twice]).await;
    ran.refuses(1, "snapshot-ambiguous");
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
        .keepward(&["snapshot", "show", "ffffffffffffffff"])
        .await
        .refuses(1, "snapshot-unknown");
    world
        .keepward(&["snapshot", "show", &ids[3]])
        .await
        .exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_into_a_place_that_has_everything_changes_nothing() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.get("/__state?organization=contoso").await;
    let planned = world
        .keepward(&["restore", "plan", "latest", "--everything"])
        .await;
    planned.exits(0);
    let plan = planned.event("plan");
    // The roots of areas and iterations are there in every project and are merged.
    let mut actions = plan["actions"].as_object().unwrap().keys();
    assert!(
        actions.all(|action| action == "skip" || action == "merge"),
        "{}",
        planned.told()
    );
    let id = plan["id"].as_str().unwrap();
    let shown = world.keepward(&["restore", "steps", id]).await;
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
    let applied = world.keepward(&["restore", "apply", id]).await;
    applied.exits(0);
    assert_eq!(applied.event("result")["created"], 0);
    assert_eq!(world.get("/__state?organization=contoso").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_selected_restores_nothing() {
    let world = World::connected().await;
    world
        .keepward(&["backup", "contoso", "--kind", "project"])
        .await
        .exits(0);
    let requests = world.requests().await;
    world
        .keepward(&["restore", "plan", "latest"])
        .await
        .exits(2);
    world
        .keepward(&["restore", "apply", "no-such-plan"])
        .await
        .refuses(1, "plan-unknown");
    world
        .keepward(&["backup", "contoso", "--kind", "work-items"])
        .await
        .refuses(1, "kind-unknown");
    assert_eq!(world.requests().await, requests);
    assert_eq!(world.keepward(&["restore", "list"]).await.events.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_from_the_service_stay_inside_the_folder_of_an_export() {
    let world = World::bare().await;
    let (tree, password) = (world.path("tree"), world.path("password"));
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
    let place = world.path("default");
    assert!(
        restic(&place, &password, &["init", "--repository-version", "2"])
            .await
            .status
            .success()
    );
    assert!(
        restic(&place, &password, &["backup", tree.to_str().unwrap()])
            .await
            .status
            .success()
    );
    world
        .keepward(&[
            "repository",
            "add",
            &world.at("default"),
            "--password-file",
            &world.at("password"),
        ])
        .await
        .exits(0);

    let outside = std::fs::read_dir(world.path("")).unwrap().count();
    let ran = world
        .keepward(&["export", "latest", "/", "--to", &world.at("out")])
        .await;
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.told());
    assert_eq!(
        std::fs::read_dir(world.path("")).unwrap().count(),
        outside + 1
    );
    let mut open = vec![world.path("out")];
    let mut written = Vec::new();
    while let Some(at) = open.pop() {
        let metadata = std::fs::symlink_metadata(&at).unwrap();
        assert!(!metadata.is_symlink(), "{}", at.display());
        if metadata.is_dir() {
            open.extend(
                std::fs::read_dir(&at)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            let name = at.file_name().unwrap().to_str().unwrap();
            assert!(!name.chars().any(char::is_control), "{name:?}");
            written.push(std::fs::read_to_string(&at).unwrap());
        }
    }
    written.sort_unstable();
    let mut expected = names.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(written, expected, "{}", ran.told());

    let again = world
        .keepward(&[
            "export",
            "latest",
            "no/such/path",
            "--to",
            &world.at("other"),
        ])
        .await;
    assert!(
        again.code == Some(1) || again.code == Some(2),
        "{}",
        again.told()
    );
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
        .keepward(&["connector", "list"])
        .await
        .refuses(1, "data-directory-busy");
    first.kill().await.unwrap();
    world.keepward(&["connector", "list"]).await.exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_found_and_has_an_exit_code_of_its_own() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let mut open = vec![world.path("default/data")];
    let mut packs = Vec::new();
    while let Some(at) = open.pop() {
        if at.is_dir() {
            open.extend(
                std::fs::read_dir(&at)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            packs.push(at);
        }
    }
    let mut bytes = std::fs::read(&packs[0]).unwrap();
    bytes[20] ^= 1;
    std::fs::remove_file(&packs[0]).unwrap();
    std::fs::write(&packs[0], bytes).unwrap();
    world
        .keepward(&["repository", "check", "--read-data"])
        .await
        .refuses(8, "repository-damaged");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_is_explained() {
    let world = World::bare().await;
    let listed = world.keepward(&["explain"]).await;
    listed.exits(0);
    assert_eq!(listed.events.len(), model::code::CODES.len());
    for code in [
        "permission-missing",
        "data-directory-busy",
        "snapshot-ambiguous",
    ] {
        let explained = world.keepward(&["explain", code]).await;
        explained.exits(0);
        assert!(
            explained.events[0]["remedy"]
                .as_str()
                .is_some_and(|remedy| !remedy.is_empty())
        );
    }
    world.keepward(&["explain", "no-such-code"]).await.exits(2);
}
