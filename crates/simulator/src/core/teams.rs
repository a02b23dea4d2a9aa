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
                    "ScopeType": text("TeamProject"),
                    "LocalScopeId": text(&self.project.to_string()),
                    "ScopeName": text(project),
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
    let expand = call.query.flag("$expandIdentity");
    let find = |organization: &Organization, name: &str| {
        organization
            .core
            .teams
            .iter()
            .position(|team| {
                team.project == project
                    && team.is_named(name)
                    && access::reads_team(project, team.id)
            })
            .ok_or_else(|| not_found(name))
    };
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let teams = organization
                .core
                .teams
                .iter()
                .filter(|team| team.project == project && access::reads_team(project, team.id));
            skip_and_top(
                call,
                teams
                    .map(|team| team.document(organization, &call.base, expand))
                    .collect(),
            )
        }
        (&Method::POST, []) => {
            let body = call.value()?;
            let text = |member: &str| body[member].as_str().unwrap_or_default();
            let id = create(organization, project, text("name"), text("description"))?;
            let at = find(organization, &id.to_string())?;
            Ok(
                Reply::json(organization.core.teams[at].document(organization, &call.base, true))
                    .with_status(StatusCode::CREATED),
            )
        }
        (&Method::GET, [name]) => {
            let at = find(organization, name)?;
            Ok(Reply::json(organization.core.teams[at].document(
                organization,
                &call.base,
                expand,
            )))
        }
        (&Method::PATCH, [name]) => {
            let at = find(organization, name)?;
            let body = call.value()?;
            let team = &mut organization.core.teams[at];
            if let Some(name) = body["name"].as_str() {
                name.clone_into(&mut team.name);
            }
            if let Some(description) = body["description"].as_str() {
                description.clone_into(&mut team.description);
            }
            Ok(Reply::json(organization.core.teams[at].document(
                organization,
                &call.base,
                expand,
            )))
        }
        (&Method::DELETE, [name]) => {
            let at = find(organization, name)?;
            if organization
                .project_by_id(project)
                .is_some_and(|project| project.default_team == organization.core.teams[at].id)
            {
                return Err(ApiError::bad_request(
                    "TF400509: The default team of a project cannot be deleted.",
                ));
            }
            organization.core.teams.remove(at);
            Ok(Reply::no_content())
        }
        (&Method::GET, [name, "members"]) => {
            let at = find(organization, name)?;
            let members = organization.core.teams[at].members.iter().map(|member| {
                let mut value = json!({"identity": member.person.reference(&call.base)});
                if member.admin {
                    value["isTeamAdmin"] = json!(true);
                }
                value
            });
            skip_and_top(call, members.collect())
        }
        _ => Err(ApiError::method_not_allowed(call)),
    }
}

/// `GET teams`: those of all projects.
pub(crate) fn all(organization: &Organization, call: &Call) -> Result<Reply, ApiError> {
    let expand = call.query.flag("$expandIdentity");
    let visible: Vec<Uuid> = organization
        .visible_projects()
        .map(|project| project.id)
        .collect();
    let teams = organization.core.teams.iter().filter(|team| {
        visible.contains(&team.project) && access::reads_team(team.project, team.id)
    });
    skip_and_top(
        call,
        teams
            .map(|team| team.document(organization, &call.base, expand))
            .collect(),
    )
}

/// Pages of teams and members say nothing of what follows: a page that is not full is the last.
fn skip_and_top(call: &Call, all: Vec<Value>) -> Result<Reply, ApiError> {
    let top = call.query.number("$top")?.unwrap_or(100);
    let skip = call.query.number("$skip")?.unwrap_or(0);
    Ok(Reply::list(all.into_iter().skip(skip).take(top).collect()))
}
