//! A whole organization comes back, in an empty one or where it was.

use std::collections::BTreeMap;

use model::ItemRef;
use serde_json::{Value, json};
use service::FoundState;
use simulator::Seed;

use crate::support::{
    Journal, all_kinds, backed_up, backup, contoso, delete, edit, empty, found, heal, patch, post,
    restore, state, without_code,
};

#[tokio::test]
async fn an_organization_comes_back_in_an_empty_one() {
    let (simulator, http, snapshot) = backed_up(contoso(300)).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(|_| true);
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(report.done, items.len());

    let before = state(&http, simulator.organization()).await;
    let after = state(&http, "empty").await;
    let count = |state: &Value, list: &str| state[list].as_array().map_or(0, Vec::len);
    for list in ["projects", "workItems"] {
        assert_eq!(count(&before, list), count(&after, list), "{list}");
    }
    assert!(same_histories(&before, &after) > 100);
    simulator.stop().await;
}

/// The service adds tags to those that are there: only a replacement takes some away.
#[tokio::test]
async fn tags_that_were_taken_away_do_not_come_back() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let item = first.in_use(|kind| kind == "work-item")[0].clone();
    edit(&http, &item.id, "System.Tags", "kept; dropped").await;
    let only = json!([{ "op": "replace", "path": "/fields/System.Tags", "value": "kept" }]);
    patch(&http, &item.id, &only).await;
    let snapshot = backup(&http, &first, &all_kinds()).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(without_code);
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
    let path = format!("/_apis/wit/workitems/{}", journal.new_id(&item));
    let there = target.get("dev", &path).version("7.1").send().await;
    let there: Value = there.unwrap().json().unwrap();
    assert_eq!(there["fields"]["System.Tags"], "kept");
    simulator.stop().await;
}

/// Compares all revisions of the items whose discussion was never edited; says how many those are.
fn same_histories(before: &Value, after: &Value) -> usize {
    let key = |item: &Value| {
        format!(
            "{} {}",
            item["createdDate"], item["revisions"][0]["fields"]["System.Title"]
        )
    };
    let plain = |comment: &Value| {
        comment["versions"]
            .as_array()
            .is_some_and(|versions| versions.len() == 1)
            && comment["format"] == "html"
    };
    let fields = |item: &Value| -> Vec<Value> {
        let text = item["revisions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|revision| without_ids(&revision["fields"].to_string()));
        text.map(|text| serde_json::from_str(&text).unwrap())
            .collect()
    };
    let mut compared = 0;
    for item in before["workItems"].as_array().unwrap() {
        if !item["comments"].as_array().unwrap().iter().all(plain) {
            continue;
        }
        let twin = after["workItems"]
            .as_array()
            .unwrap()
            .iter()
            .find(|twin| key(twin) == key(item))
            .unwrap();
        assert_eq!(fields(item), fields(twin), "work item {}", item["id"]);
        compared += 1;
    }
    compared
}

/// Addresses of attachments carry ids that differ.
fn without_ids(text: &str) -> String {
    let mut pieces = text.split("/_apis/wit/attachments/");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.truncate(out.rfind("http").unwrap_or(out.len()));
        out.push_str(piece.get(36..).unwrap_or_default());
    }
    out
}

#[tokio::test]
async fn a_restore_that_was_killed_goes_on_without_doubling() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items: Vec<ItemRef> = snapshot
        .items
        .keys()
        .filter(|item| item.kind != "git-repository" && item.kind != "wiki")
        .cloned()
        .collect();
    let mut runs = 0;
    let report = loop {
        *journal.dies_after.lock().unwrap() = Some(5);
        match restore(&target, &snapshot, &journal, &items).await {
            Ok(report) => break report,
            Err(error) => assert_eq!(error.message, "killed"),
        }
        runs += 1;
        assert!(runs < 40, "it never ends");
    };
    assert!(runs > 2, "it was never killed");
    assert_eq!(report.failed, Vec::<String>::new());
    let differences: Vec<&String> = report
        .differences
        .iter()
        .filter(|difference| !difference.contains("missing"))
        .collect();
    assert_eq!(differences, Vec::<&String>::new());
    let after = state(&http, "empty").await;
    assert_eq!(
        after["workItems"].as_array().unwrap().len(),
        snapshot.of_kind("work-item").len()
    );
    simulator.stop().await;
}

#[tokio::test]
async fn discussions_are_written_once_however_often_the_restore_goes_on() {
    let (simulator, http, snapshot) = backed_up(contoso(60)).await;
    let items = snapshot.in_use(without_code);
    let target = empty(&simulator, "straight").await;
    let journal = Journal::default();
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    let straight = state(&http, "straight").await;
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    let again = state(&http, "straight").await;
    for list in ["workItems", "attachments"] {
        assert_eq!(straight[list], again[list], "{list}");
    }

    let target = empty(&simulator, "killed").await;
    let journal = Journal::default();
    for run in 0.. {
        assert!(run < 100, "it never ends");
        *journal.dies_after.lock().unwrap() = Some(23);
        match restore(&target, &snapshot, &journal, &items).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.message, "killed"),
        }
    }
    let killed = state(&http, "killed").await;
    assert_eq!(revisions(&straight), revisions(&killed));
    simulator.stop().await;
}

/// How many revisions and which versions of comments each item has, by date and title.
fn revisions(state: &Value) -> BTreeMap<String, (usize, Vec<usize>)> {
    let count = |value: &Value| value.as_array().map_or(0, Vec::len);
    let items = state["workItems"].as_array().unwrap().iter().map(|item| {
        let comments = item["comments"].as_array().unwrap();
        let versions = comments.iter().map(|comment| count(&comment["versions"]));
        let name = format!(
            "{} {}",
            item["createdDate"], item["revisions"][0]["fields"]["System.Title"]
        );
        (name, (count(&item["revisions"]), versions.collect()))
    });
    items.collect()
}

#[tokio::test]
async fn the_pages_of_a_wiki_come_when_the_restore_goes_on() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let of_project = |item: &ItemRef| {
        let document = snapshot.part_text(item, "wiki.json");
        document.contains("projectWiki")
    };
    let mut items = snapshot.in_use(|kind| ["project", "wiki"].contains(&kind));
    items.retain(|item| item.kind == "project" || of_project(item));
    let push = json!({ "path": "/empty/*git-receive-pack*", "fault": "drop-before" });
    post(&http, "/__faults", &push).await;
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed.len(), 1, "{report:?}");
    heal(&http).await;
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    simulator.stop().await;
}

#[tokio::test]
async fn a_project_wiki_that_came_with_its_repository_is_not_somebody_elses() {
    let (simulator, http, snapshot) = backed_up(contoso(10)).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let wikis = snapshot.in_use(|kind| kind == "wiki");
    assert_eq!(
        found(&target, &snapshot, &journal, &wikis).await,
        vec![None; wikis.len()]
    );
    let before = snapshot.in_use(|kind| ["project", "git-repository"].contains(&kind));
    restore(&target, &snapshot, &journal, &before)
        .await
        .unwrap();
    for (item, state) in wikis
        .iter()
        .zip(found(&target, &snapshot, &journal, &wikis).await)
    {
        let project_wiki = snapshot
            .part_text(item, "wiki.json")
            .contains("projectWiki");
        assert_eq!(
            state,
            project_wiki.then_some(FoundState::Automatic),
            "{item}"
        );
    }
    // At its own place it is what it was.
    let journal = Journal::at_origin();
    let there = found(&http, &snapshot, &journal, &wikis).await;
    assert_eq!(there, vec![Some(FoundState::Present); wikis.len()]);
    simulator.stop().await;
}

#[tokio::test]
async fn deleted_things_come_back_at_the_original_place() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let items: Vec<ItemRef> = snapshot.of_kind("work-item").into_iter().cloned().collect();
    delete(&http, &format!("/_apis/wit/workitems/{}", items[0].id)).await;
    let destroyed = format!("/_apis/wit/workitems/{}?destroy=true", items[5].id);
    delete(&http, &destroyed).await;
    let journal = Journal::at_origin();
    let report = restore(&http, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let new = |at: usize| journal.new_id(&items[at]);
    assert_eq!(new(0), items[0].id, "an undeleted item keeps its number");
    assert_ne!(new(5), items[5].id, "a destroyed one gets another");
    simulator.stop().await;
}

#[tokio::test]
async fn a_deleted_project_comes_back_where_it_was_with_all_that_it_had() {
    let (simulator, http, snapshot) = backed_up(contoso(40)).await;
    let before = state(&http, simulator.organization()).await;
    let project = snapshot.of_kind("project")[0].clone();
    delete(&http, &format!("/_apis/projects/{}", project.id)).await;
    let journal = Journal::at_origin();
    let one = std::slice::from_ref(&project);
    assert_eq!(
        found(&http, &snapshot, &journal, one).await,
        [Some(FoundState::Deleted)]
    );

    let items = snapshot.in_use(|_| true);
    let report = restore(&http, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    let after = state(&http, simulator.organization()).await;
    assert_eq!(before["workItems"], after["workItems"]);
    simulator.stop().await;
}

#[tokio::test]
async fn the_name_of_a_deleted_project_is_taken() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let project = snapshot.of_kind("project")[0].clone();
    delete(&http, &format!("/_apis/projects/{}", project.id)).await;
    // As for another organization, where nothing is taken out of the recycle bin.
    let report = restore(&http, &snapshot, &Journal::default(), &[project])
        .await
        .unwrap();
    let [failed] = &report.failed[..] else {
        panic!("{report:?}");
    };
    assert!(
        failed.contains("restore-conflict") && failed.contains("recycle bin"),
        "{failed}"
    );
    simulator.stop().await;
}
