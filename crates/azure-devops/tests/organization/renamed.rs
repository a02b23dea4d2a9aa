//! Projects, areas and iterations that were renamed or moved at the service: what lies in them belongs to them all the same.

use std::collections::{BTreeMap, BTreeSet};

use azure_devops::AZURE_DEVOPS;
use model::{Conflict, ItemRef};
use serde_json::{Value, json};
use service::http::{Client, Method, segment};
use service::inspect::Tie;

use crate::support::{
    Journal, Snapshot, all_kinds, backed_up, backup, codes, contoso, delete, empty, patch, post,
    restore, state, without_code,
};

const FIBER: &str = "Fabrikam Fiber";
/// The namespace of the rights on areas.
const CSS: &str = "83e28ad4-2d72-4ceb-97b0-c7726d5502c3";
const PLACES: [&str; 3] = [
    "System.TeamProject",
    "System.AreaPath",
    "System.IterationPath",
];

async fn get(http: &Client, path: &str) -> Value {
    let answer = http.get("dev", path).version("7.1").send().await.unwrap();
    answer.json().unwrap()
}

async fn send(http: &Client, method: Method, path: &str, body: &Value) {
    let call = http.call(method, "dev", path).version("7.1");
    call.json(body).send().await.unwrap();
}

/// The address of `Areas/South/Islands`.
fn node(project: &str, path: &str) -> String {
    let names: Vec<_> = path.split('/').map(segment).collect();
    let names = names.join("/");
    format!(
        "/{}/_apis/wit/classificationnodes/{names}",
        segment(project)
    )
}

async fn rename(http: &Client, project: &str, path: &str, name: &str) {
    send(
        http,
        Method::PATCH,
        &node(project, path),
        &json!({ "name": name }),
    )
    .await;
}

/// Moves what has an id below a node.
async fn place(http: &Client, project: &str, below: &str, id: u64) {
    send(
        http,
        Method::POST,
        &node(project, below),
        &json!({ "id": id }),
    )
    .await;
}

async fn rename_project(http: &Client, name: &str, new: &str) {
    let path = format!("/_apis/projects/{}", segment(name));
    let project = get(http, &path).await;
    let path = format!("/_apis/projects/{}", project["id"].as_str().unwrap());
    send(http, Method::PATCH, &path, &json!({ "name": new })).await;
}

/// A stored document of a work item, an area or an iteration.
fn document(snapshot: &Snapshot, item: &ItemRef) -> Value {
    let file = format!("{}.json", item.kind);
    serde_json::from_str(&snapshot.part_text(item, &file)).unwrap()
}

fn stored(snapshot: &Snapshot, item: &ItemRef, field: &str) -> String {
    let document = document(snapshot, item);
    document["fields"][field]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// An item that is filed under a path.
fn some_item(snapshot: &Snapshot, field: &str, path: &str) -> ItemRef {
    let mut items = snapshot.in_use(|kind| kind == "work-item").into_iter();
    items
        .find(|item| stored(snapshot, item, field) == path)
        .unwrap()
}

fn some_node(snapshot: &Snapshot, kind: &str, path: &str) -> ItemRef {
    let mut nodes = snapshot.of_kind(kind).into_iter();
    let node = nodes.find(|item| document(snapshot, item)["path"] == path);
    node.unwrap().clone()
}

/// The revision of a live item, and where it is.
async fn placed(http: &Client, id: &str) -> (u64, [String; 3]) {
    let item = get(http, &format!("/_apis/wit/workitems/{id}")).await;
    let places = PLACES.map(|field| item["fields"][field].as_str().unwrap().to_owned());
    (item["rev"].as_u64().unwrap(), places)
}

/// Where each of these items is.
async fn all_placed(http: &Client, items: &[ItemRef]) -> BTreeMap<String, (u64, [String; 3])> {
    let mut all = BTreeMap::new();
    for item in items {
        all.insert(item.id.clone(), placed(http, &item.id).await);
    }
    all
}

fn replacing() -> Journal {
    Journal {
        conflict: Conflict::Replace,
        ..Journal::at_origin()
    }
}

/// Moves an item of another project to the root of this one.
async fn move_over(http: &Client, first: &Snapshot) -> ItemRef {
    let moved = some_item(first, "System.TeamProject", "Adventure Works");
    let operations = PLACES
        .map(|field| json!({ "op": "add", "path": format!("/fields/{field}"), "value": FIBER }));
    patch(http, &moved.id, &json!(operations)).await;
    moved
}

async fn rename_all(http: &Client) {
    rename(http, FIBER, "Areas/North", "Nord").await;
    rename(http, FIBER, "Iterations/Sprint 2", "Sprint Zwei").await;
    rename_project(http, FIBER, "Fiber").await;
}

#[tokio::test]
async fn an_item_of_a_renamed_project_comes_back_where_it_was() {
    let (simulator, http, first) = backed_up(contoso(60)).await;
    let moved = move_over(&http, &first).await;
    let before = backup(&http, &first, &all_kinds()).await;
    rename_all(&http).await;
    // A rename makes no revision: the items still say the old names.
    let snapshot = backup(&http, &before, &all_kinds()).await;
    let items = [
        some_item(&snapshot, "System.AreaPath", &format!("{FIBER}\\North")),
        some_item(
            &snapshot,
            "System.IterationPath",
            &format!("{FIBER}\\Sprint 2"),
        ),
        moved,
    ];
    let mut wanted = Vec::new();
    for item in &items {
        wanted.push(placed(&http, &item.id).await.1);
        delete(
            &http,
            &format!("/_apis/wit/workitems/{}?destroy=true", item.id),
        )
        .await;
    }
    assert_eq!(wanted[0][1], "Fiber\\Nord");
    assert_eq!(wanted[1][2], "Fiber\\Sprint Zwei");
    let journal = Journal::at_origin();
    let report = restore(&http, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert!(
        !report
            .losses
            .iter()
            .any(|loss| loss.contains("not at the target")),
        "{report:?}"
    );
    for (item, wanted) in items.iter().zip(wanted) {
        assert_eq!(
            placed(&http, &journal.new_id(item)).await.1,
            wanted,
            "{item}"
        );
    }
    simulator.stop().await;
}

#[tokio::test]
async fn renamed_places_come_to_an_empty_organization_with_all_their_items() {
    let (simulator, http, first) = backed_up(contoso(60)).await;
    move_over(&http, &first).await;
    let before = backup(&http, &first, &all_kinds()).await;
    rename_all(&http).await;
    let snapshot = backup(&http, &before, &all_kinds()).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(without_code);
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    for item in items.iter().filter(|item| item.kind == "work-item") {
        let (_, wanted) = placed(&http, &item.id).await;
        let (_, there) = placed(&target, &journal.new_id(item)).await;
        assert_eq!(there, wanted, "{item}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn replacing_renamed_and_moved_nodes_gives_them_their_names_and_moves_no_item() {
    let (simulator, http, snapshot) = backed_up(contoso(60)).await;
    let islands = some_node(
        &snapshot,
        "area",
        &format!("\\{FIBER}\\Area\\South\\Islands"),
    );
    rename_all(&http).await;
    place(&http, "Fiber", "Areas/Nord", islands.id.parse().unwrap()).await;
    rename(&http, "Fiber", "Areas/Nord/Islands", "Inseln").await;
    let items = snapshot.in_use(without_code);
    let of_kind = |kind: &'static str| items.iter().filter(move |item| item.kind == kind).cloned();
    let work_items: Vec<ItemRef> = of_kind("work-item").collect();
    let live = all_placed(&http, &work_items).await;
    let report = restore(&http, &snapshot, &replacing(), &items)
        .await
        .unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    let after = all_placed(&http, &work_items).await;
    for item in &work_items {
        let wanted = PLACES.map(|field| stored(&snapshot, item, field));
        let revision = live[&item.id].0;
        assert_eq!(after[&item.id], (revision, wanted), "{item}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn replacing_items_alone_leaves_them_in_their_renamed_nodes() {
    let (simulator, http, snapshot) = backed_up(contoso(60)).await;
    rename_all(&http).await;
    let items = snapshot.in_use(|kind| kind == "work-item");
    let live = all_placed(&http, &items).await;
    let report = restore(&http, &snapshot, &replacing(), &items)
        .await
        .unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(all_placed(&http, &items).await, live);
    simulator.stop().await;
}

#[tokio::test]
async fn an_ancestor_is_not_written_over_the_place_of_a_live_item() {
    let (simulator, http, snapshot) = backed_up(contoso(60)).await;
    let area = some_node(&snapshot, "area", &format!("\\{FIBER}\\Area\\North"));
    let other = some_node(&snapshot, "area", &format!("\\{FIBER}\\Area\\South"));
    let item = some_item(&snapshot, "System.AreaPath", &format!("{FIBER}\\North"));
    let path = node(FIBER, "Areas/North");
    delete(&http, &format!("{path}?$reclassifyId={}", other.id)).await;
    let items = [item.clone()];
    let report = restore(&http, &snapshot, &replacing(), &items)
        .await
        .unwrap();
    assert_eq!(
        placed(&http, &item.id).await.1[1],
        format!("{FIBER}\\South")
    );
    let told = |loss: &String| loss.contains("the item stays in Fabrikam Fiber\\South");
    assert!(report.losses.iter().any(told), "{report:?}");
    // With its area it goes back.
    let items = [area, item.clone()];
    let report = restore(&http, &snapshot, &replacing(), &items)
        .await
        .unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(
        placed(&http, &item.id).await.1[1],
        format!("{FIBER}\\North")
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_node_comes_back_below_its_renamed_parent() {
    let (simulator, http, snapshot) = backed_up(contoso(60)).await;
    let islands = some_node(
        &snapshot,
        "area",
        &format!("\\{FIBER}\\Area\\South\\Islands"),
    );
    let item = some_item(
        &snapshot,
        "System.AreaPath",
        &format!("{FIBER}\\South\\Islands"),
    );
    let north = some_node(&snapshot, "area", &format!("\\{FIBER}\\Area\\North"));
    let path = node(FIBER, "Areas/South/Islands");
    delete(&http, &format!("{path}?$reclassifyId={}", north.id)).await;
    rename(&http, FIBER, "Areas/South", "Süd").await;
    let items = [islands, item.clone()];
    let report = restore(&http, &snapshot, &replacing(), &items)
        .await
        .unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let made = |loss: &String| loss.contains("was not restored on its own");
    assert!(!report.losses.iter().any(made), "{report:?}");
    assert_eq!(
        placed(&http, &item.id).await.1[1],
        format!("{FIBER}\\Süd\\Islands")
    );
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_whose_project_is_not_there_goes_to_no_other() {
    let (simulator, http, first) = backed_up(contoso(60)).await;
    let moved = move_over(&http, &first).await;
    let snapshot = backup(&http, &first, &all_kinds()).await;
    let target = empty(&simulator, "empty").await;
    let mut projects = snapshot.of_kind("project").into_iter();
    let project = projects
        .find(|item| snapshot.names[*item] == "Adventure Works")
        .unwrap();
    let items = [project.clone(), moved];
    let report = restore(&target, &snapshot, &Journal::default(), &items)
        .await
        .unwrap();
    let told = "its project Fabrikam Fiber is not at the target";
    assert!(report.failed[0].contains(told), "{report:?}");
    let there = state(&http, "empty").await;
    assert_eq!(there["workItems"], json!([]));
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_may_be_hidden_in_a_renamed_area_is_not_made_again() {
    let (simulator, http, before) = backed_up(contoso(60)).await;
    rename(&http, FIBER, "Areas/North", "Nord").await;
    let snapshot = backup(&http, &before, &all_kinds()).await;
    let root = some_node(&snapshot, "area", &format!("\\{FIBER}\\Area"));
    let area = some_node(&snapshot, "area", &format!("\\{FIBER}\\Area\\Nord"));
    let item = some_item(&snapshot, "System.AreaPath", &format!("{FIBER}\\North"));
    let [root, area] = [root, area].map(|node| {
        let identifier = document(&snapshot, &node)["identifier"].clone();
        format!(
            "vstfs:///Classification/Node/{}",
            identifier.as_str().unwrap()
        )
    });
    let denied = json!({ "namespace": CSS, "token": format!("{root}:{area}") });
    post(&http, "/__access", &json!({ "deny": denied })).await;
    let items = [item];
    let refused = restore(&http, &snapshot, &Journal::at_origin(), &items).await;
    assert_eq!(refused.unwrap_err().code, "permission-missing");
    simulator.stop().await;
}

#[tokio::test]
async fn work_items_have_the_new_name_of_their_project_from_the_second_backup_on() {
    let (simulator, http, first) = backed_up(contoso(30)).await;
    let second = backup(&http, &first, &all_kinds()).await;
    rename_project(&http, FIBER, "Fiber").await;
    let third = backup(&http, &second, &all_kinds()).await;
    let named = |snapshot: &Snapshot, name: &str| -> Vec<ItemRef> {
        let mut items = snapshot.in_use(|kind| kind == "work-item");
        items.retain(|item| stored(snapshot, item, "System.TeamProject") == name);
        items
    };
    let (before, others) = (named(&third, FIBER), named(&third, "Adventure Works"));
    assert!(!before.is_empty() && !others.is_empty());
    let fourth = backup(&http, &third, &all_kinds()).await;
    assert_eq!(codes(&fourth.issues), [""; 0]);
    assert_eq!(named(&fourth, "Fiber"), before);
    assert_eq!(named(&fourth, "Adventure Works"), others);
    // Nothing else of them is another, and nothing is read once more.
    let revisions = |snapshot: &Snapshot| -> Vec<String> {
        let items = before.iter();
        let read = |item| snapshot.part_text(item, "revisions.ndjson");
        items.map(read).collect()
    };
    assert_eq!(revisions(&fourth), revisions(&third));
    let sent = http.usage().requests;
    let fifth = backup(&http, &fourth, &all_kinds()).await;
    let quiet = http.usage().requests - sent;
    assert_eq!(fifth.content(), fourth.content());
    let sent = http.usage().requests;
    backup(&http, &fifth, &all_kinds()).await;
    assert_eq!(http.usage().requests - sent, quiet);
    simulator.stop().await;
}

#[tokio::test]
async fn what_lies_in_renamed_and_moved_nodes_still_refers_to_what_the_snapshot_has() {
    let (simulator, http, first) = backed_up(contoso(60)).await;
    let islands = some_node(&first, "area", &format!("\\{FIBER}\\Area\\South\\Islands"));
    rename_all(&http).await;
    place(&http, "Fiber", "Areas/Nord", islands.id.parse().unwrap()).await;
    let snapshot = backup(&http, &first, &all_kinds()).await;
    let work = tempfile::tempdir().unwrap();
    let cx = service::Inspect {
        stored: &snapshot,
        source: simulator.organization(),
        work: work.path(),
    };
    let (mut there, mut places) = (BTreeSet::new(), BTreeSet::new());
    let kinds = ["project", "area", "iteration", "work-item"];
    for item in snapshot.items.keys() {
        let Some(kind) = kinds.iter().find(|kind| item.kind == **kind) else {
            continue;
        };
        there.insert((*kind, item.id.to_lowercase()));
        let text = snapshot.part_text(item, &format!("{kind}.json"));
        let spec = AZURE_DEVOPS.kind(kind).unwrap();
        let found = spec.inspect(&cx, item, text.as_bytes()).await.unwrap();
        let words = found.aliases.iter().map(|word| word.to_lowercase());
        there.extend(words.map(|word| (*kind, word)));
        let named = found.references.into_iter();
        let named = named.filter(|reference| reference.tie == Tie::Name);
        places.extend(named.map(|reference| (reference.kind, reference.to.to_lowercase())));
    }
    let unclear: Vec<_> = places.difference(&there).collect();
    assert!(places.len() > 3 && unclear.is_empty(), "{unclear:?}");
    simulator.stop().await;
}
