//! Personal access tokens, and refusals in the forms that the real service uses.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::catalogue::Route;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Person, World};

/// A token of one person in one organization.
#[derive(Clone, Debug)]
pub(crate) struct Pat {
    /// Lowercase name; `*` for a token of all organizations, which the service is about to give up.
    pub organization: String,
    /// `vso.…`, or `app_token` for full access.
    pub scopes: Vec<String>,
    pub person: Arc<Person>,
}

/// Who calls and what the token allows.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub person: Arc<Person>,
    scopes: Arc<[String]>,
}

impl Identity {
    /// Whether one of the token's scopes is or includes `scope`.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| includes(own, scope))
    }
}

/// `vso.code_manage` includes `vso.code_write`, which includes `vso.code`.
fn includes(own: &str, asked: &str) -> bool {
    const LADDER: [&str; 5] = ["", "_execute", "_write", "_manage", "_full"];
    if own == asked || matches!(own, "app_token" | "user_impersonation") {
        return true;
    }
    let split = |scope: &str| {
        LADDER.iter().enumerate().rev().find_map(|(rank, suffix)| {
            scope
                .strip_suffix(suffix)
                .map(|stem| (stem.to_owned(), rank))
        })
    };
    match (split(own), split(asked)) {
        (Some((own, have)), Some((asked, want))) => own == asked && have >= want,
        _ => false,
    }
}

/// Finds who sent the request. The error is the answer to send, in the form that fits the request.
pub(crate) fn identify(
    world: &World,
    organization: &str,
    headers: &HeaderMap,
    method: &Method,
    git: bool,
) -> Result<Identity, Box<Reply>> {
    let Some(token) = token(headers) else {
        let suppress = headers
            .get("x-tfs-fedauthredirect")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"suppress"));
        return Err(Box::new(if git || suppress {
            unauthorized()
        } else {
            redirect()
        }));
    };
    match world.pats.get(&token) {
        Some(pat) if pat.organization == "*" || pat.organization == organization.to_lowercase() => {
            Ok(Identity {
                person: Arc::clone(&pat.person),
                scopes: pat.scopes.clone().into(),
            })
        }
        _ if git => Err(Box::new(unauthorized())),
        _ if matches!(*method, Method::GET | Method::POST | Method::HEAD) => {
            Err(Box::new(sign_in_page()))
        }
        _ => Err(refused("")),
    }
}

fn token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Some(rest.trim().to_owned()),
        "basic" => {
            let decoded = STANDARD
                .decode(rest.trim())
                .or_else(|_| STANDARD_NO_PAD.decode(rest.trim()))
                .ok()?;
            let decoded = String::from_utf8(decoded).ok()?;
            // A token without the colon is what the service answers with its sign-in page.
            Some(
                decoded
                    .split_once(':')
                    .map_or_else(String::new, |(_, token)| token.to_owned()),
            )
        }
        _ => None,
    }
}

/// The tenant that all organizations are backed by.
pub(crate) const TENANT: &str = "5f5c3a8e-0c1d-4a7e-9f42-6d1b7f0e2a90";

/// The scope that an operation needs; `None` where any valid token will do.
pub(crate) fn scope(route: &Route, method: &Method) -> Option<&'static str> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let (area, resource) = (route.area.to_lowercase(), route.resource.to_lowercase());
    Some(match (area.as_str(), resource.as_str()) {
        ("core", "processes") | ("processes" | "processadmin", _) => {
            if reads {
                "vso.work"
            } else {
                "vso.work_full"
            }
        }
        ("core", _) if reads => "vso.project",
        ("core", "properties") => "vso.project_write",
        ("core", _) if *method == Method::PATCH => "vso.project_write",
        ("core", _) => "vso.project_manage",
        ("wit", resource) => {
            // These read by POST.
            let reads = reads
                || resource.starts_with("workitemrevisions")
                || matches!(resource, "workitemsbatch" | "wiql" | "queriesbatch");
            if reads { "vso.work" } else { "vso.work_write" }
        }
        ("git", resource) => match resource {
            _ if reads
                || matches!(resource, "itemsbatch" | "commitsbatch" | "pullrequestquery") =>
            {
                "vso.code"
            }
            "repositories" | "recyclebinrepositories" => "vso.code_manage",
            _ => "vso.code_write",
        },
        ("wiki", resource) => {
            if reads || resource == "pagesbatch" {
                "vso.wiki"
            } else {
                "vso.wiki_write"
            }
        }
        ("graph", resource) => {
            if reads || resource == "subjectlookup" {
                "vso.graph"
            } else {
                "vso.graph_manage"
            }
        }
        ("ims", _) => "vso.identity",
        ("memberentitlementmanagement", _) => "vso.memberentitlementmanagement",
        ("security", "accesscontrolentries") => "vso.security_manage",
        _ => return None,
    })
}

/// What a token without the scope of the operation gets: a 401 whose body looks like an empty list.
pub(crate) fn check_scope(call: &Call, scope: &str) -> Result<(), Box<Reply>> {
    if call.identity.has(scope) {
        return Ok(());
    }
    if call.method == Method::GET {
        let mut reply = unauthorized();
        reply.body = crate::server::Body::Bytes("{\"count\":0,\"value\":[]}".into());
        return Err(Box::new(reply));
    }
    Err(refused(&call.identity.person.id.to_string()))
}

fn refused(user: &str) -> Box<Reply> {
    let message = format!("TF400813: The user '{user}' is not authorized to access this resource.");
    Box::new(ApiError::unauthorized(message).into_reply())
}

pub(crate) fn unauthorized() -> Reply {
    Reply::status(StatusCode::UNAUTHORIZED)
        .header("www-authenticate", format!("Bearer authorization_uri=https://login.microsoftonline.com/{TENANT}"))
        .header("www-authenticate", "Basic realm=\"https://tfsprodcus0.visualstudio.com/\"")
        .header("x-tfs-serviceerror", "TF400813%3A%20The%20user%20%27%27%20is%20not%20authorized%20to%20access%20this%20resource.")
}

pub(crate) fn redirect() -> Reply {
    let target = "https://spsprodcus0.vssps.visualstudio.com/_signin?realm=dev.azure.com&protocol=&redirect=1";
    Reply::bytes("text/html; charset=utf-8", format!("<html><head><title>Object moved</title></head><body><h2>Object moved to <a href=\"{target}\">here</a>.</h2></body></html>"))
        .with_status(StatusCode::FOUND)
        .header("location", target)
}

pub(crate) fn sign_in_page() -> Reply {
    let page = "<!DOCTYPE html>\r\n<html lang=\"en-US\">\r\n<head><title>\r\n\tAzure DevOps Services | Sign In\r\n</title></head>\r\n<body class=\"platform\">\r\n</body>\r\n</html>";
    Reply::bytes("text/html; charset=utf-8", page)
        .with_status(StatusCode::NON_AUTHORITATIVE_INFORMATION)
}
