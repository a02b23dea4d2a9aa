//! The reporting streams: pages of records with a token that is also the place to go on from next time.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::Answer;
use service::{Client, Error, Result};

use crate::api::{DEV, STABLE};

/// One of the streams; always of the whole organization.
pub(super) struct Stream {
    path: &'static str,
    query: &'static [(&'static str, &'static str)],
}

/// Without `$expand=fields` long texts are missing. The server cuts the page size to its own limit.
pub(super) static REVISIONS: Stream = Stream {
    path: "/_apis/wit/reporting/workitemrevisions",
    query: &[
        ("$expand", "fields"),
        ("includeDeleted", "true"),
        ("includeIdentityRef", "true"),
        ("includeTagRef", "true"),
        ("$maxPageSize", "1000"),
    ],
};
pub(super) static LINKS: Stream = Stream {
    path: "/_apis/wit/reporting/workitemlinks",
    query: &[],
};
pub(super) static DISCUSSIONS: Stream = Stream {
    path: "/_apis/wit/reporting/workItemRevisions/discussions",
    query: &[("$maxPageSize", "1000")],
};

/// Where to begin. The service refuses a token together with a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    Anew,
    Token(String),
    Time(String),
}

impl Begin {
    /// At the token, if there is one.
    pub(super) fn at(token: Option<String>) -> Self {
        token.map_or(Self::Anew, Self::Token)
    }

    fn token(&self) -> Option<&str> {
        match self {
            Self::Token(token) => Some(token),
            Self::Anew | Self::Time(_) => None,
        }
    }
}

/// One answer of a stream.
#[derive(Deserialize)]
pub(super) struct Page<'a> {
    #[serde(borrow)]
    pub(super) values: Vec<&'a RawValue>,
    #[serde(borrow, rename = "continuationToken")]
    token: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "nextLink")]
    next: Option<Cow<'a, str>>,
    #[serde(rename = "isLastBatch")]
    last: bool,
}

impl Page<'_> {
    fn token(&self) -> Option<String> {
        let stated = self
            .token
            .as_deref()
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        stated.or_else(|| {
            let next = url::Url::parse(self.next.as_deref()?).ok()?;
            next.query_pairs()
                .find(|(name, _)| name.eq_ignore_ascii_case("continuationToken"))
                .map(|(_, token)| token.into_owned())
        })
    }
}

/// Reads one stream page by page.
pub(super) struct Reader<'a> {
    http: &'a Client,
    stream: &'static Stream,
    begin: Begin,
    /// Tokens that were followed: a service that gives one again would do so for ever.
    followed: HashSet<String>,
    /// The last page has been read; `nextLink` never disappears, so only `isLastBatch` tells.
    pub(super) done: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(http: &'a Client, stream: &'static Stream, begin: Begin) -> Self {
        Self {
            http,
            stream,
            followed: begin.token().map(str::to_owned).into_iter().collect(),
            begin,
            done: false,
        }
    }

    pub(super) async fn fetch(&self) -> Result<Answer> {
        let mut call = self.http.get(DEV, self.stream.path).version(STABLE);
        for (name, value) in self.stream.query {
            call = call.query(name, value);
        }
        call = match &self.begin {
            Begin::Anew => call,
            Begin::Token(token) => call.query("continuationToken", token),
            Begin::Time(time) => call.query("startDateTime", time),
        };
        call.send().await
    }

    /// Takes the place to go on from out of a page.
    pub(super) fn advance(&mut self, page: &Page<'_>) -> Result<()> {
        self.done = page.last;
        if let Some(token) = page.token() {
            if !page.last && !self.followed.insert(token.clone()) {
                return Err(Error::malformed(format!(
                    "{}: the stream goes in circles",
                    self.stream.path
                )));
            }
            self.begin = Begin::Token(token);
        } else if !page.last {
            return Err(Error::malformed(format!(
                "{}: a page that is not the last has no token",
                self.stream.path
            )));
        }
        Ok(())
    }

    /// The token for next time; `None` from a stream that is still empty.
    pub(super) fn token(&self) -> Option<String> {
        self.begin.token().map(str::to_owned)
    }
}

/// Whether a refusal means that the token is no longer good.
pub(super) fn is_expired(error: &Error) -> bool {
    matches!(error.status, Some(400 | 410)) && !error.is_fatal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_token_is_stated_or_in_the_next_link() {
        assert_eq!(
            page(r#"{"values":[],"continuationToken":"813;350;1","isLastBatch":true}"#)
                .token()
                .as_deref(),
            Some("813;350;1")
        );
        let link = r#"{"values":[],"nextLink":"https://dev.azure.com/c/_apis/wit/reporting/x?continuationToken=813%3B350%3B1&api-version=7.1","isLastBatch":false}"#;
        assert_eq!(page(link).token().as_deref(), Some("813;350;1"));
    }

    #[test]
    fn what_is_not_a_stream_is_not_an_empty_stream() {
        for body in [
            r#"{"count":0,"value":[]}"#,
            r#"{"values":[]}"#,
            r#"{"isLastBatch":true}"#,
        ] {
            assert!(serde_json::from_str::<Page<'_>>(body).is_err(), "{body}");
        }
    }

    #[test]
    fn a_token_that_comes_again_ends_the_stream() {
        let http = Client::new(service::http::Options {
            hosts: std::collections::BTreeMap::new(),
            auth: service::http::Auth::Pat(model::Secret::new("token")),
            user_agent: "test".to_owned(),
            attempts: 1,
            max_wait: std::time::Duration::ZERO,
            timeout: std::time::Duration::from_secs(1),
            max_body: 1,
            observer: None,
        })
        .unwrap();
        let mut reader = Reader::new(&http, &LINKS, Begin::Token("a".to_owned()));
        let mut advance = |token: &str, last: bool| {
            let text =
                format!(r#"{{"values":[],"continuationToken":"{token}","isLastBatch":{last}}}"#);
            reader.advance(&page(&text)).map(|()| reader.done)
        };
        assert!(!advance("b", false).unwrap());
        assert!(!advance("c", false).unwrap());
        for again in ["a", "b", "c"] {
            advance(again, false).unwrap_err();
        }
        assert!(advance("c", true).unwrap(), "nothing new at its end");
    }
}
