//! What is refused, and who sees what.

use reqwest::Method;
use serde_json::{Value, json};

use crate::site::{Site, of_items};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_before_anything_runs() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ask = |select: Value| json!({ "snapshot": snapshot, "target": { "connector": "contoso" }, "select": select });
    let refused = [
        (json!({}), "request-refused"),
        (json!({ "kinds": [] }), "request-refused"),
        (
            json!({ "everything": true, "kinds": ["team"] }),
            "request-refused",
        ),
        (json!({ "kinds": ["wikis"] }), "kind-unknown"),
    ];
    for (select, code) in refused {
        let answer = site.world.post("/restore-plans", &ask(select)).await;
        assert_eq!(answer.expect(422)["code"], code);
    }
    let plans = site.world.get("/restore-plans").await.expect(200);
    assert!(plans["items"].as_array().unwrap().is_empty());
    // What only the snapshot can tell is the end of the plan's run.
    let asked = site
        .world
        .post("/restore-plans", &ask(json!({ "projects": ["Nowhere"] })))
        .await
        .expect(202);
    site.work().await;
    let plan = site.detail(asked["id"].as_str().unwrap()).await;
    assert_eq!(plan["state"], "failed");
    assert!(
        plan["error"].as_str().unwrap().contains("Nowhere"),
        "{plan}"
    );
    let apply = format!("/restore-plans/{}/apply", plan["id"].as_str().unwrap());
    let refused = site.world.post(&apply, &json!({})).await;
    assert_eq!(refused.expect(422)["code"], "plan-incomplete");
    let missing = json!({ "snapshot": "ffff", "target": { "connector": "contoso" }, "select": { "everything": true } });
    site.world
        .post("/restore-plans", &missing)
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_connectors_out_of_reach_are_not_there() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    let pat = site.world.simulator.add_organization("fabrikam").await;
    let body = site.world.pat_body("fabrikam", "fabrikam", &pat);
    site.world.post("/connectors", &body).await.expect(201);
    let own = site.plan(&of_items(&snapshot, &[&ids[0]], "skip")).await;
    let body = json!({ "snapshot": snapshot, "target": { "connector": "fabrikam" }, "select": { "kinds": ["project"] } });
    let over = site.plan(&body).await;
    let nothing = json!({});
    for (reached, plan, sees) in [
        (["contoso"].as_slice(), &own, true),
        (["fabrikam"].as_slice(), &own, false),
        (["contoso"].as_slice(), &over, false),
        // It would tell what contoso has.
        (["fabrikam"].as_slice(), &over, false),
        (["contoso", "fabrikam"].as_slice(), &over, true),
    ] {
        let id = plan["id"].as_str().unwrap();
        let world = &site.world;
        let listed = world
            .call_as(reached, (Method::GET, "/restore-plans"), &nothing)
            .await
            .expect(200);
        let listed = listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == id);
        assert_eq!(listed, sees, "{reached:?}");
        let expected = if sees { 200 } else { 404 };
        for part in ["", "/steps", "/identities"] {
            let path = format!("/restore-plans/{id}{part}");
            world
                .call_as(reached, (Method::GET, &path), &nothing)
                .await
                .expect(expected);
        }
        if !sees {
            for part in ["apply", "undo", "cancel"] {
                let path = format!("/restore-plans/{id}/{part}");
                world
                    .call_as(reached, (Method::POST, &path), &nothing)
                    .await
                    .expect(404);
            }
            let path = format!("/restore-plans/{id}");
            world
                .call_as(reached, (Method::DELETE, &path), &nothing)
                .await
                .expect(404);
        }
    }
    // Neither a source nor a target out of reach can be named.
    for (reached, target) in [("contoso", "fabrikam"), ("fabrikam", "fabrikam")] {
        let body = json!({ "snapshot": snapshot, "target": { "connector": target }, "select": { "everything": true } });
        let asked = site
            .world
            .call_as(&[reached], (Method::POST, "/restore-plans"), &body)
            .await;
        asked.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_restore_is_in_the_audit_log() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    site.destroy(&ids[0]).await;
    let plan = site.plan(&of_items(&snapshot, &[&ids[0]], "skip")).await;
    site.apply(&plan).await;
    let undo = site.undo(plan["id"].as_str().unwrap()).await;
    let path = format!("/restore-plans/{}", undo["id"].as_str().unwrap());
    site.world.delete(&path).await.expect(204);
    let rows = site
        .world
        .control
        .catalog
        .audit_after(0, 1000)
        .await
        .unwrap();
    let actions: Vec<&str> = rows.iter().map(|row| row.event.action.as_str()).collect();
    let restores: Vec<&str> = actions
        .into_iter()
        .filter(|action| action.starts_with("restore."))
        .collect();
    assert_eq!(
        restores,
        [
            "restore.plan",
            "restore.apply",
            "restore.undo",
            "restore.remove"
        ]
    );
    let apply = rows
        .iter()
        .find(|row| row.event.action == "restore.apply")
        .unwrap();
    assert!(
        apply.event.details.contains("\"create\":1"),
        "{}",
        apply.event.details
    );
}
