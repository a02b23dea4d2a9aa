//! Work items whose project the service lists no longer, and records of theirs that nobody understands: nothing of that is silent.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::{Client, Order};
use simulator::Simulator;

use crate::script::Script;
use crate::support::{
    Snapshot, all_kinds, backup, backup_ordered, client_at, codes, contoso, delete, owner, post,
    start, without_code,
};

fn kinds() -> BTreeSet<String> {
    let all = all_kinds().into_iter();
    all.filter(|kind| without_code(kind)).collect()
}

fn document(snapshot: &Snapshot, item: &ItemRef, part: &str) -> Value {
    serde_json::from_str(&snapshot.part_text(item, part)).unwrap()
}

async fn backed_up() -> (Simulator, Client, Snapshot) {
    let simulator = start(contoso(40)).await;
    let http = owner(&simulator);
    let first = backup(&http, &Snapshot::default(), &kinds()).await;
    (simulator, http, first)
}

/// The id of a project, and the work items in it.
fn some_project(snapshot: &Snapshot) -> (String, BTreeSet<ItemRef>) {
    let name = |item: &ItemRef| {
        document(snapshot, item, "work-item.json")["fields"]["System.TeamProject"].clone()
    };
    let projects = snapshot.of_kind("project").into_iter();
    let mut found = projects.map(|project| {
        let own = json!(snapshot.names[project]);
        let items = snapshot.of_kind("work-item").into_iter();
        let inside = items.filter(|item| name(item) == own).cloned().collect();
        (project.id.clone(), inside)
    });
    let found = found.find(|(_, inside): &(_, BTreeSet<ItemRef>)| !inside.is_empty());
    found.unwrap()
}

fn work_items(snapshot: &Snapshot) -> BTreeSet<ItemRef> {
    let items = snapshot.of_kind("work-item").into_iter();
    items.cloned().collect()
}

#[tokio::test]
async fn the_work_items_of_a_deleted_project_go_with_it_and_cost_requests_only_then() {
    let (simulator, http, first) = backed_up().await;
    let (project, inside) = some_project(&first);
    delete(&http, &format!("/_apis/projects/{project}")).await;
    let left: BTreeSet<ItemRef> = work_items(&first).difference(&inside).cloned().collect();
    let second = backup(&http, &first, &kinds()).await;
    assert_eq!(codes(&second.issues), [""; 0]);
    assert_eq!(work_items(&second), left);
    let fresh = backup(&http, &Snapshot::default(), &kinds()).await;
    assert_eq!(work_items(&fresh), left);
    let quiet = owner(&simulator);
    backup(&quiet, &second, &kinds()).await;
    assert_eq!(quiet.usage().by_kind["work-item"].0, 3);
    // A crawl of everything says the same.
    let order = Order {
        full: true,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    let full = backup_ordered(&http, &first, &kinds(), order).await;
    assert_eq!(codes(&full.issues), [""; 0]);
    assert_eq!(work_items(&full), left);
    simulator.stop().await;
}

#[tokio::test]
async fn the_work_items_of_a_hidden_project_stay_and_are_named_until_it_is_seen_again() {
    let (simulator, http, first) = backed_up().await;
    let (project, inside) = some_project(&first);
    let token = format!("$PROJECT:vstfs:///Classification/TeamProject/{project}");
    let denied = json!({ "namespace": "52d39943-cb85-4d7f-8fa8-c6baac873819", "token": token });
    post(&http, "/__access", &json!({ "deny": denied })).await;
    let named = |snapshot: &Snapshot| -> Vec<String> {
        let issues = snapshot.issues.iter();
        issues
            .filter(|issue| issue.kind == "work-item" && issue.code == "implausible-drop")
            .map(|issue| issue.message.clone())
            .collect()
    };
    let name = first.names[&ItemRef::new("project", "", &project)].clone();
    let mut last = first.clone();
    for _ in 0..2 {
        last = backup(&http, &last, &kinds()).await;
        assert_eq!(work_items(&last), work_items(&first));
        let [issue] = &named(&last)[..] else {
            panic!("{:?}", last.issues);
        };
        let count = format!("{} work items of project {name} ", inside.len());
        assert!(issue.starts_with(&count), "{issue}");
    }
    // A person says that it was deleted.
    let accepted = BTreeSet::from(["project".to_owned()]);
    let order = Order {
        accepted: &accepted,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    let gone = backup_ordered(&http, &last, &kinds(), order).await;
    assert!(work_items(&gone).is_disjoint(&inside));
    post(&http, "/__access", &json!({ "denials": false })).await;
    let seen = backup(&http, &last, &kinds()).await;
    assert_eq!(codes(&seen.issues), [""; 0]);
    assert_eq!(work_items(&seen), work_items(&first));
    simulator.stop().await;
}

#[tokio::test]
async fn what_cannot_be_judged_with_a_deleted_project_is_kept_and_named() {
    let (simulator, http, mut first) = backed_up().await;
    let (project, inside) = some_project(&first);
    delete(&http, &format!("/_apis/projects/{project}")).await;
    let mut inside = inside.into_iter();
    let (damaged, nameless) = (inside.next().unwrap(), inside.next().unwrap());
    first.damaged.insert(damaged.clone());
    let files = first.items.get_mut(&nameless).unwrap();
    files.insert("work-item.json".to_owned(), r#"{"id":"#.into());
    let odd = ItemRef::new("work-item", "", "odd");
    let files = first.items[&nameless].clone();
    first.items.insert(odd.clone(), files);
    let second = backup(&http, &first, &kinds()).await;
    let of_items = second.issues.iter();
    let of_items = of_items.filter(|issue| issue.kind == "work-item");
    let mut named: Vec<_> = of_items
        .map(|issue| (issue.code.as_str(), issue.item.clone()))
        .collect();
    named.sort_unstable();
    let expected = [
        ("document-malformed", Some(nameless.clone())),
        ("document-misplaced", None),
        ("repository-damaged", Some(damaged.clone())),
    ];
    assert_eq!(named, expected);
    let left = work_items(&second);
    assert!(
        [&damaged, &nameless, &odd]
            .into_iter()
            .all(|item| left.contains(item))
    );
    assert!(inside.all(|item| !left.contains(&item)));
    simulator.stop().await;
}

const REVISIONS: &str = "/contoso/_apis/wit/reporting/workitemrevisions";
const BATCH: &str = "/contoso/_apis/wit/workitemsbatch";

fn stream(records: &Value) -> Value {
    json!({ "values": records, "continuationToken": "7", "isLastBatch": true })
}

fn record(id: &Value, title: &Value) -> Value {
    json!({ "id": id, "rev": 1, "fields": { "System.Title": title, "System.TeamProject": "P" } })
}

fn said(snapshot: &Snapshot) -> Vec<(Option<&str>, &str)> {
    let issues = snapshot.issues.iter();
    let item = |issue: &model::Issue| issue.item.as_ref().map(|item| item.id.clone());
    assert!(
        snapshot
            .issues
            .iter()
            .all(|issue| issue.kind == "work-item")
    );
    let mut said: Vec<_> = issues
        .map(|issue| match item(issue).as_deref() {
            Some("3") => (Some("3"), ""),
            Some(_) => (Some("?"), ""),
            None => (None, issue.message.as_str()),
        })
        .collect();
    said.sort_unstable();
    said
}

#[tokio::test]
async fn records_that_are_not_understood_are_named_and_all_other_items_are_read() {
    let script = Script::start().await;
    let (title, odd) = (json!("t"), json!(5));
    let records = json!([
        record(&json!(1), &title),
        record(&json!(-1), &title),
        record(&json!(2), &title),
        record(&json!(3), &odd),
        record(&json!(1_u64 << 63), &title),
    ]);
    script.say(REVISIONS, 200, stream(&records));
    let links = "/contoso/_apis/wit/reporting/workitemlinks";
    script.say(links, 200, stream(&json!([])));
    let documents = [1, 2, 3].map(|id| record(&json!(id), &title));
    script.say(BATCH, 200, json!({ "value": documents }));
    let http = client_at(&script.url, "contoso", "token", 1);
    let kinds = BTreeSet::from(["work-item".to_owned()]);
    let first = backup(&http, &Snapshot::default(), &kinds).await;
    let ids = |snapshot: &Snapshot| -> Vec<String> {
        let items = snapshot.of_kind("work-item").into_iter();
        items.map(|item| item.id.clone()).collect()
    };
    assert_eq!(ids(&first), ["1", "2", "3"]);
    let [(None, one), (None, other), (Some("3"), _)] = said(&first)[..] else {
        panic!("{:?}", first.issues);
    };
    assert!(
        one.contains("-1") && other.contains("9223372036854775808"),
        "{one} {other}"
    );
    let third = ItemRef::new("work-item", "", "3");
    assert_eq!(
        document(&first, &third, "revisions.ndjson"),
        records[3],
        "as it came"
    );
    // The stream does not tell of them again.
    script.say(REVISIONS, 200, stream(&json!([])));
    let second = backup(&http, &first, &kinds).await;
    assert_eq!(said(&second), [(None, one), (None, other)]);
    assert_eq!(ids(&second), ["1", "2", "3"]);
}

#[tokio::test]
async fn a_document_that_is_not_understood_is_named_and_all_others_are_stored() {
    let script = Script::start().await;
    let (title, odd) = (json!("t"), json!(5));
    let records = json!([record(&json!(1), &title), record(&json!(3), &title)]);
    script.say(REVISIONS, 200, stream(&records));
    let links = "/contoso/_apis/wit/reporting/workitemlinks";
    script.say(links, 200, stream(&json!([])));
    let documents = [record(&json!(1), &title), record(&json!(3), &odd)];
    script.say(BATCH, 200, json!({ "value": documents }));
    let http = client_at(&script.url, "contoso", "token", 1);
    let kinds = BTreeSet::from(["work-item".to_owned()]);
    let first = backup(&http, &Snapshot::default(), &kinds).await;
    assert_eq!(said(&first), [(Some("3"), "")]);
    let message = &first.issues[0].message;
    assert!(message.contains("not understood"), "{message}");
    let item = ItemRef::new("work-item", "", "1");
    assert_eq!(document(&first, &item, "work-item.json"), documents[0]);
}

#[tokio::test]
async fn links_that_are_not_understood_are_named_and_all_other_items_are_read() {
    let script = Script::start().await;
    let title = json!("t");
    let records = json!([record(&json!(1), &title), record(&json!(3), &title)]);
    script.say(REVISIONS, 200, stream(&records));
    let links = "/contoso/_apis/wit/reporting/workitemlinks";
    script.say(links, 200, stream(&json!([])));
    let file = "contoso/_apis/wit/attachments/6f2c1b7e-4d1b-4b0e-9b43-0a5f3b8f2c11";
    let url = format!("{}/{file}", script.url);
    let mut odd = record(&json!(3), &title);
    odd["relations"] = json!([{ "url": url, "attributes": { "resourceSize": "many" } }]);
    let documents = [record(&json!(1), &title), odd];
    script.say(BATCH, 200, json!({ "value": documents }));
    script.say(&format!("/{file}"), 200, json!("content"));
    let http = client_at(&script.url, "contoso", "token", 1);
    let kinds = ["work-item", "attachment"].map(str::to_owned).into();
    let first = backup(&http, &Snapshot::default(), &kinds).await;
    assert_eq!(said(&first), [(Some("3"), "")]);
    for (document_of, told) in [("1", &documents[0]), ("3", &documents[1])] {
        let item = ItemRef::new("work-item", "", document_of);
        assert_eq!(document(&first, &item, "work-item.json"), *told);
    }
}
