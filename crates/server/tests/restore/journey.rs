//! Backed up, lost, planned, applied, taken back.

use std::collections::BTreeSet;

use serde_json::json;

use crate::site::{Site, counts, of_items};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_lost_comes_back_and_the_report_says_where_it_is() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    let (lost, changed) = (ids[4].as_str(), ids[1].as_str());
    let title = site.title(lost).await;
    let before = site.title(changed).await;
    site.destroy(lost).await;
    site.rename(changed, "Overwritten by mistake").await;

    let plan = site
        .plan(&of_items(&snapshot, &[lost, changed], "replace"))
        .await;
    assert_eq!(counts(&plan, "work-item", "create"), 1);
    assert_eq!(counts(&plan, "work-item", "replace"), 1);
    assert_eq!(plan["target"]["same"], true);
    assert_eq!(plan["target"]["organization"], "contoso");
    assert!(plan["taken_at"].is_string() && plan["plan_run"].is_string());
    assert!(!plan["losses"].as_array().unwrap().is_empty());
    let run = site.run(plan["plan_run"].as_str().unwrap()).await;
    assert_eq!(
        (&run["kind"], &run["state"]),
        (&json!("plan"), &json!("succeeded"))
    );
    assert_eq!(run["plan"], plan["id"], "a run leads to its plan");
    assert_eq!(
        site.title(changed).await,
        "Overwritten by mistake",
        "a plan writes nothing"
    );
    let waiting = site.steps(&plan, "work-item").await;
    assert!(
        waiting.iter().all(|step| step["state"] == "waiting"),
        "{waiting:?}"
    );

    let applied = site.apply(&plan).await;
    assert_eq!(applied["state"], "applied", "{applied}");
    let run = site.run(applied["apply_run"].as_str().unwrap()).await;
    assert_eq!(
        (&run["kind"], &run["state"]),
        (&json!("restore"), &json!("succeeded"))
    );
    assert_eq!(run["plan"], plan["id"]);
    let steps = site.steps(&plan, "work-item").await;
    let step = |id: &str| steps.iter().find(|step| step["item"] == id).unwrap();
    let new = step(lost)["new_id"].as_str().unwrap();
    assert_ne!(new, lost);
    assert_eq!(step(lost)["state"], "done");
    assert_eq!(
        step(lost)["url"],
        format!(
            "{}/contoso/_workitems/edit/{new}",
            site.world.simulator.url()
        )
    );
    assert_eq!(step(changed)["new_id"], changed);
    assert_eq!(site.title(new).await, title);
    assert_eq!(site.title(changed).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_replaced_asks_for_the_organizations_name() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    site.rename(&ids[0], "Overwritten by mistake").await;
    // The other one is as it was.
    let plan = site
        .plan(&of_items(&snapshot, &[&ids[0], &ids[1]], "replace"))
        .await;
    assert_eq!(counts(&plan, "work-item", "replace"), 1);
    assert_eq!(counts(&plan, "work-item", "skip"), 1);
    assert_eq!(plan["confirm"], "contoso");
    let id = plan["id"].as_str().unwrap();
    let apply = format!("/restore-plans/{id}/apply");
    for confirm in [
        json!({}),
        json!({ "confirm": null }),
        json!({ "confirm": "contosso" }),
    ] {
        let refused = site.world.post(&apply, &confirm).await.expect(422);
        assert_eq!(refused["code"], "plan-confirm");
        assert!(
            refused["detail"].as_str().unwrap().contains("type contoso"),
            "{refused}"
        );
    }
    assert_eq!(site.detail(id).await["state"], "ready");
    // What only adds asks for nothing.
    let adds = site
        .plan(&of_items(&snapshot, &[&ids[0]], "duplicate"))
        .await;
    assert_eq!(adds["confirm"], json!(null));
    let path = format!("/restore-plans/{}/apply", adds["id"].as_str().unwrap());
    site.world.post(&path, &json!({})).await.expect(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_is_applied_once_and_removed_only_when_nobody_is_at_it() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    site.destroy(&ids[0]).await;
    let plan = site.plan(&of_items(&snapshot, &[&ids[0]], "skip")).await;
    let path = format!("/restore-plans/{}", plan["id"].as_str().unwrap());
    site.queue_apply(&plan).await;
    let apply = format!("{path}/apply");
    let twice = site.world.post(&apply, &json!({})).await.expect(409);
    assert_eq!(twice["code"], "plan-busy");
    assert_eq!(
        site.world.delete(&path).await.expect(409)["code"],
        "plan-busy"
    );
    site.work().await;
    let done = site.world.post(&apply, &json!({})).await.expect(409);
    assert_eq!(done["code"], "plan-closed");
    site.world.delete(&path).await.expect(204);
    assert_eq!(
        site.world.get(&path).await.expect(404)["code"],
        "plan-unknown"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceled_apply_is_gone_on_with() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    site.destroy(&ids[0]).await;
    let plan = site.plan(&of_items(&snapshot, &[&ids[0]], "skip")).await;
    site.queue_apply(&plan).await;
    let cancel = format!("/restore-plans/{}/cancel", plan["id"].as_str().unwrap());
    let run = site.world.post(&cancel, &json!({})).await.expect(202);
    assert_eq!(run["state"], "canceled");
    let id = plan["id"].as_str().unwrap();
    assert_eq!(site.detail(id).await["state"], "canceled");
    assert_eq!(
        site.world.post(&cancel, &json!({})).await.expect(422)["code"],
        "run-not-open"
    );
    let applied = site.apply(&plan).await;
    assert_eq!(applied["state"], "applied", "{applied}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_that_failed_halfway_goes_on_and_doubles_nothing() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    for id in &ids[..4] {
        site.destroy(id).await;
    }
    let lost: Vec<&str> = ids[..4].iter().map(String::as_str).collect();
    let plan = site.plan(&of_items(&snapshot, &lost, "skip")).await;
    // One is made, one is made without an answer, and then nothing is taken any more.
    let path = "*/_apis/wit/workitems/$*";
    let rules = json!([
        { "path": path, "method": "POST", "nth": 2, "count": 1, "fault": "drop" },
        { "path": path, "method": "POST", "nth": 3, "fault": "203" },
    ]);
    site.faults(&rules).await;
    site.queue_apply(&plan).await;
    site.work().await;
    let stopped = site.detail(plan["id"].as_str().unwrap()).await;
    assert_eq!(stopped["state"], "failed", "{stopped}");
    assert!(stopped["error"].is_string());
    site.no_faults().await;
    let applied = site.apply(&plan).await;
    assert_eq!(applied["state"], "applied", "{applied}");
    let steps = site.steps(&plan, "work-item").await;
    let number = |id: &str| id.parse::<u64>().unwrap();
    let new: BTreeSet<u64> = steps
        .iter()
        .map(|step| number(step["new_id"].as_str().unwrap()))
        .collect();
    assert_eq!(new.len(), 4);
    // Numbers are given in turn: a fifth item would have one.
    let newest = number(ids.last().unwrap());
    assert_eq!(new.last(), Some(&(newest + 4)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_whose_worker_was_lost_is_taken_up_by_another() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    site.destroy(&ids[0]).await;
    let plan = site.plan(&of_items(&snapshot, &[&ids[0]], "skip")).await;
    let run = site.queue_apply(&plan).await;
    site.lose_the_worker().await;
    site.work().await;
    assert_eq!(
        site.run(run["id"].as_str().unwrap()).await["state"],
        "running"
    );
    site.world.advance(120);
    site.work().await;
    let applied = site.detail(plan["id"].as_str().unwrap()).await;
    assert_eq!(applied["state"], "applied", "{applied}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_named_and_others_take_their_places() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    let plan = site
        .plan(&of_items(&snapshot, &[&ids[0]], "duplicate"))
        .await;
    let path = format!("/restore-plans/{}/identities", plan["id"].as_str().unwrap());
    let people = site.world.get(&path).await.expect(200);
    let people = people["items"].as_array().unwrap();
    assert!(people.len() > 1, "{people:?}");
    assert!(people.iter().any(|person| person["found"] == true));
    assert!(people.iter().all(|person| person["to"].is_null()));
    let item = site.work_item(&ids[0]).await.unwrap();
    let maker = item["fields"]["System.CreatedBy"]["uniqueName"]
        .as_str()
        .unwrap();
    let mut others = people
        .iter()
        .map(|person| person["from"]["unique_name"].as_str().unwrap());
    let other = others.rfind(|name| *name != maker).unwrap();
    let stranger =
        json!({ "items": [{ "from": { "unique_name": "nobody@contoso.example" }, "to": null }] });
    site.world.put(&path, &stranger).await.expect(422);
    for odd in ["", "a <b@c>", "a;b"] {
        let body = json!({ "items": [{ "from": { "unique_name": maker }, "to": { "unique_name": odd } }] });
        site.world.put(&path, &body).await.expect(422);
    }
    let body =
        json!({ "items": [{ "from": { "unique_name": maker }, "to": { "unique_name": other } }] });
    let mapped = site.world.put(&path, &body).await.expect(200);
    let mapped = mapped["items"].as_array().unwrap().iter();
    let mapped: Vec<_> = mapped.filter(|person| !person["to"].is_null()).collect();
    assert_eq!(
        (mapped.len(), &mapped[0]["to"]),
        (1, &json!({ "unique_name": other, "checked": true }))
    );
    let applied = site.apply(&plan).await;
    assert_eq!(applied["state"], "applied", "{applied}");
    let steps = site.steps(&plan, "work-item").await;
    let new = steps[0]["new_id"].as_str().unwrap();
    let item = site.work_item(new).await.unwrap();
    assert_eq!(item["fields"]["System.CreatedBy"]["uniqueName"], other);
    let late = site.world.put(&path, &body).await.expect(409);
    assert_eq!(late["code"], "plan-started");
}
