//! One request being put together.

use std::path::PathBuf;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::Serialize;

use super::answer::Answer;
use super::body::Body;
use super::client::Client;
use super::exchange;
use crate::{Error, Result};

/// A request that is not sent yet. Mistakes in its parts surface when it is sent.
#[must_use = "a call does nothing until it is sent"]
pub struct Call<'a> {
    client: &'a Client,
    request: Result<Request>,
}

pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// Names the request in messages: method, host and path.
    pub(crate) label: String,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) safe: bool,
    pub(crate) expect: &'static [u16],
}

pub(crate) enum Payload {
    None,
    Bytes(Bytes),
    /// Opened anew for each attempt.
    File(PathBuf),
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, method: Method, url: Result<Url>, label: String) -> Self {
        let safe = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
        let request = url.map(|url| Request {
            method,
            url,
            label,
            headers: HeaderMap::new(),
            payload: Payload::None,
            safe,
            expect: &[200, 201, 202, 204],
        });
        Self { client, request }
    }

    fn change(mut self, change: impl FnOnce(&mut Request) -> Result<()>) -> Self {
        if let Ok(request) = &mut self.request
            && let Err(error) = change(request)
        {
            self.request = Err(error);
        }
        self
    }

    /// Appends a parameter; it is encoded here.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers pass numbers and temporaries"
    )]
    pub fn query(self, name: &str, value: impl ToString) -> Self {
        self.change(|request| {
            request
                .url
                .query_pairs_mut()
                .append_pair(name, &value.to_string());
            Ok(())
        })
    }

    /// Asks for JSON of this version of the API.
    pub fn version(self, version: &str) -> Self {
        self.accept(&format!("application/json;api-version={version}"))
    }

    pub fn accept(self, content_type: &str) -> Self {
        self.header(ACCEPT.as_str(), content_type)
    }

    /// Replaces a header. An `Authorization` of the caller's own is sent in place of the client's, and not after a redirect to another host.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|request| {
            let unfit = || {
                Error::malformed(format!(
                    "{}: the header `{name}` cannot be sent",
                    request.label
                ))
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
            value.set_sensitive(name == reqwest::header::AUTHORIZATION);
            request.headers.insert(name, value);
            Ok(())
        })
    }

    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(error) => self.change(|request| {
                Err(
                    Error::malformed(format!("{}: the body cannot be written", request.label))
                        .caused_by(error),
                )
            }),
        }
    }

    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
            .change(|request| {
                request.payload = Payload::Bytes(body);
                Ok(())
            })
    }

    /// Sends the content of a file without holding it in memory.
    pub fn file(self, content_type: &str, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
            .change(|request| {
                request.payload = Payload::File(path);
                Ok(())
            })
    }

    /// It changes nothing, or the same however often it is sent: it may be repeated when its fate is unclear.
    pub fn safe(self) -> Self {
        self.change(|request| {
            request.safe = true;
            Ok(())
        })
    }

    /// The statuses of success; other ones are errors. 200, 201, 202 and 204 unless said otherwise.
    pub fn expect(self, statuses: &'static [u16]) -> Self {
        self.change(|request| {
            request.expect = statuses;
            Ok(())
        })
    }

    /// Sends it and reads the whole body into memory.
    pub async fn send(self) -> Result<Answer> {
        exchange::send(self.client, &self.request?).await
    }

    /// Sends it and gives the body as a stream; what breaks within the stream is not repeated.
    pub async fn open(self) -> Result<Body> {
        exchange::open(self.client, &self.request?).await
    }
}
