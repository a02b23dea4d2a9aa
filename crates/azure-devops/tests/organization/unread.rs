//! What one run could not read and no stream tells of again: each later run asks for it and names it until it comes, and none names it then.

use std::collections::BTreeSet;

use model::ItemRef;
use serde_json::{Value, json};
use service::{Client, Order};
use simulator::{Seed, Simulator};

use crate::support::{
    Snapshot, all_kinds, backed_up, backup, backup_ordered, codes, delete, edit, heal, owner, post,
};

const BIN: &str = "*/_apis/wit/recyclebin*";
const ENTRY: &str = "recycle-bin.json";

async fn refuse(http: &Client, path: &str, fault: &str) {
    post(http, "/__faults", &json!({ "path": path, "fault": fault })).await;
}

/// What the issues of a run are about.
fn named(snapshot: &Snapshot) -> Vec<ItemRef> {
    let items = snapshot.issues.iter();
    items.filter_map(|issue| issue.item.clone()).collect()
}

/// Nothing is said, nothing is marked, and no more is asked than when nothing happened.
async fn is_quiet(simulator: &Simulator, before: &Snapshot) {
    let http = owner(simulator);
    let quiet = backup(&http, before, &all_kinds()).await;
    assert_eq!(codes(&quiet.issues), [""; 0]);
    assert_eq!(quiet.stale, BTreeSet::new());
    assert_eq!(http.usage().by_kind["work-item"].0, 3);
    assert!(!http.usage().by_kind.contains_key("attachment"));
}

/// How many items lie in the recycle bin, each with the bin's own entry and no revision in its place.
fn entries(snapshot: &Snapshot) -> usize {
    let items = snapshot.of_kind("work-item").into_iter();
    let binned = items.filter(|item| snapshot.items[*item].contains_key(ENTRY));
    let whole = binned.map(|item| {
        let entry: Value = serde_json::from_str(&snapshot.part_text(item, ENTRY)).unwrap();
        assert!(entry.get("fields").is_none(), "{item}: {entry}");
    });
    whole.count()
}

#[tokio::test]
async fn a_recycle_bin_that_could_not_be_read_is_asked_for_until_it_can() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let item = first.of_kind("work-item")[0].clone();
    let before = entries(&first);
    delete(&http, &format!("/_apis/wit/workitems/{}", item.id)).await;
    let mut snapshot = first;
    for fault in ["403", "403", "truncate-clean"] {
        refuse(&http, BIN, fault).await;
        snapshot = backup(&http, &snapshot, &all_kinds()).await;
        assert_eq!(named(&snapshot), std::slice::from_ref(&item), "{fault}");
        assert_eq!(snapshot.stale, BTreeSet::from([item.clone()]));
        heal(&http).await;
    }
    let read = backup(&http, &snapshot, &all_kinds()).await;
    assert_eq!(codes(&read.issues), [""; 0]);
    assert_eq!(read.stale, BTreeSet::new());
    assert_eq!(entries(&read), before + 1);
    is_quiet(&simulator, &read).await;
    simulator.stop().await;
}

#[tokio::test]
async fn a_recycle_bin_that_the_first_backup_could_not_read_is_read_by_the_next() {
    let (simulator, http, whole) = backed_up(Seed::Small).await;
    let item = whole.of_kind("work-item")[0].clone();
    delete(&http, &format!("/_apis/wit/workitems/{}", item.id)).await;
    refuse(&http, BIN, "403").await;
    let first = backup(&http, &Snapshot::default(), &all_kinds()).await;
    assert!(named(&first).contains(&item));
    heal(&http).await;
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(codes(&second.issues), [""; 0]);
    assert_eq!(entries(&second), entries(&whole) + 1);
    is_quiet(&simulator, &second).await;
    simulator.stop().await;
}

#[tokio::test]
async fn an_item_that_could_not_be_read_and_was_deleted_since_is_no_longer_marked() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let item = first.of_kind("work-item")[0].clone();
    edit(&http, &item.id, "System.Title", "changed").await;
    refuse(&http, "*workitemsbatch*", "403").await;
    let second = backup(&http, &first, &all_kinds()).await;
    assert_eq!(second.stale, BTreeSet::from([item.clone()]));
    heal(&http).await;
    delete(&http, &format!("/_apis/wit/workitems/{}", item.id)).await;
    let third = backup(&http, &second, &all_kinds()).await;
    assert_eq!(codes(&third.issues), [""; 0]);
    assert_eq!(third.stale, BTreeSet::new());
    is_quiet(&simulator, &third).await;
    simulator.stop().await;
}

#[tokio::test]
async fn a_file_that_the_service_does_not_have_is_named_in_each_run_until_it_is_given_up() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let item = first.of_kind("work-item")[0].clone();
    let lost = "0a1b2c3d-0000-4000-8000-000000000001";
    let text = format!("<img src=\"/_apis/wit/attachments/{lost}\">");
    edit(&http, &item.id, "System.Description", &text).await;
    let mut snapshot = backup(&http, &first, &all_kinds()).await;
    for run in 3..5 {
        let expected = ItemRef::new("attachment", "", lost);
        assert_eq!(named(&snapshot), [expected], "run {run}");
        snapshot = backup(&http, &snapshot, &all_kinds()).await;
    }
    let accepted = BTreeSet::from(["attachment".to_owned()]);
    let order = Order {
        accepted: &accepted,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    let given_up = backup_ordered(&http, &snapshot, &all_kinds(), order).await;
    assert_eq!(codes(&given_up.issues), [""; 0]);
    is_quiet(&simulator, &given_up).await;
    simulator.stop().await;
}

/// Goes on from a snapshot with damage that a run tells of and mends.
async fn mended(simulator: &Simulator, before: &Snapshot, item: &ItemRef) -> Snapshot {
    let http = owner(simulator);
    let mended = backup(&http, before, &all_kinds()).await;
    assert_eq!(named(&mended), std::slice::from_ref(item));
    let read = backup(&http, &mended, &all_kinds()).await;
    assert_eq!(codes(&read.issues), [""; 0]);
    assert_eq!(read.stale, BTreeSet::new());
    is_quiet(simulator, &read).await;
    read
}

#[tokio::test]
async fn damage_in_the_snapshot_before_is_named_until_all_of_the_item_came_anew() {
    let (simulator, http, mut snapshot) = backed_up(Seed::Small).await;
    let mut items = snapshot.in_use(|kind| kind == "work-item").into_iter();
    let talked = |item: &ItemRef| snapshot.items[item].contains_key("comments.ndjson");
    let item = items.find(talked).unwrap();
    let parts = snapshot.items.get_mut(&item).unwrap();
    parts.insert("comments.ndjson".to_owned(), "{ no json\n".into());
    edit(&http, &item.id, "System.History", "said again").await;
    let mut snapshot = mended(&simulator, &snapshot, &item).await;

    snapshot.damaged.insert(item.clone());
    edit(&http, &item.id, "System.Title", "changed").await;
    let mut snapshot = mended(&simulator, &snapshot, &item).await;

    snapshot.damaged.insert(item.clone());
    delete(&http, &format!("/_apis/wit/workitems/{}", item.id)).await;
    let snapshot = mended(&simulator, &snapshot, &item).await;
    assert!(snapshot.items[&item].contains_key(ENTRY));
    simulator.stop().await;
}
