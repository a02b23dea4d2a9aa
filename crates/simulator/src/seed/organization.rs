//! Projects with their teams, areas and iterations.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};
use uuid::Uuid;

use super::Maker;
use crate::core::{NewProject, Process, projects, teams};
use crate::server::ApiError;
use crate::wit::nodes::{self, Structure};

/// A project with what belongs to it from the start.
pub(super) struct Plan {
    pub name: &'static str,
    pub description: &'static str,
    pub process: Process,
    /// Name and description.
    pub teams: &'static [(&'static str, &'static str)],
    /// Paths below the root, parents first.
    pub areas: &'static [&'static str],
    /// Paths below the root, parents first; leaves get two weeks each.
    pub iterations: &'static [&'static str],
}

pub(super) fn project(maker: &mut Maker, plan: &Plan) -> Result<Uuid, ApiError> {
    let id = maker.with(|organization| {
        let new = NewProject {
            name: plan.name,
            description: plan.description,
            visibility: "private",
            process: plan.process,
        };
        projects::create(organization, &new)
    })?;
    crate::git::project_created(&maker.world, &maker.organization, id)?;
    teams(maker, id, plan)?;
    for area in plan.areas {
        maker.with(|organization| node(organization, id, Structure::Area, area, Map::new()))?;
    }
    // Monday, 2026-01-05.
    let mut start = Timestamp::constant(1_767_571_200, 0);
    for iteration in plan.iterations {
        let leaf = !plan
            .iterations
            .iter()
            .any(|other| other.starts_with(&format!("{iteration}\\")));
        let mut attributes = Map::new();
        if leaf {
            let last = start + SignedDuration::from_hours(11 * 24);
            attributes.insert("startDate".to_owned(), json!(start.to_string()));
            attributes.insert("finishDate".to_owned(), json!(last.to_string()));
            start += SignedDuration::from_hours(14 * 24);
        }
        maker.with(|organization| {
            node(
                organization,
                id,
                Structure::Iteration,
                iteration,
                attributes,
            )
        })?;
    }
    Ok(id)
}

fn teams(maker: &mut Maker, project: Uuid, plan: &Plan) -> Result<(), ApiError> {
    let people = maker.people.clone();
    let default = maker.with(|organization| {
        let missing = || ApiError::no_project(&project.to_string());
        let project = organization.project_by_id(project).ok_or_else(missing)?;
        Ok(project.default_team)
    })?;
    let mut all = vec![default];
    for (name, description) in plan.teams {
        all.push(
            maker.with(|organization| teams::create(organization, project, name, description))?,
        );
    }
    for (index, team) in all.into_iter().enumerate() {
        let members = people.iter().cycle().skip(index * 2).take(3 + index % 3);
        for (place, person) in members.enumerate() {
            maker.with(|organization| {
                teams::add_member(organization, team, person, place == 0);
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Makes the node at a path below the root of the project, whose parent exists.
pub(crate) fn node(
    organization: &mut crate::world::Organization,
    project: Uuid,
    structure: Structure,
    path: &str,
    attributes: Map<String, serde_json::Value>,
) -> Result<(), ApiError> {
    let (parent, name) = path.rsplit_once('\\').unwrap_or(("", path));
    let missing = || ApiError::bad_request(format!("the parent of {path} does not exist"));
    let root = organization
        .wit
        .nodes
        .root(project, structure)
        .ok_or_else(missing)?;
    let parent = if parent.is_empty() {
        root.id
    } else {
        let path = format!("{}\\{parent}", organization.wit.nodes.field_path(root));
        organization
            .wit
            .nodes
            .find(project, structure, &path)
            .ok_or_else(missing)?
            .id
    };
    nodes::create(organization, parent, name, attributes).map(drop)
}
