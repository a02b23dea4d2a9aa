//! What the service refuses, of a token and of an organization: it is named, and nothing is lost.

use serde_json::{Value, json};

use crate::common::{Ran, World, lost};

const READ: [&str; 4] = ["vso.project", "vso.code", "vso.work", "vso.wiki"];

async fn connectors(world: &World) -> Vec<Value> {
    world.done("connector list").await.events
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
    world
        .refused("backup contoso", 1, "connector-unknown")
        .await;
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
    world.run("connector test contoso").await.exits(3);

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
        .done(&format!(
            "connector add azure-devops contoso --url {url} --pat-file {pat} --replace"
        ))
        .await;
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
    let tested = world.run("connector test contoso").await;
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
