//! What the organizations have to be after the restores, put together from what the simulator held before.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Marks;
use super::names::list;

/// Another organization: everything of the first state but what was in the recycle bin, which the plan skips.
pub(in super::super) fn elsewhere(first: &Value) -> Value {
    let mut expected = first.clone();
    expected["recycleBin"] = Value::Array(Vec::new());
    if let Some(repositories) = expected["repositories"].as_array_mut() {
        repositories.retain(|repository| repository["isDeleted"] != true);
    }
    expected
}

fn ids(state: &Value, name: &str) -> BTreeSet<u64> {
    list(state, name)
        .iter()
        .filter_map(|item| item["id"].as_u64())
        .collect()
}

/// The original organization: as it was after the change, but the work items and repositories that the change deleted are back.
pub(in super::super) fn repaired(first: &Value, changed: &Value) -> (Value, Marks) {
    let mut expected = changed.clone();
    let (was, live, bin) = (
        ids(first, "workItems"),
        ids(changed, "workItems"),
        ids(changed, "recycleBin"),
    );
    let undeleted: BTreeSet<u64> = was.intersection(&bin).copied().collect();
    let items: BTreeSet<u64> = was
        .iter()
        .filter(|id| !live.contains(id) && !bin.contains(id))
        .copied()
        .collect();
    undelete(&mut expected, &undeleted);
    create(&mut expected, first, &items);
    let repositories = repositories(&mut expected, first);
    (
        expected,
        Marks {
            all: false,
            items,
            repositories,
            undeleted,
        },
    )
}

fn id_in(item: &Value, ids: &BTreeSet<u64>) -> bool {
    item["id"].as_u64().is_some_and(|id| ids.contains(&id))
}

/// They come back as the recycle bin held them.
fn undelete(expected: &mut Value, ids: &BTreeSet<u64>) {
    let Some(bin) = expected["recycleBin"].as_array_mut() else {
        return;
    };
    let mut back: Vec<Value> = bin.extract_if(.., |item| id_in(item, ids)).collect();
    for item in back.iter_mut().filter_map(Value::as_object_mut) {
        item.retain(|name, _| name != "deletedBy" && name != "deletedDate");
    }
    if let Some(items) = expected["workItems"].as_array_mut() {
        items.append(&mut back);
    }
}

/// They come back as they were first, and so do the ends of their links at other items.
fn create(expected: &mut Value, first: &Value, ids: &BTreeSet<u64>) {
    let Some(items) = expected["workItems"].as_array_mut() else {
        return;
    };
    for item in items.iter_mut() {
        let before = list(first, "workItems")
            .iter()
            .find(|before| before["id"] == item["id"]);
        let ends = before
            .map(|before| list(before, "relations"))
            .unwrap_or_default();
        let lost = ends.iter().filter(|end| {
            end["target"]
                .as_u64()
                .is_some_and(|target| ids.contains(&target))
        });
        if let Some(relations) = item["relations"].as_array_mut() {
            let lost: Vec<Value> = lost
                .filter(|end| !relations.contains(end))
                .cloned()
                .collect();
            relations.extend(lost);
        }
    }
    items.extend(
        list(first, "workItems")
            .iter()
            .filter(|item| id_in(item, ids))
            .cloned(),
    );
    let Some(attachments) = expected["attachments"].as_array_mut() else {
        return;
    };
    let known: BTreeSet<String> = attachments
        .iter()
        .map(|attachment| attachment["id"].to_string())
        .collect();
    attachments.extend(
        list(first, "attachments")
            .iter()
            .filter(|attachment| !known.contains(&attachment["id"].to_string()))
            .cloned(),
    );
}

fn repositories(expected: &mut Value, first: &Value) -> BTreeSet<String> {
    let Some(repositories) = expected["repositories"].as_array_mut() else {
        return BTreeSet::new();
    };
    let known: BTreeSet<String> = repositories
        .iter()
        .map(|repository| repository["id"].to_string())
        .collect();
    let live = |repository: &&Value| {
        repository["isDeleted"] != true && !known.contains(&repository["id"].to_string())
    };
    let back: Vec<Value> = list(first, "repositories")
        .iter()
        .filter(live)
        .cloned()
        .collect();
    let ids = back
        .iter()
        .filter_map(|repository| repository["id"].as_str())
        .map(str::to_owned)
        .collect();
    repositories.extend(back);
    ids
}
