//! What all kinds need of the API: hosts, versions, lists with all their pages, long operations.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use model::Class;
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::{Answer, segment};
use service::{Client, Error, Result};

pub(crate) const DEV: &str = "dev";
pub(crate) const SPS: &str = "sps";
/// Members and their access levels.
pub(crate) const AEX: &str = "aex";
/// Belongs to no organization.
pub(crate) const APP: &str = "app";

pub(crate) const STABLE: &str = "7.1";
pub(crate) const PREVIEW_1: &str = "7.1-preview.1";
pub(crate) const PREVIEW_3: &str = "7.1-preview.3";
pub(crate) const PREVIEW_4: &str = "7.1-preview.4";

/// Servers cap pages at round numbers: a page that is no multiple of this was not capped.
const CAP: usize = 100;
const LARGEST_PAGE: u32 = 1000;
/// How long a project may take to be made.
pub(crate) const OPERATION_LIMIT: Duration = Duration::from_mins(15);

/// A whole list, page by page as it was answered.
pub(crate) struct Pages(Vec<Answer>);

impl Pages {
    /// All items, byte for byte.
    pub(crate) fn values(&self) -> Result<Vec<&RawValue>> {
        let mut all = Vec::new();
        for answer in &self.0 {
            all.extend(answer.values()?);
        }
        Ok(all)
    }

    /// The answer as it came; several pages as one list of their items.
    pub(crate) fn body(&self) -> Result<Bytes> {
        if let [only] = self.0.as_slice() {
            return Ok(only.body.clone());
        }
        let values: Vec<&str> = self.values()?.into_iter().map(RawValue::get).collect();
        Ok(Bytes::from(format!(
            "{{\"count\":{},\"value\":[{}]}}",
            values.len(),
            values.join(",")
        )))
    }
}

/// How a list is cut into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paging {
    /// All at once, unless an undocumented continuation header says otherwise.
    Whole,
    /// `$top` and `$skip`, and the continuation header where there is one.
    Skip,
}

/// Reads a list to its end: by the continuation header where there is one, by `$skip` where a page may have been capped.
pub(crate) async fn pages(
    http: &Client,
    path: &str,
    version: &str,
    paging: Paging,
    query: &[(&str, &str)],
) -> Result<Pages> {
    let mut answers: Vec<Answer> = Vec::new();
    let mut token: Option<String> = None;
    let mut tokens: HashSet<String> = HashSet::new();
    let mut count = 0;
    loop {
        let mut call = http.get(DEV, path).version(version);
        if paging == Paging::Skip {
            call = call.query("$top", LARGEST_PAGE);
        }
        for (name, value) in query {
            call = call.query(name, value);
        }
        call = match &token {
            Some(token) => call.query("continuationToken", token),
            None if count > 0 => call.query("$skip", count),
            None => call,
        };
        let answer = call.send().await?;
        let page = answer.values()?;
        let next = answer.continuation().map(str::to_owned);
        if let Some(next) = &next
            && !tokens.insert(next.clone())
        {
            return Err(Error::malformed(format!(
                "{path}: the list goes in circles at {next}"
            )));
        }
        let capped = paging == Paging::Skip
            && token.is_none()
            && !page.is_empty()
            && page.len().is_multiple_of(CAP);
        let more = next.is_some() || capped;
        let repeated =
            answers.last().is_some_and(|last| last.body == answer.body) && next.is_none();
        count += page.len();
        if !repeated {
            answers.push(answer);
        }
        if !more || repeated {
            return Ok(Pages(answers));
        }
        token = next;
    }
}

/// Pauses between questions about something that takes its time, each longer than the one before.
pub(crate) struct Patience {
    pause: Duration,
    left: Duration,
}

impl Patience {
    pub(crate) fn of(limit: Duration) -> Self {
        Self {
            pause: Duration::from_millis(50),
            left: limit,
        }
    }

    /// `false` without a pause once the time is over.
    pub(crate) async fn wait(&mut self) -> bool {
        if self.left.is_zero() {
            return false;
        }
        tokio::time::sleep(self.pause).await;
        self.left = self.left.saturating_sub(self.pause);
        self.pause = (self.pause * 2).min(Duration::from_secs(3));
        true
    }
}

/// It was begun, and nobody knows whether it comes to an end.
pub(crate) fn endless(what: &str) -> Error {
    let message = format!("{what} does not come to an end");
    Error::new(Class::Transient, "service-unavailable", message)
}

#[derive(Deserialize)]
struct Operation<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, rename = "resultMessage")]
    result: Option<Cow<'a, str>>,
}

/// Waits for an operation that the service answered with 202.
pub(crate) async fn finished(http: &Client, answer: &Answer) -> Result<()> {
    let id = answer.json::<Operation<'_>>()?.id.into_owned();
    let path = format!("/_apis/operations/{}", segment(&id));
    let mut patience = Patience::of(OPERATION_LIMIT);
    loop {
        let answer = http.get(DEV, &path).version(STABLE).send().await?;
        let operation: Operation<'_> = answer.json()?;
        match &*operation.status {
            "succeeded" => return Ok(()),
            "failed" | "cancelled" | "canceled" => {
                let why = operation
                    .result
                    .unwrap_or(Cow::Borrowed("it does not say why"));
                return Err(Error::new(
                    Class::Unsupported,
                    "restore-failed",
                    format!("the service could not do it: {why}"),
                ));
            }
            _ if patience.wait().await => {}
            _ => return Err(endless(&format!("operation {id}"))),
        }
    }
}

/// The service refused what was asked, for reasons of its own rules: asking for less may help.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(error.status, Some(400 | 404 | 409 | 412)) && !error.is_fatal()
}

/// An address of the target, without a slash at the end.
pub(crate) fn base(http: &Client) -> Result<String> {
    Ok(http.base(DEV)?.as_str().trim_end_matches('/').to_owned())
}
