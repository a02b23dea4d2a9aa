//! Git repositories: REST, smart HTTP, LFS.

mod backend;
pub(crate) mod bare;
mod commits;
mod diffs;
mod dump;
mod errors;
mod history;
mod items;
mod lfs;
mod objects;
mod pkt;
mod present;
mod pushes;
mod recycle_bin;
mod refs;
mod repositories;
mod rest;
mod shape;
mod smart;
mod state;
pub(crate) mod tree;

pub(crate) use dump::{counts, dump};
pub(crate) use errors::repository_not_found;
pub(crate) use history::{Change, Commit};
pub(crate) use lfs::store as store_lfs;
pub(crate) use pushes::write;
pub(crate) use repositories::{Creation, arrange, create, destroy, discard, fork_content};
pub(crate) use rest::handle;
pub(crate) use shape::{encode, project_id};
pub(crate) use smart::smart_http;
pub(crate) use state::{Repository, State, record};

use crate::server::ApiError;
use crate::world::SharedWorld;
use uuid::Uuid;

/// Makes the repository that a new project starts with. The project exists already.
pub(crate) fn project_created(
    world: &SharedWorld,
    organization: &str,
    project: Uuid,
) -> Result<(), ApiError> {
    let folder = world.data().to_owned();
    let mut guard = world.write();
    let organization = guard.organization_mut(organization)?;
    let name = shape::project_name(organization, project);
    create(organization, &folder, &Creation::new(project, &name)).map(drop)
}
