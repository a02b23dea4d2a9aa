//! `POST $batch`: up to twenty requests in one, each with its own answer.

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::{Context, Request, one, throttle};
use super::error::{GraphError, Names};
use crate::server::{Body, Query, Reply};

const MOST: usize = 20;

/// One request of a batch.
struct Step<'a> {
    id: &'a str,
    /// Ids of those that must have succeeded before.
    after: Vec<&'a str>,
    sent: &'a Value,
}

impl<'a> Step<'a> {
    fn of(sent: &'a Value) -> Result<Self, GraphError> {
        let id = sent["id"].as_str();
        let after = match &sent["dependsOn"] {
            Value::Null => Some(Vec::new()),
            list => list
                .as_array()
                .and_then(|list| list.iter().map(Value::as_str).collect()),
        };
        Ok(Self {
            id: id.ok_or_else(|| malformed("a request has no id"))?,
            after: after.ok_or_else(|| malformed("dependsOn is no list of ids"))?,
            sent,
        })
    }

    fn is_named(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }
}

fn malformed(what: &str) -> GraphError {
    GraphError::bad_request(format!("Invalid batch payload format: {what}."))
}

/// The requests in the order of the batch, each after those that it depends on.
fn steps(body: &Value) -> Result<Vec<Step<'_>>, GraphError> {
    let sent = body["requests"]
        .as_array()
        .ok_or_else(|| malformed("the member requests is missing"))?;
    if sent.len() > MOST {
        return Err(GraphError::new(
            StatusCode::BAD_REQUEST,
            "MaximumValueExceeded",
            format!("Number of batch request steps exceeds the maximum value of {MOST}."),
        ));
    }
    let mut waiting: Vec<Step<'_>> = sent.iter().map(Step::of).collect::<Result<_, _>>()?;
    let mut ordered: Vec<Step<'_>> = Vec::new();
    while !waiting.is_empty() {
        let is_done = |id: &&str| ordered.iter().any(|done| done.is_named(id));
        let next = waiting
            .iter()
            .position(|step| step.after.iter().all(is_done))
            .ok_or_else(|| malformed("dependsOn names no other request, or a circle of them"))?;
        let step = waiting.remove(next);
        if ordered.iter().any(|done| done.is_named(step.id)) {
            return Err(malformed(&format!("the id {} is not unique", step.id)));
        }
        ordered.push(step);
    }
    Ok(ordered)
}

pub(super) fn answer(context: &mut Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    if request.method != Method::POST {
        return Err(GraphError::method());
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| GraphError::bad_request(error.to_string()))?;
    let mut failed: Vec<&str> = Vec::new();
    let mut answers = Vec::new();
    let steps = steps(&body)?;
    for step in &steps {
        let inner = inner(request, step.sent);
        let names = Names::of(
            inner
                .as_ref()
                .map_or(&request.headers, |inner| &inner.headers),
        );
        let needs = |id: &&str| failed.iter().any(|failed| failed.eq_ignore_ascii_case(id));
        let done = if step.after.iter().any(needs) {
            Err(GraphError::new(
                StatusCode::FAILED_DEPENDENCY,
                "FailedDependency",
                "A request that this one depends on has failed.",
            ))
        } else {
            throttle(context.tenant)
                .and(inner)
                .and_then(|inner| one(context, &inner))
        };
        let reply = names.put(done.unwrap_or_else(|error| error.into_reply(&names)));
        if !reply.status.is_success() && !reply.status.is_redirection() {
            failed.push(step.id);
        }
        answers.push(document(step.id, reply)?);
    }
    // Answers come in no order that clients may count on.
    answers.reverse();
    Ok(Reply::json(json!({"responses": answers})))
}

fn inner(outer: &Request, step: &Value) -> Result<Request, GraphError> {
    let url = step["url"]
        .as_str()
        .ok_or_else(|| malformed("a request has no url"))?;
    let method = step["method"]
        .as_str()
        .ok_or_else(|| malformed("a request has no method"))?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            percent_encoding::percent_decode_str(segment)
                .decode_utf8_lossy()
                .into_owned()
        })
        .collect();
    let mut headers = axum::http::HeaderMap::new();
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().map(HeaderValue::from_str);
        let (Ok(name), Some(Ok(value))) = (HeaderName::try_from(name.as_str()), value) else {
            return Err(malformed("a header cannot be sent"));
        };
        headers.insert(name, value);
    }
    Ok(Request {
        method: Method::from_bytes(method.as_bytes())
            .map_err(|error| GraphError::bad_request(error.to_string()))?,
        segments,
        query: Query::parse(query),
        headers,
        body: step["body"].to_string().into(),
        ..outer.clone()
    })
}

fn document(id: &str, reply: Reply) -> Result<Value, GraphError> {
    let mut headers = Map::new();
    for (name, value) in &reply.headers {
        if let Ok(value) = value.to_str() {
            let name = if *name == header::CONTENT_TYPE {
                "Content-Type".to_owned()
            } else if *name == header::RETRY_AFTER {
                "Retry-After".to_owned()
            } else {
                name.to_string()
            };
            headers.insert(name, json!(value));
        }
    }
    let is_json = headers
        .get("Content-Type")
        .and_then(Value::as_str)
        .is_some_and(|kind| kind.starts_with("application/json"));
    let body = match reply.body {
        Body::Bytes(bytes) if is_json => {
            serde_json::from_slice(&bytes).map_err(GraphError::internal)?
        }
        // What is no JSON comes in base64.
        Body::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Body::Empty | Body::Stream(_) => Value::Null,
    };
    Ok(json!({"id": id, "status": reply.status.as_u16(), "headers": headers, "body": body}))
}
