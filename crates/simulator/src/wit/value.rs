//! Values of fields, and dates as the service writes them.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::fields::Kind;
use crate::world::{People, Person};

/// Cheap to clone: revisions share what did not change.
#[derive(Clone, Debug)]
pub(crate) enum FieldValue {
    Text(Arc<str>),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Date(Timestamp),
    Person(Arc<Person>),
}

impl PartialEq for FieldValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(two)) => one == two,
            (Self::Integer(one), Self::Integer(two)) => one == two,
            (Self::Double(one), Self::Double(two)) => one.to_bits() == two.to_bits(),
            (Self::Boolean(one), Self::Boolean(two)) => one == two,
            (Self::Date(one), Self::Date(two)) => one == two,
            (Self::Person(one), Self::Person(two)) => one.id == two.id,
            _ => false,
        }
    }
}

/// Why a value does not fit its field.
pub(crate) enum Misfit {
    /// The identity is not known.
    Identity(String),
    /// The value is not of the type of the field.
    Type(String),
}

impl FieldValue {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// `None` for null and empty text, which clear the field. With `literal`, an unknown identity stays the string that it is.
    pub(crate) fn parse(
        kind: Kind,
        value: &Value,
        people: &People,
        literal: bool,
    ) -> Result<Option<Self>, Misfit> {
        let text = match value {
            Value::Null => return Ok(None),
            Value::String(text) if text.is_empty() => return Ok(None),
            Value::String(text) => text.clone(),
            Value::Object(object) if kind == Kind::Identity => {
                ["descriptor", "id", "uniqueName", "displayName"]
                    .iter()
                    .filter_map(|name| object.get(*name).and_then(Value::as_str))
                    .find(|text| people.find(text).is_some())
                    .or_else(|| object.get("displayName").and_then(Value::as_str))
                    .unwrap_or_default()
                    .to_owned()
            }
            other => other.to_string(),
        };
        let misfit = || Misfit::Type(text.clone());
        Ok(Some(match kind {
            Kind::String
            | Kind::PlainText
            | Kind::Html
            | Kind::TreePath
            | Kind::History
            | Kind::Guid => Self::Text(text.into()),
            Kind::Integer => Self::Integer(text.parse().map_err(|_| misfit())?),
            Kind::Double => Self::Double(text.parse().map_err(|_| misfit())?),
            Kind::Boolean => Self::Boolean(match text.to_ascii_lowercase().as_str() {
                "true" | "1" => true,
                "false" | "0" => false,
                _ => return Err(misfit()),
            }),
            Kind::DateTime => Self::Date(parse_date(&text).ok_or_else(misfit)?),
            Kind::Identity => match people.find(&text) {
                Some(person) => Self::Person(person),
                None if literal => Self::Text(text.into()),
                None => return Err(Misfit::Identity(text)),
            },
        }))
    }

    /// The value as queries compare and people read it.
    pub(crate) fn display(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Double(number) => number.to_string(),
            Self::Boolean(value) => if *value { "True" } else { "False" }.to_owned(),
            Self::Date(date) => date_text(*date),
            Self::Person(person) => person.combined(),
        }
    }
}

/// How identities are written.
#[derive(Clone, Copy)]
pub(crate) enum Identities<'a> {
    /// `Name <mail>`.
    Combined,
    /// `IdentityRef`.
    References(&'a References<'a>),
}

/// Identity references with addresses below one base, each made once: a page repeats few people often.
pub(crate) struct References<'a> {
    pub base: &'a str,
    made: RefCell<Vec<(Uuid, Box<RawValue>)>>,
}

impl<'a> References<'a> {
    pub(crate) fn new(base: &'a str) -> Self {
        Self {
            base,
            made: RefCell::default(),
        }
    }

    fn serialize<S: Serializer>(&self, person: &Person, serializer: S) -> Result<S::Ok, S::Error> {
        let mut made = self.made.borrow_mut();
        let known = made.iter().position(|(id, _)| *id == person.id);
        let at = if let Some(at) = known {
            at
        } else {
            let view = PersonView {
                person,
                base: self.base,
            };
            let text = serde_json::to_string(&view).and_then(RawValue::from_string);
            made.push((person.id, text.map_err(serde::ser::Error::custom)?));
            made.len() - 1
        };
        made[at].1.serialize(serializer)
    }
}

/// A value to be written into an answer.
pub(crate) struct ValueView<'a> {
    pub value: &'a FieldValue,
    pub identities: Identities<'a>,
}

impl Serialize for ValueView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            FieldValue::Text(text) => serializer.serialize_str(text),
            FieldValue::Integer(number) => serializer.serialize_i64(*number),
            FieldValue::Double(number) => serializer.serialize_f64(*number),
            FieldValue::Boolean(value) => serializer.serialize_bool(*value),
            FieldValue::Date(date) => serializer.serialize_str(&date_text(*date)),
            FieldValue::Person(person) => match self.identities {
                Identities::Combined => serializer.collect_str(&format_args!(
                    "{} <{}>",
                    person.display_name, person.unique_name
                )),
                Identities::References(references) => references.serialize(person, serializer),
            },
        }
    }
}

/// `IdentityRef`, written without building a document first.
pub(crate) struct PersonView<'a> {
    pub person: &'a Person,
    pub base: &'a str,
}

impl Serialize for PersonView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Avatar<'a>(&'a str);
        impl Serialize for Avatar<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(Serialize)]
                struct Href<'a> {
                    href: &'a str,
                }
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("avatar", &Href { href: self.0 })?;
                map.end()
            }
        }
        let avatar = format!(
            "{}/_apis/GraphProfile/MemberAvatars/{}",
            self.base, self.person.descriptor
        );
        let mut map = serializer.serialize_map(Some(7))?;
        map.serialize_entry("displayName", &self.person.display_name)?;
        map.serialize_entry(
            "url",
            &format_args!("{}/_apis/Identities/{}", self.base, self.person.id),
        )?;
        map.serialize_entry("_links", &Avatar(&avatar))?;
        map.serialize_entry("id", &self.person.id)?;
        map.serialize_entry("uniqueName", &self.person.unique_name)?;
        map.serialize_entry("imageUrl", &avatar)?;
        map.serialize_entry("descriptor", &self.person.descriptor)?;
        map.end()
    }
}

/// ISO 8601 in UTC without trailing zeros in the fraction: `2026-03-31T18:36:26.23Z`.
pub(crate) fn date_text(date: Timestamp) -> String {
    date.to_string()
}

/// Takes a date with or without a time and an offset; without an offset it is UTC. Milliseconds are kept, the rest is cut.
pub(crate) fn parse_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let instant = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| {
            text.parse::<jiff::civil::DateTime>()
                .ok()?
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()
                .map(|zoned| zoned.timestamp())
        })
        .or_else(|| american(text))?;
    Timestamp::from_millisecond(instant.as_millisecond()).ok()
}

/// `3/31/2026`, which queries use.
fn american(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('/').map(str::parse::<i16>);
    let (month, day, year) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    let date =
        jiff::civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    date.to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_lose_trailing_zeros_and_what_is_below_a_millisecond() {
        let text = |input: &str| parse_date(input).map(date_text);
        assert_eq!(
            text("2026-03-31T18:36:26.230Z").as_deref(),
            Some("2026-03-31T18:36:26.23Z")
        );
        assert_eq!(
            text("2026-03-31T18:36:26.2304567Z").as_deref(),
            Some("2026-03-31T18:36:26.23Z")
        );
        assert_eq!(
            text("2026-03-31T20:36:26+02:00").as_deref(),
            Some("2026-03-31T18:36:26Z")
        );
        assert_eq!(text("2026-03-31").as_deref(), Some("2026-03-31T00:00:00Z"));
        assert_eq!(text("3/31/2026").as_deref(), Some("2026-03-31T00:00:00Z"));
        assert_eq!(text("yesterday"), None);
    }
}
