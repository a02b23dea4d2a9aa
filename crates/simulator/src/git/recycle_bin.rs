//! Deleted repositories.

use serde_json::{Value, json};
use uuid::Uuid;

use super::errors::{argument, name_taken, repository_not_found};
use super::state::Repository;
use super::{repositories, rest, shape};
use crate::core::access;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, SharedWorld};

pub(super) fn list(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = rest::project(world, call)?;
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let inside = |repository: &&Repository| {
        project.is_none_or(|project| repository.project == project)
            && access::reads_repository(repository.project, repository.id)
    };
    let bin = organization
        .git
        .all()
        .filter(inside)
        .filter_map(|repository| show(organization, repository, &call.base));
    Ok(Reply::list(bin.collect()))
}

/// `GitDeletedRepository`; nothing for a live one.
fn show(organization: &Organization, repository: &Repository, base: &str) -> Option<Value> {
    let (deleted, by) = repository.deleted.as_ref()?;
    Some(json!({
        "id": repository.id,
        "name": repository.name,
        "project": shape::project(organization, repository.project, base),
        "deletedBy": by.reference(base),
        "createdDate": shape::date(repository.created),
        "deletedDate": shape::date(*deleted),
    }))
}

fn named(
    organization: &Organization,
    project: Option<Uuid>,
    call: &Call,
) -> Result<Uuid, ApiError> {
    let text = call.segments.get(3).map_or("", String::as_str);
    let id = Uuid::parse_str(text).map_err(|_| repository_not_found(text))?;
    organization
        .git
        .get(id)
        .filter(|repository| {
            repository.deleted.is_some()
                && project.is_none_or(|project| repository.project == project)
        })
        .map(|repository| repository.id)
        .ok_or_else(|| repository_not_found(text))
}

pub(super) fn restore(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = rest::project(world, call)?;
    if call.value()?["deleted"] != json!(false) {
        return Err(argument(
            "Only {\"deleted\":false} can be set on a deleted repository.",
        ));
    }
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let id = named(organization, project, call)?;
    let taken = organization.git.get(id).and_then(|repository| {
        organization
            .git
            .find(Some(repository.project), &repository.name)
            .map(|other| other.name.clone())
    });
    if let Some(name) = taken {
        return Err(name_taken(&name));
    }
    organization.clock.tick();
    if let Some(repository) = organization.git.get_mut(id) {
        repository.deleted = None;
    }
    let repository = organization
        .git
        .get(id)
        .ok_or_else(|| repository_not_found(&id.to_string()))?;
    Ok(Reply::json(shape::repository(
        organization,
        repository,
        &call.base,
    )))
}

pub(super) fn destroy(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = rest::project(world, call)?;
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let id = named(organization, project, call)?;
    repositories::destroy(organization, id)?;
    Ok(Reply::no_content())
}
