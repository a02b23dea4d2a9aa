//! Bodies whose bytes the ledger counts as they are sent.

use axum::body::Body as HttpBody;
use axum::http::header;
use axum::response::Response;
use futures::StreamExt as _;

use super::{Body, Reply};
use crate::ledger::Line;

/// An answer that the ledger does not know.
pub(super) fn plain(reply: Reply) -> Response {
    send(reply, None, false)
}

pub(super) fn response(reply: Reply, line: Line, head: bool) -> Response {
    send(reply, Some(line), head)
}

fn send(reply: Reply, line: Option<Line>, head: bool) -> Response {
    let count = move |bytes: usize| {
        if let Some(line) = &line {
            line.add_bytes(bytes);
        }
    };
    let (body, length) = match reply.body {
        Body::Empty => (HttpBody::empty(), Some(0)),
        Body::Bytes(bytes) if head => (HttpBody::empty(), Some(bytes.len())),
        Body::Bytes(bytes) => {
            count(bytes.len());
            let length = bytes.len();
            (HttpBody::from(bytes), Some(length))
        }
        Body::Stream(body) => {
            let counted = body.into_data_stream().inspect(move |part| {
                if let Ok(part) = part {
                    count(part.len());
                }
            });
            (HttpBody::from_stream(counted), None)
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let Some(length) = length.filter(|_| reply.status != axum::http::StatusCode::NO_CONTENT) {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length.into());
    }
    response
}
