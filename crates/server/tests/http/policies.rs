//! Policies as forms ask for them: what is wrong where, what a schedule means, who was faster.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, World, get};

async fn put(world: &World, path: &str, body: &Value) -> Answer {
    let request = Request::put(format!("/api/v1{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()));
    world.send(request.unwrap()).await
}

async fn read(world: &World, path: &str) -> Value {
    let answer = world.send(get(&format!("/api/v1{path}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

#[tokio::test]
async fn av_04_each_wrong_member_of_a_policy_is_pointed_at_and_nothing_is_saved() {
    let world = World::new().await;
    for (member, value, pointer) in [
        ("name", json!(""), "/name"),
        (
            "schedule",
            json!({"when": {"every": "hours", "at": ["25:00"]}}),
            "/schedule",
        ),
        (
            "schedule",
            json!({"when": {"every": "cron", "expression": "every night"}}),
            "/schedule",
        ),
        (
            "schedule",
            json!({"when": {"every": "interval", "minutes": 1}}),
            "/schedule",
        ),
        (
            "schedule",
            json!({"time_zone": "Nowhere/Land"}),
            "/schedule",
        ),
        ("schedule", json!({"jitter_minutes": 1441}), "/schedule"),
        ("repository", json!("nowhere"), "/repository"),
        ("selection", json!({"kinds": ["gopher"]}), "/selection"),
        ("selection", json!({"items": {"gopher": {}}}), "/selection"),
        ("limits", json!({"runs": 0}), "/limits"),
    ] {
        let mut body = json!({"name": "nightly"});
        body[member] = value;
        let refused = world.post("/policies", &body, &[]).await;
        assert!(refused.status.is_client_error(), "{body}");
        let problem = refused.json();
        let errors = problem["errors"].as_array();
        let pointed = errors.into_iter().flatten();
        let pointed: Vec<&str> = pointed.filter_map(|one| one["pointer"].as_str()).collect();
        assert!(
            pointed.iter().any(|one| one.starts_with(pointer)),
            "{body}: {problem}"
        );
        let previewed = world.post("/policies/preview", &body, &[]).await;
        let knows_names = matches!(member, "repository" | "selection" | "name");
        assert!(previewed.status.is_client_error() || knows_names, "{body}");
    }
    let all = read(&world, "/policies").await;
    assert_eq!(
        all["items"].as_array().unwrap().len(),
        1,
        "the default one alone"
    );
}

#[tokio::test]
async fn a_preview_tells_the_next_times_in_utc_and_in_the_zone_and_saves_nothing() {
    let world = World::new().await;
    // The clock stands at 2027-01-15T08:00:00Z.
    let body = json!({"name": "nightly", "schedule": {
        "when": {"every": "hours", "at": ["22:00"], "days": ["sat"]}, "time_zone": "Europe/Berlin", "jitter_minutes": 0}});
    let preview = world.post("/policies/preview", &body, &[]).await;
    assert_eq!(preview.status, 200, "{}", preview.json());
    let preview = preview.json();
    let next = preview["next"].as_array().unwrap();
    assert_eq!(next.len(), 5);
    assert_eq!(next[0], "2027-01-16T21:00:00Z");
    assert_eq!(next[1], "2027-01-23T21:00:00Z");
    assert!(
        preview["local"][0].as_str().unwrap().contains("22:00"),
        "{preview}"
    );
    let manual = json!({"name": "nightly", "schedule": {"when": {"every": "manual"}}});
    let preview = world.post("/policies/preview", &manual, &[]).await.json();
    assert_eq!(preview["next"], json!([]));
    let gone = world.send(get("/api/v1/policies/nightly")).await;
    gone.refuses(404, "policy-unknown");
}

#[tokio::test]
async fn who_was_slower_is_told_and_overwrites_nothing() {
    let world = World::new().await;
    let before = read(&world, "/policies/default").await;
    let mut policy = before["policy"].clone();
    policy["retention"]["daily"] = json!(60);
    let edit = json!({"policy": policy, "version": before["version"]});
    let first = put(&world, "/policies/default", &edit).await;
    assert_eq!(first.status, 200, "{}", first.json());
    let mut edit = edit;
    edit["policy"]["retention"]["daily"] = json!(90);
    let second = put(&world, "/policies/default", &edit).await;
    second.refuses(409, "policy-changed");
    let now = read(&world, "/policies/default").await;
    assert_eq!(now["policy"]["retention"]["daily"], 60);
}
