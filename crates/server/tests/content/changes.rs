//! What differs between two snapshots, over the interface.

use catalog::{Change, IndexChange, ItemState};
use model::ItemRef;
use serde_json::{Value, json};

use crate::world::{World, added};

fn row(id: &str, digest: &str, change: Change, state: ItemState) -> IndexChange {
    IndexChange {
        digest: digest.to_owned(),
        change,
        state,
        ..added(ItemRef::new("work-item", "", id), id, &format!("w/{id}"))
    }
}

#[tokio::test]
async fn differences_are_narrowed_by_change_and_the_recycle_bin_is_a_deletion() {
    let world = World::new().await;
    let first = ["1", "2"].map(|id| row(id, "a", Change::Added, ItemState::Live));
    world.describe("aaaa", "{}", first.to_vec()).await;
    let second = vec![
        row("1", "b", Change::Changed, ItemState::Binned),
        row("2", "b", Change::Changed, ItemState::Live),
    ];
    world.describe("bbbb", "{}", second).await;
    let ask = async |only: &str| {
        let path = format!("/snapshots/bbbb/changes?from=aaaa{only}");
        world.get(&path).await.json()
    };
    let told = |answer: &Value| -> Vec<Value> {
        let items = answer["items"].as_array().unwrap().iter();
        items
            .map(|item| json!([item["id"], item["change"], item["after"]["binned"]]))
            .collect()
    };
    let (deleted, changed) = (
        json!(["1", "removed", true]),
        json!(["2", "changed", false]),
    );
    assert_eq!(told(&ask("").await), [deleted.clone(), changed.clone()]);
    assert_eq!(told(&ask("&change=removed").await), [deleted]);
    assert_eq!(told(&ask("&change=changed").await), [changed]);
    assert_eq!(told(&ask("&change=added").await), [Value::Null; 0]);
    let refused = ask("&change=gone").await;
    assert_eq!(refused["errors"][0]["parameter"], "change", "{refused}");
}
