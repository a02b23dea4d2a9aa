//! Users, groups and sites that a policy selects by name or pattern: what it leaves out stays as it was.

use std::collections::BTreeMap;

use crate::support::{Tenant, of_kind};
use model::Picks;
use model::policy::Pick;
use serde_json::{Value, json};
use service::http::Method;

fn excluding(kind: &str, patterns: &[&str]) -> Picks {
    let pick = Pick {
        exclude: patterns.iter().map(|text| (*text).to_owned()).collect(),
        ..Pick::default()
    };
    Picks(BTreeMap::from([(kind.to_owned(), pick)]))
}

fn including(kind: &str, patterns: &[&str]) -> Picks {
    let pick = Pick {
        include: patterns.iter().map(|text| (*text).to_owned()).collect(),
        ..Pick::default()
    };
    Picks(BTreeMap::from([(kind.to_owned(), pick)]))
}

/// The users of a backup: sign-in name to document.
async fn users(tenant: &Tenant) -> BTreeMap<String, Value> {
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), Vec::<&str>::new());
    let files = tenant.files(&ran).await;
    let users = of_kind(&files, "users").into_values().map(|text| {
        let user: Value = serde_json::from_str(&text).unwrap();
        (user["userPrincipalName"].as_str().unwrap().to_owned(), user)
    });
    users.collect()
}

async fn set(tenant: &Tenant, user: &str, title: &str) {
    let body = json!({ "properties": { "jobTitle": title } });
    tenant
        .act(Method::PATCH, &format!("users/{user}"), &body)
        .await;
}

#[tokio::test]
async fn a_policy_selects_users_by_pattern_and_everything_else_whole() {
    let mut tenant = Tenant::start().await;
    let all = users(&tenant).await;
    let (one, other) = {
        let mut names = all.keys();
        (names.next().unwrap().clone(), names.next().unwrap().clone())
    };
    tenant.forget_backups().await;
    tenant.picks = including("user", &[&one.to_uppercase()]);
    let chosen = users(&tenant).await;
    assert_eq!(chosen.keys().collect::<Vec<_>>(), [&one]);
    let held = tenant.files(&tenant.back_up().await.unwrap()).await;
    assert!(!of_kind(&held, "groups").is_empty() && !of_kind(&held, "sites").is_empty());

    tenant.picks = excluding("user", &[&other]);
    let chosen = users(&tenant).await;
    assert_eq!(chosen.len(), all.len() - 1);
    assert!(!chosen.contains_key(&other));
}

#[tokio::test]
async fn a_user_who_is_no_longer_selected_stays_as_he_was_whatever_happens_to_him() {
    let mut tenant = Tenant::start().await;
    let before = users(&tenant).await;
    let names: Vec<&String> = before.keys().collect();
    let (renamed, deleted, kept) = (names[0], names[1], names[2]);
    tenant.picks = excluding("user", &[renamed, deleted]);
    set(&tenant, renamed, "Unseen").await;
    set(&tenant, kept, "Seen").await;
    tenant
        .act(Method::DELETE, &format!("users/{deleted}"), &json!({}))
        .await;
    let after = users(&tenant).await;
    assert_eq!(after[renamed], before[renamed]);
    assert_eq!(after[deleted], before[deleted], "he was not asked for");
    assert_eq!(after[kept]["jobTitle"], "Seen");
    // Nothing that happened meanwhile is missed once he is selected again.
    tenant.picks = Picks::default();
    let again = users(&tenant).await;
    assert_eq!(again[renamed]["jobTitle"], "Unseen");
    assert!(!again.contains_key(deleted));
    let quiet = tenant.back_up().await.unwrap();
    assert_eq!(
        (quiet.rows, quiet.requests("user")),
        (0, 1),
        "it goes by changes again"
    );
}

#[tokio::test]
async fn a_selected_user_who_is_deleted_goes_and_new_ones_that_fit_come() {
    let mut tenant = Tenant::start().await;
    let before = users(&tenant).await;
    let gone = before.keys().next().unwrap();
    tenant.picks = excluding("user", &["nobody@*"]);
    users(&tenant).await;
    tenant
        .act(Method::DELETE, &format!("users/{gone}"), &json!({}))
        .await;
    let added = tenant.act(Method::POST, "change", &json!({})).await;
    let after = users(&tenant).await;
    assert!(!after.contains_key(gone));
    let id = &added["added"]["user"];
    assert!(after.values().any(|user| user["id"] == *id));
}

#[tokio::test]
async fn a_group_that_is_renamed_into_the_selection_comes_with_all_its_members() {
    let mut tenant = Tenant::start().await;
    let all = tenant.files(&tenant.back_up().await.unwrap()).await;
    tenant.forget_backups().await;
    tenant.picks = including("group", &["Chosen*"]);
    let ran = tenant.back_up().await.unwrap();
    assert!(of_kind(&tenant.files(&ran).await, "groups").is_empty());
    let body = json!({ "properties": { "displayName": "Chosen ones" } });
    tenant.act(Method::PATCH, "groups/engineering", &body).await;
    let ran = tenant.back_up().await.unwrap();
    let groups = of_kind(&tenant.files(&ran).await, "groups");
    let members = groups
        .iter()
        .find(|(path, _)| path.ends_with("members.ndjson"));
    let (path, members) = members.unwrap();
    assert_eq!(*members, of_kind(&all, "groups")[path]);
    assert_eq!(
        groups
            .keys()
            .filter(|path| path.ends_with("group.json"))
            .count(),
        1
    );
}

/// How many groups somebody owns, and all files of the backup that says so.
async fn owned(tenant: &Tenant, user: &Value) -> (usize, BTreeMap<String, Vec<u8>>) {
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.codes(), Vec::<&str>::new());
    let files = tenant.files(&ran).await;
    let lists = of_kind(&files, "groups");
    let own = lists.iter().filter(|(path, text)| {
        path.ends_with("owners.ndjson") && text.contains(user["id"].as_str().unwrap())
    });
    (own.count(), files)
}

#[tokio::test]
async fn owners_that_come_and_go_are_followed() {
    let mut tenant = Tenant::start().await;
    let mut newcomer = tenant.act(Method::POST, "change", &json!({})).await;
    let user = json!({ "id": newcomer["added"]["user"].take() });
    let owner = json!({ "member": user["id"] });
    let owners = "groups/design/owners";
    assert_eq!(owned(&tenant, &user).await.0, 0);
    tenant.act(Method::POST, owners, &owner).await;
    let (with, chained) = owned(&tenant, &user).await;
    assert_eq!(with, 1);
    tenant.forget_backups().await;
    assert_eq!(owned(&tenant, &user).await.1, chained);
    tenant.act(Method::DELETE, owners, &owner).await;
    assert_eq!(owned(&tenant, &user).await.0, 0);
}

#[tokio::test]
async fn a_value_that_is_taken_away_goes_without_another_request() {
    let tenant = Tenant::start().await;
    let before = users(&tenant).await;
    let titled = before
        .iter()
        .find(|(_, user)| user["jobTitle"].is_string())
        .unwrap();
    let body = json!({ "properties": { "jobTitle": null } });
    tenant
        .act(Method::PATCH, &format!("users/{}", titled.0), &body)
        .await;
    let ran = tenant.back_up().await.unwrap();
    assert_eq!(ran.requests("user"), 1, "a later round shows it as null");
    let after = of_kind(&tenant.files(&ran).await, "users");
    let id = titled.1["id"].as_str().unwrap();
    let user = after.iter().find(|(path, _)| path.starts_with(id)).unwrap();
    let user: Value = serde_json::from_str(user.1).unwrap();
    assert_eq!(user.get("jobTitle"), Some(&Value::Null));
}
