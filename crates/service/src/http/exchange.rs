//! One exchange: attempts, the waits between them, and redirects.

use std::time::Duration;

use model::Class;
use reqwest::header::{AUTHORIZATION, LOCATION};
use reqwest::{Method, StatusCode, Url};
use tokio::time::Instant;

use super::address::{is_sign_in, without_user};
use super::answer::Answer;
use super::backoff::{self, Pause, Repeat, Trouble};
use super::body::Body;
use super::call::Request;
use super::client::Client;
use super::credential::{Authorization, Credential};
use super::transmit::transmit;
use super::understand::{refuse, understand};
use crate::{Error, Result};

const MOST_REDIRECTS: usize = 5;

pub(crate) enum Wanted {
    Answer,
    Body,
}

pub(crate) enum Got {
    Answer(Answer),
    Body(Body),
}

pub(crate) async fn send(client: &Client, request: &Request) -> Result<Answer> {
    match exchange(client, request, &Wanted::Answer).await? {
        Got::Answer(answer) => Ok(answer),
        Got::Body(_) => Err(Error::malformed(format!(
            "{}: a stream came for an answer",
            request.label
        ))),
    }
}

pub(crate) async fn open(client: &Client, request: &Request) -> Result<Body> {
    match exchange(client, request, &Wanted::Body).await? {
        Got::Body(body) => Ok(body),
        Got::Answer(_) => Err(Error::malformed(format!(
            "{}: an answer came for a stream",
            request.label
        ))),
    }
}

async fn exchange(client: &Client, request: &Request, wanted: &Wanted) -> Result<Got> {
    let inner = &client.inner;
    let mut attempt = 1;
    let mut replaced = false;
    let mut slowed = None;
    loop {
        let (permit, waited) = inner.gate.enter().await;
        inner.counters.waited(waited);
        let (result, token) = match inner.authorization().await {
            Ok(authorization) => (
                Box::pin(one(client, request, &authorization, wanted)).await,
                authorization.token,
            ),
            Err(error) => (Err(unsigned(error)), None),
        };
        drop(permit);
        let trouble = match result {
            Ok(got) => return Ok(got),
            Err(trouble) => trouble,
        };
        tracing::debug!(attempt, error = %trouble.error, "request failed");
        if trouble.unauthorized
            && let (Credential::Bearer(bearer), Some(token)) = (&inner.credential, &token)
            && !request.headers.contains_key(AUTHORIZATION)
        {
            // Once: a service that refuses a new token too means the request, or the identity.
            if !replaced && bearer.replacement(token).await?.is_some() {
                replaced = true;
                continue;
            }
            return Err(not_let_in(trouble.error));
        }
        // Each answer says when to come again, and nothing was done: that is no failure before the service's window is over.
        let patient = trouble.error.class == Class::Throttled
            && inner.attempts > 1
            && trouble.repeat == Repeat::Always
            && slowed.get_or_insert_with(Instant::now).elapsed() < inner.max_wait;
        if !patient && !trouble.repeat.allows(attempt, inner.attempts, request.safe) {
            return Err(trouble.error);
        }
        wait(client, attempt, &trouble).await;
        attempt += 1;
    }
}

/// Without a token nothing was sent.
fn unsigned(error: Error) -> Trouble {
    let again = matches!(error.class, Class::Transient | Class::Throttled);
    let repeat = if again { Repeat::Always } else { Repeat::Never };
    Trouble::new(repeat, error)
}

/// What a refused credential means where the token is a new one.
fn not_let_in(error: Error) -> Error {
    const REFUSED: &str = "token-expired";
    let Some(words) = model::code::find(REFUSED).filter(|_| error.class == Class::Credential)
    else {
        return error;
    };
    let hint = format!(
        "{} If it stays: the account must be a member of the organization, and its policies must let applications in. ({})",
        words.remedy, error.message
    );
    Error {
        code: REFUSED,
        message: words.title.to_owned(),
        hint: Some(hint),
        ..error
    }
}

/// Waits before the next attempt, or makes the gate do it.
async fn wait(client: &Client, attempt: u32, trouble: &Trouble) {
    let inner = &client.inner;
    let throttled = trouble.error.class == Class::Throttled;
    let pause = if throttled {
        backoff::slow
    } else {
        backoff::pause
    }(attempt, inner.max_wait);
    match trouble.pause {
        // Later what the service says has proved to be too little.
        Pause::Told if attempt < inner.attempts => {}
        Pause::Told | Pause::Everyone => {
            if let Some(pause) = inner.gate.refused(pause) {
                inner.announce(pause, "the service asks to slow down");
            }
        }
        Pause::Alone => {
            if pause > Duration::from_secs(1) {
                inner.announce(pause, &trouble.error.message);
            }
            tokio::time::sleep(pause).await;
            inner.counters.waited(pause);
        }
    }
}

/// One attempt, redirects included.
async fn one(
    client: &Client,
    request: &Request,
    authorization: &Authorization,
    wanted: &Wanted,
) -> Result<Got, Trouble> {
    let mut url = request.url.clone();
    for hop in 0..=MOST_REDIRECTS {
        let response = transmit(client, request, authorization, &url, hop > 0).await?;
        let status = response.status();
        if request.expect.contains(&status.as_u16()) || !is_redirect(status) {
            return understand(client, request, response, wanted).await;
        }
        let location = response
            .headers()
            .get(LOCATION)
            .and_then(|value| url.join(value.to_str().ok()?).ok());
        url = match location {
            Some(location) if !is_sign_in(&location) && may_follow(request, &url, &location) => {
                without_user(location)
            }
            location => {
                return Err(refuse(
                    client,
                    request,
                    response,
                    location.as_ref().is_some_and(is_sign_in),
                )
                .await);
            }
        };
    }
    Err(Trouble::new(
        Repeat::Never,
        Error::malformed(format!("{}: it is redirected without end", request.label)),
    ))
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Only what reads is sent elsewhere, and nothing moves from an encrypted to a plain connection.
fn may_follow(request: &Request, from: &Url, to: &Url) -> bool {
    matches!(request.method, Method::GET | Method::HEAD)
        && (to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http"))
}
