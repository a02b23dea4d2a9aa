//! Channels, workers, plans, people, providers and proposals on the command line.

use serde_json::{Value, json};

use crate::common::World;

async fn keep(world: &World, words: &[&str]) -> Value {
    let ran = world.keepward(words).await;
    ran.exits(0);
    ran.events.first().cloned().unwrap_or(Value::Null)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_added_changed_and_removed_and_its_secret_is_never_shown() {
    let world = World::bare().await;
    let secret = world.file("slack", "https://hooks.example.com/services/hunter2");
    let add = [
        "notification",
        "add",
        "chat",
        "slack",
        "--secret-file",
        &secret,
        "--on",
        "failure",
        "--connector",
        "con*",
    ];
    keep(&world, &add).await;
    let listed = world.keepward(&["notification", "list"]).await;
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
    let edit = [
        "notification",
        "edit",
        "chat",
        "slack",
        "--on",
        "alarm",
        "--disabled",
    ];
    keep(&world, &edit).await;
    let channel = keep(&world, &["notification", "list"]).await;
    assert_eq!(
        (&channel["on"], &channel["enabled"]),
        (&json!(["alarm"]), &json!(false))
    );
    world.keepward(&add).await.refuses(1, "channel-exists");
    for wrong in [
        &["notification", "add", "hook", "webhook"][..],
        &[
            "notification",
            "add",
            "mail",
            "email",
            "--host",
            "smtp.example.com",
        ],
        &["notification", "add", "x", "pigeon"],
    ] {
        world.keepward(wrong).await.exits(2);
    }
    keep(&world, &["notification", "remove", "chat"]).await;
    world
        .keepward(&["notification", "remove", "chat"])
        .await
        .refuses(1, "channel-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_let_in_by_a_token_of_its_own_and_shut_out() {
    let world = World::bare().await;
    let file = world.at("edge.token");
    let token = ["worker", "token", "edge", "--to", &file];
    let made = world.keepward(&token).await;
    made.exits(0);
    let secret = std::fs::read_to_string(&file).unwrap();
    assert!(secret.trim().len() > 20 && !made.told().contains(secret.trim()));
    let listed = world.keepward(&["worker", "list"]).await;
    let found = listed.events.iter().find(|worker| worker["name"] == "edge");
    assert_eq!(
        found.unwrap_or_else(|| panic!("{}", listed.told()))["own"],
        false
    );
    world.keepward(&token).await.exits(1);
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        secret,
        "nothing is overwritten"
    );
    keep(&world, &["worker", "remove", "edge"]).await;
    world
        .keepward(&["worker", "remove", "edge"])
        .await
        .refuses(1, "worker-unknown");
    for alone in [
        &["worker"][..],
        &["worker", "--server", "http://127.0.0.1:1"],
    ] {
        world.keepward(alone).await.exits(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_is_looked_at_taken_back_and_its_plan_removed() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let made = world
        .post("/__organizations", &json!({"name": "empty"}))
        .await;
    world.file("empty", made["pat"].as_str().unwrap());
    world.connect("empty", "empty").await.exits(0);
    let before = world.get("/__state?organization=empty").await;
    let planned = world
        .keepward(&[
            "restore",
            "plan",
            "latest",
            "--kind",
            "work-item",
            "--into",
            "empty",
        ])
        .await;
    planned.exits(0);
    let plan = planned.event("plan")["id"].as_str().unwrap().to_owned();
    let shown = keep(&world, &["restore", "show", &plan]).await;
    assert_eq!(
        (&shown["state"], &shown["target"]["organization"]),
        (&json!("ready"), &json!("empty"))
    );
    let people = world.keepward(&["restore", "identities", &plan]).await;
    people.exits(0);
    let person = people.events[0]["from"]["unique_name"]
        .as_str()
        .unwrap()
        .to_owned();
    let map = format!("{person}=somebody.else@example.com");
    let mapped = world
        .keepward(&["restore", "identities", &plan, "--map", &map])
        .await;
    mapped.exits(0);
    let same = |one: &&Value| one["from"]["unique_name"] == person.as_str();
    let found = mapped.events.iter().find(same).unwrap();
    assert_eq!(found["to"]["unique_name"], "somebody.else@example.com");
    world
        .keepward(&["restore", "identities", &plan, "--map", "nobody"])
        .await
        .exits(2);
    let back = format!("{person}=");
    keep(&world, &["restore", "identities", &plan, "--map", &back]).await;
    assert_eq!(
        world.get("/__state?organization=empty").await,
        before,
        "planning writes nothing"
    );

    let applied = world.keepward(&["restore", "apply", &plan]).await;
    assert!(matches!(applied.code, Some(0 | 3)), "{}", applied.told());
    assert!(applied.event("result")["created"].as_u64().unwrap() > 0);
    let undo = world.keepward(&["restore", "undo", &plan]).await;
    undo.exits(0);
    let undo = undo.event("plan")["id"].as_str().unwrap().to_owned();
    // It removes what is there: nobody at a terminal can be asked, so the name of the organization must be given.
    let before = world.get("/__state?organization=empty").await;
    for unconfirmed in [vec![], vec!["--confirm", "contoso"], vec!["--confirm", ""]] {
        let apply = [vec!["restore", "apply", &undo], unconfirmed].concat();
        let refused = world.keepward(&apply).await;
        assert_eq!(
            refused.event("error")["code"],
            "plan-confirm",
            "{}",
            refused.told()
        );
    }
    assert_eq!(world.get("/__state?organization=empty").await, before);
    let undone = world
        .keepward(&["restore", "apply", &undo, "--confirm", "empty"])
        .await;
    assert!(matches!(undone.code, Some(0 | 3)), "{}", undone.told());
    let items = world.get("/__inventory?organization=empty").await;
    assert_eq!(items["work_items"].as_u64().unwrap_or(0), 0, "{items}");

    for plan in [&undo, &plan] {
        keep(&world, &["restore", "remove", plan]).await;
    }
    world
        .keepward(&["restore", "show", &plan])
        .await
        .refuses(1, "plan-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_let_in_again_and_gets_a_new_password() {
    let world = World::bare().await;
    let password = world.file("password-of-anna", "a planted password 1");
    for (name, role) in [("anna", "admin"), ("ben", "operator")] {
        keep(
            &world,
            &[
                "user",
                "add",
                name,
                "--role",
                role,
                "--password-file",
                &password,
            ],
        )
        .await;
    }
    keep(&world, &["user", "disable", "ben"]).await;
    let enabled = keep(&world, &["user", "enable", "BEN"]).await;
    assert_eq!(enabled["disabled"], false);
    let weak = world.file("weak", "ben");
    world
        .keepward(&["user", "reset-password", "ben", "--password-file", &weak])
        .await
        .refuses(2, "request-refused");
    let new = world.file("new", "another planted password");
    let reset = [
        "user",
        "reset-password",
        "ben",
        "--password-file",
        &new,
        "--second-factor-off",
    ];
    keep(&world, &reset).await;
    let audit = world.keepward(&["audit", "list"]).await;
    assert!(!audit.told().contains("planted"), "{}", audit.told());
    world
        .keepward(&["user", "enable", "carl"])
        .await
        .refuses(1, "person-unknown");
    world
        .keepward(&["session", "revoke", "01a20184-5804-7ad7-ada3-4e217e220162"])
        .await
        .refuses(1, "session-unknown");
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
    let listed = world.keepward(&["identity-provider", "list"]).await;
    assert_eq!(listed.events.len(), 1, "{}", listed.told());
    let provider = &listed.events[0];
    assert_eq!(provider["title"], "Contoso account");
    assert_eq!(
        provider["roles"],
        json!({"admins": ["admin"], "5c1d": ["operator"]})
    );
    let clear = [
        "identity-provider",
        "set",
        "clear",
        "--title",
        "x",
        "--issuer",
        "http://login.example.com",
        "--client-id",
        "app",
    ];
    assert!(matches!(world.keepward(&clear).await.code, Some(1 | 2)));
    keep(&world, &["identity-provider", "remove", "entra"]).await;
    let listed = world.keepward(&["identity-provider", "list"]).await;
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
        let add = [
            "user",
            "add",
            name,
            "--role",
            "admin",
            "--password-file",
            &password,
        ];
        keep(&world, &add).await;
    }
    world
        .keepward(&["proposal", "four-eyes", "on"])
        .await
        .exits(0);
    let shorter = ["policy", "edit", "default", "--keep-daily", "1"];
    let waits = world.keepward(&shorter).await;
    waits.exits(7);
    let listed = world.keepward(&["proposal", "list"]).await;
    let id = listed.events[0]["id"].as_str().unwrap().to_owned();
    let shown = keep(&world, &["proposal", "show", &id]).await;
    assert_eq!(shown["state"], "open", "{shown}");
    keep(&world, &["proposal", "withdraw", &id]).await;
    let shown = keep(&world, &["proposal", "show", &id]).await;
    assert_eq!(shown["state"], "withdrawn", "{shown}");
    world
        .keepward(&["snapshot", "forget", &snapshots[0]])
        .await
        .exits(7);
    assert_eq!(world.snapshots("default").await, snapshots);
    let listed = world.keepward(&["proposal", "list"]).await;
    let id = listed.events[0]["id"].as_str().unwrap().to_owned();
    // Who asked is no second person.
    let shown = keep(&world, &["proposal", "show", &id]).await;
    let hash = shown["hash"].as_str().unwrap().to_owned();
    let own = world
        .keepward(&["proposal", "approve", &id, "--hash", &hash])
        .await;
    assert_ne!(own.code, Some(0), "{}", own.told());
    assert_eq!(world.snapshots("default").await, snapshots);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_tells_how_to_read_it_alone_and_is_repaired() {
    let world = World::connected().await;
    world.backup("default").await.exits(0);
    let place = world.at("default");
    let sheet = world.keepward(&["repository", "sheet"]).await;
    sheet.exits(0);
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
        .keepward(&["repository", "check"])
        .await
        .refuses(8, "repository-damaged");
    world
        .keepward(&["repository", "repair", "index"])
        .await
        .exits(0);
    world
        .keepward(&["repository", "check", "--read-data"])
        .await
        .exits(0);
    world
        .keepward(&["repository", "repair", "snapshots"])
        .await
        .exits(0);
    world
        .keepward(&["repository", "repair", "access"])
        .await
        .exits(0);
    assert_eq!(world.snapshots("default").await.len(), 1);
}
