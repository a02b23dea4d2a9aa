//! Faults on demand.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use bytes::Bytes;
use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::auth;
use crate::server::{ApiError, Body, Reply};

/// One rule: from the `nth` request that fits on, `count` requests get the fault.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rule {
    /// Path and query with `*` for anything, without regard to case; the path starts with `/{organization}/`.
    #[serde(default = "anything")]
    pub path: String,
    #[serde(default)]
    pub method: Option<String>,
    /// From 1.
    #[serde(default = "one")]
    pub nth: u64,
    /// Absent for all.
    #[serde(default)]
    pub count: Option<u64>,
    pub fault: Fault,
    /// Seconds, of `429` and `200-retry-after`.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// Bytes that a truncated body keeps; half of it if absent.
    #[serde(default)]
    pub bytes: Option<usize>,
    /// Milliseconds between the parts of a slow body.
    #[serde(default)]
    pub milliseconds: Option<u64>,
    /// `permission`: which one is taken, as `BYPASS_RULES`.
    #[serde(default)]
    pub permission: Option<String>,
    /// `hide-project`: which one.
    #[serde(default)]
    pub project: Option<String>,
    /// `permission` and `hide-project`: where.
    #[serde(default)]
    pub organization: Option<String>,
    /// Requests that fitted so far.
    #[serde(default)]
    pub hits: u64,
}

fn anything() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Fault {
    /// 429 TF400733 with `Retry-After`.
    #[serde(rename = "429")]
    Throttled,
    /// The real answer with `Retry-After` and rate-limit headers.
    #[serde(rename = "200-retry-after")]
    Slowdown,
    /// 203 with the sign-in page.
    #[serde(rename = "203")]
    SignInPage,
    #[serde(rename = "302")]
    Redirect,
    /// 401 with `{"count":0,"value":[]}`.
    #[serde(rename = "401")]
    EmptyList,
    /// 403 in the form of a missing permission.
    #[serde(rename = "403")]
    Forbidden,
    #[serde(rename = "500")]
    Internal,
    /// 503 TF24668 with a byte order mark.
    #[serde(rename = "503")]
    Stopped,
    /// The connection ends in the middle of the body.
    #[serde(rename = "truncate")]
    Truncate,
    /// The body ends early and the answer looks complete.
    #[serde(rename = "truncate-clean")]
    TruncateClean,
    /// The body comes in small parts with pauses.
    #[serde(rename = "slow")]
    Slow,
    /// The request is carried out and the connection ends without an answer.
    #[serde(rename = "drop")]
    Drop,
    /// The connection ends before the request is carried out.
    #[serde(rename = "drop-before")]
    DropBefore,
    /// A permission is taken from everyone until the rules are removed.
    #[serde(rename = "permission")]
    Permission,
    /// A project is hidden from everyone until the rules are removed.
    #[serde(rename = "hide-project")]
    HideProject,
}

#[derive(Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Rule>>>);

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, rule: Rule) {
        self.lock().push(rule);
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    pub(crate) fn document(&self) -> Value {
        json!({"rules": &*self.lock()})
    }

    /// Counts the request at every rule that it fits and returns the first that strikes.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Option<Rule> {
        let mut strikes = None;
        for rule in self.lock().iter_mut() {
            if matches!(rule.fault, Fault::Permission | Fault::HideProject)
                || rule
                    .method
                    .as_deref()
                    .is_some_and(|wanted| !wanted.eq_ignore_ascii_case(method))
                || !matches(&rule.path.to_lowercase(), &path.to_lowercase())
            {
                continue;
            }
            rule.hits += 1;
            let due = rule.hits >= rule.nth
                && rule.count.is_none_or(|count| rule.hits < rule.nth + count);
            if due && strikes.is_none() {
                strikes = Some(rule.clone());
            }
        }
        strikes
    }
}

/// Whether a pattern with `*` fits the whole text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut last = first;
    let mut more = false;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = part;
        more = true;
    }
    // Without a star at the end the last part must end the text.
    rest.is_empty() || (more && (last.is_empty() || text.ends_with(last)))
}

impl Rule {
    /// The answer in place of the real one, for faults that do not need it.
    pub(crate) fn instead(&self) -> Option<Reply> {
        let reply = match self.fault {
            Fault::Throttled => {
                let message = "TF400733: The request has been canceled: Request was blocked due to exceeding usage of resource 'Concurrency' in namespace 'User'.";
                let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "Microsoft.TeamFoundation.Framework.Server.RequestBlockedException", message);
                self.limits(error.into_reply(), 0)
            }
            Fault::SignInPage => auth::sign_in_page(),
            Fault::Redirect => auth::redirect(),
            Fault::EmptyList => Reply { body: Body::Bytes("{\"count\":0,\"value\":[]}".into()), ..auth::unauthorized() },
            Fault::Forbidden => ApiError::new(
                StatusCode::FORBIDDEN,
                "Microsoft.TeamFoundation.Framework.Server.AccessCheckException",
                "TF50309: The following account does not have sufficient permissions to complete the operation.",
            )
            .into_reply(),
            Fault::Internal => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "System.Exception", "TF400898: An Internal Error Occurred.").into_reply(),
            Fault::Stopped => stopped(),
            Fault::DropBefore => broken(Bytes::new()),
            _ => return None,
        };
        Some(reply)
    }

    /// Changes the real answer.
    pub(crate) async fn change(&self, reply: Reply) -> Reply {
        match self.fault {
            Fault::Slowdown => self.limits(reply, 1),
            Fault::Drop => broken(Bytes::new()),
            Fault::Truncate | Fault::TruncateClean => {
                let Reply {
                    status,
                    headers,
                    body,
                } = reply;
                let whole = collect(body).await;
                let kept = whole.slice(..self.bytes.unwrap_or(whole.len() / 2).min(whole.len()));
                let body = if self.fault == Fault::Truncate {
                    broken(kept).body
                } else {
                    Body::Bytes(kept)
                };
                Reply {
                    status,
                    headers,
                    body,
                }
            }
            Fault::Slow => {
                let pause = Duration::from_millis(self.milliseconds.unwrap_or(50));
                let whole = collect(reply.body).await;
                let part = whole.len().div_ceil(16).max(1);
                let parts: Vec<Bytes> = whole.chunks(part).map(Bytes::copy_from_slice).collect();
                let slow = futures::stream::iter(parts).then(move |part| async move {
                    tokio::time::sleep(pause).await;
                    Ok::<_, std::io::Error>(part)
                });
                Reply {
                    body: Body::Stream(axum::body::Body::from_stream(slow)),
                    ..reply
                }
            }
            _ => reply,
        }
    }

    fn limits(&self, reply: Reply, remaining: u32) -> Reply {
        let seconds = self.retry_after.unwrap_or(1).to_string();
        reply
            .header("retry-after", &seconds)
            .header("x-ratelimit-resource", "Concurrency")
            .header("x-ratelimit-delay", format!("{seconds}.000"))
            .header("x-ratelimit-limit", "200")
            .header("x-ratelimit-remaining", remaining.to_string())
            // Past by every clock that tests have: what is left is not spread over the time until then.
            .header("x-ratelimit-reset", "1735689600")
    }
}

fn stopped() -> Reply {
    let message = "TF24668: The following team project collection is stopped: contoso. Start the collection and then try again. Administrator Reason: This Azure DevOps organization has been deactivated due to inactivity.";
    let body = json!({
        "$id": "1",
        "innerException": null,
        "message": message,
        "typeName": "Microsoft.VisualStudio.Services.Common.VssServiceException, Microsoft.VisualStudio.Services.Common",
        "typeKey": "VssServiceException",
        "errorCode": 0,
        "eventId": 3000,
    });
    Reply::bytes("application/json", format!("\u{feff}{body}"))
        .with_status(StatusCode::SERVICE_UNAVAILABLE)
        .header(
            "x-tfs-serviceerror",
            percent_encoding::utf8_percent_encode(message, percent_encoding::NON_ALPHANUMERIC)
                .to_string(),
        )
}

/// A body that breaks the connection after these bytes.
fn broken(bytes: Bytes) -> Reply {
    let parts = [
        Ok(bytes),
        Err(std::io::Error::other(
            "the connection is dropped by an injected fault",
        )),
    ];
    Reply::stream(
        "application/json; charset=utf-8",
        axum::body::Body::from_stream(futures::stream::iter(parts)),
    )
}

async fn collect(body: Body) -> Bytes {
    match body {
        Body::Empty => Bytes::new(),
        Body::Bytes(bytes) => bytes,
        Body::Stream(body) => {
            axum::body::to_bytes(body, usize::MAX)
                .await
                .unwrap_or_else(|error| {
                    tracing::warn!(%error, "the answer to be changed by a fault ended early");
                    Bytes::new()
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("*", "/contoso/_apis/projects"));
        assert!(matches("/contoso/*/revisions", "/contoso/a/b/revisions"));
        assert!(matches("*workitems*", "/contoso/_apis/wit/workitems/3"));
        assert!(matches("/contoso/x", "/contoso/x"));
        assert!(!matches("/contoso/x", "/contoso/x/y"));
        assert!(!matches("*/x", "/contoso/x/y"));
    }
}
