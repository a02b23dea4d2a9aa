//! Reading a snapshot back.

use axum::extract::State;
use catalog::{RepositoryRow, Verification};
use jiff::Timestamp;
use model::Reason;
use repository::ObjectLockRule;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, RunBackups};
use crate::api::run_actions::{Accepted, accepted};
use crate::api::runs::RunView;
use crate::{Path, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(verify))
}

/// The last verification of a snapshot.
#[derive(Serialize, ToSchema)]
pub(super) struct VerifiedView {
    #[schema(format = DateTime)]
    at: String,
    /// Nothing was found that a person has to look at.
    ok: bool,
    /// Who asked for it: a person, `schedule`, `command`.
    by: String,
}

impl From<&Verification> for VerifiedView {
    fn from(made: &Verification) -> Self {
        Self {
            at: made.time.to_string(),
            ok: made.is_clean(),
            by: made.by.clone(),
        }
    }
}

/// Until when a snapshot that was taken then is held at least; `None` without an object lock.
pub(super) fn locked_until(row: &RepositoryRow, taken: Timestamp) -> Option<Timestamp> {
    let rule: ObjectLockRule = serde_json::from_str(row.object_lock.as_deref()?).ok()?;
    taken.checked_add(rule.keep).ok()
}

/// Queues a verification, which reads every byte of the snapshot back and looks for what is missing or wrong. Nothing is asked of the
/// service.
#[utoipa::path(post, path = "/snapshots/{id}/verify", tag = "snapshots", operation_id = "snapshot_verify",
    params(("id" = String, Path)), extensions(("x-permission" = json!("run-backups"))),
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn verify(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Accepted, Problem> {
    let snapshot = reached(&server, &caller, &id).await?;
    let run = server
        .control
        .request_verify(&snapshot, &caller.name, Reason::Request)
        .await?;
    let subject = format!("snapshot/{}", snapshot.id);
    server
        .audit(
            &caller,
            "snapshot.verify",
            &subject,
            json!({ "run": run.id }),
        )
        .await?;
    Ok(accepted(run))
}
