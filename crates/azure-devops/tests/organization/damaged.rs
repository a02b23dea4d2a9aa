//! Backups that go on from a snapshot of which something cannot be read.

use std::collections::BTreeSet;

use model::ItemRef;
use service::Order;
use simulator::Seed;

use crate::support::{all_kinds, backed_up, backup_ordered};

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
