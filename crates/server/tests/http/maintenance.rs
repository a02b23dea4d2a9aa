//! What is done for repositories by itself, and the pages and figures that tell whether all is well.

use axum::http::Method;
use jiff::SignedDuration;
use model::policy::Selection;
use model::{
    Alarm, AlarmKind, AlarmLevel, Connector, Counts, Event, KindCounts, Reason, Run, RunKind,
    RunState, Secret,
};
use serde_json::{Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::storage::{call, limited, local};
use crate::support::World;

pub(crate) async fn get(world: &World, path: &str) -> Value {
    let answer = local(world, Method::GET, path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.json());
    answer.json()
}

/// A server with the repository `main` and two connectors.
pub(crate) async fn furnished() -> World {
    let world = World::new().await;
    let place = world.path("repository").display().to_string();
    let add = json!({ "name": "main", "location": place });
    let made = local(&world, Method::POST, "/repositories", &add).await;
    assert_eq!(made.status, 201, "{}", made.json());
    let control = &world.server.control;
    let (now, secret, mut rng) = (control.clock.now(), Secret::new("token"), rand::rng());
    let new = catalog::NewCredential {
        name: "token",
        sign_in: &model::SignIn::Pat {
            user: String::new(),
        },
        secret: &secret,
        expires: Some(now),
        profile: None,
    };
    let connectors = ["contoso", "fabrikam"].map(|name| Connector {
        name: name.to_owned(),
        service: "azure-devops".to_owned(),
        organization: name.to_owned(),
        method: "pat".to_owned(),
        credential: "token".to_owned(),
        created: now,
        ..Connector::default()
    });
    let (catalog, kek) = (&control.catalog, &control.kek);
    catalog
        .connect(
            kek,
            catalog::Connecting {
                credential: Some(&new),
                connectors: &connectors,
                ..catalog::Connecting::default()
            },
            now,
            &mut rng,
        )
        .await
        .unwrap();
    world
}

/// A run that was queued an hour ago.
pub(crate) async fn queued(world: &World, id: &str, kind: RunKind, connector: &str) -> Run {
    let control = &world.server.control;
    let run: Run = serde_json::from_value(json!({
        "id": id, "kind": kind, "connector": connector, "repository": "main", "state": "queued", "counts": Counts::default(),
        "created": control.clock.now() - SignedDuration::from_hours(1), "reason": Reason::Schedule, "policy": "default",
    }))
    .unwrap();
    control.catalog.create_run(&run).await.unwrap();
    run
}

/// A backup that ended an hour ago.
pub(crate) async fn backup(world: &World, id: &str, connector: &str, state: RunState) {
    backup_without(world, id, connector, state, &[]).await;
}

/// One that could not read these kinds, which were last read so many days before.
async fn backup_without(
    world: &World,
    id: &str,
    connector: &str,
    state: RunState,
    stale: &[(&str, i64)],
) {
    let mut run = queued(world, id, RunKind::Backup, connector).await;
    let ended = run.created;
    run.state = state;
    run.finished = Some(ended);
    run.snapshot = Some(format!("snapshot-{id}"));
    let items = KindCounts {
        items: 12,
        ..KindCounts::default()
    };
    run.counts = Counts {
        kinds: [("project".to_owned(), items)].into(),
        requests: 10,
        bytes_received: 4000,
        bytes_stored: 1000,
        stale: stale
            .iter()
            .map(|(kind, days)| {
                let before = SignedDuration::from_hours(24 * days);
                ((*kind).to_owned(), ended - before)
            })
            .collect(),
        ..Counts::default()
    };
    let catalog = &world.server.control.catalog;
    catalog.finish_run(&run).await.unwrap();
}

fn states(overview: &Value) -> Vec<(&str, &str)> {
    let sources = overview["sources"].as_array().unwrap().iter();
    sources
        .map(|one| {
            (
                one["connector"].as_str().unwrap(),
                one["state"].as_str().unwrap(),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_backup_that_could_not_read_everything_is_as_good_as_its_oldest_part() {
    let world = furnished().await;
    let issues = RunState::SucceededWithIssues;
    backup_without(&world, "1", "contoso", issues, &[("work-item", 0)]).await;
    backup_without(
        &world,
        "2",
        "fabrikam",
        issues,
        &[("wiki", 1), ("team", 400)],
    )
    .await;
    let told = get(&world, "/overview").await;
    assert_eq!(
        states(&told),
        [("contoso", "protected"), ("fabrikam", "late")]
    );
    backup_without(&world, "3", "fabrikam", issues, &[("wiki", 1)]).await;
    let told = get(&world, "/overview").await;
    let fabrikam = &told["sources"][1];
    assert_eq!(fabrikam["state"], "partial", "{fabrikam}");
    assert_eq!(fabrikam["last_good"]["snapshot"], "snapshot-3");
    let age = fabrikam["age_seconds"].as_i64().unwrap();
    assert!((25 * 3600..26 * 3600).contains(&age), "{age}");
}

#[tokio::test]
async fn the_overview_tells_in_one_answer_whether_all_is_well() {
    let world = furnished().await;
    let fresh = get(&world, "/overview").await;
    assert_eq!(
        states(&fresh),
        [("contoso", "never"), ("fabrikam", "never")]
    );
    assert_eq!(fresh["next_runs"].as_array().unwrap().len(), 2);
    assert_eq!(fresh["storage"]["growth"].as_array().unwrap().len(), 30);

    backup(&world, "1", "contoso", RunState::Succeeded).await;
    backup(&world, "2", "fabrikam", RunState::SucceededWithIssues).await;
    backup(&world, "3", "fabrikam", RunState::Failed).await;
    let control = &world.server.control;
    let alarm = Alarm {
        kind: AlarmKind::DamageFound,
        subject: "azure-devops/fabrikam".to_owned(),
        connector: Some("fabrikam".to_owned()),
        level: AlarmLevel::Critical,
        message: "damaged".to_owned(),
        hint: "repair".to_owned(),
    };
    let (catalog, now) = (&control.catalog, control.clock.now());
    catalog
        .raise_alarm_anew(&alarm, None, &[], now)
        .await
        .unwrap();
    let told = get(&world, "/overview").await;
    assert_eq!(
        states(&told),
        [("contoso", "protected"), ("fabrikam", "failing")]
    );
    let contoso = &told["sources"][0];
    assert_eq!(contoso["last_good"]["snapshot"], "snapshot-1", "{contoso}");
    assert_eq!(
        (
            &contoso["items"],
            &contoso["policy"],
            &contoso["age_seconds"]
        ),
        (&json!(12), &json!("default"), &json!(3600))
    );
    assert_eq!(contoso["objective_days"], 1.08);
    let storage = &told["storage"];
    assert_eq!(
        (&storage["raw_bytes"], &storage["stored_bytes"]),
        (&json!(12_000), &json!(3000))
    );
    assert_eq!(storage["repositories"][0]["bytes"], 3000);
    assert_eq!(storage["growth"][29]["added_bytes"], 3000, "{storage}");
    assert_eq!(told["requests"]["last_day"], 30);
    assert_eq!(told["alarms"], json!({ "open": 1, "critical": 1 }));
    assert_eq!(
        told["runs"]["last_day"],
        json!({ "succeeded": 1, "with_issues": 1, "failed": 1, "canceled": 0 })
    );

    let seen = call(&world, limited(), Method::GET, "/overview", &Value::Null).await;
    let seen = seen.json();
    assert_eq!(states(&seen), [("contoso", "protected")]);
    assert_eq!(seen["alarms"]["open"], 0);
    assert_eq!(seen["runs"]["last_day"]["failed"], 0);
    assert_eq!(seen["storage"]["stored_bytes"], 1000);
    assert!(!seen.to_string().contains("fabrikam"), "{seen}");
}

#[tokio::test]
async fn a_connector_whose_address_nobody_can_tell_says_why() {
    let world = furnished().await;
    let control = &world.server.control;
    let (now, mut rng) = (control.clock.now(), rand::rng());
    let connectors = [Connector {
        name: "elsewhere".to_owned(),
        service: "unheard-of".to_owned(),
        organization: "elsewhere".to_owned(),
        method: "pat".to_owned(),
        credential: "token".to_owned(),
        created: now,
        ..Connector::default()
    }];
    let connecting = catalog::Connecting {
        connectors: &connectors,
        ..catalog::Connecting::default()
    };
    let connected = control
        .catalog
        .connect(&control.kek, connecting, now, &mut rng);
    connected.await.unwrap();
    let told = get(&world, "/overview").await;
    let sources = told["sources"].as_array().unwrap();
    let of = |name: &str| sources.iter().find(|one| one["connector"] == name).unwrap();
    assert!(of("elsewhere")["address"].is_null(), "{told}");
    let why = of("elsewhere")["address_error"].as_str().unwrap();
    assert!(why.contains("unheard-of"), "{why}");
    assert!(of("contoso")["address_error"].is_null(), "{told}");
    let alone = get(&world, "/connectors/elsewhere").await;
    assert_eq!(alone["address_error"], why, "{alone}");
}

#[tokio::test]
async fn an_old_backup_is_late_and_one_without_a_policy_unprotected() {
    let world = furnished().await;
    backup(&world, "1", "contoso", RunState::Succeeded).await;
    backup(&world, "2", "fabrikam", RunState::Succeeded).await;
    let mut settings = get(&world, "/alarms/settings").await;
    settings["connectors"] = json!({ "contoso": 1 });
    let control = &world.server.control;
    let set = local(&world, Method::PUT, "/alarms/settings", &settings).await;
    assert_eq!(set.status, 200);
    let catalog = &control.catalog;
    let mut late = catalog.run("1").await.unwrap();
    late.finished = late
        .finished
        .map(|time| time - SignedDuration::from_mins(1));
    catalog.finish_run(&late).await.unwrap();
    let row = catalog.policy("default").await.unwrap();
    let policy = model::Policy {
        connectors: vec!["contoso".to_owned()],
        selection: Selection::default(),
        ..row.policy
    };
    let now = control.clock.now();
    catalog
        .replace_policy("default", row.version, &policy, now)
        .await
        .unwrap();
    let told = get(&world, "/overview").await;
    assert_eq!(
        states(&told),
        [("contoso", "late"), ("fabrikam", "unprotected")]
    );
    assert_eq!(told["sources"][1]["next_run"], Value::Null);
}

#[tokio::test]
async fn a_person_sees_and_changes_what_is_done_by_itself() {
    let world = furnished().await;
    let path = "/repositories/MAIN/maintenance";
    let usual = get(&world, path).await;
    for task in ["check", "prune", "verify"] {
        assert_eq!(usual[task]["next"].as_array().unwrap().len(), 5, "{usual}");
    }
    assert_eq!(usual["check"]["read_percent"], 5);
    let daily =
        json!({ "when": { "every": "cron", "expression": "0 6 * * *" }, "jitter_minutes": 0 });
    let wanted = json!({
        "check": { "schedule": daily, "read_percent": 20 }, "prune": null, "verify": { "schedule": daily },
    });
    let preview = local(&world, Method::POST, &format!("{path}/preview"), &wanted).await;
    assert_eq!(preview.json()["prune"], Value::Null, "{}", preview.json());
    assert_eq!(get(&world, path).await, usual, "a preview changes nothing");
    let set = local(&world, Method::PUT, path, &wanted).await;
    assert_eq!(set.status, 200, "{}", set.json());
    let after = get(&world, path).await;
    assert_eq!(after, set.json());
    assert_eq!(after["check"]["read_percent"], 20);
    assert!(
        after["verify"]["next"][0]
            .as_str()
            .unwrap()
            .ends_with("T06:00:00Z")
    );
    for (body, at) in [
        (json!({ "check": null, "prune": null }), "/verify"),
        (
            json!({ "check": { "schedule": daily, "read_percent": 101 }, "prune": null, "verify": null }),
            "/check/read_percent",
        ),
        (
            json!({ "check": null, "prune": { "schedule": { "time_zone": "Nowhere" } }, "verify": null }),
            "/prune/schedule/time_zone",
        ),
    ] {
        let refused = local(&world, Method::PUT, path, &body).await;
        let problem = refused.refuses(422, "request-refused");
        assert!(problem.to_string().contains(at), "{problem}");
    }
    assert_eq!(get(&world, path).await, after, "a refusal changes nothing");
    let nowhere = local(&world, Method::PUT, "/repositories/x/maintenance", &wanted).await;
    nowhere.refuses(404, "repository-not-found");
}

#[tokio::test]
async fn checks_and_prunes_are_for_those_who_reach_everything_to_see() {
    let world = furnished().await;
    let check = json!({});
    let queued = local(&world, Method::POST, "/repositories/main/check", &check).await;
    assert_eq!(queued.status, 202, "{}", queued.json());
    let id = queued.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/runs/{id}");
    let hidden = call(&world, limited(), Method::GET, &path, &Value::Null);
    hidden.await.refuses(404, "run-unknown");
    let wrong = json!({ "read_percent": 101 });
    let refused = local(&world, Method::POST, "/repositories/main/check", &wrong).await;
    refused.refuses(422, "request-refused");
    let unknown = local(&world, Method::POST, "/repositories/x/prune", &check).await;
    unknown.refuses(404, "repository-not-found");
    let unknown = local(&world, Method::POST, "/snapshots/ab/verify", &Value::Null).await;
    unknown.refuses(404, "snapshot-unknown");
}

fn expressions<'a>(rules: &'a Yaml, found: &mut Vec<(&'a str, &'a str)>) {
    for group in rules["groups"].as_vec().unwrap() {
        for rule in group["rules"].as_vec().unwrap() {
            let name = rule["alert"].as_str().expect("a name");
            assert!(rule["labels"]["severity"].as_str().is_some(), "{name}");
            assert!(rule["annotations"]["summary"].as_str().is_some(), "{name}");
            found.push((name, rule["expr"].as_str().expect("an expression")));
        }
    }
}

/// The metrics that a text names.
fn metrics(text: &str) -> Vec<&str> {
    text.split(|char: char| !(char.is_ascii_alphanumeric() || char == '_'))
        .filter(|word| word.starts_with("keepward_"))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alert_rules_name_metrics_that_there_are() {
    let world = furnished().await;
    backup(&world, "1", "contoso", RunState::Succeeded).await;
    let server = &world.server;
    let control = &server.control;
    let (catalog, now) = (&control.catalog, control.clock.now());
    let waiting = Event::Waiting {
        seconds: 7,
        reason: "asked to".to_owned(),
    };
    let observer = server.events.observer();
    let run = control
        .request_check("main", 0, Reason::Request)
        .await
        .unwrap();
    observer.changed(&run);
    observer.progress(&run.id, &waiting);
    let id = catalog.repository("main").await.unwrap().id;
    catalog.note_pruned(&id, now).await.unwrap();
    let found = catalog::Examined {
        at: now,
        problems: 1,
        hidden: false,
        read_all: false,
    };
    catalog.note_examined("main", &found).await.unwrap();
    catalog
        .own_worker("built-in", &[].into(), now)
        .await
        .unwrap();
    control.look_for_alarms().await.unwrap();

    let listening = world.listen(None);
    let page = "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let page = listening.raw(page).await;
    let known = metrics(&page);
    assert!(
        page.contains("keepward_rpo_seconds{connector=\"contoso\"} 3600"),
        "{page}"
    );
    assert!(
        page.contains("keepward_rpo_objective_seconds{connector=\"contoso\"} 93600"),
        "{page}"
    );
    assert!(
        page.contains("keepward_repository_damaged{repository=\"main\"} 1"),
        "{page}"
    );

    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../packaging/prometheus-alerts.yml"
    );
    let rules = YamlLoader::load_from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut alerts = Vec::new();
    expressions(&rules[0], &mut alerts);
    assert!(alerts.len() > 10);
    for (alert, expression) in alerts {
        for name in metrics(expression) {
            assert!(known.contains(&name), "{alert}: {name} is not in\n{page}");
        }
        let open = expression.matches(['(', '{', '[']).count();
        assert_eq!(open, expression.matches([')', '}', ']']).count(), "{alert}");
    }
}
