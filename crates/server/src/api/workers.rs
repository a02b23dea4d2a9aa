//! Workers: what an administrator sees of them, and the line on which those elsewhere get and do their jobs.

use std::collections::BTreeSet;

use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use catalog::WorkerRow;
use control::remote::{Claim, JobCall};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Caller, CallerKind, Everything, ManageServer, ReadStatus};
use crate::{Json, Paged, Path, Problem, Refusals, Server};

/// A page of rows or the issues of a bad night.
const LARGEST: usize = 16 << 20;

pub(super) fn routes() -> OpenApiRouter<Server> {
    let line = OpenApiRouter::new()
        .routes(routes!(claim))
        .routes(routes!(say))
        .layer(DefaultBodyLimit::max(LARGEST));
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(remove))
        .merge(line)
}

/// A worker.
#[derive(Serialize, ToSchema)]
struct WorkerView {
    name: String,
    labels: BTreeSet<String>,
    /// Repositories that it reaches and others do not.
    storages: BTreeSet<String>,
    /// In a server's own process.
    own: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    seen: Option<String>,
}

impl From<WorkerRow> for WorkerView {
    fn from(row: WorkerRow) -> Self {
        Self {
            name: row.name,
            labels: row.labels,
            storages: row.storages,
            own: row.own,
            seen: row.seen.map(|seen| seen.to_string()),
        }
    }
}

/// A worker that is to run elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddWorker {
    #[schema(min_length = 1, max_length = 64)]
    name: String,
}

/// The token of a new worker; it is not shown again.
#[derive(Serialize, ToSchema)]
struct WorkerToken {
    name: String,
    token: String,
}

fn subject(name: &str) -> String {
    format!("worker/{name}")
}

/// A segment of addresses: `.` and `..` would lead elsewhere.
fn is_name(name: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-_.".contains(char);
    name.len() <= 64
        && name.starts_with(|char: char| char.is_ascii_alphanumeric())
        && name.chars().all(allowed)
}

/// All workers, by name.
#[utoipa::path(get, path = "/workers", tag = "workers", operation_id = "worker_list",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<WorkerView>), Refusals))]
async fn list(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Paged<WorkerView>>, Problem> {
    let workers = server.control.catalog.workers().await?.into_iter();
    Ok(Json(Paged::from(
        workers.map(WorkerView::from).collect::<Vec<_>>(),
    )))
}

/// Lets a worker in that runs elsewhere, and answers with its token.
#[utoipa::path(post, path = "/workers", tag = "workers", operation_id = "worker_add",
    extensions(("x-permission" = json!("manage-server")), ("x-reach" = json!("all"))),
    request_body = AddWorker,
    responses((status = 201, body = WorkerToken), Refusals))]
async fn add(
    caller: Allowed<ManageServer, Everything>,
    State(server): State<Server>,
    Json(request): Json<AddWorker>,
) -> Result<(StatusCode, Json<WorkerToken>), Problem> {
    if !is_name(&request.name) {
        return Err(Problem::field(
            "/name",
            "1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
        ));
    }
    let token = server.control.add_worker(&request.name).await?;
    server
        .audit(&caller, "worker.add", &subject(&request.name), json!({}))
        .await?;
    let answer = WorkerToken {
        name: request.name,
        token: token.expose().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Shuts a worker out. What it works on is taken over by another one.
#[utoipa::path(delete, path = "/workers/{name}", tag = "workers", operation_id = "worker_remove", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-server")), ("x-reach" = json!("all"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManageServer, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let worker = server.control.catalog.worker(&name).await?;
    server.control.catalog.remove_worker(&worker.name).await?;
    server
        .audit(&caller, "worker.remove", &subject(&worker.name), json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A worker that showed its token. Nobody else has one, whatever their roles.
struct Admitted(WorkerRow);

impl FromRequestParts<Server> for Admitted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION);
        let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") || !token.starts_with("kww_") {
            return Err(match parts.extensions.get::<Caller>() {
                Some(_) => Problem::new(
                    StatusCode::FORBIDDEN,
                    "role-missing",
                    "this is for workers with a token of their own",
                ),
                None => Problem::sign_in(),
            });
        }
        match server.control.worker_by_token(token.trim()).await {
            Ok(worker) => Ok(Self(worker)),
            Err(error) if error.code() == Some("worker-refused") => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "worker-refused",
                "no worker has this token",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

impl Admitted {
    fn caller(&self) -> Caller {
        Caller {
            name: self.0.name.clone(),
            kind: CallerKind::Worker,
            roles: BTreeSet::new(),
            ..Caller::local()
        }
    }
}

/// What a worker says is defined beside both of its ends.
fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_json::from_value(value).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "request-malformed",
            error.to_string(),
        )
    })
}

fn write(value: &impl Serialize) -> Result<Response, Problem> {
    let value = serde_json::to_value(value)
        .map_err(|error| Problem::refused("request-refused", error.to_string()))?;
    Ok(Json(value).into_response())
}

/// A job for a worker elsewhere, with the secrets that it needs; waits a while for one.
#[utoipa::path(post, path = "/worker/claim", tag = "workers", operation_id = "worker_claim",
    request_body(content = Object, description = "The worker's labels and storages."),
    responses((status = 200, body = Object), (status = 204), Refusals))]
async fn claim(
    worker: Admitted,
    State(server): State<Server>,
    Json(request): Json<Value>,
) -> Result<Response, Problem> {
    let claim: Claim = read(request)?;
    let observer = server.events.observer();
    let task = server
        .control
        .worker_claim(&worker.0, &claim, &observer)
        .await?;
    let Some(task) = task else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    // It was given secrets: that is worth remembering.
    let details = json!({ "run": task.run, "connector": task.connector.name, "repository": task.repository.name });
    server
        .audit(
            &worker.caller(),
            "worker.claim",
            &subject(&worker.0.name),
            details,
        )
        .await?;
    write(&task)
}

/// What a worker says about the job that it holds.
#[utoipa::path(post, path = "/worker/jobs/{job}", tag = "workers", operation_id = "worker_say", params(("job" = String, Path)),
    request_body(content = Object, description = "`token` of the lease and `say`."),
    responses((status = 200, body = Object), (status = 204), Refusals))]
async fn say(
    worker: Admitted,
    State(server): State<Server>,
    Path(job): Path<String>,
    Json(request): Json<Value>,
) -> Result<Response, Problem> {
    let call: JobCall = read(request)?;
    let observer = server.events.observer();
    let answer = server
        .control
        .worker_call(&worker.0, &job, call, &observer)
        .await?;
    if answer.is_null() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    write(&answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_its_place_in_addresses() {
        assert!(is_name("vault-2.site_b"));
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "a/b",
            "a b",
            &"a".repeat(65),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }
}
