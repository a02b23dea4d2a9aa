//! What every request passes on its way in and out: an id, a time limit, one line in the log, headers, problems instead of bare statuses.

use std::any::Any;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures::{TryStreamExt as _, stream};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::{Options, Problem, Server};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request comes from: the peer, or whom a trusted proxy names. Absent in process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    pub address: IpAddr,
    /// Some proxy, trusted or not, passed the request on.
    pub forwarded: bool,
}

/// The request's id, for what is written about it elsewhere than in the log.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// The outermost layer.
pub(crate) async fn guard(
    State(server): State<Server>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = Uuid::new_v4().to_string();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    if let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() {
        let client = client(peer.ip(), request.headers(), &server.options);
        request.extensions_mut().insert(client);
    }
    request.extensions_mut().insert(RequestId(id.clone()));
    // At this level it is there whatever is logged: an answer that failed names its lines in the log.
    let span = tracing::error_span!("request", request = %id);
    let response = if method.is_safe() {
        let patience = server.options.request_timeout;
        let answered = tokio::time::timeout(patience, next.run(request).instrument(span)).await;
        answered.unwrap_or_else(|_| Problem::of(StatusCode::REQUEST_TIMEOUT).into_response())
    } else {
        to_its_end(&server, request, next).instrument(span).await
    };
    let mut response = Problem::dress(response, &id);
    let status = response.status().as_u16();
    server
        .counters
        .request(&method, &route, response.status(), begun.elapsed());
    let milliseconds = begun.elapsed().as_millis() as u64;
    tracing::info!(%method, %route, status, milliseconds, request = %id, "request");
    secure(response.headers_mut(), &server.options);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// A change that has begun ends in order and is in the audit log, also when nobody waits for the answer any more. Only its body must come in
/// time.
async fn to_its_end(server: &Server, request: Request, next: Next) -> Response {
    let request = request.map(|body| in_time(body, server.options.request_timeout));
    let answering = server.writes.spawn(next.run(request).in_current_span());
    answering.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change was broken off");
        Problem::of(StatusCode::INTERNAL_SERVER_ERROR).into_response()
    })
}

/// A body that has not come whole by then ends with an error.
fn in_time(body: Body, patience: Duration) -> Body {
    let end = tokio::time::Instant::now() + patience;
    let rest = body.into_data_stream();
    Body::from_stream(stream::try_unfold(rest, move |mut rest| async move {
        let next = tokio::time::timeout_at(end, rest.try_next()).await;
        let chunk = next.map_err(axum::Error::new)??;
        Ok::<_, axum::Error>(chunk.map(|chunk| (chunk, rest)))
    }))
}

/// The last address in `X-Forwarded-For` that is no proxy of ours: everything left of it could be invented.
fn client(peer: IpAddr, headers: &HeaderMap, options: &Options) -> ClientAddress {
    let trusted = |address: &IpAddr| {
        options
            .trusted_proxies
            .iter()
            .any(|net| net.contains(address))
    };
    let forwarded = headers.contains_key(FORWARDED_FOR) || headers.contains_key(header::FORWARDED);
    let mut address = peer.to_canonical();
    let named = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let named: Vec<&str> = named
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    for name in named.iter().rev() {
        if !trusted(&address) {
            break;
        }
        match name.parse::<IpAddr>() {
            Ok(further) => address = further.to_canonical(),
            Err(_) => break,
        }
    }
    ClientAddress { address, forwarded }
}

/// For answers that are not pages; a page sets its own policy.
fn secure(headers: &mut HeaderMap, options: &Options) {
    let https = options
        .public_url
        .as_ref()
        .is_some_and(|url| url.scheme() == "https");
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in fixed {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(year);
    }
}

/// A handler that panicked is an error of ours; what it said may hold anything and goes nowhere.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::of(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}
