//! Refusals and failures as problem details (RFC 9457).

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::next;
use model::Permission;
use serde::Serialize;
use utoipa::openapi::{ComponentsBuilder, ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema as _, ToSchema};

mod status;

use crate::api::CheckView;
use status::status_of;

/// Where the log says what an answer says too: nobody needs both who asks from within the process.
pub const TOLD: &str = "server::told";

/// A member or parameter of the request that is not right. What was sent is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// A query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    pub detail: String,
}

impl FieldError {
    pub fn pointer(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: Some(pointer.into()),
            parameter: None,
            detail: detail.into(),
        }
    }
}

/// Why a request was refused or failed. Its text is shown to people and never holds secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:keepward:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// What the code means.
    title: Cow<'static, str>,
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What happened this time.
    detail: String,
    /// Stable; `keepward explain CODE` tells more.
    code: Cow<'static, str>,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Names the request in the server's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// What was checked before it was refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckView>,
    /// Seconds to wait, for the header `Retry-After`.
    #[serde(skip)]
    retry_after: Option<u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// `code` is one of [`model::code::CODES`].
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        let code = code.into();
        let known = model::code::find(&code);
        let title = known.map_or_else(
            || status.canonical_reason().unwrap_or("Error"),
            |known| known.title,
        );
        Self {
            kind: format!("urn:keepward:{code}"),
            title: title.into(),
            status,
            detail: detail.into(),
            hint: known.map(|known| known.remedy.to_owned()),
            code,
            request_id: None,
            errors: Vec::new(),
            checks: Vec::new(),
            retry_after: None,
        }
    }

    /// The problem of a status when nothing more is known.
    pub(crate) fn of(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::UNAUTHORIZED => return Self::sign_in(),
            StatusCode::NOT_FOUND => return Self::no_such_path(),
            StatusCode::METHOD_NOT_ALLOWED => ("method-refused", "the path has other methods"),
            StatusCode::REQUEST_TIMEOUT => ("request-too-slow", "the request took too long"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("request-too-large", "the body is larger than the limit")
            }
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("request-not-json", "the body is to be application/json")
            }
            status if status.is_server_error() => (
                "server-error",
                "something is wrong with the server; its log says what",
            ),
            _ => ("request-malformed", "the request makes no sense"),
        };
        Self::new(status, code, detail)
    }

    /// The request makes no sense as a whole.
    pub fn refused(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// Members of the body are not right.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail = errors.iter().map(|error| match &error.pointer {
            Some(pointer) if !pointer.is_empty() => format!("{pointer}: {}", error.detail),
            _ => error.detail.clone(),
        });
        let detail = detail.collect::<Vec<_>>().join("; ");
        Self {
            errors,
            ..Self::refused("request-refused", detail)
        }
    }

    /// One member of the body is not right; `pointer` as `/selection/projects/0`.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError::pointer(pointer, detail)])
    }

    /// A query parameter is not right.
    pub fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            errors: vec![FieldError {
                pointer: None,
                parameter: Some(name.to_owned()),
                detail: detail.clone(),
            }],
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "request-malformed",
                format!("{name}: {detail}"),
            )
        }
    }

    pub fn conflict(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// Something behind the server is away.
    pub fn unavailable(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }

    pub fn not_found(code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(crate) fn no_such_path() -> Self {
        Self::not_found("path-unknown", "the interface has no such path")
    }

    pub fn sign_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "sign-in-needed",
            "nobody is signed in",
        )
    }

    pub fn forbidden(needs: Permission) -> Self {
        let name = serde_json::to_value(needs).ok();
        let name = name
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or("");
        Self::new(
            StatusCode::FORBIDDEN,
            "role-missing",
            format!("this needs the permission {name}"),
        )
    }

    /// Too many; `seconds` until it is worth trying again.
    pub fn slow_down(detail: impl Into<String>, seconds: u64) -> Self {
        let code = "too-many-requests";
        Self::new(StatusCode::TOO_MANY_REQUESTS, code, detail).after(seconds)
    }

    /// Until it is worth trying again.
    #[must_use]
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    pub fn code(&self) -> &str {
        &self.code
    }

    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// An error of ours: logged here, once, since the answer does not tell it.
    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request failed");
        Self::of(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn from_error(
        error: &(dyn std::error::Error + 'static),
        code: Option<&str>,
        hint: Option<&str>,
    ) -> Self {
        let Some(code) = code else {
            return Self::internal(error);
        };
        let status = status_of(code);
        if status.is_server_error() {
            tracing::error!(target: TOLD, error, code, "a request failed");
        }
        let problem = Self::new(status, code.to_owned(), error.to_string());
        match hint {
            Some(hint) => problem.hinted(hint),
            None => problem,
        }
    }

    /// Gives a problem the request's id, and makes one of an error status that has no document.
    pub(crate) fn dress(mut response: Response, request_id: &str) -> Response {
        let status = response.status();
        let problem = match response.extensions_mut().remove::<Self>() {
            Some(problem) => problem,
            None if is_bare(&response) => Self::of(status),
            None => return response,
        };
        let problem = Self {
            request_id: Some(request_id.to_owned()),
            ..problem
        };
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        Response::from_parts(parts, problem.body())
    }

    fn body(&self) -> Body {
        serde_json::to_vec(self).map_or_else(|_| Body::empty(), Body::from)
    }
}

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// An error as extractors and layers of others make it: plain text or nothing.
fn is_bare(response: &Response) -> bool {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let text = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (status.is_client_error() || status.is_server_error()) && text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<catalog::Error> for Problem {
    fn from(error: catalog::Error) -> Self {
        Self::from_error(&error, error.code(), next::after_catalog(&error))
    }
}

impl From<control::Error> for Problem {
    fn from(error: control::Error) -> Self {
        let mut problem = Self::from_error(&error, error.code(), error.hint().as_deref());
        if let control::Error::Unfit { checks, .. } = error {
            problem.checks = checks.into_iter().map(CheckView::of).collect();
        }
        problem
    }
}

impl From<repository::Error> for Problem {
    fn from(error: repository::Error) -> Self {
        let hint = next::after_repository(&error);
        Self::from_error(&error, Some(error.code()), hint.as_deref())
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        Self::from_error(&error, Some(error.code), error.hint.as_deref())
    }
}

/// The problems that any operation may answer with; named once in each operation's `responses(…)`.
pub struct Refusals;

const REFUSALS: [(StatusCode, &str, &str); 12] = [
    (
        StatusCode::BAD_REQUEST,
        "Malformed",
        "The request makes no sense.",
    ),
    (
        StatusCode::UNAUTHORIZED,
        "SignInNeeded",
        "Nobody is signed in.",
    ),
    (
        StatusCode::FORBIDDEN,
        "Forbidden",
        "The caller's roles do not have the permission.",
    ),
    (
        StatusCode::NOT_FOUND,
        "NotFound",
        "It does not exist, or the caller does not reach it.",
    ),
    (
        StatusCode::REQUEST_TIMEOUT,
        "TooSlow",
        "The request took too long.",
    ),
    (
        StatusCode::CONFLICT,
        "Conflict",
        "It contradicts what is there or what is going on.",
    ),
    (
        StatusCode::PAYLOAD_TOO_LARGE,
        "TooLarge",
        "The body is larger than the limit.",
    ),
    (
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "NotJson",
        "The body is to be application/json.",
    ),
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        "Refused",
        "Well-formed, but it cannot be done; `errors` names members.",
    ),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "TooMany",
        "Too many requests; `Retry-After` says when to come again.",
    ),
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "ServerError",
        "Something is wrong with the server.",
    ),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Unavailable",
        "A service or storage behind the server is away.",
    ),
];

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        REFUSALS
            .iter()
            .map(|(status, name, _)| {
                let reference = Ref::from_response_name(*name);
                (status.as_u16().to_string(), RefOr::Ref(reference))
            })
            .collect()
    }
}

/// What [`Refusals`] refers to.
pub(crate) fn components(builder: ComponentsBuilder) -> ComponentsBuilder {
    let mut schemas = vec![("Problem".to_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    REFUSALS.iter().fold(
        builder.schemas_from_iter(schemas),
        |builder, (_, name, words)| {
            let schema = Some(Ref::from_schema_name("Problem"));
            let content = ContentBuilder::new().schema(schema).build();
            let response = ResponseBuilder::new()
                .description(*words)
                .content("application/problem+json", content)
                .build();
            builder.response(*name, response)
        },
    )
}
