//! Which operation of the wiki area a path names.

use axum::http::Method;
use uuid::Uuid;

use super::{Wiki, attachments, batch, pages, wikis};
use crate::git::bare::Bare;
use crate::git::{project_id, repository_not_found};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

/// A wiki that a call names, with what is needed when no lock is held.
pub(super) struct Opened {
    pub wiki: Wiki,
    pub bare: Bare,
    /// Full ref name of the version that the call asks for.
    pub branch: String,
}

pub(crate) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = project(world, call)?;
    let lower = call.lower();
    let path: Vec<&str> = lower.iter().skip(1).map(String::as_str).collect();
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["wikis"]) => wikis::list(world, call, project),
        (&Method::POST, ["wikis"]) => wikis::post(world, call, project),
        (&Method::GET, ["wikis", _]) => wikis::get(world, call, project),
        (&Method::PATCH, ["wikis", _]) => wikis::patch(world, call, project),
        (&Method::DELETE, ["wikis", _]) => wikis::delete(world, call, project),
        (&Method::PUT, ["wikis", _, "attachments", ..]) => {
            attachments::put(world, call, &open(world, call, project)?).await
        }
        (&Method::POST, ["wikis", _, "pagesbatch"]) => {
            batch::pages(world, call, &open(world, call, project)?).await
        }
        (&Method::POST, ["wikis", _, "pagemoves"]) => {
            pages::relocate(world, call, &open(world, call, project)?).await
        }
        (&Method::GET, ["wikis", _, "pages", _, "stats"]) => {
            batch::stats(world, call, &open(world, call, project)?).await
        }
        (_, ["wikis", _, "pages", ..]) => {
            pages::handle(world, call, &open(world, call, project)?).await
        }
        _ => Err(ApiError::no_route(call)),
    }
}

fn project(world: &SharedWorld, call: &Call) -> Result<Option<Uuid>, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let Some(text) = &call.project else {
        return Ok(None);
    };
    project_id(organization, text)
        .map(Some)
        .ok_or_else(|| ApiError::no_project(text))
}

fn open(world: &SharedWorld, call: &Call, project: Option<Uuid>) -> Result<Opened, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let wiki = wikis::find(organization, project, &call.segments[2])?.clone();
    let missing = || repository_not_found(&wiki.repository.to_string());
    let repository = organization
        .git
        .get(wiki.repository)
        .filter(|repository| !repository.disabled)
        .ok_or_else(missing)?;
    let version = call
        .query
        .get("versionDescriptor.version")
        .or_else(|| call.query.get("version"));
    let branch = version.map_or_else(|| wiki.branch(), |version| format!("refs/heads/{version}"));
    Ok(Opened {
        bare: repository.bare.clone(),
        wiki,
        branch,
    })
}
