//! Repositories that the service does not give as a whole.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::http::Method;
use simulator::Seed;

use crate::support::{Snapshot, backup, codes, owner, post, start, state};

#[tokio::test]
async fn repositories_that_are_disabled_or_in_maintenance_are_told_and_carried_over() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let selection = BTreeSet::from(["git-repository".to_owned()]);
    let before = backup(&http, &Snapshot::default(), &selection).await;
    let repository = some_repository(&http).await;
    let item = repository_item(&repository);
    let path = format!(
        "/{}/_apis/git/repositories/{}",
        repository["project"]["id"].as_str().unwrap(),
        item.id
    );
    let disable = async |disabled: bool| {
        let call = http.call(Method::PATCH, "dev", &path).version("7.1");
        let call = call.json(&json!({ "isDisabled": disabled }));
        call.send().await.unwrap();
    };
    let maintain = async |busy: bool| {
        let body = json!({"repository": item.id, "isInMaintenance": busy});
        post(&http, "/__repositories", &body).await;
    };
    disable(true).await;
    let disabled = backup(&http, &before, &selection).await;
    assert_eq!(
        codes(&disabled.issues),
        ["git-repository-disabled git-repository"]
    );
    disable(false).await;
    maintain(true).await;
    let busy = backup(&http, &disabled, &selection).await;
    assert_eq!(
        codes(&busy.issues),
        ["git-repository-maintenance git-repository"]
    );
    for issue in disabled.issues.iter().chain(&busy.issues) {
        assert_eq!(issue.item.as_ref(), Some(&item));
    }
    maintain(false).await;
    let after = backup(&http, &busy, &selection).await;
    assert_eq!(codes(&after.issues), [""; 0]);
    for snapshot in [&disabled, &busy, &after] {
        assert_eq!(snapshot.items[&item], before.items[&item]);
    }
    simulator.stop().await;
}

#[tokio::test]
async fn all_refs_are_read_where_refs_are_limited_and_at_no_more_requests() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let selection = BTreeSet::from(["git-repository".to_owned()]);
    let repository = some_repository(&http).await;
    let item = repository_item(&repository);
    let state = state(&http, simulator.organization()).await;
    let told = state["repositories"].as_array().unwrap().iter();
    let told = told
        .clone()
        .find(|told| told["id"] == repository["id"])
        .unwrap();
    let bare = told["repositoryPath"].as_str().unwrap();
    // Made on the disk, it is nobody's.
    let branch = repository["defaultBranch"].as_str().unwrap();
    let made = std::process::Command::new("git")
        .args([
            "-C",
            bare,
            "update-ref",
            "refs/heads/of-somebody-else",
            branch,
        ])
        .status();
    assert!(made.unwrap().success());
    let spent = || http.usage().requests;
    let start = spent();
    let open = backup(&http, &Snapshot::default(), &selection).await;
    let usual = spent() - start;
    post(
        &http,
        "/__repositories",
        &json!({"repository": item.id, "limitedRefs": true}),
    )
    .await;
    let start = spent();
    let limited = backup(&http, &Snapshot::default(), &selection).await;
    assert_eq!(spent() - start, usual);
    let refs = limited.part_text(&item, "packed-refs");
    assert!(refs.contains("refs/heads/of-somebody-else"), "{refs}");
    assert_eq!(refs, open.part_text(&item, "packed-refs"));
    simulator.stop().await;
}

/// A repository of the organization with refs, as the service lists it.
async fn some_repository(http: &service::Client) -> Value {
    let listed: Value = http
        .get("dev", "/_apis/git/repositories")
        .version("7.1")
        .send()
        .await
        .unwrap()
        .json()
        .unwrap();
    let repositories = listed["value"].as_array().unwrap();
    repositories
        .iter()
        .find(|repository| repository["defaultBranch"].is_string())
        .unwrap()
        .clone()
}

fn repository_item(repository: &Value) -> ItemRef {
    ItemRef::new("git-repository", "", repository["id"].as_str().unwrap())
}
