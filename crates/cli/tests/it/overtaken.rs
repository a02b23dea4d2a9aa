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
    let bytes = answer.bytes().await.unwrap();
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(&bytes).unwrap()
}

/// Two repositories of one project that hold something.
async fn two_repositories(world: &World) -> [Value; 2] {
    let all = ask(world, Method::GET, "_apis/git/repositories", &Value::Null).await;
    let all = all["value"].as_array().unwrap();
    let full = |one: &&Value| one["defaultBranch"].is_string() && one["isDisabled"] != true;
    let mut pairs = all.iter().filter(full).flat_map(|one| {
        let others = all
            .iter()
            .filter(full)
            .filter(|other| other["id"] != one["id"]);
        let others = others.filter(|other| other["project"]["id"] == one["project"]["id"]);
        others.map(|other| [one.clone(), other.clone()])
    });
    pairs.next().unwrap()
}

async fn delete_repository(world: &World, repository: &Value) {
    let id = repository["id"].as_str().unwrap();
    let path = format!("_apis/git/repositories/{id}");
    ask(world, Method::DELETE, &path, &Value::Null).await;
}

async fn call_repository(world: &World, repository: &Value, name: &str) {
    let id = repository["id"].as_str().unwrap();
    let path = format!("_apis/git/repositories/{id}");
    ask(world, Method::PATCH, &path, &json!({ "name": name })).await;
}

/// What a plan does with a repository, and why.
async fn step(world: &World, plan: &str, repository: &Value) -> Option<(String, String)> {
    let shown = world.done(&format!("restore steps {plan}")).await;
    let step = shown
        .events
        .iter()
        .find(|event| event["item"] == repository["id"] && event["kind"] == "git-repository")?;
    let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
    Some((text("action"), text("reason")))
}

/// The id of a plan that was made of a snapshot.
async fn planned(world: &World, snapshot: &str, options: &str) -> String {
    let line = format!("restore plan {snapshot} {options}");
    let plan = world.done(&line).await;
    plan.event("plan")["id"].as_str().unwrap().to_owned()
}

/// The same, to write an item over as it is in the newest snapshot.
async fn replacing(world: &World, kind: &str, id: &str) -> String {
    let options = format!("--kind {kind} --id {id} --conflict replace");
    planned(world, "latest", &options).await
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
    let plan = replacing(&world, "work-item", "1").await;
    edit("what came after it").await;
    is_left_alone(&world, &plan).await;
    assert_eq!(title().await, "what came after it");
    let plan = replacing(&world, "work-item", "1").await;
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
    let plan = replacing(&world, "git-repository", &id).await;
    // Somebody decides that nobody needs it.
    shift(&id, &side, &main, &none).await;
    is_left_alone(&world, &plan).await;
    assert_eq!(stands().await, None);
    let plan = replacing(&world, "git-repository", &id).await;
    is_applied(&world, &plan).await;
    assert_eq!(stands().await, Some(stored));
}

#[tokio::test]
async fn a_plan_of_a_snapshot_that_was_forgotten_says_so_and_is_no_damage() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let oldest = world.snapshots("default").await.pop().unwrap();
    let options = "--kind work-item --id 1 --conflict duplicate";
    let plan = planned(&world, &oldest, options).await;
    world.done(&format!("snapshot forget {oldest}")).await;
    let apply = format!("restore apply {plan}");
    world.refused(&apply, 1, "snapshot-unknown").await;
}

#[tokio::test]
async fn another_repository_of_the_same_name_is_no_reason_for_silence_and_not_written_over() {
    let world = World::large(20).await;
    world.backup("default").await.exits(0);
    let [gone, other] = two_repositories(&world).await;
    delete_repository(&world, &gone).await;
    let bin = format!(
        "{}/_apis/git/recycleBin/repositories/{}",
        gone["project"]["id"].as_str().unwrap(),
        gone["id"].as_str().unwrap()
    );
    ask(&world, Method::DELETE, &bin, &Value::Null).await;
    call_repository(&world, &other, gone["name"].as_str().unwrap()).await;
    for options in [
        "--missing",
        "--missing --conflict replace",
        "--kind git-repository --conflict replace",
    ] {
        let plan = planned(&world, "latest", options).await;
        let (action, reason) = step(&world, &plan, &gone).await.unwrap();
        assert_eq!(action, "skip", "{options}: {reason}");
        assert!(reason.contains("another one of its name"), "{reason}");
    }
    let plan = planned(&world, "latest", "--missing --conflict duplicate").await;
    assert_eq!(step(&world, &plan, &gone).await.unwrap().0, "create");
    is_applied(&world, &plan).await;
}

#[tokio::test]
async fn a_repository_in_the_recycle_bin_whose_name_is_taken_is_not_promised_back() {
    let world = World::large(20).await;
    world.backup("default").await.exits(0);
    let [binned, other] = two_repositories(&world).await;
    delete_repository(&world, &binned).await;
    let stored = other["name"].as_str().unwrap();
    call_repository(&world, &other, binned["name"].as_str().unwrap()).await;
    let plan = planned(&world, "latest", "--missing").await;
    assert_eq!(step(&world, &plan, &binned).await.unwrap().0, "skip");
    call_repository(&world, &other, stored).await;
    let plan = planned(&world, "latest", "--missing").await;
    assert_eq!(step(&world, &plan, &binned).await.unwrap().0, "undelete");
    is_applied(&world, &plan).await;
}

#[tokio::test]
async fn a_renamed_repository_gets_its_name_back_unless_another_has_it() {
    let world = World::large(20).await;
    world.backup("default").await.exits(0);
    let [one, other] = two_repositories(&world).await;
    let [name, id] = ["name", "id"].map(|member| one[member].as_str().unwrap());
    let called = async || {
        let path = format!("_apis/git/repositories/{id}");
        let now = ask(&world, Method::GET, &path, &Value::Null).await;
        now["name"].as_str().unwrap().to_owned()
    };
    call_repository(&world, &one, "renamed").await;
    let plan = replacing(&world, "git-repository", id).await;
    is_applied(&world, &plan).await;
    assert_eq!(called().await, name);
    call_repository(&world, &one, "renamed").await;
    call_repository(&world, &other, name).await;
    let plan = replacing(&world, "git-repository", id).await;
    let applied = world
        .run(&format!("restore apply {plan} --confirm contoso"))
        .await;
    assert!(
        applied
            .told()
            .contains(&format!("the name {name} is taken")),
        "{}",
        applied.told()
    );
    assert_eq!(called().await, "renamed");
}
