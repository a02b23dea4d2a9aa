//! What the address of a request says.

use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use percent_encoding::percent_decode_str;

use super::route::{App, BODY_LIMIT, Refusal};
use super::{ApiError, ApiVersion, Call, GitRequest, GitVariant, HostKind, Query, Reply};
use crate::{auth, catalogue, ledger};

pub(super) struct Place {
    pub host: HostKind,
    pub organization: String,
    base: String,
    /// As sent, from after the organization on.
    pub path: String,
    /// After the organization, percent-decoded.
    pub segments: Vec<String>,
}

impl Place {
    pub(super) fn of(request: &Request) -> Self {
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("127.0.0.1");
        let path = request.uri().path();
        let segments = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let name = host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match name.strip_suffix(".visualstudio.com") {
            Some(owner) => Self::in_host(owner, path, segments),
            None => Self::in_path(host, &name, path, segments),
        }
    }

    /// `{organization}[.{service}].visualstudio.com`.
    fn in_host(owner: &str, path: &str, mut segments: Vec<String>) -> Self {
        let (organization, service) = owner.split_once('.').unwrap_or((owner, ""));
        if segments
            .first()
            .is_some_and(|segment| segment.eq_ignore_ascii_case("DefaultCollection"))
        {
            segments.remove(0);
        }
        Self {
            host: host_kind(service),
            organization: organization.to_owned(),
            base: format!("https://{organization}.visualstudio.com"),
            path: path.to_owned(),
            segments,
        }
    }

    /// The organization is the first segment; `name` is the host without its port.
    fn in_path(host: &str, name: &str, path: &str, mut segments: Vec<String>) -> Self {
        let organization = if segments.is_empty() {
            String::new()
        } else {
            segments.remove(0)
        };
        let encoded = crate::wit::types::encode(&organization);
        let (kind, base) = match name.strip_suffix("dev.azure.com") {
            Some(service) => (
                host_kind(service.trim_end_matches('.')),
                format!("https://dev.azure.com/{encoded}"),
            ),
            None => (HostKind::Any, format!("http://{host}/{encoded}")),
        };
        let below = path.trim_start_matches('/').split_once('/');
        Self {
            host: kind,
            organization,
            base,
            path: below.map_or_else(|| "/".to_owned(), |(_, below)| format!("/{below}")),
            segments,
        }
    }

    /// Kind and template for the ledger.
    pub(super) fn describe(&self) -> (&'static str, String) {
        if let Some(at) = self.position("_git") {
            let rest: Vec<&str> = self.segments[at + 1..]
                .iter()
                .map(String::as_str)
                .filter(|segment| {
                    !segment.starts_with("_full") && !segment.starts_with("_optimized")
                })
                .collect();
            let lfs = rest.contains(&"lfs");
            let kind = match rest.first() {
                _ if lfs => "lfs-object",
                Some(name) if name.to_lowercase().ends_with(".wiki") => "wiki",
                _ => "git-repository",
            };
            let tail = if lfs {
                "info/lfs".to_owned()
            } else {
                rest.get(1..).unwrap_or_default().join("/")
            };
            return (kind, format!("_git/{{repository}}/{tail}"));
        }
        let Some(at) = self.position("_apis") else {
            return ("other", self.segments.join("/"));
        };
        let rest = &self.segments[at + 1..];
        match catalogue::find(rest).first() {
            Some(route) => (ledger::kind(route.area, route.resource), route.name()),
            None => ("other", rest.join("/")),
        }
    }

    pub(super) fn position(&self, name: &str) -> Option<usize> {
        self.segments
            .iter()
            .position(|segment| segment.eq_ignore_ascii_case(name))
    }

    fn identity(
        &self,
        app: &App,
        request: &Request,
        git: bool,
    ) -> Result<auth::Identity, Box<Reply>> {
        auth::identify(
            &app.world.read(),
            &self.organization,
            request.headers(),
            request.method(),
            git,
        )
    }

    pub(super) fn git(self, app: &App, at: usize, request: Request) -> Result<GitRequest, Refusal> {
        let identity = self.identity(app, &request, true)?;
        let mut rest = self.segments[at + 1..].to_vec();
        let variant = match rest
            .first()
            .map(|segment| segment.to_ascii_lowercase())
            .as_deref()
        {
            Some("_full") => GitVariant::Full,
            Some("_optimized") => GitVariant::Optimized,
            _ => GitVariant::Plain,
        };
        if variant != GitVariant::Plain {
            rest.remove(0);
        }
        if rest.is_empty() {
            return Err(ApiError::no_route_path(&self.path).into());
        }
        let repository = rest.remove(0);
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let writes = rest.iter().any(|segment| segment == "git-receive-pack")
            || query.get("service") == Some("git-receive-pack");
        if !identity.has(if writes { "vso.code_write" } else { "vso.code" }) {
            let permission = if writes {
                "GenericContribute"
            } else {
                "GenericRead"
            };
            let message = format!(
                "TF401027: You need the Git '{permission}' permission to perform this action. Details: identity '{}', scope 'repository'.",
                identity.person.id
            );
            return Err(ApiError::new(
                StatusCode::FORBIDDEN,
                "Microsoft.TeamFoundation.Git.Server.GitNeedsPermissionException",
                message,
            )
            .into());
        }
        Ok(GitRequest {
            organization: self.organization,
            project: at.checked_sub(1).map(|_| self.segments[0].clone()),
            repository,
            variant,
            rest,
            query,
            identity,
            base: self.base,
            request,
        })
    }

    pub(super) async fn call(self, app: &App, request: Request) -> Result<Call, Refusal> {
        let at = self
            .position("_apis")
            .ok_or_else(|| ApiError::no_route_path(&self.path))?;
        let identity = self.identity(app, &request, false)?;
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|error| ApiError::text(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let accept = parts
            .headers
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let version = match query.get("api-version").or_else(|| accept_version(accept)) {
            None => None,
            Some(text) => {
                Some(ApiVersion::parse(text).ok_or_else(|| catalogue::bad_version(text))?)
            }
        };
        let mut segments = self.segments[at + 1..].to_vec();
        let project = (at > 0).then(|| self.segments[0].clone());
        Ok(Call {
            method: overridden(&parts),
            host: self.host,
            organization: self.organization,
            project: project.or_else(|| project_inside(&mut segments)),
            team: (at > 1).then(|| self.segments[1].clone()),
            segments,
            query,
            headers: parts.headers,
            body,
            identity,
            base: self.base,
            path: self.path,
            version,
        })
    }
}

/// Behind proxies that know `GET` and `POST` alone, a header says what is meant.
fn overridden(parts: &Parts) -> Method {
    let meant = parts
        .headers
        .get("x-http-method-override")
        .filter(|_| parts.method == Method::POST)
        .and_then(|meant| Method::from_bytes(meant.as_bytes()).ok());
    meant.unwrap_or_else(|| parts.method.clone())
}

/// The project in `_apis/git/{project}/repositories/…`, taken out of it.
fn project_inside(segments: &mut Vec<String>) -> Option<String> {
    let is = |at: usize, name: &str| {
        let segment = segments.get(at);
        segment.is_some_and(|segment| segment.eq_ignore_ascii_case(name))
    };
    (is(0, "git") && is(2, "repositories")).then(|| segments.remove(1))
}

fn host_kind(service: &str) -> HostKind {
    match service {
        "" => HostKind::Dev,
        "vssps" => HostKind::Sps,
        "vsaex" => HostKind::Aex,
        _ => HostKind::Other,
    }
}

/// The version in `application/json;api-version=7.1`.
fn accept_version(accept: &str) -> Option<&str> {
    accept.split([';', ',']).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("api-version")
            .then(|| value.trim())
    })
}
