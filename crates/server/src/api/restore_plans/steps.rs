//! What a plan does with each item, and after it was applied what came of it.

use axum::extract::State;
use catalog::StepFilter;
use model::{Action, Step, StepState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, ReadContent};
use crate::api::names::Names;
use crate::api::word;
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a plan does with one item.
#[derive(Serialize, ToSchema)]
struct RestoreStepView {
    kind: String,
    /// Its id in the snapshot.
    item: String,
    name: String,
    /// The name of its project, or the id where that is all that is known.
    project: Option<String>,
    /// `create`, `undelete`, `replace`, `merge`, `skip`, `export` or `remove`.
    action: String,
    /// Why it is skipped or exported, what needs it, or why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    losses: Vec<String>,
    /// `waiting`, `done`, `failed` or `skipped`.
    state: &'static str,
    /// Its id at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_id: Option<String>,
    /// Its page at the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// In what it differs from the snapshot, when it was read back.
    differences: Vec<String>,
}

/// How notes begin that tell of losses beyond the declared ones.
const LOST: &str = "lost: ";

impl RestoreStepView {
    fn of(step: Step, project: Option<String>) -> Self {
        let notes = step.detail.as_deref().unwrap_or_default().split("; ");
        let notes: Vec<String> = notes
            .filter(|note| !note.is_empty())
            .map(str::to_owned)
            .collect();
        let mut losses = step.losses;
        let (mut differences, mut reason) = (Vec::new(), step.reason);
        let state = match step.state {
            StepState::Planned | StepState::Intended => "waiting",
            StepState::Done | StepState::Verified | StepState::Differs => "done",
            StepState::Failed => "failed",
            StepState::Skipped => "skipped",
        };
        match step.state {
            StepState::Failed | StepState::Skipped => reason = step.detail.or(reason),
            StepState::Differs => differences = notes,
            _ => {
                let lost = notes.iter().filter_map(|note| note.strip_prefix(LOST));
                losses.extend(lost.map(str::to_owned));
                let others = notes.iter().filter(|note| !note.starts_with(LOST));
                let others: Vec<&str> = others.map(String::as_str).collect();
                if !others.is_empty() {
                    reason = Some(others.join("; "));
                }
            }
        }
        Self {
            kind: step.item.kind,
            item: step.item.id,
            name: step.name,
            project,
            action: word(&step.action),
            reason,
            losses,
            state,
            new_id: step.new_id,
            url: step.url,
            differences,
        }
    }
}

/// Which steps.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of this kind.
    #[param(required = false)]
    kind: Option<String>,
    /// That do this.
    #[param(required = false, value_type = Option<String>)]
    action: Option<Action>,
    /// That ended so: `failed`, `differs` (restored, and reads back otherwise), `verified`, `done` or `skipped`; or `planned`, `intended`.
    #[param(required = false, value_type = Option<String>)]
    state: Option<StepState>,
}

/// The steps of a plan in their order; after it was applied, its report.
#[utoipa::path(get, path = "/restore-plans/{id}/steps", tag = "restores", operation_id = "restore_plan_steps",
    params(("id" = String, Path), PageQuery, Filter),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<RestoreStepView>), Refusals))]
async fn list(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<RestoreStepView>>, Problem> {
    let row = reached(&server, &caller, &id).await?;
    let filter = StepFilter {
        kind: filter.kind,
        action: filter.action,
        state: filter.state,
    };
    let catalog = &server.control.catalog;
    let listed = catalog
        .list_steps(&id, &filter, &query.page(&server)?)
        .await?;
    let named_by = row
        .plan
        .undoes
        .map_or(row.plan.snapshot, |undone| undone.snapshot);
    let snapshot = super::snapshot(&server, &named_by).await?;
    let mut names = Names::new(&server);
    let mut views = Vec::with_capacity(listed.items.len());
    for step in listed.items {
        let (kind, scope) = (&step.item.kind, &step.item.scope);
        let project = match &snapshot {
            Some(snapshot) => names.scope(&snapshot.source, kind, scope).await?,
            None => None,
        };
        let known = project.or_else(|| Some(scope.clone()).filter(|scope| !scope.is_empty()));
        views.push(RestoreStepView::of(step, known));
    }
    Ok(Json(Paged::following(&server, views, listed.next)))
}
