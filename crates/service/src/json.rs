//! Reading a few members of a document without building or changing it.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The text or number at a JSON pointer through objects (`/project/id`); `None` when there is nothing, null, or something else.
pub(crate) fn text_at<'a>(document: &'a RawValue, pointer: &str) -> Option<Cow<'a, str>> {
    text(at(
        serde_json::Deserializer::from_str(document.get()),
        pointer,
    )?)
}

fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let raw = value.get();
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<Text<'_>>(raw)
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

/// The same in a document that was not parsed yet; `None` also when it is no JSON.
pub(crate) fn text_in(document: &[u8], pointer: &str) -> Option<String> {
    let found = at(serde_json::Deserializer::from_slice(document), pointer)?;
    text(found).map(Cow::into_owned)
}

/// Reads the document once, to its end.
fn at<'de>(
    mut document: serde_json::Deserializer<impl serde_json::de::Read<'de>>,
    pointer: &str,
) -> Option<&'de RawValue> {
    let below = Below(pointer.strip_prefix('/')?);
    below.deserialize(&mut document).ok()?
}

/// Takes what is at a pointer without its first slash, and passes over everything else.
struct Below<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (first, rest) = match self.0.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (self.0, None),
        };
        let mut found = None;
        while let Some(Text(name)) = map.next_key()? {
            if name != first {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(rest) = rest {
                found = map.next_value_seed(Below(rest))?;
            } else {
                found = Some(map.next_value()?);
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
        assert_eq!(text_in(text.as_bytes(), "/a/bc").unwrap(), "x\ny");
        assert_eq!(text_in(b"{\"id\":7", "/id"), None);
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
