//! Reading a few members of a document without building or changing it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text or number at a JSON pointer through objects (`/project/id`); `None` when there is nothing, null, or something else.
pub fn text_at<'a>(document: &'a RawValue, pointer: &str) -> Option<Cow<'a, str>> {
    let raw = at(document, pointer)?.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'a>>(raw)
            .ok()
            .map(|text| text.0),
        b'0'..=b'9' | b'-' => Some(Cow::Borrowed(raw)),
        _ => None,
    }
}

/// When the document says that it changed. The service writes times without zone for "never".
pub(crate) fn time_at(document: &RawValue, pointer: Option<&str>) -> Option<Timestamp> {
    let text = text_at(document, pointer?)?;
    let time = text.parse().ok();
    if time.is_none() {
        tracing::debug!(%text, "not a time");
    }
    time
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn at<'a>(document: &'a RawValue, pointer: &str) -> Option<&'a RawValue> {
    let mut value = document;
    for name in pointer.split('/').skip(1) {
        value = serde_json::Deserializer::from_str(value.get())
            .deserialize_map(Member(name))
            .ok()??;
    }
    Some(value)
}

/// Takes one member of an object and passes over the others.
struct Member<'n>(&'n str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(Text(name)) = map.next_key()? {
            if name == self.0 {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// The members of an object in their order, each value as it is written.
#[derive(Debug)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AllMembers)
    }
}

struct AllMembers;

impl<'de> Visitor<'de> for AllMembers {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_through_objects() {
        let text = r#"{"a":{"b\u0063":"x\ny","n":-12},"id":7,"nothing":null,"list":[1]}"#;
        let document: &RawValue = serde_json::from_str(text).unwrap();
        assert_eq!(text_at(document, "/id").unwrap(), "7");
        assert_eq!(text_at(document, "/a/bc").unwrap(), "x\ny");
        assert_eq!(text_at(document, "/a/n").unwrap(), "-12");
        for absent in ["/nothing", "/list", "/list/0", "/x", "/a", "/a/b/c", ""] {
            assert_eq!(text_at(document, absent), None, "{absent}");
        }
    }

    #[test]
    fn times_of_the_service_are_read() {
        let document: &RawValue = serde_json::from_str(
            r#"{"t":"2026-03-04T05:06:07.123Z","never":"0001-01-01T00:00:00"}"#,
        )
        .unwrap();
        assert_eq!(
            time_at(document, Some("/t")).unwrap().as_millisecond(),
            1_772_600_767_123
        );
        assert_eq!(time_at(document, Some("/never")), None);
        assert_eq!(time_at(document, None), None);
    }
}
