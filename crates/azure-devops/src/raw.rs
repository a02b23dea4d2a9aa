//! JSON as slices of what the service sent: members are found and copied, never parsed and written anew.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use service::{Error, Result};

/// The members of an object in their order, values as they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    pub(crate) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| *value)
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// The object without one member, byte for byte but for the spaces between members.
    pub(crate) fn without(&self, name: &str) -> String {
        let mut out = String::from("{");
        for (key, value) in self.0.iter().filter(|(key, _)| key != name) {
            if out.len() > 1 {
                out.push(',');
            }
            out.push_str(&serde_json::Value::from(key.as_ref()).to_string());
            out.push(':');
            out.push_str(value.get());
        }
        out.push('}');
        out
    }
}

/// A key that borrows where it can.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    members.push((key, map.next_value()?));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// An id that the service writes as a number here and as text there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "NumberOrText<'_>")]
pub(crate) struct Number(pub(crate) u32);

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum NumberOrText<'a> {
    Number(u32),
    #[serde(borrow)]
    Text(Cow<'a, str>),
}

impl TryFrom<NumberOrText<'_>> for Number {
    type Error = std::num::ParseIntError;

    fn try_from(value: NumberOrText<'_>) -> Result<Self, Self::Error> {
        match value {
            NumberOrText::Number(number) => Ok(Self(number)),
            NumberOrText::Text(text) => text.parse().map(Self),
        }
    }
}

/// One record for a file of lines: within JSON a line break can only stand between tokens, where a space means the same.
pub(crate) fn push_line(lines: &mut Vec<u8>, record: &str) {
    lines.extend(record.bytes().map(|byte| {
        if matches!(byte, b'\n' | b'\r') {
            b' '
        } else {
            byte
        }
    }));
    lines.push(b'\n');
}

/// The records of a file of lines; an error for one that is not text.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = Result<&str>> {
    bytes
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| {
            std::str::from_utf8(line)
                .map_err(|error| Error::malformed(format!("a stored line is not text: {error}")))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_left_out_and_the_others_stay_as_they_were() {
        let text = "{ \"id\": 1.50, \"children\": [{\"id\":2}],\n\"name\":\"\\u00fc\", \"a\\\"b\" : { \"x\" : 1 } }";
        let members: Members<'_> = serde_json::from_str(text).unwrap();
        assert_eq!(
            members.without("children"),
            "{\"id\":1.50,\"name\":\"\\u00fc\",\"a\\\"b\":{ \"x\" : 1 }}"
        );
        assert_eq!(members.without("nothing").matches("children").count(), 1);
        assert_eq!(members.text("name").as_deref(), Some("ü"));
    }

    #[test]
    fn ids_are_read_as_number_and_as_text() {
        assert_eq!(serde_json::from_str::<Number>("92").unwrap(), Number(92));
        assert_eq!(
            serde_json::from_str::<Number>("\"92\"").unwrap(),
            Number(92)
        );
        assert!(serde_json::from_str::<Number>("\"x\"").is_err());
    }

    #[test]
    fn a_record_stays_on_one_line() {
        let mut out = Vec::new();
        push_line(&mut out, "{\n \"a\": 1\r\n}");
        push_line(&mut out, "{}");
        let lines: Result<Vec<&str>> = lines(&out).collect();
        assert_eq!(lines.unwrap(), ["{  \"a\": 1  }", "{}"]);
    }

    #[test]
    fn a_line_that_is_not_text_is_not_passed_over() {
        let damaged = lines(b"{\"a\":1}\n{\"a\":\"\xff\"}\n\n{}\n");
        assert_eq!(
            damaged.map(|line| line.is_ok()).collect::<Vec<_>>(),
            [true, false, true]
        );
    }
}
