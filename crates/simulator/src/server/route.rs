//! Host header and path to organization, project, team and area.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::{ApiError, ApiVersion, Call, GitRequest, GitVariant, HostKind, Query, Reply};
use crate::world::SharedWorld;
use crate::{auth, catalogue, core, git, wiki, wit};

/// The largest body that is read into memory; packs stream and have no limit.
const BODY_LIMIT: usize = 512 << 20;

#[derive(Clone)]
pub(crate) struct App {
    pub world: SharedWorld,
}

impl App {
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(answer).with_state(self)
    }
}

async fn answer(State(app): State<App>, request: Request) -> Response {
    respond(&app, request).await.into_response()
}

async fn respond(app: &App, request: Request) -> Reply {
    let place = Place::of(&request);
    match dispatch(app, place, request).await {
        Ok(reply) | Err(Refusal::Reply(reply)) => reply,
        Err(Refusal::Error(error)) => error.into_reply(),
    }
}

/// Why a request is not answered by its area.
enum Refusal {
    Reply(Reply),
    Error(ApiError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<Reply> for Refusal {
    fn from(reply: Reply) -> Self {
        Self::Reply(reply)
    }
}

async fn dispatch(app: &App, place: Place, request: Request) -> Result<Reply, Refusal> {
    app.world.read().organization(&place.organization)?;
    if let Some(at) = place.segments.iter().position(|segment| segment.eq_ignore_ascii_case("_git")) {
        let git = place.git(app, at, request)?;
        return Ok(git::smart_http(&app.world, git).await?);
    }
    let call = place.call(app, request).await?;
    Ok(area(app, &call).await?)
}

async fn area(app: &App, call: &Call) -> Result<Reply, ApiError> {
    if call.method == Method::OPTIONS {
        return Ok(catalogue::options(call));
    }
    match call.segments.first().map(|segment| segment.to_lowercase()).as_deref() {
        Some("git") => git::handle(&app.world, call).await,
        Some("wiki") => wiki::handle(&app.world, call).await,
        Some("wit") => wit::handle(&app.world, call).await,
        Some("resourceareas") => catalogue::resource_areas(call),
        _ => core::handle(&app.world, call).await,
    }
}

/// What the address of a request says.
struct Place {
    host: HostKind,
    organization: String,
    base: String,
    path: String,
    /// After the organization, percent-decoded.
    segments: Vec<String>,
}

impl Place {
    fn of(request: &Request) -> Self {
        let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("127.0.0.1").to_owned();
        let path = request.uri().path().to_owned();
        let mut segments: Vec<String> = path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let name = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let (kind, organization, base) = if let Some(rest) = name.strip_suffix(".visualstudio.com") {
            let (organization, service) = rest.split_once('.').unwrap_or((rest, ""));
            if segments.first().is_some_and(|segment| segment.eq_ignore_ascii_case("DefaultCollection")) {
                segments.remove(0);
            }
            (host_kind(service), organization.to_owned(), format!("https://{organization}.visualstudio.com"))
        } else {
            let organization = if segments.is_empty() { String::new() } else { segments.remove(0) };
            let service = name.strip_suffix("dev.azure.com").map(|service| service.trim_end_matches('.'));
            match service {
                Some(service) => (host_kind(service), organization.clone(), format!("https://dev.azure.com/{organization}")),
                None => (HostKind::Any, organization.clone(), format!("http://{host}/{organization}")),
            }
        };
        Self { host: kind, organization, base, path, segments }
    }

    fn identity(&self, app: &App, request: &Request, git: bool) -> Result<auth::Identity, Reply> {
        auth::identify(&app.world.read(), &self.organization, request.headers(), request.method(), git)
    }

    fn git(self, app: &App, at: usize, request: Request) -> Result<GitRequest, Refusal> {
        let identity = self.identity(app, &request, true)?;
        let mut rest = self.segments[at + 1..].to_vec();
        let variant = match rest.first().map(|segment| segment.to_ascii_lowercase()).as_deref() {
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
        Ok(GitRequest {
            organization: self.organization,
            project: at.checked_sub(1).map(|_| self.segments[0].clone()),
            repository,
            variant,
            rest,
            query: Query::parse(request.uri().query().unwrap_or_default()),
            identity,
            base: self.base,
            request,
        })
    }

    async fn call(self, app: &App, request: Request) -> Result<Call, Refusal> {
        let Some(at) = self.segments.iter().position(|segment| segment.eq_ignore_ascii_case("_apis")) else {
            return Err(ApiError::no_route_path(&self.path).into());
        };
        let identity = self.identity(app, &request, false)?;
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, BODY_LIMIT)
            .await
            .map_err(|error| ApiError::text(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let version = match query.get("api-version").or_else(|| accept_version(accept)) {
            None => None,
            Some(text) => Some(ApiVersion::parse(text).ok_or_else(|| catalogue::bad_version(text))?),
        };
        Ok(Call {
            method: parts.method,
            host: self.host,
            organization: self.organization,
            project: (at > 0).then(|| self.segments[0].clone()),
            team: (at > 1).then(|| self.segments[1].clone()),
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
        name.trim().eq_ignore_ascii_case("api-version").then(|| value.trim())
    })
}
