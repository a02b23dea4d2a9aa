//! The wizard that connects: sign in, see what there is, check it, add it. Nothing is saved before the last step.

mod dto;
mod page;
mod settle;

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use control::{IdentityChoice, METHODS, Wizard, WizardBegin, WizardWay};
use serde_json::json;
use url::{Host, Url};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::{location, narrowed, reach};
use super::credentials::{identity_of, reach_credentials};
use crate::access::{Allowed, Caller, ManageConnectors};
use crate::{Json, Paged, Path, Problem, Query, Refusals, Server};
use dto::{
    AddWizard, AddedWizard, BeginWizard, CheckWizard, CheckedWizard, IdentityView, MethodQuery,
    MethodsView, ReturnWizard, ReviewView, WizardView,
};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(methods))
        .routes(routes!(identities))
        .routes(routes!(begin))
        .routes(routes!(come_back))
        .routes(routes!(get, cancel))
        .routes(routes!(poll))
        .routes(routes!(give_back))
        .routes(routes!(discover))
        .routes(routes!(check))
        .routes(routes!(review))
        .routes(routes!(add))
}

/// Whose wizard it is. A token is somebody else than the person behind it.
fn owner(caller: &Caller) -> String {
    format!("{}/{}", caller.kind.word(), caller.name)
}

/// The ways to sign in at a service, the two usual ones first, with what a person is told before.
#[utoipa::path(get, path = "/connect/methods", tag = "connectors", operation_id = "connect_methods",
    params(MethodQuery), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = MethodsView), Refusals))]
async fn methods(
    _caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Query(query): Query<MethodQuery>,
) -> Result<Json<MethodsView>, Problem> {
    let permissions = server.control.permissions(&query.service)?;
    let fit = METHODS
        .iter()
        .filter(|method| method.services.contains(&query.service.as_str()));
    Ok(Json(MethodsView::of(&query.service, fit, permissions)))
}

/// The managed identities that can be chosen: the machine's own, and those that the configuration names.
#[utoipa::path(get, path = "/connect/identities", tag = "connectors", operation_id = "connect_identities",
    extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<IdentityView>), Refusals))]
async fn identities(
    _caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
) -> Result<Json<Paged<IdentityView>>, Problem> {
    let known = server.control.reach.managed_identities();
    let known: Vec<IdentityView> = known.into_iter().map(IdentityView::of).collect();
    Ok(Json(Paged::from(known)))
}

/// Begins a wizard of the caller's. It is forgotten after 30 minutes.
#[utoipa::path(post, path = "/connect", tag = "connectors", operation_id = "connect_begin",
    extensions(("x-permission" = json!("manage-connectors"))), request_body = BeginWizard,
    responses((status = 201, body = WizardView, headers(("location" = String))), Refusals))]
async fn begin(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Json(request): Json<BeginWizard>,
) -> Result<(StatusCode, HeaderMap, Json<WizardView>), Problem> {
    if let Some(connector) = &request.connector {
        reach(&caller, connector)?;
        let connector = server.control.catalog.connector(connector).await?;
        reach_credentials(&server, &caller, [&connector.credential]).await?;
    }
    reach_credentials(&server, &caller, &request.credential).await?;
    let app = request.app();
    let way = match (request.method.as_str(), request.flow.as_deref()) {
        ("user", Some("code")) => WizardWay::Code {
            app,
            redirect: redirect(&server, request.redirect.as_deref())?,
        },
        ("user", None | Some("device-code")) => WizardWay::Device { app },
        ("user", Some(_)) => {
            return Err(Problem::field("/flow", "`code` or `device-code`"));
        }
        ("stored", _) => match request.credential {
            Some(name) => WizardWay::Alone(IdentityChoice::Stored(name)),
            None => return Err(Problem::field("/credential", "the credential is missing")),
        },
        _ => match request.identity {
            Some(body) => WizardWay::Alone(IdentityChoice::New {
                name: None,
                expires: body.expiry()?,
                identity: identity_of(&server, body).await?,
            }),
            None => return Err(Problem::field("/identity", "the identity is missing")),
        },
    };
    let begin = WizardBegin {
        service: request.service,
        way,
        organization: request.organization,
        url: request.url,
        connector: request.connector,
        app_profile: request.app_profile,
        choose_account: request.choose_account,
    };
    let wizard = server.control.begin_wizard(&owner(&caller), begin).await?;
    let headers = location("connect", &wizard.id);
    let view = view(&server, &caller, wizard).await?;
    Ok((StatusCode::CREATED, headers, view))
}

/// What of a wizard the caller may see.
async fn view(
    server: &Server,
    caller: &Caller,
    mut wizard: Wizard,
) -> Result<Json<WizardView>, Problem> {
    wizard.organizations = narrowed(server, caller, &wizard.service, wizard.organizations).await?;
    Ok(Json(WizardView::of(wizard)))
}

/// Where the sign-in page sends the browser: to this server, or to a port of the machine that the browser runs on, and never elsewhere.
pub(super) fn redirect(server: &Server, wanted: Option<&str>) -> Result<Url, Problem> {
    let refused = || {
        Problem::field(
            "/redirect",
            "only http://localhost:PORT, for a program on the machine of the browser",
        )
    };
    if let Some(wanted) = wanted {
        let url = Url::parse(wanted).map_err(|_| refused())?;
        let near = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let plain = url.scheme() == "http"
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        return if near && plain {
            Ok(url)
        } else {
            Err(refused())
        };
    }
    let public = server.options.public_url.as_ref();
    let public = public.ok_or_else(|| {
        Problem::refused(
            "sign-in-failed",
            "the server does not know its own address, so that a browser could not come back",
        )
        .hinted(
            "Set `public_url` under `[server]` in the configuration, or sign in by device code.",
        )
    })?;
    let base = public.as_str().trim_end_matches('/');
    Url::parse(&format!("{base}/api/v1/connect/return")).map_err(|_| refused())
}

/// Where the browser comes back to from the sign-in page, or from that of an administrator's consent: answers with a page for people.
#[utoipa::path(get, path = "/connect/return", tag = "connectors", operation_id = "connect_return",
    extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = String, content_type = "text/html"), page::Refused))]
async fn come_back(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let control = &server.control;
    let consented = async {
        let Some(profile) = control.consent_returned(&query).await? else {
            return Ok(None);
        };
        let details = json!({ "tenant": profile.app.tenant, "client_id": profile.app.client_id });
        let subject = format!("app-profile/{}", profile.name);
        server
            .audit(&caller, "app-profile.consent", &subject, details)
            .await?;
        Ok(Some(profile))
    };
    match consented.await {
        Ok(None) => {}
        Ok(Some(profile)) => return page::consented(&profile.name, &profile.app.tenant),
        Err(problem) => return page::refused(&problem),
    }
    let returned = async {
        let id = control.wizard_awaiting(&query).await?;
        control.return_to_wizard(&owner(&caller), &id, &query).await
    };
    match returned.await {
        Ok(wizard) => page::signed_in(wizard.account.as_deref().unwrap_or_default()),
        Err(error) => page::refused(&Problem::from(error)),
    }
}

/// How a wizard stands.
#[utoipa::path(get, path = "/connect/{id}", tag = "connectors", operation_id = "connect_get",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = WizardView), Refusals))]
async fn get(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<WizardView>, Problem> {
    let wizard = server.control.wizard(&owner(&caller), &id).await?;
    view(&server, &caller, wizard).await
}

/// Forgets a wizard with all that it knew.
#[utoipa::path(delete, path = "/connect/{id}", tag = "connectors", operation_id = "connect_cancel",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 204), Refusals))]
async fn cancel(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    server.control.cancel_wizard(&owner(&caller), &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks whether the person has entered the code. Earlier than `wait_seconds` nobody is asked.
#[utoipa::path(post, path = "/connect/{id}/poll", tag = "connectors", operation_id = "connect_poll",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = WizardView), Refusals))]
async fn poll(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<WizardView>, Problem> {
    caller.only_reads();
    let wizard = server.control.poll_wizard(&owner(&caller), &id).await?;
    view(&server, &caller, wizard).await
}

/// Gives the query that a browser brought back to another program, for example the command line.
#[utoipa::path(post, path = "/connect/{id}/return", tag = "connectors", operation_id = "connect_give_back",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = ReturnWizard, responses((status = 200, body = WizardView), Refusals))]
async fn give_back(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<ReturnWizard>,
) -> Result<Json<WizardView>, Problem> {
    caller.only_reads();
    let (control, owner) = (&server.control, owner(&caller));
    let wizard = control
        .return_to_wizard(&owner, &id, request.query.expose())
        .await?;
    view(&server, &caller, wizard).await
}

/// Looks anew which organizations the identity reaches, for those that were made since it signed in.
#[utoipa::path(post, path = "/connect/{id}/discover", tag = "connectors", operation_id = "connect_discover",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = WizardView), Refusals))]
async fn discover(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<WizardView>, Problem> {
    caller.only_reads();
    let control = &server.control;
    let wizard = control.discover_wizard(&owner(&caller), &id).await?;
    view(&server, &caller, wizard).await
}

/// Checks organizations one by one, all that were found when none is named; also those that will be left out.
#[utoipa::path(post, path = "/connect/{id}/check", tag = "connectors", operation_id = "connect_check",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = CheckWizard, responses((status = 200, body = CheckedWizard), Refusals))]
async fn check(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<CheckWizard>,
) -> Result<Json<CheckedWizard>, Problem> {
    caller.only_reads();
    let (control, owner) = (&server.control, owner(&caller));
    let mut names = request.organizations;
    if names.is_empty() && caller.connectors.is_some() {
        let wizard = control.wizard(&owner, &id).await?;
        let found = narrowed(&server, &caller, &wizard.service, wizard.organizations).await?;
        names = found.into_iter().map(|one| one.organization).collect();
        if names.is_empty() {
            return Ok(Json(CheckedWizard::of(Vec::new())));
        }
    }
    let checked = control.check_wizard(&owner, &id, &names).await?;
    Ok(Json(CheckedWizard::of(checked)))
}

/// What would be added. Saves nothing.
#[utoipa::path(post, path = "/connect/{id}/review", tag = "connectors", operation_id = "connect_review",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = AddWizard, responses((status = 200, body = Paged<ReviewView>), Refusals))]
async fn review(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<AddWizard>,
) -> Result<Json<Paged<ReviewView>>, Problem> {
    caller.only_reads();
    let (control, owner) = (&server.control, owner(&caller));
    let wizard = control.wizard(&owner, &id).await?;
    let picks = request.picks(&server, &caller, &wizard).await?;
    let draft = control.review_wizard(&owner, &id, picks).await?;
    let profile = draft.profile.as_ref();
    let connectors = draft.connectors.into_iter();
    let drafts: Vec<ReviewView> = connectors
        .map(|connector| ReviewView::of(connector, profile))
        .collect();
    Ok(Json(Paged::from(drafts)))
}

/// The last step: checks and saves all that was picked, or nothing. With `run_backup` the first backups start at once.
#[utoipa::path(post, path = "/connect/{id}/add", tag = "connectors", operation_id = "connect_add",
    params(("id" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = AddWizard, responses((status = 201, body = AddedWizard), Refusals))]
async fn add(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<AddWizard>,
) -> Result<(StatusCode, Json<AddedWizard>), Problem> {
    let (control, owner) = (&server.control, owner(&caller));
    let wizard = control.wizard(&owner, &id).await?;
    let again = wizard.connector.is_some();
    let wishes = settle::wishes(&server, &caller, &request, again)?;
    let picks = request.picks(&server, &caller, &wizard).await?;
    let added = control.finish_wizard(&owner, &id, picks, wishes).await?;
    let action = if again {
        "connector.sign-in"
    } else {
        "connector.add"
    };
    for one in &added.connectors {
        let connector = &one.value;
        let details = json!({
            "service": connector.service, "organization": connector.organization,
            "method": connector.method, "credential": connector.credential,
        });
        let subject = format!("connector/{}", connector.name);
        server.audit(&caller, action, &subject, details).await?;
    }
    settle::note(&server, &caller, &added).await?;
    Ok((
        StatusCode::CREATED,
        Json(AddedWizard::of(&server.control, added)),
    ))
}
