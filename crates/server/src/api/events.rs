//! What happens, as it happens.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, ReadStatus};
use crate::events::{Watched, sse};
use crate::{Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Topics {
    /// Resources to hear of, with commas between: `runs,connectors`. Without it, all.
    #[param(required = false)]
    topics: Option<String>,
}

/// A stream of events (`text/event-stream`). Runs tell all that happens to them; of other resources, `changed` with an empty `subject` says that
/// somebody changed one of them. Its ids let a watcher go on after a lost connection (`Last-Event-ID`); the event `reset` says that
/// events were missed and what is shown has to be read again. Where nothing else is to be said, `beat` comes every 15 seconds: a stream
/// without it has died.
#[utoipa::path(get, path = "/events", tag = "events", operation_id = "event_stream", params(Topics),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = String, content_type = "text/event-stream"), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(topics): Query<Topics>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let topics = topics.topics.unwrap_or_default();
    let topics = topics
        .split(',')
        .map(str::trim)
        .filter(|topic| !topic.is_empty());
    let watched = Watched {
        caller: (*caller).clone(),
        topics: topics.map(str::to_owned).collect(),
        subject: None,
    };
    Ok(sse(&server, watched, &headers))
}
