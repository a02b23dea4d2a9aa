//! What people add to restored work items is seen, so that taking the restore back does not take it along.

use model::ItemRef;
use serde_json::{Value, json};
use service::http::{Client, Method};
use simulator::{Seed, Simulator};

use crate::support::{Journal, Snapshot, backed_up, empty, patch, restore, revision, without_code};

struct Restored {
    simulator: Simulator,
    target: Client,
    snapshot: Snapshot,
    journal: Journal,
    items: Vec<ItemRef>,
}

impl Restored {
    async fn new() -> Self {
        let (simulator, _, snapshot) = backed_up(Seed::Small).await;
        let restored = Self {
            target: empty(&simulator, "empty").await,
            simulator,
            items: snapshot.in_use(without_code),
            snapshot,
            journal: Journal::default(),
        };
        assert_eq!(restored.differences().await, Vec::<String>::new());
        restored
    }

    /// Goes on with the restore, which reads all back.
    async fn differences(&self) -> Vec<String> {
        let restored = restore(&self.target, &self.snapshot, &self.journal, &self.items);
        let report = restored.await.unwrap();
        assert_eq!(report.failed, Vec::<String>::new());
        report.differences
    }

    fn work_items(&self) -> Vec<&ItemRef> {
        let items = self.items.iter();
        items.filter(|item| item.kind == "work-item").collect()
    }
}

#[tokio::test]
async fn a_link_that_somebody_added_is_a_difference_of_both_ends() {
    let restored = Restored::new().await;
    let items = restored.work_items();
    let [one, other] = [items[0], items[1]].map(|item| restored.journal.new_id(item));
    let url = format!(
        "{}/_apis/wit/workItems/{other}",
        restored.target.base("dev").unwrap()
    );
    let link = json!({ "rel": "System.LinkTypes.Dependency-Forward", "url": url });
    let add = json!([{ "op": "add", "path": "/relations/-", "value": link }]);
    patch(&restored.target, &one, &add).await;
    let differences = restored.differences().await;
    let told: Vec<bool> = ["Dependency-Forward to", "Dependency-Reverse to"]
        .iter()
        .map(|link| differences.iter().any(|told| told.contains(link)))
        .collect();
    assert_eq!(
        (told, differences.len()),
        (vec![true, true], 2),
        "{differences:?}"
    );
    restored.simulator.stop().await;
}

#[tokio::test]
async fn every_word_in_a_discussion_makes_another_revision() {
    let restored = Restored::new().await;
    let item = restored.work_items()[0];
    let now = async || {
        let (http, snapshot) = (&restored.target, &restored.snapshot);
        revision(http, snapshot, &restored.journal, item)
            .await
            .unwrap()
    };
    let id = restored.journal.new_id(item);
    let document = restored.snapshot.part_text(item, "work-item.json");
    let document: Value = serde_json::from_str(&document).unwrap();
    let project = document["fields"]["System.TeamProject"].as_str().unwrap();
    let comments = format!("/{project}/_apis/wit/workItems/{id}/comments");
    let send = async |method: Method, path: &str, body: Value| -> Value {
        let call = restored.target.call(method, "dev", path);
        let answer = call
            .version("7.1-preview.4")
            .json(&body)
            .send()
            .await
            .unwrap();
        answer.json().unwrap_or_default()
    };
    let mut seen = vec![now().await];
    let made = send(Method::POST, &comments, json!({ "text": "ours" })).await;
    seen.push(now().await);
    let comment = format!("{comments}/{}", made["id"]);
    send(Method::PATCH, &comment, json!({ "text": "still ours" })).await;
    seen.push(now().await);
    send(Method::DELETE, &comment, json!({})).await;
    seen.push(now().await);
    let mut different = seen.clone();
    different.dedup();
    assert_eq!(different, seen, "none is the one before");
    restored.simulator.stop().await;
}
