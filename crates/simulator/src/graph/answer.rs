//! From a request to the resource that answers it.

use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;

use super::error::{GraphError, Names, denied};
use super::{batch, delta, directory, drives, mail, sites};
use crate::entra::app::Resource;
use crate::entra::token::Bearer;
use crate::entra::{State, Tenant};
use crate::server::{Query, Reply};
use crate::world::SharedWorld;

const ODATA: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// One request of the interface, alone or in a batch.
#[derive(Clone)]
pub(crate) struct Request {
    pub method: Method,
    /// What comes before the version, as the caller sees it.
    pub base: String,
    /// `v1.0` or `beta`.
    pub version: String,
    /// After the version.
    pub segments: Vec<String>,
    pub query: Query,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Whether a path on the bare port is one of Microsoft Graph.
pub(crate) fn belongs_here(segments: &[String]) -> bool {
    segments
        .first()
        .is_some_and(|first| matches!(first.as_str(), "v1.0" | "beta"))
}

impl Request {
    pub(crate) fn new(
        method: Method,
        base: String,
        mut segments: Vec<String>,
        query: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Self {
        let version = if belongs_here(&segments) {
            segments.remove(0)
        } else {
            String::new()
        };
        Self {
            method,
            base,
            version,
            segments,
            query: Query::parse(query),
            headers: headers.clone(),
            body,
        }
    }

    /// Kind and template for the ledger.
    pub(crate) fn describe(segments: &[String]) -> (&'static str, String) {
        let known = |segment: &&String| {
            let text = segment.as_str();
            text.len() < 24
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphabetic() || matches!(c, '$' | '(' | ')' | ':'))
        };
        let parts: Vec<&str> = segments
            .iter()
            .skip(usize::from(belongs_here(segments)))
            .map(|segment| {
                if known(&segment) {
                    segment.as_str()
                } else {
                    "{id}"
                }
            })
            .collect();
        let kind = match parts.first() {
            Some(&"users" | &"me") => "user",
            Some(&"groups") => "group",
            Some(&"sites") => "site",
            Some(&"drives") => "drive",
            _ => "other",
        };
        (kind, parts.join("/"))
    }

    /// `t` in `delta(token='t')`, which is another way to say `delta?token=t`.
    pub(super) fn called_with_token(&self) -> Option<&str> {
        let call = self.segments.last()?.strip_prefix("delta(token='");
        call?.strip_suffix("')")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What a number of `Prefer: odata.maxpagesize=` says.
    pub(super) fn max_page_size(&self) -> Option<usize> {
        self.header("prefer")?
            .split(',')
            .find_map(|part| part.trim().strip_prefix("odata.maxpagesize=")?.parse().ok())
    }

    /// `base/version`.
    pub(super) fn root(&self) -> String {
        format!("{}/{}", self.base, self.version)
    }

    pub(super) fn context(&self, what: &str) -> String {
        format!(
            "https://graph.microsoft.com/{}/$metadata#{what}",
            self.version
        )
    }
}

/// The caller and the tenant of a request.
pub(super) struct Context<'a> {
    pub tenant: &'a mut Tenant,
    pub bearer: &'a Bearer,
}

impl Context<'_> {
    /// Fails without one of the permissions.
    pub(super) fn require(&self, any: &[&str]) -> Result<(), GraphError> {
        if any
            .iter()
            .any(|name| self.bearer.permissions.contains(*name))
        {
            Ok(())
        } else {
            Err(denied())
        }
    }
}

pub(crate) fn answer(world: &SharedWorld, request: &Request) -> Reply {
    let names = Names::of(&request.headers);
    let mut reply = whole(world, request).unwrap_or_else(|error| error.into_reply(&names));
    let json = reply
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if json && reply.status.is_success() {
        reply
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(ODATA));
        reply = reply.header("odata-version", "4.0");
    }
    names.put(reply).header("cache-control", "no-cache").header(
        "x-ms-ags-diagnostic",
        "{\"ServerInfo\":{\"DataCenter\":\"West Europe\",\"Slice\":\"E\",\"Ring\":\"5\"}}",
    )
}

fn whole(world: &SharedWorld, request: &Request) -> Result<Reply, GraphError> {
    if request.version.is_empty() {
        return match request
            .segments
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()[..]
        {
            ["oidc", "userinfo"] => directory::userinfo(&world.read().entra, request),
            ["download", ..] if request.base.contains(".sharepoint.com") => {
                drives::download(&world.read().entra, request)
            }
            _ => Err(GraphError::bad_request(format!(
                "Invalid version: {}",
                request.segments.first().map_or("", String::as_str)
            ))),
        };
    }
    let mut guard = world.write();
    let bearer = authenticate(&guard.entra, request)?;
    let state = &mut guard.entra;
    let tenant = state
        .tenants
        .iter_mut()
        .find(|tenant| tenant.id == bearer.tenant)
        .ok_or_else(|| GraphError::unauthorized("The tenant of the token is unknown."))?;
    let mut context = Context {
        tenant,
        bearer: &bearer,
    };
    if request
        .segments
        .first()
        .is_some_and(|first| first == "$batch")
    {
        // Limits count the requests inside.
        return batch::answer(&mut context, request);
    }
    throttle(context.tenant)?;
    one(&mut context, request)
}

pub(super) fn authenticate(state: &State, request: &Request) -> Result<Bearer, GraphError> {
    let token = request
        .header(header::AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| GraphError::unauthorized("Access token is empty."))?;
    state
        .accept(token, Resource::Graph)
        .map_err(|refusal| GraphError::unauthorized(refusal.in_graph()))
}

pub(super) fn throttle(tenant: &mut Tenant) -> Result<(), GraphError> {
    let throttle = &mut tenant.directory.throttle;
    if throttle.count == 0 {
        return Ok(());
    }
    throttle.count -= 1;
    Err(GraphError::throttled(throttle.retry_after))
}

/// Answers one request; requests of a batch come here, too.
pub(super) fn one(context: &mut Context<'_>, request: &Request) -> Result<Reply, GraphError> {
    if request.method != Method::GET {
        return Err(GraphError::method());
    }
    let mut segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let me = context.bearer.subject.to_string();
    if segments.first() == Some(&"me") {
        if !context.bearer.person {
            return Err(GraphError::new(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "/me request is only valid with delegated authentication flow.",
            ));
        }
        segments.splice(..1, ["users", me.as_str()]);
    }
    match segments[..] {
        ["users", "delta" | "delta()" | "microsoft.graph.delta()"] => {
            delta::users(context, request)
        }
        ["groups", "delta" | "delta()" | "microsoft.graph.delta()"] => {
            delta::groups(context, request)
        }
        ["sites", "delta" | "delta()" | "microsoft.graph.delta()"] => {
            delta::sites(context, request)
        }
        [
            "users",
            id,
            "mailFolders" | "messages" | "calendars" | "mailboxSettings" | "events",
            ..,
        ] => mail::route(context, request, id, &segments[2..]),
        ["users", id, "drive" | "drives", ..] => {
            drives::of_person(context, request, id, &segments[2..])
        }
        ["users", ..] => directory::users(context, request, &segments[1..]),
        ["groups", ..] => directory::groups(context, request, &segments[1..]),
        ["organization", ..] => directory::organization(context, request, &segments[1..]),
        ["subscribedSkus"] => directory::skus(context, request),
        ["domains"] => directory::domains(context, request),
        ["sites", ..] => sites::route(context, request, &segments[1..]),
        ["drives", id, ..] => drives::route(context, request, id, &segments[2..]),
        [other, ..] => Err(GraphError::no_segment(other)),
        [] => Err(GraphError::no_segment("")),
    }
}
