//! Restores taken back.

use serde_json::json;

use crate::site::{Site, counts, of_items};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_restore_made_goes_and_what_it_replaced_is_put_back() {
    let site = Site::new().await;
    let first = site.back_up().await;
    let ids = site.work_items(&first).await;
    let (lost, changed) = (ids[4].as_str(), ids[1].as_str());
    site.destroy(lost).await;
    site.rename(changed, "Better than before").await;
    let second = site.back_up().await;
    let plan = site
        .plan(&of_items(&first, &[lost, changed], "replace"))
        .await;
    assert_eq!(site.apply(&plan).await["state"], "applied");
    let steps = site.steps(&plan, "work-item").await;
    let new = steps.iter().find(|step| step["item"] == lost).unwrap();
    let new = new["new_id"].as_str().unwrap();
    assert_ne!(site.title(changed).await, "Better than before");

    let undo = site.undo(plan["id"].as_str().unwrap()).await;
    assert_eq!(undo["snapshot"], second);
    assert_eq!(counts(&undo, "work-item", "remove"), 1);
    assert_eq!(counts(&undo, "work-item", "replace"), 1);
    assert_eq!(undo["confirm"], "contoso");
    let losses = undo["losses"].as_array().unwrap();
    let told = losses.iter().any(|loss| {
        let text = loss["text"].as_str().unwrap();
        text.starts_with("it becomes what the snapshot of")
    });
    assert!(told, "{losses:?}");
    assert!(site.work_item(new).await.is_some(), "a plan writes nothing");

    let undone = site.apply(&undo).await;
    assert_eq!(undone["state"], "applied", "{undone}");
    assert!(site.work_item(new).await.is_none());
    assert_eq!(site.title(changed).await, "Better than before");
    let again = format!("/restore-plans/{}/undo", undo["id"].as_str().unwrap());
    let refused = site.world.post(&again, &json!({})).await.expect(422);
    assert_eq!(refused["code"], "plan-not-undone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_changed_since_stays() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let ids = site.work_items(&snapshot).await;
    for id in &ids[4..7] {
        site.destroy(id).await;
    }
    let lost: Vec<&str> = ids[4..7].iter().map(String::as_str).collect();
    let plan = site.plan(&of_items(&snapshot, &lost, "skip")).await;
    assert_eq!(site.apply(&plan).await["state"], "applied");
    let steps = site.steps(&plan, "work-item").await;
    let new: Vec<&str> = steps
        .iter()
        .map(|step| step["new_id"].as_str().unwrap())
        .collect();

    // One before the undo is planned, one between plan and apply.
    site.rename(new[0], "Somebody works on it").await;
    let undo = site.undo(plan["id"].as_str().unwrap()).await;
    assert_eq!(counts(&undo, "work-item", "remove"), 2);
    let kept = site.steps(&undo, "work-item").await;
    let kept = kept.iter().find(|step| step["new_id"] == new[0]).unwrap();
    assert_eq!(kept["action"], "skip");
    assert!(
        kept["reason"].as_str().unwrap().contains("changed since"),
        "{kept}"
    );
    site.rename(new[1], "Somebody else works on it").await;
    let undone = site.apply(&undo).await;
    assert_eq!(undone["state"], "applied_with_issues", "{undone}");
    assert!(site.work_item(new[0]).await.is_some());
    assert!(site.work_item(new[1]).await.is_some());
    assert!(site.work_item(new[2]).await.is_none());
    let failed = site.steps(&undo, "work-item").await;
    let failed = failed.iter().find(|step| step["new_id"] == new[1]).unwrap();
    assert_eq!(failed["state"], "failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_back_says_why() {
    let site = Site::new().await;
    let snapshot = site.back_up().await;
    let pat = site.world.simulator.add_organization("empty").await;
    let body = site.world.pat_body("empty", "empty", &pat);
    site.world.post("/connectors", &body).await.expect(201);
    let body = json!({
        "snapshot": snapshot, "target": { "connector": "empty" }, "select": { "kinds": ["project", "team", "git-repository"] },
    });
    let plan = site.plan(&body).await;
    assert_eq!(plan["target"]["same"], false);
    let applied = site.apply(&plan).await;
    assert!(
        applied["state"].as_str().unwrap().starts_with("applied"),
        "{applied}"
    );
    // The default teams were merged into those that the service made.
    let undo = site.undo(plan["id"].as_str().unwrap()).await;
    let losses = undo["losses"].as_array().unwrap();
    let told = losses.iter().any(|loss| {
        let text = loss["text"].as_str().unwrap();
        loss["kind"] == "team" && text.contains("what that was is not known")
    });
    assert!(told, "{losses:?}");
    let projects = site.steps(&undo, "project").await;
    assert!(!projects.is_empty());
    for project in &projects {
        assert_eq!(project["action"], "skip");
        assert!(
            project["reason"].as_str().unwrap().contains("others"),
            "{project}"
        );
    }
    let undone = site.apply(&undo).await;
    assert!(
        undone["state"].as_str().unwrap().starts_with("applied"),
        "{undone}"
    );
    let unwritten = site.undo_refused(&body).await;
    assert_eq!(unwritten["code"], "plan-not-undone");
}
