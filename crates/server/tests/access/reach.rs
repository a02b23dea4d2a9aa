//! Somebody who reaches some connectors alone: what they see of policies, approvals and the audit log.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use catalog::{NewAudit, PersonChange};
use model::{Connector, Policy, ProposalKind, Role, Secret};
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
async fn whether_a_connector_out_of_reach_exists_is_told_to_nobody() {
    let world = World::new().await;
    let (control, secret) = (&world.server.control, Secret::new("token"));
    let (catalog, now) = (&control.catalog, control.clock.now());
    catalog
        .put_credential(&control.kek, "pat", "pat", &secret, now, &mut rand::rng())
        .await
        .unwrap();
    for name in ["contoso", "fabrikam"] {
        let connector = Connector {
            name: name.to_owned(),
            service: "azure-devops".to_owned(),
            organization: name.to_owned(),
            method: "pat".to_owned(),
            credential: "pat".to_owned(),
            ..Connector::default()
        };
        catalog.add_connector(&connector).await.unwrap();
    }
    let anna = limited(&world, "anna", "contoso").await;
    let own = world.send(&anna, "GET", "/issues?connector=contoso", None);
    assert_eq!(own.await.status, StatusCode::OK);
    for name in ["fabrikam", "nothing"] {
        for path in [
            format!("/issues?connector={name}"),
            format!("/connectors/{name}"),
        ] {
            let refused = world.send(&anna, "GET", &path, None).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(refused.code(), "connector-unknown", "{path}");
        }
    }
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
    assert_eq!(refused.code(), "reach-missing");
}

/// Names that are settings of others: who reaches `alpha` alone does not learn that there is a `zebra`.
#[tokio::test]
async fn settings_of_others_name_no_connector_out_of_reach() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let (control, catalog) = (&world.server.control, world.catalog());
    let settings = control::AlarmSettings {
        connectors: [("alpha".to_owned(), 30), ("zebra".to_owned(), 48)].into(),
        ..control::AlarmSettings::default()
    };
    control.set_alarm_settings(&settings, None).await.unwrap();
    let zoe = world.person("zoe", &[Role::Viewer]).await;
    let change = PersonChange {
        connectors: Some(Some(["alpha".to_owned(), "zebra".to_owned()].into())),
        ..PersonChange::default()
    };
    catalog.change_person(&zoe, &change).await.unwrap();
    let zoe = world.session(&zoe).await;
    let token =
        json!({ "name": "t", "permissions": ["read-status"], "connectors": ["alpha", "zebra"] });
    let made = world.send(&zoe, "POST", "/tokens", Some(token)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let provider = json!({
        "title": "Entra", "issuer": "https://login.example.com", "client_id": "id", "groups_claim": "groups",
        "connectors": { "g": ["alpha", "zebra"], "h": ["*"] },
    });
    let path = "/identity-providers/entra";
    let put = world.send(&root, "PUT", path, Some(provider)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.text);
    let anna = limited(&world, "anna", "alpha").await;
    for path in [
        "/alarms/settings",
        "/people",
        "/people/zoe",
        "/tokens?all=true",
        "/identity-providers",
    ] {
        let all = world.send(&root, "GET", path, None).await;
        assert!(all.text.contains("zebra"), "{path}: {}", all.text);
        let seen = world.send(&anna, "GET", path, None).await;
        assert_eq!(seen.status, StatusCode::OK, "{path}: {}", seen.text);
        assert!(seen.text.contains("alpha"), "{path}: {}", seen.text);
        assert!(!seen.text.contains("zebra"), "{path}: {}", seen.text);
    }
}

#[tokio::test]
async fn where_a_page_ends_is_told_to_nobody_in_words() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let world = World::new().await;
    let (control, secret) = (&world.server.control, Secret::new("token"));
    let (catalog, now) = (&control.catalog, control.clock.now());
    for name in ["connector aardvark", "connector zebra"] {
        catalog
            .put_credential(&control.kek, name, "pat", &secret, now, &mut rand::rng())
            .await
            .unwrap();
    }
    let anna = limited(&world, "anna", "alpha").await;
    let page = world.send(&anna, "GET", "/credentials?limit=1", None).await;
    assert_eq!(page.json["items"], json!([]), "{}", page.text);
    let next = page.json["next"].as_str().unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(next).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("aardvark"), "{text}");
    let path = format!("/credentials?limit=1&after={next}");
    let rest = world.send(&anna, "GET", &path, None).await;
    assert_eq!(rest.status, StatusCode::OK, "{}", rest.text);
    // One of one's own making is none.
    let made = URL_SAFE_NO_PAD.encode(r#"["connector aardvark"]"#);
    let path = format!("/credentials?after={made}");
    let refused = world.send(&anna, "GET", &path, None).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.text);
}

/// Storage, workers and sessions of others are everybody's: a worker is given each connector's secret.
#[tokio::test]
async fn who_reaches_some_connectors_decides_nothing_that_is_for_all_of_them() {
    let world = World::new().await;
    let root = world.person("root", &[Role::Admin]).await;
    world.session(&root).await;
    let anna = limited(&world, "anna", "alpha").await;
    let session = {
        let (catalog, now) = (world.catalog(), world.server.control.clock.now());
        let page = catalog::Page::first(10);
        let idle = now - jiff::SignedDuration::from_hours(8);
        let all = catalog.sessions(Some(&root), now, idle, &page).await;
        all.unwrap().items[0].id.clone()
    };
    let maintenance = json!({ "check": null, "prune": null, "verify": null });
    for (method, path, body) in [
        (
            "POST",
            "/repositories",
            json!({ "name": "x", "location": "/x" }),
        ),
        ("PUT", "/repositories/x", json!({ "location": "/x" })),
        ("DELETE", "/repositories/x", json!({})),
        ("PUT", "/repositories/x/default", json!({})),
        ("POST", "/repositories/x/check", json!({})),
        ("POST", "/repositories/x/prune", json!({})),
        ("POST", "/repositories/x/sync", json!({})),
        ("GET", "/repositories/x/stats", json!({})),
        ("PUT", "/repositories/x/maintenance", maintenance),
        ("POST", "/workers", json!({ "name": "w" })),
        ("DELETE", "/workers/w", json!({})),
        ("PUT", "/settings/four-eyes", json!({ "enabled": true })),
    ] {
        let refused = world.send(&anna, method, path, Some(body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert_eq!(refused.code(), "reach-missing", "{method} {path}");
    }
    let path = format!("/sessions/{session}");
    let refused = world.send(&anna, "DELETE", &path, None).await;
    assert_eq!(refused.code(), "session-unknown", "{}", refused.text);
}
