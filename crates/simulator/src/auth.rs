//! Personal access tokens and access tokens of Entra ID, and refusals in the forms that the real service uses.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use uuid::Uuid;

use crate::catalogue::Route;
use crate::core::access::View;
use crate::entra::app::Resource;
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
    /// What the person may not do in the organization.
    pub view: View,
}

/// Who calls a service that knows all organizations.
pub(crate) struct Caller {
    pub person: Arc<Person>,
    /// The tenant of the token; a personal access token has none.
    pub tenant: Option<Uuid>,
    pub application: bool,
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
    let tenant = world
        .organization(organization)
        .map(|known| known.access.tenant.to_string());
    let unauthorized = || unauthorized_in(tenant.as_deref().unwrap_or(TENANT));
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
            let known = world.organization(organization);
            Ok(Identity {
                person: Arc::clone(&pat.person),
                scopes: pat.scopes.clone().into(),
                view: known
                    .map(|known| known.access.view(pat.person.id))
                    .unwrap_or_default(),
            })
        }
        None if token.matches('.').count() == 2 => match bearer(world, organization, &token) {
            Ok(identity) => Ok(identity),
            Err(Some(error)) => Err(Box::new(error.into_reply())),
            Err(None) if git => Err(Box::new(unauthorized())),
            Err(None) => Err(Box::new(sign_in_page())),
        },
        _ if git => Err(Box::new(unauthorized())),
        _ if matches!(*method, Method::GET | Method::POST | Method::HEAD) => {
            Err(Box::new(sign_in_page()))
        }
        _ => Err(refused("")),
    }
}

/// As whom the service treats callers that it does not let in.
const ANONYMOUS: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";

fn not_authorized(user: &str) -> ApiError {
    ApiError::unauthorized(format!(
        "TF400813: The user '{user}' is not authorized to access this resource."
    ))
}

fn not_entered(tenant: Uuid, name: &str) -> ApiError {
    ApiError::unauthorized(format!(
        "TF401444: Please sign-in at least once as {tenant}\\{tenant}\\{name} in a web browser to enable access to the service."
    ))
}

/// Who sent an access token of Entra ID. Without an error the token itself is no good.
fn bearer(world: &World, organization: &str, token: &str) -> Result<Identity, Option<ApiError>> {
    let bearer = world
        .entra
        .accept(token, Resource::AzureDevOps)
        .map_err(|refusal| {
            tracing::debug!(?refusal, "a token is refused");
            None
        })?;
    let organization = world.organization(organization).map_err(Some)?;
    let access = &organization.access;
    if access.fenced {
        return Err(Some(ApiError::new(
            StatusCode::FORBIDDEN,
            "Microsoft.VisualStudio.Services.Common.VssServiceException",
            "VS403463: The conditional access policy defined by your Azure Active Directory administrator has failed.",
        )));
    }
    if bearer.tenant != access.tenant {
        return Err(Some(not_authorized(ANONYMOUS)));
    }
    if !bearer.person {
        let id = bearer.subject.to_string();
        let person = access
            .application(bearer.subject)
            .ok_or_else(|| Some(not_entered(bearer.tenant, &id)))?;
        let view = access.view(person.id);
        let scopes = Arc::from(["app_token".to_owned()]);
        return Ok(Identity {
            person,
            scopes,
            view,
        });
    }
    if access.policies.get("Policy.DisallowOAuthAuthentication") == Some(&true) {
        return Err(Some(not_authorized(ANONYMOUS)));
    }
    let user = world
        .entra
        .tenant(bearer.tenant)
        .and_then(|tenant| tenant.user_by_id(bearer.subject))
        .ok_or_else(|| Some(not_authorized(ANONYMOUS)))?;
    let person = organization
        .people
        .find(user.upn())
        .ok_or_else(|| Some(not_authorized(&bearer.subject.to_string())))?;
    let membership = access.membership(person.id);
    if !membership.member {
        return Err(Some(not_authorized(&person.id.to_string())));
    }
    if !membership.entered {
        return Err(Some(not_entered(bearer.tenant, user.upn())));
    }
    let view = access.view(person.id);
    let scopes: Vec<String> = bearer.permissions.into_iter().collect();
    Ok(Identity {
        person,
        scopes: scopes.into(),
        view,
    })
}

/// Finds who calls a service that is not of one organization.
pub(crate) fn everywhere(world: &World, headers: &HeaderMap) -> Result<Caller, Box<Reply>> {
    let token = token(headers).ok_or_else(|| Box::new(unauthorized()))?;
    if let Some(pat) = world.pats.get(&token) {
        // A token of one organization knows nothing of others.
        if pat.organization != "*" {
            return Err(Box::new(unauthorized()));
        }
        return Ok(Caller {
            person: Arc::clone(&pat.person),
            tenant: None,
            application: false,
        });
    }
    let bearer = world
        .entra
        .accept(&token, Resource::AzureDevOps)
        .map_err(|_| Box::new(sign_in_page()))?;
    let tenant = Some(bearer.tenant);
    if !bearer.person {
        let person = world
            .organizations
            .values()
            .find_map(|organization| organization.access.application(bearer.subject))
            .unwrap_or_else(|| {
                Arc::new(Person::application(
                    "Application",
                    bearer.client,
                    bearer.subject,
                ))
            });
        return Ok(Caller {
            person,
            tenant,
            application: true,
        });
    }
    let person = world
        .entra
        .tenant(bearer.tenant)
        .and_then(|tenant| tenant.user_by_id(bearer.subject))
        .map(|user| {
            world
                .people
                .find(user.upn())
                .unwrap_or_else(|| Arc::new(Person::unknown(user.name(), user.upn(), user.id)))
        });
    match person {
        Some(person) => Ok(Caller {
            person,
            tenant,
            application: false,
        }),
        None => Err(Box::new(sign_in_page())),
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

/// The tenant that organizations are backed by unless another is named for them.
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
                || matches!(
                    resource,
                    "workitemsbatch" | "wiql" | "queriesbatch" | "artifacturiquery"
                );
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
    unauthorized_in(TENANT)
}

fn unauthorized_in(tenant: &str) -> Reply {
    Reply::status(StatusCode::UNAUTHORIZED)
        .header("www-authenticate", format!("Bearer authorization_uri=https://login.microsoftonline.com/{tenant}"))
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
