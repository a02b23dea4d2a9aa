//! One project with very many work items of one revision each, for benchmarks.

use std::sync::Arc;

use uuid::Uuid;

use super::Maker;
use super::organization::{self, Plan};
use crate::core::Process;
use crate::server::ApiError;
use crate::wit::patch::Operation;
use crate::wit::write::{self, Options};
use crate::world::{Organization, Person};

const PLAN: Plan = Plan {
    name: "Bulk",
    description: "",
    process: Process::Agile,
    teams: &[],
    areas: &["One", "Two", "Three"],
    iterations: &["Sprint 1", "Sprint 2"],
};
/// Bytes of an unassigned item's document, with its relations, beside its description.
const FRAME: u32 = 1_780;

pub(super) fn fill(maker: &mut Maker, work_items: u32, bytes: u32) -> Result<(), ApiError> {
    let project = organization::project(maker, &PLAN)?;
    let length = bytes.saturating_sub(FRAME).max(1) as usize;
    let world = maker.world.clone();
    let mut guard = world.write();
    let organization = guard.organization_mut(&maker.organization)?;
    for number in 0..work_items {
        let by = Arc::clone(&maker.people[number as usize % maker.people.len()]);
        create(
            organization,
            project,
            number,
            &maker.dice.title(),
            &maker.dice.prose(length),
            &by,
        )?;
    }
    Ok(())
}

fn create(
    organization: &mut Organization,
    project: Uuid,
    number: u32,
    title: &str,
    text: &str,
    by: &Arc<Person>,
) -> Result<(), ApiError> {
    let area = PLAN.areas[number as usize % PLAN.areas.len()];
    let patch = [
        Operation::field("System.Title", title),
        Operation::field("System.Description", text),
        Operation::field("System.AreaPath", format!("{}\\{area}", PLAN.name)),
        Operation::field(
            "System.IterationPath",
            format!("{}\\{}", PLAN.name, PLAN.iterations[number as usize % 2]),
        ),
        Operation::field("System.Tags", "bulk; load"),
    ];
    write::create(
        organization,
        project,
        "Task",
        &patch,
        by,
        Options::default(),
    )
    .map(drop)
}
