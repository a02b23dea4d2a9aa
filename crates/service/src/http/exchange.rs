//! Sending: attempts, redirects, and what an answer means.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use model::Class;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, COOKIE, HeaderMap, HeaderValue, LOCATION, TRANSFER_ENCODING};
use reqwest::{Method, Response, StatusCode, Url};

use super::address::{is_sign_in, shown};
use super::answer::{Answer, ContentType, cut_short, ends_as_it_began, without_bom};
use super::backoff::{self, Repeat, Trouble};
use super::body::Body;
use super::call::{Payload, Request};
use super::classify::Refusal;
use super::client::Client;
use super::fault::Fault;
use super::signals::Signals;
use crate::{Error, Result};

/// Of the body of a refusal.
const MOST_FAULT: usize = 64 << 10;
const MOST_REDIRECTS: usize = 5;

enum Wanted {
    Answer,
    Body,
}

enum Got {
    Answer(Answer),
    Body(Body),
}

pub(crate) async fn send(client: &Client, request: &Request) -> Result<Answer> {
    match exchange(client, request, &Wanted::Answer).await? {
        Got::Answer(answer) => Ok(answer),
        Got::Body(_) => Err(Error::malformed(format!("{}: a stream came for an answer", request.label))),
    }
}

pub(crate) async fn open(client: &Client, request: &Request) -> Result<Body> {
    match exchange(client, request, &Wanted::Body).await? {
        Got::Body(body) => Ok(body),
        Got::Answer(_) => Err(Error::malformed(format!("{}: an answer came for a stream", request.label))),
    }
}

async fn exchange(client: &Client, request: &Request, wanted: &Wanted) -> Result<Got> {
    let inner = &client.inner;
    let mut attempt = 1;
    loop {
        let (permit, waited) = inner.gate.enter().await;
        inner.counters.waited(waited);
        let result = Box::pin(one(client, request, wanted)).await;
        drop(permit);
        let trouble = match result {
            Ok(got) => return Ok(got),
            Err(trouble) => trouble,
        };
        tracing::debug!(attempt, error = %trouble.error, "request failed");
        if !trouble.repeat.allows(attempt, inner.attempts, request.safe) {
            return Err(trouble.error);
        }
        let pause = backoff::pause(attempt, inner.max_wait);
        if trouble.error.class == Class::Throttled {
            if let Some(pause) = inner.gate.refused(pause) {
                inner.announce(pause, "the service asks to slow down");
            }
        } else {
            if pause > Duration::from_secs(1) {
                inner.announce(pause, &trouble.error.message);
            }
            tokio::time::sleep(pause).await;
            inner.counters.waited(pause);
        }
        attempt += 1;
    }
}

/// One attempt, redirects included.
async fn one(client: &Client, request: &Request, wanted: &Wanted) -> Result<Got, Trouble> {
    let mut url = request.url.clone();
    for hop in 0..=MOST_REDIRECTS {
        let response = transmit(client, request, &url, hop > 0).await?;
        let status = response.status();
        if request.expect.contains(&status.as_u16()) || !is_redirect(status) {
            return understand(client, request, response, wanted).await;
        }
        let location = response.headers().get(LOCATION).and_then(|value| url.join(value.to_str().ok()?).ok());
        url = match location {
            Some(location) if !is_sign_in(&location) && may_follow(request, &url, &location) => location,
            location => return Err(refuse(client, request, response, location.as_ref().is_some_and(is_sign_in)).await),
        };
    }
    Err(Trouble::new(Repeat::Never, Error::malformed(format!("{}: it is redirected without end", request.label))))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Only what reads is sent elsewhere, and nothing moves from an encrypted to a plain connection.
fn may_follow(request: &Request, from: &Url, to: &Url) -> bool {
    matches!(request.method, Method::GET | Method::HEAD) && (to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http"))
}

/// Sends one HTTP request and takes note of what the answer's headers say about the budget.
async fn transmit(client: &Client, request: &Request, url: &Url, redirected: bool) -> Result<Response, Trouble> {
    let inner = &client.inner;
    let trusted = inner.trusts(url);
    let mut message = reqwest::Request::new(request.method.clone(), url.clone());
    *message.headers_mut() = headers(client, request, trusted, redirected && !super::address::same_origin(url, &request.url));
    match &request.payload {
        Payload::None => {}
        Payload::Bytes(bytes) => *message.body_mut() = Some(bytes.clone().into()),
        Payload::File(path) => {
            let unreadable = |error: std::io::Error| {
                Trouble::new(Repeat::Never, Error::storage(format!("{}: the file to send cannot be read", request.label)).caused_by(error))
            };
            let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
            let length = file.metadata().await.map_err(unreadable)?.len();
            message.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            *message.body_mut() = Some(file.into());
        }
    }
    client.counter.request();
    let response = inner.pool.execute(message).await.map_err(|error| unsent(client, request, url, error))?;
    if trusted {
        let signals = Signals::read(response.headers());
        if let Some(pause) = inner.gate.observe(&signals) {
            inner.announce(pause, &format!("the service asked for a pause ({})", response.status().as_u16()));
        }
    }
    Ok(response)
}

fn headers(client: &Client, request: &Request, trusted: bool, elsewhere: bool) -> HeaderMap {
    let mut headers = request.headers.clone();
    if elsewhere {
        headers.remove(AUTHORIZATION);
        headers.remove(COOKIE);
    }
    let fallback = if trusted { "application/json" } else { "*/*" };
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static(fallback));
    if trusted {
        headers.entry(AUTHORIZATION).or_insert_with(|| client.inner.authorization.clone());
        headers.insert("x-tfs-fedauthredirect", HeaderValue::from_static("Suppress"));
        headers.insert("x-vss-forcemsapassthrough", HeaderValue::from_static("true"));
        headers.insert("x-tfs-session", client.inner.session.clone());
    }
    headers
}

/// No answer came.
fn unsent(client: &Client, request: &Request, url: &Url, error: reqwest::Error) -> Trouble {
    let label = &request.label;
    let error = error.without_url();
    let (repeat, what) = if error.is_connect() {
        (Repeat::Always, format!("{label}: cannot connect to {}", shown(&url.join("/").unwrap_or_else(|_| url.clone()))))
    } else if error.is_timeout() {
        (Repeat::IfSafe, format!("{label}: no answer within {} s", client.inner.timeout.as_secs_f64().ceil()))
    } else if error.is_builder() {
        (Repeat::Never, format!("{label}: the request cannot be sent"))
    } else {
        (Repeat::IfSafe, format!("{label}: the connection closed before an answer came"))
    };
    let error = Error::new(Class::Transient, "service-unavailable", what).hinted("check the network and the service's status page").caused_by(error);
    Trouble::new(repeat, error)
}

/// Decides whether the answer is what was asked for.
async fn understand(client: &Client, request: &Request, response: Response, wanted: &Wanted) -> Result<Got, Trouble> {
    let status = response.status();
    let trusted = client.inner.trusts(response.url());
    let content = ContentType::of(response.headers());
    let file = response.headers().contains_key(CONTENT_DISPOSITION);
    let asked_for_html = request.headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let sign_in = content == ContentType::Html && !file && !asked_for_html && status.is_success();
    if !request.expect.contains(&status.as_u16()) || sign_in {
        let sign_in = sign_in || status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
        return Err(refuse(client, request, response, sign_in).await);
    }
    match wanted {
        Wanted::Answer => {
            let answer = buffer(client, request, response).await?;
            accept(client, trusted, status);
            Ok(Got::Answer(answer))
        }
        Wanted::Body => {
            let mut body = Body::new(response, std::sync::Arc::clone(&client.counter), request.label.clone());
            if !file && matches!(content, ContentType::Json | ContentType::Undeclared) {
                let start = body.peek().await.map_err(|error| Trouble::new(Repeat::IfSafe, error))?;
                if let Some(trouble) = not_a_file(client, request, status, start, content) {
                    return Err(trouble);
                }
            }
            accept(client, trusted, status);
            Ok(Got::Body(body))
        }
    }
}

fn accept(client: &Client, trusted: bool, status: StatusCode) {
    if trusted && status.is_success() {
        client.inner.accepted.store(true, Relaxed);
    }
}

/// A sign-in page or the service's error document where a file was asked for.
fn not_a_file(client: &Client, request: &Request, status: StatusCode, start: &[u8], content: ContentType) -> Option<Trouble> {
    let head = without_bom(start).trim_ascii_start();
    let begins = |mark: &[u8]| head.get(..mark.len()).is_some_and(|head| head.eq_ignore_ascii_case(mark));
    if content == ContentType::Undeclared && (begins(b"<!doctype html") || begins(b"<html")) {
        return Some(judge(client, request, status, &HeaderMap::new(), &[], true, true));
    }
    let holds = |mark: &[u8]| head.windows(mark.len()).take(4096).any(|window| window == mark);
    if begins(b"{") && holds(b"\"$id\"") && holds(b"\"typeKey\"") {
        let fault = Fault::read(&HeaderMap::new(), start, false);
        let said = client.inner.redactor.clean(fault.message.as_deref().unwrap_or("an error document"));
        let error = Error::malformed(format!("{}: an error came instead of the content: {said}", request.label)).with_status(status.as_u16());
        return Some(Trouble::new(Repeat::IfSafe, error.caused_by(fault)));
    }
    None
}

async fn refuse(client: &Client, request: &Request, mut response: Response, sign_in: bool) -> Trouble {
    let mut body = BytesMut::new();
    // A refusal whose body breaks off is still that refusal.
    while let Ok(Some(bytes)) = response.chunk().await {
        client.counter.received(&bytes);
        body.extend_from_slice(&bytes);
        if body.len() > MOST_FAULT {
            break;
        }
    }
    let trusted = client.inner.trusts(response.url());
    judge(client, request, response.status(), response.headers(), &body, sign_in, trusted)
}

fn judge(client: &Client, request: &Request, status: StatusCode, headers: &HeaderMap, body: &[u8], sign_in: bool, trusted: bool) -> Trouble {
    let inner = &client.inner;
    let mut fault = Fault::read(headers, body, ContentType::of(headers) == ContentType::Html);
    fault.message = fault.message.map(|message| inner.redactor.clean(&message));
    for name in ["activityid", "x-vss-e2eid"] {
        if let Some(id) = headers.get(name).and_then(|value| value.to_str().ok()) {
            tracing::debug!(request = request.label, status = status.as_u16(), id, "the service's trace of a refusal");
        }
    }
    let retry_after = Signals::read(headers).retry_after.is_some();
    Refusal {
        label: &request.label,
        status,
        fault: &fault,
        sign_in,
        foreign: !trusted,
        retry_after,
        complained: inner.gate.complained(),
        accepted: inner.was_accepted(),
        reads: request.safe,
    }
    .judge()
}

/// The whole body, proved to be whole as far as its framing and form can.
async fn buffer(client: &Client, request: &Request, mut response: Response) -> Result<Answer, Trouble> {
    let inner = &client.inner;
    let label = &request.label;
    let status = response.status().as_u16();
    let too_large = || {
        let error = Error::new(Class::Malformed, "body-too-large", format!("{label}: the answer is larger than {} bytes", inner.max_body));
        Trouble::new(Repeat::Never, error.with_status(status))
    };
    let announced = response.content_length();
    if announced.is_some_and(|length| length > inner.max_body) && request.method != Method::HEAD {
        return Err(too_large());
    }
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(bytes)) => {
                client.counter.received(&bytes);
                if whole.is_empty() && first.is_none() {
                    first = Some(bytes);
                    continue;
                }
                if let Some(first) = first.take() {
                    whole.reserve(announced.map_or(first.len() * 4, |length| length as usize).min(16 << 20));
                    whole.extend_from_slice(&first);
                }
                whole.extend_from_slice(&bytes);
                if whole.len() as u64 > inner.max_body {
                    return Err(too_large());
                }
            }
            Err(error) => {
                let why = if error.is_timeout() { "no byte came for too long" } else { "the connection closed" };
                let error = cut_short(label, why).with_status(status).caused_by(error.without_url());
                return Err(Trouble::new(Repeat::IfSafe, error));
            }
        }
    }
    let headers = std::mem::take(response.headers_mut());
    let body = first.unwrap_or_else(|| whole.freeze());
    let answer = Answer { status, headers, body, label: label.clone() };
    if answer.content_type() == ContentType::Json && is_cut(&answer) {
        return Err(Trouble::new(Repeat::IfSafe, cut_short(label, "the JSON document has no end").with_status(status)));
    }
    Ok(answer)
}

fn is_cut(answer: &Answer) -> bool {
    if !ends_as_it_began(&answer.body) {
        return true;
    }
    // Where the connection's end is the body's end, only the document itself tells.
    let framed = answer.headers.contains_key(CONTENT_LENGTH) || answer.headers.contains_key(TRANSFER_ENCODING);
    !framed
        && !answer.body.is_empty()
        && serde_json::from_slice::<serde::de::IgnoredAny>(without_bom(&answer.body)).is_err_and(|error| error.is_eof())
}
