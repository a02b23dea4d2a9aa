//! `/_git/{repository}/…`: smart HTTP as dev.azure.com presents it, and the way to LFS.

use std::io::Read as _;

use axum::body::Body as HttpBody;
use axum::http::{Method, StatusCode, header};
use uuid::Uuid;

use super::backend::{self, Answer};
use super::bare::Bare;
use super::errors::not_found_message;
use super::present::{self, Service};
use super::state::record;
use super::{lfs, shape};
use crate::server::{ApiError, Body, GitRequest, GitVariant, Reply};
use crate::world::SharedWorld;

/// The largest fetch request; a few thousand haves are a megabyte.
const REQUEST_LIMIT: usize = 64 << 20;

/// A repository that the request may use.
pub(super) struct Target {
    pub organization: String,
    pub id: Uuid,
    pub bare: Bare,
}

/// Answers smart HTTP and LFS below `/_git/{repository}`; the body of the request is not read yet, scopes are checked.
pub(crate) async fn smart_http(
    world: &SharedWorld,
    request: GitRequest,
) -> Result<Reply, ApiError> {
    let path = request.rest.join("/").to_ascii_lowercase();
    let post = request.request.method() == Method::POST;
    if let Some(rest) = path.strip_prefix("info/lfs/") {
        let target = target(world, &request)?;
        return lfs::handle(world, target, rest, request).await;
    }
    match path.as_str() {
        "info/refs" => advertise(world, request).await,
        "git-upload-pack" if post => upload(world, request).await,
        "git-receive-pack" if post => receive(world, request).await,
        _ => Err(ApiError::no_route_path(request.request.uri().path())),
    }
}

fn target(world: &SharedWorld, request: &GitRequest) -> Result<Target, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&request.organization)?;
    // Without a project in the address, the project has the name of the repository.
    let name = request.project.as_deref().unwrap_or(&request.repository);
    let missing = || {
        ApiError::text(
            StatusCode::NOT_FOUND,
            not_found_message(&request.repository),
        )
    };
    let project = shape::project_id(organization, name);
    if project.is_none() && request.project.is_some() {
        return Err(missing());
    }
    let found = organization
        .git
        .open(project, &request.repository)
        .map_err(|_| missing())?;
    Ok(Target {
        organization: request.organization.clone(),
        id: found.id,
        bare: found.bare.clone(),
    })
}

async fn advertise(world: &SharedWorld, request: GitRequest) -> Result<Reply, ApiError> {
    let Some(service) = request.query.get("service").and_then(Service::parse) else {
        return Err(ApiError::text(
            StatusCode::BAD_REQUEST,
            "TF401038: Only the smart HTTP protocol is supported.",
        ));
    };
    let target = target(world, &request)?;
    let (answer, bytes) = backend::advertise(&target.bare, service).await?;
    let shown = {
        let guard = world.read();
        let organization = guard.organization(&target.organization)?;
        let limited = organization.git.get(target.id).filter(|repository| {
            request.variant == GitVariant::Optimized
                || (request.variant == GitVariant::Plain && repository.limited_refs)
        });
        let view = |name: &str| {
            limited.is_none_or(|repository| repository.is_in_view(name, &request.identity.person))
        };
        present::advertisement(service, &bytes, &view)
    };
    Ok(reply(&answer, Body::Bytes(shown.into())))
}

fn reply(answer: &Answer, body: Body) -> Reply {
    let mut reply = Reply::bytes(&answer.content_type, "").with_status(answer.status);
    reply.body = body;
    reply
        .header("cache-control", "no-cache, max-age=0, must-revalidate")
        .header("pragma", "no-cache")
}

async fn upload(world: &SharedWorld, request: GitRequest) -> Result<Reply, ApiError> {
    let target = target(world, &request)?;
    let gzip = is_gzip(&request);
    let body = axum::body::to_bytes(request.request.into_body(), REQUEST_LIMIT)
        .await
        .map_err(|error| ApiError::text(StatusCode::BAD_REQUEST, error.to_string()))?;
    let body = if gzip { inflate(&body)? } else { body.to_vec() };
    let Ok(body) = present::upload_request(&body) else {
        return Err(ApiError::text(
            StatusCode::BAD_REQUEST,
            "TF401041: The request sent by the client was invalid. (Clients must support multi-ack.)",
        ));
    };
    let (answer, pack) = backend::upload_pack(&target.bare, body).await?;
    Ok(reply(&answer, Body::Stream(pack)))
}

fn is_gzip(request: &GitRequest) -> bool {
    let encoding = request.request.headers().get(header::CONTENT_ENCODING);
    encoding.is_some_and(|value| matches!(value.as_bytes(), b"gzip" | b"x-gzip"))
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(body)
        .take(REQUEST_LIMIT as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            ApiError::text(
                StatusCode::BAD_REQUEST,
                format!("the request body is not gzip: {error}"),
            )
        })?;
    Ok(bytes)
}

async fn receive(world: &SharedWorld, request: GitRequest) -> Result<Reply, ApiError> {
    let target = target(world, &request)?;
    let gate = {
        let guard = world.read();
        let organization = guard.organization(&target.organization)?;
        organization.git.gate(target.id)?
    };
    let _held = gate.lock_owned().await;
    let before = target.bare.tips().await?;
    let encoding = is_gzip(&request).then_some("gzip");
    let body: HttpBody = request.request.into_body();
    let result = backend::receive_pack(&target.bare, encoding, body).await;
    record(
        world,
        &target.organization,
        target.id,
        &before,
        &request.identity.person,
    )
    .await?;
    let (answer, report) = result?;
    Ok(reply(
        &answer,
        Body::Bytes(present::push_report(&report).into()),
    ))
}
