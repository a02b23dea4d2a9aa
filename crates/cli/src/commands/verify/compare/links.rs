//! Links that only one end stated: the restore writes a link once, and the service states it at both ends.
//!
//! A snapshot holds such a link when the item at one end was destroyed after its last backup: it stays, and the other end was read again.

use model::ItemRef;
use serde_json::Value;

use super::super::evidence::Compared;
use super::side::Side;
use crate::failure::Failure;

/// Takes out of `actual` the links that the snapshot has at their other end alone.
pub(super) async fn settle(
    expected: &Side,
    item: &ItemRef,
    stored: &Value,
    actual: &mut Value,
    compared: &mut Compared,
) -> Result<(), Failure> {
    let known: Vec<(String, String)> = ends(stored).collect();
    let mut added: Vec<(String, String)> =
        ends(actual).filter(|end| !known.contains(end)).collect();
    added.dedup();
    for (rel, other) in added {
        let Some(number) = other.strip_prefix('#') else {
            continue;
        };
        let other_item = ItemRef::new(&item.kind, &item.scope, number);
        let Some(there) = expected.view(&other_item).await? else {
            continue;
        };
        let back = (reverse(&rel), format!("#{}", item.id));
        if !ends(&there).any(|end| end == back) {
            continue;
        }
        compared.leave_out(
            &[item.kind.as_str()],
            "the second end of links of which the snapshot has one",
            "the item at the other end was destroyed later; the service states a link at both ends",
        );
        let relations = actual.pointer_mut("/document/relations");
        if let Some(relations) = relations.and_then(Value::as_array_mut) {
            relations.retain(|relation| end(relation) != Some((rel.clone(), other.clone())));
        }
    }
    drop_empty(stored, actual);
    Ok(())
}

/// An item without links has no list of them.
fn drop_empty(stored: &Value, actual: &mut Value) {
    let none = actual
        .pointer("/document/relations")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    if none
        && stored.pointer("/document/relations").is_none()
        && let Some(document) = actual["document"].as_object_mut()
    {
        document.shift_remove("relations");
    }
}

/// Type and other end of each link to an item.
fn ends(value: &Value) -> impl Iterator<Item = (String, String)> {
    let relations = value
        .pointer("/document/relations")
        .and_then(Value::as_array);
    relations.into_iter().flatten().filter_map(end)
}

fn end(relation: &Value) -> Option<(String, String)> {
    let other = relation["url"]
        .as_str()
        .filter(|url| url.starts_with('#'))?;
    Some((relation["rel"].as_str()?.to_owned(), other.to_owned()))
}

fn reverse(rel: &str) -> String {
    if let Some(base) = rel.strip_suffix("-Forward") {
        format!("{base}-Reverse")
    } else if let Some(base) = rel.strip_suffix("-Reverse") {
        format!("{base}-Forward")
    } else {
        rel.to_owned()
    }
}
