//! Repositories, notification channels and alarms over the interface.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use catalog::{AlarmAcknowledgement, QueueLimits};
use control::WorkerSetup;
use model::{Alarm, AlarmKind, AlarmLevel};
use serde_json::{Value, json};
use server::Options;
use server::access::{Caller, CallerKind};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, World};

pub(crate) async fn call(
    world: &World,
    caller: Caller,
    method: Method,
    path: &str,
    body: &Value,
) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("content-type", "application/json")
        .extension(caller);
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    world.nobody(request.body(body).unwrap()).await
}

pub(crate) async fn local(world: &World, method: Method, path: &str, body: &Value) -> Answer {
    call(world, Caller::local(), method, path, body).await
}

/// An administrator who sits elsewhere.
pub(crate) fn remote() -> Caller {
    let mut caller = Caller::local();
    "anna".clone_into(&mut caller.name);
    caller.kind = CallerKind::Person;
    caller
}

/// One who reaches one connector.
pub(crate) fn limited() -> Caller {
    let mut caller = remote();
    caller.connectors = Some(["contoso".to_owned()].into());
    caller
}

/// A run that was asked for, once the server's worker has done it.
async fn run(world: &World, path: &str, body: &Value) -> Value {
    let queued = local(world, Method::POST, path, body).await;
    assert_eq!(queued.status, 202, "{}", queued.json());
    let at = queued.header("location").to_owned();
    let setup = WorkerSetup {
        labels: BTreeSet::new(),
        slots: 1,
        limits: QueueLimits::default(),
        observer: world.server.events.observer(),
    };
    let stop = CancellationToken::new();
    let control = &world.server.control;
    assert_eq!(control.work_off(&setup, &stop).await.unwrap(), 1);
    let at = at.strip_prefix("/api/v1").unwrap();
    let ended = local(world, Method::GET, at, &Value::Null).await.json();
    assert_eq!(ended["state"], "succeeded", "{ended}");
    ended
}

#[tokio::test]
async fn a_repository_is_made_looked_after_and_forgotten_without_losing_a_backup() {
    let world = World::new().await;
    let place = world.path("repository").display().to_string();
    let add = json!({ "name": "main", "location": place });
    let made = local(&world, Method::POST, "/repositories", &add).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.header("location"), "/api/v1/repositories/main");
    let made = made.json();
    let password = made["password"].as_str().unwrap().to_owned();
    let id = made["repository"]["id"].clone();
    assert_eq!(made["repository"]["default"], true);

    let again = json!({ "name": "MAIN", "location": "/elsewhere" });
    let again = local(&world, Method::POST, "/repositories", &again).await;
    again.refuses(409, "repository-exists");
    let state = local(
        &world,
        Method::GET,
        "/repositories/main/state",
        &Value::Null,
    )
    .await;
    assert_eq!(state.json()["reachable"], true);
    assert_eq!(state.json()["snapshots"], 0);
    let check = json!({ "read_percent": 100 });
    let checked = run(&world, "/repositories/main/check", &check).await;
    assert_eq!(checked["kind"], "check", "{checked}");
    assert_eq!(checked["result"]["damage"], 0, "{checked}");
    let known = local(&world, Method::GET, "/repositories/main", &Value::Null).await;
    assert_eq!(known.json()["problems"], 0);
    let prune = json!({ "dry_run": true });
    let pruned = run(&world, "/repositories/main/prune", &prune).await;
    assert_eq!(pruned["result"]["dry_run"], true, "{pruned}");
    let stats = local(
        &world,
        Method::GET,
        "/repositories/main/stats",
        &Value::Null,
    )
    .await;
    assert_eq!(stats.json()["snapshots"], 0, "{}", stats.json());

    let removed = local(&world, Method::DELETE, "/repositories/main", &Value::Null).await;
    assert_eq!(removed.status, 204);
    assert!(world.path("repository").join("config").exists());
    // A new one of this name must not replace the password of the old one.
    let other = json!({ "name": "main", "location": world.path("other").display().to_string() });
    let other = local(&world, Method::POST, "/repositories", &other).await;
    other.refuses(409, "credential-exists");
    let back = json!({ "name": "main", "location": place, "existing": true });
    let back = local(&world, Method::POST, "/repositories", &back).await;
    assert_eq!(back.json()["repository"]["id"], id, "{}", back.json());
    let listed = local(&world, Method::GET, "/repositories", &Value::Null).await;
    let text = listed.json().to_string();
    assert!(!text.contains(&password), "{text}");
}

#[tokio::test]
async fn an_administrator_elsewhere_reaches_the_allowed_folders_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let world = World::with(Options {
        repository_roots: vec![root.clone()],
        ..Options::default()
    })
    .await;
    for (location, code) in [
        (world.path("x").display().to_string(), "repository-outside"),
        (format!("{}/../x", root.display()), "repository-outside"),
        (format!("file://{}/x", root.display()), "repository-outside"),
        (format!("{}/a\0b", root.display()), "repository-location"),
        (
            "s3://b?endpoint=http://127.0.0.1:9".to_owned(),
            "address-refused",
        ),
        ("s3://key:hunter2@b".to_owned(), "repository-location"),
    ] {
        let add = json!({ "name": "main", "location": location });
        let refused = call(&world, remote(), Method::POST, "/repositories", &add).await;
        let problem = refused.refuses(422, code);
        assert!(!problem.to_string().contains("hunter2"), "{problem}");
    }
    let add = json!({ "name": "main", "location": root.join("main").display().to_string() });
    let made = call(&world, remote(), Method::POST, "/repositories", &add).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let edit = json!({ "location": "/etc/main" });
    let refused = call(&world, remote(), Method::PUT, "/repositories/main", &edit).await;
    refused.refuses(422, "repository-outside");
}

/// "Never readable again" holds against those who manage repositories, too: whoever owns a server reads what is sent to it.
#[tokio::test]
async fn the_secret_of_a_storage_is_sent_to_no_server_for_which_it_was_not_given() {
    let world = World::with(Options {
        outbound: vec!["127.0.0.0/8".parse().unwrap()],
        ..Options::default()
    })
    .await;
    let control = &world.server.control;
    let secret = model::Secret::new("AKIDEXAMPLE:hunter2");
    let now = control.clock.now();
    control
        .catalog
        .put_credential(
            &control.kek,
            "storage main",
            "storage",
            &secret,
            now,
            &mut rand::rng(),
        )
        .await
        .unwrap();
    control
        .catalog
        .add_repository(&catalog::RepositoryRow {
            name: "main".to_owned(),
            location: "s3://b?endpoint=http://127.0.0.1:9".to_owned(),
            id: "1".to_owned(),
            password_credential: "storage main".to_owned(),
            storage_credential: Some("storage main".to_owned()),
            ..catalog::RepositoryRow::default()
        })
        .await
        .unwrap();
    let stranger = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    stranger.set_nonblocking(true).unwrap();
    let evil = format!("s3://b?endpoint=http://{}", stranger.local_addr().unwrap());
    let edit = |body: Value| (Method::PUT, "/repositories/main", body);
    let add = |body: Value| (Method::POST, "/repositories", body);
    for (method, path, body) in [
        edit(json!({ "location": evil, "credential": "storage main" })),
        // The machine's own identity is nobody else's either.
        edit(json!({ "location": evil })),
        edit(json!({ "location": "s3://b?endpoint=http://127.0.0.1:9" })),
        add(json!({ "name": "other", "location": evil, "credential": "Storage Main" })),
        add(json!({ "name": "other", "location": evil })),
    ] {
        let refused = call(&world, remote(), method, path, &body).await;
        refused.refuses(422, "credential-host");
    }
    let heard = stranger.accept().err().map(|error| error.kind());
    assert_eq!(
        heard,
        Some(std::io::ErrorKind::WouldBlock),
        "nothing was sent"
    );
    let same = Some("storage main");
    let known = "s3://b/elsewhere?endpoint=http://127.0.0.1:9"
        .parse()
        .unwrap();
    control.known_server(&known, same, false).await.unwrap();
    let given = evil.parse().unwrap();
    control.known_server(&given, same, true).await.unwrap();
    let own = "s3://b".parse().unwrap();
    control.known_server(&own, None, false).await.unwrap();
}

#[tokio::test]
async fn credentials_of_storages_are_listed_for_who_manages_repositories() {
    let world = World::new().await;
    let control = &world.server.control;
    let now = control.clock.now();
    for (name, method) in [("storage main", "storage"), ("repository main", "password")] {
        let secret = model::Secret::new("hunter2");
        control
            .catalog
            .put_credential(&control.kek, name, method, &secret, now, &mut rand::rng())
            .await
            .unwrap();
    }
    let mut operator = remote();
    operator.roles = [model::Role::Operator].into();
    let list = "/credentials?storage=true";
    for (caller, names) in [
        (remote(), vec!["storage main"]),
        (operator.clone(), Vec::new()),
        (limited(), Vec::new()),
    ] {
        let listed = call(&world, caller, Method::GET, list, &Value::Null).await;
        let listed = listed.json();
        let found: Vec<&str> = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap())
            .collect();
        assert_eq!(found, names);
        assert!(!listed.to_string().contains("hunter2"));
    }
    let usual = call(&world, remote(), Method::GET, "/credentials", &Value::Null).await;
    assert_eq!(usual.json()["items"], json!([]));
    let path = "/credentials/storage%20main";
    let hidden = call(&world, operator, Method::DELETE, path, &Value::Null).await;
    hidden.refuses(404, "credential-unknown");
    let removed = call(&world, remote(), Method::DELETE, path, &Value::Null).await;
    assert_eq!(removed.status, 204);
    let password = "/credentials/repository%20main";
    let kept = call(&world, remote(), Method::DELETE, password, &Value::Null).await;
    kept.refuses(404, "credential-unknown");
}

#[tokio::test]
async fn a_repository_that_cannot_be_used_leaves_nothing_behind() {
    let world = World::new().await;
    let add = json!({
        "name": "cloud", "location": "s3://backups", "credential_secret": "hunter2",
    });
    let refused = local(&world, Method::POST, "/repositories", &add).await;
    let problem = refused.refuses(422, "storage-credential");
    assert!(!problem.to_string().contains("hunter2"));
    let locked = json!({
        "name": "folder", "location": world.path("r").display().to_string(),
        "object_lock": { "mode": "compliance", "days": 30 },
    });
    let refused = local(&world, Method::POST, "/repositories", &locked).await;
    refused.refuses(422, "object-lock-unproved");
    let catalog = &world.server.control.catalog;
    assert!(catalog.credentials().await.unwrap().is_empty());
    assert!(catalog.repositories().await.unwrap().is_empty());
    assert!(!world.path("r").exists());
}

#[tokio::test]
async fn a_channels_secret_goes_in_and_never_comes_out() {
    let world = World::new().await;
    let secret = "https://hooks.example.com/services/hunter2";
    let add = json!({ "name": "ops", "to": { "kind": "slack" }, "secret": secret });
    let made = local(&world, Method::POST, "/notifications", &add).await;
    assert_eq!(made.status, 201, "{}", made.json());
    assert_eq!(made.json()["on"], json!(["warning", "failure", "alarm"]));
    let edit = json!({ "to": { "kind": "slack" }, "on": ["failure"], "connectors": ["con*"] });
    let edited = local(&world, Method::PUT, "/notifications/OPS", &edit).await;
    assert_eq!(edited.json()["name"], "ops", "{}", edited.json());
    let private =
        json!({ "name": "home", "to": { "kind": "ping" }, "secret": "http://127.0.0.1:9/hunter2" });
    local(&world, Method::POST, "/notifications", &private).await;
    let refused = local(
        &world,
        Method::POST,
        "/notifications/home/test",
        &Value::Null,
    )
    .await;
    let problem = refused.refuses(422, "notification-failed");
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    for path in [
        "/notifications",
        "/notifications/ops",
        "/notification-messages",
        "/audit",
    ] {
        let answer = local(&world, Method::GET, path, &Value::Null).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.json().to_string().contains("hunter2"), "{path}");
    }
    let unknown = json!({ "name": "x", "to": { "kind": "slack" }, "sekret": "hunter2" });
    let refused = local(&world, Method::POST, "/notifications", &unknown).await;
    let problem = refused.refuses(422, "request-refused");
    assert!(!problem.to_string().contains("hunter2"));
    let refused = call(
        &world,
        limited(),
        Method::GET,
        "/notifications",
        &Value::Null,
    )
    .await;
    refused.refuses(403, "reach-missing");
    let removed = local(&world, Method::DELETE, "/notifications/ops", &Value::Null).await;
    assert_eq!(removed.status, 204);
    let gone = local(&world, Method::GET, "/notifications/ops", &Value::Null).await;
    gone.refuses(404, "channel-unknown");
}

#[tokio::test]
async fn alarms_are_seen_by_those_who_reach_their_connector_and_acknowledged_with_a_reason() {
    let world = World::new().await;
    let control = &world.server.control;
    let alarm = |kind, subject: &str, connector: Option<&str>| Alarm {
        kind,
        subject: subject.to_owned(),
        connector: connector.map(str::to_owned),
        level: AlarmLevel::Warning,
        message: "something".to_owned(),
        hint: "do something".to_owned(),
    };
    let now = control.clock.now();
    for alarm in [
        alarm(AlarmKind::BackupOverdue, "Contoso", Some("Contoso")),
        alarm(AlarmKind::BackupOverdue, "Fabrikam", Some("Fabrikam")),
        alarm(AlarmKind::StorageFilling, "main", None),
    ] {
        control
            .catalog
            .raise_alarm_anew(&alarm, None, &[], now)
            .await
            .unwrap();
    }
    let all = local(&world, Method::GET, "/alarms", &Value::Null).await;
    assert_eq!(all.json()["items"].as_array().unwrap().len(), 3);
    let seen = call(&world, limited(), Method::GET, "/alarms", &Value::Null).await;
    let seen = seen.json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
    assert_eq!(seen["items"][0]["key"], "backup-overdue/contoso");
    let acknowledge = async |connector: &str, reason: &str| {
        let body = json!({ "key": format!("backup-overdue/{connector}"), "reason": reason });
        let path = "/alarms/acknowledge";
        call(&world, limited(), Method::POST, path, &body).await
    };
    let refused = acknowledge("fabrikam", "x").await;
    refused.refuses(404, "alarm-unknown");
    let refused = acknowledge("contoso", " ").await;
    refused.refuses(422, "alarm-unexplained");
    let done = acknowledge("contoso", "moving").await;
    assert_eq!(done.json()["acknowledged"]["by"], "anna", "{}", done.json());
    let row = control
        .catalog
        .alarm("backup-overdue/contoso")
        .await
        .unwrap();
    let made = AlarmAcknowledgement {
        at: now,
        by: "anna".to_owned(),
        reason: "moving".to_owned(),
    };
    assert_eq!(row.acknowledged, Some(made));
}

#[tokio::test]
async fn what_was_made_is_found_where_the_answer_says_whatever_its_name() {
    let world = World::new().await;
    let name = "a b#ü?100%";
    let body = json!({ "name": name, "location": world.path("odd") });
    let made = local(&world, Method::POST, "/repositories", &body).await;
    let at = made.header("location").strip_prefix("/api/v1").unwrap();
    let found = local(&world, Method::GET, at, &Value::Null).await;
    assert_eq!(found.json()["name"], name);
}

#[tokio::test]
async fn what_alarms_go_by_is_changed_within_its_limits() {
    let world = World::new().await;
    let settings = local(&world, Method::GET, "/alarms/settings", &Value::Null).await;
    let mut settings = settings.json();
    assert_eq!(settings["backup_hours"], 26);
    settings["connectors"] = json!({ "contoso": 4 });
    let set = local(&world, Method::PUT, "/alarms/settings", &settings).await;
    settings["version"] = json!(1);
    assert_eq!(set.json(), settings);
    settings["backup_hours"] = json!(0);
    let refused = local(&world, Method::PUT, "/alarms/settings", &settings).await;
    refused.refuses(422, "alarm-settings-refused");
}
