//! `/metrics`, as Prometheus reads it: requests are counted here, everything else is asked of the catalog.

mod health;
mod sizes;
mod standing;
mod text;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use crate::{ClientAddress, Problem, Server};
use text::Page;

/// Waits that are remembered; who is made to wait so often gets too small a sum.
const WAITS: usize = 20_000;
const DAY: Duration = Duration::from_hours(24);

/// What happened since the server started.
#[derive(Default)]
pub(crate) struct Counters(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    requests: BTreeMap<(&'static str, String, u16), Answered>,
    throttled: BTreeMap<String, u64>,
    /// The waits of the last day, the oldest first.
    waits: VecDeque<Wait>,
}

struct Wait {
    at: Instant,
    connector: String,
    seconds: u64,
}

#[derive(Clone, Copy, Default)]
struct Answered {
    times: u64,
    seconds: f64,
}

impl Counters {
    pub(crate) fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        let key = (word(method), route.to_owned(), status.as_u16());
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = counted.requests.entry(key).or_default();
        answered.times += 1;
        answered.seconds += took.as_secs_f64();
    }

    /// A service made a connector wait.
    pub(crate) fn throttled(&self, connector: &str, seconds: u64) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counted.throttled.entry(connector.to_owned()).or_default() += seconds;
        if counted.waits.len() == WAITS {
            counted.waits.pop_front();
        }
        counted.waits.push_back(Wait {
            at: Instant::now(),
            connector: connector.to_owned(),
            seconds,
        });
    }

    /// How long services made each connector wait in the last day.
    pub(crate) fn throttled_last_day(&self) -> BTreeMap<String, u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while counted
            .waits
            .front()
            .is_some_and(|wait| wait.at.elapsed() > DAY)
        {
            counted.waits.pop_front();
        }
        let mut sums = BTreeMap::new();
        for wait in &counted.waits {
            *sums.entry(wait.connector.clone()).or_default() += wait.seconds;
        }
        sums
    }

    fn write(&self, page: &mut Page) {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = || {
            counted
                .requests
                .iter()
                .map(|((method, route, code), answered)| {
                    let labels = vec![
                        ("method", (*method).to_owned()),
                        ("route", route.clone()),
                        ("code", code.to_string()),
                    ];
                    (labels, *answered)
                })
        };
        page.counter(
            "api_requests_total",
            "Requests that were answered.",
            requests().map(|(labels, answered)| (labels, answered.times)),
        );
        page.counter(
            "api_request_seconds_total",
            "Time that answers took.",
            requests().map(|(labels, answered)| (labels, answered.seconds)),
        );
        let throttled = counted
            .throttled
            .iter()
            .map(|(connector, seconds)| (vec![("connector", connector.clone())], *seconds));
        page.counter(
            "throttle_wait_seconds_total",
            "Time that services made us wait.",
            throttled,
        );
    }
}

/// Clients can make up methods; labels are of a fixed number.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// For those with the token, or without one, for this machine.
pub(crate) async fn metrics(
    State(server): State<Server>,
    request: Request,
) -> Result<Response, Problem> {
    if !may_read(&server, &request) {
        return Err(Problem::sign_in().hinted(
            "metrics are for this machine, or for those who know the token of `metrics_token_file`",
        ));
    }
    let mut page = Page::default();
    page.gauge(
        "build_info",
        "The version that runs.",
        [(vec![("version", env!("CARGO_PKG_VERSION").to_owned())], 1)],
    );
    server.counters.write(&mut page);
    sizes::write(&server, &mut page).await?;
    standing::write(&server.control.catalog.figures().await?, &mut page);
    health::write(&server.control, &mut page).await?;
    let kind = (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    Ok(([kind], page.end()).into_response())
}

fn may_read(server: &Server, request: &Request) -> bool {
    let Some(token) = &server.options.metrics_token else {
        // A proxy on this machine makes everyone look as if from here: whoever came through one did not.
        let client = request.extensions().get::<ClientAddress>();
        return client.is_some_and(|client| client.address.is_loopback() && !client.forwarded);
    };
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let given = given
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or("");
    given.as_bytes().ct_eq(token.expose().as_bytes()).into()
}
