//! From a request to the area that answers it.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use super::elsewhere::{Elsewhere, Service};
use super::metered;
use super::place::Place;
use super::{ApiError, Call, Query, Reply};
use crate::core::access::as_caller;
use crate::faults::Faults;
use crate::ledger::{self, Ledger};
use crate::world::SharedWorld;
use crate::{auth, catalogue, core, git, inspect, wiki, wit};

#[derive(Clone)]
pub(crate) struct App {
    pub world: SharedWorld,
    pub ledger: Ledger,
    pub faults: Faults,
}

impl App {
    pub(crate) fn new(world: SharedWorld) -> Self {
        Self {
            world,
            ledger: Ledger::default(),
            faults: Faults::default(),
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new().fallback(dated).with_state(self)
    }
}

/// The largest body that is read into memory; packs stream and have no limit.
pub(super) const BODY_LIMIT: usize = 512 << 20;

/// As every origin server with a clock: `Date`, RFC 9110, 6.6.1.
async fn dated(State(app): State<App>, request: Request) -> Response {
    let mut response = answer(&app, request).await;
    if let Some(date) = date(app.world.read().entra.now()) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

fn date(seconds: i64) -> Option<HeaderValue> {
    let now = jiff::Timestamp::from_second(seconds).ok()?;
    let text = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).ok()
}

async fn answer(app: &App, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/__") {
        return metered::plain(control(app, request).await);
    }
    let whole = request
        .uri()
        .path_and_query()
        .map_or(path, |whole| whole.as_str())
        .to_owned();
    let method = request.method().clone();
    let sent = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(0);
    let target = match Elsewhere::of(&request) {
        Some(elsewhere) => Target::Elsewhere(elsewhere),
        None => Target::Organization(Place::of(&request)),
    };
    let (kind, template) = target.describe();
    let organization = target.owner(app);
    let fault = app.faults.strike(method.as_str(), &whole);
    let mut reply = match fault.as_ref().and_then(|rule| target.instead(rule)) {
        Some(reply) => reply,
        None => match target {
            Target::Elsewhere(elsewhere) => elsewhere.answer(app, request).await,
            Target::Organization(place) => dispatch(app, place, request)
                .await
                .unwrap_or_else(Refusal::into_reply),
        },
    };
    if let Some(rule) = &fault {
        reply = rule.change(reply).await;
    }
    let entry = ledger::Entry {
        number: 0,
        method: method.to_string(),
        organization,
        path: whole,
        template,
        kind,
        status: reply.status.as_u16(),
        request_bytes: sent,
        response_bytes: 0,
        fault: fault.and_then(|rule| {
            serde_json::to_value(rule.fault)
                .ok()?
                .as_str()
                .map(str::to_owned)
        }),
    };
    let line = app.ledger.record(entry);
    metered::response(reply, line, method == Method::HEAD)
}

/// Who answers a request.
enum Target {
    Organization(Place),
    Elsewhere(Elsewhere),
}

impl Target {
    /// Kind and template for the ledger.
    fn describe(&self) -> (&'static str, String) {
        match self {
            Self::Organization(place) => place.describe(),
            Self::Elsewhere(elsewhere) => elsewhere.describe(),
        }
    }

    /// The organization, or the id of the tenant.
    fn owner(&self, app: &App) -> String {
        match self {
            Self::Organization(place) => place.organization.to_lowercase(),
            Self::Elsewhere(elsewhere) => app
                .world
                .read()
                .entra
                .tenant_named(&elsewhere.tenant)
                .map_or_else(String::new, |tenant| tenant.id.to_string()),
        }
    }

    /// The answer of a fault, in the form of the service that has it.
    fn instead(&self, rule: &crate::faults::Rule) -> Option<Reply> {
        match self {
            Self::Elsewhere(elsewhere) if elsewhere.service == Service::Graph => {
                crate::graph::fault(rule)
            }
            _ => rule.instead(),
        }
    }
}

async fn control(app: &App, request: Request) -> Reply {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let body = match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => body,
        Err(error) => return ApiError::bad_body(error).into_reply(),
    };
    inspect::answer(app, &parts.method, parts.uri.path(), &query, &body)
        .await
        .unwrap_or_else(ApiError::into_reply)
}

/// Why a request is not answered by its area.
pub(super) enum Refusal {
    Reply(Box<Reply>),
    Error(ApiError),
}

impl Refusal {
    fn into_reply(self) -> Reply {
        match self {
            Self::Reply(reply) => *reply,
            Self::Error(error) => error.into_reply(),
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Error(error)
    }
}

impl From<Box<Reply>> for Refusal {
    fn from(reply: Box<Reply>) -> Self {
        Self::Reply(reply)
    }
}

async fn dispatch(app: &App, place: Place, request: Request) -> Result<Reply, Refusal> {
    if *request.method() == Method::OPTIONS && place.organization.eq_ignore_ascii_case("_apis") {
        // The addresses of resource areas end with a slash, which makes some clients drop the organization.
        return Ok(catalogue::options(
            place.host,
            place.segments.first().map(String::as_str),
        ));
    }
    let (tenant, activity) = {
        let world = app.world.read();
        let organization = world.organization(&place.organization)?;
        let turn = organization.core.take_turn();
        let activity = Uuid::new_v5(&organization.id, &turn.to_be_bytes());
        (organization.access.tenant, activity)
    };
    if place.segments.is_empty() {
        // Where clients look for the tenant of an organization.
        return Ok(ApiError::no_route_path(&place.path)
            .into_reply()
            .header("x-vss-resourcetenant", tenant.to_string()));
    }
    if let Some(at) = place
        .segments
        .iter()
        .position(|segment| segment.eq_ignore_ascii_case("_git"))
    {
        let git = place.git(app, at, request)?;
        let view = git.identity.view.clone();
        return Ok(as_caller(view, git::smart_http(&app.world, git)).await?);
    }
    let session = session(&request).unwrap_or(activity);
    let reply = rest(app, place, request)
        .await
        .unwrap_or_else(Refusal::into_reply);
    Ok(reply
        .header("activityid", activity.to_string())
        .header("x-vss-e2eid", activity.to_string())
        .header("x-tfs-session", session.to_string())
        .header("x-tfs-processid", "e660e7cb-b043-4a5e-b0d7-12df32c018af")
        .header(
            "x-vss-senderdeploymentid",
            "ed30ce5c-9d0a-f73c-3580-4315c7f84d83",
        ))
}

/// The session that the client says its requests belong to.
fn session(request: &Request) -> Option<Uuid> {
    let sent = request.headers().get("x-tfs-session")?.to_str().ok()?;
    // Some clients add words of their own after the id.
    Uuid::parse_str(sent.split(',').next()?.trim()).ok()
}

async fn rest(app: &App, place: Place, request: Request) -> Result<Reply, Refusal> {
    let call = place.call(app, request).await?;
    let answered = as_caller(call.identity.view.clone(), area(app, &call)).await;
    Ok(finish(&call, answered.unwrap_or_else(Refusal::into_reply)))
}

async fn area(app: &App, call: &Call) -> Result<Reply, Refusal> {
    if call.method == Method::OPTIONS {
        return Ok(catalogue::options(
            call.host,
            call.segments.first().map(String::as_str),
        ));
    }
    let routes = catalogue::find(&call.segments);
    if let Some(scope) = routes
        .first()
        .and_then(|route| auth::scope(route, &call.method))
    {
        auth::check_scope(call, scope)?;
    }
    if !routes.is_empty() {
        catalogue::check_version(call, &routes)?;
    }
    let reply = match call
        .segments
        .first()
        .map(|segment| segment.to_lowercase())
        .as_deref()
    {
        Some("git") => git::handle(&app.world, call).await,
        Some("wiki") => wiki::handle(&app.world, call).await,
        Some("wit") => wit::handle(&app.world, call),
        Some("resourceareas") => call
            .only_read()
            .and_then(|()| catalogue::resource_areas(call)),
        _ => core::handle(&app.world, call),
    };
    Ok(reply?)
}

/// Headers that answers to a known caller carry.
fn finish(call: &Call, mut reply: Reply) -> Reply {
    if reply.status == StatusCode::UNAUTHORIZED {
        return reply;
    }
    reply = reply.header(
        "x-vss-userdata",
        format!(
            "{}:{}",
            call.identity.person.id, call.identity.person.unique_name
        ),
    );
    // Where no route leads, nothing knows what may be cached.
    if !reply.headers.contains_key("x-tfs-serviceerror") {
        reply = reply
            .header("cache-control", "no-cache")
            .header("pragma", "no-cache")
            .header("expires", "-1");
    }
    if let Some(version) = &call.version
        && reply.status.is_success()
        && reply.status != StatusCode::NO_CONTENT
        && let Some(kind) = reply
            .headers
            .get(header::CONTENT_TYPE)
            .filter(|kind| kind.as_bytes().starts_with(b"application/json;"))
        && let Ok(kind) = kind.to_str().map(str::to_owned)
        && let Ok(value) = HeaderValue::from_str(&format!("{kind}; api-version={version}"))
    {
        reply.headers.insert(header::CONTENT_TYPE, value);
    }
    reply
}
