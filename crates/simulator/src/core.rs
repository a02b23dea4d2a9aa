//! Projects, teams, processes, operations, identities and connection data.

pub(crate) mod access;
mod connection;
mod deleted;
mod graph;
mod groups;
mod identities;
pub(crate) mod operations;
pub(crate) mod people;
mod processes;
pub(crate) mod projects;
mod security;
pub(crate) mod teams;

use axum::http::Method;
use uuid::Uuid;

use crate::server::{ApiError, Call, Reply};
use crate::world::{Organization, SharedWorld};

pub(crate) use processes::Process;
pub(crate) use projects::{NewProject, Project};
pub(crate) use teams::Team;

#[derive(Default)]
pub(crate) struct State {
    pub projects: Vec<Project>,
    /// Deleted projects, which keep their names reserved.
    pub deleted_projects: Vec<deleted::Deleted>,
    pub teams: Vec<Team>,
    pub operations: Vec<operations::Operation>,
    /// Requests so far: operations end some requests after they began.
    turn: std::sync::atomic::AtomicU64,
    /// Permissions that were taken from everyone, as `BYPASS_RULES`.
    pub denied: std::collections::BTreeSet<String>,
    /// Projects that nobody may see, by id.
    pub hidden: std::collections::BTreeSet<Uuid>,
}

impl State {
    pub(crate) fn turn(&self) -> u64 {
        self.turn.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Counts a request; its number, from 0.
    pub(crate) fn take_turn(&self) -> u64 {
        self.turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }
}

impl Organization {
    /// A project by id or name. One that is hidden or still being made does not exist.
    pub(crate) fn project(&self, name: &str) -> Result<&Project, ApiError> {
        self.core
            .projects
            .iter()
            .find(|project| project.is_named(name) && self.is_visible(project))
            .ok_or_else(|| ApiError::no_project(name))
    }

    pub(crate) fn project_by_id(&self, id: Uuid) -> Option<&Project> {
        self.core.projects.iter().find(|project| project.id == id)
    }

    fn is_visible(&self, project: &Project) -> bool {
        !self.hides(project.id) && project.ready <= self.core.turn()
    }

    /// Whether the caller may not see a project.
    pub(crate) fn hides(&self, project: Uuid) -> bool {
        self.core.hidden.contains(&project) || !access::reads_project(project)
    }

    pub(crate) fn visible_projects(&self) -> impl Iterator<Item = &Project> {
        self.core
            .projects
            .iter()
            .filter(|project| self.is_visible(project))
    }

    /// Those that are still being made: nothing but the list shows them.
    fn pending_projects(&self) -> impl Iterator<Item = &Project> {
        let pending =
            |project: &&Project| !self.hides(project.id) && project.ready > self.core.turn();
        self.core.projects.iter().filter(pending)
    }

    /// Fails as the service does where the caller lacks a permission that a fault took away.
    pub(crate) fn require(
        &self,
        permission: &str,
        words: &str,
        person: &people::Person,
    ) -> Result<(), ApiError> {
        if !self.core.denied.contains(permission) {
            return Ok(());
        }
        Err(ApiError::new(
            axum::http::StatusCode::FORBIDDEN,
            "Microsoft.TeamFoundation.Framework.Server.AccessCheckException",
            format!(
                "TF50309: The following account does not have sufficient permissions to complete the operation: {}. The following permissions are needed to perform this operation: {words}.",
                person.display_name
            ),
        ))
    }
}

impl Call {
    /// The project of the path.
    pub(crate) fn project<'a>(
        &self,
        organization: &'a Organization,
    ) -> Result<&'a Project, ApiError> {
        organization.project(
            self.project
                .as_deref()
                .ok_or_else(|| ApiError::no_route(self))?,
        )
    }

    /// The id of the project of the path, if there is one.
    pub(crate) fn project_filter(
        &self,
        organization: &Organization,
    ) -> Result<Option<Uuid>, ApiError> {
        self.project
            .as_deref()
            .map(|name| organization.project(name).map(|project| project.id))
            .transpose()
    }

    /// `base`, or `base/{project id}` if the path names a project.
    pub(crate) fn project_base(&self, organization: &Organization) -> Result<String, ApiError> {
        Ok(match self.project_filter(organization)? {
            None => self.base.clone(),
            Some(id) => format!("{}/{id}", self.base),
        })
    }
}

/// What nobody changes, or nobody can change here.
fn is_only_read(parts: &[&str]) -> bool {
    matches!(
        parts,
        [
            "teams"
                | "connectiondata"
                | "identities"
                | "permissions"
                | "operations"
                | "process"
                | "work"
                | "projectcollections"
                | "userentitlements"
                | "serviceprincipalentitlements",
            ..
        ] | ["organization", "collections", ..]
    )
}

pub(crate) fn handle(world: &SharedWorld, call: &Call) -> Result<Reply, ApiError> {
    let lower = call.lower();
    let parts: Vec<&str> = lower.iter().map(String::as_str).collect();
    if let (&Method::POST, ["projects"]) = (&call.method, &parts[..]) {
        return projects::create_by_request(world, call);
    }
    if is_only_read(&parts) {
        call.only_read()?;
    }
    let mut guard = world.write();
    let organization = guard.organization_mut(&call.organization)?;
    match &parts[..] {
        ["projects", rest @ ..] => match rest {
            [project, "teams", rest @ ..] => teams::route(organization, call, project, rest),
            [_, "properties"] => projects::properties(organization, call),
            _ => projects::route(organization, call),
        },
        ["teams"] => teams::all(organization, call),
        ["operations", id, ..] => operations::get(organization, call, id),
        ["process", "processes", rest @ ..] => processes::list(call, rest),
        ["work", "processes", rest @ ..] => processes::inherited(organization, call, rest),
        ["connectiondata"] => Ok(connection::data(organization, call)),
        ["organization", "collections", "me"] => Ok(Reply::json(
            serde_json::json!({"id": organization.id, "name": organization.name, "status": "enabled", "tenantId": organization.access.tenant}),
        )),
        ["projectcollections", ..] => connection::collection(organization, call),
        ["identities"] | ["identities", _] => identities::list(organization, call),
        ["graph", rest @ ..] => graph::route(organization, call, rest),
        ["security", "permissionevaluationbatch"] => security::evaluate(organization, call),
        ["permissions", ..] => security::permissions(organization, call),
        ["accesscontrolentries", namespace] => security::entries(organization, call, namespace),
        ["organizationpolicy", "policies", ..] => access::policy(organization, call),
        [
            "userentitlements" | "serviceprincipalentitlements",
            rest @ ..,
        ] => connection::entitlements(organization, call, rest),
        _ => Err(ApiError::no_route(call)),
    }
}
