//! A tiny organization for tests: a few of everything.

use super::items::Place;
use super::links::Artifact;
use super::organization::{self, Plan};
use super::{Maker, discussion, items, links, repositories, wikis};
use crate::core::Process;
use crate::server::ApiError;

const FIRST: Plan = Plan {
    name: "Main Project",
    description: "The first",
    process: Process::Agile,
    teams: &[("Second Team", "")],
    areas: &["Area 1", "Area 1\\Größe"],
    iterations: &["Sprint 1", "Sprint 2"],
};
const SECOND: Plan = Plan {
    name: "Проект",
    description: "",
    process: Process::Scrum,
    teams: &[],
    areas: &[],
    iterations: &[],
};

/// Two projects whose own repositories are one with LFS and an empty one, a wiki, and 12 work items.
pub(super) async fn fill(maker: &mut Maker) -> Result<(), ApiError> {
    let first = organization::project(maker, &FIRST)?;
    let second = organization::project(maker, &SECOND)?;
    let repository = repositories::find(maker, first, FIRST.name)?;
    repositories::with_lfs(maker, repository).await?;
    let mut branch = repositories::line(maker, "develop", 2, 5);
    branch[0].from = Some("refs/heads/main".to_owned());
    maker.push(repository, &branch).await?;
    wikis::project_wiki(maker, first, "Main Project.wiki").await?;
    let commit = repositories::object(maker, repository, "refs/heads/main").await?;
    let artifact = Artifact {
        project: first,
        repository,
        commit,
    };
    let places = [Place::of(maker, first)?, Place::of(maker, second)?];
    let mut made = Vec::new();
    for number in 0..12 {
        let place = &places[usize::from(number % 4 == 3)];
        let id = items::create(maker, place)?;
        items::revise(maker, id)?;
        if number % 3 == 0 {
            discussion::comment(maker, id)?;
            items::attach_some(maker, id)?;
        }
        if let Some(earlier) = made.last() {
            links::between(maker, id, *earlier, links::BETWEEN[number % 3])?;
        }
        made.push(id);
    }
    discussion::edit(maker, made[0])?;
    links::hyperlink(maker, made[1])?;
    links::artifact(maker, made[2], &artifact, true)
}
