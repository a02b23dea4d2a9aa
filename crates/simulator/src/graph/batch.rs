//! `POST $batch`: up to twenty requests in one, each with its own answer.

use axum::http::{HeaderName, HeaderValue, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::answer::{Context, Request, one, throttle};
use super::error::GraphError;
use crate::server::{Body, Query, Reply};

const MOST: usize = 20;

pub(super) fn answer(context: &mut Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    if request.method != Method::POST {
        return Err(GraphError::bad_request("A batch is posted."));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| GraphError::bad_request(error.to_string()))?;
    let requests = body["requests"]
        .as_array()
        .ok_or_else(|| GraphError::bad_request("The member requests is missing."))?;
    if requests.len() > MOST {
        return Err(GraphError::new(
            axum::http::StatusCode::BAD_REQUEST,
            "MaximumValueExceeded",
            format!("Number of batch request steps exceeds the maximum value of {MOST}."),
        ));
    }
    let mut answers = Vec::new();
    for step in requests {
        let reply = throttle(context.tenant)
            .and_then(|()| inner(request, step))
            .and_then(|inner| one(context, &inner))
            .unwrap_or_else(GraphError::into_reply);
        answers.push(document(&step["id"], reply));
    }
    // Answers come in no order that clients may count on.
    answers.reverse();
    Ok(Reply::json(json!({"responses": answers})))
}

fn inner(outer: &Request, step: &Value) -> Result<Request, GraphError> {
    let url = step["url"]
        .as_str()
        .ok_or_else(|| GraphError::bad_request("The member url is missing."))?;
    let method = step["method"].as_str().unwrap_or("GET");
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
        if let (Ok(name), Some(Ok(value))) = (
            HeaderName::try_from(name.as_str()),
            value.as_str().map(HeaderValue::from_str),
        ) {
            headers.insert(name, value);
        }
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

fn document(id: &Value, reply: Reply) -> Value {
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
        Body::Bytes(bytes) if is_json => serde_json::from_slice(&bytes).unwrap_or_default(),
        // What is no JSON comes in base64.
        Body::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Body::Empty | Body::Stream(_) => Value::Null,
    };
    json!({"id": id, "status": reply.status.as_u16(), "headers": headers, "body": body})
}
