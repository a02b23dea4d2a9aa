//! Channels, workers, plans, people, providers and proposals on the command line.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::common::{Ran, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_added_changed_and_removed_and_its_secret_is_never_shown() {
    let world = World::bare().await;
    let secret = world.file("slack", "https://hooks.example.com/services/hunter2");
    let add =
        format!("notification add chat slack --secret-file {secret} --on failure --connector con*");
    world.first(&add).await;
    let listed = world.run("notification list").await;
    let channel = &listed.events[0];
    assert_eq!(
        (
            &channel["name"],
            &channel["on"],
            &channel["connectors"],
            &channel["enabled"]
        ),
        (
            &json!("chat"),
            &json!(["failure"]),
            &json!(["con*"]),
            &json!(true)
        )
    );
    assert!(!listed.told().contains("hunter2"), "{}", listed.told());
    let edit = "notification edit chat slack --on alarm --disabled";
    world.first(edit).await;
    let channel = world.first("notification list").await;
    assert_eq!(
        (&channel["on"], &channel["enabled"]),
        (&json!(["alarm"]), &json!(false))
    );
    world.refused(&add, 1, "channel-exists").await;
    for wrong in [
        "notification add hook webhook",
        "notification add mail email --host smtp.example.com",
        "notification add x pigeon",
    ] {
        world.run(wrong).await.exits(2);
    }
    world.first("notification remove chat").await;
    world
        .refused("notification remove chat", 1, "channel-unknown")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_let_in_by_a_token_of_its_own_and_shut_out() {
    let world = World::bare().await;
    let file = world.at("edge.token");
    let token = format!("worker token edge --to {file}");
    let made = world.done(&token).await;
    let secret = std::fs::read_to_string(&file).unwrap();
    assert!(secret.trim().len() > 20 && !made.told().contains(secret.trim()));
    let listed = world.run("worker list").await;
    let found = listed.events.iter().find(|worker| worker["name"] == "edge");
    assert_eq!(
        found.unwrap_or_else(|| panic!("{}", listed.told()))["own"],
        false
    );
    world.run(&token).await.exits(1);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        secret,
        "nothing is overwritten"
    );
    world.first("worker remove edge").await;
    world
        .refused("worker remove edge", 1, "worker-unknown")
        .await;
    for alone in [
        &["worker"][..],
        &["worker", "--server", "http://127.0.0.1:1"],
    ] {
        world.keepward(alone).await.exits(2);
    }
}

/// A backup, an organization without anything, and a plan to restore the work items into it.
async fn planned() -> (World, String) {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let plan = into_another(&world).await;
    (world, plan)
}

/// A plan to restore the work items into an organization without anything.
async fn into_another(world: &World) -> String {
    let made = json!({"name": "empty"});
    let made = world.post("/__organizations", &made).await;
    world.file("empty", made["pat"].as_str().unwrap());
    world.connect("empty", "empty").await.exits(0);
    let plan = "restore plan latest --kind work-item --into empty";
    id_of(&world.done(plan).await)
}

fn id_of(planned: &Ran) -> String {
    planned.event("plan")["id"].as_str().unwrap().to_owned()
}

const STATE: &str = "/__state?organization=empty";

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_looked_at_and_its_people_are_mapped_before_anything_is_written() {
    let (world, plan) = planned().await;
    let before = world.get(STATE).await;
    let shown = world.first(&format!("restore show {plan}")).await;
    assert_eq!(
        (&shown["state"], &shown["target"]["organization"]),
        (&json!("ready"), &json!("empty"))
    );
    let identities = format!("restore identities {plan}");
    let people = world.done(&identities).await;
    let person = people.events[0]["from"]["unique_name"].as_str().unwrap();
    let map = async |to: &str| world.run(&format!("{identities} --map {to}")).await;
    let nobody = map(&format!("{person}=somebody.else@example.com")).await;
    assert_eq!(nobody.event("error")["code"], "request-refused");
    assert!(
        nobody.told().contains("somebody.else@example.com"),
        "{}",
        nobody.told()
    );
    let known = people
        .events
        .iter()
        .find(|one| one["found"] == true)
        .unwrap();
    let known = known["from"]["unique_name"].as_str().unwrap();
    let mapped = map(&format!("{person}={known}")).await;
    mapped.exits(0);
    let same = |one: &&Value| one["from"]["unique_name"] == person;
    let found = mapped.events.iter().find(same).unwrap();
    assert_eq!(
        found["to"],
        json!({ "unique_name": known, "checked": true })
    );
    map("nobody").await.exits(2);
    map(&format!("{person}=")).await.exits(0);
    assert_eq!(world.get(STATE).await, before, "planning writes nothing");
    let remove = format!("restore remove {plan}");
    world.first(&remove).await;
    world.refused(&remove, 1, "plan-unknown").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_taken_back_by_whoever_names_the_organization() {
    let (world, plan) = planned().await;
    let applied = world.run(&format!("restore apply {plan}")).await;
    assert!(matches!(applied.code, Some(0 | 3)), "{}", applied.told());
    assert!(applied.event("result")["created"].as_u64().unwrap() > 0);
    let undo = id_of(&world.done(&format!("restore undo {plan}")).await);
    // It removes what is there: nobody at a terminal can be asked, so the name of the organization must be given.
    let before = world.get(STATE).await;
    let apply = async |confirm: &str| {
        let apply = format!("restore apply {undo} {confirm}");
        world.run(&apply).await
    };
    for unconfirmed in ["", "--confirm contoso", "--confirm ''"] {
        let refused = apply(unconfirmed).await;
        let error = refused.event("error");
        assert_eq!(error["code"], "plan-confirm", "{}", refused.told());
    }
    assert_eq!(world.get(STATE).await, before);
    let undone = apply("--confirm empty").await;
    assert!(matches!(undone.code, Some(0 | 3)), "{}", undone.told());
    let items = world.get("/__inventory?organization=empty").await;
    assert_eq!(items["work_items"].as_u64().unwrap_or(0), 0, "{items}");
}

/// What an organization holds, by the name of the list and the id, or itself where it has none.
fn all_of(state: &Value) -> BTreeMap<(String, String), Value> {
    let lists = state.as_object().unwrap().iter();
    let rows = lists.flat_map(|(list, rows)| {
        let rows = rows.as_array().into_iter().flatten();
        rows.map(move |row| {
            let id = row.get("id").unwrap_or(row);
            ((list.clone(), id.to_string()), row.clone())
        })
    });
    rows.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_of_what_there_can_be_one_of_is_not_planned_and_its_undo_takes_nothing() {
    const STATE: &str = "/__state?organization=contoso";
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = world.get(STATE).await;
    assert!(!before["wikis"].as_array().unwrap().is_empty());
    let mut plans = Vec::new();
    for kind in ["wiki", "team", "area", "iteration"] {
        let plan = format!("restore plan latest --kind {kind} --conflict duplicate");
        let planned = world.done(&plan).await;
        let made = &planned.event("plan")["actions"]["create"];
        assert_eq!(made.as_u64().unwrap_or(0), 0, "{}", planned.told());
        plans.push(id_of(&planned));
    }
    let wiki = &plans[0];
    let applied = world.run(&format!("restore apply {wiki}")).await;
    let result = applied.event("result");
    assert_eq!(result["created"], 0, "{}", applied.told());
    assert!(result["skipped"].as_u64() > Some(0), "{}", applied.told());
    let undo = id_of(&world.done(&format!("restore undo {wiki}")).await);
    let undone = world
        .run(&format!("restore apply {undo} --confirm contoso"))
        .await;
    assert_eq!(undone.event("result")["removed"], 0, "{}", undone.told());
    assert_eq!(world.get(STATE).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_of_everything_is_taken_back_and_leaves_all_that_was_there() {
    const STATE: &str = "/__state?organization=contoso";
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let before = all_of(&world.get(STATE).await);
    let plan = "restore plan latest --everything --conflict duplicate";
    let plan = id_of(&world.done(plan).await);
    let applied = world.run(&format!("restore apply {plan}")).await;
    assert!(matches!(applied.code, Some(0 | 3)), "{}", applied.told());
    assert!(applied.event("result")["created"].as_u64().unwrap() > 0);
    let beside = all_of(&world.get(STATE).await);
    let undo = id_of(&world.done(&format!("restore undo {plan}")).await);
    let undone = world
        .run(&format!("restore apply {undo} --confirm contoso"))
        .await;
    assert!(matches!(undone.code, Some(0 | 3)), "{}", undone.told());
    assert!(undone.event("result")["removed"].as_u64().unwrap() > 0);
    let after = all_of(&world.get(STATE).await);
    for (key, row) in &before {
        assert_eq!(beside.get(key), Some(row), "beside the duplicates: {key:?}");
        assert_eq!(after.get(key), Some(row), "taken back: {key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restore_made_goes_again_although_its_items_name_each_other() {
    // More than are taken away at once.
    let world = World::large(120).await;
    world.backup("default").await.exits(0);
    let plan = into_another(&world).await;
    world.run(&format!("restore apply {plan}")).await;
    let undo = id_of(&world.done(&format!("restore undo {plan}")).await);
    let undone = world
        .done(&format!("restore apply {undo} --confirm empty"))
        .await;
    assert_eq!(undone.event("result")["removed"], 120, "{}", undone.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_let_in_again_and_gets_a_new_password() {
    let world = World::bare().await;
    let password = world.file("password-of-anna", "a planted password 1");
    for (name, role) in [("anna", "admin"), ("ben", "operator")] {
        world
            .first(&format!(
                "user add {name} --role {role} --password-file {password}"
            ))
            .await;
    }
    world.first("user disable ben").await;
    let enabled = world.first("user enable BEN").await;
    assert_eq!(enabled["disabled"], false);
    let weak = world.file("weak", "ben");
    world
        .refused(
            &format!("user reset-password ben --password-file {weak}"),
            2,
            "request-refused",
        )
        .await;
    let new = world.file("new", "another planted password");
    let reset = format!("user reset-password ben --password-file {new} --second-factor-off");
    world.first(&reset).await;
    let audit = world.run("audit list").await;
    assert!(!audit.told().contains("planted"), "{}", audit.told());
    world.refused("user enable carl", 1, "person-unknown").await;
    world
        .refused(
            "session revoke 01a20184-5804-7ad7-ada3-4e217e220162",
            1,
            "session-unknown",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_is_set_with_groups_and_removed() {
    let world = World::bare().await;
    let secret = world.file("secret", "a planted client secret");
    let set = [
        "identity-provider",
        "set",
        "entra",
        "--title",
        "Contoso account",
        "--issuer",
        "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
        "--client-id",
        "app",
        "--client-secret-file",
        &secret,
        "--role",
        "admins=admin",
        "--role",
        "5c1d=operator",
    ];
    let put = world.keepward(&set).await;
    put.exits(0);
    assert!(!put.told().contains("planted"), "{}", put.told());
    let listed = world.run("identity-provider list").await;
    assert_eq!(listed.events.len(), 1, "{}", listed.told());
    let provider = &listed.events[0];
    assert_eq!(provider["title"], "Contoso account");
    assert_eq!(
        provider["roles"],
        json!({"admins": ["admin"], "5c1d": ["operator"]})
    );
    let clear =
        "identity-provider set clear --title x --issuer http://login.example.com --client-id app";
    assert!(matches!(world.run(clear).await.code, Some(1 | 2)));
    world.first("identity-provider remove entra").await;
    let listed = world.run("identity-provider list").await;
    assert!(listed.events.is_empty(), "{}", listed.told());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_four_eyes_what_removes_backups_waits_and_can_be_taken_back() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    world.backup("default").await.exits(0);
    let snapshots = world.snapshots("default").await;
    let password = world.file("password-of-both", "a planted password 1");
    for name in ["anna", "ben"] {
        let add = format!("user add {name} --role admin --password-file {password}");
        world.first(&add).await;
    }
    world.done("proposal four-eyes on").await;
    let shorter = "policy edit default --keep-daily 1";
    let waits = world.run(shorter).await;
    waits.exits(7);
    let listed = world.run("proposal list").await;
    let id = listed.events[0]["id"].as_str().unwrap().to_owned();
    let shown = world.first(&format!("proposal show {id}")).await;
    assert_eq!(shown["state"], "open", "{shown}");
    world.first(&format!("proposal withdraw {id}")).await;
    let shown = world.first(&format!("proposal show {id}")).await;
    assert_eq!(shown["state"], "withdrawn", "{shown}");
    world
        .run(&format!("snapshot forget {}", snapshots[0]))
        .await
        .exits(7);
    assert_eq!(world.snapshots("default").await, snapshots);
    let listed = world.run("proposal list").await;
    let id = listed.events[0]["id"].as_str().unwrap().to_owned();
    // Who asked is no second person.
    let shown = world.first(&format!("proposal show {id}")).await;
    let hash = shown["hash"].as_str().unwrap().to_owned();
    let own = world
        .run(&format!("proposal approve {id} --hash {hash}"))
        .await;
    assert_ne!(own.code, Some(0), "{}", own.told());
    assert_eq!(world.snapshots("default").await, snapshots);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_tells_how_to_read_it_alone_and_is_repaired() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let place = world.at("default");
    let sheet = world.done("repository sheet").await;
    assert!(
        sheet.told().contains("restic") && sheet.told().contains(&place),
        "{}",
        sheet.told()
    );
    let index = std::fs::read_dir(world.path("default/index")).unwrap();
    for file in index {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    world
        .refused("repository check", 8, "repository-damaged")
        .await;
    world.done("repository repair index").await;
    world.done("repository check --read-data").await;
    world.done("repository repair snapshots").await;
    world.done("repository repair access").await;
    assert_eq!(world.snapshots("default").await.len(), 1);
}

/// Where the work items of the organization without anything are filed, and where they should be.
async fn filed(world: &World) -> (Vec<Value>, Vec<Value>) {
    let mut originals = BTreeMap::new();
    let contoso = world.get("/__state?organization=contoso").await;
    let empty = world.get(STATE).await;
    let of = |item: &Value| {
        let last = item["revisions"].as_array().unwrap().last().unwrap();
        let fields = &last["fields"];
        json!([fields["System.AreaPath"], fields["System.IterationPath"]])
    };
    let key = |item: &Value| {
        let title = &item["revisions"][0]["fields"]["System.Title"];
        format!("{} {title}", item["createdDate"])
    };
    for item in contoso["workItems"].as_array().unwrap() {
        originals.insert(key(item), of(item));
    }
    let there = empty["workItems"].as_array().unwrap();
    let wanted = there.iter().map(|item| originals[&key(item)].clone());
    (there.iter().map(of).collect(), wanted.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_filed_under_a_stand_in_is_put_right_by_a_plan_that_replaces() {
    let (world, plan) = planned().await;
    let nodes = "/empty/*/_apis/wit/classificationnodes/*";
    let refused = json!({ "path": nodes, "method": "POST", "fault": "403" });
    world.disturb(&refused).await;
    let apply = format!("restore apply {plan}");
    let applied = world.run(&apply).await;
    applied.exits(3);
    let told = |words: &str| applied.told().contains(words);
    assert!(
        told("stands for it") && told("the rule `replace`"),
        "{}",
        applied.told()
    );
    world.heal().await;
    // Now the areas are made; the items stay where they are.
    world.run(&apply).await.exits(3);
    let (there, wanted) = filed(&world).await;
    assert_ne!(there, wanted);
    let replace = "restore plan latest --kind work-item --into empty --conflict replace";
    let plan = id_of(&world.done(replace).await);
    let applied = world
        .run(&format!("restore apply {plan} --confirm empty"))
        .await;
    let (there, wanted) = filed(&world).await;
    assert_eq!(there, wanted, "{}", applied.told());
}
