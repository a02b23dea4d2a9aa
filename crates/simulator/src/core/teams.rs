//! Teams and their members.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;

use super::access;
use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, Person};

#[derive(Clone, Debug)]
pub(crate) struct Team {
    pub id: Uuid,
    pub project: Uuid,
    pub name: String,
    pub description: String,
    pub members: Vec<Member>,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub person: Arc<Person>,
    pub admin: bool,
}

impl Team {
    pub(crate) fn url(&self, base: &str) -> String {
        format!("{base}/_apis/projects/{}/teams/{}", self.project, self.id)
    }

    /// The subject descriptor of the group that the team is.
    pub(crate) fn descriptor(&self) -> String {
        format!(
            "vssgp.{}",
            URL_SAFE_NO_PAD.encode(format!("S-1-9-1551374245-{}", self.id.as_u128()))
        )
    }

    pub(crate) fn is_named(&self, text: &str) -> bool {
        self.name.to_lowercase() == text.to_lowercase()
            || Uuid::parse_str(text).is_ok_and(|id| id == self.id)
    }

    fn document(&self, organization: &Organization, base: &str, expand: bool) -> Value {
        let project = organization
            .project_by_id(self.project)
            .map_or("", |project| project.name.as_str());
        let mut value = json!({
            "id": self.id,
            "name": self.name,
            "url": self.url(base),
            "description": self.description,
            "identityUrl": format!("{base}/_apis/Identities/{}", self.id),
            "projectName": project,
            "projectId": self.project,
        });
        if expand {
            let text = |text: &str| json!({"$type": "System.String", "$value": text});
            value["identity"] = json!({
                "id": self.id,
                "descriptor": format!("Microsoft.TeamFoundation.Identity;S-1-9-1551374245-{}", self.id.as_u128()),
                "subjectDescriptor": self.descriptor(),
                "providerDisplayName": format!("[{project}]\\{}", self.name),
                "isActive": true,
                "isContainer": true,
                "members": [],
                "memberOf": [],
                "masterId": self.id,
                "properties": {
                    "Microsoft.TeamFoundation.Team": {"$type": "System.Boolean", "$value": true},
                    "SchemaClassName": text("Group"),
                    "Description": text(&self.description),
                    "Domain": text(&format!("vstfs:///Classification/TeamProject/{}", self.project)),
                    "Account": text(&self.name),
                    "SecurityGroup": text("SecurityGroup"),
                    "SpecialType": text("Generic"),
                    "ScopeId": text(&Uuid::new_v5(&organization.id, self.project.as_bytes()).to_string()),
                    "ScopeType": text("TeamProject"),
                    "LocalScopeId": text(&self.project.to_string()),
                    "SecuringHostId": text(&organization.id.to_string()),
                    "ScopeName": text(project),
                    "VirtualPlugin": text(""),
                },
                "resourceVersion": 2,
                "metaTypeId": 255,
            });
        }
        value
    }
}

fn not_found(name: &str) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "Microsoft.TeamFoundation.Core.WebApi.TeamNotFoundException",
        format!("The team with id '{name}' does not exist."),
    )
}

/// Makes a team without members. The area of its name that the web page makes is not made.
pub(crate) fn create(
    organization: &mut Organization,
    project: Uuid,
    name: &str,
    description: &str,
) -> Result<Uuid, ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::bad_request(
            "TF400508: The team name must not be empty.",
        ));
    }
    if organization
        .core
        .teams
        .iter()
        .any(|team| team.project == project && team.is_named(name))
    {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "Microsoft.TeamFoundation.Core.WebApi.TeamAlreadyExistsException",
            format!(
                "TF400856: The following team already exists: {name}. You cannot create a new team with the same name as an existing team."
            ),
        ));
    }
    let id = organization.ids.guid();
    organization.clock.tick();
    organization.core.teams.push(Team {
        id,
        project,
        name: name.to_owned(),
        description: description.to_owned(),
        members: Vec::new(),
    });
    Ok(id)
}

/// Puts a person on a team, or changes whether they administer it.
pub(crate) fn add_member(
    organization: &mut Organization,
    team: Uuid,
    person: &Arc<Person>,
    admin: bool,
) {
    organization.clock.tick();
    if let Some(team) = organization
        .core
        .teams
        .iter_mut()
        .find(|candidate| candidate.id == team)
    {
        match team
            .members
            .iter_mut()
            .find(|member| member.person.id == person.id)
        {
            Some(member) => member.admin = admin,
            None => team.members.push(Member {
                person: Arc::clone(person),
                admin,
            }),
        }
    }
}

/// Below `projects/{project}/teams`.
pub(crate) fn route(
    organization: &mut Organization,
    call: &Call,
    project: &str,
    rest: &[&str],
) -> Result<Reply, ApiError> {
    let project = organization.project(project)?.id;
    match (&call.method, rest) {
        (&Method::GET, []) => list(organization, call, |team| team.project == project),
        (&Method::POST, []) => {
            let body = call.value()?;
            let text = |member: &str| body[member].as_str().unwrap_or_default();
            let id = create(organization, project, text("name"), text("description"))?;
            let team = &organization.core.teams[find(organization, project, &id.to_string())?];
            let document = team.document(organization, &call.base, true);
            Ok(Reply::json(document).with_status(StatusCode::CREATED))
        }
        (&Method::GET, [name, "members"]) => {
            let at = find(organization, project, name)?;
            members(&organization.core.teams[at], call)
        }
        (_, [name]) => {
            let at = find(organization, project, name)?;
            one(organization, call, at)
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

impl Organization {
    /// A team by ids or names.
    pub(crate) fn team(&self, project: &str, name: &str) -> Result<&Team, ApiError> {
        let project = self.project(project)?.id;
        find(self, project, name).map(|at| &self.core.teams[at])
    }
}

/// Where a team of the project is, by id or name, that the caller may see.
fn find(organization: &Organization, project: Uuid, name: &str) -> Result<usize, ApiError> {
    let wanted = |team: &Team| {
        team.project == project && team.is_named(name) && access::reads_team(project, team.id)
    };
    let at = organization.core.teams.iter().position(wanted);
    at.ok_or_else(|| not_found(name))
}

/// `GET`, `PATCH` and `DELETE` of one team.
fn one(organization: &mut Organization, call: &Call, at: usize) -> Result<Reply, ApiError> {
    match call.method {
        Method::GET => {}
        Method::PATCH => {
            let body = call.value()?;
            let team = &mut organization.core.teams[at];
            for (member, own) in [
                ("name", &mut team.name),
                ("description", &mut team.description),
            ] {
                if let Some(text) = body[member].as_str() {
                    text.clone_into(own);
                }
            }
        }
        Method::DELETE => {
            let team = &organization.core.teams[at];
            let project = organization.project_by_id(team.project);
            if project.is_some_and(|project| project.default_team == team.id) {
                return Err(ApiError::bad_request(
                    "TF400509: The default team of a project cannot be deleted.",
                ));
            }
            organization.core.teams.remove(at);
            return Ok(Reply::no_content());
        }
        _ => return Err(ApiError::method_not_allowed(call)),
    }
    let expand = call.query.flag("$expandIdentity");
    let team = &organization.core.teams[at];
    Ok(Reply::json(team.document(organization, &call.base, expand)))
}

fn members(team: &Team, call: &Call) -> Result<Reply, ApiError> {
    let document = |member: &Member| {
        let mut value = json!({"identity": member.person.reference(&call.base)});
        if member.admin {
            value["isTeamAdmin"] = json!(true);
        }
        value
    };
    skip_and_top(call, team.members.iter().map(document).collect())
}

/// `GET teams`: those of all projects.
pub(crate) fn all(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let visible: Vec<Uuid> = organization
        .visible_projects()
        .map(|project| project.id)
        .collect();
    list(organization, call, |team| visible.contains(&team.project))
}

/// Of the wanted teams those that the caller may see, or with `$mine` is in.
fn list(
    organization: &Organization,
    call: &Call,
    wanted: impl Fn(&Team) -> bool,
) -> Result<Reply, ApiError> {
    let expand = call.query.flag("$expandIdentity");
    let everyones = !call.query.flag("$mine");
    let me = call.identity.person.id;
    let is_mine = |team: &Team| team.members.iter().any(|member| member.person.id == me);
    let teams = organization.core.teams.iter();
    let documents = teams
        .filter(|team| wanted(team) && access::reads_team(team.project, team.id))
        .filter(|team| everyones || is_mine(team))
        .map(|team| team.document(organization, &call.base, expand));
    skip_and_top(call, documents.collect())
}

/// Pages of teams and members say nothing of what follows: a page that is not full is the last.
fn skip_and_top(call: &Call, all: Vec<Value>) -> Result<Reply, ApiError> {
    let top = call.query.number("$top")?.unwrap_or(100);
    let skip = call.query.number("$skip")?.unwrap_or(0);
    Ok(Reply::list(all.into_iter().skip(skip).take(top).collect()))
}
