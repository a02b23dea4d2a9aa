//! Sending one HTTP request, with the credential where it belongs.

use model::Class;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, COOKIE, HeaderMap, HeaderValue};
use reqwest::{Response, Url};

use super::address::{same_origin, shown};
use super::backoff::{Repeat, Trouble};
use super::call::{Payload, Request};
use super::client::Client;
use super::credential::Authorization;
use super::signals::Signals;
use crate::Error;

/// Sends one HTTP request and takes note of what the answer's headers say about the budget.
pub(crate) async fn transmit(
    client: &Client,
    request: &Request,
    authorization: &Authorization,
    url: &Url,
    redirected: bool,
) -> Result<Response, Trouble> {
    let inner = &client.inner;
    inner
        .permits(url)
        .map_err(|error| Trouble::new(Repeat::Never, error))?;
    let trusted = inner.trusts(url);
    let mut message = reqwest::Request::new(request.method.clone(), url.clone());
    *message.headers_mut() = headers(
        client,
        request,
        authorization,
        trusted,
        redirected && !same_origin(url, &request.url),
    );
    load(&mut message, request).await.map_err(|error| {
        let what = format!("{}: the file to send cannot be read", request.label);
        Trouble::new(Repeat::Never, Error::storage(what).caused_by(error))
    })?;
    client.counter.request();
    let response = inner
        .pool
        .execute(message)
        .await
        .map_err(|error| unsent(client, request, url, error))?;
    if trusted {
        let signals = Signals::read(response.headers());
        if let Some(date) = signals.date {
            inner.skew.note(date);
        }
        if let Some(pause) = inner.gate.observe(&signals) {
            inner.announce(
                pause,
                &format!(
                    "the service asked for a pause ({})",
                    response.status().as_u16()
                ),
            );
        }
    }
    Ok(response)
}

/// Puts the payload into the message.
async fn load(message: &mut reqwest::Request, request: &Request) -> std::io::Result<()> {
    match &request.payload {
        Payload::None => {}
        Payload::Bytes(bytes) => *message.body_mut() = Some(bytes.clone().into()),
        Payload::File(path) => {
            let file = tokio::fs::File::open(path).await?;
            let length = HeaderValue::from(file.metadata().await?.len());
            message.headers_mut().insert(CONTENT_LENGTH, length);
            *message.body_mut() = Some(file.into());
        }
    }
    Ok(())
}

fn headers(
    client: &Client,
    request: &Request,
    authorization: &Authorization,
    trusted: bool,
    elsewhere: bool,
) -> HeaderMap {
    let mut headers = request.headers.clone();
    if elsewhere {
        headers.remove(AUTHORIZATION);
        headers.remove(COOKIE);
    }
    let fallback = if trusted { "application/json" } else { "*/*" };
    headers
        .entry(ACCEPT)
        .or_insert(HeaderValue::from_static(fallback));
    if trusted {
        headers
            .entry(AUTHORIZATION)
            .or_insert_with(|| authorization.header.clone());
        headers.insert(
            "x-tfs-fedauthredirect",
            HeaderValue::from_static("Suppress"),
        );
        headers.insert(
            "x-vss-forcemsapassthrough",
            HeaderValue::from_static("true"),
        );
        headers.insert("x-tfs-session", client.inner.session.clone());
    }
    headers
}

/// No answer came.
fn unsent(client: &Client, request: &Request, url: &Url, error: reqwest::Error) -> Trouble {
    let label = &request.label;
    if let Some(refused) = crate::egress::refusal(&error) {
        return Trouble::new(Repeat::Never, refused);
    }
    let error = error.without_url();
    let (repeat, what) = if error.is_connect() {
        (
            Repeat::Always,
            format!(
                "{label}: cannot connect to {}",
                shown(&url.join("/").unwrap_or_else(|_| url.clone()))
            ),
        )
    } else if error.is_timeout() {
        (
            Repeat::IfSafe,
            format!(
                "{label}: no answer within {} s",
                client.inner.timeout.as_secs_f64().ceil()
            ),
        )
    } else if error.is_builder() {
        (
            Repeat::Never,
            format!("{label}: the request cannot be sent"),
        )
    } else {
        (
            Repeat::IfSafe,
            format!("{label}: the connection closed before an answer came"),
        )
    };
    let error = Error::new(Class::Transient, "service-unavailable", what)
        .hinted(advice(&error))
        .caused_by(error);
    Trouble::new(repeat, error)
}

/// What to look at when no answer came. The causes tell of TLS in words alone.
fn advice(error: &(dyn std::error::Error + 'static)) -> &'static str {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if text.contains("InvalidContentType") {
            return "What answers at this address and port does not speak TLS: give the port of https, or http:// where the server has no certificate.";
        }
        if text.contains("invalid peer certificate") {
            return "This machine does not trust the server's certificate: add its authority to those of the machine, or correct the name in the address.";
        }
        cause = error.source();
    }
    "Check the network and the service's status page."
}
