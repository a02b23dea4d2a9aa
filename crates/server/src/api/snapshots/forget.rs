//! Forgetting snapshots: the one thing here that takes backups away.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use model::ProposalKind;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{reached, repositories};
use crate::access::{Allowed, ManageRepositories, Outcome};
use crate::api::proposals::Waits;
use crate::{Json, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(forget))
}

/// Snapshots to forget, all in one repository.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forget {
    /// Ids, or beginnings of ids.
    #[schema(min_items = 1, max_items = 1000)]
    snapshots: Vec<String>,
}

/// The snapshots that are gone.
#[derive(Serialize, ToSchema)]
struct Forgotten {
    snapshots: Vec<String>,
}

const MOST: usize = 1000;

/// Forgets snapshots; a prune frees their space. With four eyes on, it waits for another person's approval.
#[utoipa::path(post, path = "/snapshots/forget", tag = "snapshots", operation_id = "snapshot_forget",
    extensions(("x-permission" = json!("manage-repositories"))),
    request_body = Forget,
    responses((status = 200, body = Forgotten), (status = 202, body = Waits), Refusals))]
async fn forget(
    caller: Allowed<ManageRepositories>,
    State(server): State<Server>,
    Json(request): Json<Forget>,
) -> Result<Response, Problem> {
    if request.snapshots.is_empty() || request.snapshots.len() > MOST {
        return Err(Problem::field("/snapshots", "from 1 to 1000"));
    }
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for snapshot in &request.snapshots {
        let snapshot = reached(&server, &caller, snapshot).await?;
        ids.insert(snapshot.id);
        places.insert(snapshot.source.repository);
    }
    let names = repositories(&server).await?;
    let mut places = places.iter().filter_map(|id| names.get(id));
    let (Some(repository), None) = (places.next(), places.next()) else {
        return Err(Problem::field(
            "/snapshots",
            "not all in one repository that is known here",
        ));
    };
    let snapshots: Vec<String> = ids.into_iter().collect();
    if server.control.four_eyes().await? {
        let repository = repository.clone();
        let kind = ProposalKind::ForgetSnapshots {
            repository,
            snapshots,
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    let forgotten = server
        .control
        .forget_snapshots(repository, &snapshots)
        .await;
    // Some may be gone when it fails in the middle.
    let outcome = match &forgotten {
        Ok(()) => Outcome::Done,
        Err(_) => Outcome::Failed,
    };
    let subject = format!("repository/{repository}");
    let details = json!({ "snapshots": snapshots });
    server
        .audit_as(&caller, "snapshot.forget", &subject, details, outcome)
        .await?;
    forgotten?;
    Ok(Json(Forgotten { snapshots }).into_response())
}
