//! Whether an answer is what was asked for, and the way of a refusal to its meaning.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use bytes::BytesMut;
use reqwest::header::{ACCEPT, CONTENT_DISPOSITION, HeaderMap};
use reqwest::{Response, StatusCode};

use super::answer::{ContentType, without_bom};
use super::backoff::{Repeat, Trouble};
use super::body::Body;
use super::buffer::buffer;
use super::call::Request;
use super::classify::Refusal;
use super::client::Client;
use super::exchange::{Got, Wanted};
use super::fault::Fault;
use super::signals::Signals;
use crate::Error;

/// Of the body of a refusal.
const MOST_FAULT: usize = 64 << 10;

/// Decides whether the answer is what was asked for.
pub(crate) async fn understand(
    client: &Client,
    request: &Request,
    response: Response,
    wanted: &Wanted,
) -> Result<Got, Trouble> {
    let status = response.status();
    let trusted = client.inner.trusts(response.url());
    let content = ContentType::of(response.headers());
    let file = response.headers().contains_key(CONTENT_DISPOSITION);
    let asked_for_html = request
        .headers
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
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
            let mut body = Body::new(response, Arc::clone(&client.counter), request.label.clone());
            if !file && matches!(content, ContentType::Json | ContentType::Undeclared) {
                let start = body
                    .peek()
                    .await
                    .map_err(|error| Trouble::new(Repeat::IfSafe, error))?;
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
fn not_a_file(
    client: &Client,
    request: &Request,
    status: StatusCode,
    start: &[u8],
    content: ContentType,
) -> Option<Trouble> {
    let head = without_bom(start).trim_ascii_start();
    let begins = |mark: &[u8]| {
        head.get(..mark.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(mark))
    };
    if content == ContentType::Undeclared && (begins(b"<!doctype html") || begins(b"<html")) {
        return Some(judge(
            client,
            request,
            status,
            &HeaderMap::new(),
            &[],
            true,
            true,
        ));
    }
    let holds = |mark: &[u8]| {
        head.windows(mark.len())
            .take(4096)
            .any(|window| window == mark)
    };
    if begins(b"{") && holds(b"\"$id\"") && holds(b"\"typeKey\"") {
        let fault = Fault::read(&HeaderMap::new(), start, false, &client.inner.redactor);
        let error = Error::malformed(format!(
            "{}: an error came instead of the content: {fault}",
            request.label
        ))
        .with_status(status.as_u16());
        return Some(Trouble::new(Repeat::IfSafe, error.caused_by(fault)));
    }
    None
}

pub(crate) async fn refuse(
    client: &Client,
    request: &Request,
    mut response: Response,
    sign_in: bool,
) -> Trouble {
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
    judge(
        client,
        request,
        response.status(),
        response.headers(),
        &body,
        sign_in,
        trusted,
    )
}

fn judge(
    client: &Client,
    request: &Request,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    sign_in: bool,
    trusted: bool,
) -> Trouble {
    let inner = &client.inner;
    let fault = Fault::read(
        headers,
        body,
        ContentType::of(headers) == ContentType::Html,
        &inner.redactor,
    );
    for name in ["activityid", "x-vss-e2eid"] {
        if let Some(id) = headers.get(name).and_then(|value| value.to_str().ok()) {
            tracing::debug!(
                request = request.label,
                status = status.as_u16(),
                id,
                "the service's trace of a refusal"
            );
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
