//! Answers whose body lies in memory.

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Error, Result};
use model::Class;

/// A whole answer with an expected status; its body ended where the service said it would.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Names the request in messages.
    pub(crate) label: String,
}

#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

impl Answer {
    /// The token of the next page, from any answer whether the service documents it or not.
    pub fn continuation(&self) -> Option<&str> {
        self.headers
            .get("x-ms-continuationtoken")?
            .to_str()
            .ok()
            .filter(|token| !token.is_empty())
    }

    /// Reads the body; a byte order mark is tolerated.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(without_bom(&self.body)).map_err(|error| {
            if error.is_eof() {
                return cut_short(&self.label, "the JSON document has no end");
            }
            // It quotes the text that it did not expect, which may be anything.
            let mut shown = error.to_string();
            if let (Some(from), Some(to)) = (shown.find('"'), shown.rfind('"')) {
                shown.replace_range(from..=to, "…");
            }
            Error::malformed(format!(
                "{}: the answer is not understood: {shown}",
                self.label
            ))
            .with_status(self.status)
        })
    }

    /// The items of `{"count":n,"value":[…]}`, byte for byte. An answer without `value` is an error, never an empty list.
    pub fn values(&self) -> Result<Vec<&RawValue>> {
        self.json::<Listing<'_>>().map(|listing| listing.value)
    }

    pub(crate) fn content_type(&self) -> ContentType {
        ContentType::of(&self.headers)
    }
}

/// The body ended too early.
pub(crate) fn cut_short(label: &str, why: &str) -> Error {
    Error::new(
        Class::Malformed,
        "answer-cut-short",
        format!("{label}: the answer ended early: {why}"),
    )
    .hinted(
        "Run it again. If it happens at the same place, look for a proxy with a time or size limit.",
    )
}

pub(crate) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// A JSON text that does not end as it began was cut. Cheap: it looks at both ends only.
pub(crate) fn ends_as_it_began(body: &[u8]) -> bool {
    let body = without_bom(body).trim_ascii();
    match (body.first(), body.last()) {
        (None, _) | (_, None) => true,
        (Some(b'{'), last) => last == Some(&b'}') && body.len() > 1,
        (Some(b'['), last) => last == Some(&b']') && body.len() > 1,
        _ => true,
    }
}

/// What a body is by its declared type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContentType {
    Json,
    Html,
    Undeclared,
    Other,
}

impl ContentType {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
        else {
            return Self::Undeclared;
        };
        let essence = value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "text/html" | "application/xhtml+xml" => Self::Html,
            "application/json" | "text/json" => Self::Json,
            "" => Self::Undeclared,
            other if other.ends_with("+json") => Self::Json,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &'static [u8]) -> Answer {
        Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body),
            label: "GET dev/x".to_owned(),
        }
    }

    #[test]
    fn values_are_byte_for_byte() {
        let answer =
            answer(b"\xef\xbb\xbf{\"count\":2,\"value\":[{\"b\": 1.0,\"a\":\"\\u00fc\"}, [ ]]}");
        let values: Vec<_> = answer
            .values()
            .unwrap()
            .into_iter()
            .map(RawValue::get)
            .collect();
        assert_eq!(values, ["{\"b\": 1.0,\"a\":\"\\u00fc\"}", "[ ]"]);
    }

    #[test]
    fn a_list_without_value_is_not_an_empty_list() {
        for body in [
            &b"{\"count\":0}"[..],
            b"{}",
            b"[]",
            b"null",
            b"{\"count\":1,\"value\":{\"Message\":\"no\"}}",
            b"<html>",
        ] {
            assert_eq!(
                answer(body).values().unwrap_err().code,
                "answer-not-understood"
            );
        }
        assert_eq!(
            answer(b"{\"count\":1,\"value\":[{}")
                .values()
                .unwrap_err()
                .code,
            "answer-cut-short"
        );
    }

    #[test]
    fn a_cut_is_seen_at_the_ends() {
        for whole in [
            &b""[..],
            b"{}",
            b" [1]\r\n",
            b"\"a\"",
            b"12",
            b"\xef\xbb\xbf{} ",
        ] {
            assert!(ends_as_it_began(whole));
        }
        for cut in [&b"{"[..], b"{\"a\":1", b"[", b"[{}", b"{\"a\":[1]"] {
            assert!(!ends_as_it_began(cut));
        }
    }
}
