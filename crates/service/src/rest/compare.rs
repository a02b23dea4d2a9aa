//! Comparing a stored document with the one at the target.

use serde_json::{Map, Value};

use crate::{Error, Result};

/// So many differences are named.
const MOST: usize = 20;

/// The differences in words, without `drop` (top level) and what is never the same in two places: ids and addresses.
pub(super) fn differences(before: &[u8], now: &[u8], drop: &[&str]) -> Result<Vec<String>> {
    let read = |bytes: &[u8]| {
        let mut value: Value = serde_json::from_slice(bytes)
            .map_err(|error| Error::malformed("a document is not JSON").caused_by(error))?;
        if let Value::Object(members) = &mut value {
            members.retain(|name, _| !drop.contains(&name.as_str()));
        }
        Ok::<_, Error>(value)
    };
    let mut found = Vec::new();
    compare("", &read(before)?, &read(now)?, &mut found);
    found.truncate(MOST);
    Ok(found)
}

fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => members(path, before, now, found),
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (position, (before, now)) in before.iter().zip(now).enumerate() {
                compare(&format!("{path}/{position}"), before, now, found);
            }
        }
        _ if before == now => {}
        _ => found.push(format!(
            "{path}: {} in the snapshot, now {}",
            shown(before),
            shown(now)
        )),
    }
}

fn members(
    path: &str,
    before: &Map<String, Value>,
    now: &Map<String, Value>,
    found: &mut Vec<String>,
) {
    for (name, value) in before
        .iter()
        .filter(|(name, _)| !belongs_to_the_place(name))
    {
        match now.get(name) {
            Some(now) => compare(&format!("{path}/{name}"), value, now, found),
            None if value.is_null() => {}
            None => found.push(format!(
                "{path}/{name}: {} in the snapshot, now missing",
                shown(value)
            )),
        }
    }
    for (name, value) in now
        .iter()
        .filter(|(name, value)| !belongs_to_the_place(name) && !value.is_null())
    {
        if !before.contains_key(name) {
            found.push(format!(
                "{path}/{name}: missing in the snapshot, now {}",
                shown(value)
            ));
        }
    }
}

fn belongs_to_the_place(member: &str) -> bool {
    matches!(
        member,
        "id" | "url" | "uri" | "href" | "_links" | "descriptor"
    ) || ["Id", "Url", "Uri", "Descriptor"]
        .iter()
        .any(|end| member.ends_with(end))
}

fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((cut, _)) = text.char_indices().nth(80) {
        text.truncate(cut);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, now: &str) -> Vec<String> {
        differences(before.as_bytes(), now.as_bytes(), &["revision"]).unwrap()
    }

    #[test]
    fn ids_addresses_and_dropped_members_may_differ() {
        let before = r#"{"id":1,"url":"a","revision":3,"project":{"id":"x","name":"P","_links":{}},"n":null}"#;
        let now = r#"{"id":2,"url":"b","revision":9,"project":{"id":"y","name":"P"},"webUrl":"c","m":null}"#;
        assert_eq!(of(before, now), Vec::<String>::new());
    }

    #[test]
    fn everything_else_is_named() {
        let found = of(
            r#"{"a":{"b":"ü"},"l":[1,2],"gone":true,"revision":1}"#,
            r#"{"a":{"b":"u"},"l":[1],"new":0}"#,
        );
        let said = "/a/b: \"ü\" in the snapshot, now \"u\"|/l: [1,2] in the snapshot, now [1]|/gone: true in the snapshot, now missing|/new: missing in the snapshot, now 0";
        assert_eq!(found.join("|"), said);
    }
}
