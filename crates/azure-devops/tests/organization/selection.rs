//! What a policy does not select is not stored, whatever streams and links tell of it.

use std::collections::BTreeMap;

use model::policy::Pick;
use model::{ItemRef, Picks};
use serde_json::{Value, json};
use service::Client;
use simulator::Seed;

use crate::support::{
    Snapshot, all_kinds, backup, backup_picked, codes, edit, owner, patch, start,
};

fn without(project: &str) -> Picks {
    let pick = Pick {
        exclude: vec![project.to_owned()],
        ..Pick::default()
    };
    Picks(BTreeMap::from([("project".to_owned(), pick)]))
}

/// The project may have another process, with states of its own.
async fn move_to(http: &Client, id: &str, project: &str, state: &str) {
    let set = |field: &str, value: &str| json!({"op": "add", "path": format!("/fields/System.{field}"), "value": value});
    let places = ["TeamProject", "AreaPath", "IterationPath"].map(|field| set(field, project));
    let operations: Vec<Value> = places.into_iter().chain([set("State", state)]).collect();
    patch(http, id, &json!(operations)).await;
}

fn project_of(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    let name = document["fields"]["System.TeamProject"].as_str();
    name.unwrap().to_owned()
}

/// Work items by their projects.
fn by_project(snapshot: &Snapshot) -> BTreeMap<String, Vec<ItemRef>> {
    let mut all: BTreeMap<String, Vec<ItemRef>> = BTreeMap::new();
    for item in snapshot.of_kind("work-item") {
        let name = project_of(&snapshot.part_text(item, "work-item.json"));
        all.entry(name).or_default().push(item.clone());
    }
    all
}

/// No revision, comment or document in the snapshot is of that project.
fn assert_nothing_of(snapshot: &Snapshot, project: &str) {
    let needle = format!("\"System.TeamProject\":\"{project}\"");
    for item in snapshot.of_kind("work-item") {
        for (part, bytes) in &snapshot.items[item] {
            let text = String::from_utf8_lossy(bytes).replace("\": \"", "\":\"");
            assert!(!text.contains(&needle), "{item} {part}");
        }
        let parts = &snapshot.items[item];
        assert!(
            parts.contains_key("work-item.json"),
            "{item} has no document"
        );
    }
}

/// A project with work items, and another one.
async fn two(http: &Client) -> (Snapshot, String, String) {
    let all = backup(http, &Snapshot::default(), &all_kinds()).await;
    let mut projects: Vec<_> = by_project(&all).into_iter().collect();
    projects.sort_by_key(|(_, items)| items.len());
    let (secret, _) = projects.remove(0);
    let (open, items) = projects.pop().unwrap();
    assert!(items.len() > 3);
    (all, secret, open)
}

#[tokio::test]
async fn work_items_of_a_project_that_is_left_out_are_never_stored() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let (all, secret, open) = two(&http).await;
    let (kinds, picks) = (all_kinds(), without(&secret));
    let first = backup_picked(&http, &Snapshot::default(), &kinds, &picks).await;
    assert_nothing_of(&first, &secret);
    assert_eq!(by_project(&first).get(&open), by_project(&all).get(&open));
    let (hidden, linked) = (&by_project(&all)[&secret][0], &by_project(&all)[&open][0]);
    // Streams, links and discussions tell of it.
    edit(&http, &hidden.id, "System.Title", "planted-secret").await;
    edit(&http, &hidden.id, "System.History", "planted-secret").await;
    let url = format!(
        "{}/_apis/wit/workItems/{}",
        http.base("dev").unwrap(),
        hidden.id
    );
    let link = json!({"rel": "System.LinkTypes.Related", "url": url});
    patch(
        &http,
        &linked.id,
        &json!([{"op": "add", "path": "/relations/-", "value": link}]),
    )
    .await;
    let second = backup_picked(&http, &first, &kinds, &picks).await;
    assert_nothing_of(&second, &secret);
    assert!(
        second
            .part_text(linked, "work-item.json")
            .contains(&hidden.id)
    );
    assert!(!second.items.contains_key(hidden));
    assert!(!format!("{:?}", second.items).contains("planted-secret"));
    assert_eq!(codes(&second.issues), Vec::<String>::new());
    // Selected after all, everything comes, also what the streams told of long ago.
    let third = backup(&http, &second, &kinds).await;
    let fresh = backup(&http, &Snapshot::default(), &kinds).await;
    assert_eq!(by_project(&third), by_project(&fresh));
    for item in fresh.of_kind("work-item") {
        assert_eq!(
            third.items[item].keys().collect::<Vec<_>>(),
            fresh.items[item].keys().collect::<Vec<_>>()
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn what_was_stored_stays_as_it_was_when_its_project_is_left_out() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let (all, secret, _) = two(&http).await;
    let stored = by_project(&all)[&secret][0].clone();
    edit(&http, &stored.id, "System.Title", "planted-secret").await;
    let mut second = backup_picked(&http, &all, &all_kinds(), &without(&secret)).await;
    assert_eq!(second.items[&stored], all.items[&stored]);
    assert_eq!(codes(&second.issues), Vec::<String>::new());
    // A crawl of everything does not take it for deleted.
    second
        .cursors
        .retain(|key, _| !key.starts_with("work-item"));
    let third = backup_picked(&http, &second, &all_kinds(), &without(&secret)).await;
    assert_eq!(third.items[&stored], all.items[&stored]);
    assert_eq!(third.of_kind("work-item"), all.of_kind("work-item"));
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_moves_out_of_the_selection_is_kept_and_says_so() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let (all, secret, open) = two(&http).await;
    let (kinds, picks) = (all_kinds(), without(&secret));
    // Every process has this type.
    let mut tasks = by_project(&all)[&open].clone();
    tasks.retain(|item| {
        all.part_text(item, "work-item.json")
            .contains("\"System.WorkItemType\":\"Task\"")
    });
    let (moved, never) = (tasks[0].clone(), tasks[1].clone());
    move_to(&http, &never.id, &secret, "To Do").await;
    let first = backup_picked(&http, &Snapshot::default(), &kinds, &picks).await;
    assert_nothing_of(&first, &secret);
    assert!(
        !first.items.contains_key(&never),
        "it was out before it was seen"
    );
    move_to(&http, &moved.id, &secret, "To Do").await;
    edit(&http, &moved.id, "System.Title", "planted-secret").await;
    let second = backup_picked(&http, &first, &kinds, &picks).await;
    assert_nothing_of(&second, &secret);
    assert_eq!(codes(&second.issues), ["work-item-not-selected work-item"]);
    assert!(second.items[&moved].contains_key("not-selected.json"));
    let mut kept = second.items[&moved].clone();
    kept.remove("not-selected.json");
    assert_eq!(kept, first.items[&moved]);
    // It is said once, and it is never taken for deleted.
    edit(&http, &moved.id, "System.Title", "planted-secret-2").await;
    let mut third = backup_picked(&http, &second, &kinds, &picks).await;
    assert_eq!(codes(&third.issues), Vec::<String>::new());
    third.cursors.retain(|key, _| !key.starts_with("work-item"));
    let fourth = backup_picked(&http, &third, &kinds, &picks).await;
    assert_nothing_of(&fourth, &secret);
    let text = |snapshot: &Snapshot, part: &str| snapshot.part_text(&moved, part);
    for part in ["work-item.json", "not-selected.json"] {
        assert_eq!(text(&fourth, part), text(&second, part));
    }
    let revisions = |snapshot: &Snapshot| text(snapshot, "revisions.ndjson").lines().count();
    assert_eq!(revisions(&fourth), revisions(&second));
    assert_eq!(codes(&fourth.issues), Vec::<String>::new());
    // It comes back.
    edit(&http, &moved.id, "System.Title", "open again").await;
    move_to(&http, &moved.id, &open, "New").await;
    let fifth = backup_picked(&http, &fourth, &kinds, &picks).await;
    assert_nothing_of(&fifth, &secret);
    assert!(!fifth.items[&moved].contains_key("not-selected.json"));
    assert!(
        fifth
            .part_text(&moved, "work-item.json")
            .contains("open again")
    );
    simulator.stop().await;
}
