//! Wikis: list, create, read, change, delete.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use axum::http::StatusCode;
use serde_json::Value;
use uuid::Uuid;

use super::errors::{invalid, wiki_exists, wiki_not_found};
use super::{Kind, Wiki, live};
use crate::git::{self, Creation};
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, SharedWorld};

/// A wiki to be made.
pub(crate) struct NewWiki<'a> {
    pub project: Uuid,
    pub name: &'a str,
    /// Repository, folder and branch of a code wiki; a project wiki makes its own repository.
    pub code: Option<(Uuid, &'a str, &'a str)>,
}

fn check_free(organization: &Organization, new: &NewWiki<'_>) -> Result<(), ApiError> {
    for wiki in live(organization).filter(|wiki| wiki.project == new.project) {
        if wiki.name.eq_ignore_ascii_case(new.name) {
            let name = new.name;
            let message = format!("A wiki with the name ‘{name}’ already exists in the project.");
            return Err(wiki_exists(&message));
        }
        if new.code.is_none() && wiki.kind == Kind::Project {
            return Err(wiki_exists("A project wiki already exists in the project."));
        }
    }
    Ok(())
}

/// Makes a wiki; a project has at most one project wiki.
pub(crate) fn create(
    organization: &mut Organization,
    data: &Path,
    new: &NewWiki<'_>,
) -> Result<Uuid, ApiError> {
    check_free(organization, new)?;
    let wiki = if let Some((repository, mapped, version)) = new.code {
        organization.clock.tick();
        Wiki {
            id: organization.ids.guid(),
            project: new.project,
            name: new.name.to_owned(),
            kind: Kind::Code,
            repository,
            mapped_path: super::paths::normalize(mapped),
            versions: vec![
                version
                    .strip_prefix("refs/heads/")
                    .unwrap_or(version)
                    .to_owned(),
            ],
            pages: BTreeMap::new(),
        }
    } else {
        let creation = Creation {
            project: new.project,
            name: new.name,
            hidden: true,
            parent: None,
        };
        let repository = git::create(organization, data, &creation)?;
        Wiki {
            id: repository,
            project: new.project,
            name: new.name.to_owned(),
            kind: Kind::Project,
            repository,
            mapped_path: "/".to_owned(),
            versions: vec!["wikiMaster".to_owned()],
            pages: BTreeMap::new(),
        }
    };
    let id = wiki.id;
    organization.wiki.wikis.insert(id, wiki);
    Ok(id)
}

/// The wiki of a name or id; outside a project only an id names one.
pub(super) fn find<'a>(
    organization: &'a Organization,
    project: Option<Uuid>,
    text: &str,
) -> Result<&'a Wiki, ApiError> {
    let id = Uuid::parse_str(text).ok();
    live(organization)
        .filter(|wiki| project.is_none_or(|project| wiki.project == project))
        .find(|wiki| match id {
            Some(id) => wiki.id == id,
            None => project.is_some() && wiki.name.to_lowercase() == text.to_lowercase(),
        })
        .ok_or_else(|| wiki_not_found(text))
}

pub(super) fn list(
    world: &SharedWorld,
    call: &Call,
    project: Option<Uuid>,
) -> Result<Reply, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    let visible: BTreeSet<Uuid> = organization
        .visible_projects()
        .map(|project| project.id)
        .collect();
    let wanted = |wiki: &&Wiki| {
        visible.contains(&wiki.project) && project.is_none_or(|project| wiki.project == project)
    };
    let mut wikis: Vec<&Wiki> = live(organization).filter(wanted).collect();
    wikis.sort_by_key(|wiki| {
        (
            wiki.project,
            wiki.kind == Kind::Code,
            wiki.name.to_lowercase(),
        )
    });
    Ok(Reply::list(
        wikis.iter().map(|wiki| wiki.show(&call.base)).collect(),
    ))
}

pub(super) fn get(
    world: &SharedWorld,
    call: &Call,
    project: Option<Uuid>,
) -> Result<Reply, ApiError> {
    let guard = world.read();
    let organization = guard.organization(&call.organization)?;
    Ok(Reply::json(
        find(organization, project, &call.segments[2])?.show(&call.base),
    ))
}

pub(super) fn post(
    world: &SharedWorld,
    call: &Call,
    project: Option<Uuid>,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&body["name"])
        .filter(|name| !name.trim().is_empty())
        .ok_or_else(|| invalid("The name of a wiki is required."))?;
    let named = body["projectId"].as_str();
    let code = body["type"]
        .as_str()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("codeWiki"));
    let data = world.data().to_owned();
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let project = match (project, named) {
        (Some(project), _) => project,
        (None, Some(named)) => organization.project(named)?.id,
        (None, None) => return Err(invalid("The project of a wiki is required.")),
    };
    let (mapped, version) = (text(&body["mappedPath"]), text(&body["version"]["version"]));
    let code = if code {
        let repository = body["repositoryId"]
            .as_str()
            .ok_or_else(|| invalid("The repository of a code wiki is required."))?;
        let repository = organization.git.open(None, repository)?;
        let version = version
            .as_deref()
            .or(repository.default_name())
            .unwrap_or("main")
            .to_owned();
        Some((
            repository.id,
            mapped.unwrap_or_else(|| "/".to_owned()),
            version,
        ))
    } else {
        None
    };
    let code = code
        .as_ref()
        .map(|(id, mapped, version)| (*id, mapped.as_str(), version.as_str()));
    let id = create(
        organization,
        &data,
        &NewWiki {
            project,
            name: &name,
            code,
        },
    )?;
    let wiki = organization
        .wiki
        .wikis
        .get(&id)
        .ok_or_else(|| wiki_not_found(&name))?;
    Ok(Reply::json(wiki.show(&call.base)).with_status(StatusCode::CREATED))
}

pub(super) fn patch(
    world: &SharedWorld,
    call: &Call,
    project: Option<Uuid>,
) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let id = find(organization, project, &call.segments[2])?.id;
    organization.clock.tick();
    let wiki = organization
        .wiki
        .wikis
        .get_mut(&id)
        .ok_or_else(|| wiki_not_found(&call.segments[2]))?;
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut wiki.name);
    }
    if let Some(versions) = body["versions"].as_array() {
        let name = |version: &Value| version["version"].as_str().map(str::to_owned);
        let names: Option<Vec<String>> = versions.iter().map(name).collect();
        wiki.versions = names.ok_or_else(|| invalid("A version of a wiki has a name."))?;
    }
    Ok(Reply::json(wiki.show(&call.base)))
}

/// Answers with the wiki that was removed; the repository of a project wiki goes to the recycle bin.
pub(super) fn delete(
    world: &SharedWorld,
    call: &Call,
    project: Option<Uuid>,
) -> Result<Reply, ApiError> {
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    let wiki = find(organization, project, &call.segments[2])?.clone();
    if wiki.kind == Kind::Project {
        git::discard(organization, wiki.repository, &call.identity.person);
    } else {
        organization.clock.tick();
        organization.wiki.wikis.remove(&wiki.id);
    }
    Ok(Reply::json(wiki.show(&call.base)))
}
