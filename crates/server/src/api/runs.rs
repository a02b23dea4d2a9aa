//! Runs: what was done, is being done and waits.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use catalog::{IssueRow, RunFilter};
use model::{KindCounts, Run, RunKind, RunState};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::names::{Named, Names};
use super::{restore_plans, word};
use crate::access::{Allowed, Caller, ReadStatus};
use crate::events::{Watched, sse};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(issues))
        .routes(routes!(events))
}

/// A run.
#[derive(Serialize, ToSchema)]
pub(super) struct RunView {
    id: String,
    /// `backup`, `plan`, `restore`, `check`, `prune`, `verify` or `sync`.
    kind: String,
    /// Empty for a run that is about a repository alone.
    connector: String,
    repository: String,
    /// `queued`, `running`, `succeeded`, `succeeded_with_issues`, `failed` or `canceled`.
    state: String,
    /// Why it was made: `command`, `request`, `schedule`, `missed` or `retry`.
    reason: String,
    #[schema(format = DateTime)]
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    finished: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// The run that this one tries again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<String>,
    /// The run whose checkpoint it went on from.
    #[serde(skip_serializing_if = "Option::is_none")]
    resumed_from: Option<String>,
    /// What keeps it from going on.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<WaitingView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    /// The restore plan that it makes or applies; told of one run alone, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    counts: CountsView,
    /// How far a run at work is, as its events `progress` tell it; told of one run alone, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    progress: Option<model::Event>,
    /// `full` for a backup that read everything: the first one, or one that was asked to; `forgotten` lists the snapshots (`id`, `time`) that its
    /// policies dropped after it. What a check or verification found (`damage`,
    /// `doubts`, `notes`, and what was read) and what a prune freed or would free (`dry_run`, `bytes_before`, `bytes_freed`, `packs_removed`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<serde_json::Value>,
}

/// Why a run waits.
#[derive(Serialize, ToSchema)]
struct WaitingView {
    code: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
}

/// What a run did in all.
#[derive(Serialize, ToSchema)]
struct CountsView {
    requests: u64,
    bytes_received: u64,
    /// New to the repository, after compression and encryption.
    bytes_stored: u64,
    kinds: BTreeMap<String, KindCountsView>,
}

/// What one kind of data held and what changed.
#[derive(Serialize, ToSchema)]
pub(super) struct KindCountsView {
    /// In the snapshot, with what lies in the service's recycle bin.
    items: u64,
    /// With what came back from the recycle bin.
    added: u64,
    changed: u64,
    /// With what came into the recycle bin.
    removed: u64,
}

impl From<&KindCounts> for KindCountsView {
    fn from(counts: &KindCounts) -> Self {
        Self {
            items: counts.items,
            added: counts.added,
            changed: counts.changed,
            removed: counts.removed,
        }
    }
}

impl From<Run> for RunView {
    fn from(run: Run) -> Self {
        let counts = CountsView {
            requests: run.counts.requests,
            bytes_received: run.counts.bytes_received,
            bytes_stored: run.counts.bytes_stored,
            kinds: run
                .counts
                .kinds
                .iter()
                .map(|(kind, counts)| (kind.clone(), counts.into()))
                .collect(),
        };
        let waiting = run.waiting.map(|waiting| WaitingView {
            code: waiting.code,
            message: waiting.message,
            until: waiting.until.map(|until| until.to_string()),
        });
        Self {
            id: run.id,
            kind: word(&run.kind),
            connector: run.connector,
            repository: run.repository,
            state: word(&run.state),
            reason: word(&run.reason),
            created: run.created.to_string(),
            finished: run.finished.map(|finished| finished.to_string()),
            policy: run.policy,
            retry_of: run.retry_of,
            resumed_from: run.resumed.map(|resumed| resumed.run),
            waiting,
            snapshot: run.snapshot,
            plan: None,
            progress: None,
            error: run.error,
            counts,
            result: run.result,
        }
    }
}

/// Which runs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of this connector.
    #[param(required = false)]
    connector: Option<String>,
    /// In this state.
    #[param(required = false, value_type = Option<String>)]
    state: Option<RunState>,
    /// Of this kind.
    #[param(required = false, value_type = Option<String>)]
    kind: Option<RunKind>,
}

/// Runs, the newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", operation_id = "run_list", params(PageQuery, Filter),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<RunView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<RunView>>, Problem> {
    let filter = RunFilter {
        connector: filter.connector,
        kind: filter.kind,
        state: filter.state,
        connectors: caller
            .connectors
            .as_ref()
            .map(|names| names.iter().cloned().collect()),
    };
    let mut listed = server
        .control
        .catalog
        .list_runs(&filter, &query.page(&server)?)
        .await?;
    server.control.explain(&mut listed.items).await?;
    Ok(Json(Paged::from_listed(&server, listed, RunView::from)))
}

/// The run, when the caller reaches its connector.
async fn reached(server: &Server, caller: &Caller, id: &str) -> Result<Run, Problem> {
    let run = server.control.catalog.run(id).await?;
    if caller.reaches(&run.connector) {
        return Ok(run);
    }
    Err(catalog::Error::RunUnknown { id: id.to_owned() }.into())
}

/// One run.
#[utoipa::path(get, path = "/runs/{id}", tag = "runs", operation_id = "run_get", params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = RunView), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<RunView>, Problem> {
    let mut run = reached(&server, &caller, &id).await?;
    server
        .control
        .explain(std::slice::from_mut(&mut run))
        .await?;
    let plan = match server.control.plan_of(&run).await? {
        Some(id) => match restore_plans::reached(&server, &caller, &id).await {
            Ok(_) => Some(id),
            Err(problem) if problem.status() == StatusCode::NOT_FOUND => None,
            Err(problem) => return Err(problem),
        },
        None => None,
    };
    let at_work = run.finished.is_none();
    let progress = at_work.then(|| server.events.how_far(&run.id)).flatten();
    Ok(Json(RunView {
        plan,
        progress,
        ..run.into()
    }))
}

/// Something that a person should know about a run.
#[derive(Serialize, ToSchema)]
struct IssueView {
    /// `keepward explain CODE` tells more.
    code: String,
    /// What the code stands for, in a few words; absent for a code of a newer version.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    class: String,
    kind: String,
    /// The project, or empty for all of the organization.
    scope: String,
    /// What the project is called, where a snapshot has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<String>,
    /// What the item is called, where a snapshot has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    item_name: Option<String>,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl IssueView {
    fn of(row: IssueRow, named: Named) -> Self {
        let issue = row.issue;
        Self {
            scope_name: named.scope,
            item_name: named.item,
            class: word(&issue.class),
            title: model::code::find(&issue.code).map(|code| code.title),
            code: issue.code,
            kind: issue.kind,
            scope: issue.scope,
            item: issue.item.map(|item| item.id),
            message: issue.message,
            hint: issue.hint,
        }
    }
}

/// The issues of a run, in the order in which they were found.
#[utoipa::path(get, path = "/runs/{id}/issues", tag = "runs", operation_id = "run_issues",
    params(("id" = String, Path), PageQuery),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<IssueView>), Refusals))]
async fn issues(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Paged<IssueView>>, Problem> {
    let run = reached(&server, &caller, &id).await?;
    let listed = server
        .control
        .catalog
        .issues(&run.id, &query.page(&server)?)
        .await?;
    let mut names = Names::new(&server);
    let mut views = Vec::with_capacity(listed.items.len());
    for row in listed.items {
        let named = names.of_issue(&run.connector, &row.issue).await?;
        views.push(IssueView::of(row, named));
    }
    Ok(Json(Paged::following(&server, views, listed.next)))
}

/// What a run does, as it does it (`text/event-stream`), as `GET /events`.
#[utoipa::path(get, path = "/runs/{id}/events", tag = "runs", operation_id = "run_events", params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = String, content_type = "text/event-stream"), Refusals))]
async fn events(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run = reached(&server, &caller, &id).await?;
    let watched = Watched {
        caller: (*caller).clone(),
        topics: vec!["runs".to_owned()],
        subject: Some(run.id),
    };
    Ok(sse(&server, watched, &headers))
}
