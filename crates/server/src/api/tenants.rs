//! Tenants: their users, groups and sites, and which users are protected.

use axum::extract::State;
use control::{TenantEdit, TenantSettings};
use model::directory::{EntryKind, KnownEntry, Licensing, Nature};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::{SyncBody, reach};
use crate::access::{Allowed, ManageConnectors, ReadStatus};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(users))
        .routes(routes!(groups))
        .routes(routes!(sites))
        .routes(routes!(license))
        .routes(routes!(settings, set_settings))
        .routes(routes!(sync))
}

/// A user, group or site, as the last sync found it.
#[derive(Serialize, ToSchema)]
struct EntryView {
    id: String,
    name: String,
    /// Its sign-in name, mail address or web address.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// `member`, `guest`, `shared-mailbox`, `account`; `unified-group`, `team`, `security-group`, `distribution-list`; `site`, `personal-site`.
    #[schema(value_type = String)]
    nature: Nature,
    /// Somebody can sign in.
    enabled: bool,
    /// It is protected; of users alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    licensed: Option<bool>,
    /// A person decided so; otherwise the rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<bool>,
    /// It came while new ones were not to be protected by themselves, and waits for a decision.
    waiting: bool,
    first_seen: String,
    last_seen: String,
}

impl EntryView {
    fn of(kind: EntryKind, licensing: Licensing, known: KnownEntry) -> Self {
        let is_user = kind == EntryKind::User;
        Self {
            licensed: is_user.then(|| known.is_protected(licensing)),
            decided: is_user.then_some(known.decided.is_some()),
            id: known.entry.id,
            name: known.entry.name,
            address: known.entry.address,
            nature: known.entry.nature,
            enabled: known.entry.enabled,
            waiting: known.waiting,
            first_seen: known.first_seen.to_string(),
            last_seen: known.last_seen.to_string(),
        }
    }
}

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EntryQuery {
    /// A part of the name or address.
    #[param(required = false)]
    search: Option<String>,
    /// `next` of the page before.
    #[param(required = false)]
    after: Option<String>,
    /// At most this many.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

async fn entries(
    server: &Server,
    name: &str,
    kind: EntryKind,
    query: EntryQuery,
) -> Result<Json<Paged<EntryView>>, Problem> {
    let page = PageQuery {
        after: query.after,
        limit: query.limit,
    };
    let search = query.search.unwrap_or_default();
    let (licensing, listed) = server
        .control
        .directory(name, kind, &search, &page.page(server)?)
        .await?;
    Ok(Json(Paged::from_listed(server, listed, |known| {
        EntryView::of(kind, licensing, known)
    })))
}

/// The users of the tenant by name: people, guests, shared mailboxes.
#[utoipa::path(get, path = "/connectors/{name}/users", tag = "connectors", operation_id = "connector_users",
    params(("name" = String, Path), EntryQuery), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<EntryView>), Refusals))]
async fn users(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<EntryQuery>,
) -> Result<Json<Paged<EntryView>>, Problem> {
    reach(&caller, &name)?;
    entries(&server, &name, EntryKind::User, query).await
}

/// The groups of the tenant by name.
#[utoipa::path(get, path = "/connectors/{name}/groups", tag = "connectors", operation_id = "connector_groups",
    params(("name" = String, Path), EntryQuery), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<EntryView>), Refusals))]
async fn groups(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<EntryQuery>,
) -> Result<Json<Paged<EntryView>>, Problem> {
    reach(&caller, &name)?;
    entries(&server, &name, EntryKind::Group, query).await
}

/// The sites of the tenant by name.
#[utoipa::path(get, path = "/connectors/{name}/sites", tag = "connectors", operation_id = "connector_sites",
    params(("name" = String, Path), EntryQuery), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<EntryView>), Refusals))]
async fn sites(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Query(query): Query<EntryQuery>,
) -> Result<Json<Paged<EntryView>>, Problem> {
    reach(&caller, &name)?;
    entries(&server, &name, EntryKind::Site, query).await
}

/// A decision about a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LicenseBody {
    /// `null` leaves it to the rule again.
    licensed: Option<bool>,
}

/// Protects a user, leaves one out, or leaves it to the rule again.
#[utoipa::path(patch, path = "/connectors/{name}/users/{id}", tag = "connectors",
    operation_id = "connector_license", params(("name" = String, Path), ("id" = String, Path)),
    extensions(("x-permission" = json!("manage-connectors"))), request_body = LicenseBody,
    responses((status = 200, body = EntryView), Refusals))]
async fn license(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path((name, id)): Path<(String, String)>,
    Json(request): Json<LicenseBody>,
) -> Result<Json<EntryView>, Problem> {
    reach(&caller, &name)?;
    let licensed = request.licensed;
    let (licensing, known) = server.control.license_user(&name, &id, licensed).await?;
    let details = json!({ "user": id, "name": known.entry.name, "licensed": licensed });
    let subject = format!("connector/{name}");
    server
        .audit(&caller, "connector.license", &subject, details)
        .await?;
    Ok(Json(EntryView::of(EntryKind::User, licensing, known)))
}

/// The advanced settings of a tenant.
#[derive(Serialize, ToSchema)]
struct SettingsView {
    /// `automatic` or `manual`.
    #[schema(value_type = String)]
    licensing: Licensing,
    /// What licensing has an effect on, in words.
    licensing_scope: &'static str,
    sync: SyncBody,
    /// The worker that runs its backups.
    worker: Option<String>,
    /// The last sync that succeeded.
    synced: Option<String>,
    /// Why the last sync failed.
    sync_error: Option<String>,
    users: u64,
    /// So many of them are protected.
    protected: u64,
}

impl SettingsView {
    fn of(settings: TenantSettings) -> Self {
        Self {
            licensing: settings.licensing,
            licensing_scope: Licensing::SCOPE,
            sync: SyncBody::of(settings.sync),
            worker: settings.worker,
            synced: settings.synced.map(|time| time.to_string()),
            sync_error: settings.sync_error,
            users: settings.users,
            protected: settings.protected,
        }
    }
}

/// Settings to be changed; absent ones stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SettingsBody {
    /// `automatic` protects all but guests and accounts without a license, `manual` those who are chosen.
    #[schema(value_type = Option<String>)]
    licensing: Option<Licensing>,
    sync: Option<SyncBody>,
    /// `null` for any.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    worker: Option<Option<String>>,
}

/// Tells `null` from what is absent.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// How users of the tenant are licensed, how often they are looked for, and who backs them up.
#[utoipa::path(get, path = "/connectors/{name}/tenant-settings", tag = "connectors",
    operation_id = "connector_tenant_settings", params(("name" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = SettingsView), Refusals))]
async fn settings(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<SettingsView>, Problem> {
    reach(&caller, &name)?;
    let settings = server.control.tenant_settings(&name).await?;
    Ok(Json(SettingsView::of(settings)))
}

/// Changes the advanced settings of a tenant.
#[utoipa::path(put, path = "/connectors/{name}/tenant-settings", tag = "connectors",
    operation_id = "connector_set_tenant_settings", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-connectors"))), request_body = SettingsBody,
    responses((status = 200, body = SettingsView), Refusals))]
async fn set_settings(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<SettingsBody>,
) -> Result<Json<SettingsView>, Problem> {
    reach(&caller, &name)?;
    let details = json!({ "licensing": request.licensing, "worker": request.worker });
    let edit = TenantEdit {
        licensing: request.licensing,
        sync: request.sync.map(SyncBody::settings),
        worker: request.worker,
    };
    let settings = server.control.set_tenant_settings(&name, edit).await?;
    let subject = format!("connector/{name}");
    server
        .audit(&caller, "connector.tenant-settings", &subject, details)
        .await?;
    Ok(Json(SettingsView::of(settings)))
}

/// What a sync found of one kind.
#[derive(Serialize, ToSchema)]
struct SyncedKind {
    /// `user`, `group` or `site`.
    #[schema(value_type = String)]
    kind: EntryKind,
    listed: u64,
    new: u64,
    gone: u64,
    /// Why it could not be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What a sync found.
#[derive(Serialize, ToSchema)]
struct SyncedView {
    kinds: Vec<SyncedKind>,
}

/// Looks at once for what is new at the service.
#[utoipa::path(post, path = "/connectors/{name}/sync", tag = "connectors", operation_id = "connector_sync",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = SyncedView), Refusals))]
async fn sync(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<SyncedView>, Problem> {
    reach(&caller, &name)?;
    let found = server.control.sync_now(&name).await?;
    let subject = format!("connector/{name}");
    server
        .audit(&caller, "connector.sync", &subject, json!({}))
        .await?;
    let kinds = found.into_iter().map(|(kind, result)| {
        let error = result.as_ref().err().cloned();
        let change = result.unwrap_or_default();
        SyncedKind {
            kind,
            listed: change.listed,
            new: change.new,
            gone: change.gone,
            error,
        }
    });
    Ok(Json(SyncedView {
        kinds: kinds.collect(),
    }))
}
