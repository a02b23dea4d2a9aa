//! People in stored documents: objects with `uniqueName`, wherever they stand.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value};
use service::people::{People, Person};
use service::{Client, Loss, Result};

use crate::api::{PREVIEW_1, SPS, STABLE};

pub(crate) struct AzurePeople;

/// What becomes of people whom the target does not know.
pub(crate) const STRANGERS: Loss = "People whom the target does not know stay as plain text.";

const UNIQUE: &str = "uniqueName";
const SHOWN: &str = "displayName";
/// What belongs to the person that was replaced.
const OWN: [&str; 5] = ["id", "descriptor", "url", "imageUrl", "_links"];

/// A user of the organization.
#[derive(Deserialize)]
struct User {
    #[serde(rename = "principalName")]
    principal_name: Option<String>,
    #[serde(rename = "mailAddress")]
    mail_address: Option<String>,
}

/// Somebody of the organization, in the form of old: the one that a search by a name answers.
#[derive(Deserialize)]
struct Identity {
    /// False of who left.
    #[serde(rename = "isActive")]
    active: Option<bool>,
    #[serde(rename = "isContainer", default)]
    group: bool,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(rename = "Account")]
    account: Option<Property>,
    #[serde(rename = "Mail")]
    mail: Option<Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(rename = "$value")]
    value: Value,
}

impl Identity {
    /// The search finds beginnings of names too.
    fn is(&self, unique_name: &str) -> bool {
        let own = [&self.properties.account, &self.properties.mail];
        let mut names = own.into_iter().flatten();
        let wanted = unique_name.to_lowercase();
        let same = |name: &Property| {
            name.value
                .as_str()
                .is_some_and(|name| name.to_lowercase() == wanted)
        };
        self.active != Some(false) && !self.group && names.any(same)
    }
}

/// The unique name of an object that is a person: those of groups and services are no addresses.
fn unique_name(object: &Map<String, Value>) -> Option<&str> {
    let name = object.get(UNIQUE)?.as_str()?;
    let person = name.contains(['@', '\\']) && !name.starts_with(['[', '<']);
    person.then_some(name)
}

fn collect(value: &Value, found: &mut BTreeSet<Person>) {
    match value {
        Value::Object(object) => {
            if let Some(unique) = unique_name(object) {
                let shown = object.get(SHOWN).and_then(Value::as_str);
                found.insert(Person {
                    unique_name: unique.to_owned(),
                    name: shown.unwrap_or(unique).to_owned(),
                });
            }
            object.values().for_each(|value| collect(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Whether anything was changed.
fn rename(value: &mut Value, others: &BTreeMap<String, String>) -> bool {
    match value {
        Value::Object(object) => {
            let other = unique_name(object).and_then(|name| others.get(&name.to_lowercase()));
            let mut changed = false;
            if let Some(other) = other.cloned() {
                for name in OWN {
                    object.shift_remove(name);
                }
                object.insert(SHOWN.to_owned(), Value::from(other.as_str()));
                object.insert(UNIQUE.to_owned(), Value::from(other));
                changed = true;
            }
            for value in object.values_mut() {
                changed |= rename(value, others);
            }
            changed
        }
        Value::Array(values) => {
            let mut changed = false;
            for value in values {
                changed |= rename(value, others);
            }
            changed
        }
        _ => false,
    }
}

/// A line with others in it; `None` for one that stays.
fn renamed_line(line: &[u8], others: &BTreeMap<String, String>) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(line).ok()?;
    if !rename(&mut value, others) {
        return None;
    }
    serde_json::to_vec(&value).ok()
}

#[async_trait]
impl People for AzurePeople {
    fn named(&self, file: &[u8]) -> BTreeSet<Person> {
        let mut found = BTreeSet::new();
        match serde_json::from_slice::<Value>(file) {
            Ok(value) => collect(&value, &mut found),
            Err(_) => {
                for line in file.split(|byte| *byte == b'\n') {
                    if let Ok(value) = serde_json::from_slice::<Value>(line) {
                        collect(&value, &mut found);
                    }
                }
            }
        }
        found
    }

    fn renamed(&self, file: &[u8], others: &BTreeMap<String, String>) -> Option<Vec<u8>> {
        if serde_json::from_slice::<&serde_json::value::RawValue>(file).is_ok() {
            return renamed_line(file, others);
        }
        let mut changed = false;
        let mut out = Vec::with_capacity(file.len());
        for line in file.split_inclusive(|byte| *byte == b'\n') {
            match renamed_line(line, others) {
                Some(line) => {
                    out.extend(line);
                    out.push(b'\n');
                    changed = true;
                }
                None => out.extend_from_slice(line),
            }
        }
        changed.then_some(out)
    }

    async fn known(&self, http: &Client) -> Result<BTreeSet<String>> {
        let mut known = BTreeSet::new();
        let mut token: Option<String> = None;
        loop {
            let mut call = http.get(SPS, "/_apis/graph/users").version(PREVIEW_1);
            if let Some(token) = &token {
                call = call.query("continuationToken", token);
            }
            let answer = call.send().await?;
            for value in answer.values()? {
                let user: User = serde_json::from_str(value.get())
                    .map_err(|error| service::Error::malformed(format!("users: {error}")))?;
                let names = [user.principal_name, user.mail_address];
                known.extend(names.into_iter().flatten().map(|name| name.to_lowercase()));
            }
            let next = answer.continuation().map(str::to_owned);
            if next.is_none() || next == token {
                return Ok(known);
            }
            token = next;
        }
    }

    async fn knows(&self, http: &Client, unique_name: &str) -> Result<bool> {
        let call = http.get(SPS, "/_apis/identities").version(STABLE);
        let call = call.query("searchFilter", "General");
        let answer = call.query("filterValue", unique_name).send().await?;
        for value in answer.values()? {
            let found: Option<Identity> = serde_json::from_str(value.get())
                .map_err(|error| service::Error::malformed(format!("identities: {error}")))?;
            if found.is_some_and(|found| found.is(unique_name)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn loss(&self) -> Loss {
        STRANGERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = concat!(
        r#"{"by":{"displayName":"Anna","uniqueName":"Anna@Old.example","id":"1","descriptor":"d"},"n":1.50}"#,
        "\n",
        r#"{"by":{"displayName":"Ben","uniqueName":"ben@old.example"},"team":{"displayName":"T","uniqueName":"vstfs:///x"}}"#,
        "\n"
    );

    #[test]
    fn people_are_found_wherever_they_stand_and_groups_are_none() {
        let found = AzurePeople.named(LINES.as_bytes());
        let names: Vec<&str> = found.iter().map(|one| one.unique_name.as_str()).collect();
        assert_eq!(names, ["Anna@Old.example", "ben@old.example"]);
        assert!(AzurePeople.named(b"<html>").is_empty());
    }

    #[test]
    fn only_lines_that_name_the_person_change() {
        let others = BTreeMap::from([("ben@old.example".to_owned(), "b@new.example".to_owned())]);
        let renamed = AzurePeople.renamed(LINES.as_bytes(), &others).unwrap();
        let text = String::from_utf8(renamed).unwrap();
        let (mut before, mut after) = (LINES.lines(), text.lines());
        assert_eq!(before.next(), after.next());
        assert!(
            after
                .next()
                .unwrap()
                .contains(r#"{"displayName":"b@new.example","uniqueName":"b@new.example"}"#)
        );
        assert!(!text.contains("ben@old.example"));
    }

    #[test]
    fn the_old_identity_leaves_no_trace() {
        let others = BTreeMap::from([("anna@old.example".to_owned(), "a@new.example".to_owned())]);
        let line = LINES.lines().next().unwrap();
        let renamed = AzurePeople.renamed(line.as_bytes(), &others).unwrap();
        let value: Value = serde_json::from_slice(&renamed).unwrap();
        assert_eq!(value["by"]["uniqueName"], "a@new.example");
        assert!(value["by"]["id"].is_null() && value["by"]["descriptor"].is_null());
        assert_eq!(AzurePeople.renamed(line.as_bytes(), &BTreeMap::new()), None);
    }

    #[test]
    fn whoever_is_there_by_the_whole_name_is_known() {
        let identity = |more: &str| {
            let text = format!(
                r#"{{"properties":{{"Account":{{"$value":"Anna@New.example"}},"Mail":{{"$value":"a.b@new.example"}}}}{more}}}"#
            );
            serde_json::from_str::<Identity>(&text).unwrap()
        };
        let here = identity(r#","isActive":true"#);
        for (name, known) in [
            ("anna@new.example", true),
            ("A.B@new.example", true),
            ("anna", false),
            ("anna@new.exmaple", false),
        ] {
            assert_eq!(here.is(name), known, "{name}");
        }
        let left = [r#","isActive":false"#, r#","isContainer":true"#].map(identity);
        assert!(left.iter().all(|one| !one.is("anna@new.example")));
        let odd = serde_json::from_str::<Identity>("{}").unwrap();
        assert!(!odd.is(""));
    }
}
