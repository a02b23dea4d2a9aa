//! App profiles: through which app registration a tenant is connected, and what it must be allowed.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use catalog::AppProfile;
use control::NewAppProfile;
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::preflight::ApiPermission;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::location;
use super::word;
use crate::access::{Allowed, Caller, Everything, ManageConnectors};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(permissions))
        .routes(routes!(get, remove))
        .routes(routes!(consent_link))
}

/// An app profile.
#[derive(Serialize, ToSchema)]
struct ProfileView {
    name: String,
    service: String,
    cloud: String,
    tenant: String,
    client_id: String,
    /// The credential of the vault by which the app proves itself when people sign in through it.
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
    /// The customer's own app; false for the one that comes with this installation.
    own: bool,
    /// When an administrator consented, as far as it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    consented: Option<String>,
    created: String,
}

impl ProfileView {
    fn of(profile: AppProfile) -> Self {
        Self {
            name: profile.name,
            service: profile.service,
            cloud: profile.app.cloud,
            tenant: profile.app.tenant,
            client_id: profile.app.client_id,
            credential: profile.credential,
            own: profile.own,
            consented: profile.consented.map(|time| time.to_string()),
            created: profile.created.to_string(),
        }
    }
}

/// A profile to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddProfile {
    name: String,
    #[schema(example = "azure-devops")]
    service: String,
    /// `public` when absent.
    cloud: Option<String>,
    /// The tenant's id or domain.
    tenant: String,
    /// The customer's own app; ours when absent.
    client_id: Option<String>,
    /// A client secret or certificate of the app in the vault, where its registration is not one of public clients.
    credential: Option<String>,
}

/// A line of the permission table.
#[derive(Serialize, ToSchema)]
pub(super) struct PermissionView {
    api: &'static str,
    permission: &'static str,
    /// `delegated`, `application` or `token`.
    #[serde(rename = "type")]
    kind: String,
    /// `sign-in`, `backup` or `restore`: backups read alone.
    purpose: String,
    why: String,
    /// The data that needs it; empty for what serves all of it.
    serves: Vec<&'static str>,
}

impl PermissionView {
    pub(super) fn of(one: ApiPermission) -> Self {
        Self {
            api: one.api,
            permission: one.permission,
            kind: word(&one.kind),
            purpose: word(&one.purpose),
            why: one.why,
            serves: one.serves,
        }
    }
}

/// Which service's table.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct PermissionQuery {
    #[param(example = "azure-devops")]
    service: String,
}

/// A link for an administrator.
#[derive(Serialize, ToSchema)]
struct ConsentLink {
    url: String,
}

/// The app profiles by name.
#[utoipa::path(get, path = "/app-profiles", tag = "connectors", operation_id = "app_profile_list",
    params(PageQuery), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<ProfileView>), Refusals))]
async fn list(
    _caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Paged<ProfileView>>, Problem> {
    let listed = server
        .control
        .catalog
        .app_profiles(&query.page(&server)?)
        .await?;
    Ok(Json(Paged::from_listed(&server, listed, ProfileView::of)))
}

/// Adds a profile for a tenant, with our app or with the customer's own.
#[utoipa::path(post, path = "/app-profiles", tag = "connectors", operation_id = "app_profile_add",
    extensions(("x-permission" = json!("manage-connectors")), ("x-reach" = json!("all"))), request_body = AddProfile,
    responses((status = 201, body = ProfileView, headers(("location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManageConnectors, Everything>,
    State(server): State<Server>,
    Json(request): Json<AddProfile>,
) -> Result<(StatusCode, HeaderMap, Json<ProfileView>), Problem> {
    let new = NewAppProfile {
        name: request.name,
        service: request.service,
        cloud: request.cloud.unwrap_or_else(|| "public".to_owned()),
        tenant: request.tenant,
        client_id: request.client_id,
        credential: request.credential,
    };
    let profile = server.control.add_app_profile(&new).await?;
    note_added(&server, &caller, &profile).await?;
    let headers = location("app-profiles", &profile.name);
    Ok((StatusCode::CREATED, headers, Json(ProfileView::of(profile))))
}

/// Writes down that a profile was added.
pub(super) async fn note_added(
    server: &Server,
    caller: &Caller,
    profile: &AppProfile,
) -> Result<(), Problem> {
    let subject = format!("app-profile/{}", profile.name);
    let details = json!({ "tenant": profile.app.tenant, "client_id": profile.app.client_id });
    server
        .audit(caller, "app-profile.add", &subject, details)
        .await
}

/// One app profile.
#[utoipa::path(get, path = "/app-profiles/{name}", tag = "connectors", operation_id = "app_profile_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = ProfileView), Refusals))]
async fn get(
    _caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<ProfileView>, Problem> {
    let profile = server.control.catalog.app_profile(&name).await?;
    Ok(Json(ProfileView::of(profile)))
}

/// Removes a profile that no credential signs in through.
#[utoipa::path(delete, path = "/app-profiles/{name}", tag = "connectors", operation_id = "app_profile_remove",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors")), ("x-reach" = json!("all"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManageConnectors, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    server.control.catalog.remove_app_profile(&name).await?;
    let subject = format!("app-profile/{name}");
    server
        .audit(&caller, "app-profile.remove", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What apps and tokens of a service must be allowed: API, permission, type, why, and which data it serves.
#[utoipa::path(get, path = "/app-permissions", tag = "connectors", operation_id = "app_permissions",
    params(PermissionQuery), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<PermissionView>), Refusals))]
async fn permissions(
    _caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Query(query): Query<PermissionQuery>,
) -> Result<Json<Paged<PermissionView>>, Problem> {
    let all = server.control.permissions(&query.service)?;
    let all: Vec<PermissionView> = all.into_iter().map(PermissionView::of).collect();
    Ok(Json(Paged::from(all)))
}

/// The link by which an administrator of the profile's tenant consents for all of it, for a day. Whoever may manage connectors may bring the
/// consent back, in whose browser it was given.
#[utoipa::path(post, path = "/app-profiles/{name}/consent-link", tag = "connectors", operation_id = "app_profile_consent_link",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors")), ("x-reach" = json!("all"))),
    responses((status = 200, body = ConsentLink), Refusals))]
async fn consent_link(
    _caller: Allowed<ManageConnectors, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<ConsentLink>, Problem> {
    let profile = server.control.catalog.app_profile(&name).await?;
    let redirect = super::connect::redirect(&server, None)?;
    let url = server.control.consent_link(&profile, &redirect).await?;
    Ok(Json(ConsentLink {
        url: url.to_string(),
    }))
}
