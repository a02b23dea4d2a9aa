//! Restores onto what is there, and restores that others write into.

use model::{Conflict, ItemRef};
use serde_json::{Value, json};
use service::http::Method;
use simulator::Seed;

use crate::support::{Journal, backed_up, contoso, edit, empty, restore, without_code};

#[tokio::test]
async fn replacing_a_project_wiki_brings_its_pages_back() {
    let (simulator, http, snapshot) = backed_up(Seed::Small).await;
    let wikis = snapshot.of_kind("wiki").into_iter();
    let mut wikis = wikis.map(|item| {
        let text = snapshot.part_text(item, "wiki.json");
        (item.clone(), serde_json::from_str::<Value>(&text).unwrap())
    });
    let (item, wiki) = wikis
        .find(|(_, wiki)| wiki["type"] == "projectWiki")
        .unwrap();
    let project = wiki["projectId"].as_str().unwrap();
    let pages = format!("/{project}/_apis/wiki/wikis/{}/pages", item.id);
    let list = async || {
        let call = http.get("dev", &pages).version("7.1").query("path", "/");
        let tree = call.query("recursionLevel", "full").send().await.unwrap();
        tree.json::<Value>().unwrap()["subPages"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let before = list().await;
    let call = http.call(Method::DELETE, "dev", &pages).version("7.1");
    let path = before[0]["path"].as_str().unwrap();
    call.query("path", path).send().await.unwrap();
    assert_ne!(list().await.len(), before.len());
    let journal = Journal {
        conflict: Conflict::Replace,
        ..Journal::at_origin()
    };
    let report = restore(&http, &snapshot, &journal, &[item]).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(list().await.len(), before.len());
    simulator.stop().await;
}

#[tokio::test]
async fn an_edit_by_others_while_a_history_is_written_leaves_nothing_out() {
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let containers = snapshot.in_use(|kind| ["project", "area", "iteration"].contains(&kind));
    restore(&target, &snapshot, &journal, &containers)
        .await
        .unwrap();
    let revisions = |item: &ItemRef| snapshot.part_text(item, "revisions.ndjson").lines().count();
    let quiet = |item: &&&ItemRef| snapshot.part_text(item, "comments.ndjson").is_empty();
    let items = snapshot.of_kind("work-item");
    let item = items
        .iter()
        .filter(quiet)
        .max_by_key(|item| revisions(item))
        .unwrap();
    let count = revisions(item);
    assert!(count >= 3, "{count}");
    let one = [(*item).clone()];
    // Made, and a revision that is written and not noted; one is still to come.
    *journal.dies_after.lock().unwrap() = Some(count - 2);
    let killed = restore(&target, &snapshot, &journal, &one)
        .await
        .unwrap_err();
    assert_eq!(killed.message, "killed");
    *journal.dies_after.lock().unwrap() = None;
    let new = journal.new_id(item);
    let edited = edit(&target, &new, "System.Tags", "by others").await;
    let foreign = edited["rev"].as_u64().unwrap();
    let report = restore(&target, &snapshot, &journal, &one).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let told = |loss: &String| loss.contains("was changed at the target while it was restored");
    assert!(report.losses.iter().any(told), "{:?}", report.losses);
    assert_eq!(foreign as usize, count);
    // What the last revision changed is there, though not as a revision of its own.
    let of_history = |difference: &String| {
        ["`: revisions:", "`: System.ChangedDate:"]
            .iter()
            .any(|what| difference.contains(what))
    };
    assert!(
        report.differences.iter().all(of_history),
        "{:?}",
        report.differences
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_comment_since_the_restore_is_a_difference() {
    let (simulator, _, snapshot) = backed_up(contoso(60)).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let items = snapshot.in_use(without_code);
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    // One whose number of revisions says nothing: its comments were edited.
    let edited = |item: &&ItemRef| {
        snapshot
            .part_text(item, "comments.ndjson")
            .contains("\"version\":2")
    };
    let items = items.iter().filter(|item| item.kind == "work-item");
    let item = items.clone().find(edited).unwrap();
    let text = snapshot.part_text(item, "work-item.json");
    let document: Value = serde_json::from_str(&text).unwrap();
    let project = document["fields"]["System.TeamProject"].as_str().unwrap();
    let new = journal.new_id(item);
    let path = format!("/{project}/_apis/wit/workItems/{new}/comments");
    let call = target
        .call(Method::POST, "dev", &path)
        .version("7.1-preview.4");
    call.json(&json!({ "text": "seen it" }))
        .send()
        .await
        .unwrap();
    let one = [item.clone()];
    let again = restore(&target, &snapshot, &journal, &one).await.unwrap();
    let [difference] = &again.differences[..] else {
        panic!("{again:?}");
    };
    assert!(difference.contains("comments: "), "{difference}");
    simulator.stop().await;
}
