//! Sessions of people in browsers.

use axum::extract::State;
use axum::http::StatusCode;
use catalog::SessionRow;
use model::Permission;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Caller, IDLE, Own};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(revoke))
}

/// A session.
#[derive(Serialize, ToSchema)]
struct Session {
    id: String,
    person: String,
    /// `password`, `setup`, or the name of an identity provider.
    method: String,
    created: String,
    /// To the minute.
    seen: String,
    expires: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// The session of this request.
    current: bool,
}

impl Session {
    fn of(row: SessionRow, caller: &Caller) -> Self {
        Self {
            current: caller.proof.as_ref() == Some(&row.id),
            id: row.id,
            person: row.person,
            method: row.method,
            created: row.created.to_string(),
            seen: row.seen.to_string(),
            expires: row.expires.to_string(),
            address: row.address,
            agent: row.agent,
        }
    }
}

/// Whose to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// Those of everybody; this needs the permission `manage-people`.
    #[param(required = false)]
    all: Option<bool>,
}

/// The id of the person whose things are looked at; `None` for everybody's, which not everybody may.
pub(super) fn whose<'a>(caller: &'a Caller, whose: &Whose) -> Result<Option<&'a str>, Problem> {
    let all = whose.all.unwrap_or(false);
    if all && !caller.may(Permission::ManagePeople) {
        return Err(Problem::forbidden(Permission::ManagePeople));
    }
    // The machine's administrator has nothing of its own.
    Ok(if all { None } else { caller.person.as_deref() })
}

/// One's own things, or everybody's for who manages people and reaches all connectors.
pub(super) fn reach(caller: &Caller) -> Option<&str> {
    // Some of the others may reach more, and whoever does is not locked out by who does not.
    if caller.may(Permission::ManagePeople) && caller.connectors.is_none() {
        None
    } else {
        caller.person.as_deref()
    }
}

/// One's own sessions, or everybody's, the newest first.
#[utoipa::path(get, path = "/sessions", tag = "account", operation_id = "session_list",
    params(PageQuery, Whose), extensions(("x-permission" = json!("own"))),
    responses((status = 200, body = Paged<Session>), Refusals))]
async fn list(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(all): Query<Whose>,
) -> Result<Json<Paged<Session>>, Problem> {
    let person = whose(&caller, &all)?;
    let now = server.control.clock.now();
    let sessions = server
        .control
        .catalog
        .sessions(person, now, now - IDLE, &query.page(&server)?)
        .await?;
    Ok(Json(Paged::from_listed(&server, sessions, |row| {
        Session::of(row, &caller)
    })))
}

/// Ends a session: an own one, or anybody's for who manages people.
#[utoipa::path(delete, path = "/sessions/{id}", tag = "account", operation_id = "session_revoke", params(("id" = String, Path)),
    extensions(("x-permission" = json!("own"))),
    responses((status = 204), Refusals))]
async fn revoke(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    super::tokens::not_a_mere_token(&caller)?;
    if !server
        .control
        .catalog
        .remove_session(&id, reach(&caller))
        .await?
    {
        return Err(Problem::not_found(
            "session-unknown",
            "there is no such session",
        ));
    }
    server
        .audit(
            &caller,
            "session.revoke",
            &format!("session/{id}"),
            json!({}),
        )
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
