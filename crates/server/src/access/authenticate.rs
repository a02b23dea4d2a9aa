//! From what a request presents to a caller: a session's cookie, or a token.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;

use super::ClientLine;
use super::caller::{Caller, CallerKind};
use super::cookie::Cookies;
use super::session::IDLE;
use super::{origin, token};
use crate::{Problem, Server};

/// What was presented and does not hold; operations for everyone do not look at it.
#[derive(Clone)]
pub(super) struct Presented(pub(super) Problem);

/// Uses are noted this often at most.
const COARSE: SignedDuration = SignedDuration::from_mins(1);

/// Puts the [`Caller`] into the request's extensions. One that is there already is of this process.
pub(crate) async fn authenticate(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(caller) = request.extensions().get::<Caller>().cloned() {
        return noted(&server, caller, request, next).await;
    }
    let headers = request.headers();
    let bearer = bearer(headers);
    let cookie = Cookies::new(&server.options).session(headers);
    let ambient = bearer.is_none() && cookie.is_some();
    if bearer.is_none()
        && let Err(problem) = origin::check(request.method(), headers, &server.options, ambient)
    {
        return problem.into_response();
    }
    let client = ClientLine::of_request(&request);
    if bearer.is_none() && cookie.is_none() {
        return next.run(request).await;
    }
    let found = presented(&server, bearer, cookie).await;
    if let Ok(Some((_, used))) = &found
        && let Err(problem) = used.note(&server).await
    {
        return problem.into_response();
    }
    match found.map(|found| found.map(|(caller, _)| caller)) {
        Ok(Some(caller)) => {
            let caller = caller.from(&client);
            request.extensions_mut().insert(caller.clone());
            noted(&server, caller, request, next).await
        }
        Ok(None) => {
            request
                .extensions_mut()
                .insert(Presented(Problem::sign_in()));
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Nothing is changed without a trace: what a handler did not name in the audit log is there by its method and path, and whoever watches hears that
/// something of its kind is another one now.
async fn noted(server: &Server, caller: Caller, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    // An answer that is repeated changed nothing this time.
    let repeated = response.headers().contains_key("idempotency-replayed");
    let changed = !method.is_safe()
        && caller.kind != CallerKind::Worker
        && response.status().is_success()
        && !repeated
        && !caller.trace.only_read.load(Ordering::Relaxed);
    if !changed {
        return response;
    }
    if !caller.trace.noted.load(Ordering::Relaxed) {
        let action = format!("request.{}", method.as_str().to_lowercase());
        let noted = server.audit(&caller, &action, &path, serde_json::json!({}));
        if let Err(problem) = noted.await {
            return problem.into_response();
        }
    }
    let mut parts = path.trim_start_matches("/api/v1").split('/');
    if let Some(topic) = parts.find(|part| !part.is_empty()) {
        // Which one it is would tell of connectors that a watcher does not reach.
        let what = serde_json::json!({});
        server.events.publish(topic, "", None, "changed", &what);
    }
    response
}

/// What follows `Bearer`; an `Authorization` of another kind proves nothing.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().unwrap_or("");
    let (scheme, secret) = value.split_once(' ').unwrap_or((value, ""));
    let secret = if scheme.eq_ignore_ascii_case("bearer") {
        secret.trim()
    } else {
        ""
    };
    Some(secret.to_owned())
}

/// What is to be noted of a use.
enum Use {
    /// Nothing: one was noted not long ago.
    Noted,
    Session(String),
    Token(String),
}

impl Use {
    async fn note(&self, server: &Server) -> Result<(), Problem> {
        let (catalog, now) = (&server.control.catalog, server.control.clock.now());
        match self {
            Self::Noted => {}
            Self::Session(id) => catalog.touch_session(id, now).await?,
            Self::Token(id) => catalog.touch_token(id, now).await?,
        }
        Ok(())
    }
}

async fn presented(
    server: &Server,
    bearer: Option<String>,
    cookie: Option<String>,
) -> Result<Option<(Caller, Use)>, Problem> {
    match (bearer, cookie) {
        (Some(bearer), _) => by_token(server, &bearer).await,
        (None, Some(cookie)) => by_session(server, &cookie).await,
        (None, None) => Ok(None),
    }
}

/// Who this caller is now, for an answer that goes on: `None` when they may not call any more. Counts as no use.
pub(crate) async fn still(
    server: &Server,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Option<Caller>, Problem> {
    if !matches!(caller.kind, CallerKind::Person | CallerKind::Token) {
        return Ok(Some(caller.clone()));
    }
    let cookie = Cookies::new(&server.options).session(headers);
    let found = presented(server, bearer(headers), cookie).await?;
    Ok(found.map(|(caller, _)| caller))
}

async fn by_session(server: &Server, secret: &str) -> Result<Option<(Caller, Use)>, Problem> {
    let catalog = &server.control.catalog;
    let now = server.control.clock.now();
    let Some((session, person)) = catalog.session(&token::digest(secret)).await? else {
        return Ok(None);
    };
    if person.disabled || session.expires <= now || session.seen + IDLE <= now {
        return Ok(None);
    }
    let used = if session.seen + COARSE <= now {
        Use::Session(session.id.clone())
    } else {
        Use::Noted
    };
    Ok(Some((Caller::person(person, session.id), used)))
}

async fn by_token(server: &Server, text: &str) -> Result<Option<(Caller, Use)>, Problem> {
    let catalog = &server.control.catalog;
    let now = server.control.clock.now();
    let Some(prefix) = token::prefix(text) else {
        return Ok(None);
    };
    let Some(proof) = catalog.token(prefix).await? else {
        return Ok(None);
    };
    let (token, owner) = (proof.token, proof.owner);
    if !token::same(&token::digest(text), &proof.hash) || owner.disabled || token.expires <= now {
        return Ok(None);
    }
    let used = if token.used.is_none_or(|used| used + COARSE <= now) {
        Use::Token(token.id.clone())
    } else {
        Use::Noted
    };
    let connectors = match (owner.connectors, token.connectors) {
        (Some(owned), Some(scoped)) => Some(owned.intersection(&scoped).cloned().collect()),
        (owned, scoped) => owned.or(scoped),
    };
    let caller = Caller {
        name: format!("{}/{}", owner.name, token.name),
        kind: CallerKind::Token,
        roles: owner.roles,
        connectors,
        person: Some(owner.id),
        proof: Some(token.id),
        scopes: Some(token.permissions),
        address: None,
        request: None,
        trace: Arc::default(),
    };
    Ok(Some((caller, used)))
}
