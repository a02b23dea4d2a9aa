//! Differences, each by item and field.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::view::View;

/// Something that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::commands) struct Difference {
    pub kind: &'static str,
    pub item: String,
    /// Where in the item, `revisions/3/fields/System.Title`; empty for the whole item.
    pub field: String,
    pub expected: String,
    pub actual: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            item,
            field,
            expected,
            actual,
        } = self;
        let colon = if field.is_empty() { "" } else { ": " };
        write!(
            f,
            "{kind} {item}{colon}{field}: expected {expected}, found {actual}"
        )
    }
}

const NOTHING: &str = "nothing";
/// Characters of a value that are shown.
const SHOWN: usize = 160;

pub(super) fn views(expected: &View, actual: &View) -> Vec<Difference> {
    let mut all = Vec::new();
    for (kind, documents) in &expected.0 {
        let others = &actual.0[kind];
        let names: BTreeSet<&String> = documents.keys().chain(others.keys()).collect();
        for name in names {
            let (one, other) = (documents.get(name), others.get(name));
            all.extend(self::documents(
                kind,
                name,
                one.map(|document| &document.value),
                other.map(|document| &document.value),
            ));
        }
    }
    all
}

/// What differs between two forms of one item.
pub(in crate::commands) fn documents(
    kind: &'static str,
    item: &str,
    expected: Option<&Value>,
    actual: Option<&Value>,
) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut found = Found {
        kind,
        item,
        all: &mut all,
    };
    match (expected, actual) {
        (Some(one), Some(other)) => found.compare("", one, other),
        (Some(_), None) => found.add("", "the item".to_owned(), NOTHING.to_owned()),
        (None, Some(_)) => found.add("", NOTHING.to_owned(), "an item".to_owned()),
        (None, None) => {}
    }
    all
}

struct Found<'a> {
    kind: &'static str,
    item: &'a str,
    all: &'a mut Vec<Difference>,
}

impl Found<'_> {
    fn add(&mut self, field: &str, expected: String, actual: String) {
        self.all.push(Difference {
            kind: self.kind,
            item: self.item.to_owned(),
            field: field.to_owned(),
            expected,
            actual,
        });
    }

    fn compare(&mut self, place: &str, one: &Value, other: &Value) {
        let below = |name: &str| {
            if place.is_empty() {
                name.to_owned()
            } else {
                format!("{place}/{name}")
            }
        };
        match (one, other) {
            _ if one == other => {}
            (Value::Object(members), Value::Object(others)) => {
                let names: BTreeSet<&String> = members.keys().chain(others.keys()).collect();
                for name in names {
                    match (members.get(name), others.get(name)) {
                        (Some(one), Some(other)) => self.compare(&below(name), one, other),
                        (one, other) => self.add(
                            &below(name),
                            one.map_or_else(|| NOTHING.to_owned(), shown),
                            other.map_or_else(|| NOTHING.to_owned(), shown),
                        ),
                    }
                }
            }
            (Value::Array(values), Value::Array(others)) if values.len() == others.len() => {
                for (number, (value, other)) in values.iter().zip(others).enumerate() {
                    self.compare(&below(&(number + 1).to_string()), value, other);
                }
            }
            (Value::Array(values), Value::Array(others)) => self.lists(place, values, others),
            _ => self.add(place, shown(one), shown(other)),
        }
    }

    /// Lists of different lengths: what only one of them has.
    fn lists(&mut self, place: &str, values: &[Value], others: &[Value]) {
        self.add(
            place,
            format!("{} entries", values.len()),
            format!("{} entries", others.len()),
        );
        for value in values.iter().filter(|value| !others.contains(value)) {
            self.add(place, shown(value), NOTHING.to_owned());
        }
        for other in others.iter().filter(|other| !values.contains(other)) {
            self.add(place, NOTHING.to_owned(), shown(other));
        }
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
