//! Which operation of the git area a path names.

use axum::http::Method;
use uuid::Uuid;

use super::bare::Bare;
use super::{commits, diffs, items, objects, pushes, recycle_bin, refs, repositories, shape};
use crate::server::{ApiError, Call, Reply};
use crate::world::SharedWorld;

/// A repository that a call names, with what is needed when no lock is held.
pub(super) struct Opened {
    pub id: Uuid,
    pub bare: Bare,
    pub default_branch: Option<String>,
    /// Address of the repository's resource.
    pub url: String,
    pub web: String,
}

pub(crate) async fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let lower = call.lower();
    let path: Vec<&str> = lower.iter().skip(1).map(String::as_str).collect();
    let get = call.method == Method::GET;
    match (&call.method, path.as_slice()) {
        (&Method::GET, ["repositories"]) => repositories::list(world, call),
        (&Method::POST, ["repositories"]) => repositories::post(world, call).await,
        (&Method::GET, ["repositories", _]) => repositories::get(world, call),
        (&Method::PATCH, ["repositories", _]) => repositories::patch(world, call).await,
        (&Method::DELETE, ["repositories", _]) => repositories::delete(world, call),
        (&Method::GET, ["deletedrepositories"] | ["recyclebin", "repositories"]) => {
            recycle_bin::list(world, call)
        }
        (&Method::PATCH, ["recyclebin", "repositories", _]) => recycle_bin::restore(world, call),
        (&Method::DELETE, ["recyclebin", "repositories", _]) => recycle_bin::destroy(world, call),
        (_, ["repositories", _, "refs", ..]) => refs::handle(world, call).await,
        (&Method::GET, ["repositories", _, "forks", _]) => repositories::forks(world, call),
        (_, ["repositories", _, "commits", _, "mergebases"]) if get => {
            diffs::merge_bases(world, call).await
        }
        (_, ["repositories", _, "commits" | "commitsbatch", ..]) => {
            commits::handle(world, call).await
        }
        (&Method::GET, ["repositories", _, "diffs", "commits"]) => diffs::handle(world, call).await,
        (_, ["repositories", _, "items", ..]) if get => items::handle(world, call).await,
        (_, ["repositories", _, "itemsbatch"]) => items::batch(world, call).await,
        (&Method::POST, ["repositories", _, "blobs"]) => objects::blobs(world, call).await,
        (_, ["repositories", _, "annotatedtags"]) => objects::make_tag(world, call).await,
        (_, ["repositories", _, "pushes", ..]) => pushes::handle(world, call).await,
        (
            _,
            [
                "repositories",
                _,
                "blobs" | "trees" | "annotatedtags" | "stats",
                _,
            ],
        ) if get => objects::handle(world, call).await,
        _ => Err(ApiError::no_route(call)),
    }
}

/// The project that the address names; an error if there is none of that name.
pub(super) fn project(world: &SharedWorld, call: &Call) -> Result<Option<Uuid>, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let Some(text) = &call.project else {
        return Ok(None);
    };
    shape::project_id(organization, text)
        .map(Some)
        .ok_or_else(|| ApiError::no_project(text))
}

/// The repository that the third segment names.
pub(super) fn open(world: &SharedWorld, call: &Call) -> Result<Opened, ApiError> {
    let project = project(world, call)?;
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let repository = organization
        .git
        .open(project, call.segments.get(2).map_or("", String::as_str))?;
    let urls = shape::urls(organization, repository, &call.base);
    Ok(Opened {
        id: repository.id,
        bare: repository.bare.clone(),
        default_branch: repository.default_branch.clone(),
        url: urls.api,
        web: urls.web,
    })
}

/// The revision that a version descriptor names; the default branch if it names none.
pub(super) fn revision(
    version: Option<&str>,
    kind: Option<&str>,
    default: Option<&str>,
) -> Option<String> {
    let Some(version) = version else {
        return default.map(str::to_owned);
    };
    Some(match kind.map(str::to_lowercase).as_deref() {
        Some("commit") => format!("{version}^{{commit}}"),
        Some("tag") => format!(
            "refs/tags/{}",
            version.strip_prefix("refs/tags/").unwrap_or(version)
        ),
        _ => format!(
            "refs/heads/{}",
            version.strip_prefix("refs/heads/").unwrap_or(version)
        ),
    })
}
