//! Somebody who reaches some connectors alone: what they see of policies, approvals and the audit log.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use catalog::{NewAudit, PersonChange};
use model::{Policy, ProposalKind, Role};
use serde_json::{Value, json};

use crate::harness::{As, World};

/// An administrator who reaches one connector alone.
async fn limited(world: &World, name: &str, connector: &str) -> As {
    let person = world.person(name, &[Role::Admin, Role::Auditor]).await;
    let change = PersonChange {
        connectors: Some(Some(BTreeSet::from([connector.to_owned()]))),
        ..PersonChange::default()
    };
    let catalog = world.catalog();
    catalog.change_person(&person, &change).await.unwrap();
    world.session(&person).await
}

fn policy(name: &str, connectors: &[&str]) -> Policy {
    Policy {
        name: name.to_owned(),
        connectors: connectors.iter().map(|one| (*one).to_owned()).collect(),
        ..Policy::standard()
    }
}

fn names(answer: &Value, member: &str) -> Vec<String> {
    let items = answer["items"].as_array().unwrap().iter();
    let text = |item: &Value| item.pointer(member).unwrap().as_str().unwrap().to_owned();
    items.map(text).collect()
}

#[tokio::test]
async fn policies_are_seen_by_those_who_reach_a_connector_of_theirs() {
    let world = World::new().await;
    let now = world.server.control.clock.now();
    for policy in [
        policy("own", &["contoso"]),
        policy("shared", &["fabrikam", "cont*"]),
        policy("other", &["fabrikam"]),
    ] {
        world.catalog().add_policy(&policy, now).await.unwrap();
    }
    let anna = limited(&world, "anna", "contoso").await;
    let seen = world.send(&anna, "GET", "/policies", None).await;
    assert_eq!(
        names(&seen.json, "/policy/name"),
        ["default", "own", "shared"]
    );
    assert!(!seen.text.contains("fabrikam"), "{}", seen.text);
    let refused = world.send(&anna, "GET", "/policies/other", None).await;
    assert_eq!(refused.code(), "policy-unknown");
    let run = json!({ "connector": "contoso" });
    let refused = world
        .send(&anna, "POST", "/policies/other/run", Some(run))
        .await;
    assert_eq!(refused.code(), "policy-unknown");
}

#[tokio::test]
async fn nobody_sees_or_decides_what_is_about_connectors_out_of_reach() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let anna = limited(&world, "anna", "contoso").await;
    let shorten = |name: &str, connectors: &[&str]| ProposalKind::ShortenRetention {
        policy: name.to_owned(),
        version: 1,
        old: Some(Box::new(policy(name, connectors))),
        new: None,
    };
    let control = &world.server.control;
    let asks = catalog::Requester {
        person: None,
        name: "somebody".to_owned(),
    };
    let mut hashes = Vec::new();
    for kind in [
        shorten("own", &["contoso"]),
        shorten("other", &["fabrikam"]),
        shorten("both", &["contoso", "fabrikam"]),
        shorten("rest", &[]),
        ProposalKind::ForgetSnapshots {
            repository: "main".to_owned(),
            snapshots: vec!["0123".to_owned()],
        },
        ProposalKind::SwitchOffFourEyes,
    ] {
        let made = control.propose(&asks, &kind).await.unwrap();
        hashes.push((made.id, made.hash));
    }
    let all = world.send(&root, "GET", "/proposals", None).await;
    assert_eq!(all.json["items"].as_array().unwrap().len(), 6);
    let seen = world.send(&anna, "GET", "/proposals", None).await;
    assert_eq!(names(&seen.json, "/subject"), ["policy/own"]);
    let overview = world.send(&anna, "GET", "/overview", None).await;
    assert_eq!(overview.json["waiting_proposals"], 1);
    for (id, hash) in &hashes[1..] {
        let path = format!("/proposals/{id}");
        let refused = world.send(&anna, "GET", &path, None).await;
        assert_eq!(refused.code(), "proposal-unknown");
        for (way, body) in [("approve", json!({ "hash": hash })), ("reject", json!({}))] {
            let path = format!("/proposals/{id}/{way}");
            let refused = world.send(&anna, "POST", &path, Some(body)).await;
            assert_eq!(refused.code(), "proposal-unknown", "{way}");
        }
    }
    let path = format!("/proposals/{}/reject", hashes[0].0);
    let decided = world.send(&anna, "POST", &path, Some(json!({}))).await;
    assert_eq!(decided.status, StatusCode::OK, "{}", decided.text);
}

#[tokio::test]
async fn the_audit_log_tells_of_connectors_in_reach_and_of_oneself() {
    let world = World::new().await;
    let anna = limited(&world, "anna", "contoso").await;
    for (actor, subject) in [
        ("ben", "connector/Contoso"),
        ("ben", "connector/fabrikam"),
        ("ben", "connector/contoso-2"),
        ("ben", "repository/main"),
        ("anna", "repository/main"),
        ("ben", "run/unknown"),
    ] {
        let event = NewAudit {
            time: world.server.control.clock.now(),
            kind: "person".to_owned(),
            actor: actor.to_owned(),
            action: "test.made".to_owned(),
            subject: subject.to_owned(),
            outcome: "done".to_owned(),
            details: "{}".to_owned(),
            address: None,
            request: None,
        };
        world.catalog().append_audit(&event).await.unwrap();
    }
    let seen = world.send(&anna, "GET", "/audit?action=test", None).await;
    assert_eq!(
        names(&seen.json, "/subject"),
        ["repository/main", "connector/Contoso"]
    );
    let refused = world.send(&anna, "GET", "/audit/export", None).await;
    assert_eq!(refused.code(), "role-missing");
}
