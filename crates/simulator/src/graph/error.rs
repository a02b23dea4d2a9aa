//! Errors in the form of Microsoft Graph.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, StatusCode};
use serde_json::json;
use uuid::Uuid;

use crate::faults::{Fault, Rule};
use crate::server::Reply;

/// The names of a request: the service's own, and the one that the client gave it.
pub(super) struct Names {
    request: String,
    client: String,
}

impl Names {
    /// Of a request with the headers. A client that gives none gets the service's.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let request = Uuid::new_v5(&Uuid::NAMESPACE_OID, &count.to_be_bytes()).to_string();
        let sent = headers.get("client-request-id");
        let client = sent.and_then(|sent| sent.to_str().ok());
        Self {
            client: client.unwrap_or(&request).to_owned(),
            request,
        }
    }

    /// In the headers of an answer.
    pub(super) fn put(&self, reply: Reply) -> Reply {
        reply
            .header("request-id", &self.request)
            .header("client-request-id", &self.client)
    }
}

#[derive(Debug)]
pub(super) struct GraphError {
    pub status: StatusCode,
    pub code: &'static str,
    pub message: String,
    headers: Vec<(&'static str, String)>,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            headers: Vec::new(),
        }
    }

    pub(super) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    pub(super) fn item_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "itemNotFound",
            "The resource could not be found.",
        )
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    pub(super) fn no_segment(segment: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BadRequest",
            format!("Resource not found for the segment '{segment}'."),
        )
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message).with_header(
            "www-authenticate",
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
        )
    }

    pub(super) fn method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    pub(super) fn internal(message: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "generalException",
            message.to_string(),
        )
    }

    pub(super) fn throttled(seconds: u64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequests",
            "Too many requests.",
        )
        .with_header("retry-after", seconds.to_string())
    }

    /// The answer without the headers that name it.
    pub(super) fn into_reply(self, names: &Names) -> Reply {
        let reply = Reply::json(json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": "2026-01-05T08:00:00",
                "request-id": names.request,
                "client-request-id": names.client,
            },
        }}))
        .with_status(self.status);
        self.headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.header(name, value))
    }
}

/// The answer of a fault in place of the real one.
pub(crate) fn fault(rule: &Rule) -> Option<Reply> {
    let error = match rule.fault {
        Fault::Throttled => GraphError::throttled(rule.retry_after.unwrap_or(1)),
        Fault::EmptyList => {
            GraphError::unauthorized("Access token has expired or is not yet valid.")
        }
        Fault::Forbidden => denied(),
        Fault::Internal => GraphError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "generalException",
            "An internal server error occurred.",
        ),
        Fault::Stopped => GraphError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "serviceNotAvailable",
            "The service is temporarily unavailable.",
        )
        .with_header("retry-after", rule.retry_after.unwrap_or(1).to_string()),
        _ => return rule.instead(),
    };
    let names = Names::of(&HeaderMap::new());
    Some(names.put(error.into_reply(&names)))
}

pub(super) fn denied() -> GraphError {
    GraphError::new(
        StatusCode::FORBIDDEN,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
}
