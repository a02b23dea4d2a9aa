//! Arguments of statements. Nulls are typed, since PostgreSQL asks for the type of every argument.

use std::borrow::Cow;

use jiff::Timestamp;

/// One argument.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Blob(Vec<u8>),
}

macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::Value::from($value)),*] };
}
pub(crate) use args;

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

/// Sizes and positions beyond `i64::MAX` do not exist.
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(Some(i64::try_from(value).unwrap_or(i64::MAX)))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(i64::from(value)))
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.as_microsecond()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(Timestamp::as_microsecond))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(match escape(&value) {
            Cow::Borrowed(_) => value,
            Cow::Owned(escaped) => escaped,
        }))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(escape(value).into_owned()))
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        value.map_or(Self::Text(None), Self::from)
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

/// A character that Unicode promises never to assign; it marks what [`escape`] replaced.
const MARK: char = '\u{FDD0}';

/// PostgreSQL refuses NUL in text and SQLite's functions stop at it, so it is stored as two other characters.
fn escape(text: &str) -> Cow<'_, str> {
    // Every name of an index passes here: bytes are looked at first, 0xEF begins the mark.
    let bytes = text.as_bytes();
    if !bytes.contains(&0) && (!bytes.contains(&0xEF) || !text.contains(MARK)) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\0' => escaped.extend([MARK, '0']),
            MARK => escaped.extend([MARK, '1']),
            other => escaped.push(other),
        }
    }
    Cow::Owned(escaped)
}

pub(crate) fn unescape(text: String) -> String {
    if !text.contains(MARK) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            MARK if chars.next() == Some('0') => plain.push('\0'),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nul_and_the_mark_itself_survive() {
        for text in [
            "",
            "plain",
            "a\0b",
            "\u{FDD0}",
            "\u{FDD0}0\0\u{FDD0}1",
            "ü\0",
        ] {
            let escaped = escape(text).into_owned();
            assert!(!escaped.contains('\0'));
            assert_eq!(unescape(escaped), text);
        }
    }
}
