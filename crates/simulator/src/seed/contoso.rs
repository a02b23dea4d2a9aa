//! The organization of the demonstration.

use std::path::Path;

use uuid::Uuid;

use super::items::Place;
use super::links::{Artifact, BETWEEN};
use super::organization::{self, Plan};
use super::words::FOREIGN;
use super::{Maker, discussion, items, links, repositories, wikis};
use crate::core::Process;
use crate::server::ApiError;
use crate::wit::write;

const MAIN: Plan = Plan {
    name: "Adventure Works",
    description: "Web shop and its services",
    process: Process::Agile,
    teams: &[
        ("Checkout", "Cart and payment"),
        ("Búsqueda", "Search, in every language"),
        ("Platform", ""),
    ],
    areas: &[
        "Shop",
        "Shop\\Cart",
        "Shop\\Search",
        "Platform",
        "Platform\\Identity",
        "Platform\\Größe und Maße",
    ],
    iterations: &[
        "Release 1",
        "Release 1\\Sprint 1",
        "Release 1\\Sprint 2",
        "Release 2",
        "Release 2\\Sprint 3",
        "Release 2\\Спринт 4",
    ],
};
const SECOND: Plan = Plan {
    name: "Fabrikam Fiber",
    description: "Network of the regions",
    process: Process::Scrum,
    teams: &[("Field Service", "")],
    areas: &["North", "South", "South\\Islands"],
    iterations: &["Sprint 1", "Sprint 2", "Sprint 3"],
};
const THIRD: Plan = Plan {
    name: "製品カタログ",
    description: "商品データの管理",
    process: Process::Basic,
    teams: &[("翻訳チーム", "多言語対応")],
    areas: &["商品", "商品\\写真"],
    iterations: &["第一期", "第二期"],
};
const EMPTY: Plan = Plan {
    name: "Sandbox",
    description: "",
    process: Process::Agile,
    teams: &[],
    areas: &[],
    iterations: &[],
};

/// Something that will happen to a work item.
#[derive(Clone, Copy)]
enum Act {
    Revise,
    Comment,
    EditComment,
    DeleteComment,
    React,
    Attach,
    Hyperlink,
    Commit,
    Branch,
    Link(usize),
    Unlink,
}

pub(super) async fn fill(
    maker: &mut Maker,
    history: Option<&Path>,
    work_items: u32,
) -> Result<(), ApiError> {
    let main = organization::project(maker, &MAIN)?;
    let second = organization::project(maker, &SECOND)?;
    let third = organization::project(maker, &THIRD)?;
    organization::project(maker, &EMPTY)?;
    let artifact = code(maker, main, second, third, history).await?;
    let places = [
        Place::of(maker, main)?,
        Place::of(maker, second)?,
        Place::of(maker, third)?,
    ];
    work(maker, &places, &artifact, work_items)
}

async fn code(
    maker: &mut Maker,
    main: Uuid,
    second: Uuid,
    third: Uuid,
    history: Option<&Path>,
) -> Result<Artifact, ApiError> {
    let shop = repositories::find(maker, main, MAIN.name)?;
    repositories::ordinary(maker, shop, 120).await?;
    let product = repositories::create(maker, main, "Product")?;
    repositories::history(maker, product, history).await?;
    let design = repositories::create(maker, main, "Design Assets")?;
    repositories::with_lfs(maker, design).await?;
    let services = repositories::create(maker, main, "Services")?;
    repositories::eventful(maker, services).await?;
    let foreign = repositories::create(maker, main, "Übersetzungen")?;
    repositories::foreign(maker, foreign).await?;
    repositories::create(maker, main, "Nothing Yet")?;
    repositories::fork(maker, second, "Services.fork", services).await?;
    let fiber = repositories::find(maker, second, SECOND.name)?;
    let line = repositories::line(maker, "master", 25, 0);
    maker.push(fiber, &line).await?;
    let catalog = repositories::find(maker, third, THIRD.name)?;
    let line = repositories::line(maker, "main", 8, 0);
    maker.push(catalog, &line).await?;
    wikis::project_wiki(maker, main, "Adventure Works.wiki").await?;
    wikis::code_wiki(maker, main, "Shop documentation", shop, "/docs")?;
    wikis::project_wiki(maker, third, "製品カタログ.wiki").await?;
    let commit = repositories::object(maker, shop, "refs/heads/main").await?;
    Ok(Artifact {
        project: main,
        repository: shop,
        commit,
    })
}

/// What will happen to the work item with the number, counted from 0.
fn fate(maker: &mut Maker, number: u32) -> Vec<Act> {
    let mut acts = vec![Act::Revise; 1 + maker.dice.below(4) as usize];
    if matches!(number % 5, 0 | 2) {
        acts.extend(vec![Act::Comment; 1 + maker.dice.below(3) as usize]);
        match number % 15 {
            0 => acts.extend([Act::EditComment, Act::React]),
            5 => acts.extend([Act::Comment, Act::DeleteComment]),
            10 => acts.extend([Act::EditComment, Act::EditComment, Act::React, Act::React]),
            _ => {}
        }
        acts.push(Act::Attach);
    }
    if number % 4 == 1 {
        acts.push(Act::Hyperlink);
    }
    match number % 9 {
        0 => acts.push(Act::Commit),
        4 => acts.push(Act::Branch),
        _ => {}
    }
    acts.push(Act::Link(number as usize % BETWEEN.len()));
    if number.is_multiple_of(2) {
        acts.push(Act::Link(0));
    }
    if number % 11 == 3 {
        acts.push(Act::Unlink);
    }
    acts
}

/// Items come into being while others change, so that the streams interleave them.
fn work(
    maker: &mut Maker,
    places: &[Place; 3],
    artifact: &Artifact,
    count: u32,
) -> Result<(), ApiError> {
    let mut waiting: Vec<(u32, Act)> = Vec::new();
    let mut made: Vec<u32> = Vec::new();
    for number in 0..count {
        let place = &places[match maker.dice.below(10) {
            0..=5 => 0,
            6..=8 => 1,
            _ => 2,
        }];
        let id = match FOREIGN.get(number as usize) {
            Some(title) => items::create_as(maker, place, "Task", title)?,
            None => items::create(maker, place)?,
        };
        made.push(id);
        let fate = fate(maker, number);
        waiting.extend(fate.into_iter().map(|act| (id, act)));
        maker.pass_time(200)?;
        for _ in 0..maker.dice.below(12) {
            happen(maker, &mut waiting, &made, artifact)?;
        }
    }
    while !waiting.is_empty() {
        happen(maker, &mut waiting, &made, artifact)?;
    }
    specials(maker, places, &made)?;
    // Those in the recycle bin do not count.
    let live = maker.with(|organization| {
        let live = organization
            .wit
            .items
            .values()
            .filter(|item| item.deleted.is_none());
        Ok(live.count() as u32)
    })?;
    for _ in live..count {
        items::create(maker, &places[0])?;
    }
    Ok(())
}

fn happen(
    maker: &mut Maker,
    waiting: &mut Vec<(u32, Act)>,
    made: &[u32],
    artifact: &Artifact,
) -> Result<(), ApiError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let at = maker.dice.below(waiting.len() as u32) as usize;
    let (id, act) = waiting.swap_remove(at);
    maker.pass_time(90)?;
    match act {
        Act::Revise => items::revise(maker, id),
        Act::Comment => discussion::comment(maker, id),
        Act::EditComment => discussion::edit(maker, id).map(drop),
        Act::DeleteComment => discussion::delete(maker, id).map(drop),
        Act::React => discussion::react(maker, id),
        Act::Attach => items::attach_some(maker, id),
        Act::Hyperlink => links::hyperlink(maker, id),
        Act::Commit => links::artifact(maker, id, artifact, true),
        Act::Branch => links::artifact(maker, id, artifact, false),
        Act::Link(kind) => match earlier(maker, made, id) {
            Some(other) => links::between(maker, id, other, BETWEEN[kind]).map(drop),
            None => Ok(()),
        },
        Act::Unlink => links::unlink(maker, id).map(drop),
    }
}

/// Some item that is older, not far away.
fn earlier(maker: &mut Maker, made: &[u32], id: u32) -> Option<u32> {
    let place = made.iter().position(|own| *own == id)?;
    let reach = place.min(25) as u32;
    (reach > 0).then(|| made[place - 1 - maker.dice.below(reach) as usize])
}

/// A large file, a long history, an import, a move to another project, the recycle bin.
fn specials(maker: &mut Maker, places: &[Place; 3], made: &[u32]) -> Result<(), ApiError> {
    let Some(first) = made.first().copied() else {
        return Ok(());
    };
    let film = maker.dice.bytes(3_400_000);
    items::attach(maker, first, "walkthrough.mp4", film)?;
    for _ in 0..25 {
        maker.pass_time(30)?;
        items::revise(maker, first)?;
    }
    items::imported(maker, &places[0])?;
    let wanderer = items::create_as(maker, &places[0], "Task", "Moves to another project")?;
    items::move_to(maker, wanderer, &places[1])?;
    let by = maker.person();
    for id in made
        .iter()
        .rev()
        .step_by(17)
        .take(6)
        .copied()
        .collect::<Vec<_>>()
    {
        maker.pass_time(30)?;
        maker.with(|organization| write::delete(organization, id, &by))?;
    }
    let last = items::create(maker, &places[0])?;
    maker.with(|organization| write::delete(organization, last, &by))?;
    maker.with(|organization| write::destroy(organization, last, &by))
}
