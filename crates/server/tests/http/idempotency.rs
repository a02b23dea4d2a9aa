//! A write that comes twice is done once.

use serde_json::{Value, json};

use crate::support::{Answer, World, get};

async fn add(world: &World, key: &str, name: &str) -> Answer {
    let body = json!({"name": name, "roles": ["viewer"], "password": "correct horse battery"});
    world
        .post("/people", &body, &[("idempotency-key", key)])
        .await
}

async fn people(world: &World) -> Vec<Value> {
    let listed = world.send(get("/api/v1/people")).await.json();
    listed["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_same_request_is_answered_alike_and_done_once() {
    let world = World::new().await;
    let first = add(&world, "k1", "ann").await;
    assert_eq!(first.status.as_u16(), 201, "{:?}", first.body);
    let second = add(&world, "k1", "ann").await;
    assert_eq!(second.status, first.status);
    assert_eq!(second.body, first.body);
    assert_eq!(second.header("location"), first.header("location"));
    assert_eq!(second.header("idempotency-replayed"), "true");
    assert_eq!(people(&world).await.len(), 1);
}

#[tokio::test]
async fn a_key_is_for_one_request() {
    let world = World::new().await;
    add(&world, "k1", "ann").await;
    add(&world, "k1", "bob")
        .await
        .refuses(422, "idempotency-reused");
    assert_eq!(people(&world).await.len(), 1);
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again() {
    let world = World::new().await;
    let refused = add(&world, "k1", "").await;
    assert!(refused.status.is_client_error());
    assert_eq!(add(&world, "k1", "").await.status, refused.status);
    assert_eq!(add(&world, "k1", "ann").await.status.as_u16(), 201);
}

#[tokio::test]
async fn while_the_first_is_at_work_the_second_waits_its_turn() {
    let world = World::new().await;
    let (one, other) = tokio::join!(add(&world, "k1", "ann"), add(&world, "k1", "ann"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [201, 201 | 409]), "{statuses:?}");
    assert_eq!(people(&world).await.len(), 1);
}
