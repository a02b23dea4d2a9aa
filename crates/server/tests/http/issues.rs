//! Issues as people see them: by names, and acknowledged by those who may.

use axum::http::Method;
use model::{RunKind, RunState};
use serde_json::{Value, json};

use crate::maintenance::{backup, furnished, get, queued};
use crate::storage::{call, limited, local, remote};

#[tokio::test]
async fn issues_of_a_check_are_acknowledged_by_those_who_look_after_repositories() {
    let world = furnished().await;
    let catalog = &world.server.control.catalog;
    queued(&world, "1", RunKind::Check, "").await;
    let issue = model::Issue {
        code: "repository-damaged".to_owned(),
        class: model::Class::Storage,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: "a pack is missing".to_owned(),
        hint: None,
    };
    catalog.add_issues("1", &[issue]).await.unwrap();
    let listed = get(&world, "/issues").await;
    let found = &listed["items"][0];
    assert_eq!(
        (&found["connector"], &found["repository"]),
        (&json!(""), &json!("main")),
        "{listed}"
    );
    let of_run = get(&world, "/runs/1/issues").await;
    for told in [found, &of_run["items"][0]] {
        assert_eq!(told["title"], "The repository is damaged", "{told}");
    }
    let path = "/issues/acknowledge";
    let body = json!({ "repository": "main", "code": "repository-damaged", "note": "the disk is being replaced" });
    let operator = || {
        let mut operator = remote();
        operator.roles = [model::Role::Operator].into();
        operator
    };
    let refused = call(&world, operator(), Method::POST, path, &body).await;
    refused.refuses(403, "role-missing");
    let refused = call(&world, limited(), Method::POST, path, &body).await;
    refused.refuses(404, "repository-not-found");
    let hidden = call(&world, limited(), Method::GET, "/issues", &Value::Null).await;
    assert_eq!(hidden.json()["items"], json!([]));
    for wrong in [
        json!({ "code": "repository-damaged" }),
        json!({ "connector": "contoso", "repository": "main", "code": "repository-damaged" }),
    ] {
        let refused = local(&world, Method::POST, path, &wrong).await;
        refused.refuses(422, "request-refused");
    }
    let unknown = json!({ "repository": "nothing", "code": "repository-damaged" });
    local(&world, Method::POST, path, &unknown)
        .await
        .refuses(404, "repository-not-found");
    let done = local(&world, Method::POST, path, &body).await;
    assert_eq!(done.status, 204);
    let listed = get(&world, "/issues?repository=main").await;
    let seen = &listed["items"][0]["acknowledged"];
    assert_eq!(seen["note"], "the disk is being replaced", "{listed}");
    let audit = get(&world, "/audit").await;
    assert_eq!(audit["items"][0]["subject"], "repository/main", "{audit}");
}

#[tokio::test]
async fn issues_name_the_project_and_the_item_that_a_snapshot_has() {
    let world = furnished().await;
    backup(&world, "1", "contoso", RunState::SucceededWithIssues).await;
    let control = &world.server.control;
    let (catalog, now) = (&control.catalog, control.clock.now());
    let connector = catalog.connector("contoso").await.unwrap();
    let row = catalog::SnapshotRow {
        source: catalog::SourceKey {
            repository: "r".to_owned(),
            id: control.source_of(&connector).unwrap(),
        },
        name: "contoso".to_owned(),
        id: "aaaa".to_owned(),
        time: now,
        run: "1".to_owned(),
        tree: String::new(),
        parent: None,
        counts: [].into(),
        source_file: "{}".to_owned(),
    };
    let (shop, web) = (
        model::ItemRef::new("project", "", "p1"),
        model::ItemRef::new("team", "p1", "t1"),
    );
    let named = [(shop, "Shop"), (web.clone(), "Web")].map(|(item, name)| catalog::IndexChange {
        path: item.id.clone(),
        item,
        name: name.to_owned(),
        digest: "d".to_owned(),
        size: 1,
        modified: None,
        state: catalog::ItemState::Live,
        change: catalog::Change::Added,
        text: String::new(),
        project: String::new(),
    });
    catalog.add_snapshot(&row, named).await.unwrap();
    let issue = |item: Option<model::ItemRef>, scope: &str| model::Issue {
        code: "permission-missing".to_owned(),
        class: model::Class::Permission,
        kind: "team".to_owned(),
        scope: scope.to_owned(),
        item,
        message: "may not be read".to_owned(),
        hint: None,
    };
    let all = [issue(Some(web), "p1"), issue(None, "gone")];
    catalog.add_issues("1", &all).await.unwrap();
    for path in ["/issues", "/runs/1/issues"] {
        let listed = get(&world, path).await;
        let items = listed["items"].as_array().unwrap();
        let of = |scope: &str| items.iter().find(|one| one["scope"] == scope).unwrap();
        let known = of("p1");
        assert_eq!(
            (&known["scope_name"], &known["item_name"]),
            (&json!("Shop"), &json!("Web")),
            "{path}"
        );
        assert!(of("gone")["scope_name"].is_null(), "{path}");
    }
}

#[tokio::test]
async fn many_issues_are_acknowledged_by_one_request_or_none_of_them() {
    let world = furnished().await;
    backup(&world, "1", "contoso", RunState::SucceededWithIssues).await;
    let catalog = &world.server.control.catalog;
    let issue = |item: &str| model::Issue {
        code: "git-repository-disabled".to_owned(),
        class: model::Class::Permission,
        kind: "git-repository".to_owned(),
        scope: String::new(),
        item: Some(model::ItemRef::new("git-repository", "", item)),
        message: format!("{item} is disabled"),
        hint: None,
    };
    let all = ["a", "b", "c"].map(issue);
    catalog.add_issues("1", &all).await.unwrap();
    let seen = |connector: &str, item: &str| json!({ "connector": connector, "code": "git-repository-disabled", "kind": "git-repository", "item": item });
    let acknowledged = async || {
        let listed = get(&world, "/issues").await;
        let items = listed["items"].as_array().unwrap().iter();
        items
            .filter(|one| one["acknowledged"]["note"] == "closed")
            .count()
    };
    let path = "/issues/acknowledge-many";
    let one_is_none =
        json!({ "issues": [seen("contoso", "a"), seen("nothing", "b")], "note": "closed" });
    let refused = local(&world, Method::POST, path, &one_is_none).await;
    refused.refuses(404, "connector-unknown");
    assert_eq!(acknowledged().await, 0);
    // What one of them takes the request takes: of whoever may not look after repositories, or does with a token that was not given that.
    let of_repository = json!({ "repository": "main", "code": "repository-damaged" });
    let mixed = json!({ "issues": [seen("contoso", "a"), of_repository], "note": "closed" });
    let mut operator = remote();
    operator.roles = [model::Role::Operator].into();
    let mut token = remote();
    token.scopes = Some([model::Permission::RunBackups].into());
    for caller in [operator, token] {
        let refused = call(&world, caller, Method::POST, path, &mixed).await;
        refused.refuses(403, "role-missing");
    }
    let unreached = json!({ "issues": [seen("contoso", "a"), seen("fabrikam", "b")] });
    let refused = call(&world, limited(), Method::POST, path, &unreached).await;
    refused.refuses(404, "connector-unknown");
    assert_eq!(acknowledged().await, 0);
    let none = local(&world, Method::POST, path, &json!({ "issues": [] })).await;
    none.refuses(422, "request-refused");
    let both = json!({ "issues": [seen("contoso", "a"), seen("contoso", "b")], "note": "closed" });
    let done = local(&world, Method::POST, path, &both).await;
    assert_eq!(done.status, 204);
    assert_eq!(acknowledged().await, 2);
}
