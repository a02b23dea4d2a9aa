//! Links of which the restore cannot bring back exactly the ends that the snapshot has.
//!
//! The restore writes a link once, and the service states it at both ends. A snapshot holds one end alone when the item there was destroyed after its
//! last backup: it stays, and the other end was read again. A link to an item that the plan skips is written at no end.

use model::ItemRef;
use serde_json::Value;

use super::super::evidence::Compared;
use super::Pairs;
use super::side::Side;
use crate::failure::Failure;

/// Takes out of `stored` the links to what the plan skips, and out of `actual` those that the snapshot has at their other end alone.
pub(super) async fn settle(
    (expected, pairs): (&Side, &Pairs),
    item: &ItemRef,
    stored: &mut Value,
    actual: &mut Value,
    compared: &mut Compared,
) -> Result<(), Failure> {
    if drop_skipped(pairs, &item.kind, stored, actual) {
        compared.leave_out(
            &[item.kind.as_str()],
            "links to items that the plan does not restore",
            "what they lead to is not at the target: the restore declares each as a loss",
        );
    }
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
        let added = (rel, other);
        drop_ends(actual, |end| *end == added);
    }
    drop_empty(stored, actual);
    drop_empty(actual, stored);
    Ok(())
}

/// Takes out the links to what the plan skips, unless they are at the target all the same.
fn drop_skipped(pairs: &Pairs, kind: &str, stored: &mut Value, actual: &Value) -> bool {
    let there: Vec<(String, String)> = ends(actual).collect();
    drop_ends(stored, |end| {
        let number = end.1.strip_prefix('#');
        number.is_some_and(|number| pairs.skips(kind, number)) && !there.contains(end)
    })
}

/// Takes links out; `true` if there were any.
fn drop_ends(value: &mut Value, is_out: impl Fn(&(String, String)) -> bool) -> bool {
    let relations = value.pointer_mut("/document/relations");
    let Some(relations) = relations.and_then(Value::as_array_mut) else {
        return false;
    };
    let before = relations.len();
    relations.retain(|relation| end(relation).is_none_or(|end| !is_out(&end)));
    relations.len() < before
}

/// An item without links has no list of them.
fn drop_empty(other: &Value, value: &mut Value) {
    let none = value
        .pointer("/document/relations")
        .and_then(Value::as_array)
        .is_some_and(Vec::is_empty);
    if none
        && other.pointer("/document/relations").is_none()
        && let Some(document) = value["document"].as_object_mut()
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

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use serde_json::json;

    use super::*;

    fn item(links: &[(&str, &str)]) -> Value {
        let relations = links
            .iter()
            .map(|(rel, url)| json!({ "rel": rel, "url": url }));
        json!({"document": {"id": 5, "relations": relations.collect::<Vec<_>>()}})
    }

    #[test]
    fn links_to_what_the_plan_skips_are_left_out_and_no_others() {
        let pairs = Pairs {
            new: HashMap::new(),
            skipped: HashSet::from([("work-item".to_owned(), "6".to_owned())]),
        };
        let skipped = ("TestedBy-Forward", "#6");
        let others = [
            ("Related", "#7"),
            ("Hyperlink", "https://a/#6"),
            ("AttachedFile", "{attachment:6}"),
        ];
        let mut stored = item(&[&[skipped], &others[..]].concat());
        let actual = item(&others);
        assert!(drop_skipped(&pairs, "work-item", &mut stored, &actual));
        assert_eq!(stored, actual);
        assert!(!drop_skipped(&pairs, "work-item", &mut stored, &item(&[])));
        assert_eq!(stored, actual, "a link that is missing stays a difference");
        // What came back is compared.
        let mut stored = item(&[skipped]);
        let same = stored.clone();
        assert!(!drop_skipped(&pairs, "work-item", &mut stored, &same));
        assert!(!drop_skipped(&pairs, "test-case", &mut stored, &item(&[])));
        assert_eq!(stored, same);
    }

    #[test]
    fn an_item_whose_only_link_was_left_out_equals_one_without_links() {
        let without = json!({"document": {"id": 5}});
        let mut stored = item(&[]);
        drop_empty(&without, &mut stored);
        assert_eq!(stored, without);
    }
}
