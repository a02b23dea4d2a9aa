//! Policies: what is backed up, when, where to, and how long it stays.

mod body;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use catalog::PolicyRow;
use control::Control;
use model::policy::{matches, next_runs};
use model::{Policy, ProposalKind, Reason};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::proposals::Waits;
use super::runs::RunView;
use crate::access::{Allowed, Caller, Everything, ManagePolicies, ReadStatus, RunBackups};
use crate::{FieldError, Json, Paged, Path, Problem, Refusals, Server};
pub(super) use body::{KeepBody, PolicyBody, ScheduleBody};

/// Times that a preview tells.
const PREVIEW: usize = 5;

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, edit, remove))
        .routes(routes!(preview))
        .routes(routes!(preview_retention))
        .routes(routes!(run))
}

/// A policy and how it stands.
#[derive(Serialize, ToSchema)]
struct PolicyView {
    policy: PolicyBody,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster.
    version: i64,
    /// Absent for one that nobody has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    updated: Option<String>,
    /// When its schedule made runs last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    fired: Option<String>,
    /// When it runs next; absent for one that does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    next: Option<String>,
    /// It removes nothing until somebody saves it: its repository holds snapshots of another installation, whose rules nobody knows here.
    removes_nothing: bool,
}

impl PolicyView {
    async fn new(control: &Control, row: &PolicyRow) -> Result<Self, Problem> {
        let (policy, now) = (&row.policy, control.clock.now());
        let next = policy
            .enabled
            .then(|| next_runs(&policy.schedule, &policy.name, now, 1));
        Ok(Self {
            policy: PolicyBody::of(policy)?,
            version: row.version,
            updated: (row.updated > jiff::Timestamp::UNIX_EPOCH).then(|| row.updated.to_string()),
            fired: row.fired.map(|fired| fired.to_string()),
            next: next
                .and_then(|times| times.first().copied())
                .map(|time| time.to_string()),
            removes_nothing: control.removes_nothing(row).await?,
        })
    }
}

/// A policy to take the place of another.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditPolicy {
    policy: PolicyBody,
    /// What it replaces; absent for whatever is there.
    version: Option<i64>,
}

/// What a policy would do.
#[derive(Serialize, ToSchema)]
struct PolicyPreview {
    /// The next times, in UTC.
    next: Vec<String>,
    /// The same in its own time zone.
    local: Vec<String>,
    /// The connectors that it is for now.
    connectors: Vec<String>,
}

/// What retention would do to the snapshots of a connector.
#[derive(Serialize, ToSchema)]
struct RetentionView {
    connector: String,
    repository: String,
    snapshots: Vec<DecisionView>,
    /// Why nothing is forgotten at present, whatever the rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suspicions: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct DecisionView {
    snapshot: String,
    keep: bool,
    /// Why it stays.
    reasons: Vec<String>,
}

/// How to run a policy now.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct RunPolicy {
    /// Of this connector alone; all that the policy is for when absent.
    connector: Option<String>,
}

fn subject(name: &str) -> String {
    format!("policy/{name}")
}

/// What the caller sees of a policy: one that is for a connector that they reach, without the names of others. `None` where it is for none
/// of those.
fn seen(caller: &Caller, mut row: PolicyRow) -> Option<PolicyRow> {
    let Some(reached) = &caller.connectors else {
        return Some(row);
    };
    let named = &mut row.policy.connectors;
    let for_all = named.is_empty();
    named.retain(|pattern| reached.iter().any(|name| matches(pattern, name)));
    (for_all || !named.is_empty()).then_some(row)
}

/// The policy of this name, as the caller sees it.
async fn visible(server: &Server, caller: &Caller, name: &str) -> Result<PolicyRow, Problem> {
    let row = server.control.catalog.policy(name).await?;
    let unknown = || catalog::Error::PolicyUnknown {
        name: name.to_owned(),
    };
    Ok(seen(caller, row).ok_or_else(unknown)?)
}

/// What it names has to be there, so that a run does not find out at night.
async fn names_exist(server: &Server, policy: &Policy) -> Result<(), Problem> {
    let mut errors = Vec::new();
    if let Some(name) = &policy.repository
        && let Err(error) = server.control.catalog.repository(name).await
    {
        match error {
            catalog::Error::RepositoryUnknown { .. } => errors.push(FieldError::pointer(
                "/repository",
                format!("there is no repository `{name}`"),
            )),
            other => return Err(other.into()),
        }
    }
    let known = |kind: &str| {
        let mut services = server.control.services.iter();
        services.any(|service| service.kind(kind).is_some())
    };
    for kind in policy.selection.kinds.iter().filter(|kind| !known(kind)) {
        errors.push(FieldError::pointer(
            "/selection/kinds",
            format!("no service has the kind `{kind}`"),
        ));
    }
    for kind in policy.selection.items.keys().filter(|kind| !known(kind)) {
        errors.push(FieldError::pointer(
            "/selection/items",
            format!("no service has the kind `{kind}`"),
        ));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::fields(errors))
    }
}

/// All policies that are for a connector that the caller reaches, by name.
#[utoipa::path(get, path = "/policies", tag = "policies", operation_id = "policy_list",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<PolicyView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<Paged<PolicyView>>, Problem> {
    let rows = server.control.catalog.policies().await?;
    let mut views = Vec::new();
    for row in rows.into_iter().filter_map(|row| seen(&caller, row)) {
        views.push(PolicyView::new(&server.control, &row).await?);
    }
    Ok(Json(Paged::from(views)))
}

/// Makes a policy. One that takes connectors from policies that keep more waits for another person where that is asked for.
#[utoipa::path(post, path = "/policies", tag = "policies", operation_id = "policy_add",
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    request_body = PolicyBody,
    responses((status = 201, body = PolicyView, headers(("Location" = String))), (status = 202, body = Waits), Refusals))]
async fn add(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Json(request): Json<PolicyBody>,
) -> Result<Response, Problem> {
    let control = server.control.judging().await?;
    let now = control.clock.now();
    let policy = request.policy(None, now)?;
    names_exist(&server, &policy).await?;
    if control.policy_waits(None, Some(&policy)).await? {
        // A second one of the name is refused at once, not when somebody has approved it.
        if control.catalog.policy(&policy.name).await.is_ok() {
            return Err(catalog::Error::PolicyExists { name: policy.name }.into());
        }
        let kind = ProposalKind::ShortenRetention {
            policy: policy.name.clone(),
            version: 0,
            old: None,
            new: Some(Box::new(policy)),
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    control.catalog.add_policy(&policy, now).await?;
    server
        .audit(
            &caller,
            "policy.add",
            &subject(&policy.name),
            json!({ "policy": policy }),
        )
        .await?;
    let row = control.catalog.policy(&policy.name).await?;
    let path = format!("/api/v1/policies/{}", service::http::segment(&policy.name));
    let location = HeaderValue::from_str(&path).ok();
    let location = AppendHeaders(location.map(|location| (header::LOCATION, location)));
    let view = Json(PolicyView::new(&control, &row).await?);
    Ok((StatusCode::CREATED, location, view).into_response())
}

/// A policy.
#[utoipa::path(get, path = "/policies/{name}", tag = "policies", operation_id = "policy_get", params(("name" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = PolicyView), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<PolicyView>, Problem> {
    let row = visible(&server, &caller, &name).await?;
    Ok(Json(PolicyView::new(&server.control, &row).await?))
}

/// Replaces a policy. One that keeps less waits for another person's approval where that is asked for.
#[utoipa::path(put, path = "/policies/{name}", tag = "policies", operation_id = "policy_edit", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    request_body = EditPolicy,
    responses((status = 200, body = PolicyView), (status = 202, body = Waits), Refusals))]
async fn edit(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<EditPolicy>,
) -> Result<Response, Problem> {
    let control = server.control.judging().await?;
    let before = control.catalog.policy(&name).await?;
    let now = control.clock.now();
    let policy = request.policy.policy(Some(&before.policy), now)?;
    names_exist(&server, &policy).await?;
    let version = request.version.unwrap_or(before.version);
    if version != before.version {
        return Err(catalog::Error::PolicyChanged { name }.into());
    }
    let name = before.policy.name.clone();
    let weaker = before.policy.four_eyes && !policy.four_eyes;
    if weaker || control.policy_waits(Some(&name), Some(&policy)).await? {
        let kind = ProposalKind::ShortenRetention {
            policy: name,
            version,
            old: Some(Box::new(before.policy)),
            new: Some(Box::new(policy)),
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    control
        .catalog
        .replace_policy(&name, version, &policy, now)
        .await?;
    let details = json!({ "old": before.policy, "new": policy });
    server
        .audit(&caller, "policy.edit", &subject(&name), details)
        .await?;
    let row = control.catalog.policy(&policy.name).await?;
    Ok(Json(PolicyView::new(&control, &row).await?).into_response())
}

/// Removes a policy. Its snapshots stay. Where that keeps less, it waits for another person if that is asked for.
#[utoipa::path(delete, path = "/policies/{name}", tag = "policies", operation_id = "policy_remove", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 202, body = Waits), (status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let control = server.control.judging().await?;
    let row = control.catalog.policy(&name).await?;
    if control.policy_waits(Some(&row.policy.name), None).await? {
        let kind = ProposalKind::ShortenRetention {
            policy: row.policy.name.clone(),
            version: row.version,
            old: Some(Box::new(row.policy)),
            new: None,
        };
        return Ok(server.propose(&caller, &kind).await?.into_response());
    }
    control.catalog.remove_policy(&row.policy.name).await?;
    let details = json!({ "policy": row.policy });
    server
        .audit(
            &caller,
            "policy.remove",
            &subject(&row.policy.name),
            details,
        )
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// When a policy would run, and for what; saved or not.
#[utoipa::path(post, path = "/policies/preview", tag = "policies", operation_id = "policy_preview",
    extensions(("x-permission" = json!("read-status"))),
    request_body = PolicyBody,
    responses((status = 200, body = PolicyPreview), Refusals))]
async fn preview(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Json(request): Json<PolicyBody>,
) -> Result<Json<PolicyPreview>, Problem> {
    caller.only_reads();
    let now = server.control.clock.now();
    let policy = request.policy(None, now)?;
    let times = next_runs(&policy.schedule, &policy.name, now, PREVIEW);
    let zone =
        jiff::tz::TimeZone::get(&policy.schedule.time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
    let mut connectors = server.control.covered(&policy).await?;
    connectors.retain(|connector| caller.reaches(connector));
    Ok(Json(PolicyPreview {
        next: times.iter().map(ToString::to_string).collect(),
        local: times
            .iter()
            .map(|time| {
                time.to_zoned(zone.clone())
                    .strftime("%Y-%m-%d %H:%M %Z")
                    .to_string()
            })
            .collect(),
        connectors,
    }))
}

/// What the rules of a policy, saved or not, would forget now. Reads the repository and changes nothing.
#[utoipa::path(post, path = "/policies/preview/retention", tag = "policies", operation_id = "policy_preview_retention",
    extensions(("x-permission" = json!("read-status"))),
    request_body = PolicyBody,
    responses((status = 200, body = Paged<RetentionView>), Refusals))]
async fn preview_retention(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Json(request): Json<PolicyBody>,
) -> Result<Json<Paged<RetentionView>>, Problem> {
    caller.only_reads();
    let policy = request.policy(None, server.control.clock.now())?;
    names_exist(&server, &policy).await?;
    let previews = server.retention_preview(policy).await?;
    let views = previews
        .iter()
        .filter(|preview| caller.reaches(&preview.connector))
        .map(|preview| RetentionView {
            connector: preview.connector.clone(),
            repository: preview.repository.clone(),
            snapshots: preview
                .decisions
                .iter()
                .map(|decision| DecisionView {
                    snapshot: decision.id.to_string(),
                    keep: decision.keep(),
                    reasons: decision.reasons.clone(),
                })
                .collect(),
            suspicions: preview.suspicions.iter().map(ToString::to_string).collect(),
        });
    Ok(Json(Paged::from(views.collect::<Vec<_>>())))
}

/// Runs a policy now.
#[utoipa::path(post, path = "/policies/{name}/run", tag = "policies", operation_id = "policy_run", params(("name" = String, Path)),
    extensions(("x-permission" = json!("run-backups"))),
    request_body = RunPolicy,
    responses((status = 202, body = Paged<RunView>), Refusals))]
async fn run(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<RunPolicy>,
) -> Result<(StatusCode, Json<Paged<RunView>>), Problem> {
    let control = &server.control;
    let policy = visible(&server, &caller, &name).await?.policy;
    let mut connectors = match request.connector {
        Some(connector) => vec![connector],
        None => control.covered(&policy).await?,
    };
    connectors.retain(|connector| caller.reaches(connector));
    if connectors.is_empty() {
        return Err(Problem::refused(
            "policy-missing",
            format!("policy {} is for no connector at present", policy.name),
        ));
    }
    let queued = control
        .request_all(&connectors, &policy.name, Reason::Request)
        .await?;
    let mut runs = Vec::new();
    for run in queued {
        let details = json!({ "run": run.id, "connector": run.connector });
        server
            .audit(&caller, "policy.run", &subject(&policy.name), details)
            .await?;
        runs.push(RunView::from(run));
    }
    Ok((StatusCode::ACCEPTED, Json(Paged::from(runs))))
}
