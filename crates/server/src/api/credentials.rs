//! Credentials of the vault: their secrets go in and never come out.

mod dto;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use control::Identity;
use model::{App, ManagedIdentity, Permission, SignIn};
use serde::Deserialize;
use serde_json::json;
use url::Url;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::{CheckView, location};
use crate::access::{Allowed, Caller, Everything, ManageConnectors};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) use dto::IdentityBody;
use dto::{
    AddCredential, CredentialView, Managed, RotateCredential, TestCredential, TestedCredential,
};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, remove))
        .routes(routes!(rotate))
        .routes(routes!(test))
}

/// Refuses credentials as ones that do not exist, unless all that they sign in for are connectors that the caller reaches.
pub(super) async fn reach_credentials(
    server: &Server,
    caller: &Caller,
    names: impl IntoIterator<Item = &String>,
) -> Result<(), Problem> {
    if caller.connectors.is_none() {
        return Ok(());
    }
    for name in names {
        let users = server.control.catalog.credential_users(name).await?;
        let own = |user: &String| {
            let connector = user.strip_prefix("connector ");
            connector.is_some_and(|connector| caller.reaches(connector))
        };
        if users.is_empty() || !users.iter().all(own) {
            return Err(catalog::Error::CredentialUnknown { name: name.clone() }.into());
        }
    }
    Ok(())
}

/// Whether they see what opens the storage of repositories too: such secrets are given and replaced with the repository.
fn sees_storage(caller: &Caller) -> bool {
    caller.may(Permission::ManageRepositories) && caller.connectors.is_none()
}

/// Which credentials.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Also what opens the storage of repositories (`storage`), for those who may manage repositories.
    #[param(required = false)]
    #[serde(default)]
    storage: bool,
}

/// The credentials by name, without their secrets.
#[utoipa::path(get, path = "/credentials", tag = "connectors", operation_id = "credential_list",
    params(PageQuery, Wanted), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = Paged<CredentialView>), Refusals))]
async fn list(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Paged<CredentialView>>, Problem> {
    let control = &server.control;
    let storage = wanted.storage && sees_storage(&caller);
    let mut listed = control
        .managed_credentials(storage, &query.page(&server)?)
        .await?;
    let mut reached = Vec::new();
    for row in listed.items {
        if reach_credentials(&server, &caller, [&row.name])
            .await
            .is_ok()
        {
            reached.push(row);
        }
    }
    listed.items = reached;
    let now = server.control.clock.now();
    Ok(Json(Paged::from_listed(&server, listed, |row| {
        CredentialView::of(row, None, now)
    })))
}

/// Keeps a credential for connectors to come.
#[utoipa::path(post, path = "/credentials", tag = "connectors", operation_id = "credential_add",
    extensions(("x-permission" = json!("manage-connectors")), ("x-reach" = json!("all"))), request_body = AddCredential,
    responses((status = 201, body = CredentialView, headers(("location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManageConnectors, Everything>,
    State(server): State<Server>,
    Json(request): Json<AddCredential>,
) -> Result<(StatusCode, HeaderMap, Json<CredentialView>), Problem> {
    let expires = request.identity.expiry()?;
    let identity = identity_of(&server, request.identity).await?;
    let url = request.url.as_deref().map(host_of).transpose()?;
    let control = &server.control;
    let row = control
        .add_credential(&request.name, &identity, expires, url.as_ref())
        .await?;
    let subject = format!("credential/{}", row.name);
    let details = json!({ "method": row.method, "url": row.url });
    server
        .audit(&caller, "credential.add", &subject, details)
        .await?;
    let headers = location("credentials", &row.name);
    let view = CredentialView::of(row, Some(Vec::new()), control.clock.now());
    Ok((StatusCode::CREATED, headers, Json(view)))
}

fn host_of(text: &str) -> Result<Url, Problem> {
    let url = text.parse::<Url>().ok();
    let url = url.filter(|url| matches!(url.scheme(), "https" | "http"));
    url.ok_or_else(|| Problem::field("/url", "not an address like https://devops.example.com"))
}

/// One credential with who uses it.
#[utoipa::path(get, path = "/credentials/{name}", tag = "connectors", operation_id = "credential_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 200, body = CredentialView), Refusals))]
async fn get(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<CredentialView>, Problem> {
    reach_credentials(&server, &caller, [&name]).await?;
    let storage = sees_storage(&caller);
    let row = server.control.managed_credential(&name, storage).await?;
    let users = server.control.catalog.credential_users(&name).await?;
    let now = server.control.clock.now();
    Ok(Json(CredentialView::of(row, Some(users), now)))
}

/// Puts a new secret in the place of the old one, once every connector that uses it passed a test with it.
#[utoipa::path(post, path = "/credentials/{name}/rotate", tag = "connectors", operation_id = "credential_rotate",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = RotateCredential,
    responses((status = 200, body = TestedCredential), Refusals))]
async fn rotate(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<RotateCredential>,
) -> Result<Json<TestedCredential>, Problem> {
    reach_credentials(&server, &caller, [&name]).await?;
    let control = &server.control;
    let (identity, expires) = match (request.secret, request.identity) {
        (Some(secret), None) => {
            let row = control.service_credential(&name).await?;
            let sign_in = row.sign_in.ok_or_else(|| {
                Problem::not_found(
                    "credential-unknown",
                    format!("there is no credential `{name}`"),
                )
            })?;
            (
                Identity::new(sign_in, Some(secret.into_secret())),
                dto::time(request.expires.as_deref())?,
            )
        }
        (None, Some(body)) => {
            let expires = body.expiry()?;
            (identity_of(&server, body).await?, expires)
        }
        _ => {
            return Err(Problem::field(
                "/secret",
                "give either `secret` or `identity`",
            ));
        }
    };
    let tested = control.rotate_credential(&name, &identity, expires).await?;
    let subject = format!("credential/{name}");
    let details = json!({ "method": identity.sign_in.method() });
    server
        .audit(&caller, "credential.rotate", &subject, details)
        .await?;
    Ok(Json(TestedCredential::of(tested)))
}

/// Tests a credential by the connectors that use it, or on an organization.
#[utoipa::path(post, path = "/credentials/{name}/test", tag = "connectors", operation_id = "credential_test",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    request_body = TestCredential,
    responses((status = 200, body = TestedCredential), Refusals))]
async fn test(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<TestCredential>,
) -> Result<Json<TestedCredential>, Problem> {
    reach_credentials(&server, &caller, [&name]).await?;
    let place = request.organization.as_deref();
    let place = place.map(|organization| (request.service.as_str(), organization));
    let tested = server.control.test_credential(&name, place).await?;
    let tested = TestedCredential::of(tested);
    let subject = format!("credential/{name}");
    let details = json!({ "ok": tested.ok });
    server
        .audit(&caller, "credential.test", &subject, details)
        .await?;
    Ok(Json(tested))
}

/// Removes a credential that nothing uses.
#[utoipa::path(delete, path = "/credentials/{name}", tag = "connectors", operation_id = "credential_remove",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-connectors"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManageConnectors>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    reach_credentials(&server, &caller, [&name]).await?;
    let storage = sees_storage(&caller);
    server.control.remove_credential(&name, storage).await?;
    let subject = format!("credential/{name}");
    server
        .audit(&caller, "credential.remove", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A way to sign in from a request.
pub(super) async fn identity_of(server: &Server, body: IdentityBody) -> Result<Identity, Problem> {
    let cloud = body.cloud.as_deref().unwrap_or("public");
    server.control.reach.clouds.find(cloud)?;
    let sign_in = sign_in_of(&body, cloud)?;
    let secret = body.secret.map(crate::SecretText::into_secret);
    let secret = secret.filter(|secret| !secret.expose().is_empty());
    match (sign_in.needs_secret(), &secret) {
        (true, None) => Err(member("secret", "the secret is missing")),
        (false, Some(_)) => Err(member("secret", "this way to sign in has no secret")),
        _ => Ok(Identity::new(sign_in, secret)),
    }
}

/// A client id without a tenant, or the other way round, is refused (SRE-23).
fn sign_in_of(body: &IdentityBody, cloud: &str) -> Result<SignIn, Problem> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (client_id, tenant) = (given(&body.client_id), given(&body.tenant));
    let app = || match (&client_id, &tenant) {
        (Some(client_id), Some(tenant)) => Ok(App {
            cloud: cloud.to_owned(),
            tenant: tenant.clone(),
            client_id: client_id.clone(),
        }),
        (None, _) => Err(member(
            "client_id",
            "client id and tenant go together: the client id is missing",
        )),
        (_, None) => Err(member(
            "tenant",
            "client id and tenant go together: the tenant is missing",
        )),
    };
    let identity = match &body.managed_identity {
        Some(Managed::User { client_id }) => ManagedIdentity::User {
            client_id: client_id.clone(),
        },
        Some(Managed::System) | None => ManagedIdentity::System,
    };
    Ok(match body.method.as_str() {
        "pat" => SignIn::Pat {
            user: body.user.clone().unwrap_or_default(),
        },
        "client-secret" => SignIn::ClientSecret { app: app()? },
        "certificate" => SignIn::Certificate { app: app()? },
        // With an app of another tenant that trusts the identity; without one, as itself.
        "managed-identity" if client_id.is_none() && tenant.is_none() => SignIn::ManagedIdentity {
            cloud: cloud.to_owned(),
            identity,
        },
        "managed-identity" | "federated-identity" => SignIn::FederatedIdentity {
            app: app()?,
            identity,
        },
        "workload-identity" => SignIn::WorkloadIdentity {
            app: app()?,
            token_file: given(&body.token_file)
                .ok_or_else(|| member("token_file", "the file is missing"))?,
        },
        "user" => {
            return Err(member(
                "method",
                "a person signs in with the wizard: POST /api/v1/connect",
            ));
        }
        _ => return Err(member("method", "not a way to sign in")),
    })
}

fn member(name: &str, detail: &str) -> Problem {
    Problem::field(format!("/identity/{name}"), detail)
}

fn views(checks: Vec<service::Check>) -> Vec<CheckView> {
    checks.into_iter().map(CheckView::of).collect()
}
