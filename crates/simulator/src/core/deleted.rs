//! Deleted projects: for 28 days they can come back with all that they had.

use serde_json::json;
use uuid::Uuid;

use super::{Project, Team, operations};
use crate::server::{ApiError, Call, Reply};
use crate::world::Organization;
use crate::{git, wiki, wit};

/// A deleted project and what went with it.
pub(crate) struct Deleted {
    pub(super) project: Project,
    teams: Vec<Team>,
    wit: wit::Taken,
    repositories: Vec<git::Repository>,
    wikis: Vec<wiki::Wiki>,
}

/// `DELETE projects/{id}`.
pub(super) fn delete(
    organization: &mut Organization,
    call: &Call,
    name: &str,
) -> Result<Reply, ApiError> {
    let id = organization.project(name)?.id;
    let at = organization
        .core
        .projects
        .iter()
        .position(|project| project.id == id)
        .ok_or_else(|| ApiError::no_project(name))?;
    let mut project = organization.core.projects.remove(at);
    project.updated = organization.clock.tick();
    let teams = &mut organization.core.teams;
    let deleted = Deleted {
        project,
        teams: teams.extract_if(.., |team| team.project == id).collect(),
        wit: organization.wit.take_project(id),
        repositories: organization.git.take_project(id),
        wikis: organization.wiki.take_project(id),
    };
    organization.core.deleted_projects.push(deleted);
    Ok(operations::begin(organization, &call.base))
}

/// `PATCH projects/{id}` with the state `wellFormed`; `None` if no deleted project has the id.
pub(super) fn restore(
    organization: &mut Organization,
    call: &Call,
    id: &str,
) -> Result<Option<Reply>, ApiError> {
    let bin = &mut organization.core.deleted_projects;
    let wanted = |deleted: &Deleted| Uuid::parse_str(id).is_ok_and(|id| id == deleted.project.id);
    let Some(at) = bin.iter().position(wanted) else {
        return Ok(None);
    };
    if call.value()?["state"] != json!("wellFormed") {
        return Err(ApiError::no_project(id));
    }
    let mut deleted = bin.remove(at);
    deleted.project.updated = organization.clock.tick();
    organization.core.projects.push(deleted.project);
    organization.core.teams.extend(deleted.teams);
    organization.wit.put_back(deleted.wit);
    for repository in deleted.repositories {
        organization.git.insert(repository);
    }
    organization.wiki.put_back(deleted.wikis);
    Ok(Some(operations::begin(organization, &call.base)))
}
