//! Team projects.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Process, Team, deleted, operations, teams};
use crate::server::{ApiError, Call, Reply};
use crate::wit::value::date_text;
use crate::world::{Organization, SharedWorld};

#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub id: Uuid,
    pub name: String,
    pub description: String,
    /// `private` or `public`.
    pub visibility: String,
    pub process: Process,
    pub revision: u64,
    pub updated: Timestamp,
    pub default_team: Uuid,
    /// The turn from which on it exists for callers.
    pub ready: u64,
    pub properties: BTreeMap<String, Value>,
}

/// What a project is made from.
pub(crate) struct NewProject<'a> {
    pub name: &'a str,
    pub description: &'a str,
    pub visibility: &'a str,
    pub process: Process,
}

impl Project {
    pub(crate) fn is_named(&self, text: &str) -> bool {
        self.name.eq_ignore_ascii_case(text)
            || self.name.to_lowercase() == text.to_lowercase()
            || Uuid::parse_str(text).is_ok_and(|id| id == self.id)
    }

    /// `TeamProjectReference`.
    pub(crate) fn reference(&self, base: &str) -> Value {
        let mut value = json!({"id": self.id, "name": self.name});
        if !self.description.is_empty() {
            value["description"] = json!(self.description);
        }
        value["url"] = json!(format!("{base}/_apis/projects/{}", self.id));
        value["state"] = json!("wellFormed");
        value["revision"] = json!(self.revision);
        value["visibility"] = json!(self.visibility);
        value["lastUpdateTime"] = json!(date_text(self.updated));
        value
    }

    fn document(&self, organization: &Organization, base: &str, capabilities: bool) -> Value {
        let mut value = self.reference(base);
        let url = value["url"].clone();
        if capabilities {
            value["capabilities"] = json!({
                "processTemplate": {"templateName": self.process.name(), "templateTypeId": self.process.id()},
                "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
            });
        }
        value["_links"] = json!({
            "self": {"href": url},
            "collection": {"href": format!("{base}/_apis/projectCollections/{}", organization.id)},
            "web": {"href": format!("{base}/{}", crate::wit::types::encode(&self.name))},
        });
        if let Some(team) = organization
            .core
            .teams
            .iter()
            .find(|team| team.id == self.default_team)
        {
            value["defaultTeam"] = json!({"id": team.id, "name": team.name, "url": team.url(base)});
        }
        value
    }
}

/// Makes a project with its team, its root nodes and nothing else: the repository comes from `git::project_created`.
pub(crate) fn create(
    organization: &mut Organization,
    new: &NewProject<'_>,
) -> Result<Uuid, ApiError> {
    check_name(organization, new.name)?;
    let id = organization.ids.guid();
    let updated = organization.clock.tick();
    let default_team = organization.ids.guid();
    organization.core.projects.push(Project {
        id,
        name: new.name.to_owned(),
        description: new.description.to_owned(),
        visibility: new.visibility.to_owned(),
        process: new.process,
        revision: 11 + 4 * organization.core.projects.len() as u64,
        updated,
        default_team,
        ready: 0,
        properties: BTreeMap::from([
            (
                "System.CurrentProcessTemplateId".to_owned(),
                json!(new.process.id()),
            ),
            (
                "System.OriginalProcessTemplateId".to_owned(),
                json!(new.process.id()),
            ),
            (
                "System.ProcessTemplateType".to_owned(),
                json!(new.process.id()),
            ),
            (
                "System.Process Template".to_owned(),
                json!(new.process.name()),
            ),
            ("System.SourceControlCapabilityFlags".to_owned(), json!("2")),
            ("System.SourceControlGitEnabled".to_owned(), json!("True")),
            (
                "System.SourceControlGitPermissionsInitialized".to_owned(),
                json!("True"),
            ),
            ("System.Wiki.Enabled".to_owned(), json!("True")),
        ]),
    });
    let members = vec![teams::Member {
        person: organization.people.administrator(),
        admin: true,
    }];
    organization.core.teams.push(Team {
        id: default_team,
        project: id,
        name: format!("{} Team", new.name),
        description: "The default project team.".to_owned(),
        members,
    });
    crate::wit::nodes::project_created(organization, id, new.name);
    Ok(id)
}

fn check_name(organization: &Organization, name: &str) -> Result<(), ApiError> {
    const FORBIDDEN: &[char] = &[
        '/', ':', '\\', '~', '&', '%', ';', '@', '\'', '"', '?', '<', '>', '|', '#', '$', '*', '}',
        '{', ',', '+', '=', '[', ']',
    ];
    let bad = name.is_empty()
        || name.chars().count() > 64
        || name.starts_with(['_', '.'])
        || name.ends_with('.')
        || name.contains(FORBIDDEN)
        || name.contains(char::is_control);
    if bad {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.Core.WebApi.InvalidProjectNameException",
            format!("TF200025: The following project name is not valid: {name}."),
        ));
    }
    let bin = &organization.core.deleted_projects;
    let deleted = bin.iter().map(|deleted| &deleted.project);
    if organization
        .core
        .projects
        .iter()
        .chain(deleted)
        .any(|project| project.name.to_lowercase() == name.to_lowercase())
    {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.Core.WebApi.ProjectAlreadyExistsException",
            format!(
                "TF200019: The following project already exists on the Azure DevOps Server: {name}. You cannot create a new project with the same name as an existing project. Provide a different name."
            ),
        ));
    }
    Ok(())
}

/// `POST projects`: 202 and an operation; the project exists for callers once it has succeeded.
pub(crate) fn create_by_request(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let body = call.value()?;
    let text = |pointer: &str| {
        body.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let template = text("/capabilities/processTemplate/templateTypeId");
    let process = Process::find(template).ok_or_else(|| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.Core.WebApi.ProcessTemplateTypeIdNotFoundException",
            format!("TF400894: The process template {template} does not exist."),
        )
    })?;
    let visibility = match text("/visibility") {
        "" => "private",
        given => given,
    };
    let (project, reply) = {
        let mut guard = world.write();
        let organization = guard.organization_mut(&call.organization)?;
        organization.require(
            "CREATE_PROJECTS",
            "Create new projects",
            &call.identity.person,
        )?;
        let new = NewProject {
            name: text("/name"),
            description: text("/description"),
            visibility,
            process,
        };
        let project = create(organization, &new)?;
        let ready = organization.core.turn() + operations::DURATION;
        if let Some(made) = organization
            .core
            .projects
            .iter_mut()
            .find(|made| made.id == project)
        {
            made.ready = ready;
        }
        (project, operations::begin(organization, &call.base))
    };
    crate::git::project_created(world, &call.organization, project)?;
    Ok(reply)
}

pub(crate) fn route(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    match (&call.method, &call.segments[1..]) {
        (&Method::GET, []) => list(organization, call),
        (&Method::GET, [name]) => {
            let project = organization.project(name)?;
            Ok(Reply::json(project.document(
                organization,
                &call.base,
                call.query.flag("includeCapabilities"),
            )))
        }
        (&Method::PATCH, [name]) => match deleted::restore(organization, call, name)? {
            Some(reply) => Ok(reply),
            None => update(organization, call, name),
        },
        (&Method::DELETE, [name]) => deleted::delete(organization, call, name),
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

fn update(organization: &mut Organization, call: &Call, name: &str) -> Result<Reply, ApiError> {
    let id = organization.project(name)?.id;
    let body = call.value()?;
    if let Some(new_name) = body["name"].as_str()
        && organization.project(name)?.name != new_name
    {
        check_name(organization, new_name)?;
        crate::wit::nodes::project_renamed(organization, id, new_name);
    }
    let updated = organization.clock.tick();
    if let Some(project) = organization
        .core
        .projects
        .iter_mut()
        .find(|project| project.id == id)
    {
        let set = |target: &mut String, member: &str| {
            if let Some(text) = body[member].as_str() {
                text.clone_into(target);
            }
        };
        set(&mut project.name, "name");
        set(&mut project.description, "description");
        set(&mut project.visibility, "visibility");
        project.revision += 1;
        project.updated = updated;
    }
    Ok(operations::begin(organization, &call.base))
}

fn list(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let filter = call
        .query
        .get("stateFilter")
        .unwrap_or("wellFormed")
        .to_lowercase();
    let mut found: Vec<Value> = Vec::new();
    if matches!(filter.as_str(), "wellformed" | "all") {
        let visible = organization.visible_projects();
        found.extend(visible.map(|project| project.reference(&call.base)));
    }
    if matches!(filter.as_str(), "createpending" | "all") {
        found.extend(organization.pending_projects().map(|project| {
            let mut value = project.reference(&call.base);
            value["state"] = json!("createPending");
            value
        }));
    }
    // `all` is all regardless of state except this one.
    if filter == "deleted" {
        found.extend(organization.core.deleted_projects.iter().map(|deleted| {
            let mut value = deleted.project.reference(&call.base);
            value["state"] = json!("deleted");
            value
        }));
    }
    page(call, found)
}

/// Cuts a page by `$top` (100), `$skip` and `continuationToken`; more is announced by `x-ms-continuationtoken` alone.
pub(crate) fn page(call: &Call, all: Vec<Value>) -> Result<Reply, ApiError> {
    let top = call.query.number("$top")?.unwrap_or(100).min(1000);
    let skip = call
        .query
        .number("continuationToken")?
        .or(call.query.number("$skip")?)
        .unwrap_or(0);
    let total = all.len();
    let page: Vec<Value> = all.into_iter().skip(skip).take(top).collect();
    let next = skip + page.len();
    let reply = Reply::list(page);
    Ok(if next < total && top > 0 {
        reply.header("x-ms-continuationtoken", next.to_string())
    } else {
        reply
    })
}

/// `GET` and `PATCH projects/{id}/properties`.
pub(crate) fn properties(organization: &mut Organization, call: &Call) -> Result<Reply, ApiError> {
    let id = organization.project(&call.segments[1])?.id;
    let Some(project) = organization
        .core
        .projects
        .iter_mut()
        .find(|project| project.id == id)
    else {
        return Err(ApiError::no_project(&call.segments[1]));
    };
    match call.method {
        Method::GET => {
            let keys = call.query.list("keys");
            let wanted = |name: &str| {
                keys.as_ref().is_none_or(|keys| {
                    keys.iter()
                        .any(|key| key.eq_ignore_ascii_case(name) || *key == "*")
                })
            };
            Ok(Reply::list(
                project
                    .properties
                    .iter()
                    .filter(|(name, _)| wanted(name))
                    .map(|(name, value)| json!({"name": name, "value": value}))
                    .collect(),
            ))
        }
        Method::PATCH => {
            for operation in call.json::<Vec<Value>>()? {
                let name = operation["path"]
                    .as_str()
                    .and_then(|path| path.strip_prefix('/'))
                    .ok_or_else(|| ApiError::bad_body("an operation has no path"))?
                    .to_owned();
                match operation["op"].as_str() {
                    Some("remove") => drop(project.properties.remove(&name)),
                    Some("add" | "replace") => {
                        let value = operation["value"].clone();
                        project.properties.insert(name, value);
                    }
                    _ => {
                        return Err(ApiError::bad_body(format!(
                            "{} is no operation",
                            operation["op"]
                        )));
                    }
                }
            }
            Ok(Reply::no_content())
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}
