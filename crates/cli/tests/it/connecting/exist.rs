//! Connectors that exist, and what is asked to become one.

use serde_json::{Value, json};

use super::{connectors, of, says, shown};
use crate::common::World;

/// A repository, as the browser's address bar has it.
const PLACE: &str = "https://dev.azure.com/contoso/Main%20Project/_git/Main%20Project";

#[tokio::test(flavor = "multi_thread")]
async fn sre_27_sre_28_repositories_and_the_newest_commits_of_one_are_shown() {
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let listed = world.done("connector test contoso --repositories").await;
    let main = |one: &Value| one["name"] == "Main Project";
    assert!(listed.events.iter().any(main), "{}", listed.told());
    let newest = world
        .first("connector test contoso --commits 'Main Project/Main Project'")
        .await;
    assert_eq!(newest["id"].as_str().unwrap().len(), 40, "{newest}");
    for member in ["author", "date", "message"] {
        assert!(!newest[member].as_str().unwrap().is_empty(), "{newest}");
    }
    world
        .refused("connector test contoso --commits nowhere", 1, "not-found")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_29_sre_40_sre_48_a_token_that_reads_no_code_is_told_as_that_until_another_does() {
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let poor = ["vso.project", "vso.work", "vso.wiki"];
    world.pat("poor", "contoso", &poor).await;
    let rich = [&poor[..], &["vso.code"]].concat();
    world.pat("rich", "contoso", &rich).await;
    let rotate = async |file: &str| {
        let pat = world.at(file);
        let rotate = format!("credential rotate 'connector contoso' --pat-file {pat}");
        world.done(&rotate).await;
    };
    rotate("poor").await;
    let words = "Token lacks Code.Read permission";
    let refused = world.run("connector test contoso --repositories").await;
    let error = refused.event("error");
    assert_eq!(
        (&error["code"], &error["message"]),
        (&json!("code-read-missing"), &json!(words)),
        "{}",
        refused.told()
    );
    let tested = world.run("connector test contoso").await;
    tested.exits(3);
    assert_eq!(tested.check("git-repository")["outcome"], "missing");
    rotate("rich").await;
    world.done("connector test contoso --repositories").await;
    // An address whose code cannot be read is no connector.
    let (address, url, poor) = (PLACE, world.simulator.url(), world.at("poor"));
    let add =
        format!("connector add azure-devops {address} --url {url} --pat-file {poor} --name docs");
    let refused = world.run(&add).await;
    let error = refused.event("error");
    assert_eq!(error["message"], words, "{}", refused.told());
    assert_eq!(connectors(&world).await, ["contoso"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_06_sre_35_sre_36_sre_37_sre_38_names_and_addresses_are_understood_or_refused() {
    let world = World::bare().await;
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add = async |organization: &str, name: &str| {
        let identity = format!("--url {url} --pat-file {pat} --name '{name}'");
        let add = format!("connector add azure-devops {organization} {identity}");
        world.run(&add).await
    };
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
        PLACE,
        "https://contoso.visualstudio.com/Main%20Project/_git/Main%20Project/",
        "https://dev.azure.com/contoso/Main%20Project/_wiki/wikis/Main%20Project.wiki",
    ] {
        add(address, "docs").await.exits(0);
        assert_eq!(shown(&world, "docs").await["organization"], "contoso");
        world.done("connector remove docs").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn xa_08_xa_09_a_token_is_kept_once_used_twice_and_rotated() {
    let world = World::bare().await;
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add = format!("credential add nightly --pat-file {pat} --user backup --url {url}");
    world.done(&add).await;
    for name in ["one", "two"] {
        let add = format!(
            "connector add azure-devops contoso --url {url} --credential NIGHTLY --name {name}"
        );
        world.done(&add).await;
    }
    let kept = world.done("credential show nightly").await;
    assert_eq!(
        kept.events[0]["users"],
        json!(["connector one", "connector two"])
    );
    world
        .refused("credential remove nightly", 1, "credential-in-use")
        .await;
    let wrong = world.file("wrong", "not a token at all");
    let refused = world
        .refused(
            &format!("credential rotate nightly --pat-file {wrong}"),
            4,
            "credential-refused",
        )
        .await;
    assert!(
        !refused.told().contains("not a token"),
        "{}",
        refused.told()
    );
    let tested = world.done("credential test nightly").await;
    assert_eq!(tested.event("result")["ok"], true);
    world.done("connector remove one two").await;
    world.done("credential remove nightly").await;
    world
        .refused("credential show nightly", 1, "credential-unknown")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_41_xa_10_xa_12_an_edit_changes_what_it_names() {
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let edit = async |words: &str| {
        let edit = format!("connector edit contoso {words}");
        world.done(&edit).await;
        shown(&world, "contoso").await
    };
    let times = "--sync-new false --sync-hours 2,14 --time-zone Europe/Berlin";
    let after = edit(&format!("--worker basement {times}")).await;
    assert_eq!(after["worker"], "basement");
    assert_eq!(
        after["sync"],
        json!({"add_new": false, "hours": [2, 14], "time_zone": "Europe/Berlin"})
    );
    let sync = edit("--sync-interval 60").await["sync"].clone();
    assert_eq!(
        (&sync["add_new"], &sync["interval_minutes"]),
        (&json!(false), &json!(60))
    );
    let made = json!({"name": "fabrikam"});
    let made = world.post("/__organizations", &made).await;
    let other = world.file("other", made["pat"].as_str().unwrap());
    let url = world.simulator.url();
    let add = format!("credential add other --pat-file {other} --url {url}");
    world.done(&add).await;
    let moved = edit("--organization fabrikam --credential other").await;
    assert_eq!(
        (&moved["organization"], &moved["credential"]),
        (&json!("fabrikam"), &json!("other"))
    );
    assert!(edit("--worker ''").await.get("worker").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn xa_11_an_edit_that_cannot_be_right_changes_nothing() {
    let world = World::bare().await;
    world.connect("contoso", "pat").await.exits(0);
    let before = shown(&world, "contoso").await;
    for bad in [
        "--organization nowhere",
        "--organization -",
        "--credential nobody",
        "--sync-hours 24",
        "--sync-hours 1 --time-zone Nowhere/Land",
        "--sync-interval 1",
        "",
    ] {
        let refused = world.run(&format!("connector edit contoso {bad}")).await;
        let told = refused.told();
        assert!(matches!(refused.code, Some(1 | 2 | 4)), "{told}");
        refused.event("error");
    }
    assert_eq!(shown(&world, "contoso").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn sre_42_sre_43_sre_44_connectors_go_each_that_stays_is_named_and_backups_stay() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let (url, pat) = (world.simulator.url(), world.at("pat"));
    let add =
        format!("connector add azure-devops contoso --url {url} --pat-file {pat} --name second");
    world.done(&add).await;
    let removed = world.run("connector remove contoso nobody SECOND").await;
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
        .done(&format!("export latest work-items --to {to}"))
        .await;
    world
        .refused("connector remove contoso", 1, "connector-unknown")
        .await;
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
        let explained = world.done(&format!("explain {code}")).await;
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
