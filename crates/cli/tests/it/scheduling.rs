//! Policies, runs, issues and alarms on the command line.

use serde_json::{Value, json};

use crate::common::{Ran, World};

async fn keep(world: &World, words: &[&str]) -> Value {
    let ran = world.keepward(words).await;
    ran.exits(0);
    ran.events[0].clone()
}

async fn policies(world: &World) -> Vec<Value> {
    let listed = world.keepward(&["policy", "list"]).await;
    listed.exits(0);
    listed
        .events
        .iter()
        .map(|one| one["policy"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn av_04_a_policy_is_made_looked_at_changed_and_removed() {
    let world = World::connected().await;
    let first = policies(&world).await;
    assert_eq!(first.len(), 1, "a default policy is there from the start");
    let add = [
        "policy",
        "add",
        "nightly",
        "--connector",
        "contoso",
        "--at",
        "22:00",
        "--day",
        "mon",
        "--time-zone",
        "Europe/Berlin",
        "--window",
        "21:00-06:00",
        "--missed",
        "skip",
        "--keep-daily",
        "30",
        "--keep-weekly",
        "8",
        "--include",
        "project=Main*",
        "--exclude",
        "git-repository=*/archive-*",
        "--without-new",
        "project",
    ];
    keep(&world, &add).await;
    let made = keep(&world, &["policy", "show", "NIGHTLY"]).await;
    let policy = &made["policy"];
    assert_eq!(policy["connectors"], json!(["contoso"]));
    assert_eq!(
        policy["schedule"],
        json!({"when": {"every": "hours", "at": ["22:00"], "days": ["mon"]}, "time_zone": "Europe/Berlin",
            "jitter_minutes": 0, "missed": "skip", "window": {"from": "21:00", "to": "06:00"}})
    );
    assert_eq!(
        (
            &policy["retention"]["daily"],
            &policy["retention"]["weekly"]
        ),
        (&json!(30), &json!(8))
    );
    let items = &policy["selection"]["items"];
    assert_eq!(items["project"]["include"], json!(["Main*"]));
    assert_eq!(items["project"]["new"], false);
    assert_eq!(items["git-repository"]["exclude"], json!(["*/archive-*"]));

    let preview = keep(&world, &["policy", "preview", "nightly"]).await;
    assert_eq!(preview["connectors"], json!(["contoso"]));
    let times = preview["local"].as_array().unwrap();
    assert_eq!(times.len(), 5);
    for time in times {
        let time = time.as_str().unwrap();
        assert!(time.contains("22:00 CE"), "{time}");
    }
    // The default one is left with nobody.
    let rest = keep(&world, &["policy", "preview", "default"]).await;
    assert_eq!(rest["connectors"], json!([]));

    keep(
        &world,
        &["policy", "edit", "nightly", "--disable", "--every", "30"],
    )
    .await;
    let edited = keep(&world, &["policy", "show", "nightly"]).await;
    assert_eq!(edited["policy"]["enabled"], false);
    assert_eq!(
        edited["policy"]["schedule"]["when"],
        json!({"every": "interval", "minutes": 30})
    );
    assert_eq!(
        edited["policy"]["retention"], policy["retention"],
        "what is not said stays"
    );
    assert!(edited["version"].as_i64() > made["version"].as_i64());
    assert!(edited.get("next").is_none(), "{edited}");

    keep(&world, &["policy", "remove", "nightly"]).await;
    world
        .keepward(&["policy", "show", "nightly"])
        .await
        .refuses(1, "policy-unknown");
    let rest = keep(&world, &["policy", "preview", "default"]).await;
    assert_eq!(rest["connectors"], json!(["contoso"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_right_is_refused_and_nothing_changes() {
    let world = World::connected().await;
    let before = policies(&world).await;
    for wrong in [
        &["--at", "25:00"][..],
        &["--cron", "every night"],
        &["--cron", "0 0 31 2 *", "--time-zone", "Nowhere/Land"],
        &["--every", "1"],
        &["--kind", "gopher"],
        &["--include", "gopher=*"],
        &["--repository", "nowhere"],
        &["--window", "22:00"],
        &["--max-rate", "1"],
        &["--include", "project"],
    ] {
        for verb in [["policy", "add", "new"], ["policy", "edit", "default"]] {
            let refused = world.keepward(&[&verb[..], wrong].concat()).await;
            assert!(matches!(refused.code, Some(1 | 2)), "{}", refused.told());
            assert!(refused.event("error")["message"].as_str().unwrap().len() > 5);
        }
    }
    world
        .keepward(&["policy", "add", "Default"])
        .await
        .refuses(1, "policy-exists");
    assert_eq!(policies(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retention_preview_names_what_would_go_and_forgets_nothing() {
    let world = World::connected().await;
    for _ in 0..3 {
        world.backup("default").await.exits(0);
    }
    let before = world.snapshots("default").await;
    let preview = world
        .keepward(&[
            "policy",
            "preview",
            "default",
            "--retention",
            "--keep-daily",
            "0",
            "--keep-weekly",
            "0",
            "--keep-monthly",
            "0",
            "--keep-yearly",
            "0",
            "--keep-last",
            "1",
        ])
        .await;
    preview.exits(0);
    let decided = preview
        .events
        .iter()
        .find(|one| one["snapshots"].is_array());
    let decided = decided.unwrap_or_else(|| panic!("{}", preview.told()));
    assert_eq!(decided["connector"], "contoso");
    let snapshots = decided["snapshots"].as_array().unwrap();
    let gone = snapshots.iter().filter(|one| one["keep"] == false).count();
    assert_eq!(
        (snapshots.len(), gone),
        (before.len(), before.len() - 1),
        "{decided}"
    );
    assert_eq!(world.snapshots("default").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_says_for_what_is_canceled_and_made_again() {
    let world = World::connected().await;
    let queued = keep(
        &world,
        &["policy", "run", "default", "--connector", "contoso"],
    )
    .await;
    let id = queued["id"].as_str().unwrap();
    assert_eq!(
        (&queued["state"], &queued["policy"], &queued["reason"]),
        (&json!("queued"), &json!("default"), &json!("request"))
    );
    let canceled = world.keepward(&["run", "cancel", id]).await;
    canceled.exits(0);
    assert_eq!(canceled.event("result")["state"], "canceled");
    assert_eq!(
        keep(&world, &["run", "show", id]).await["state"],
        "canceled"
    );
    let again = world.keepward(&["run", "cancel", id]).await;
    again.refuses(1, "run-not-open");
    let retried = world.keepward(&["run", "retry", id]).await;
    retried.exits(0);
    let retried = retried.event("result");
    assert_eq!(
        (&retried["retry_of"], &retried["state"]),
        (&json!(id), &json!("queued"))
    );
    for verb in ["show", "cancel", "retry"] {
        world
            .keepward(&["run", verb, "01a20184-5804-7ad7-ada3-4e217e220162"])
            .await
            .refuses(1, "run-unknown");
    }
    world
        .keepward(&["policy", "run", "nobody"])
        .await
        .refuses(1, "policy-unknown");
}

/// What a policy leaves out on purpose is not copied by a command either, and goes to no other place.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_a_server_is_made_by_the_policy_for_its_connector() {
    let world = World::connected().await;
    world.repository("second").await;
    let add = [
        "policy",
        "add",
        "narrow",
        "--connector",
        "contoso",
        "--kind",
        "project",
        "--repository",
        "second",
    ];
    keep(&world, &add).await;
    let made = world.keepward(&["backup", "contoso"]).await;
    made.exits(0);
    let result = made.event("result");
    assert_eq!(result["policy"], "narrow");
    let items = |result: &Value, kind: &str| {
        let items = &result["counts"]["kinds"][kind]["items"];
        items.as_u64().unwrap()
    };
    assert_eq!(items(result, "project"), 2, "{result}");
    assert_eq!(items(result, "work-item"), 0, "{result}");
    assert_eq!(world.snapshots("second").await.len(), 1);
    assert!(world.snapshots("default").await.is_empty());
    let run = keep(&world, &["run", "list"]).await;
    assert_eq!(
        (&run["policy"], &run["repository"]),
        (&json!("narrow"), &json!("second"))
    );
    let named = [
        "backup",
        "contoso",
        "--kind",
        "team",
        "--repository",
        "default",
    ];
    let named = world.keepward(&named).await;
    named.exits(0);
    assert!(items(named.event("result"), "team") > 0);
    for policy in ["narrow", "default"] {
        keep(&world, &["policy", "remove", policy]).await;
    }
    let nobody = world.keepward(&["backup", "contoso"]).await;
    nobody.refuses(1, "policy-missing");
}

fn first(ran: &Ran) -> &Value {
    ran.events
        .first()
        .unwrap_or_else(|| panic!("{}", ran.told()))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_is_shown_counted_over_runs_and_acknowledged() {
    let world = World::connected().await;
    world
        .disturb(&json!({"path": "*/_apis/wit/attachments/*", "fault": "403", "count": 1}))
        .await;
    let ran = world.backup("default").await;
    ran.exits(3);
    world.heal().await;
    let run = ran.event("result")["run"].as_str().unwrap().to_owned();
    let issues = world.keepward(&["run", "issues", &run]).await;
    issues.exits(0);
    let issue = first(&issues);
    assert_eq!(issue["kind"], "attachment", "{issue}");
    let code = issue["code"].as_str().unwrap();

    let recurring = world
        .keepward(&["run", "recurring", "--connector", "contoso"])
        .await;
    recurring.exits(0);
    let known = first(&recurring).clone();
    assert_eq!((&known["code"], &known["runs"]), (&json!(code), &json!(1)));
    let of = |member: &str| known[member].as_str().unwrap_or("").to_owned();
    let (kind, scope, item) = (of("kind"), of("scope"), of("item"));
    let acknowledge = [
        "run",
        "acknowledge",
        "contoso",
        code,
        "--kind",
        &kind,
        "--scope",
        &scope,
        "--item",
        &item,
        "--note",
        "the file is gone for good",
    ];
    world.keepward(&acknowledge).await.exits(0);
    let recurring = world.keepward(&["run", "recurring"]).await;
    let acknowledged = &first(&recurring)["acknowledged"];
    assert_eq!(
        acknowledged["note"],
        "the file is gone for good",
        "{}",
        recurring.told()
    );
    assert!(acknowledged["by"].is_string());
    let audit = world
        .keepward(&["audit", "list", "--action", "issue"])
        .await;
    assert_eq!(audit.events.len(), 1, "{}", audit.told());
    world
        .keepward(&["run", "acknowledge", "nobody", code])
        .await
        .refuses(1, "connector-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn objectives_of_alarms_are_changed_for_all_and_for_one() {
    let world = World::connected().await;
    let usual = keep(&world, &["alarm", "settings"]).await;
    let changed = keep(
        &world,
        &[
            "alarm",
            "settings",
            "--backup-hours",
            "26",
            "--connector",
            "contoso=4",
            "--storage-percent",
            "70",
        ],
    )
    .await;
    assert_eq!(
        (
            &changed["backup_hours"],
            &changed["connectors"],
            &changed["storage_percent"]
        ),
        (&json!(26), &json!({"contoso": 4}), &json!(70))
    );
    assert_eq!(changed["verify_days"], usual["verify_days"]);
    for wrong in [
        &["--backup-hours", "0"][..],
        &["--storage-percent", "101"],
        &["--connector", "contoso"],
        &["--connector", "contoso=soon"],
    ] {
        let refused = world
            .keepward(&[&["alarm", "settings"], wrong].concat())
            .await;
        assert!(matches!(refused.code, Some(1 | 2)), "{}", refused.told());
    }
    let back = keep(&world, &["alarm", "settings", "--connector", "contoso="]).await;
    assert_eq!(
        (&back["backup_hours"], &back["connectors"]),
        (&json!(26), &json!({}))
    );
    world
        .keepward(&[
            "alarm",
            "ack",
            "backup-overdue/contoso",
            "--reason",
            "moving",
        ])
        .await
        .refuses(1, "alarm-unknown");
}
