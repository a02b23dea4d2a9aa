//! A server with a repository and a connector to the simulator, and a worker that works when it is told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Claimant, QueueLimits};
use control::{Unobserved, WorkerSetup};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::World;

pub(crate) struct Site {
    pub(crate) world: World,
    http: reqwest::Client,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let world = World::start().await;
        let pat = world.simulator.pat().to_owned();
        world.add_pat("contoso", &pat).await.expect(201);
        let location = world.folder.path().join("repository");
        let body = json!({ "name": "main", "location": location });
        world.post("/repositories", &body).await.expect(201);
        Self {
            world,
            http: reqwest::Client::builder().build().unwrap(),
        }
    }

    /// Does everything that is in the queue.
    pub(crate) async fn work(&self) {
        let setup = WorkerSetup {
            labels: BTreeSet::new(),
            slots: 1,
            limits: QueueLimits::default(),
            observer: Arc::new(Unobserved),
        };
        let never = CancellationToken::new();
        self.world.control.work_off(&setup, &never).await.unwrap();
    }

    /// The snapshot of a backup.
    pub(crate) async fn back_up(&self) -> String {
        self.back_up_of(&json!({ "connector": "contoso" })).await
    }

    /// The same of a backup that is asked for so.
    pub(crate) async fn back_up_of(&self, body: &Value) -> String {
        let run = self.world.post("/backups", body).await.expect(202);
        self.work().await;
        let run = self.run(run["id"].as_str().unwrap()).await;
        // An item that somebody destroyed is an issue.
        let state = run["state"].as_str().unwrap();
        assert!(state.starts_with("succeeded"), "{run}");
        run["snapshot"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn run(&self, id: &str) -> Value {
        self.world.get(&format!("/runs/{id}")).await.expect(200)
    }

    /// A plan that is ready.
    pub(crate) async fn plan(&self, body: &Value) -> Value {
        let asked = self.world.post("/restore-plans", body).await.expect(202);
        assert_eq!(asked["state"], "planning");
        self.ready(&asked).await
    }

    pub(crate) async fn undo(&self, plan: &str) -> Value {
        let path = format!("/restore-plans/{plan}/undo");
        let asked = self.world.post(&path, &json!({})).await.expect(202);
        assert_eq!(asked["undoes"], plan);
        self.ready(&asked).await
    }

    async fn ready(&self, asked: &Value) -> Value {
        self.work().await;
        let plan = self.detail(asked["id"].as_str().unwrap()).await;
        assert_eq!(plan["state"], "ready", "{plan}");
        plan
    }

    pub(crate) async fn detail(&self, plan: &str) -> Value {
        let path = format!("/restore-plans/{plan}");
        self.world.get(&path).await.expect(200)
    }

    pub(crate) async fn queue_apply(&self, plan: &Value) -> Value {
        let path = format!("/restore-plans/{}/apply", plan["id"].as_str().unwrap());
        let body = json!({ "confirm": plan["confirm"] });
        self.world.post(&path, &body).await.expect(202)
    }

    /// Applies a plan, confirmed as it asks for.
    pub(crate) async fn apply(&self, plan: &Value) -> Value {
        self.queue_apply(plan).await;
        self.work().await;
        self.detail(plan["id"].as_str().unwrap()).await
    }

    /// Why a plan that was never applied cannot be taken back.
    pub(crate) async fn undo_refused(&self, body: &Value) -> Value {
        let plan = self.plan(body).await;
        let path = format!("/restore-plans/{}/undo", plan["id"].as_str().unwrap());
        self.world.post(&path, &json!({})).await.expect(422)
    }

    /// The steps of a kind.
    pub(crate) async fn steps(&self, plan: &Value, kind: &str) -> Vec<Value> {
        let id = plan["id"].as_str().unwrap();
        let path = format!("/restore-plans/{id}/steps?kind={kind}&limit=200");
        let listed = self.world.get(&path).await.expect(200);
        listed["items"].as_array().unwrap().clone()
    }

    fn ask(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}/contoso{path}", self.world.simulator.url());
        self.http
            .request(method, url)
            .basic_auth("", Some(self.world.simulator.pat()))
    }

    /// A work item as the service has it now; `None` when it is gone.
    pub(crate) async fn work_item(&self, id: &str) -> Option<Value> {
        let path = format!("/_apis/wit/workitems/{id}?api-version=7.1");
        let answer = self.ask(reqwest::Method::GET, &path).send().await.unwrap();
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return None;
        }
        assert!(answer.status().is_success(), "{}", answer.status());
        Some(serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    pub(crate) async fn title(&self, id: &str) -> String {
        let item = self.work_item(id).await.unwrap();
        item["fields"]["System.Title"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn rename(&self, id: &str, title: &str) {
        let path = format!("/_apis/wit/workitems/{id}?api-version=7.1");
        let patch = json!([{ "op": "add", "path": "/fields/System.Title", "value": title }]);
        let request = self
            .ask(reqwest::Method::PATCH, &path)
            .header("content-type", "application/json-patch+json")
            .body(patch.to_string());
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Deletes a work item for good, so that it can only be made anew.
    pub(crate) async fn destroy(&self, id: &str) {
        let path = format!("/_apis/wit/workitems/{id}?destroy=true&api-version=7.1");
        let answer = self.ask(reqwest::Method::DELETE, &path).send().await;
        let answer = answer.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    /// Rules by which the service does wrong.
    pub(crate) async fn faults(&self, rules: &Value) {
        let url = format!("{}/__faults", self.world.simulator.url());
        let body = rules.to_string();
        let answer = self.http.post(url).body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }

    pub(crate) async fn no_faults(&self) {
        let url = format!("{}/__faults", self.world.simulator.url());
        self.http.delete(url).send().await.unwrap();
    }

    /// Somebody takes the next job and is never seen again.
    pub(crate) async fn lose_the_worker(&self) {
        let control = &self.world.control;
        let claimant = Claimant {
            name: "lost",
            labels: &BTreeSet::new(),
            storages: None,
            at_work: &BTreeSet::new(),
        };
        let lease = Duration::from_mins(1);
        let claimed = control
            .catalog
            .claim_next(
                &claimant,
                QueueLimits::default(),
                control.clock.now(),
                lease,
            )
            .await;
        claimed.unwrap().unwrap();
    }

    /// The ids of the work items of a snapshot, the smallest first.
    pub(crate) async fn work_items(&self, snapshot: &str) -> Vec<String> {
        let path = format!("/snapshots/{snapshot}/items?kind=work-item&limit=200");
        let listed = self.world.get(&path).await.expect(200);
        let items = listed["items"].as_array().unwrap().iter();
        let mut ids: Vec<String> = items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect();
        ids.sort_by_key(|id| id.parse::<u64>().unwrap());
        ids
    }
}

/// The body of a request for a plan of these work items.
pub(crate) fn of_items(snapshot: &str, ids: &[&str], conflict: &str) -> Value {
    let items: Vec<Value> = ids
        .iter()
        .map(|id| json!({ "kind": "work-item", "item": id }))
        .collect();
    json!({
        "snapshot": snapshot, "target": { "connector": "contoso" }, "conflict": conflict, "select": { "items": items },
    })
}

pub(crate) fn counts(plan: &Value, kind: &str, action: &str) -> u64 {
    let counts = plan["counts"].as_array().unwrap().iter();
    let mut of_kind = counts.filter(|counts| counts["kind"] == kind);
    of_kind
        .next()
        .map_or(0, |counts| counts[action].as_u64().unwrap())
}
