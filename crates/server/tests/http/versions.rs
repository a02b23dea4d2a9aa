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
        "/alarms/settings",
    ] {
        second_is_refused(&world, path, path, |answer| answer).await;
    }
    let listed: fn(&Value) -> &Value = |answer| &answer["items"][0];
    second_is_refused(&world, "/identity-providers", path, listed).await;
}
