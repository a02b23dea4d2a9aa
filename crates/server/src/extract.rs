//! Extractors whose refusals are problems. Names are those of axum, which is how the description finds them.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{FieldError, Problem};

/// A JSON body, in both directions.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "request-not-json",
                "the body is to be application/json",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(body)?;
        parse(&bytes).map(Self)
    }
}

fn is_json(request: &Request) -> bool {
    let sent = request.headers().get(header::CONTENT_TYPE);
    let sent = sent.and_then(|sent| sent.to_str().ok()).unwrap_or("");
    let essence = sent.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
pub(crate) fn body(rejection: BytesRejection) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            Problem::of(StatusCode::PAYLOAD_TOO_LARGE)
        }
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "request-malformed",
            "the body ended early or paused too long",
        ),
    }
}

/// Parses a body; a refusal names the member, and never repeats its value, which may be a secret in the wrong place.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let value = parsed.map_err(|error| {
        let at = pointer(error.path());
        let cause = error.into_inner();
        if cause.is_data() {
            let said = without_values(&cause.to_string());
            let missing = said
                .strip_prefix("missing field `")
                .and_then(|rest| rest.strip_suffix('`'));
            let at = missing.map_or_else(|| at.clone(), |name| format!("{at}/{}", escape(name)));
            Problem::fields(vec![FieldError::pointer(at, said)])
        } else {
            malformed(&cause)
        }
    })?;
    deserializer.end().map_err(|cause| malformed(&cause))?;
    Ok(value)
}

fn malformed(cause: &serde_json::Error) -> Problem {
    let (line, column) = (cause.line(), cause.column());
    Problem::new(
        StatusCode::BAD_REQUEST,
        "request-malformed",
        format!("the body is not JSON: line {line}, column {column}"),
    )
}

/// A path of serde as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.extend(["/", &index.to_string()]),
            Segment::Map { key } => text.extend(["/", &escape(key)]),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What serde says about a value, without the value.
fn without_values(said: &str) -> String {
    let said = said.rsplit_once(" at line ").map_or(said, |(said, _)| said);
    match said.split_once("expected ") {
        Some((before, expected)) if before.starts_with("unknown field") => {
            format!("unknown; expected {expected}")
        }
        Some((_, expected)) => format!("expected {expected}"),
        None if said.starts_with("missing field") || said.starts_with("duplicate field") => {
            said.to_owned()
        }
        None => "not a value that this member can have".to_owned(),
    }
}

/// Query parameters.
#[derive(Clone, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed = axum::extract::Query::from_request_parts(parts, state).await;
        match parsed {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let said = text
                    .split_once(": ")
                    .map_or(text.as_str(), |(_, said)| said);
                let (name, said) = said.split_once(": ").unwrap_or(("", said));
                Err(Problem::parameter(name, without_values(said)))
            }
        }
    }
}

/// Parts of the path; what cannot be one names nothing that exists.
#[derive(Clone, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed = axum::extract::Path::from_request_parts(parts, state).await;
        parsed
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::no_such_path())
    }
}
