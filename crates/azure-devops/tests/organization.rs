//! A whole organization against the simulator: backed up, changed, backed up again, restored.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use model::ItemRef;
use serde_json::{Value, json};
use service::FoundState;
use service::http::Method;
use simulator::Seed;
use support::{
    Journal, Snapshot, all_kinds, backup, client, codes, found, get, owner, post, restore, start,
};

/// What `/__state` holds of an organization.
async fn state(http: &service::Client, organization: &str) -> Value {
    get(http, &format!("/__state?organization={organization}")).await
}

#[tokio::test]
async fn a_backup_holds_everything_and_a_second_one_asks_for_next_to_nothing() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    assert_eq!(codes(&first.issues), Vec::<String>::new());
    let inventory = get(
        &http,
        &format!("/__inventory?organization={}", simulator.organization()),
    )
    .await;
    for (kind, member) in [
        ("work-item", "workItems"),
        ("team", "teams"),
        ("wiki", "wikis"),
        ("project", "projects"),
    ] {
        assert_eq!(
            first.of_kind(kind).len() as u64,
            inventory[member].as_u64().unwrap(),
            "{kind} {inventory}"
        );
    }
    let attachments: BTreeSet<&str> = first
        .items
        .values()
        .flat_map(|parts| {
            parts
                .keys()
                .filter_map(|part| part.strip_prefix("attachments/"))
        })
        .collect();
    assert_eq!(
        attachments.len() as u64,
        inventory["attachments"].as_u64().unwrap()
    );
    let revisions: usize = first
        .of_kind("work-item")
        .iter()
        .map(|item| first.part_text(item, "revisions.ndjson").lines().count())
        .sum();
    assert_eq!(revisions as u64, inventory["revisions"].as_u64().unwrap());

    let quiet = owner(&simulator);
    let second = backup(&quiet, &first, &all_kinds()).await;
    assert_eq!(first.content(), second.content());
    let usage = quiet.usage();
    assert_eq!(usage.by_kind["work-item"].0, 3, "{:?}", usage.by_kind);
    assert_eq!(usage.by_kind["wiki"].0, 1);
    assert_eq!(usage.by_kind["project"].0, 1);
    assert_eq!(
        usage.by_kind["area"].0,
        first.of_kind("project").len() as u64
    );
    assert_eq!(
        usage.by_kind["team"].0,
        1 + first.of_kind("team").len() as u64
    );
    assert_eq!(
        usage.by_kind["git-repository"].0,
        1 + first.of_kind("git-repository").len() as u64
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_full_backup_of_work_items_stays_at_the_floor() {
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 300,
    })
    .await;
    let http = owner(&simulator);
    backup(&http, &Snapshot::default(), &all_kinds()).await;
    let inventory = get(
        &http,
        &format!("/__inventory?organization={}", simulator.organization()),
    )
    .await;
    let number = |name: &str| inventory[name].as_u64().unwrap();
    let page = |name: &str| inventory["pageSizes"][name].as_u64().unwrap();
    let floor = number("revisions").div_ceil(page("revisions"))
        + number("links").div_ceil(page("links")).max(1)
        + number("workItems").div_ceil(page("workItemsBatch"))
        + number("commentedItems")
        + number("attachments");
    let usage = http.usage();
    let spent: u64 = ["work-item", "comment", "attachment"]
        .iter()
        .filter_map(|kind| usage.by_kind.get(kind))
        .map(|(requests, _)| requests)
        .sum();

    // One for the place in the stream of discussions, one for the recycle bin.
    assert!(
        spent <= floor + 2,
        "{spent} requests, floor {floor}: {:?}",
        usage.by_kind
    );
    simulator.stop().await;
}

/// Only the newest revision of an item has no end yet; one that was newest when it was read says so for ever.
fn unrevised(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::new();
    for (at, piece) in text.split("\"System.RevisedDate\":\"").enumerate() {
        out.push_str(if at == 0 {
            piece
        } else {
            piece.split_once('"').map_or(piece, |(_, rest)| rest)
        });
    }
    out
}

/// A repository of the organization with refs, as the service lists it.
async fn some_repository(http: &service::Client) -> Value {
    let listed: Value = http
        .get("dev", "/_apis/git/repositories")
        .version("7.1")
        .send()
        .await
        .unwrap()
        .json()
        .unwrap();
    let repositories = listed["value"].as_array().unwrap();
    repositories
        .iter()
        .find(|repository| repository["defaultBranch"].is_string())
        .unwrap()
        .clone()
}

fn repository_item(repository: &Value) -> ItemRef {
    ItemRef::new("git-repository", "", repository["id"].as_str().unwrap())
}

#[tokio::test]
async fn repositories_that_are_disabled_or_in_maintenance_are_told_and_carried_over() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let selection = BTreeSet::from(["git-repository".to_owned()]);
    let before = backup(&http, &Snapshot::default(), &selection).await;
    let repository = some_repository(&http).await;
    let item = repository_item(&repository);
    let path = format!(
        "/{}/_apis/git/repositories/{}",
        repository["project"]["id"].as_str().unwrap(),
        item.id
    );
    let disable = async |disabled: bool| {
        let call = http.call(Method::PATCH, "dev", &path).version("7.1");
        let call = call.json(&json!({ "isDisabled": disabled }));
        call.send().await.unwrap();
    };
    let maintain = async |busy: bool| {
        let body = json!({"repository": item.id, "isInMaintenance": busy});
        post(&http, "/__repositories", &body).await;
    };
    disable(true).await;
    let disabled = backup(&http, &before, &selection).await;
    assert_eq!(
        codes(&disabled.issues),
        ["git-repository-disabled git-repository"]
    );
    disable(false).await;
    maintain(true).await;
    let busy = backup(&http, &disabled, &selection).await;
    assert_eq!(
        codes(&busy.issues),
        ["git-repository-maintenance git-repository"]
    );
    for issue in disabled.issues.iter().chain(&busy.issues) {
        assert_eq!(issue.item.as_ref(), Some(&item));
    }
    maintain(false).await;
    let after = backup(&http, &busy, &selection).await;
    assert_eq!(codes(&after.issues), [""; 0]);
    for snapshot in [&disabled, &busy, &after] {
        assert_eq!(snapshot.items[&item], before.items[&item]);
    }
    simulator.stop().await;
}

#[tokio::test]
async fn all_refs_are_read_where_refs_are_limited_and_at_no_more_requests() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let selection = BTreeSet::from(["git-repository".to_owned()]);
    let repository = some_repository(&http).await;
    let item = repository_item(&repository);
    let state = state(&http, simulator.organization()).await;
    let told = state["repositories"].as_array().unwrap().iter();
    let told = told
        .clone()
        .find(|told| told["id"] == repository["id"])
        .unwrap();
    let bare = told["repositoryPath"].as_str().unwrap();
    // Made on the disk, it is nobody's.
    let branch = repository["defaultBranch"].as_str().unwrap();
    let made = std::process::Command::new("git")
        .args([
            "-C",
            bare,
            "update-ref",
            "refs/heads/of-somebody-else",
            branch,
        ])
        .status();
    assert!(made.unwrap().success());
    let spent = || http.usage().requests;
    let start = spent();
    let open = backup(&http, &Snapshot::default(), &selection).await;
    let usual = spent() - start;
    post(
        &http,
        "/__repositories",
        &json!({"repository": item.id, "limitedRefs": true}),
    )
    .await;
    let start = spent();
    let limited = backup(&http, &Snapshot::default(), &selection).await;
    assert_eq!(spent() - start, usual);
    let refs = limited.part_text(&item, "packed-refs");
    assert!(refs.contains("refs/heads/of-somebody-else"), "{refs}");
    assert_eq!(refs, open.part_text(&item, "packed-refs"));
    simulator.stop().await;
}

#[tokio::test]
async fn chained_increments_equal_one_full_crawl() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let selection = all_kinds();
    let mut chained = backup(&http, &Snapshot::default(), &selection).await;
    let items: Vec<String> = chained
        .of_kind("work-item")
        .iter()
        .map(|item| item.id.clone())
        .collect();
    let patch = |id: &str, body: Value| {
        let call = http
            .call(Method::PATCH, "dev", &format!("/_apis/wit/workitems/{id}"))
            .version("7.1");
        call.body("application/json-patch+json", body.to_string())
    };
    patch(
        &items[0],
        json!([{"op":"add","path":"/fields/System.Title","value":"Geändert"}]),
    )
    .send()
    .await
    .unwrap();
    patch(
        &items[1],
        json!([{"op":"add","path":"/fields/System.History","value":"A comment"}]),
    )
    .send()
    .await
    .unwrap();
    http.call(
        Method::DELETE,
        "dev",
        &format!("/_apis/wit/workitems/{}", items[2]),
    )
    .version("7.1")
    .send()
    .await
    .unwrap();
    chained = backup(&http, &chained, &selection).await;
    let gone = ItemRef::new("work-item", "", &items[2]);
    assert!(chained.items[&gone].contains_key("recycle-bin.json"));
    assert!(
        chained
            .part_text(&ItemRef::new("work-item", "", &items[1]), "comments.ndjson")
            .contains("A comment")
    );

    let undelete = http
        .call(
            Method::PATCH,
            "dev",
            &format!("/_apis/wit/recyclebin/{}", items[2]),
        )
        .version("7.1");
    undelete
        .json(&json!({ "isDeleted": false }))
        .send()
        .await
        .unwrap();
    http.call(
        Method::DELETE,
        "dev",
        &format!("/_apis/wit/workitems/{}", items[3]),
    )
    .version("7.1")
    .send()
    .await
    .unwrap();
    chained = backup(&http, &chained, &selection).await;
    assert!(!chained.items[&gone].contains_key("recycle-bin.json"));

    let full = backup(&http, &Snapshot::default(), &selection).await;
    let deleted = ItemRef::new("work-item", "", &items[3]);
    for (item, parts) in full.content() {
        for (part, bytes) in parts {
            // A deleted item keeps the document that it last had; only its revisions say more to someone who never saw it alive.
            if *item == deleted && part == "work-item.json" {
                continue;
            }
            let before = chained.items[item].get(part).map(|bytes| unrevised(bytes));
            assert_eq!(before, Some(unrevised(bytes)), "{item} {part}");
        }
    }
    assert_eq!(
        full.items.keys().collect::<Vec<_>>(),
        chained.items.keys().collect::<Vec<_>>()
    );
    simulator.stop().await;
}

#[tokio::test]
async fn an_expired_cursor_gives_the_same_snapshot() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let mut expired = first.clone();
    for cursor in expired.cursors.values_mut() {
        let mut position: Value = serde_json::from_str(cursor).unwrap();
        position["revisions"] = json!("999999;999999;1");
        *cursor = position.to_string();
    }
    let again = backup(&http, &expired, &all_kinds()).await;
    assert_eq!(first.content(), again.content());
    assert_eq!(first.cursors, again.cursors);
    simulator.stop().await;
}

#[tokio::test]
async fn an_organization_comes_back_in_an_empty_one() {
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 300,
    })
    .await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let pat = simulator.add_organization("empty").await;
    let target = client(&simulator, "empty", &pat);
    let journal = Journal::default();
    let items: Vec<ItemRef> = snapshot
        .items
        .iter()
        .filter(|(_, parts)| !parts.contains_key("recycle-bin.json"))
        .map(|(item, _)| item.clone())
        .collect();
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
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let pat = simulator.add_organization("empty").await;
    let target = client(&simulator, "empty", &pat);
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
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 60,
    })
    .await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let binned = |item: &ItemRef| snapshot.items[item].contains_key("recycle-bin.json");
    let items: Vec<ItemRef> = snapshot
        .items
        .keys()
        .filter(|item| item.kind != "git-repository" && item.kind != "wiki" && !binned(item))
        .cloned()
        .collect();
    let pat = simulator.add_organization("straight").await;
    let target = client(&simulator, "straight", &pat);
    let journal = Journal::default();
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    let straight = state(&http, "straight").await;
    restore(&target, &snapshot, &journal, &items).await.unwrap();
    let again = state(&http, "straight").await;
    for list in ["workItems", "attachments"] {
        assert_eq!(straight[list], again[list], "{list}");
    }

    let pat = simulator.add_organization("killed").await;
    let target = client(&simulator, "killed", &pat);
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
async fn a_project_wiki_that_came_with_its_repository_is_not_somebody_elses() {
    let simulator = start(Seed::Contoso {
        history: None,
        work_items: 10,
    })
    .await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let of = |kinds: &[&str]| -> Vec<ItemRef> {
        let items = snapshot.items.keys();
        items
            .filter(|item| kinds.contains(&item.kind.as_str()))
            .cloned()
            .collect()
    };
    let pat = simulator.add_organization("empty").await;
    let target = client(&simulator, "empty", &pat);
    let journal = Journal::default();
    let wikis = of(&["wiki"]);
    assert_eq!(
        found(&target, &snapshot, &journal, &wikis).await,
        vec![None; wikis.len()]
    );
    restore(
        &target,
        &snapshot,
        &journal,
        &of(&["project", "git-repository"]),
    )
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
    let mut journal = Journal::default();
    journal.ids.original = true;
    let there = found(&http, &snapshot, &journal, &wikis).await;
    assert_eq!(there, vec![Some(FoundState::Present); wikis.len()]);
    simulator.stop().await;
}

#[tokio::test]
async fn deleted_things_come_back_at_the_original_place() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    let snapshot = backup(&http, &Snapshot::default(), &all_kinds()).await;
    let items: Vec<ItemRef> = snapshot.of_kind("work-item").into_iter().cloned().collect();
    http.call(
        Method::DELETE,
        "dev",
        &format!("/_apis/wit/workitems/{}", items[0].id),
    )
    .version("7.1")
    .send()
    .await
    .unwrap();
    let destroyed = http
        .call(
            Method::DELETE,
            "dev",
            &format!("/_apis/wit/workitems/{}", items[5].id),
        )
        .version("7.1");
    destroyed.query("destroy", "true").send().await.unwrap();
    let mut journal = Journal::default();
    journal.ids.original = true;
    let report = restore(&http, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    let known = journal.ids.known.lock().unwrap().clone();
    let new = |item: &ItemRef| known[&("work-item".to_owned(), item.id.clone())].clone();
    assert_eq!(
        new(&items[0]),
        items[0].id,
        "an undeleted item keeps its number"
    );
    assert_ne!(new(&items[5]), items[5].id, "a destroyed one gets another");
    simulator.stop().await;
}

#[tokio::test]
async fn a_missing_scope_is_named_with_what_it_costs() {
    let simulator = start(Seed::Small).await;
    let pat = simulator
        .add_pat(simulator.organization(), &["vso.project", "vso.work"])
        .await;
    let http = client(&simulator, simulator.organization(), &pat);
    let checks = azure_devops::AZURE_DEVOPS
        .preflight
        .check(&http, simulator.organization())
        .await;
    let outcome = |name: &str| {
        checks
            .iter()
            .find(|check| check.name == name)
            .map(|check| (check.outcome, check.code))
    };
    assert_eq!(
        outcome("credential"),
        Some((service::CheckOutcome::Pass, None)),
        "{checks:#?}"
    );
    assert_eq!(
        outcome("work-item"),
        Some((service::CheckOutcome::Pass, None)),
        "{checks:#?}"
    );
    assert_eq!(
        outcome("git-repository"),
        Some((service::CheckOutcome::Missing, Some("permission-missing"))),
        "{checks:#?}"
    );
    let hint = checks
        .iter()
        .find(|check| check.name == "git-repository")
        .and_then(|check| check.hint.clone())
        .unwrap();
    assert!(hint.contains("vso.code"), "{hint}");

    let wrong = client(&simulator, simulator.organization(), "not-a-token");
    let checks = azure_devops::AZURE_DEVOPS
        .preflight
        .check(&wrong, simulator.organization())
        .await;
    assert_eq!(
        checks.last().and_then(|check| check.code),
        Some("credential-refused"),
        "{checks:#?}"
    );
    simulator.stop().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_an_issue_and_is_read_next_time() {
    let simulator = start(Seed::Small).await;
    let http = owner(&simulator);
    post(
        &http,
        "/__faults",
        &json!({ "path": "*/_apis/wit/attachments/*", "fault": "403", "count": 1 }),
    )
    .await;
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    assert_eq!(codes(&first.issues), ["attachment-missing attachment"]);
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(codes(&second.issues), Vec::<String>::new());
    let whole = backup(&http, &Snapshot::default(), &all_kinds()).await;
    for (item, parts) in whole.content() {
        for (part, bytes) in parts {
            assert_eq!(second.items[item].get(part), Some(bytes), "{item} {part}");
        }
    }
    simulator.stop().await;
}
