//! Reading a whole body into memory, proved to be whole as far as its framing and form can.

use bytes::{Bytes, BytesMut};
use model::Class;
use reqwest::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use reqwest::{Method, Response};

use super::answer::{Answer, ContentType, cut_short, ends_as_it_began, without_bom};
use super::backoff::{Repeat, Trouble};
use super::call::Request;
use super::client::Client;
use crate::Error;

/// The whole body, or the trouble of a cut one.
pub(crate) async fn buffer(
    client: &Client,
    request: &Request,
    mut response: Response,
) -> Result<Answer, Trouble> {
    let status = response.status().as_u16();
    let whole = collect(client, request, &mut response).await;
    let body = whole.map_err(|trouble| Trouble {
        error: trouble.error.with_status(status),
        ..trouble
    })?;
    let headers = std::mem::take(response.headers_mut());
    let answer = Answer {
        status,
        headers,
        body,
        label: request.label.clone(),
    };
    if answer.content_type() == ContentType::Json && is_cut(&answer) {
        let error = cut_short(&request.label, "the JSON document has no end").with_status(status);
        return Err(Trouble::new(Repeat::IfSafe, error));
    }
    Ok(answer)
}

async fn collect(
    client: &Client,
    request: &Request,
    response: &mut Response,
) -> Result<Bytes, Trouble> {
    let limit = client.inner.max_body;
    let announced = response
        .content_length()
        .filter(|_| request.method != Method::HEAD);
    let fits = |length: u64| {
        if length <= limit {
            Ok(())
        } else {
            Err(too_large(&request.label, limit))
        }
    };
    fits(announced.unwrap_or(0))?;
    // Most answers come in one piece, which is then not copied.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(bytes) = response
        .chunk()
        .await
        .map_err(|error| broken(&request.label, error))?
    {
        client.counter.received(&bytes);
        client.counter.rate.take(bytes.len()).await;
        if first.is_empty() {
            first = bytes;
            fits(first.len() as u64)?;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(
                announced
                    .map_or(first.len() * 4, |length| length as usize)
                    .min(16 << 20),
            );
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&bytes);
        fits(whole.len() as u64)?;
    }
    Ok(if whole.is_empty() {
        first
    } else {
        whole.freeze()
    })
}

fn too_large(label: &str, limit: u64) -> Trouble {
    let message = format!("{label}: the answer is larger than {limit} bytes");
    Trouble::new(
        Repeat::Never,
        Error::new(Class::Malformed, "body-too-large", message),
    )
}

fn broken(label: &str, error: reqwest::Error) -> Trouble {
    let why = if error.is_timeout() {
        "no byte came for too long"
    } else {
        "the connection closed"
    };
    Trouble::new(
        Repeat::IfSafe,
        cut_short(label, why).caused_by(error.without_url()),
    )
}

fn is_cut(answer: &Answer) -> bool {
    if !ends_as_it_began(&answer.body) {
        return true;
    }
    // Where the connection's end is the body's end, only the document itself tells.
    let framed = answer.headers.contains_key(CONTENT_LENGTH)
        || answer.headers.contains_key(TRANSFER_ENCODING);
    !framed
        && !answer.body.is_empty()
        && serde_json::from_slice::<serde::de::IgnoredAny>(without_bom(&answer.body))
            .is_err_and(|error| error.is_eof())
}
