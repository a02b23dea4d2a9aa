//! Repositories: list, read, create, fork, change, delete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bare::Bare;
use super::errors::{argument, bad_name, name_taken, repository_not_found};
use super::state::{Repository, record};
use super::{lfs, rest, shape};
use crate::inspect::Sent;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person, SharedWorld};

/// A repository to be made.
pub(crate) struct Creation<'a> {
    pub project: Uuid,
    pub name: &'a str,
    pub hidden: bool,
    pub parent: Option<Uuid>,
}

impl<'a> Creation<'a> {
    pub(crate) fn new(project: Uuid, name: &'a str) -> Self {
        Self {
            project,
            name,
            hidden: false,
            parent: None,
        }
    }
}

/// Makes an empty repository; `data` is the folder of the world.
pub(crate) fn create(
    organization: &mut Organization,
    data: &Path,
    creation: &Creation<'_>,
) -> Result<Uuid, ApiError> {
    let name = creation.name;
    check_name(organization, creation.project, name, None)?;
    let id = organization.ids.guid();
    let created = organization.clock.tick();
    let path = data
        .join(organization.name.to_lowercase())
        .join("git")
        .join(format!("{id}.git"));
    let bare = Bare::create(
        path,
        if creation.hidden {
            "wikiMaster"
        } else {
            "main"
        },
    )?;
    organization.git.insert(Repository {
        id,
        project: creation.project,
        name: name.to_owned(),
        default_branch: None,
        disabled: false,
        in_maintenance: false,
        limited_refs: false,
        hidden: creation.hidden,
        parent: creation.parent,
        created,
        deleted: None,
        size: 0,
        bare,
        lfs: BTreeMap::new(),
        pushes: Vec::new(),
        creators: BTreeMap::new(),
        locks: BTreeMap::new(),
        gate: Arc::default(),
    });
    Ok(id)
}

/// Whether a repository may get the name; `own` is the one that has it already.
fn check_name(
    organization: &Organization,
    project: Uuid,
    name: &str,
    own: Option<Uuid>,
) -> Result<(), ApiError> {
    let invalid = name.trim().is_empty()
        || name.chars().count() > 64
        || name.starts_with('.') && name.len() < 3
        || name.contains(|c: char| c.is_control() || "/\\:*?\"<>|;#$*{},+=[]".contains(c));
    if invalid {
        return Err(bad_name(name));
    }
    match organization.git.find(Some(project), name) {
        Some(other) if Some(other.id) != own => Err(name_taken(name)),
        _ => Ok(()),
    }
}

pub(super) fn list(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = rest::project(world, call)?;
    let hidden = call.query.flag("includeHidden");
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let visible: BTreeSet<Uuid> = organization
        .visible_projects()
        .map(|project| project.id)
        .collect();
    let mut found: Vec<&Repository> = organization
        .git
        .live()
        .filter(|repository| visible.contains(&repository.project))
        .filter(|repository| project.is_none_or(|project| repository.project == project))
        .filter(|repository| hidden || !repository.hidden)
        .collect();
    found.sort_by_cached_key(|repository| {
        (
            shape::project_name(organization, repository.project).to_lowercase(),
            repository.name.to_lowercase(),
        )
    });
    let (links, all_urls) = (
        call.query.flag("includeLinks"),
        call.query.flag("includeAllUrls"),
    );
    let show = |repository: &&Repository| {
        let mut value = if links {
            shape::repository_with_links(organization, repository, &call.base)
        } else {
            shape::repository(organization, repository, &call.base)
        };
        if all_urls {
            let urls = shape::urls(organization, repository, &call.base);
            value["validRemoteUrls"] = json!([urls.web, urls.remote, urls.ssh]);
        }
        value
    };
    Ok(Reply::list(found.iter().map(show).collect()))
}

/// Id and the answer's document of the repository in the third segment, disabled ones included.
fn named<'a>(
    organization: &'a Organization,
    project: Option<Uuid>,
    call: &Call,
) -> Result<&'a Repository, ApiError> {
    let text = call.segments.get(2).map_or("", String::as_str);
    organization
        .git
        .find(project, text)
        .ok_or_else(|| repository_not_found(text))
}

pub(super) fn get(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let repository = organization
        .git
        .get(opened.id)
        .ok_or_else(|| repository_not_found(&opened.id.to_string()))?;
    let mut value = shape::repository_with_links(organization, repository, &call.base);
    if let Some(parent) = repository.parent.and_then(|id| organization.git.get(id))
        && call.query.flag("includeParent")
    {
        value["parentRepository"] = shape::parent(organization, parent, &call.base);
    }
    Ok(Reply::json(value))
}

pub(super) async fn post(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let name = body["name"]
        .as_str()
        .ok_or_else(|| bad_name(""))?
        .to_owned();
    let project = project_of(world, call, &body)?;
    let parent = parent_of(world, call, &body)?;
    let source = call.query.get("sourceRef").map(str::to_owned);
    let data = world.data().to_owned();
    let id = {
        let mut guard = world.write();
        let organization = guard.organization_mut(&call.organization)?;
        create(
            organization,
            &data,
            &Creation {
                project,
                name: &name,
                hidden: false,
                parent,
            },
        )?
    };
    if let Some(parent) = parent {
        fork_content(
            world,
            &call.organization,
            parent,
            id,
            source.as_deref(),
            &call.identity.person,
        )
        .await?;
    }
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let repository = organization
        .git
        .get(id)
        .ok_or_else(|| repository_not_found(&name))?;
    let mut value = shape::repository(organization, repository, &call.base);
    if let Some(parent) = parent.and_then(|id| organization.git.get(id)) {
        value["parentRepository"] = shape::parent(organization, parent, &call.base);
    }
    Ok(Reply::json(value).with_status(StatusCode::CREATED))
}

fn project_of(world: &SharedWorld, call: &Call, body: &Value) -> Result<Uuid, ApiError> {
    if let Some(project) = rest::project(world, call)? {
        return Ok(project);
    }
    let text = body["project"]["id"]
        .as_str()
        .or_else(|| body["project"]["name"].as_str());
    let text = text.ok_or_else(|| argument("A project is required to create a repository."))?;
    let guard = world.read();
    shape::project_id(guard.organization(&call.organization)?, text)
        .ok_or_else(|| ApiError::no_project(text))
}

fn parent_of(world: &SharedWorld, call: &Call, body: &Value) -> Result<Option<Uuid>, ApiError> {
    let Some(text) = body["parentRepository"]["id"].as_str() else {
        return Ok(None);
    };
    let guard = world.read();
    Ok(Some(
        guard
            .organization(&call.organization)?
            .git
            .open(None, text)?
            .id,
    ))
}

/// Copies branches and tags (or one ref) and LFS objects of the parent into a fork.
pub(crate) async fn fork_content(
    world: &SharedWorld,
    organization: &str,
    parent: Uuid,
    fork: Uuid,
    only: Option<&str>,
    person: &Arc<Person>,
) -> Result<(), ApiError> {
    let (from, to) = {
        let guard = world.read();
        let git = &guard.organization(organization)?.git;
        let path = |id: Uuid| {
            git.get(id)
                .map(|r| r.bare.clone())
                .ok_or_else(|| repository_not_found(&id.to_string()))
        };
        (path(parent)?, path(fork)?)
    };
    let specs = match only {
        Some(reference) => vec![format!("+{reference}:{reference}")],
        None => vec![
            "+refs/heads/*:refs/heads/*".to_owned(),
            "+refs/tags/*:refs/tags/*".to_owned(),
        ],
    };
    let source = from.path().to_string_lossy().into_owned();
    let mut arguments = vec!["fetch", "--quiet", "--no-tags", source.as_str()];
    arguments.extend(specs.iter().map(String::as_str));
    to.run(&arguments).await?;
    {
        let mut guard = world.write();
        let git = &mut guard.organization_mut(organization)?.git;
        if let Some(mut target) = git.remove(fork) {
            let copied = git
                .get(parent)
                .map_or(Ok(()), |source| lfs::copy(source, &mut target));
            git.insert(target);
            copied?;
        }
    }
    record(world, organization, fork, &BTreeMap::new(), person)
        .await
        .map(drop)
}

pub(super) async fn patch(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let project = rest::project(world, call)?;
    let (id, bare) = {
        let guard = world.read();
        let repository = named(guard.organization(&call.organization)?, project, call)?;
        (repository.id, repository.bare.clone())
    };
    let branch = body["defaultBranch"].as_str();
    if let Some(branch) = branch
        && bare.resolve(branch).await?.is_none()
    {
        return Err(argument(format!(
            "TF401019: The branch '{branch}' does not exist, so it cannot be the default branch."
        )));
    }
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    if let Some(name) = body["name"].as_str() {
        rename(organization, id, name)?;
    }
    organization.clock.tick();
    let repository = organization
        .git
        .get_mut(id)
        .ok_or_else(|| repository_not_found(&id.to_string()))?;
    if let Some(branch) = branch {
        bare.set_head(branch)?;
        repository.default_branch = Some(branch.to_owned());
    }
    if let Some(disabled) = body["isDisabled"].as_bool() {
        repository.disabled = disabled;
    }
    let repository = named(organization, project, call)
        .or_else(|error| organization.git.get(id).ok_or(error))?;
    Ok(Reply::json(shape::repository(
        organization,
        repository,
        &call.base,
    )))
}

fn rename(organization: &mut Organization, id: Uuid, name: &str) -> Result<(), ApiError> {
    let missing = || repository_not_found(&id.to_string());
    let project = organization.git.get(id).ok_or_else(missing)?.project;
    check_name(organization, project, name, Some(id))?;
    let repository = organization.git.get_mut(id).ok_or_else(missing)?;
    name.clone_into(&mut repository.name);
    Ok(())
}

/// Puts a repository into a state that clients cannot ask for: `{"repository": id, "isInMaintenance", "limitedRefs"}`.
pub(crate) fn arrange(
    world: &SharedWorld,
    organization: &str,
    sent: Sent<'_>,
) -> Result<(), ApiError> {
    let text = sent.required("repository")?;
    let id = Uuid::parse_str(text).map_err(|_| repository_not_found(text))?;
    let mut guard = world.write();
    let repository = guard
        .organization_mut(organization)?
        .git
        .get_mut(id)
        .ok_or_else(|| repository_not_found(text))?;
    sent.set("isInMaintenance", &mut repository.in_maintenance)?;
    sent.set("limitedRefs", &mut repository.limited_refs)
}

pub(super) fn delete(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let project = rest::project(world, call)?;
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let id = named(organization, project, call)?.id;
    discard(organization, id, &call.identity.person);
    Ok(Reply::no_content())
}

/// Moves a repository to the recycle bin.
pub(crate) fn discard(organization: &mut Organization, id: Uuid, person: &Arc<Person>) {
    let now = organization.clock.tick();
    if let Some(repository) = organization.git.get_mut(id) {
        repository.deleted = Some((now, Arc::clone(person)));
    }
}

/// Removes a repository for good, from the disk too.
pub(crate) fn destroy(organization: &mut Organization, id: Uuid) -> Result<(), ApiError> {
    organization.clock.tick();
    organization
        .git
        .remove(id)
        .map_or(Ok(()), |repository| Ok(repository.bare.remove()?))
}

pub(super) fn forks(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let opened = rest::open(world, call)?;
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let forks = organization
        .git
        .live()
        .filter(|repository| repository.parent == Some(opened.id));
    Ok(Reply::list(
        forks
            .map(|fork| shape::parent(organization, fork, &call.base))
            .collect(),
    ))
}
