//! `Idempotency-Key`: a write that is sent twice, because its answer was lost, is done once and answered alike.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use catalog::Earlier;
use jiff::Timestamp;
use model::{Permission, Secret};
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::access::Caller;
use crate::{Problem, Server, extract};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPEATED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longer keys are no keys.
const LONGEST: usize = 255;
/// Answers that are larger are not kept: writes answer with one document.
const LARGEST: usize = 1 << 20;

/// Longer than any change takes: one that has not ended by then was killed with the server.
const PATIENCE: Duration = Duration::from_hours(1);

/// An answer as it is kept, with what the caller was allowed when it came. Cookies and the like are for the one who asked first.
#[derive(Serialize, Deserialize)]
struct Kept {
    permissions: BTreeSet<Permission>,
    connectors: Option<BTreeSet<String>>,
    status: u16,
    content_type: Option<String>,
    location: Option<String>,
    body: String,
}

/// Who asked with which key, and when.
struct Asked {
    caller: Caller,
    /// [`Caller::identity`]
    who: String,
    key: String,
    begun: Timestamp,
}

/// The layer; it needs to know the caller. Requests without caller or key pass.
pub(crate) async fn once(State(server): State<Server>, request: Request, next: Next) -> Response {
    match ask(server, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn ask(server: Server, request: Request, next: Next) -> Result<Response, Problem> {
    let Some((caller, key)) = named(&request)? else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &server)
        .await
        .map_err(extract::body)?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(&body);
    let asked = Asked {
        who: caller.identity(),
        caller,
        key,
        begun: server.control.clock.now(),
    };
    if let Some(answer) = asked.before(&server, &hash.finalize()).await? {
        return Ok(answer);
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    asked.after(&server, response).await
}

fn named(request: &Request) -> Result<Option<(Caller, String)>, Problem> {
    let writes = [Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let (Some(caller), Some(key)) = (
        request.extensions().get::<Caller>(),
        request.headers().get(KEY),
    ) else {
        return Ok(None);
    };
    if !writes.contains(request.method()) {
        return Ok(None);
    }
    match key.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST => {
            Ok(Some((caller.clone(), key.to_owned())))
        }
        _ => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "request-malformed",
            format!("Idempotency-Key: 1 to {LONGEST} visible characters"),
        )),
    }
}

impl Asked {
    async fn before(&self, server: &Server, hash: &[u8]) -> Result<Option<Response>, Problem> {
        let control = &server.control;
        let earlier = control
            .catalog
            .begin_answer(
                &control.kek,
                &self.who,
                &self.key,
                hash,
                self.begun,
                PATIENCE,
            )
            .await?;
        match earlier {
            Earlier::Nothing => Ok(None),
            Earlier::AtWork => Err(Problem::conflict(
                "idempotency-busy",
                "the first request with this key has not ended yet",
            )),
            Earlier::Another => Err(Problem::refused(
                "idempotency-reused",
                "the key was used for another request",
            )),
            Earlier::Answered(kept) => repeat(&kept, &self.caller).map(Some),
        }
    }

    /// A refusal had no effect, so it is not kept: the same request may succeed later.
    async fn after(&self, server: &Server, response: Response) -> Result<Response, Problem> {
        let control = &server.control;
        if !response.status().is_success() {
            control
                .catalog
                .drop_answer(&self.who, &self.key, self.begun)
                .await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, LARGEST).await else {
            tracing::error!("the answer to a write is too large to keep");
            return Err(Problem::of(StatusCode::INTERNAL_SERVER_ERROR));
        };
        let text = |name: HeaderName| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let kept = Kept {
            permissions: self.caller.permissions(),
            connectors: self.caller.connectors.clone(),
            status: parts.status.as_u16(),
            content_type: text(header::CONTENT_TYPE),
            location: text(header::LOCATION),
            body: String::from_utf8_lossy(&body).into_owned(),
        };
        if let Ok(kept) = serde_json::to_string(&kept) {
            let kept = Secret::new(kept);
            control
                .catalog
                .keep_answer(
                    &control.kek,
                    &self.who,
                    &self.key,
                    self.begun,
                    &kept,
                    &mut rand::make_rng::<StdRng>(),
                )
                .await?;
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

/// The answer once more, for a caller who still has all that it had: an answer may hold a secret, and the handler's own checks are not made
/// again.
fn repeat(kept: &Secret, caller: &Caller) -> Result<Response, Problem> {
    let damaged = || Problem::of(StatusCode::INTERNAL_SERVER_ERROR);
    let kept: Kept = serde_json::from_str(kept.expose()).map_err(|_| damaged())?;
    if !caller.has(&kept.permissions, kept.connectors.as_ref()) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "role-missing",
            "this account or token may do less than when it sent the request: the answer is not repeated",
        ));
    }
    let mut response = Response::new(Body::from(kept.body));
    *response.status_mut() = StatusCode::from_u16(kept.status).map_err(|_| damaged())?;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kept.content_type),
        (header::LOCATION, kept.location),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPEATED, HeaderValue::from_static("true"));
    Ok(response)
}
