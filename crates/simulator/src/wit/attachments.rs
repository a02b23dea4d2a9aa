//! Files of work items.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person};

#[derive(Clone, Debug)]
pub(crate) struct Attachment {
    pub id: Uuid,
    pub name: String,
    pub bytes: Bytes,
    pub created: Timestamp,
    pub by: Arc<Person>,
    /// Bytes still to come in chunks.
    pub pending: Option<Pending>,
}

#[derive(Clone, Debug)]
pub(crate) struct Pending {
    total: Option<usize>,
    received: BytesMut,
}

/// Above it an upload must come in chunks.
const SIMPLE_LIMIT: usize = 130 << 20;

/// Keeps a file; `name` is what the uploader called it.
pub(crate) fn store(
    organization: &mut Organization,
    name: &str,
    bytes: Bytes,
    by: &Arc<Person>,
) -> Uuid {
    let id = organization.ids.guid();
    let created = organization.clock.tick();
    organization.wit.attachments.insert(
        id,
        Attachment {
            id,
            name: name.to_owned(),
            bytes,
            created,
            by: Arc::clone(by),
            pending: None,
        },
    );
    id
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.WorkItemTracking.Server.AttachmentNotFoundException",
        format!("VS402386: The attachment {id} could not be found."),
    )
}

fn reference(scope: &str, id: Uuid, name: &str) -> Value {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("fileName", name);
    json!({"id": id, "url": format!("{scope}/_apis/wit/attachments/{id}?{}", query.finish())})
}

/// `wit/attachments[/{id}]`.
pub(crate) fn route(
    organization: &mut Organization,
    call: &Call,
    rest: &[String],
) -> Result<Reply, ApiError> {
    let scope = call.project_base(organization)?;
    match (&call.method, rest) {
        (&Method::POST, []) => upload(organization, call, &scope),
        (&Method::PUT, [id]) => chunk(organization, call, id, &scope),
        (&Method::GET, [id]) => download(organization, call, id),
        (&Method::DELETE, [id]) => {
            let removed = Uuid::parse_str(id)
                .ok()
                .and_then(|id| organization.wit.attachments.remove(&id));
            removed
                .map(|_| Reply::no_content())
                .ok_or_else(|| not_found(id))
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// Takes a file, or with `uploadType=chunked` the promise of one.
fn upload(organization: &mut Organization, call: &Call, scope: &str) -> Result<Reply, ApiError> {
    let name = call.query.get("fileName").unwrap_or("attachment");
    let by = &call.identity.person;
    let chunked = call
        .query
        .get("uploadType")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("chunked"));
    if !chunked {
        if call.body.len() > SIMPLE_LIMIT {
            return Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "System.Web.HttpException",
                "Maximum request length exceeded.",
            ));
        }
        let id = store(organization, name, call.body.clone(), by);
        return Ok(Reply::json(reference(scope, id, name)).with_status(StatusCode::CREATED));
    }
    let id = store(organization, name, Bytes::new(), by);
    if let Some(attachment) = organization.wit.attachments.get_mut(&id) {
        attachment.pending = Some(Pending {
            total: None,
            received: BytesMut::new(),
        });
    }
    Ok(Reply::json(reference(scope, id, name)).with_status(StatusCode::ACCEPTED))
}

/// A file that has come completely.
fn download(organization: &Organization, call: &Call, id: &str) -> Result<Reply, ApiError> {
    let attachment = Uuid::parse_str(id)
        .ok()
        .and_then(|id| organization.wit.attachments.get(&id))
        .filter(|attachment| attachment.pending.is_none())
        .ok_or_else(|| not_found(id))?;
    let name = call.query.get("fileName").unwrap_or(&attachment.name);
    let disposition = format!("attachment; filename=\"{}\"", name.replace('"', "_"));
    let reply = Reply::bytes("application/octet-stream", attachment.bytes.clone());
    Ok(reply.header("content-disposition", disposition))
}

/// `PUT` with `Content-Range: bytes 0-9/25`; the chunks come in order.
fn chunk(
    organization: &mut Organization,
    call: &Call,
    id: &str,
    scope: &str,
) -> Result<Reply, ApiError> {
    let attachment = Uuid::parse_str(id)
        .ok()
        .and_then(|id| organization.wit.attachments.get_mut(&id))
        .ok_or_else(|| not_found(id))?;
    let range = call
        .header("content-range")
        .and_then(range)
        .ok_or_else(|| {
            ApiError::bad_request("VS402385: The Content-Range header is missing or not valid.")
        })?;
    let pending = attachment
        .pending
        .as_mut()
        .ok_or_else(|| ApiError::bad_request("VS402384: The attachment is complete already."))?;
    let (first, last, total) = range;
    let expected = pending.received.len();
    if first != expected
        || call.body.len() != last - first + 1
        || pending.total.is_some_and(|known| known != total)
    {
        return Err(ApiError::bad_request(format!(
            "VS402383: The chunk must start at {expected} and have the length that its range says."
        )));
    }
    pending.total = Some(total);
    pending.received.extend_from_slice(&call.body);
    if pending.received.len() == total {
        attachment.bytes = std::mem::take(&mut pending.received).freeze();
        attachment.pending = None;
    }
    Ok(Reply::json(reference(
        scope,
        attachment.id,
        &attachment.name,
    )))
}

/// First, last and total of `bytes 0-9/25`.
fn range(text: &str) -> Option<(usize, usize, usize)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last, total.trim().parse().ok()?))
}
