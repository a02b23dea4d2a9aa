//! `$batch`: many changes of work items in one request.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::server::{ApiError, Body, Call, Query, Reply};
use crate::world::Organization;

/// Operations in one request.
const MOST: usize = 200;

#[derive(Deserialize)]
struct Part {
    method: String,
    uri: String,
    #[serde(default)]
    headers: serde_json::Map<String, Value>,
    #[serde(default)]
    body: Value,
}

/// Runs the parts in their order. New items may be named by negative ids in later parts.
pub(super) fn run(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    let parts: Vec<Part> = call.json()?;
    if parts.len() > MOST {
        return Err(ApiError::bad_request(format!(
            "VS403355: A batch can hold {MOST} requests at most."
        )));
    }
    let mut named: Vec<(i64, u64)> = Vec::new();
    let mut answers = Vec::new();
    for part in parts {
        let mut body = part.body;
        let own = own_id(&body);
        rename(&mut body, &named);
        let reply = match inner(call, &part.method, &part.uri, &part.headers, &body) {
            Ok(inner) => super::route(organization, &inner).unwrap_or_else(ApiError::into_reply),
            Err(error) => error.into_reply(),
        };
        let text = match &reply.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let made = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|value| value["id"].as_u64());
        if let (Some(own), Some(made)) = (own, made) {
            named.push((own, made));
        }
        answers.push(json!({"code": reply.status.as_u16(), "headers": {"Content-Type": "application/json; charset=utf-8"}, "body": text}));
    }
    Ok(Reply::list(answers))
}

/// The negative id that a part gives to what it creates.
fn own_id(body: &Value) -> Option<i64> {
    let operations = body.as_array()?;
    operations
        .iter()
        .find(|operation| operation["path"] == "/id")
        .and_then(|operation| operation["value"].as_i64())
        .filter(|id| *id < 0)
}

/// Puts the ids of new items into the addresses of relations.
fn rename(body: &mut Value, named: &[(i64, u64)]) {
    for operation in body.as_array_mut().into_iter().flatten() {
        let Some(url) = operation.pointer_mut("/value/url") else {
            continue;
        };
        let Some((place, id)) = url
            .as_str()
            .and_then(|text| text.rsplit_once('/'))
            .map(|(place, id)| (place.to_owned(), id.to_owned()))
        else {
            continue;
        };
        if let Some((_, made)) = named.iter().find(|(own, _)| own.to_string() == id) {
            *url = json!(format!("{place}/{made}"));
        }
    }
}

fn inner(
    call: &Call,
    method: &str,
    uri: &str,
    headers: &serde_json::Map<String, Value>,
    body: &Value,
) -> Result<Call, ApiError> {
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let segments: Vec<String> = path
        .trim_start_matches(call.base.as_str())
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| {
            percent_encoding::percent_decode_str(segment)
                .decode_utf8_lossy()
                .into_owned()
        })
        .collect();
    let at = segments
        .iter()
        .position(|segment| segment.eq_ignore_ascii_case("_apis"))
        .ok_or_else(|| ApiError::no_route_path(path))?;
    let header = |(name, value): (&String, &Value)| {
        let value = value.as_str().map(HeaderValue::from_str);
        match (HeaderName::try_from(name.as_str()), value) {
            (Ok(name), Some(Ok(value))) => Ok((name, value)),
            _ => Err(ApiError::bad_body(format!("{name} is no header"))),
        }
    };
    let place = &segments[..at];
    let place = if place
        .first()
        .is_some_and(|first| first.eq_ignore_ascii_case(&call.organization))
    {
        &place[1..]
    } else {
        place
    };
    Ok(Call {
        method: Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(ApiError::bad_body)?,
        host: call.host,
        organization: call.organization.clone(),
        project: place.first().cloned(),
        team: place.get(1).cloned(),
        segments: segments[at + 1..].to_vec(),
        query: Query::parse(query),
        headers: headers
            .iter()
            .map(header)
            .collect::<Result<HeaderMap, _>>()?,
        body: Bytes::from(body.to_string()),
        identity: call.identity.clone(),
        base: call.base.clone(),
        path: path.to_owned(),
        version: call.version.clone(),
    })
}
