//! The second act of the demonstration: what happens in an organization between two backups.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::core::teams;
use crate::git;
use crate::seed::items::{self, Place};
use crate::seed::links::BETWEEN;
use crate::seed::words::Dice;
use crate::seed::{Maker, discussion, links, organization, repositories, wikis};
use crate::server::ApiError;
use crate::wit::nodes::Structure;
use crate::wit::patch::Operation;
use crate::wit::write::{self, Options};
use crate::world::SharedWorld;

/// Changes, adds and deletes things of every kind in an organization that a seed filled; says what, with the ids.
pub(crate) async fn demonstrate(
    world: &SharedWorld,
    organization: &str,
) -> Result<Value, ApiError> {
    let mut maker = Maker::new(world, organization);
    maker.dice = Dice::new(77);
    let project = maker.with(|organization| {
        organization
            .core
            .projects
            .first()
            .map(|project| project.id)
            .ok_or_else(|| ApiError::no_project(""))
    })?;
    maker.pass_time(600)?;
    let work = work(&mut maker, project)?;
    let code = code(&mut maker, project).await?;
    let (team, iteration) = structure(&maker, project)?;
    Ok(json!({
        "project": project,
        "workItems": work,
        "repositories": code,
        "teams": {"added": [team]},
        "iterations": {"added": [iteration]},
    }))
}

/// Live items of the organization, the oldest first.
fn live(maker: &Maker) -> Result<Vec<u32>, ApiError> {
    maker.with(|organization| {
        Ok(organization
            .wit
            .items
            .values()
            .filter(|item| item.deleted.is_none())
            .map(|item| item.id)
            .collect())
    })
}

/// `count` of the items, evenly spread and shifted, so that the acts meet different ones.
fn spread(all: &[u32], count: usize, shift: usize) -> Vec<u32> {
    let step = (all.len() / count.max(1)).max(1);
    all.iter()
        .skip(shift)
        .step_by(step)
        .take(count)
        .copied()
        .collect()
}

fn work(maker: &mut Maker, project: Uuid) -> Result<Value, ApiError> {
    let all = live(maker)?;
    // Twelve items, as the smallest seed has, bear one act of each kind.
    let count = (all.len() / 25).clamp(1, 20);
    let without = |all: &[u32], gone: &[u32]| -> Vec<u32> {
        all.iter()
            .copied()
            .filter(|id| !gone.contains(id))
            .collect()
    };
    let deleted = spread(&all, count.min(8), 3);
    let rest = without(&all, &deleted);
    let destroyed = spread(&rest, count.min(3), 3);
    let rest = without(&rest, &destroyed);
    let edited = spread(&rest, count, 0);
    for id in &edited {
        items::revise(maker, *id)?;
        maker.pass_time(20)?;
    }
    let commented = spread(&rest, count.min(10), 1);
    for id in &commented {
        discussion::comment(maker, *id)?;
    }
    let changed_comments = recomment(maker, &rest, count.min(4))?;
    let attached = spread(&rest, count.min(5), 2);
    for id in &attached {
        items::attach_some(maker, *id)?;
    }
    let (linked, unlinked) = relink(maker, &rest, count)?;
    let place = Place::of(maker, project)?;
    let created = (0..count)
        .map(|_| items::create(maker, &place))
        .collect::<Result<Vec<u32>, _>>()?;
    let by = maker.person();
    for id in &deleted {
        maker.with(|organization| write::delete(organization, *id, &by))?;
    }
    for id in &destroyed {
        maker.with(|organization| write::delete(organization, *id, &by))?;
        maker.with(|organization| write::destroy(organization, *id, &by))?;
    }
    Ok(json!({
        "edited": edited,
        "commented": commented,
        "commentsChanged": changed_comments,
        "attached": attached,
        "linked": linked,
        "unlinked": unlinked,
        "created": created,
        "deleted": deleted,
        "destroyed": destroyed,
    }))
}

/// Edits and deletes comments in turn; says of which items.
fn recomment(maker: &mut Maker, rest: &[u32], count: usize) -> Result<Vec<u32>, ApiError> {
    let with_comments: Vec<u32> = maker.with(|organization| {
        let items = &organization.wit.items;
        let has = |id: &&u32| items.get(id).is_some_and(|item| item.comment_count() > 0);
        Ok(rest.iter().filter(has).copied().collect())
    })?;
    let mut changed = Vec::new();
    for (number, id) in spread(&with_comments, count, 0).into_iter().enumerate() {
        let done = if number.is_multiple_of(2) {
            discussion::edit(maker, id)?
        } else {
            discussion::delete(maker, id)?
        };
        changed.extend(done.then_some(id));
    }
    Ok(changed)
}

type Pairs = Vec<[u32; 2]>;

/// Adds links between neighbors and removes others.
fn relink(maker: &mut Maker, rest: &[u32], count: usize) -> Result<(Pairs, Pairs), ApiError> {
    let mut linked = Vec::new();
    let mut unlinked = Vec::new();
    for (number, pair) in rest
        .windows(2)
        .step_by((rest.len() / count).max(2))
        .take(count)
        .enumerate()
    {
        // The two may have one of the kinds already.
        for kind in BETWEEN
            .iter()
            .cycle()
            .skip(1 + number % 2)
            .take(BETWEEN.len())
        {
            if links::between(maker, pair[1], pair[0], kind)? {
                linked.push([pair[1], pair[0]]);
                break;
            }
        }
    }
    for id in spread(rest, count.min(4), rest.len() / 2) {
        unlinked.extend(links::unlink(maker, id)?.map(|other| [id, other]));
    }
    Ok((linked, unlinked))
}

/// A branch of the project's repositories to work on: `(repository, branches without the default one, default)`.
struct Candidate {
    id: Uuid,
    name: String,
    default: String,
    others: Vec<String>,
}

async fn candidates(maker: &Maker, project: Uuid) -> Result<Vec<Candidate>, ApiError> {
    let mut found: Vec<(Uuid, String, String, git::bare::Bare)> = maker.with(|organization| {
        let usable = organization.git.live().filter(|repository| {
            repository.project == project && !repository.hidden && !repository.disabled
        });
        Ok(usable
            .filter_map(|r| {
                Some((
                    r.id,
                    r.name.clone(),
                    r.default_branch.clone()?,
                    r.bare.clone(),
                ))
            })
            .collect())
    })?;
    found.sort_by(|one, two| one.1.cmp(&two.1));
    let mut candidates = Vec::new();
    for (id, name, default, bare) in found {
        let others = bare
            .tips()
            .await?
            .into_keys()
            .filter(|name| name.starts_with("refs/heads/") && *name != default)
            .collect();
        candidates.push(Candidate {
            id,
            name,
            default,
            others,
        });
    }
    Ok(candidates)
}

async fn code(maker: &mut Maker, project: Uuid) -> Result<Value, ApiError> {
    let candidates = candidates(maker, project).await?;
    let Some(first) = candidates.first() else {
        return Ok(Value::Null);
    };
    let branch = first.default.trim_start_matches("refs/heads/").to_owned();
    let more = repositories::line(maker, &branch, 2, 500);
    maker.push(first.id, &more).await?;
    let mut summary = json!({"committed": {"id": first.id, "ref": first.default}});
    // The one with most branches loses one and has another rewritten.
    if let Some(busy) = candidates
        .iter()
        .max_by_key(|candidate| candidate.others.len())
    {
        if let Some(reference) = busy.others.first() {
            let mut forced =
                repositories::line(maker, reference.trim_start_matches("refs/heads/"), 2, 520);
            forced[0].from = Some(format!("{}~1", busy.default));
            maker.push(busy.id, &forced).await?;
            summary["forcePushed"] = json!({"id": busy.id, "ref": reference});
        }
        if let Some(reference) = busy.others.get(1) {
            maker
                .move_refs(busy.id, &format!("delete {reference}\n"))
                .await?;
            summary["branchDeleted"] = json!({"id": busy.id, "ref": reference});
        }
    }
    let new = repositories::create(maker, project, "Added Later")?;
    let content = repositories::line(maker, "main", 5, 540);
    maker.push(new, &content).await?;
    summary["added"] = json!({"id": new, "name": "Added Later"});
    if let Some(last) = candidates
        .iter()
        .rev()
        .find(|candidate| candidate.id != first.id)
    {
        let by = maker.person();
        maker.with(|organization| {
            git::discard(organization, last.id, &by);
            git::destroy(organization, last.id)
        })?;
        summary["destroyed"] = json!({"id": last.id, "name": last.name});
    }
    summary["wikiPage"] = wiki_page(maker, project).await?;
    Ok(summary)
}

async fn wiki_page(maker: &mut Maker, project: Uuid) -> Result<Value, ApiError> {
    let found = maker.with(|organization| Ok(crate::wiki::project_wiki(organization, project)))?;
    let Some(wiki) = found else {
        return Ok(Value::Null);
    };
    let text = format!("# Welcome back\n\n{}\n", maker.dice.paragraph());
    wikis::change_page(maker, wiki, "Home.md", text).await?;
    Ok(json!({"wiki": wiki, "path": "/Home"}))
}

fn structure(maker: &Maker, project: Uuid) -> Result<(Uuid, &'static str), ApiError> {
    let team = maker.with(|organization| {
        let team = teams::create(
            organization,
            project,
            "Night Shift",
            "Added between two backups",
        )?;
        let person = Arc::clone(&maker.people[0]);
        teams::add_member(organization, team, &person, true);
        Ok(team)
    })?;
    let mut attributes = Map::new();
    attributes.insert("startDate".to_owned(), json!("2026-06-01T00:00:00Z"));
    attributes.insert("finishDate".to_owned(), json!("2026-06-12T00:00:00Z"));
    maker.with(|organization| {
        organization::node(
            organization,
            project,
            Structure::Iteration,
            "Sprint 99",
            attributes,
        )
    })?;
    Ok((team, "Sprint 99"))
}

/// Gives `count` work items, evenly spread, another title, as one revision each; says which.
pub(crate) fn bulk(
    world: &SharedWorld,
    organization: &str,
    count: usize,
) -> Result<Value, ApiError> {
    let mut guard = world.write();
    let organization = guard.organization_mut(organization)?;
    let all: Vec<u32> = organization
        .wit
        .items
        .values()
        .filter(|item| item.deleted.is_none())
        .map(|item| item.id)
        .collect();
    let by = organization.people.administrator();
    let mut dice =
        Dice::new(u64::from(organization.wit.last_item) + organization.wit.log.len() as u64);
    let changed = spread(&all, count, 0);
    for id in &changed {
        let patch = [Operation::field("System.Title", dice.title())];
        write::update(organization, *id, &patch, &by, Options::default())?;
    }
    Ok(json!({"changed": changed}))
}
