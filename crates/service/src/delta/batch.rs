//! Many small reads in one request (`$batch`): each has a status, and a time to come back, of its own.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use model::Class;
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::http::segment;
use crate::{Client, Error, Result};

/// So many fit into one request.
const MOST: usize = 20;
/// How often one read is asked for.
const ATTEMPTS: u32 = 5;

/// What one read was answered with.
#[derive(Clone, Debug)]
pub struct Inner {
    pub status: u16,
    /// The body as it came; `None` for none.
    pub body: Option<Box<RawValue>>,
}

impl Inner {
    /// The error that such an answer would have been on its own; `None` when it succeeded.
    pub fn error(&self, what: &str) -> Option<Error> {
        let (class, code) = match self.status {
            200..=299 => return None,
            401 | 403 => (Class::Permission, "permission-missing"),
            404 | 410 => (Class::Missing, "not-found"),
            429 => (Class::Throttled, "throttled"),
            500..=599 => (Class::Transient, "service-unavailable"),
            _ => (Class::Malformed, "answer-not-understood"),
        };
        let said = self.body.as_deref().and_then(|body| {
            crate::json::text_at(body, "/error/message").map(|text| format!(": {text}"))
        });
        let message = format!(
            "{what}: refused ({}){}",
            self.status,
            said.unwrap_or_default()
        );
        Some(Error::new(class, code, message).with_status(self.status))
    }

    fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500..=599)
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    requests: Vec<Request<'a>>,
}

#[derive(Serialize)]
struct Request<'a> {
    id: String,
    method: &'static str,
    url: &'a str,
}

#[derive(Deserialize)]
struct Responses<'a> {
    #[serde(borrow)]
    responses: Vec<Response<'a>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    status: u16,
    #[serde(borrow, default)]
    headers: Option<HashMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl Response<'_> {
    fn retry_after(&self) -> Option<Duration> {
        let headers = self.headers.as_ref()?;
        let (_, value) = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        Duration::try_from_secs_f64(value.parse().ok()?).ok()
    }
}

/// Reads `path`, which holds `{id}`, for each id. An answer of its own for each, whatever it is; an error is about all of them.
pub async fn get_each(
    http: &Client,
    host: &'static str,
    path: &str,
    ids: &[&str],
) -> Result<BTreeMap<String, Inner>> {
    let mut all = BTreeMap::new();
    for ids in ids.chunks(MOST) {
        let mut open: Vec<(&str, String)> = ids
            .iter()
            .map(|id| (*id, path.replace("{id}", &segment(id))))
            .collect();
        for attempt in 1..=ATTEMPTS {
            let (answers, pause) = ask(http, host, &open).await?;
            for (id, inner) in answers {
                all.insert(id, inner);
            }
            open.retain(|(id, _)| all.get(*id).is_none_or(Inner::may_pass));
            if open.is_empty() || attempt == ATTEMPTS {
                break;
            }
            let pause = pause.unwrap_or(Duration::from_secs(1 << attempt));
            tokio::time::sleep(pause.min(http.inner.max_wait)).await;
        }
        if let Some((id, _)) = open.iter().find(|(id, _)| !all.contains_key(*id)) {
            return Err(Error::malformed(format!(
                "{host}/$batch: no answer came for {id}"
            )));
        }
    }
    Ok(all)
}

/// One request, and the longest time that one of its answers asks to wait.
async fn ask(
    http: &Client,
    host: &'static str,
    open: &[(&str, String)],
) -> Result<(Vec<(String, Inner)>, Option<Duration>)> {
    let requests = open.iter().enumerate().map(|(number, (_, url))| Request {
        id: number.to_string(),
        method: "GET",
        url,
    });
    let envelope = Envelope {
        requests: requests.collect(),
    };
    let answer = http
        .call(Method::POST, host, "/$batch")
        .json(&envelope)
        .safe()
        .send()
        .await?;
    let Responses { responses } = answer.json()?;
    let mut pause = None;
    let mut all = Vec::new();
    for response in responses {
        let number: Option<usize> = response.id.parse().ok();
        let Some((id, _)) = number.and_then(|number| open.get(number)) else {
            return Err(Error::malformed(format!(
                "{host}/$batch: an answer to nothing that was asked"
            )));
        };
        pause = pause.max(response.retry_after());
        let inner = Inner {
            status: response.status,
            body: response.body.map(ToOwned::to_owned),
        };
        all.push(((*id).to_owned(), inner));
    }
    Ok((all, pause))
}
