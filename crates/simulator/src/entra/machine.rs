//! Managed identities of the machine: IMDS of virtual machines and the endpoint of App Service.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::app::Resource;
use super::route::Request;
use super::token::Subject;
use super::{State, Tenant};
use crate::server::{Query, Reply};

/// What a program on the machine can ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    pub system: Option<Identity>,
    pub assigned: Vec<Identity>,
    /// What every request gets until it is taken away.
    pub failure: Option<StatusCode>,
    /// So many requests get 429 first.
    pub throttled: u32,
}

/// A managed identity.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub name: String,
    pub tenant: Uuid,
    pub client: Uuid,
    /// The object id of its service principal.
    pub principal: Uuid,
}

impl Identity {
    pub(crate) fn resource_id(&self) -> String {
        format!(
            "/subscriptions/8f1c6d6e-0000-4000-8000-000000000001/resourceGroups/backup/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{}",
            self.name
        )
    }
}

/// What App Service gives a program in `IDENTITY_HEADER`.
pub(crate) const APP_SERVICE_HEADER: &str = "hdr";

/// Tokens of managed identities live for a day.
const DAY: i64 = 86_400;

/// `error` and `error_description` as the table of HTTP responses in "use managed identities on a virtual machine" has them.
fn failure(status: StatusCode, error: &str, words: &str) -> Reply {
    Reply::json(json!({"error": error, "error_description": words})).with_status(status)
}

fn bad(error: &str, words: &str) -> Reply {
    failure(StatusCode::BAD_REQUEST, error, words)
}

/// `GET /metadata/identity/oauth2/token`.
pub(super) fn imds(state: &mut State, request: &Request) -> Reply {
    // In lower case, says the document.
    if request.header("metadata") != Some("true") {
        return bad("bad_request_102", "Required metadata header not specified");
    }
    if request.method != Method::GET {
        return failure(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "The requested method is not supported",
        );
    }
    if request.header("x-forwarded-for").is_some() {
        return bad(
            "invalid_request",
            "Requests that were forwarded are refused.",
        );
    }
    if request.query.get("api-version").is_none() {
        return bad(
            "invalid_request",
            "The api-version is missing; 2018-02-01 is the first that serves tokens.",
        );
    }
    unavailable(state).unwrap_or_else(|| answer(state, request))
}

/// The endpoint whose address and header App Service puts into the environment.
pub(super) fn app_service(state: &mut State, request: &Request) -> Reply {
    if request.header("x-identity-header") != Some(APP_SERVICE_HEADER) {
        return Reply::json(json!({"statusCode": 401, "message": "The header X-IDENTITY-HEADER is missing or wrong."}))
            .with_status(StatusCode::UNAUTHORIZED);
    }
    unavailable(state).unwrap_or_else(|| answer(state, request))
}

fn unavailable(state: &mut State) -> Option<Reply> {
    let machine = &mut state.machine;
    if machine.throttled > 0 {
        machine.throttled -= 1;
        return Some(
            failure(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "Temporarily throttled, too many requests",
            )
            .header("retry-after", "1"),
        );
    }
    machine.failure.map(|status| {
        failure(
            status,
            "unavailable",
            "The identity endpoint is being updated.",
        )
    })
}

/// The identity of one of these names; that of the machine if none is asked for.
fn wanted<'a>(machine: &'a Machine, query: &Query) -> Option<&'a Identity> {
    const NAMES: [&str; 5] = [
        "client_id",
        "object_id",
        "principal_id",
        "msi_res_id",
        "mi_res_id",
    ];
    let Some(text) = NAMES.iter().find_map(|name| query.get(name)) else {
        return machine.system.as_ref();
    };
    machine.assigned.iter().find(|own| {
        own.client.to_string().eq_ignore_ascii_case(text)
            || own.principal.to_string().eq_ignore_ascii_case(text)
            || own.resource_id().eq_ignore_ascii_case(text)
    })
}

fn answer(state: &State, request: &Request) -> Reply {
    let query = &request.query;
    let Some(name) = query.get("resource") else {
        return bad(
            "invalid_request",
            "Required query variable 'resource' is missing",
        );
    };
    let identity = wanted(&state.machine, query);
    let place = identity.and_then(|identity| Some((identity, state.tenant(identity.tenant)?)));
    let Some((identity, tenant)) = place else {
        return bad("invalid_request", "Identity not found");
    };
    let Some(resource) = Resource::named(name) else {
        let words = format!(
            "AADSTS500011: The resource principal named {name} was not found in the tenant named {}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.",
            tenant.name
        );
        return bad("invalid_resource", &words);
    };
    let life = state.settings.token_life.min(DAY);
    let token = token(state, (identity, tenant), (resource, name), life);
    let now = state.now();
    // Times are texts here, and numbers at the token endpoint.
    let mut value: Value = json!({
        "access_token": token,
        "client_id": identity.client,
        "expires_on": (now + life).to_string(),
        "resource": name,
        "token_type": "Bearer",
    });
    // App Service says when, not in how long.
    if request.segments.first().is_none_or(|first| first != "msi") {
        value["expires_in"] = json!(life.to_string());
        value["ext_expires_in"] = json!(life.to_string());
        value["not_before"] = json!(now.to_string());
    }
    Reply::json(value)
}

/// A token of an identity for a resource, which is named as the program names it.
fn token(
    state: &State,
    (identity, tenant): (&Identity, &Tenant),
    (resource, name): (Resource, &str),
    life: i64,
) -> String {
    let roles = tenant
        .principals
        .get(&identity.client)
        .filter(|_| resource == Resource::Graph)
        .map(|principal| principal.roles.clone())
        .unwrap_or_default();
    let subject = Subject::Application {
        id: identity.principal,
        roles,
        managed: true,
    };
    let audience = name.trim_end_matches('/');
    state.access_token(
        tenant,
        identity.client,
        (resource, audience),
        &subject,
        life,
    )
}
