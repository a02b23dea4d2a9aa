//! What all kinds need of the API: hosts, versions, lists with all their pages, long operations.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use model::Class;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use service::http::{Answer, Method, segment};
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
    let mut place = Place::default();
    loop {
        let mut call = http.get(DEV, path).version(version);
        if paging == Paging::Skip {
            call = call.query("$top", LARGEST_PAGE);
        }
        for (name, value) in query {
            call = call.query(name, value);
        }
        call = match &place.token {
            Some(token) => call.query("continuationToken", token),
            None if place.count > 0 => call.query("$skip", place.count),
            None => call,
        };
        let answer = call.send().await?;
        let next = answer.continuation();
        let repeated =
            answers.last().is_some_and(|last| last.body == answer.body) && next.is_none();
        let more = place.pass(paging, next, answer.values()?.len());
        let more = more.map_err(|token| {
            Error::malformed(format!("{path}: the list goes in circles at {token}"))
        })?;
        if !repeated {
            answers.push(answer);
        }
        if !more || repeated {
            return Ok(Pages(answers));
        }
    }
}

/// How far a list was read.
#[derive(Debug, Default)]
struct Place {
    /// Where the service said that it goes on.
    token: Option<String>,
    /// All that were used: one that comes again would come for ever.
    used: HashSet<String>,
    count: usize,
}

impl Place {
    /// Goes past a page with the token of the next, and says whether there is more; else which token came again.
    fn pass(&mut self, paging: Paging, next: Option<&str>, items: usize) -> Result<bool, String> {
        if let Some(next) = next
            && !self.used.insert(next.to_owned())
        {
            return Err(next.to_owned());
        }
        let capped = paging == Paging::Skip
            && self.token.is_none()
            && items > 0
            && items.is_multiple_of(CAP);
        self.count += items;
        self.token = next.map(str::to_owned);
        Ok(self.token.is_some() || capped)
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

/// A right, as a namespace and its bit, and the token that it is given on.
pub(crate) type Right<'a> = ((&'static str, u32), &'a str);

/// Rights that are looked up in one request.
pub(crate) const RIGHTS_AT_ONCE: usize = 100;

/// Whether the identity has each of these rights, [`RIGHTS_AT_ONCE`] at most. An administrator has the others too only where `administrators`
/// says so.
pub(crate) async fn evaluated(
    http: &Client,
    rights: &[Right<'_>],
    administrators: bool,
) -> Result<Vec<bool>> {
    #[derive(Deserialize)]
    struct Evaluations {
        evaluations: Vec<Evaluation>,
    }
    #[derive(Deserialize)]
    struct Evaluation {
        value: bool,
    }
    let asked: Vec<_> = rights
        .iter()
        .map(|((namespace, bit), token)| {
            json!({ "securityNamespaceId": namespace, "token": token, "permissions": bit })
        })
        .collect();
    let body = json!({ "alwaysAllowAdministrators": administrators, "evaluations": asked });
    let path = "/_apis/security/permissionevaluationbatch";
    let call = http.call(Method::POST, DEV, path).version(PREVIEW_1);
    let answer = call.json(&body).safe().expect(&[200]).send().await?;
    let Evaluations { evaluations } = answer.json()?;
    if evaluations.len() != rights.len() {
        return Err(Error::malformed("an evaluation of permissions is missing"));
    }
    Ok(evaluations.iter().map(|one| one.value).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A list that gives the same page again and again, with whatever token, comes to its end or is refused.
        #[test]
        fn tokens_that_come_round_again_end_a_list(circle in 1..20_usize, items in 0..300_usize) {
            let mut place = Place::default();
            let ends = (0..=circle).any(|round| {
                let token = format!("token-{}", round % circle);
                place.pass(Paging::Skip, Some(&token), items).is_err()
            });
            prop_assert!(ends);
        }

        #[test]
        fn all_items_of_a_capped_list_are_asked_for(total in 0..1000_usize, pages in 1..4_usize) {
            let cap = CAP * pages;
            let mut place = Place::default();
            let mut more = true;
            while more {
                let page = (total - place.count).min(cap);
                more = place.pass(Paging::Skip, None, page).unwrap();
            }
            prop_assert_eq!(place.count, total);
        }
    }
}
