//! Connectors that exist, and what is asked to become one.

use serde_json::json;

use super::{connectors, of, says, shown};
use crate::common::World;

#[tokio::test(flavor = "multi_thread")]
async fn sre_27_sre_28_sre_29_sre_48_repositories_and_commits_are_shown_or_the_permission_is_named()
{
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let listed = world
        .keepward(&["connector", "test", "contoso", "--repositories"])
        .await;
    listed.exits(0);
    let names: Vec<&str> = listed
        .events
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"Main Project"), "{names:?}");
    let commits = world
        .keepward(&[
            "connector",
            "test",
            "contoso",
            "--commits",
            "Main Project/Main Project",
        ])
        .await;
    commits.exits(0);
    let newest = &commits.events[0];
    assert_eq!(newest["id"].as_str().unwrap().len(), 40, "{newest}");
    for member in ["author", "date", "message"] {
        assert!(!newest[member].as_str().unwrap().is_empty(), "{newest}");
    }
    world
        .keepward(&["connector", "test", "contoso", "--commits", "nowhere"])
        .await
        .refuses(1, "not-found");

    world
        .pat("poor", "contoso", &["vso.project", "vso.work", "vso.wiki"])
        .await;
    world
        .pat(
            "rich",
            "contoso",
            &["vso.project", "vso.work", "vso.wiki", "vso.code"],
        )
        .await;
    let rotate = |file: &'static str| {
        let world = &world;
        async move {
            let file = world.at(file);
            let rotate = [
                "credential",
                "rotate",
                "connector contoso",
                "--pat-file",
                &file,
            ];
            world.keepward(&rotate).await.exits(0);
        }
    };
    rotate("poor").await;
    let words = "Token lacks Code.Read permission";
    let refused = world
        .keepward(&["connector", "test", "contoso", "--repositories"])
        .await;
    let error = refused.event("error");
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("code-read-missing"), &json!(words)),
        "{}",
        refused.told()
    );
    let tested = world.keepward(&["connector", "test", "contoso"]).await;
    tested.exits(3);
    assert_eq!(tested.check("git-repository")["outcome"], "missing");
    rotate("rich").await;
    world
        .keepward(&["connector", "test", "contoso", "--repositories"])
        .await
        .exits(0);
    // SRE-40: an address whose code cannot be read is no connector.
    let poor = world.at("poor");
    let add = [
        "connector",
        "add",
        "azure-devops",
        "https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project",
        "--url",
        world.simulator.url(),
        "--pat-file",
        &poor,
        "--name",
        "docs",
    ];
    let refused = world.keepward(&add).await;
    assert_eq!(
        refused.event("error")["message"],
        words,
        "{}",
        refused.told()
    );
    assert_eq!(connectors(&world).await, ["contoso"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_06_sre_35_sre_36_sre_37_sre_38_names_and_addresses_are_understood_or_refused() {
    let world = World::bare().await;
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add = |organization: &str, name: &str| {
        let all = [
            "connector",
            "add",
            "azure-devops",
            organization,
            "--url",
            url,
            "--pat-file",
            &pat,
            "--name",
            name,
        ]
        .map(str::to_owned);
        let world = &world;
        async move { world.keepward(&all.each_ref().map(String::as_str)).await }
    };
    let place = "https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project";
    let before = world.requests().await;
    for name in ["ab", "1abc", "a_bc", "a.bc", "a bc", "äbc", &"a".repeat(33)] {
        let refused = add("contoso", name).await;
        refused.refuses(2, "connector-name");
    }
    for address in [
        "http://dev.azure.com/contoso/Main/_git/Main",
        "https://github.com/contoso/api",
        "https://dev.azure.com/contoso/Main/_git/",
        "https://dev.azure.com/contoso/Main/_wiki/wikis/",
        "contoso-",
        "con_toso",
        &"o".repeat(51),
    ] {
        add(address, "docs").await.refuses(2, "organization-name");
    }
    assert_eq!(world.requests().await, before, "nothing was asked for it");
    for address in [
        place,
        "https://contoso.visualstudio.com/Main%20Project/_git/Main%20Project/",
        "https://dev.azure.com/contoso/Main%20Project/_wiki/wikis/Main%20Project.wiki",
    ] {
        add(address, "docs").await.exits(0);
        assert_eq!(shown(&world, "docs").await["organization"], "contoso");
        world
            .keepward(&["connector", "remove", "docs"])
            .await
            .exits(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xa_08_xa_09_a_token_is_kept_once_used_twice_and_rotated() {
    let world = World::bare().await;
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add = [
        "credential",
        "add",
        "nightly",
        "--pat-file",
        &pat,
        "--user",
        "backup",
        "--url",
        url,
    ];
    world.keepward(&add).await.exits(0);
    for name in ["one", "two"] {
        let add = [
            "connector",
            "add",
            "azure-devops",
            "contoso",
            "--url",
            url,
            "--credential",
            "NIGHTLY",
            "--name",
            name,
        ];
        let added = world.keepward(&add).await;
        added.exits(0);
    }
    let kept = world.keepward(&["credential", "show", "nightly"]).await;
    kept.exits(0);
    assert_eq!(
        kept.events[0]["users"],
        json!(["connector one", "connector two"])
    );
    world
        .keepward(&["credential", "remove", "nightly"])
        .await
        .refuses(1, "credential-in-use");
    let wrong = world.file("wrong", "not a token at all");
    let refused = world
        .keepward(&["credential", "rotate", "nightly", "--pat-file", &wrong])
        .await;
    refused.refuses(4, "credential-refused");
    assert!(
        !refused.told().contains("not a token"),
        "{}",
        refused.told()
    );
    let tested = world.keepward(&["credential", "test", "nightly"]).await;
    tested.exits(0);
    assert_eq!(tested.event("result")["ok"], true);
    let removed = world.keepward(&["connector", "remove", "one", "two"]).await;
    removed.exits(0);
    world
        .keepward(&["credential", "remove", "nightly"])
        .await
        .exits(0);
    world
        .keepward(&["credential", "show", "nightly"])
        .await
        .refuses(1, "credential-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_41_xa_10_xa_11_xa_12_an_edit_changes_what_it_names_and_a_bad_one_nothing() {
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let edit = |words: &[&str]| {
        let all: Vec<String> = ["connector", "edit", "contoso"]
            .iter()
            .chain(words)
            .map(|one| (*one).to_owned())
            .collect();
        let world = &world;
        async move {
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            world.keepward(&all).await
        }
    };
    edit(&[
        "--worker",
        "basement",
        "--sync-new",
        "false",
        "--sync-hours",
        "2,14",
        "--time-zone",
        "Europe/Berlin",
    ])
    .await
    .exits(0);
    let after = shown(&world, "contoso").await;
    assert_eq!(after["worker"], "basement");
    assert_eq!(
        after["sync"],
        json!({"add_new": false, "hours": [2, 14], "time_zone": "Europe/Berlin"})
    );
    edit(&["--sync-interval", "60"]).await.exits(0);
    let sync = shown(&world, "contoso").await["sync"].clone();
    assert_eq!(
        (&sync["add_new"], &sync["interval_minutes"]),
        (&json!(false), &json!(60))
    );
    let before = shown(&world, "contoso").await;
    for bad in [
        &["--organization", "nowhere"][..],
        &["--organization", "-"],
        &["--credential", "nobody"],
        &["--sync-hours", "24"],
        &["--sync-hours", "1", "--time-zone", "Nowhere/Land"],
        &["--sync-interval", "1"],
        &[],
    ] {
        let refused = edit(bad).await;
        assert!(
            matches!(refused.code, Some(1 | 2 | 4)),
            "{}",
            refused.told()
        );
        refused.event("error");
    }
    assert_eq!(shown(&world, "contoso").await, before);

    let made = world
        .post("/__organizations", &json!({"name": "fabrikam"}))
        .await;
    let other = world.file("other", made["pat"].as_str().unwrap());
    world
        .keepward(&[
            "credential",
            "add",
            "other",
            "--pat-file",
            &other,
            "--url",
            world.simulator.url(),
        ])
        .await
        .exits(0);
    edit(&["--organization", "fabrikam", "--credential", "other"])
        .await
        .exits(0);
    let moved = shown(&world, "contoso").await;
    assert_eq!(
        (&moved["organization"], &moved["credential"]),
        (&json!("fabrikam"), &json!("other"))
    );
    edit(&["--worker", ""]).await.exits(0);
    assert!(shown(&world, "contoso").await.get("worker").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_42_sre_43_sre_44_connectors_go_each_that_stays_is_named_and_backups_stay() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add = [
        "connector",
        "add",
        "azure-devops",
        "contoso",
        "--url",
        url,
        "--pat-file",
        &pat,
        "--name",
        "second",
    ];
    world.keepward(&add).await.exits(0);
    let removed = world
        .keepward(&["connector", "remove", "contoso", "nobody", "SECOND"])
        .await;
    removed.exits(3);
    assert_eq!(
        of(&removed, "connector-removed").len(),
        2,
        "{}",
        removed.told()
    );
    let stayed = removed.event("connector-stayed");
    assert_eq!(stayed["name"], "nobody");
    assert!(!stayed["why"].as_str().unwrap().is_empty());
    assert!(connectors(&world).await.is_empty());
    assert_eq!(world.snapshots("default").await.len(), 1);
    let to = world.at("exported");
    world
        .keepward(&["export", "latest", "work-items", "--to", &to])
        .await
        .exits(0);
    world
        .keepward(&["connector", "remove", "contoso"])
        .await
        .refuses(1, "connector-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_53_each_message_of_the_table_is_explained_in_its_words() {
    let world = World::bare().await;
    for (code, words) in [
        ("sign-in-window-missing", "sign in at the portal"),
        ("token-expired", "Invalid or expired token"),
        (
            "token-not-configured",
            "Azure DevOps access token not configured. Please authenticate.",
        ),
        ("code-read-missing", "Token lacks Code.Read permission"),
        (
            "organization-not-configured",
            "Organization not configured for this connector",
        ),
        (
            "organization-taken",
            "A connector for this organization already exists",
        ),
        (
            "connector-name-taken",
            "A connector with this name already exists",
        ),
        ("organization-needed", "Enter the organization first"),
    ] {
        let explained = world.keepward(&["explain", code]).await;
        explained.exits(0);
        assert!(explained.told().contains(words), "{}", explained.told());
    }
    world.connect("contoso", "pat").await.exits(0);
    says(
        &world.connect("CONTOSO", "pat").await,
        1,
        "connector-name-taken",
        "A connector with this name already exists",
    );
    let pat = world.at("pat");
    says(
        &world
            .keepward(&["connector", "add", "azure-devops", "", "--pat-file", &pat])
            .await,
        2,
        "organization-needed",
        "Enter the organization first",
    );
}
