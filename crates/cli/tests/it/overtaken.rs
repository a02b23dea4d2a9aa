//! What people change between a plan and its apply: the plan did not show it, so that nobody agreed to lose it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::World;

/// An answer of the service, to somebody who may do anything.
async fn ask(world: &World, method: Method, path: &str, body: &Value) -> Value {
    let kind = match body {
        Value::Array(_) if path.contains("/wit/") => "application/json-patch+json",
        _ => "application/json",
    };
    let url = format!("{}/contoso/{path}?api-version=7.1", world.simulator.url());
    let client = reqwest::Client::builder().build().unwrap();
    let mut request = client
        .request(method, url)
        .basic_auth("", Some(world.simulator.pat()))
        .header("content-type", kind);
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let answer = request.send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}

/// Plans to write an item over as it is in the newest snapshot; the id of the plan.
async fn planned(world: &World, kind: &str, id: &str) -> String {
    let line = format!("restore plan latest --kind {kind} --id {id} --conflict replace");
    let plan = world.done(&line).await;
    plan.event("plan")["id"].as_str().unwrap().to_owned()
}

/// The apply leaves the item as it is and says why; a new plan brings back what the snapshot has.
async fn is_left_alone(world: &World, plan: &str) {
    let applied = world
        .run(&format!("restore apply {plan} --confirm contoso"))
        .await;
    applied.exits(3);
    let issues = applied.issues();
    assert_eq!(issues.len(), 1, "{}", applied.told());
    assert_eq!(issues[0]["code"], "restore-conflict");
    let message = issues[0]["message"].as_str().unwrap();
    assert!(message.contains("make a new plan"), "{message}");
}

async fn is_applied(world: &World, plan: &str) {
    let line = format!("restore apply {plan} --confirm contoso");
    world.run(&line).await.exits(0);
}

#[tokio::test]
async fn a_work_item_that_was_edited_after_the_plan_is_not_written_over() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let path = "_apis/wit/workitems/1";
    let title = async || {
        let item = ask(&world, Method::GET, path, &Value::Null).await;
        item["fields"]["System.Title"].as_str().unwrap().to_owned()
    };
    let edit = async |title: &str| {
        let patch = json!([{"op": "add", "path": "/fields/System.Title", "value": title}]);
        ask(&world, Method::PATCH, path, &patch).await;
    };
    let stored = title().await;
    edit("what the plan saw").await;
    let plan = planned(&world, "work-item", "1").await;
    edit("what came after it").await;
    is_left_alone(&world, &plan).await;
    assert_eq!(title().await, "what came after it");
    let plan = planned(&world, "work-item", "1").await;
    is_applied(&world, &plan).await;
    assert_eq!(title().await, stored);
}

#[tokio::test]
async fn a_branch_that_moved_after_the_plan_is_not_pushed_over() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let none = "0".repeat(40);
    let repositories = ask(&world, Method::GET, "_apis/git/repositories", &Value::Null).await;
    let refs = async |repository: &str| {
        let path = format!("_apis/git/repositories/{repository}/refs");
        let refs = ask(&world, Method::GET, &path, &Value::Null).await;
        let of = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("name"), text("objectId"))
        };
        let rows = refs["value"].as_array().unwrap().iter().map(of);
        let branches = rows.filter(|(name, _)| name.starts_with("refs/heads/"));
        branches.collect::<Vec<_>>()
    };
    let shift = async |repository: &str, name: &str, old: &str, new: &str| {
        let path = format!("_apis/git/repositories/{repository}/refs");
        let body = json!([{"name": name, "oldObjectId": old, "newObjectId": new}]);
        let answer = ask(&world, Method::POST, &path, &body).await;
        assert_eq!(answer["value"][0]["success"], true, "{answer}");
    };
    // A repository with two branches that stand at two commits.
    let mut found = None;
    for repository in repositories["value"].as_array().unwrap() {
        let id = repository["id"].as_str().unwrap().to_owned();
        let branches = refs(&id).await;
        let default = repository["defaultBranch"].as_str();
        let side = branches
            .iter()
            .find(|(name, _)| Some(name.as_str()) != default);
        let main = branches
            .iter()
            .find(|(name, _)| Some(name.as_str()) == default);
        if let (Some(side), Some(main)) = (side, main)
            && side.1 != main.1
        {
            found = Some((id, side.clone(), main.1.clone()));
        }
    }
    let (id, (side, stored), main) = found.unwrap();
    let stands = async || {
        let branches = refs(&id).await.into_iter();
        let mut at = branches.filter(|(name, _)| *name == side);
        at.next().map(|(_, at)| at)
    };
    shift(&id, &side, &stored, &main).await;
    let plan = planned(&world, "git-repository", &id).await;
    // Somebody decides that nobody needs it.
    shift(&id, &side, &main, &none).await;
    is_left_alone(&world, &plan).await;
    assert_eq!(stands().await, None);
    let plan = planned(&world, "git-repository", &id).await;
    is_applied(&world, &plan).await;
    assert_eq!(stands().await, Some(stored));
}

#[tokio::test]
async fn a_plan_of_a_snapshot_that_was_forgotten_says_so_and_is_no_damage() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let oldest = world.snapshots("default").await.pop().unwrap();
    let line = format!("restore plan {oldest} --kind work-item --id 1 --conflict duplicate");
    let plan = world.done(&line).await;
    let plan = plan.event("plan")["id"].as_str().unwrap();
    world.done(&format!("snapshot forget {oldest}")).await;
    let apply = format!("restore apply {plan}");
    world.refused(&apply, 1, "snapshot-unknown").await;
}
