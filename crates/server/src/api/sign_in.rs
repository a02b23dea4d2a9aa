//! Signing in and out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::me::{self, Me};
use crate::access::{Allowed, ClientLine, Cookies, Own, SignInRequest, Started, prove};
use crate::{Json, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(sign_in, sign_out))
}

/// Begins a session. Its cookie is new each time; the session that the browser had before ends.
#[utoipa::path(post, path = "/session", tag = "sign-in", operation_id = "session_create", security(()),
    request_body = SignInRequest, responses((status = 201, body = Me), Refusals))]
async fn sign_in(
    State(server): State<Server>,
    client: ClientLine,
    headers: HeaderMap,
    Json(request): Json<SignInRequest>,
) -> Result<impl IntoResponse, Problem> {
    let person = prove(&server, &request, &client).await?;
    let before = Cookies::new(&server.options).session(&headers);
    let started = Started::begin(&server, person, "password", &client, before).await?;
    let me = me::read(&server, &started.caller).await?;
    Ok((StatusCode::CREATED, started.cookie.header(), Json(me)))
}

/// Ends the session of the request.
#[utoipa::path(delete, path = "/session", tag = "sign-in", operation_id = "session_delete",
    extensions(("x-permission" = json!("own"))),
    responses((status = 204), Refusals))]
async fn sign_out(
    caller: Allowed<Own>,
    State(server): State<Server>,
) -> Result<impl IntoResponse, Problem> {
    caller.in_person()?;
    if let Some(session) = &caller.proof {
        server.control.catalog.remove_session(session, None).await?;
    }
    server
        .audit(&caller, "session.end", "session", json!({}))
        .await?;
    let gone = Cookies::new(&server.options).clear_session();
    // What a browser has kept of the pages goes too.
    let forget = AppendHeaders([(
        header::HeaderName::from_static("clear-site-data"),
        "\"cache\"",
    )]);
    Ok((StatusCode::NO_CONTENT, gone.header(), forget))
}
