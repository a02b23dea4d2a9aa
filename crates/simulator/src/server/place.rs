//! What the address of a request says.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use percent_encoding::percent_decode_str;

use super::route::{App, BODY_LIMIT, Refusal};
use super::{ApiError, ApiVersion, Call, GitRequest, GitVariant, HostKind, Query, Reply};
use crate::{auth, catalogue, ledger};

pub(super) struct Place {
    pub host: HostKind,
    pub organization: String,
    base: String,
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
            .unwrap_or("127.0.0.1")
            .to_owned();
        let path = request.uri().path().to_owned();
        let mut segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let name = host
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let (kind, organization, base) = if let Some(rest) = name.strip_suffix(".visualstudio.com")
        {
            let (organization, service) = rest.split_once('.').unwrap_or((rest, ""));
            if segments
                .first()
                .is_some_and(|segment| segment.eq_ignore_ascii_case("DefaultCollection"))
            {
                segments.remove(0);
            }
            (
                host_kind(service),
                organization.to_owned(),
                format!("https://{organization}.visualstudio.com"),
            )
        } else {
            let organization = if segments.is_empty() {
                String::new()
            } else {
                segments.remove(0)
            };
            let service = name
                .strip_suffix("dev.azure.com")
                .map(|service| service.trim_end_matches('.'));
            let encoded = crate::wit::types::encode(&organization);
            match service {
                Some(service) => (
                    host_kind(service),
                    organization,
                    format!("https://dev.azure.com/{encoded}"),
                ),
                None => (
                    HostKind::Any,
                    organization,
                    format!("http://{host}/{encoded}"),
                ),
            }
        };
        Self {
            host: kind,
            organization,
            base,
            path,
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
        Ok(Call {
            method: parts.method,
            host: self.host,
            organization: self.organization,
            project: (at > 0).then(|| self.segments[0].clone()),
            segments: self.segments[at + 1..].to_vec(),
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
