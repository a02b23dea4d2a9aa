//! Managed identities of the machine: IMDS of virtual machines and the endpoint of App Service.

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::State;
use super::app::Resource;
use super::route::Request;
use super::token::Subject;
use crate::server::{Query, Reply};

/// What a program on the machine can ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    pub system: Option<Identity>,
    pub assigned: Vec<Identity>,
    /// What every request gets until it is taken away: an HTTP status.
    pub failure: Option<u16>,
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

fn failure(status: u16, error: &str, words: &str) -> Reply {
    Reply::json(json!({"error": error, "error_description": words}))
        .with_status(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// `GET /metadata/identity/oauth2/token`.
pub(super) fn imds(state: &mut State, request: &Request) -> Reply {
    if request
        .header("metadata")
        .is_none_or(|value| !value.eq_ignore_ascii_case("true"))
    {
        return failure(
            400,
            "invalid_request",
            "bad_request_102: Required metadata header not specified",
        );
    }
    if request.header("x-forwarded-for").is_some() {
        return failure(
            400,
            "invalid_request",
            "Requests that were forwarded are refused.",
        );
    }
    if request.query.get("api-version").is_none() {
        return failure(
            400,
            "invalid_request",
            "The api-version is missing; 2018-02-01 is the first that serves tokens.",
        );
    }
    if let Some(reply) = unavailable(state) {
        return reply;
    }
    answer(state, request)
}

/// The endpoint whose address and header App Service puts into the environment.
pub(super) fn app_service(state: &mut State, request: &Request) -> Reply {
    if request.header("x-identity-header") != Some(APP_SERVICE_HEADER) {
        return Reply::json(json!({"statusCode": 401, "message": "The header X-IDENTITY-HEADER is missing or wrong."}))
            .with_status(StatusCode::UNAUTHORIZED);
    }
    if let Some(reply) = unavailable(state) {
        return reply;
    }
    answer(state, request)
}

fn unavailable(state: &mut State) -> Option<Reply> {
    let machine = &mut state.machine;
    if machine.throttled > 0 {
        machine.throttled -= 1;
        return Some(
            failure(
                429,
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
        return failure(
            400,
            "invalid_request",
            "Required query variable 'resource' is missing",
        );
    };
    let Some(resource) = Resource::named(name) else {
        return failure(
            400,
            "invalid_resource",
            &format!(
                "AADSTS500011: The resource principal named {name} was not found in the tenant. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
            ),
        );
    };
    let identity = wanted(&state.machine, query);
    let place = identity.and_then(|identity| Some((identity, state.tenant(identity.tenant)?)));
    let Some((identity, tenant)) = place else {
        return failure(400, "invalid_request", "Identity not found");
    };
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
    let life = state.settings.token_life.min(DAY);
    let audience = name.trim_end_matches('/');
    let token = state.access_token(
        tenant,
        identity.client,
        (resource, audience),
        &subject,
        life,
    );
    let now = state.now();
    // Times are texts here, and numbers at the token endpoint.
    let mut value: Value = json!({
        "access_token": token,
        "client_id": identity.client,
        "expires_in": life.to_string(),
        "expires_on": (now + life).to_string(),
        "ext_expires_in": life.to_string(),
        "not_before": now.to_string(),
        "resource": name,
        "token_type": "Bearer",
    });
    if request.segments.first().is_some_and(|first| first == "msi")
        && let Some(map) = value.as_object_mut()
    {
        // App Service says when, not in how long.
        map.shift_remove("expires_in");
        map.shift_remove("ext_expires_in");
        map.shift_remove("not_before");
    }
    Reply::json(value)
}
