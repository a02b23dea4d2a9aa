//! Settings that two people change at once: whoever read them before the other saved is told so, and overwrites nothing.

use axum::http::Method;
use serde_json::{Value, json};

use crate::storage::local;
use crate::support::World;

/// Saves with the version that was read, again with the same, and then with none. `read` finds the settings in what `at` gives.
async fn second_is_refused(world: &World, at: &str, path: &str, read: fn(&Value) -> &Value) {
    let now = async || {
        let answer = local(world, Method::GET, at, &Value::Null).await;
        let answer = answer.json();
        read(&answer).clone()
    };
    let before = now().await;
    let put = async |body: &Value| local(world, Method::PUT, path, body).await;
    let mut body = edit(&before);
    body["version"] = before["version"].clone();
    assert!(body["version"].is_i64(), "{path}: {before}");
    let saved = put(&body).await;
    assert_eq!(saved.status, 200, "{path}: {}", saved.json());
    let after = now().await;
    assert_eq!(saved.json()["version"], after["version"], "{path}");
    put(&body).await.refuses(409, "settings-changed");
    assert_eq!(now().await, after, "{path}");
    body["version"] = Value::Null;
    assert_eq!(put(&body).await.status, 200, "{path}");
    body["version"] = after["version"].clone();
    put(&body).await.refuses(409, "settings-changed");
}

/// What is sent to keep them as they are.
fn edit(view: &Value) -> Value {
    let mut body = view.clone();
    let members = body.as_object_mut().unwrap();
    for answered in ["name", "redirect_uri", "id", "default"] {
        members.remove(answered);
    }
    for task in members.values_mut().filter_map(Value::as_object_mut) {
        task.retain(|member, _| !["next", "fired"].contains(&member.as_str()));
    }
    body
}

#[tokio::test]
async fn who_was_slower_is_told_and_overwrites_no_settings() {
    let world = World::new().await;
    let channel = json!({
        "name": "ops", "to": { "kind": "slack" }, "secret": "https://hooks.example.com/x",
    });
    let made = local(&world, Method::POST, "/notifications", &channel).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let provider = json!({
        "title": "Entra", "issuer": "https://login.example.com/v2.0", "client_id": "c",
    });
    let path = "/identity-providers/entra";
    let made = local(&world, Method::PUT, path, &provider).await;
    assert_eq!(made.status, 200, "{}", made.json());
    let place = world.path("main").display().to_string();
    let repository = json!({ "name": "main", "location": place });
    let made = local(&world, Method::POST, "/repositories", &repository).await;
    assert_eq!(made.status, 201, "{}", made.json());

    for path in [
        "/notifications/ops",
        "/repositories/main",
        "/repositories/main/maintenance",
        "/alarms/settings",
    ] {
        second_is_refused(&world, path, path, |answer| answer).await;
    }
    let listed: fn(&Value) -> &Value = |answer| &answer["items"][0];
    second_is_refused(&world, "/identity-providers", path, listed).await;
    // A change to another issuer drops the client secret; one that is refused does not.
    let secret = json!({ "client_secret": "hunter2" });
    let set = local(
        &world,
        Method::PUT,
        &format!("{path}/client-secret"),
        &secret,
    )
    .await;
    assert_eq!(set.status, 204, "{path}");
    let mut late = provider.clone();
    late["issuer"] = json!("https://other.example.com");
    late["version"] = json!(1);
    let put = local(&world, Method::PUT, path, &late).await;
    put.refuses(409, "settings-changed");
    let kept = world
        .server
        .control
        .catalog
        .credential("identity-provider/entra")
        .await;
    assert_eq!(kept.unwrap().method, "client-secret");
    // Nor does it come back that somebody has removed meanwhile.
    let before = local(&world, Method::GET, "/identity-providers", &Value::Null).await;
    let late = edit(listed(&before.json()));
    let gone = local(&world, Method::DELETE, path, &Value::Null).await;
    assert_eq!(gone.status, 204);
    let put = local(&world, Method::PUT, path, &late).await;
    put.refuses(409, "settings-changed");
    let after = local(&world, Method::GET, "/identity-providers", &Value::Null).await;
    assert_eq!(after.json()["items"], json!([]));
}

#[tokio::test]
async fn who_was_slower_gives_nobody_a_role_back() {
    let world = World::new().await;
    for (name, roles) in [("ada", vec!["admin"]), ("eve", vec!["admin", "viewer"])] {
        let person = json!({ "name": name, "roles": roles, "password": "correct horse battery" });
        let made = local(&world, Method::POST, "/people", &person).await;
        assert_eq!(made.status, 201, "{}", made.json());
    }
    let path = "/people/eve";
    let edit = async |body: Value| local(&world, Method::PATCH, path, &body).await;
    let eve = async || local(&world, Method::GET, path, &Value::Null).await.json();
    let read = eve().await["version"].as_i64().unwrap();
    let taken = edit(json!({ "roles": ["viewer"], "version": read })).await;
    assert_eq!(taken.status, 200, "{}", taken.json());
    assert_eq!(taken.json()["version"], read + 1);
    for late in [
        json!({ "roles": ["admin", "viewer"], "version": read }),
        json!({ "connectors": ["contoso"], "version": read }),
        json!({ "disabled": true, "version": read }),
    ] {
        edit(late).await.refuses(409, "settings-changed");
    }
    let now = eve().await;
    assert_eq!(now["roles"], json!(["viewer"]));
    assert_eq!(
        (&now["connectors"], &now["disabled"]),
        (&Value::Null, &json!(false))
    );
    let whatever = edit(json!({ "connectors": ["contoso"] })).await;
    assert_eq!(whatever.json()["version"], read + 2);
}
