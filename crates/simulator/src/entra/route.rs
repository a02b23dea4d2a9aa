//! From an address to the endpoint of Entra ID that answers it.

use axum::http::{HeaderMap, Method, StatusCode};
use bytes::Bytes;
use uuid::Uuid;

use super::{Refused, authorize, device, discovery, grant, machine};
use crate::server::{Query, Reply};
use crate::world::SharedWorld;

/// A request to Entra ID or to the endpoints of managed identities.
pub(crate) struct Request {
    pub method: Method,
    /// `https://login.microsoftonline.com`, or the simulator's own address.
    pub base: String,
    /// Percent-decoded.
    pub segments: Vec<String>,
    pub query: Query,
    /// As sent, for pages that post back to where they came from.
    pub raw_query: String,
    pub form: Query,
    pub headers: HeaderMap,
}

impl Request {
    pub(crate) fn new(
        method: Method,
        base: String,
        segments: Vec<String>,
        raw_query: &str,
        headers: HeaderMap,
        body: &Bytes,
    ) -> Self {
        Self {
            method,
            base,
            segments,
            query: Query::parse(raw_query),
            raw_query: raw_query.to_owned(),
            form: Query::parse(&String::from_utf8_lossy(body)),
            headers,
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What the client calls its request, if it is the id that it should be.
    fn correlation(&self) -> Option<Uuid> {
        Uuid::parse_str(self.header("client-request-id")?).ok()
    }

    /// A parameter of the form that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refused> {
        self.form.get(name).ok_or_else(|| Refused::missing(name))
    }
}

/// Whether a path on the bare port is one of Entra ID, not one of an organization.
pub(crate) fn belongs_here(segments: &[String]) -> bool {
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    matches!(
        parts[..],
        ["devicelogin"]
            | ["metadata", "identity", ..]
            | ["msi", "token"]
            | [_, "oauth2" | "discovery" | ".well-known", ..]
            | [_, "v2.0", ".well-known" | "adminconsent", ..]
            | [_, "adminconsent"]
    )
}

pub(crate) fn answer(world: &SharedWorld, request: &Request) -> Reply {
    let mut guard = world.write();
    let state = &mut guard.entra;
    let parts: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let get = request.method == Method::GET;
    let post = request.method == Method::POST;
    let reply = match parts[..] {
        ["metadata", "identity", "oauth2", "token"] => return machine::imds(state, request),
        ["msi", "token"] => return machine::app_service(state, request),
        ["devicelogin" | "device"] => return device::page(state, request),
        [tenant, "v2.0", ".well-known", "openid-configuration"]
        | [tenant, ".well-known", "openid-configuration"]
            if get =>
        {
            discovery::configuration(state, &request.base, tenant)
        }
        [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"] if get => {
            Ok(discovery::keys(&request.base))
        }
        [tenant, "discovery", "instance"] if get => discovery::instance(request, tenant),
        [tenant, "oauth2", "v2.0", "authorize"] if get || post => {
            return authorize::page(state, request, tenant);
        }
        [tenant, "adminconsent"] | [tenant, "v2.0", "adminconsent"] if get || post => {
            return authorize::administrator(state, request, tenant);
        }
        [_, "oauth2", "v2.0", "logout"] => {
            state.settings.signed_in = None;
            return logout(request);
        }
        [tenant, "oauth2", "v2.0", "devicecode"] if post => device::begin(state, request, tenant),
        [tenant, "oauth2", "v2.0", "token"] if post => grant::token(state, request, tenant),
        [_, "oauth2", "v2.0", "token" | "devicecode"] => Err(Refused::new(
            "invalid_request",
            900_561,
            format!(
                "The endpoint only accepts POST requests. Received a {} request.",
                request.method
            ),
        )),
        _ => return Reply::status(StatusCode::NOT_FOUND),
    };
    let (trace, now) = (state.ids.guid(), state.now());
    let correlation = request.correlation().unwrap_or_else(|| state.ids.guid());
    let mut reply = reply.unwrap_or_else(|refused| refused.into_reply(trace, correlation, now));
    let told_back = request.header("return-client-request-id");
    if told_back.is_some_and(|wanted| wanted.eq_ignore_ascii_case("true")) {
        reply = reply.header("client-request-id", correlation.to_string());
    }
    reply
        .header("cache-control", "no-store, no-cache")
        .header("pragma", "no-cache")
        .header("x-ms-request-id", trace.to_string())
}

fn logout(request: &Request) -> Reply {
    match request.query.get("post_logout_redirect_uri") {
        Some(address) => Reply::status(StatusCode::FOUND).header("location", address),
        None => super::page::text("You signed out of your account."),
    }
}
