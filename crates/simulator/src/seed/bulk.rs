//! One project with very many work items of one revision each, and many small repositories with one history, for benchmarks.

use std::collections::HashSet;
use std::sync::Arc;

use uuid::Uuid;

use super::organization::{self, Plan};
use super::{Maker, repositories};
use crate::core::Process;
use crate::git;
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
/// Among the values of the first items is every text that many items have.
const TYPICAL: u32 = 64;
const COMMITS: u32 = 3;

pub(super) async fn fill(
    maker: &mut Maker,
    work_items: u32,
    bytes: u32,
    repositories: u32,
) -> Result<(), ApiError> {
    let project = organization::project(maker, &PLAN)?;
    histories(maker, project, repositories).await?;
    items(maker, project, work_items, bytes)
}

/// The first repository gets a history, and all others the same.
async fn histories(maker: &mut Maker, project: Uuid, count: u32) -> Result<(), ApiError> {
    let mut fixture = None;
    for number in 1..=count {
        let name = format!("repository-{number:04}");
        let id = repositories::create(maker, project, &name)?;
        let bare = repositories::bare(maker, id)?;
        let Some((first, refs)) = &fixture else {
            let commits = repositories::line(maker, "main", COMMITS, 0);
            maker.push(id, &commits).await?;
            let refs = bare.tips().await?;
            fixture = Some((bare, refs));
            continue;
        };
        bare.copy_from(first, refs)?;
        let person = maker.person();
        let nothing = std::collections::BTreeMap::new();
        git::record(&maker.world, &maker.organization, id, &nothing, &person).await?;
    }
    Ok(())
}

fn items(maker: &mut Maker, project: Uuid, count: u32, bytes: u32) -> Result<(), ApiError> {
    let length = bytes.saturating_sub(FRAME).max(1) as usize;
    let world = maker.world.clone();
    let mut guard = world.write();
    let organization = guard.organization_mut(&maker.organization)?;
    let mut texts = HashSet::new();
    for number in 0..count {
        let by = Arc::clone(&maker.people[number as usize % maker.people.len()]);
        let id = create(
            organization,
            project,
            number,
            &maker.dice.title(),
            &maker.dice.prose(length),
            &by,
        )?;
        // A million items fit into memory when they share what they have in common.
        if let Some(item) = organization.wit.items.get_mut(&id) {
            item.share_texts(&mut texts, number < TYPICAL);
        }
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
) -> Result<u32, ApiError> {
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
    .map(|item| item.id)
}
