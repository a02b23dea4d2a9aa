//! A whole organization, backed up, changed and backed up again.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::http::Method;
use simulator::Seed;

use crate::support::{
    Snapshot, all_kinds, backed_up, backup, client, codes, contoso, delete, edit, get, owner, post,
    start,
};

#[tokio::test]
async fn a_backup_holds_everything_and_a_second_one_asks_for_next_to_nothing() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
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

/// How far a crawl is counts documents: one that comes long before its comments would be told as done.
#[tokio::test]
async fn a_work_item_counts_when_its_comments_are_read_and_not_long_before() {
    let (simulator, _, snapshot) = backed_up(Seed::Small).await;
    let at = |part: &str| -> Vec<usize> {
        let came = snapshot.came.iter().enumerate();
        let of_part = came.filter(|(_, (item, name))| item.kind == "work-item" && name == part);
        of_part.map(|(at, _)| at).collect()
    };
    let (documents, comments) = (at("work-item.json"), at("comments.ndjson"));
    assert!(comments.len() > 2, "{comments:?}");
    let ahead = |comment: &usize| documents.iter().filter(|at| *at < comment).count();
    let counted: Vec<usize> = comments.iter().map(ahead).collect();
    assert!(
        counted[0] < documents.len() / 2,
        "{counted:?} of {}",
        documents.len()
    );
    assert!(counted.is_sorted(), "{counted:?}");
    simulator.stop().await;
}

#[tokio::test]
async fn a_full_backup_of_work_items_stays_at_the_floor() {
    let simulator = start(contoso(300)).await;
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

#[tokio::test]
async fn chained_increments_equal_one_full_crawl() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let selection = all_kinds();
    let items: Vec<ItemRef> = first.of_kind("work-item").into_iter().cloned().collect();
    let [edited, talked, binned, lost] = &items[..4] else {
        panic!("too few items");
    };
    let address = |item: &ItemRef| format!("/_apis/wit/workitems/{}", item.id);
    edit(&http, &edited.id, "System.Title", "Geändert").await;
    edit(&http, &talked.id, "System.History", "A comment").await;
    delete(&http, &address(binned)).await;
    let second = backup(&http, &first, &selection).await;
    assert!(second.items[binned].contains_key("recycle-bin.json"));
    let said = second.part_text(talked, "comments.ndjson");
    assert!(said.contains("A comment"), "{said}");

    let path = format!("/_apis/wit/recyclebin/{}", binned.id);
    let undelete = http.call(Method::PATCH, "dev", &path).version("7.1");
    let undelete = undelete.json(&json!({ "isDeleted": false }));
    undelete.send().await.unwrap();
    delete(&http, &address(lost)).await;
    let chained = backup(&http, &second, &selection).await;
    assert!(!chained.items[binned].contains_key("recycle-bin.json"));

    let full = backup(&http, &Snapshot::default(), &selection).await;
    for (item, parts) in full.content() {
        for (part, bytes) in parts {
            // A deleted item keeps the document that it last had; only its revisions say more to someone who never saw it alive.
            if item == lost && part == "work-item.json" {
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

#[tokio::test]
async fn an_expired_cursor_gives_the_same_snapshot() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
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
