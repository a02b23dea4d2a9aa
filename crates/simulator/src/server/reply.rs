//! An answer before it becomes an HTTP response.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use super::ApiError;

pub(crate) enum Body {
    Empty,
    Bytes(Bytes),
    /// Length unknown: sent chunked.
    Stream(axum::body::Body),
}

pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
}

impl Reply {
    pub(crate) fn status(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::Empty,
        }
    }

    pub(crate) fn no_content() -> Self {
        Self::status(StatusCode::NO_CONTENT)
    }

    /// 200 with a JSON document.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the document for this answer"
    )]
    pub(crate) fn json(document: Value) -> Self {
        Self::serialized(&document)
    }

    /// 200 with a document that is written without an intermediate `Value`.
    pub(crate) fn serialized(document: &impl Serialize) -> Self {
        match serde_json::to_vec(document) {
            Ok(bytes) => Self::json_bytes(bytes),
            Err(error) => ApiError::internal(error).into_reply(),
        }
    }

    pub(crate) fn json_bytes(bytes: impl Into<Bytes>) -> Self {
        Self::bytes("application/json; charset=utf-8", bytes)
    }

    /// `{"count": n, "value": [...]}`.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers make the list for this answer"
    )]
    pub(crate) fn list(value: Vec<Value>) -> Self {
        Self::json(json!({"count": value.len(), "value": value}))
    }

    pub(crate) fn bytes(content_type: &str, bytes: impl Into<Bytes>) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Body::Bytes(bytes.into()),
        }
        .header("content-type", content_type)
    }

    pub(crate) fn stream(content_type: &str, body: axum::body::Body) -> Self {
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Body::Stream(body),
        }
        .header("content-type", content_type)
    }

    /// The body as JSON; `null` if there is none.
    pub(crate) fn document(&self) -> Result<Value, ApiError> {
        match &self.body {
            Body::Bytes(bytes) => serde_json::from_slice(bytes).map_err(ApiError::internal),
            Body::Empty | Body::Stream(_) => Ok(Value::Null),
        }
    }

    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds a header; a value that HTTP cannot carry is percent-encoded.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<str>) -> Self {
        let encoded = || {
            percent_encoding::utf8_percent_encode(value.as_ref(), percent_encoding::CONTROLS)
                .to_string()
        };
        let value =
            HeaderValue::from_str(value.as_ref()).or_else(|_| HeaderValue::from_str(&encoded()));
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
            self.headers.append(name, value);
        }
        self
    }
}
