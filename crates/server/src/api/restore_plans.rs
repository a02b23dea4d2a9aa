//! Restore plans: what a restore would do, doing it, and taking it back. Steps are named by what was backed up, so only who may read that sees them.

mod dto;
mod identities;
mod steps;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use catalog::{KnownSnapshot, PlanFilter, PlanRow};
use control::{Asked, PlanWish};
use model::{PlanState, RestoreTarget};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::location;
use super::run_actions::{Accepted, accepted};
use super::{snapshots, word};
use crate::access::{Allowed, Caller, ReadStatus, Restore};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

use dto::{
    AddRestorePlan, ApplyRestorePlan, PlanLossView, RestorePlanCounts, RestorePlanDetail,
    RestorePlanView, RestoreTargetView,
};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, remove))
        .routes(routes!(apply))
        .routes(routes!(cancel))
        .routes(routes!(undo))
        .merge(steps::routes())
        .merge(identities::routes())
}

fn unknown(id: &str) -> Problem {
    catalog::Error::PlanUnknown { id: id.to_owned() }.into()
}

/// The plan reads what the caller may read, and writes where the caller may write.
async fn is_reached(server: &Server, caller: &Caller, row: &PlanRow) -> Result<bool, Problem> {
    let target = &row.plan.target;
    if caller.connectors.is_none() || !caller.reaches(target.connector()) {
        return Ok(caller.reaches(target.connector()));
    }
    if matches!(target, RestoreTarget::Original { .. }) && row.plan.undoes.is_none() {
        return Ok(true);
    }
    let read = row.plan.undoes.as_ref();
    let read = read.map_or(&row.plan.snapshot, |undone| &undone.snapshot);
    match snapshots::reached(server, caller, read).await {
        Ok(_) => Ok(true),
        Err(problem) if problem.status() == StatusCode::NOT_FOUND => Ok(false),
        Err(problem) => Err(problem),
    }
}

/// The plan, when the caller reaches it.
pub(super) async fn reached(
    server: &Server,
    caller: &Caller,
    id: &str,
) -> Result<PlanRow, Problem> {
    let row = server.control.catalog.plan_row(id).await?;
    if is_reached(server, caller, &row).await? {
        return Ok(row);
    }
    Err(unknown(id))
}

/// The plan's snapshot, unless it was forgotten.
async fn snapshot(server: &Server, id: &str) -> Result<Option<KnownSnapshot>, Problem> {
    match server.control.catalog.find_snapshot(id).await {
        Ok(snapshot) => Ok(Some(snapshot)),
        Err(catalog::Error::SnapshotUnknown { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn view(server: &Server, row: PlanRow) -> Result<RestorePlanView, Problem> {
    let snapshot = snapshot(server, &row.plan.snapshot).await?;
    let target = row.plan.target.connector().to_owned();
    let same = matches!(row.plan.target, RestoreTarget::Original { .. });
    let organization = match server.control.catalog.connector(&target).await {
        Ok(connector) => Some(connector.organization),
        Err(catalog::Error::ConnectorUnknown { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let target = RestoreTargetView {
        connector: target,
        organization,
        same,
    };
    Ok(RestorePlanView::of(row, target, snapshot.as_ref()))
}

async fn detail(server: &Server, row: PlanRow) -> Result<RestorePlanDetail, Problem> {
    let catalog = &server.control.catalog;
    let mut counts: BTreeMap<String, RestorePlanCounts> = BTreeMap::new();
    for count in catalog.step_counts(&row.plan.id).await? {
        let kind = count.kind.clone();
        let of_kind = counts
            .entry(count.kind)
            .or_insert_with(|| RestorePlanCounts::of(kind));
        *of_kind.action(count.action) += count.steps;
    }
    let counts: Vec<RestorePlanCounts> = counts.into_values().collect();
    let losses = catalog.step_losses(&row.plan.id).await?;
    let touches = counts
        .iter()
        .any(|counts| counts.replace + counts.remove > 0);
    let open = matches!(
        row.plan.state,
        PlanState::Ready | PlanState::Failed | PlanState::Canceled | PlanState::AppliedWithIssues
    );
    let plan = view(server, row).await?;
    Ok(RestorePlanDetail {
        confirm: plan.target.organization.clone().filter(|_| touches && open),
        counts,
        losses: PlanLossView::all(losses),
        plan,
    })
}

/// Which plans.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Into this connector's organization.
    #[param(required = false)]
    connector: Option<String>,
    /// In this state.
    #[param(required = false, value_type = Option<String>)]
    state: Option<PlanState>,
}

/// Restore plans, the newest first.
#[utoipa::path(get, path = "/restore-plans", tag = "restores", operation_id = "restore_plan_list", params(PageQuery, Filter),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<RestorePlanView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<RestorePlanView>>, Problem> {
    let connectors = caller.connectors.as_ref();
    let filter = PlanFilter {
        connector: filter.connector,
        state: filter.state,
        connectors: connectors.map(|names| names.iter().cloned().collect()),
    };
    let listed = server
        .control
        .catalog
        .list_plans(&filter, &query.page(&server)?)
        .await?;
    let mut views = Vec::with_capacity(listed.items.len());
    for row in listed.items {
        if is_reached(&server, &caller, &row).await? {
            views.push(view(&server, row).await?);
        }
    }
    Ok(Json(Paged::following(&server, views, listed.next)))
}

async fn answer(
    server: &Server,
    asked: Asked,
) -> Result<(StatusCode, HeaderMap, Json<RestorePlanView>), Problem> {
    let headers = location("restore-plans", &asked.plan.plan.id);
    let body = view(server, asked.plan).await?;
    Ok((StatusCode::ACCEPTED, headers, Json(body)))
}

/// Plans a restore: a run reads snapshot and target, and writes nothing there. With the conflict rule `replace` the plan is also a comparison:
/// what it would create is missing at the target.
#[utoipa::path(post, path = "/restore-plans", tag = "restores", operation_id = "restore_plan_add",
    extensions(("x-permission" = json!("restore"))), request_body = AddRestorePlan,
    responses((status = 202, body = RestorePlanView, headers(("Location" = String))), Refusals))]
async fn add(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Json(request): Json<AddRestorePlan>,
) -> Result<(StatusCode, HeaderMap, Json<RestorePlanView>), Problem> {
    let connector = request.target.connector;
    if !caller.reaches(&connector) {
        return Err(catalog::Error::ConnectorUnknown { name: connector }.into());
    }
    let snapshot = snapshots::reached(&server, &caller, &request.snapshot).await?;
    let wish = PlanWish {
        snapshot: snapshot.id,
        connector,
        conflict: request.conflict.into(),
        select: request.select.resolve()?,
        by: caller.name.clone(),
    };
    let asked = server.control.request_plan(&wish).await?;
    let plan = &asked.plan.plan;
    let details = json!({
        "snapshot": plan.snapshot, "connector": plan.target.connector(), "conflict": plan.conflict,
        "select": wish.select, "run": asked.run.id,
    });
    let subject = format!("restore-plan/{}", plan.id);
    server
        .audit(&caller, "restore.plan", &subject, details)
        .await?;
    answer(&server, asked).await
}

/// One restore plan.
#[utoipa::path(get, path = "/restore-plans/{id}", tag = "restores", operation_id = "restore_plan_get", params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = RestorePlanDetail), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<RestorePlanDetail>, Problem> {
    let row = reached(&server, &caller, &id).await?;
    detail(&server, row).await.map(Json)
}

/// Removes a plan with its report; what it restored stays, and can no longer be taken back. Refused while a run is at it.
#[utoipa::path(delete, path = "/restore-plans/{id}", tag = "restores", operation_id = "restore_plan_remove", params(("id" = String, Path)),
    extensions(("x-permission" = json!("restore"))), responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let row = reached(&server, &caller, &id).await?;
    server.control.catalog.remove_plan(&id).await?;
    let details = json!({ "connector": row.plan.target.connector(), "state": row.plan.state });
    let subject = format!("restore-plan/{id}");
    server
        .audit(&caller, "restore.remove", &subject, details)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Does what the plan says, reads everything back and reports in its steps. After an interruption it goes on where it stopped.
#[utoipa::path(post, path = "/restore-plans/{id}/apply", tag = "restores", operation_id = "restore_plan_apply", params(("id" = String, Path)),
    extensions(("x-permission" = json!("restore"))), request_body = ApplyRestorePlan,
    responses((status = 202, body = super::runs::RunView, headers(("Location" = String))), Refusals))]
async fn apply(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<ApplyRestorePlan>,
) -> Result<Accepted, Problem> {
    let row = reached(&server, &caller, &id).await?;
    let run = server
        .control
        .request_apply(&id, request.confirm.as_deref())
        .await?;
    let counts = server.control.catalog.step_counts(&id).await?;
    let mut actions: BTreeMap<String, u64> = BTreeMap::new();
    for count in counts {
        *actions.entry(word(&count.action)).or_default() += count.steps;
    }
    let details = json!({
        "connector": row.plan.target.connector(), "snapshot": row.plan.snapshot, "run": run.id,
        "actions": actions, "confirmed": request.confirm, "undoes": row.plan.undoes.map(|undone| undone.plan),
    });
    let subject = format!("restore-plan/{id}");
    server
        .audit(&caller, "restore.apply", &subject, details)
        .await?;
    Ok(accepted(run))
}

/// Asks the run that is at work on a plan to end, as who restores may; the plan can be gone on with.
#[utoipa::path(post, path = "/restore-plans/{id}/cancel", tag = "restores", operation_id = "restore_plan_cancel", params(("id" = String, Path)),
    extensions(("x-permission" = json!("restore"))),
    responses((status = 202, body = super::runs::RunView, headers(("Location" = String))), Refusals))]
async fn cancel(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Accepted, Problem> {
    let row = reached(&server, &caller, &id).await?;
    let run = match row.plan.state {
        PlanState::Planning => row.plan_run,
        PlanState::Applying => row.apply_run,
        _ => None,
    };
    let run =
        run.ok_or_else(|| Problem::refused("run-not-open", "no run is at work on the plan"))?;
    let run = server.control.cancel(&run).await?;
    let subject = format!("restore-plan/{id}");
    server
        .audit(
            &caller,
            "restore.cancel",
            &subject,
            json!({ "run": run.id }),
        )
        .await?;
    Ok(accepted(run))
}

/// Plans to take a restore back: what it made goes, unless somebody changed it since; what it replaced is put back from an older snapshot.
#[utoipa::path(post, path = "/restore-plans/{id}/undo", tag = "restores", operation_id = "restore_plan_undo", params(("id" = String, Path)),
    extensions(("x-permission" = json!("restore"))),
    responses((status = 202, body = RestorePlanView, headers(("Location" = String))), Refusals))]
async fn undo(
    caller: Allowed<Restore>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<(StatusCode, HeaderMap, Json<RestorePlanView>), Problem> {
    reached(&server, &caller, &id).await?;
    let asked = server.control.request_undo(&id, &caller.name).await?;
    let details = json!({ "plan": asked.plan.plan.id, "run": asked.run.id });
    let subject = format!("restore-plan/{id}");
    server
        .audit(&caller, "restore.undo", &subject, details)
        .await?;
    answer(&server, asked).await
}
