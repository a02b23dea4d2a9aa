//! Every operation as nobody and as each role.

use axum::http::StatusCode;
use catalog::PersonChange;
use model::{Permission, Role};
use serde_json::{Value, json};

use crate::harness::{As, World};

/// Operations without a permission: what comes before anybody is somebody, and what is for workers with tokens of their own alone.
const OPEN: [&str; 8] = [
    "worker_claim",
    "worker_say",
    "setup_get",
    "setup_create",
    "session_create",
    "sign_in_get",
    "sign_in_leave",
    "sign_in_arrive",
];

/// Operations for workers with a token of their own, which no person has.
const WORKERS: [&str; 2] = ["worker_claim", "worker_say"];

/// Changes of what connectors share that look themselves what the caller reaches.
const NARROW: [&str; 1] = ["snapshot_forget"];

struct Operation {
    id: String,
    method: String,
    path: String,
    permission: Option<Permission>,
    /// It is about what all connectors share.
    everything: bool,
    has_body: bool,
}

fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(server::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if !["get", "put", "post", "delete", "patch"].contains(&method.as_str()) {
                continue;
            }
            let permission = operation.get("x-permission").map(|name| {
                let known = serde_json::from_value(name.clone());
                known.unwrap_or_else(|_| panic!("{method} {path}: {name} is no permission"))
            });
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.clone(),
                path: path
                    .split('{')
                    .enumerate()
                    .map(|(at, part)| match part.split_once('}') {
                        Some((_, rest)) if at > 0 => format!("nothing-like-it{rest}"),
                        _ => part.to_owned(),
                    })
                    .collect(),
                permission,
                everything: operation.get("x-reach") == Some(&json!("all")),
                has_body: operation.get("requestBody").is_some(),
            });
        }
    }
    operations
}

impl Operation {
    fn body(&self) -> Option<Value> {
        self.has_body.then(|| json!({}))
    }

    async fn call(&self, world: &World, who: &As) -> crate::harness::Answer {
        world.send(who, &self.method, &self.path, self.body()).await
    }
}

#[test]
fn every_operation_names_its_permission() {
    let operations = operations();
    assert!(operations.len() > 25);
    for operation in &operations {
        let known = OPEN.iter().chain(&WORKERS).any(|id| *id == operation.id);
        assert_eq!(operation.permission.is_none(), known, "{}", operation.id);
    }
}

/// SRE-01: administrators and standard users (operators) add connectors, lesser roles do not; and so on for everything else.
#[tokio::test]
async fn sre_01_every_operation_is_for_the_roles_with_its_permission() {
    let world = World::new().await;
    world.person("keeper", &[Role::Admin]).await;
    for operation in operations() {
        if OPEN.contains(&operation.id.as_str()) {
            continue;
        }
        let may = |role: Role| {
            operation
                .permission
                .is_some_and(|permission| role.may(permission))
        };
        let nobody = operation.call(&world, &As::nobody()).await;
        assert_eq!(
            nobody.status,
            StatusCode::UNAUTHORIZED,
            "{}: {}",
            operation.id,
            nobody.text
        );
        assert_eq!(
            nobody.header("www-authenticate"),
            "Bearer",
            "{}",
            operation.id
        );
        for role in Role::ALL {
            // Each operation has a person of its own: what it does to one, nobody else notices.
            let name = format!("{role:?}-{}", operation.id).to_lowercase();
            let who = world.with(&name, &[role]).await;
            let before = world.actions().await.len();
            let answer = operation.call(&world, &who).await;
            let told = format!(
                "{} as {role:?}: {} {}",
                operation.id, answer.status, answer.text
            );
            let refused = answer.status == StatusCode::FORBIDDEN && answer.code() == "role-missing";
            assert_eq!(refused, !may(role), "{told}");
            assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{told}");
            assert!(
                !answer.status.is_server_error()
                    || answer.status == StatusCode::SERVICE_UNAVAILABLE,
                "{told}"
            );
            let wrote = operation.method != "get" && answer.status.is_success();
            let traces = world.actions().await.split_off(before);
            let reads = operation.id.contains("preview");
            assert!(
                !wrote || reads || !traces.is_empty(),
                "{told}: no trace in the audit log"
            );
            // Its method and path are a trace, but it is to say what it did.
            assert!(
                !traces.iter().any(|action| action.starts_with("request.")),
                "{told}: {traces:?}"
            );
        }
    }
    assert_eq!(
        world.catalog().verify_audit(None).await.unwrap().fault,
        None
    );
}

/// The worker that somebody limited lets in would be given the secrets of all connectors.
#[tokio::test]
async fn what_all_connectors_share_is_not_for_who_reaches_some_of_them() {
    let world = World::new().await;
    world.person("keeper", &[Role::Admin]).await;
    let some = PersonChange {
        connectors: Some(Some(["alpha".to_owned()].into())),
        ..PersonChange::default()
    };
    for operation in operations() {
        for role in Role::ALL {
            let Some(permission) = operation.permission else {
                continue;
            };
            let name = format!("{role:?}-{}", operation.id).to_lowercase();
            let person = world.person(&name, &[role]).await;
            world.catalog().change_person(&person, &some).await.unwrap();
            let who = world.session(&person).await;
            let answer = operation.call(&world, &who).await;
            let told = format!("{} as {role:?}: {}", operation.id, answer.text);
            let refused = answer.code() == "reach-missing";
            let expected = operation.everything && role.may(permission);
            assert_eq!(refused, expected, "{told}");
            if refused {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{told}");
                let hint = answer.json["hint"].as_str().unwrap_or_default();
                assert!(hint.contains("--all-connectors"), "{told}");
            }
        }
    }
}

/// Whoever adds an operation says what it is about.
#[test]
fn what_changes_the_server_is_about_all_connectors() {
    for operation in operations() {
        let shared = matches!(
            operation.permission,
            Some(
                Permission::ManageServer
                    | Permission::ManageRepositories
                    | Permission::ManagePolicies
            )
        );
        let changes = operation.method != "get" && !NARROW.contains(&operation.id.as_str());
        assert!(
            !shared || !changes || operation.everything,
            "{}",
            operation.id
        );
    }
}

#[tokio::test]
async fn sre_01_administrators_and_operators_add_connectors_and_lesser_roles_do_not() {
    let world = World::new().await;
    let adds = operations()
        .into_iter()
        .find(|operation| operation.method == "post" && operation.path == "/connectors");
    let adds = adds.unwrap();
    for (role, may) in [
        (Role::Admin, true),
        (Role::Operator, true),
        (Role::Restorer, false),
        (Role::Viewer, false),
        (Role::Auditor, false),
    ] {
        let who = world.with(&format!("{role:?}"), &[role]).await;
        let answer = adds.call(&world, &who).await;
        assert_eq!(
            answer.status != StatusCode::FORBIDDEN,
            may,
            "{role:?}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_proof_that_does_not_hold_opens_nothing() {
    let world = World::new().await;
    let root = world.with("root", &[Role::Admin]).await;
    let make = async |name: &str| {
        let all: Vec<Value> = Permission::ALL
            .iter()
            .map(|permission| json!(permission))
            .collect();
        let body = json!({ "name": name, "permissions": all, "days": 1 });
        let made = world.send(&root, "POST", "/tokens", Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        (
            made.json["secret"].as_str().unwrap().to_owned(),
            made.json["id"].as_str().unwrap().to_owned(),
        )
    };
    let (expired, _) = make("expired").await;
    world.pass(24 * 3600);
    let root = world
        .session(&world.catalog().person("root").await.unwrap().id)
        .await;
    let body = json!({ "name": "revoked", "permissions": ["read-status"] });
    let revoked = world.send(&root, "POST", "/tokens", Some(body)).await;
    let gone = world
        .send(
            &root,
            "DELETE",
            &format!("/tokens/{}", revoked.json["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let revoked = revoked.json["secret"].as_str().unwrap().to_owned();
    for who in [
        As::bearer(&expired),
        As::bearer(&revoked),
        As::bearer("kw_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        As::bearer(""),
        As::cookie("keepward=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        As::nobody().with("authorization", "Basic cm9vdDpyb290"),
    ] {
        for operation in operations()
            .iter()
            .filter(|operation| !OPEN.contains(&operation.id.as_str()))
        {
            let answer = operation.call(&world, &who).await;
            assert_eq!(
                answer.status,
                StatusCode::UNAUTHORIZED,
                "{} {who:?}",
                operation.id
            );
        }
    }
}
