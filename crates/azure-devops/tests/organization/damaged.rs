//! Backups that go on from a snapshot of which something cannot be read, and restores from one.

use std::collections::BTreeSet;

use azure_devops::AZURE_DEVOPS;
use model::ItemRef;
use service::Order;
use simulator::Seed;

use crate::support::{
    Journal, Snapshot, all_kinds, backed_up, backup_ordered, contoso, empty, restore,
};

#[tokio::test]
async fn work_items_whose_folders_cannot_be_read_come_whole_again() {
    let (simulator, http, first) = backed_up(Seed::Small).await;
    let of_items = |item: &&ItemRef| item.kind == "work-item";
    let mut before = first.clone();
    before.shut = before.items.keys().filter(of_items).cloned().collect();
    for item in &before.shut {
        before.items.get_mut(item).unwrap().clear();
    }
    let order = Order {
        full: true,
        ..Order::usual(jiff::Timestamp::UNIX_EPOCH)
    };
    let second = backup_ordered(&http, &before, &all_kinds(), order).await;
    assert!(!before.shut.is_empty());
    for item in &before.shut {
        assert_eq!(second.items[item], first.items[item], "{item}");
    }
    let codes: BTreeSet<&str> = second
        .issues
        .iter()
        .map(|issue| issue.code.as_str())
        .collect();
    assert!(
        codes.iter().all(|code| *code == "repository-damaged"),
        "{codes:?}"
    );
    simulator.stop().await;
}

#[tokio::test]
async fn a_project_whose_document_cannot_be_read_keeps_no_work_item_from_coming_back() {
    let (simulator, _, mut snapshot) = backed_up(contoso(12)).await;
    let target = empty(&simulator, "empty").await;
    let journal = Journal::default();
    let places = snapshot.in_use(|kind| ["project", "area", "iteration"].contains(&kind));
    let items = snapshot.in_use(|kind| kind == "work-item");
    let report = restore(&target, &snapshot, &journal, &places).await;
    assert_eq!(report.unwrap().failed, Vec::<String>::new());
    let project = snapshot.of_kind("project")[0].clone();
    snapshot.damaged.insert(project);
    let report = restore(&target, &snapshot, &journal, &items).await.unwrap();
    assert_eq!(report.failed, Vec::<String>::new());
    assert_eq!(report.differences, Vec::<String>::new());
    assert_eq!(report.done, items.len());
    simulator.stop().await;
}

#[tokio::test]
async fn a_stored_revision_without_fields_is_found_by_an_inspection() {
    let mut snapshot = Snapshot::default();
    let item = ItemRef::new("work-item", "", "1");
    let document = r#"{"id":1,"rev":1,"fields":{"System.TeamProject":"P"}}"#;
    let files = [
        ("work-item.json", document),
        ("revisions.ndjson", r#"{"id":1,"rev":1}"#),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.into()));
    snapshot.items.insert(item.clone(), files.into());
    let work = tempfile::tempdir().unwrap();
    let cx = service::Inspect {
        stored: &snapshot,
        source: "contoso",
        work: work.path(),
    };
    let kind = AZURE_DEVOPS.kind("work-item").unwrap();
    let found = kind.inspect(&cx, &item, document.as_bytes()).await;
    let faults = found.unwrap().faults;
    let places = faults.iter().map(|fault| (fault.code, fault.part.as_str()));
    assert!(
        places
            .into_iter()
            .any(|place| place == ("document-malformed", "revisions.ndjson")),
        "{faults:?}"
    );
}
