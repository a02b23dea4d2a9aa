//! Starting, canceling and retrying runs, and the issues that come back in run after run.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use catalog::{Acknowledgement, IssueFilter, RecurringIssue};
use control::BackupWish;
use jiff::{SignedDuration, Timestamp};
use model::{Permission, Reason, Run};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::reach;
use super::names::{Named, Names};
use super::runs::RunView;
use crate::access::{Allowed, Caller, ReadStatus, RunBackups};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

/// Issues of runs that are older are history.
const SINCE: SignedDuration = SignedDuration::from_hours(30 * 24);

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(backup))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(issues))
        .routes(routes!(acknowledge))
        .routes(routes!(acknowledge_many))
}

pub(super) type Accepted = (
    StatusCode,
    AppendHeaders<Option<(HeaderName, HeaderValue)>>,
    Json<RunView>,
);

/// A backup to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddBackup {
    connector: String,
    /// Absent for the policy that is for this connector.
    policy: Option<String>,
    /// Only these kinds; those of the policy when empty.
    #[serde(default)]
    kinds: BTreeSet<String>,
    /// Kinds of which most was really deleted.
    #[serde(default)]
    accept_deletions: BTreeSet<String>,
    /// Read everything again.
    #[serde(default)]
    full: bool,
    /// Absent for that of the policy.
    repository: Option<String>,
}

/// An issue with its history.
#[derive(Serialize, ToSchema)]
struct RecurringView {
    /// Empty for an issue that is about a repository alone.
    connector: String,
    /// The repository, for an issue that is about it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<String>,
    code: String,
    /// What the code stands for, in a few words; absent for a code of a newer version.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    kind: String,
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
    /// In so many runs of the last 30 days.
    runs: u64,
    #[schema(format = DateTime)]
    first: String,
    #[schema(format = DateTime)]
    last: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged: Option<AcknowledgedView>,
}

/// Who has seen it.
#[derive(Serialize, ToSchema)]
struct AcknowledgedView {
    by: String,
    #[schema(format = DateTime)]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl RecurringView {
    fn of(row: RecurringIssue, named: Named) -> Self {
        Self {
            scope_name: named.scope,
            item_name: named.item,
            connector: row.connector,
            repository: Some(row.repository).filter(|name| !name.is_empty()),
            title: model::code::find(&row.issue.code).map(|code| code.title),
            code: row.issue.code,
            kind: row.issue.kind,
            scope: row.issue.scope,
            item: row.issue.item.map(|item| item.id),
            message: row.issue.message,
            hint: row.issue.hint,
            runs: row.runs,
            first: row.first.to_string(),
            last: row.last.to_string(),
            acknowledged: row.acknowledged.map(|one| AcknowledgedView {
                by: one.by_whom,
                at: one.at.to_string(),
                until: one.until.map(|until| until.to_string()),
                note: one.note,
            }),
        }
    }
}

/// Which issues.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of this connector.
    #[param(required = false)]
    connector: Option<String>,
    /// About this repository alone, as checks and prunes find them.
    #[param(required = false)]
    repository: Option<String>,
}

/// An issue that a person has seen, as the list names it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcknowledgeIssue {
    /// Give either this or `repository`.
    connector: Option<String>,
    /// For an issue that is about a repository alone; it takes `manage-repositories`.
    repository: Option<String>,
    code: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    item: String,
    /// Absent for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// Issues that a person has seen, for the same reason.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcknowledgeIssues {
    #[schema(max_items = 1000)]
    issues: Vec<SeenIssue>,
    /// Absent for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    #[schema(max_length = 1000)]
    note: Option<String>,
}

/// One of them, as the list names it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SeenIssue {
    /// Give either this or `repository`.
    connector: Option<String>,
    /// For an issue that is about a repository alone; it takes `manage-repositories`.
    repository: Option<String>,
    code: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    item: String,
}

/// More are refused in one request: as many as a page has.
const MOST: usize = 1000;
const LONGEST_NOTE: usize = 1000;

/// One that the caller does not reach is none.
fn reached(caller: &Caller, run: &Run) -> Result<(), Problem> {
    if caller.reaches(&run.connector) {
        return Ok(());
    }
    let id = run.id.clone();
    Err(catalog::Error::RunUnknown { id }.into())
}

/// The answer to a request that became a run.
pub(super) fn accepted(run: Run) -> Accepted {
    let location = HeaderValue::from_str(&format!("/api/v1/runs/{}", run.id)).ok();
    let location = AppendHeaders(location.map(|location| (header::LOCATION, location)));
    (StatusCode::ACCEPTED, location, Json(run.into()))
}

/// Queues a backup.
#[utoipa::path(post, path = "/backups", tag = "runs", operation_id = "backup_add",
    extensions(("x-permission" = json!("run-backups"))),
    request_body = AddBackup,
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn backup(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Json(request): Json<AddBackup>,
) -> Result<Accepted, Problem> {
    if !caller.reaches(&request.connector) {
        let name = request.connector;
        return Err(catalog::Error::ConnectorUnknown { name }.into());
    }
    let wish = BackupWish {
        connector: request.connector,
        policy: request.policy,
        kinds: request.kinds,
        accept_deletions: request.accept_deletions,
        full: request.full,
        repository: request.repository,
        reason: Reason::Request,
        retry_of: None,
    };
    let run = server.control.request(&wish).await?;
    let details = json!({ "run": run.id, "policy": run.policy, "full": wish.full, "accept_deletions": wish.accept_deletions });
    let subject = format!("connector/{}", run.connector);
    server
        .audit(&caller, "backup.add", &subject, details)
        .await?;
    Ok(accepted(run))
}

/// Asks a run to end.
#[utoipa::path(post, path = "/runs/{run}/cancel", tag = "runs", operation_id = "run_cancel", params(("run" = String, Path)),
    extensions(("x-permission" = json!("run-backups"))),
    responses((status = 202, body = RunView), Refusals))]
async fn cancel(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Path(run): Path<String>,
) -> Result<Accepted, Problem> {
    reached(&caller, &server.control.catalog.run(&run).await?)?;
    let run = server.control.cancel(&run).await?;
    let subject = format!("run/{}", run.id);
    server
        .audit(
            &caller,
            "run.cancel",
            &subject,
            json!({ "connector": run.connector }),
        )
        .await?;
    Ok(accepted(run))
}

/// Makes the same backup again, of the same kinds, where it has not simply succeeded. What the run before got is not read again.
#[utoipa::path(post, path = "/runs/{run}/retry", tag = "runs", operation_id = "run_retry", params(("run" = String, Path)),
    extensions(("x-permission" = json!("run-backups"))),
    responses((status = 202, body = RunView, headers(("Location" = String))), Refusals))]
async fn retry(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Path(run): Path<String>,
) -> Result<Accepted, Problem> {
    reached(&caller, &server.control.catalog.run(&run).await?)?;
    let again = server.control.retry(&run).await?;
    let subject = format!("run/{run}");
    server
        .audit(&caller, "run.retry", &subject, json!({ "run": again.id }))
        .await?;
    Ok(accepted(again))
}

/// Issues of the last 30 days, each once over all runs that had it, the newest first.
#[utoipa::path(get, path = "/issues", tag = "runs", operation_id = "issue_list", params(PageQuery, Filter),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<RecurringView>), Refusals))]
async fn issues(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<RecurringView>>, Problem> {
    let now = server.control.clock.now();
    let since = now.checked_sub(SINCE).unwrap_or(Timestamp::UNIX_EPOCH);
    let catalog = &server.control.catalog;
    let connector = match filter.connector {
        Some(name) => {
            reach(&caller, &name)?;
            Some(catalog.connector(&name).await?.name)
        }
        None => None,
    };
    let repository = match filter.repository {
        Some(name) => Some(catalog.repository(&name).await?.name),
        None => None,
    };
    let filter = IssueFilter {
        connector: connector.as_deref(),
        repository: repository.as_deref(),
    };
    let mut listed = catalog
        .recurring_issues(filter, since, now, &query.page(&server)?)
        .await?;
    listed
        .items
        .retain(|issue| caller.reaches(&issue.connector));
    let mut names = Names::new(&server);
    let mut views = Vec::with_capacity(listed.items.len());
    for row in listed.items {
        let named = names.of_issue(&row.connector, &row.issue).await?;
        views.push(RecurringView::of(row, named));
    }
    Ok(Json(Paged::following(&server, views, listed.next)))
}

/// Which connector or repository an issue is about, if the caller may acknowledge its issues.
async fn subject(
    server: &Server,
    caller: &Caller,
    seen: &SeenIssue,
) -> Result<(String, String), Problem> {
    let catalog = &server.control.catalog;
    match (&seen.connector, &seen.repository) {
        (Some(name), None) if caller.reaches(name) => {
            Ok((catalog.connector(name).await?.name, String::new()))
        }
        (Some(name), None) => Err(catalog::Error::ConnectorUnknown { name: name.clone() }.into()),
        (None, Some(name)) => {
            if !caller.may(Permission::ManageRepositories) {
                return Err(Problem::forbidden(Permission::ManageRepositories));
            }
            // A repository holds data of connectors that such a caller does not reach.
            if caller.connectors.is_some() {
                return Err(catalog::Error::RepositoryUnknown { name: name.clone() }.into());
            }
            Ok((String::new(), catalog.repository(name).await?.name))
        }
        _ => Err(Problem::field(
            "/connector",
            "give either `connector` or `repository`",
        )),
    }
}

/// Notes that the caller has seen these issues: all of them, or none when one is refused.
async fn see(
    server: &Server,
    caller: &Caller,
    request: AcknowledgeIssues,
) -> Result<StatusCode, Problem> {
    let AcknowledgeIssues {
        issues,
        until,
        note,
    } = request;
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > LONGEST_NOTE)
    {
        return Err(Problem::field("/note", "at most 1000 characters"));
    }
    let now = server.control.clock.now();
    if until.is_some_and(|until| until <= now) {
        return Err(Problem::field("/until", "it lies in the past"));
    }
    let mut all = Vec::with_capacity(issues.len());
    for seen in issues {
        let (connector, repository) = subject(server, caller, &seen).await?;
        all.push(Acknowledgement {
            connector,
            repository,
            code: seen.code,
            kind: seen.kind,
            scope: seen.scope,
            item: seen.item,
            by_whom: caller.name.clone(),
            at: now,
            until,
            note: note.clone(),
        });
    }
    for one in &all {
        server.control.catalog.acknowledge(one).await?;
        let subject = match one.connector.as_str() {
            "" => format!("repository/{}", one.repository),
            connector => format!("connector/{connector}"),
        };
        let details =
            json!({ "code": one.code, "kind": one.kind, "item": one.item, "until": one.until });
        server
            .audit(caller, "issue.acknowledge", &subject, details)
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Says that a person has seen an issue: it is listed as acknowledged and nobody is told of it again until then.
#[utoipa::path(post, path = "/issues/acknowledge", tag = "runs", operation_id = "issue_acknowledge",
    extensions(("x-permission" = json!("run-backups"))),
    request_body = AcknowledgeIssue,
    responses((status = 204), Refusals))]
async fn acknowledge(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Json(request): Json<AcknowledgeIssue>,
) -> Result<StatusCode, Problem> {
    let seen = SeenIssue {
        connector: request.connector,
        repository: request.repository,
        code: request.code,
        kind: request.kind,
        scope: request.scope,
        item: request.item,
    };
    let request = AcknowledgeIssues {
        issues: vec![seen],
        until: request.until,
        note: request.note,
    };
    see(&server, &caller, request).await
}

/// Says that a person has seen all of these issues. When one of them is refused, none is acknowledged.
#[utoipa::path(post, path = "/issues/acknowledge-many", tag = "runs", operation_id = "issue_acknowledge_many",
    extensions(("x-permission" = json!("run-backups"))),
    request_body = AcknowledgeIssues,
    responses((status = 204), Refusals))]
async fn acknowledge_many(
    caller: Allowed<RunBackups>,
    State(server): State<Server>,
    Json(request): Json<AcknowledgeIssues>,
) -> Result<StatusCode, Problem> {
    if request.issues.is_empty() || request.issues.len() > MOST {
        return Err(Problem::field("/issues", format!("1 to {MOST} issues")));
    }
    see(&server, &caller, request).await
}
