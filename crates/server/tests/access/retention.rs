//! Four eyes where no policy changes, and snapshots could be forgotten nevertheless.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use catalog::{Catalog, RepositoryRow, SnapshotRow, SourceKey};
use model::policy::Keep;
use model::{Connector, Policy, Role, Secret, SourceId};
use serde_json::{Value, json};

use crate::harness::{Answer, As, World};

struct Two {
    world: World,
    anna: As,
    ben: As,
}

fn keeping(name: &str, connector: &str, last: u32) -> Policy {
    Policy {
        name: name.to_owned(),
        connectors: vec![connector.to_owned()],
        retention: Keep {
            last,
            ..Keep::default()
        },
        ..Policy::standard()
    }
}

fn connector(name: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: "contoso".to_owned(),
        method: "pat".to_owned(),
        credential: "pat".to_owned(),
        ..Connector::default()
    }
}

impl Two {
    /// Two administrators, four eyes, the connector `alpha`, and two repositories of which the first one is used when none is named.
    async fn new() -> Self {
        let world = World::new().await;
        let anna = world.with("anna", &[Role::Admin]).await;
        let ben = world.with("ben", &[Role::Admin]).await;
        let control = &world.server.control;
        let (catalog, now) = (&control.catalog, control.clock.now());
        for name in ["pat", "password"] {
            let secret = Secret::new("secret");
            catalog
                .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
                .await
                .unwrap();
        }
        catalog.add_connector(&connector("alpha")).await.unwrap();
        for name in ["first", "second"] {
            let row = RepositoryRow {
                name: name.to_owned(),
                location: format!("/{name}"),
                id: name.to_owned(),
                password_credential: "password".to_owned(),
                ..RepositoryRow::default()
            };
            catalog.add_repository(&row).await.unwrap();
        }
        catalog.set_four_eyes(true).await.unwrap();
        Self { world, anna, ben }
    }

    fn catalog(&self) -> &Catalog {
        self.world.catalog()
    }

    async fn policy(&self, policy: &Policy) {
        let now = self.world.server.control.clock.now();
        self.catalog().add_policy(policy, now).await.unwrap();
    }

    async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.world.send(&self.anna, method, path, body).await
    }

    async fn snapshot_in(&self, repository: &str) {
        let id = SourceId::new("azure-devops", "https://dev.azure.com", "contoso");
        let row = SnapshotRow {
            source: SourceKey {
                repository: repository.to_owned(),
                id,
            },
            name: "contoso".to_owned(),
            id: format!("snapshot-in-{repository}"),
            time: self.world.server.control.clock.now(),
            run: "1".to_owned(),
            tree: "tree".to_owned(),
            parent: None,
            counts: BTreeMap::new(),
            source_file: "{}".to_owned(),
        };
        self.catalog().add_snapshot(&row, []).await.unwrap();
    }

    async fn default(&self) -> Option<String> {
        let row = self.catalog().default_repository().await.unwrap();
        row.map(|row| row.name)
    }

    /// It waits, and Ben approves it; how the proposal ended.
    async fn approved(&self, waits: &Answer) -> Value {
        assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.text);
        let path = format!("/proposals/{}", waits.json["proposal"].as_str().unwrap());
        let shown = self.world.send(&self.ben, "GET", &path, None).await;
        let body = json!({ "hash": shown.json["hash"] });
        let path = format!("{path}/approve");
        let done = self.world.send(&self.ben, "POST", &path, Some(body)).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
        done.json["state"].clone()
    }
}

#[tokio::test]
async fn a_second_repository_does_not_take_the_place_of_the_only_one() {
    let two = Two::new().await;
    assert_eq!(two.default().await.as_deref(), Some("first"));
}

#[tokio::test]
async fn another_default_repository_after_which_less_is_kept_waits() {
    let two = Two::new().await;
    two.policy(&keeping("long", "alpha", 30)).await;
    let body = json!({
        "name": "short", "connectors": ["alpha"], "repository": "first", "retention": { "last": 1 },
    });
    let made = two.send("POST", "/policies", Some(body)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let moved = two.send("PUT", "/repositories/second/default", None).await;
    assert_eq!(two.default().await.as_deref(), Some("first"));
    assert_eq!(two.approved(&moved).await, "done");
    assert_eq!(two.default().await.as_deref(), Some("second"));
}

#[tokio::test]
async fn without_four_eyes_a_default_repository_after_which_less_is_kept_is_a_choice() {
    let two = Two::new().await;
    two.catalog().set_four_eyes(false).await.unwrap();
    two.policy(&keeping("long", "alpha", 30)).await;
    let here = Policy {
        repository: Some("first".to_owned()),
        ..keeping("short", "alpha", 1)
    };
    two.policy(&here).await;
    let path = "/repositories/second/default";
    // Nothing is there yet that could be forgotten.
    let moved = two.send("PUT", path, None).await;
    assert_eq!(moved.status, StatusCode::NO_CONTENT, "{}", moved.text);
    two.send("PUT", "/repositories/first/default", None).await;
    for name in ["first", "second"] {
        two.snapshot_in(name).await;
    }
    let refused = two.send("PUT", path, None).await;
    assert_eq!(refused.code(), "default-keeps-less", "{}", refused.text);
    let detail = refused.json["detail"].as_str().unwrap();
    // In the second one nothing was forgotten so far.
    assert!(
        detail.ends_with("of alpha in first, alpha in second"),
        "{detail}"
    );
    assert_eq!(two.default().await.as_deref(), Some("first"));
    let known = format!("{path}?accept_less=true");
    let moved = two.send("PUT", &known, None).await;
    assert_eq!(moved.status, StatusCode::NO_CONTENT, "{}", moved.text);
    assert_eq!(two.default().await.as_deref(), Some("second"));
    // Nothing is kept less on the way back, and knowing it does not let one person pass where two are asked for.
    let back = two.send("PUT", "/repositories/first/default", None).await;
    assert_eq!(back.status, StatusCode::NO_CONTENT, "{}", back.text);
    two.catalog().set_four_eyes(true).await.unwrap();
    let waits = two.send("PUT", &known, None).await;
    assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.text);
}

#[tokio::test]
async fn a_repository_that_the_long_policy_is_for_is_not_removed_by_one_person() {
    let two = Two::new().await;
    two.policy(&keeping("long", "alpha", 30)).await;
    let here = Policy {
        repository: Some("first".to_owned()),
        ..keeping("short", "alpha", 1)
    };
    two.policy(&here).await;
    let removed = two.send("DELETE", "/repositories/first", None).await;
    assert_eq!(removed.status, StatusCode::ACCEPTED, "{}", removed.text);
    assert!(two.catalog().repository("first").await.is_ok());
    // Nothing hangs on the other one.
    let removed = two.send("DELETE", "/repositories/second", None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    // What was proposed for a repository is not done to another one of its name.
    let waits = two.send("DELETE", "/repositories/first", None).await;
    two.catalog().remove_repository("first").await.unwrap();
    let other = RepositoryRow {
        name: "first".to_owned(),
        location: "/elsewhere".to_owned(),
        id: "another".to_owned(),
        password_credential: "password".to_owned(),
        ..RepositoryRow::default()
    };
    two.catalog().add_repository(&other).await.unwrap();
    assert_eq!(two.approved(&waits).await, "failed");
    assert!(two.catalog().repository("first").await.is_ok());
}

#[tokio::test]
async fn a_repository_is_not_taken_up_alone_under_a_name_that_policies_are_for() {
    let two = Two::new().await;
    let there = Policy {
        repository: Some("third".to_owned()),
        ..keeping("short", "alpha", 1)
    };
    two.policy(&there).await;
    let body = |name: &str| Some(json!({ "name": name, "location": "/backups", "existing": true }));
    let refused = two.send("POST", "/repositories", body("third")).await;
    assert_eq!(refused.code(), "repository-ruled", "{}", refused.text);
    let other = two.send("POST", "/repositories", body("fourth")).await;
    assert_eq!(other.code(), "repository-outside", "{}", other.text);
}

#[tokio::test]
async fn a_policy_that_asks_for_four_eyes_itself_is_not_undermined_by_another_one() {
    let two = Two::new().await;
    two.catalog().set_four_eyes(false).await.unwrap();
    let guarded = Policy {
        connectors: Vec::new(),
        four_eyes: true,
        ..keeping("guarded", "", 1000)
    };
    two.policy(&guarded).await;
    let takes = json!({ "name": "takes", "connectors": ["alpha"], "retention": { "last": 1 } });
    let waits = two.send("POST", "/policies", Some(takes)).await;
    assert_eq!(two.approved(&waits).await, "done");
}

#[tokio::test]
async fn policies_of_a_connector_that_was_removed_keep_what_it_made() {
    let two = Two::new().await;
    two.policy(&keeping("long", "alpha", 30)).await;
    two.policy(&keeping("short", "beta", 1)).await;
    two.catalog()
        .add_connector(&connector("beta"))
        .await
        .unwrap();
    let removed = two.send("DELETE", "/connectors/alpha", None).await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    // Nothing is kept less by that; taking the policy away would be.
    let waits = two.send("DELETE", "/policies/long", None).await;
    assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.text);
    let less =
        json!({ "policy": { "name": "long", "connectors": ["beta"], "retention": { "last": 1 } } });
    let waits = two.send("PUT", "/policies/long", Some(less)).await;
    assert_eq!(waits.status, StatusCode::ACCEPTED, "{}", waits.text);
}

#[tokio::test]
async fn two_changes_at_once_that_are_harmless_each_alone_are_not_both_made() {
    for _ in 0..8 {
        let two = Two::new().await;
        for (name, last) in [("one", 30), ("other", 30), ("short", 1)] {
            two.policy(&keeping(name, "alpha", last)).await;
        }
        let (one, other) = tokio::join!(
            two.send("DELETE", "/policies/one", None),
            two.send("DELETE", "/policies/other", None),
        );
        for answer in [&one, &other] {
            match answer.status {
                StatusCode::NO_CONTENT | StatusCode::ACCEPTED => {}
                StatusCode::CONFLICT => assert_eq!(answer.code(), "rules-changed"),
                other => unreachable!("{other}: {}", answer.text),
            }
        }
        let left = two.catalog().policies().await.unwrap();
        let keeps = left.iter().map(|row| row.policy.retention.last).max();
        assert_eq!(keeps, Some(30), "one person alone made less be kept");
    }
}

#[tokio::test]
async fn another_name_for_a_connector_and_a_policy_that_is_for_it_are_not_both_made_at_once() {
    for _ in 0..8 {
        let two = Two::new().await;
        let everything = Policy {
            connectors: Vec::new(),
            ..keeping("long", "", 1000)
        };
        two.policy(&everything).await;
        let short = json!({ "name": "short", "connectors": ["beta"], "retention": { "last": 1 } });
        let (renamed, made) = tokio::join!(
            two.send(
                "PATCH",
                "/connectors/alpha",
                Some(json!({ "name": "beta" }))
            ),
            two.send("POST", "/policies", Some(short)),
        );
        let both = renamed.status == StatusCode::OK && made.status == StatusCode::CREATED;
        assert!(!both, "one person alone made less be kept");
    }
}
