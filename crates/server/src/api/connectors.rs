//! Connectors.

mod dto;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use catalog::ConnectorFilter;
use control::{ConnectorEdit, IdentityChoice};
use model::Connector;
use serde_json::json;
use service::preflight::Reached;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::{Allowed, Caller, ManageConnectors, ReadStatus};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

use super::credentials::{identity_of, reach_credentials};
pub(crate) use dto::CheckView;
use dto::{
    AddConnector, CommitQuery, CommitView, ConnectorView, Discover, DiscoveryView, EditConnector,
    ListQuery, ReachedRepository, RemoveConnectors, RemovedConnector, RemovedConnectors,
    TestedConnector,
};
pub(super) use dto::{AddedConnector, NextStep, ReachedView, SyncBody, next_steps};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, edit, remove))
        .routes(routes!(remove_many))
        .routes(routes!(test))
        .routes(routes!(repositories))
        .routes(routes!(commits))
        .routes(routes!(discover))
}

/// Refuses a connector that the caller does not reach as one that does not exist.
pub(super) fn reach(caller: &Caller, name: &str) -> Result<(), Problem> {
    if caller.reaches(name) {
        return Ok(());
    }
    Err(Problem::not_found(
        "connector-unknown",
        format!("there is no connector `{name}`"),
    ))
}

/// Refuses a new connector that the caller would not reach, or that stands for an organization whose backups others reach: who reaches a
/// connector reads them.
pub(super) async fn may_add(
    server: &Server,
    caller: &Caller,
    (service, organization, url): (&str, &str, Option<&str>),
    name: Option<&str>,
) -> Result<(), Problem> {
    if caller.connectors.is_none() {
        return Ok(());
    }
    let control = &server.control;
    let name = control.connector_name(service, organization, name)?;
    let new = control.source_named(service, organization, url)?;
    let others = control.catalog.connectors().await?;
    let same: Vec<&Connector> = others
        .iter()
        .filter(|other| control.is_for(other, &new))
        .collect();
    // Who reaches one of them reads its backups already.
    let taken = !same.is_empty() && !same.iter().any(|other| caller.reaches(&other.name));
    if caller.reaches(&name) && !taken {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "role-missing",
        format!("this account reaches some connectors alone, and `{name}` is not among them"),
    ))
}

/// Refuses to let a connector stand for something else, to who reaches some connectors alone: they would read what others have backed up.
fn stays(
    server: &Server,
    caller: &Caller,
    before: &Connector,
    edit: &ConnectorEdit,
) -> Result<(), Problem> {
    if caller.connectors.is_none() {
        return Ok(());
    }
    let called = |text: &str| server.control.connector_name(&before.service, text, None);
    let other = match &edit.organization {
        Some(text) => called(text)? != called(&before.organization)?,
        None => false,
    };
    if !other && edit.url.as_ref().is_none_or(|url| *url == before.url) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "role-missing",
        "this account reaches some connectors alone: who reaches all of them decides for which organization and address they stand",
    ))
}

/// What of these organizations the caller may know of: those of connectors that it reaches, or could add.
pub(super) async fn narrowed(
    server: &Server,
    caller: &Caller,
    service: &str,
    found: Vec<Reached>,
) -> Result<Vec<Reached>, Problem> {
    if caller.connectors.is_none() {
        return Ok(found);
    }
    let connectors = server.control.catalog.connectors().await?;
    let control = &server.control;
    let mut reached = Vec::new();
    for one in found {
        let place = (service, one.organization.as_str(), None);
        let source = control.source_named(place.0, place.1, place.2)?;
        let own = connectors
            .iter()
            .any(|other| control.is_for(other, &source) && caller.reaches(&other.name));
        if own || may_add(server, caller, place, None).await.is_ok() {
            reached.push(one);
        }
    }
    Ok(reached)
}

/// The connectors that the caller reaches, by name.
#[utoipa::path(get, path = "/connectors", tag = "connectors", operation_id = "connector_list",
    params(PageQuery, ListQuery), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<ConnectorView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(wanted): Query<ListQuery>,
) -> Result<Json<Paged<ConnectorView>>, Problem> {
    let filter = ConnectorFilter {
        text: wanted.q,
        names: caller
            .connectors
            .as_ref()
            .map(|names| names.iter().cloned().collect()),
    };
    let catalog = &server.control.catalog;
    let listed = catalog
        .list_connectors(&filter, &query.page(&server)?)
        .await?;
    let control = &server.control;
    Ok(Json(Paged::from_listed(&server, listed, |connector| {
        ConnectorView::of(control, connector)
    })))
}

/// Checks an organization or tenant and its credential, then saves both; a refusal leaves nothing behind.
#[utoipa::path(post, path = "/connectors", tag = "connectors", operation_id = "connector_add",
    extensions(("x-permission" = json!("manage-connectors"))), request_body = AddConnector,
    responses((status = 201, body = AddedConnector, headers(("location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Json(request): Json<AddConnector>,
) -> Result<(StatusCode, HeaderMap, Json<AddedConnector>), Problem> {
    let new = request.into_new(&server).await?;
    let place = (&*new.service, &*new.organization, new.url.as_deref());
    may_add(&server, &caller, place, new.name.as_deref()).await?;
    let (named, made) = match &new.identity {
        IdentityChoice::Stored(name) => (Some(name), None),
        IdentityChoice::New { name, .. } => (None, name.as_ref()),
    };
    let used: Vec<String> = named
        .into_iter()
        .chain(&new.restore_credential)
        .cloned()
        .collect();
    reach_credentials(&server, &caller, &used).await?;
    // It may give a credential of this name another secret.
    if let Some(name) = made
        && server.control.has_credential(name).await?
    {
        reach_credentials(&server, &caller, [name]).await?;
    }
    let added = server.control.add_connector(&new).await?;
    let connector = &added.value;
    let details = json!({
        "service": connector.service, "organization": connector.organization,
        "method": connector.method, "credential": connector.credential, "replace": new.replace,
    });
    let subject = format!("connector/{}", connector.name);
    server
        .audit(&caller, "connector.add", &subject, details)
        .await?;
    let headers = location("connectors", &connector.name);
    let body = AddedConnector::of(&server.control, added);
    Ok((StatusCode::CREATED, headers, Json(body)))
}

/// Where what was made is found from now on.
pub(super) fn location(of: &str, name: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let path = format!("/api/v1/{of}/{}", service::http::segment(name));
    if let Ok(value) = HeaderValue::from_str(&path) {
        headers.insert(header::LOCATION, value);
    }
    headers
}

/// One connector with its current values.
#[utoipa::path(get, path = "/connectors/{name}", tag = "connectors", operation_id = "connector_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = ConnectorView), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<ConnectorView>, Problem> {
    reach(&caller, &name)?;
    let connector = server.control.catalog.connector(&name).await?;
    Ok(Json(ConnectorView::of(&server.control, connector)))
}

/// Changes a connector; members that are absent stay. Another organization or credential is checked first.
#[utoipa::path(patch, path = "/connectors/{name}", tag = "connectors", operation_id = "connector_edit",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = EditConnector,
    responses((status = 200, body = AddedConnector), Refusals))]
async fn edit(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<EditConnector>,
) -> Result<Json<AddedConnector>, Problem> {
    reach(&caller, &name)?;
    let mut details = request.details();
    details["before"] = json!(name);
    let edit: ConnectorEdit = request.into_edit();
    let before = server.control.catalog.connector(&name).await?;
    stays(&server, &caller, &before, &edit)?;
    let restore = edit.restore_credential.iter().flatten();
    let used: Vec<String> = edit.credential.iter().chain(restore).cloned().collect();
    reach_credentials(&server, &caller, &used).await?;
    let edited = server.control.edit_connector(&name, edit).await?;
    let subject = format!("connector/{}", edited.value.name);
    server
        .audit(&caller, "connector.edit", &subject, details)
        .await?;
    Ok(Json(AddedConnector::of(&server.control, edited)))
}

/// Forgets how to reach the organization. Its snapshots and runs stay.
#[utoipa::path(delete, path = "/connectors/{name}", tag = "connectors", operation_id = "connector_remove",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    take_away(&server, &caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn take_away(server: &Server, caller: &Caller, name: &str) -> Result<(), Problem> {
    reach(caller, name)?;
    let connector = server.control.remove_connector(name).await?;
    let details = json!({ "service": connector.service, "organization": connector.organization });
    let subject = format!("connector/{}", connector.name);
    server
        .audit(caller, "connector.remove", &subject, details)
        .await
}

/// Removes several connectors; each that stays is named with the reason.
#[utoipa::path(post, path = "/connectors/remove", tag = "connectors", operation_id = "connector_remove_many",
    extensions(("x-permission" = json!("manage-connectors"))), request_body = RemoveConnectors,
    responses((status = 200, body = RemovedConnectors), Refusals))]
async fn remove_many(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Json(request): Json<RemoveConnectors>,
) -> Result<Json<RemovedConnectors>, Problem> {
    let mut items = Vec::new();
    for name in request.names {
        let problem = take_away(&server, &caller, &name).await.err();
        items.push(RemovedConnector {
            name,
            removed: problem.is_none(),
            problem,
        });
    }
    Ok(Json(RemovedConnectors { items }))
}

/// Checks a connector: credential, organization, and what data a missing permission costs.
#[utoipa::path(post, path = "/connectors/{name}/test", tag = "connectors", operation_id = "connector_test",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = TestedConnector), Refusals))]
async fn test(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<TestedConnector>, Problem> {
    reach(&caller, &name)?;
    let tested = server.control.test_connector(&name).await?;
    let body = TestedConnector::of(&server.control, tested);
    let subject = format!("connector/{}", body.connector.name);
    let details = json!({ "ok": body.ok });
    server
        .audit(&caller, "connector.test", &subject, details)
        .await?;
    Ok(Json(body))
}

/// The repositories that the connector reaches.
#[utoipa::path(get, path = "/connectors/{name}/repositories", tag = "connectors",
    operation_id = "connector_repositories", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<ReachedRepository>), Refusals))]
async fn repositories(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<Paged<ReachedRepository>>, Problem> {
    reach(&caller, &name)?;
    let all = server.control.repositories(&name).await?;
    let all: Vec<ReachedRepository> = all.into_iter().map(ReachedRepository::of).collect();
    Ok(Json(Paged::from(all)))
}

/// The newest commits of a repository, named as `REPOSITORY` or `PROJECT/REPOSITORY`.
#[utoipa::path(get, path = "/connectors/{name}/commits", tag = "connectors",
    operation_id = "connector_commits", params(("name" = String, Path), CommitQuery),
    extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<CommitView>), Refusals))]
async fn commits(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<CommitQuery>,
) -> Result<Json<Paged<CommitView>>, Problem> {
    reach(&caller, &name)?;
    let most = usize::from(query.limit.unwrap_or(10).clamp(1, 100));
    let control = &server.control;
    let all = control.commits(&name, &query.repository, most).await?;
    let all: Vec<CommitView> = all.into_iter().map(CommitView::of).collect();
    Ok(Json(Paged::from(all)))
}

/// The organizations that an identity reaches; saves nothing.
#[utoipa::path(post, path = "/connectors/discover", tag = "connectors", operation_id = "connector_discover",
    extensions(("x-permission" = json!("manage-connectors"))), request_body = Discover,
    responses((status = 200, body = DiscoveryView), Refusals))]
async fn discover(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Json(request): Json<Discover>,
) -> Result<Json<DiscoveryView>, Problem> {
    let choice = match (request.credential, request.identity) {
        (Some(name), None) => {
            reach_credentials(&server, &caller, [&name]).await?;
            IdentityChoice::Stored(name)
        }
        (None, Some(body)) => IdentityChoice::New {
            name: None,
            identity: identity_of(&server, body).await?,
            expires: None,
        },
        _ => {
            return Err(Problem::field(
                "/credential",
                "give either `credential` or `identity`",
            ));
        }
    };
    let control = &server.control;
    let mut found = control.organizations_of(&request.service, &choice).await?;
    found.organizations = narrowed(&server, &caller, &request.service, found.organizations).await?;
    Ok(Json(DiscoveryView::of(found)))
}
