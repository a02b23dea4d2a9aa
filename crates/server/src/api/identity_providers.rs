//! Identity providers, and signing in at them.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::AppendHeaders;
use model::{Role, Secret};
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::access::oidc::{self, Provider, Returned};
use crate::access::{
    Allowed, Caller, ClientLine, Cookies, Everything, ManagePeople, Started, person_name,
};
use crate::{Json, Path, Problem, Query, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(buttons))
        .routes(routes!(leave))
        .routes(routes!(arrive))
        .routes(routes!(list))
        .routes(routes!(put, remove))
        .routes(routes!(put_secret))
}

/// A button of the sign-in page.
#[derive(Serialize, ToSchema)]
struct Button {
    name: String,
    title: String,
}

/// The ways to sign in.
#[derive(Serialize, ToSchema)]
struct Buttons {
    identity_providers: Vec<Button>,
}

/// The identity providers at which people can sign in.
#[utoipa::path(get, path = "/sign-in", tag = "sign-in", operation_id = "sign_in_get", security(()),
    responses((status = 200, body = Buttons), Refusals))]
async fn buttons(State(server): State<Server>) -> Result<Json<Buttons>, Problem> {
    let all = oidc::providers(&server).await?.into_iter();
    let identity_providers = all.map(|(name, provider)| Button {
        name,
        title: provider.title,
    });
    Ok(Json(Buttons {
        identity_providers: identity_providers.collect(),
    }))
}

/// Where to go on afterwards.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Return {
    /// A path of this server.
    #[param(required = false)]
    return_to: Option<String>,
}

/// Where the browser goes on, and the cookies that it takes along.
type Onward = (
    StatusCode,
    AppendHeaders<[(HeaderName, String); 1]>,
    AppendHeaders<Vec<(HeaderName, HeaderValue)>>,
);

/// Whoever says who signs in, and as what, decides about everything.
fn may_decide(caller: &Caller) -> Result<(), Problem> {
    caller.may_grant(&BTreeSet::from([Role::Admin]), None)
}

fn onward(to: String, cookies: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Onward {
    (
        StatusCode::SEE_OTHER,
        AppendHeaders([(header::LOCATION, to)]),
        AppendHeaders(cookies.into_iter().collect()),
    )
}

/// Both ways are walked by a browser, which can do nothing with a problem document: the sign-in page says in words what the code means. Of
/// what the provider or the address said, nothing goes along.
fn refused(problem: &Problem) -> String {
    format!("/sign-in?error={}", problem.code())
}

/// Sends the browser to an identity provider, or back to the sign-in page with the code of what stands in the way.
#[utoipa::path(get, path = "/sign-in/{provider}", tag = "sign-in", operation_id = "sign_in_leave", security(()),
    params(("provider" = String, Path)),
    responses((status = 303, headers(("Location" = String))), Refusals))]
async fn leave(
    State(server): State<Server>,
    Path(name): Path<String>,
    query: Result<Query<Return>, Problem>,
    client: ClientLine,
    headers: HeaderMap,
) -> Onward {
    let leaving = async {
        let Query(query) = query?;
        // An image on a page elsewhere begins no sign-in, and uses up nobody's attempts.
        let mode = headers.get("sec-fetch-mode");
        if mode.is_some_and(|mode| mode != "navigate") {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "request-forged",
                "a sign-in begins with a page of its own",
            ));
        }
        let provider = oidc::provider(&server, &name).await?;
        crate::access::count_leaving(&server, &client).await?;
        let return_to = query.return_to.as_deref().unwrap_or("/");
        oidc::leave(&server, &name, &provider, return_to).await
    };
    match leaving.await {
        Ok(leaving) => {
            let cookies = Cookies::new(&server.options);
            let cookie = cookies.set_sign_in(&leaving.browser, oidc::PATIENCE.as_secs());
            onward(leaving.to.to_string(), cookie.pair())
        }
        Err(problem) => onward(refused(&problem), None),
    }
}

/// Where an identity provider sends the browser back to. What went wrong is told by the sign-in page.
#[utoipa::path(get, path = "/sign-in/{provider}/callback", tag = "sign-in", operation_id = "sign_in_arrive", security(()),
    params(("provider" = String, Path)),
    responses((status = 303, headers(("Location" = String))), Refusals))]
async fn arrive(
    State(server): State<Server>,
    Path(name): Path<String>,
    returned: Result<Query<Returned>, Problem>,
    client: ClientLine,
    headers: HeaderMap,
) -> Onward {
    let cookies = Cookies::new(&server.options);
    let gone = cookies.clear_sign_in().pair();
    let left = async {
        let Query(returned) = returned?;
        Ok::<_, Problem>((oidc::take(&server, &returned).await?, returned))
    };
    // Anybody can come with an answer to nothing, as often as they like: that is told to them alone, and not to the audit log.
    let (pending, returned) = match left.await {
        Ok(left) => left,
        Err(problem) => return onward(refused(&problem), gone),
    };
    let arrived = async {
        let browser = cookies.sign_in(&headers);
        let (person, return_to) = oidc::arrive(&server, &name, pending, &returned, browser).await?;
        let before = cookies.session(&headers);
        let started = Started::begin(&server, person, &name, &client, before).await?;
        crate::access::forgive_leaving(&server, &client).await?;
        Ok::<_, Problem>((return_to, started.cookie.pair()))
    };
    match arrived.await {
        Ok((return_to, session)) => onward(return_to, session.into_iter().chain(gone)),
        Err(problem) => {
            let details = json!({ "method": name, "reason": problem.code() });
            let noted = server.audit_nobody("unknown", &client, "session.refused", details);
            let problem = noted.await.err().unwrap_or(problem);
            onward(refused(&problem), gone)
        }
    }
}

/// An identity provider with its name.
#[derive(Serialize, ToSchema)]
struct Named {
    name: String,
    /// Where it has to send people back to.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_uri: Option<String>,
    #[serde(flatten)]
    provider: Provider,
}

/// All identity providers.
#[derive(Serialize, ToSchema)]
struct All {
    items: Vec<Named>,
}

/// All identity providers with their settings.
#[utoipa::path(get, path = "/identity-providers", tag = "people", operation_id = "identity_provider_list",
    extensions(("x-permission" = json!("manage-people"))),
    responses((status = 200, body = All), Refusals))]
async fn list(
    caller: Allowed<ManagePeople>,
    State(server): State<Server>,
) -> Result<Json<All>, Problem> {
    let all = oidc::providers(&server).await?.into_iter();
    let seen = |mut provider: Provider| {
        for names in provider.connectors.values_mut() {
            names.retain(|name| name == "*" || caller.reaches(name));
        }
        provider
    };
    let items = all.map(|(name, provider)| Named {
        redirect_uri: oidc::callback(&server, &name).ok(),
        name,
        provider: seen(provider),
    });
    Ok(Json(All {
        items: items.collect(),
    }))
}

/// What an application proves itself with at an identity provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ClientSecret {
    client_secret: SecretText,
}

/// Keeps the client secret of an identity provider in the vault; it cannot be read again.
#[utoipa::path(put, path = "/identity-providers/{name}/client-secret", tag = "people",
    operation_id = "identity_provider_secret_set", params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people")), ("x-reach" = json!("all"))),
    request_body = ClientSecret, responses((status = 204), Refusals))]
async fn put_secret(
    caller: Allowed<ManagePeople, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<ClientSecret>,
) -> Result<StatusCode, Problem> {
    may_decide(&caller)?;
    oidc::provider(&server, &name).await?;
    let secret = Secret::new(request.client_secret.expose());
    let control = &server.control;
    let (at, now) = (oidc::secret_name(&name), control.clock.now());
    // The thread's own generator cannot wait for the database.
    let mut rng = rand::make_rng::<StdRng>();
    control
        .catalog
        .put_credential(&control.kek, &at, "client-secret", &secret, now, &mut rng)
        .await?;
    let subject = format!("identity-provider/{name}");
    server
        .audit(&caller, "identity-provider.set-secret", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn forget_secret(server: &Server, name: &str) -> Result<(), Problem> {
    let catalog = &server.control.catalog;
    match catalog.remove_credential(&oidc::secret_name(name)).await {
        Ok(()) | Err(catalog::Error::CredentialUnknown { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Adds an identity provider, or replaces the settings of one. Its client secret is set on its own; one that was given for another issuer is
/// forgotten, and nobody is shown it.
#[utoipa::path(put, path = "/identity-providers/{name}", tag = "people", operation_id = "identity_provider_put",
    params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people")), ("x-reach" = json!("all"))),
    request_body = Provider, responses((status = 200, body = Named), Refusals))]
async fn put(
    caller: Allowed<ManagePeople, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(mut provider): Json<Provider>,
) -> Result<Json<Named>, Problem> {
    may_decide(&caller)?;
    person_name(&name)?;
    provider.check()?;
    let version = provider.version.take();
    let known = oidc::providers(&server).await?;
    // Before its secret goes, also where somebody has removed it.
    let now = known.iter().find(|(known, _)| *known == name);
    let now = now.and_then(|(_, known)| known.version);
    if version.is_some() && version != now {
        let what = format!("identity provider `{name}`");
        return Err(catalog::Error::SettingsChanged { what }.into());
    }
    let elsewhere = known
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(&name))
        .any(|(_, known)| known.issuer != provider.issuer);
    if elsewhere {
        forget_secret(&server, &name).await?;
    }
    let body = serde_json::to_string(&provider)
        .map_err(|_| Problem::of(StatusCode::INTERNAL_SERVER_ERROR))?;
    let catalog = &server.control.catalog;
    let version = catalog.put_identity_provider(&name, &body, version).await?;
    provider.version = Some(version);
    let subject = format!("identity-provider/{name}");
    server
        .audit(&caller, "identity-provider.put", &subject, json!(provider))
        .await?;
    Ok(Json(Named {
        redirect_uri: oidc::callback(&server, &name).ok(),
        name,
        provider,
    }))
}

/// Removes an identity provider and its client secret. Accounts that signed in there stay.
#[utoipa::path(delete, path = "/identity-providers/{name}", tag = "people", operation_id = "identity_provider_remove",
    params(("name" = String, Path)),
    extensions(("x-permission" = json!("manage-people")), ("x-reach" = json!("all"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManagePeople, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    may_decide(&caller)?;
    let catalog = &server.control.catalog;
    oidc::provider(&server, &name).await?;
    catalog.remove_identity_provider(&name).await?;
    forget_secret(&server, &name).await?;
    let subject = format!("identity-provider/{name}");
    server
        .audit(&caller, "identity-provider.remove", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
