//! API tokens, also stolen ones.

use axum::http::StatusCode;
use model::Role;
use serde_json::{Value, json};

use crate::harness::{As, World};

async fn token(world: &World, who: &As, body: Value) -> As {
    let made = world.send(who, "POST", "/tokens", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    As::bearer(made.json["secret"].as_str().unwrap())
}

#[tokio::test]
async fn a_token_does_what_it_and_its_owner_may() {
    let world = World::new().await;
    world.person("keeper", &[Role::Admin]).await;
    let id = world.person("anna", &[Role::Admin]).await;
    let anna = world.session(&id).await;
    let reads = token(
        &world,
        &anna,
        json!({ "name": "reads", "permissions": ["read-audit"] }),
    )
    .await;
    assert_eq!(
        world.send(&reads, "GET", "/audit", None).await.status,
        StatusCode::OK
    );
    assert_eq!(
        world.send(&reads, "GET", "/people", None).await.status,
        StatusCode::FORBIDDEN
    );
    let me = world.send(&reads, "GET", "/me", None).await;
    assert_eq!(
        (&me.json["name"], &me.json["kind"]),
        (&json!("anna/reads"), &json!("token"))
    );
    assert_eq!(me.json["permissions"], json!(["read-audit", "own"]));
    let demoted = json!({ "roles": ["viewer"] });
    world
        .send(&anna, "PATCH", "/people/anna", Some(demoted))
        .await;
    assert_eq!(
        world.send(&reads, "GET", "/audit", None).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_token_reaches_what_it_and_its_owner_reach() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let anna = world.with("anna", &[Role::Viewer]).await;
    let some =
        json!({ "name": "some", "permissions": ["read-status"], "connectors": ["one", "Two"] });
    let some = token(&world, &anna, some).await;
    let reached = async || world.send(&some, "GET", "/me", None).await.json["connectors"].clone();
    assert_eq!(reached().await, json!(["one", "two"]));
    world
        .send(
            &root,
            "PATCH",
            "/people/anna",
            Some(json!({ "connectors": ["TWO", "three"] })),
        )
        .await;
    assert_eq!(reached().await, json!(["two"]));
    let more = json!({ "name": "more", "permissions": ["read-status"], "connectors": ["one"] });
    let refused = world.send(&anna, "POST", "/tokens", Some(more)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_stolen_token_makes_no_tokens_changes_no_account_and_ends_with_its_owner() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let id = world.person("anna", &[Role::Admin]).await;
    let anna = world.session(&id).await;
    let stolen = json!({ "name": "stolen", "permissions": ["own", "manage-people"] });
    let stolen = token(&world, &anna, stolen).await;
    for (method, path, body) in [
        (
            "POST",
            "/tokens",
            json!({ "name": "child", "permissions": ["own"] }),
        ),
        (
            "PUT",
            "/me/password",
            json!({ "current": "x", "new": "a brand new one 5" }),
        ),
        ("POST", "/me/second-factor", json!({ "password": "x" })),
        (
            "POST",
            "/me/second-factor/disable",
            json!({ "password": "x" }),
        ),
        ("PATCH", "/people/anna", json!({ "connectors": null })),
        (
            "PUT",
            "/people/anna/password",
            json!({ "password": "a brand new one 5" }),
        ),
        ("DELETE", "/people/anna", Value::Null),
        ("DELETE", "/session", Value::Null),
    ] {
        let refused = world.send(&stolen, method, path, Some(body)).await;
        assert_eq!(
            (refused.status, refused.code()),
            (StatusCode::FORBIDDEN, "person-needed"),
            "{method} {path}"
        );
    }
    let mere = token(
        &world,
        &anna,
        json!({ "name": "mere", "permissions": ["own"] }),
    )
    .await;
    let listed = world.send(&mere, "GET", "/tokens", None).await;
    let id = listed.json["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        world
            .send(&mere, "DELETE", &format!("/tokens/{id}"), None)
            .await
            .code(),
        "person-needed"
    );
    world
        .send(
            &root,
            "PATCH",
            "/people/anna",
            Some(json!({ "disabled": true })),
        )
        .await;
    assert_eq!(
        world.send(&stolen, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_token_has_an_end_and_no_more_than_its_owner() {
    let world = World::new().await;
    let anna = world.with("anna", &[Role::Viewer]).await;
    for (body, at) in [
        (
            json!({ "name": "t", "permissions": ["read-audit"] }),
            "/permissions",
        ),
        (json!({ "name": "t", "permissions": [] }), "/permissions"),
        (
            json!({ "name": "t", "permissions": ["own"], "days": 0 }),
            "/days",
        ),
        (
            json!({ "name": "t", "permissions": ["own"], "days": 367 }),
            "/days",
        ),
        (json!({ "name": "a b", "permissions": ["own"] }), "/name"),
        (
            json!({ "name": "t", "permissions": ["own"], "person": "root" }),
            "/person",
        ),
    ] {
        let refused = world
            .send(&anna, "POST", "/tokens", Some(body.clone()))
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(refused.json["errors"][0]["pointer"], at, "{body}");
    }
    let short = token(
        &world,
        &anna,
        json!({ "name": "t", "permissions": ["own"], "days": 1 }),
    )
    .await;
    world.pass(24 * 3600 - 1);
    assert_eq!(
        world.send(&short, "GET", "/me", None).await.status,
        StatusCode::OK
    );
    world.pass(1);
    assert_eq!(
        world.send(&short, "GET", "/me", None).await.status,
        StatusCode::UNAUTHORIZED
    );
}

/// A bearer is sent on purpose: no other site can make a browser do it.
#[tokio::test]
async fn programs_need_no_origin() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let program = token(
        &world,
        &root,
        json!({ "name": "t", "permissions": ["manage-people", "read-status"] }),
    )
    .await;
    let body = json!({ "name": "ben", "password": "another horse 17", "roles": ["viewer"] });
    assert_eq!(
        world
            .send(&program, "POST", "/people", Some(body))
            .await
            .status,
        StatusCode::CREATED
    );
    assert!(world.actions().await.contains(&"person.add".to_owned()));
}
