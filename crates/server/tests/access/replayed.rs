//! An answer that is kept under an idempotency key is for the one who had it, and only as long as they may have it.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use catalog::PersonChange;
use model::Role;
use serde_json::{Value, json};

use crate::harness::{Answer, As, World};

async fn worker(world: &World, who: &As, name: &str) -> Answer {
    let who = who.clone().with("idempotency-key", "same");
    let body = json!({ "name": name });
    world.send(&who, "POST", "/workers", Some(body)).await
}

async fn token(world: &World, who: &As, permissions: Value) -> (As, String) {
    let body = json!({ "name": "ci", "permissions": permissions });
    let made = world.send(who, "POST", "/tokens", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let id = made.json["id"].as_str().unwrap().to_owned();
    (As::bearer(made.json["secret"].as_str().unwrap()), id)
}

/// The first answer is repeated for whoever had it, and refused to the other without a word of it.
async fn own_alone(world: &World, first: &As, other: &As) {
    let made = worker(world, first, "one").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let again = worker(world, first, "one").await;
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(again.text, made.text);
    let refused = worker(world, other, "one").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
    assert_eq!(refused.code(), "role-missing");
    assert!(!refused.text.contains("kww_"), "{}", refused.text);
}

#[tokio::test]
async fn tokens_of_one_name_have_answers_of_their_own() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let (wide, id) = token(&world, &root, json!(["manage-server"])).await;
    let (narrow, _) = token(&world, &root, json!(["read-status"])).await;
    own_alone(&world, &wide, &narrow).await;
    // What a token was answered goes with it.
    let gone = format!("/tokens/{id}");
    let gone = world.send(&root, "DELETE", &gone, None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert!(!kept(&world, &format!("token/{id}")).await);
}

#[tokio::test]
async fn a_person_of_the_same_name_has_answers_of_their_own() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let before = world.person("eve", &[Role::Admin]).await;
    let eve = world.session(&before).await;
    let made = worker(&world, &eve, "one").await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert!(kept(&world, &format!("person/{before}")).await);
    let removed = world.send(&root, "DELETE", "/people/eve", None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert!(!kept(&world, &format!("person/{before}")).await);
    for role in [Role::Viewer, Role::Admin] {
        let other = world.with(&format!("{role:?}"), &[role]).await;
        let answer = worker(&world, &other, "one").await;
        assert!(!answer.status.is_success(), "{}", answer.text);
    }
    let eve = world.with("eve", &[Role::Viewer]).await;
    let refused = worker(&world, &eve, "one").await;
    assert_eq!(refused.code(), "role-missing", "{}", refused.text);
}

#[tokio::test]
async fn who_may_less_than_before_is_not_answered_again() {
    for change in [
        PersonChange {
            roles: Some(BTreeSet::from([Role::Viewer])),
            ..PersonChange::default()
        },
        PersonChange {
            connectors: Some(Some(BTreeSet::from(["alpha".to_owned()]))),
            ..PersonChange::default()
        },
    ] {
        let world = World::new().await;
        world.person("root", &[Role::Admin]).await;
        let id = world.person("dem", &[Role::Admin]).await;
        let (before, same) = (world.session(&id).await, world.session(&id).await);
        let made = worker(&world, &before, "one").await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let again = worker(&world, &same, "one").await;
        assert_eq!(again.text, made.text, "in another session of the person");
        world.catalog().change_person(&id, &change).await.unwrap();
        let after = world.session(&id).await;
        let refused = worker(&world, &after, "one").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text);
        assert_eq!(refused.code(), "role-missing");
    }
}

/// Whether an answer to this caller is kept: under its key another request is refused then.
async fn kept(world: &World, caller: &str) -> bool {
    let control = &world.server.control;
    let begun = control.catalog.begin_answer(
        &control.kek,
        caller,
        "same",
        b"another request",
        control.clock.now(),
        std::time::Duration::from_hours(1),
    );
    matches!(begun.await.unwrap(), catalog::Earlier::Another)
}
