//! What this server is.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, ReadStatus};
use crate::{Json, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(get))
}

/// The server's own state.
#[derive(Serialize, ToSchema)]
struct Status {
    version: &'static str,
    /// The server's clock.
    time: String,
}

/// Version and clock of the server.
#[utoipa::path(get, path = "/status", tag = "server", operation_id = "status_get",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Status), Refusals))]
async fn get(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Status>, Problem> {
    Ok(Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        time: server.control.clock.now().to_string(),
    }))
}
