//! Work items and the changes that people make to them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use super::Maker;
use super::files;
use super::words::FOREIGN;
use crate::core::Process;
use crate::server::ApiError;
use crate::wit::attachments;
use crate::wit::nodes::Structure;
use crate::wit::patch::Operation;
use crate::wit::types::WorkItemType;
use crate::wit::write::{self, Options};
use crate::world::{Organization, Person};

/// Where work items are made.
#[derive(Clone)]
pub(crate) struct Place {
    pub project: Uuid,
    pub name: String,
    process: Process,
    areas: Vec<String>,
    iterations: Vec<String>,
}

impl Place {
    pub(crate) fn of(maker: &Maker, project: Uuid) -> Result<Self, ApiError> {
        maker.with(|organization| {
            let found = organization
                .project_by_id(project)
                .ok_or_else(|| ApiError::no_project(&project.to_string()))?;
            let (name, process) = (found.name.clone(), found.process);
            let areas = paths(organization, project, Structure::Area);
            let iterations = paths(organization, project, Structure::Iteration);
            Ok(Self {
                project,
                name,
                process,
                areas,
                iterations,
            })
        })
    }

    fn kinds(&self) -> &'static [&'static str] {
        match self.process {
            Process::Agile => &[
                "Epic",
                "Feature",
                "User Story",
                "User Story",
                "Bug",
                "Bug",
                "Task",
                "Task",
                "Issue",
            ],
            Process::Scrum => &[
                "Epic",
                "Feature",
                "Product Backlog Item",
                "Product Backlog Item",
                "Bug",
                "Task",
                "Impediment",
            ],
            Process::Basic => &["Epic", "Issue", "Issue", "Task"],
            Process::Cmmi => &["Epic", "Requirement", "Bug", "Task", "Risk"],
        }
    }
}

/// The paths of all nodes of a tree, as fields hold them.
fn paths(organization: &Organization, project: Uuid, structure: Structure) -> Vec<String> {
    let nodes = &organization.wit.nodes;
    let mut open: Vec<u32> = nodes
        .root(project, structure)
        .map(|node| node.id)
        .into_iter()
        .collect();
    let mut found = Vec::new();
    while let Some(node) = open.pop().and_then(|id| nodes.get(id)) {
        found.push(nodes.field_path(node));
        open.extend(&node.children);
    }
    found
}

const TAGS: [&str; 10] = [
    "backend",
    "frontend",
    "quick win",
    "customer",
    "security",
    "срочно",
    "日本",
    "tech debt",
    "à vérifier",
    "blocked",
];
const DESCRIPTION: &str = "System.Description";

impl Maker {
    fn tags(&mut self) -> String {
        let count = 1 + self.dice.below(3);
        (0..count)
            .map(|_| *self.dice.pick(&TAGS))
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// A title, one in ten of another script.
    fn subject(&mut self) -> String {
        if self.dice.chance(10) {
            format!("{} {}", self.dice.pick(&FOREIGN), self.dice.word())
        } else {
            self.dice.title()
        }
    }

    /// Stores an image and returns its address, as the editors put it into texts.
    pub(crate) fn image(&mut self, project: Uuid, by: &Arc<Person>) -> Result<String, ApiError> {
        let bytes = Bytes::from(files::png(&mut self.dice));
        let id =
            self.with(|organization| Ok(attachments::store(organization, "image.png", bytes, by)))?;
        Ok(format!(
            "{}/{project}/_apis/wit/attachments/{id}?fileName=image.png",
            self.base
        ))
    }

    /// HTML or Markdown for a long field, with the operation that says which.
    fn long_field(
        &mut self,
        project: Uuid,
        field: &str,
        by: &Arc<Person>,
    ) -> Result<Vec<Operation>, ApiError> {
        let image = if self.dice.chance(15) {
            Some(self.image(project, by)?)
        } else {
            None
        };
        if self.dice.chance(25) {
            let tail = image
                .map(|url| format!("\n![image.png]({url})\n"))
                .unwrap_or_default();
            let text = format!("{}{tail}", self.dice.markdown());
            return Ok(vec![
                Operation::field(field, text),
                Operation::markdown(field),
            ]);
        }
        let tail = image
            .map(|url| format!("<div><img src=\"{url}\" alt=\"image.png\"></div>"))
            .unwrap_or_default();
        let text = format!("{}{tail}", self.dice.html());
        Ok(vec![Operation::field(field, text)])
    }
}

/// Makes a work item of some type.
pub(crate) fn create(maker: &mut Maker, place: &Place) -> Result<u32, ApiError> {
    let kind = *maker.dice.pick(place.kinds());
    let title = maker.subject();
    create_as(maker, place, kind, &title)
}

pub(crate) fn create_as(
    maker: &mut Maker,
    place: &Place,
    kind: &str,
    title: &str,
) -> Result<u32, ApiError> {
    let by = maker.person();
    let priority = 1 + maker.dice.below(4);
    let mut patch = vec![
        Operation::field("System.Title", title),
        Operation::field("Microsoft.VSTS.Common.Priority", priority),
    ];
    patch.push(Operation::field(
        "System.AreaPath",
        maker.dice.pick(&place.areas).clone(),
    ));
    patch.push(Operation::field(
        "System.IterationPath",
        maker.dice.pick(&place.iterations).clone(),
    ));
    if maker.dice.chance(85) {
        patch.extend(maker.long_field(place.project, DESCRIPTION, &by)?);
    }
    if maker.dice.chance(70) {
        patch.push(Operation::field(
            "System.AssignedTo",
            maker.person().combined(),
        ));
    }
    if maker.dice.chance(40) {
        patch.push(Operation::field("System.Tags", maker.tags()));
    }
    patch.extend(of_kind(maker, place.project, kind, &by)?);
    maker.with(|organization| {
        Ok(write::create(
            organization,
            place.project,
            kind,
            &patch,
            &by,
            Options::default(),
        )?
        .id)
    })
}

/// Fields that only some types have.
fn of_kind(
    maker: &mut Maker,
    project: Uuid,
    kind: &str,
    by: &Arc<Person>,
) -> Result<Vec<Operation>, ApiError> {
    let scheduling = "Microsoft.VSTS.Scheduling";
    Ok(match kind {
        "Bug" => {
            let mut patch = maker.long_field(project, "Microsoft.VSTS.TCM.ReproSteps", by)?;
            let severity = "Microsoft.VSTS.Common.Severity";
            patch.push(Operation::field(severity, "3 - Medium"));
            patch
        }
        "User Story" | "Product Backlog Item" | "Requirement" => {
            let (criteria, points) = (maker.dice.html(), f64::from(1 + maker.dice.below(13)));
            vec![
                Operation::field("Microsoft.VSTS.Common.AcceptanceCriteria", criteria),
                Operation::field(&format!("{scheduling}.StoryPoints"), points),
            ]
        }
        "Task" => {
            let hours = f64::from(maker.dice.below(64)) / 2.0;
            let field = format!("{scheduling}.RemainingWork");
            vec![Operation::field(&field, hours)]
        }
        _ => Vec::new(),
    })
}

/// A work item as an import made it: with dates of long ago, and by somebody who left.
pub(super) fn imported(maker: &mut Maker, place: &Place) -> Result<u32, ApiError> {
    let by = maker.person();
    let options = Options {
        bypass_rules: true,
        validate_only: false,
    };
    let patch = [
        Operation::field("System.Title", "Imported from the old tracker"),
        Operation::field("System.CreatedDate", "2019-03-04T10:20:30.457Z"),
        Operation::field("System.CreatedBy", "Former Employee"),
        Operation::field("System.ChangedDate", "2019-03-04T10:20:30.457Z"),
        Operation::field("System.ChangedBy", "Former Employee"),
        Operation::field("System.History", "<p>Moved here from the old tracker.</p>"),
    ];
    let id = maker.with(|organization| {
        Ok(write::create(organization, place.project, "Task", &patch, &by, options)?.id)
    })?;
    let patch = [
        Operation::field("System.ChangedDate", "2021-08-09T23:59:59.003Z"),
        Operation::field("System.ChangedBy", "Former Employee"),
        Operation::field("System.AssignedTo", "Somebody Unknown"),
    ];
    maker.with(|organization| write::update(organization, id, &patch, &by, options))?;
    Ok(id)
}

/// Type, project, state and kind of a live item.
fn about(
    organization: &Organization,
    id: u32,
) -> Result<(Uuid, Process, String, String), ApiError> {
    let item = organization
        .wit
        .items
        .get(&id)
        .filter(|item| item.deleted.is_none())
        .ok_or_else(|| write::unknown_item(id))?;
    let process = organization
        .project_by_id(item.project)
        .map_or(Process::Agile, |project| project.process);
    let state = organization
        .wit
        .fields
        .find("System.State")
        .map(|field| item.latest().values.text(field).to_owned());
    Ok((
        item.project,
        process,
        item.type_name().to_owned(),
        state.unwrap_or_default(),
    ))
}

pub(crate) fn update(
    maker: &Maker,
    id: u32,
    patch: &[Operation],
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    maker
        .with(|organization| write::update(organization, id, patch, by, Options::default()))
        .map(drop)
}

/// One change of one or more fields, as a revision.
pub(crate) fn revise(maker: &mut Maker, id: u32) -> Result<(), ApiError> {
    let (project, process, kind, state) = maker.with(|organization| about(organization, id))?;
    let by = maker.person();
    let patch = match maker.dice.below(10) {
        0..=2 => {
            let states = WorkItemType::find(process, &kind).map_or(&[][..], |kind| kind.states);
            let next = states
                .iter()
                .position(|(name, _)| *name == state)
                .map_or(0, |at| (at + 1) % states.len().max(1));
            states
                .get(next)
                .map(|(name, _)| Operation::field("System.State", *name))
                .into_iter()
                .collect()
        }
        3 => vec![Operation::field(
            "System.AssignedTo",
            maker.person().combined(),
        )],
        4 => vec![Operation {
            op: "remove".to_owned(),
            path: "/fields/System.AssignedTo".to_owned(),
            value: json!(null),
        }],
        5 => vec![Operation::field("System.Title", maker.subject())],
        6 => maker.long_field(project, DESCRIPTION, &by)?,
        7 => vec![Operation {
            op: "replace".to_owned(),
            ..Operation::field("System.Tags", maker.tags())
        }],
        8 => {
            let place = Place::of(maker, project)?;
            let (area, iteration) = (
                maker.dice.pick(&place.areas).clone(),
                maker.dice.pick(&place.iterations).clone(),
            );
            vec![
                Operation::field("System.AreaPath", area),
                Operation::field("System.IterationPath", iteration),
            ]
        }
        _ => vec![Operation::field(
            "Microsoft.VSTS.Common.Priority",
            1 + maker.dice.below(4),
        )],
    };
    update(maker, id, &patch, &by)
}

/// Attaches a file.
pub(crate) fn attach(
    maker: &mut Maker,
    id: u32,
    name: &str,
    bytes: Vec<u8>,
) -> Result<(), ApiError> {
    let by = maker.person();
    let (project, ..) = maker.with(|organization| about(organization, id))?;
    let attachment = maker.with(|organization| {
        Ok(attachments::store(
            organization,
            name,
            Bytes::from(bytes),
            &by,
        ))
    })?;
    let url = format!(
        "{}/{project}/_apis/wit/attachments/{attachment}",
        maker.base
    );
    let comment = if maker.dice.chance(50) {
        maker.dice.sentence()
    } else {
        String::new()
    };
    let relation = json!({"rel": "AttachedFile", "url": url, "attributes": {"name": name, "comment": comment}});
    update(maker, id, &[Operation::relation(relation)], &by)
}

/// Attaches a small file of some kind.
pub(crate) fn attach_some(maker: &mut Maker, id: u32) -> Result<(), ApiError> {
    let (name, bytes) = files::small(&mut maker.dice, id);
    attach(maker, id, &name, bytes)
}

/// Moves a task to another project, where it starts again.
pub(super) fn move_to(maker: &mut Maker, id: u32, place: &Place) -> Result<(), ApiError> {
    let by = maker.person();
    let state = WorkItemType::find(place.process, "Task").map_or("New", |kind| kind.states[0].0);
    let patch = [
        Operation::field("System.TeamProject", place.name.clone()),
        Operation::field("System.AreaPath", place.name.clone()),
        Operation::field("System.IterationPath", place.name.clone()),
        Operation::field("System.State", state),
    ];
    update(maker, id, &patch, &by)
}
