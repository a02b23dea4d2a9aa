//! Items as slices of what the service sent.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Members, text_at};
use crate::{Error, Result};

/// The members of an item.
pub(super) fn members(document: &RawValue) -> Result<Members<'_>> {
    serde_json::from_str(document.get())
        .map_err(|error| Error::malformed(format!("an item is not an object: {error}")))
}

impl<'a> Members<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| *value)
    }

    /// Whether every member of `before`, annotations aside, is there.
    ///
    /// If so, the item is whole whether the service leaves out what did not change or not: what it left out was not there before either.
    pub(super) fn cover(&self, before: &Members<'_>) -> bool {
        let names: std::collections::HashSet<&str> =
            self.0.iter().map(|(name, _)| name.as_ref()).collect();
        before
            .0
            .iter()
            .all(|(name, _)| name.contains('@') || names.contains(name.as_ref()))
    }
}

/// The document without some members: byte for byte, but for the spaces between members when there was something to leave out.
pub(super) fn without<'a>(
    document: &'a RawValue,
    members: &Members<'_>,
    drop: &dyn Fn(&str) -> bool,
) -> Cow<'a, str> {
    if !members.0.iter().any(|(name, _)| drop(name)) {
        return Cow::Borrowed(document.get());
    }
    let mut out = String::from("{");
    for (name, value) in members.0.iter().filter(|(name, _)| !drop(name)) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(name.as_ref()).to_string());
        out.push(':');
        out.push_str(value.get());
    }
    out.push('}');
    Cow::Owned(out)
}

/// Marked as gone: `@removed` in the directory, the `deleted` facet elsewhere.
pub(super) fn is_removed(members: &Members<'_>) -> bool {
    ["@removed", "deleted"]
        .into_iter()
        .any(|mark| members.get(mark).is_some_and(|value| value.get() != "null"))
}

/// The texts that are there and not empty.
pub(super) fn texts<'a>(document: &'a RawValue, pointers: &[&str]) -> Vec<Cow<'a, str>> {
    let found = pointers
        .iter()
        .filter_map(|pointer| text_at(document, pointer));
    found.filter(|text| !text.is_empty()).collect()
}

/// The first of several texts that is there and not empty.
pub(super) fn first_text<'a>(document: &'a RawValue, pointers: &[&str]) -> Option<Cow<'a, str>> {
    texts(document, pointers).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn what_is_not_touched_stays_byte_for_byte() {
        let text = "{ \"id\": \"1\",\n \"n\" : 1.50, \"m@delta\":[ 1 ]}";
        let members = members(raw(text)).unwrap();
        assert_eq!(without(raw(text), &members, &|_| false), text);
        assert_eq!(
            without(raw(text), &members, &|name| name == "m@delta"),
            "{\"id\":\"1\",\"n\":1.50}"
        );
    }

    #[test]
    fn an_item_covers_what_was_there_before() {
        let of = |text| members(raw(text)).unwrap();
        let before = of(r#"{"id":1,"a":null,"@odata.etag":"x"}"#);
        assert!(of(r#"{"id":1,"a":2,"b":3}"#).cover(&before));
        assert!(!of(r#"{"id":1,"b":3}"#).cover(&before));
    }

    #[test]
    fn both_marks_of_removal_are_known() {
        let removed = |text| is_removed(&members(raw(text)).unwrap());
        assert!(removed(r#"{"id":1,"@removed":{"reason":"changed"}}"#));
        assert!(removed(r#"{"id":1,"deleted":{"state":"deleted"}}"#));
        assert!(!removed(
            r#"{"id":1,"deleted":null,"deletedDateTime":null}"#
        ));
    }
}
