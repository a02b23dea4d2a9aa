//! Policies, runs, issues and alarms on the command line.

use serde_json::{Value, json};

use crate::common::{Ran, World};

async fn policies(world: &World) -> Vec<Value> {
    let listed = world.done("policy list").await;
    listed
        .events
        .iter()
        .map(|one| one["policy"].clone())
        .collect()
}

/// With every option that makes one.
const NIGHTLY: &str = "policy add nightly --connector contoso --at 22:00 --day mon --time-zone Europe/Berlin \
    --window 21:00-06:00 --missed skip --keep-daily 30 --keep-weekly 8 \
    --include project=Main* --exclude git-repository=*/archive-* --without-new project";

#[tokio::test(flavor = "multi_thread")]
async fn av_04_a_policy_is_made_as_its_options_say() {
    let world = World::connected().await;
    let first = policies(&world).await;
    assert_eq!(first.len(), 1, "a default policy is there from the start");
    world.done(NIGHTLY).await;
    let made = world.first("policy show NIGHTLY").await;
    let policy = &made["policy"];
    assert_eq!(policy["connectors"], json!(["contoso"]));
    assert_eq!(
        policy["schedule"],
        json!({"when": {"every": "hours", "at": ["22:00"], "days": ["mon"]}, "time_zone": "Europe/Berlin",
            "jitter_minutes": 0, "missed": "skip", "window": {"from": "21:00", "to": "06:00"}})
    );
    let retention = &policy["retention"];
    assert_eq!(
        (&retention["daily"], &retention["weekly"]),
        (&json!(30), &json!(8))
    );
    let items = &policy["selection"]["items"];
    assert_eq!(items["project"]["include"], json!(["Main*"]));
    assert_eq!(items["project"]["new"], false);
    assert_eq!(items["git-repository"]["exclude"], json!(["*/archive-*"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn av_04_a_policy_is_looked_at_changed_and_removed() {
    let world = World::connected().await;
    world.done(NIGHTLY).await;
    let made = world.first("policy show nightly").await;
    let preview = world.first("policy preview nightly").await;
    assert_eq!(preview["connectors"], json!(["contoso"]));
    let times = preview["local"].as_array().unwrap();
    assert_eq!(times.len(), 5);
    for time in times {
        let time = time.as_str().unwrap();
        assert!(time.contains("22:00 CE"), "{time}");
    }
    // The default one is left with nobody.
    let rest = world.first("policy preview default").await;
    assert_eq!(rest["connectors"], json!([]));

    let edit = "policy edit nightly --disable --every 30";
    world.done(edit).await;
    let edited = world.first("policy show nightly").await;
    let (old, policy) = (&made["policy"], &edited["policy"]);
    assert_eq!(policy["enabled"], false);
    assert_eq!(
        policy["schedule"]["when"],
        json!({"every": "interval", "minutes": 30})
    );
    assert_eq!(policy["retention"], old["retention"], "not said: it stays");
    assert!(edited["version"].as_i64() > made["version"].as_i64());
    assert!(edited.get("next").is_none(), "{edited}");

    world.done("policy remove nightly").await;
    world
        .refused("policy show nightly", 1, "policy-unknown")
        .await;
    let rest = world.first("policy preview default").await;
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
        .refused("policy add Default", 1, "policy-exists")
        .await;
    assert_eq!(policies(&world).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retention_preview_names_what_would_go_and_forgets_nothing() {
    let world = World::connected().await;
    for _ in 0..3 {
        world.backup("default").await.exits(0);
    }
    let before = world.snapshots("default").await;
    let preview = world.done("policy preview default --retention --keep-within-days 0 --keep-daily 0 --keep-weekly 0 --keep-monthly 0 --keep-yearly 0 --keep-last 1").await;
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
    let queued = world.first("policy run default --connector contoso").await;
    let id = queued["id"].as_str().unwrap();
    assert_eq!(
        (&queued["state"], &queued["policy"], &queued["reason"]),
        (&json!("queued"), &json!("default"), &json!("request"))
    );
    let canceled = world.done(&format!("run cancel {id}")).await;
    assert_eq!(canceled.event("result")["state"], "canceled");
    assert_eq!(
        world.first(&format!("run show {id}")).await["state"],
        "canceled"
    );
    world
        .refused(&format!("run cancel {id}"), 1, "run-not-open")
        .await;
    let retried = world.done(&format!("run retry {id}")).await;
    let retried = retried.event("result");
    assert_eq!(
        (&retried["retry_of"], &retried["state"]),
        (&json!(id), &json!("queued"))
    );
    for verb in ["show", "cancel", "retry"] {
        world
            .refused(
                &format!("run {verb} 01a20184-5804-7ad7-ada3-4e217e220162"),
                1,
                "run-unknown",
            )
            .await;
    }
    world
        .refused("policy run nobody", 1, "policy-unknown")
        .await;
}

/// What a policy leaves out on purpose is not copied by a command either, and goes to no other place.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_without_a_server_is_made_by_the_policy_for_its_connector() {
    let world = World::connected().await;
    world.repository("second").await;
    let add = "policy add narrow --connector contoso --kind project --repository second";
    world.first(add).await;
    let made = world.done("backup contoso").await;
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
    let run = world.first("run list").await;
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
        world.first(&format!("policy remove {policy}")).await;
    }
    world.refused("backup contoso", 1, "policy-missing").await;
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
    let issues = world.done(&format!("run issues {run}")).await;
    let issue = first(&issues);
    assert_eq!(issue["kind"], "attachment", "{issue}");
    let code = issue["code"].as_str().unwrap();

    let recurring = world.done("run recurring --connector contoso").await;
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
    let recurring = world.run("run recurring").await;
    let acknowledged = &first(&recurring)["acknowledged"];
    assert_eq!(
        acknowledged["note"],
        "the file is gone for good",
        "{}",
        recurring.told()
    );
    assert!(acknowledged["by"].is_string());
    let audit = world.run("audit list --action issue").await;
    assert_eq!(audit.events.len(), 1, "{}", audit.told());
    world
        .refused(
            &format!("run acknowledge nobody {code}"),
            1,
            "connector-unknown",
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objectives_of_alarms_are_changed_for_all_and_for_one() {
    let world = World::connected().await;
    let usual = world.first("alarm settings").await;
    let changed = world
        .first("alarm settings --backup-hours 26 --connector contoso=4 --storage-percent 70")
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
    let back = world.first("alarm settings --connector contoso=").await;
    assert_eq!(
        (&back["backup_hours"], &back["connectors"]),
        (&json!(26), &json!({}))
    );
    world
        .refused(
            "alarm ack backup-overdue/contoso --reason moving",
            1,
            "alarm-unknown",
        )
        .await;
}
