//! Repositories written back: taken out of the recycle bin, or created (or found made by the service) and pushed into.

use model::{Action, Class, Conflict, ItemRef};
use serde::Deserialize;
use service::git::{repository_revision, restore_repository, verify_repository};
use service::http::{Method, segment};
use service::{Client, Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use super::{GIT_REPOSITORY, Repository, detail, list, read_all};
use crate::api::{self, DEV, Paging, STABLE};
use crate::kinds::parts::{self, Stands, failed};
use crate::kinds::project::PROJECT;
use crate::kinds::wiki;

/// By the known id, by the name in the project, then in the recycle bin: the service takes none out of it whose name is taken.
/// One that was asked for by an interrupted restore is left to [`create`], which knows under which name: what has its own name may be
/// somebody else's.
pub(super) async fn find(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
    let pages = list(cx.http).await?;
    let there = read_all(&pages)?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let known = item
            .new_id
            .clone()
            .or_else(|| cx.ids.get(GIT_REPOSITORY, &item.item.id));
        let by_id = there.iter().find(|repository| {
            known
                .as_deref()
                .is_some_and(|id| repository.id.eq_ignore_ascii_case(id))
        });
        if let Some(repository) = by_id {
            all.push(Some(Found {
                id: repository.id.to_string(),
                state: FoundState::Present,
            }));
            continue;
        }
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Repository<'_> = parts::read(&item.item, &document)?;
        let project = cx.ids.get(PROJECT, &stored.project.id);
        let Some(project) = project.filter(|_| !item.open_intent) else {
            all.push(None);
            continue;
        };
        let same = |repository: &&Repository<'_>| {
            *repository.project.id == *project && repository.name.eq_ignore_ascii_case(&stored.name)
        };
        all.push(match there.iter().find(same) {
            Some(repository) => Some(Found {
                id: repository.id.to_string(),
                state: if is_empty(repository) {
                    FoundState::Automatic
                } else {
                    FoundState::Present
                },
            }),
            None if cx.original && in_bin(cx.http, &project, &item.item.id).await? => Some(Found {
                id: item.item.id.clone(),
                state: FoundState::Deleted,
            }),
            None => None,
        });
    }
    Ok(all)
}

/// As the service makes it with a project: nothing in it. One that does not say so may hold anything.
fn is_empty(repository: &Repository<'_>) -> bool {
    repository.size == Some(0) && repository.default_branch.is_none()
}

#[derive(Deserialize)]
struct Binned {
    id: String,
}

async fn in_bin(http: &Client, project: &str, id: &str) -> Result<bool> {
    let path = format!("/{}/_apis/git/recycleBin/repositories", segment(project));
    let Some(pages) = parts::there(api::pages(http, &path, STABLE, Paging::Whole, &[]).await)?
    else {
        return Ok(false);
    };
    for value in pages.values()? {
        let binned: Binned = serde_json::from_str(value.get())
            .map_err(|error| Error::malformed(format!("recycle bin: {error}")))?;
        if binned.id.eq_ignore_ascii_case(id) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) async fn create(cx: &Restore<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let outcome = match item.action {
            Action::Skip | Action::Export | Action::Remove => Ok(Outcome::Unchanged),
            _ => restore_one(cx, item).await,
        };
        outcomes.push(outcome.or_else(failed)?);
    }
    Ok(outcomes)
}

async fn restore_one(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    let document = parts::document(cx.target.stored, &item.item).await?;
    let stored: Repository<'_> = parts::read(&item.item, &document)?;
    let project = cx.target.ids.get(PROJECT, &stored.project.id);
    let project = project.ok_or_else(|| {
        Error::unsupported(format!(
            "{}: project {} is not at the target",
            item.item, stored.project.name
        ))
    })?;
    if item.action == Action::Undelete {
        return undelete(cx, item, &project).await;
    }
    let mut losses = Vec::new();
    let stands = match &item.new_id {
        // What an interrupted restore made stays noted so.
        Some(id) => Stands::Found(id.clone()),
        None => stand(cx, item, &stored, &project, &mut losses).await?,
    };
    let new_id = stands.noted(cx, &item.item).await?;
    losses.extend(fill(cx, &item.item, &stored, &project, &new_id).await?);
    Ok(Outcome::Done { new_id, losses })
}

async fn undelete(cx: &Restore<'_>, item: &StoredItem, project: &str) -> Result<Outcome> {
    let path = format!(
        "/{}/_apis/git/recycleBin/repositories/{}",
        segment(project),
        segment(&item.item.id)
    );
    let http = cx.target.http;
    let call = http.call(Method::PATCH, DEV, &path).version(STABLE);
    let body = serde_json::json!({ "deleted": false });
    parts::intended(cx, item, call.json(&body).send()).await?;
    cx.journal.made(&item.item, &item.item.id).await?;
    Ok(Outcome::Done {
        new_id: item.item.id.clone(),
        losses: Vec::new(),
    })
}

/// The repository to push into: found, or made now.
async fn stand(
    cx: &Restore<'_>,
    item: &StoredItem,
    stored: &Repository<'_>,
    project: &str,
    losses: &mut Vec<String>,
) -> Result<Stands> {
    const BESIDE: &str = "the project has a wiki: these pages are in a repository beside it";
    let http = cx.target.http;
    let pages = list(http).await?;
    let mut here = read_all(&pages)?;
    here.retain(|repository| *repository.project.id == *project);
    let asked = parts::asked(cx, item).await?;
    if let Some(wiki) = wiki::project_wiki_of(cx.target.stored, &stored.id).await? {
        // It was asked for under a name only where it came to stand beside a wiki.
        let there = wiki_there(cx, item, project).await?;
        if there.is_none() && asked.is_none() {
            let making = wiki::create_project_wiki(http, project, &wiki);
            let made = parts::intended(cx, item, making).await?;
            return Ok(Stands::Made(made));
        }
        if let (Some(there), None) = (&there, &asked)
            && let Some(stands) = into(cx, item, there)?
        {
            return Ok(stands);
        }
        losses.push(BESIDE.to_owned());
    }
    if let Some(there) = there(asked.as_deref(), stored, &here)
        && let Some(stands) = into(cx, item, &there)?
    {
        return Ok(stands);
    }
    create_one(cx, item, stored, project, &here, losses).await
}

/// What stands at the target where a repository belongs.
struct There {
    id: String,
    name: String,
    empty: bool,
    /// An interrupted restore made it.
    ours: bool,
}

/// By the name under which it was asked for, then by its own.
fn there(asked: Option<&str>, stored: &Repository<'_>, here: &[Repository<'_>]) -> Option<There> {
    let named = |name: &str, ours: bool| {
        let mut named = here.iter();
        let found = named.find(|repository| repository.name.eq_ignore_ascii_case(name))?;
        Some(There {
            id: found.id.to_string(),
            name: found.name.to_string(),
            empty: is_empty(found),
            ours,
        })
    };
    let ours = asked.and_then(|asked| named(asked, true));
    ours.or_else(|| named(&stored.name, false))
}

/// A project has one wiki of its own, whatever it is called.
async fn wiki_there(cx: &Restore<'_>, item: &StoredItem, project: &str) -> Result<Option<There>> {
    let http = cx.target.http;
    let Some(wiki) = wiki::project_wiki(http, project).await? else {
        return Ok(None);
    };
    let answer = detail(http, project, &wiki.repository).await?;
    let repository: Repository<'_> = answer.json()?;
    Ok(Some(There {
        empty: is_empty(&repository),
        ours: item.open_intent,
        name: repository.name.into_owned(),
        id: wiki.repository,
    }))
}

/// The repository to push into, which overwrites its branches; `None` for a new one.
fn into(cx: &Restore<'_>, item: &StoredItem, there: &There) -> Result<Option<Stands>> {
    let replaced = matches!(item.action, Action::Replace | Action::Merge);
    if there.ours {
        return Ok(Some(Stands::Made(there.id.clone())));
    }
    if there.empty || replaced {
        return Ok(Some(Stands::Found(there.id.clone())));
    }
    if cx.conflict == Conflict::Duplicate {
        return Ok(None);
    }
    let message = format!(
        "the project has a repository {} with other content",
        there.name
    );
    Err(Error::new(Class::Conflict, "restore-conflict", message))
}

/// A new repository, or the one that came with its project under another name.
async fn create_one(
    cx: &Restore<'_>,
    item: &StoredItem,
    stored: &Repository<'_>,
    project: &str,
    here: &[Repository<'_>],
    losses: &mut Vec<String>,
) -> Result<Stands> {
    let http = cx.target.http;
    if let Some(automatic) = lone(cx, stored, here).await? {
        // It is nothing of ours, so no intent is noted: under its new name a resumed restore finds it, empty, as any other one.
        let path = format!(
            "/{}/_apis/git/repositories/{}",
            segment(project),
            segment(&automatic)
        );
        http.call(Method::PATCH, DEV, &path)
            .version(STABLE)
            .json(&serde_json::json!({ "name": stored.name }))
            .send()
            .await?;
        return Ok(Stands::Found(automatic));
    }
    let name = free_name(&stored.name, here);
    if name != *stored.name {
        losses.push(format!(
            "the name {} is taken: the repository is called {name}",
            stored.name
        ));
    }
    let path = format!("/{}/_apis/git/repositories", segment(project));
    let body = serde_json::json!({ "name": name, "project": { "id": project } });
    let call = http.call(Method::POST, DEV, &path).version(STABLE);
    let answer = parts::asked_as(cx, item, &name, call.json(&body).send()).await?;
    let made = answer.json::<Repository<'_>>()?.id.into_owned();
    Ok(Stands::Made(made))
}

/// What the service made together with a project, when nothing in the snapshot is for it: it would stay beside the restored ones, empty.
async fn lone(
    cx: &Restore<'_>,
    stored: &Repository<'_>,
    here: &[Repository<'_>],
) -> Result<Option<String>> {
    let [only] = here else { return Ok(None) };
    let automatic = !cx.target.original && is_empty(only) && only.name == only.project.name;
    if automatic && !stored_name_in_project(cx, stored, &only.name).await? {
        return Ok(Some(only.id.to_string()));
    }
    Ok(None)
}

fn free_name(name: &str, here: &[Repository<'_>]) -> String {
    let taken = |name: &str| {
        here.iter()
            .any(|repository| repository.name.eq_ignore_ascii_case(name))
    };
    let mut free = name.to_owned();
    let mut number = 1;
    while taken(&free) {
        free = if number == 1 {
            format!("{name} (restored)")
        } else {
            format!("{name} (restored {number})")
        };
        number += 1;
    }
    free
}

/// Whether the snapshot has a repository of this name in the same project: then the automatic one is for that.
async fn stored_name_in_project(
    cx: &Restore<'_>,
    stored: &Repository<'_>,
    name: &str,
) -> Result<bool> {
    for id in cx.target.stored.ids(GIT_REPOSITORY, "").await? {
        let item = ItemRef::new(GIT_REPOSITORY, "", &id);
        let document = parts::document(cx.target.stored, &item).await?;
        let other: Repository<'_> = parts::read(&item, &document)?;
        let in_project = other.project.id == stored.project.id;
        if in_project
            && (other.name.eq_ignore_ascii_case(name)
                || (other.name == stored.project.name && *name == *stored.project.name))
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Pushes the content, then what can only be set once it is there.
async fn fill(
    cx: &Restore<'_>,
    item: &ItemRef,
    stored: &Repository<'_>,
    project: &str,
    id: &str,
) -> Result<Vec<String>> {
    let http = cx.target.http;
    let answer = detail(http, project, id).await?;
    let there: Repository<'_> = answer.json()?;
    let mut losses = restore_repository(cx, item, &there.remote(http)).await?;
    let path = format!(
        "/{}/_apis/git/repositories/{}",
        segment(project),
        segment(id)
    );
    if is_itself(&cx.target, item, id) && there.name != stored.name {
        losses.extend(rename(http, &path, &there.name, &stored.name).await?);
    }
    if let Some(branch) = &stored.default_branch {
        let now = detail(http, project, id).await?;
        if now.json::<Repository<'_>>()?.default_branch.as_ref() != Some(branch) {
            http.call(Method::PATCH, DEV, &path)
                .version(STABLE)
                .json(&serde_json::json!({ "defaultBranch": branch }))
                .send()
                .await?;
        }
    }
    if stored.is_disabled {
        http.call(Method::PATCH, DEV, &path)
            .version(STABLE)
            .json(&serde_json::json!({ "isDisabled": true }))
            .send()
            .await?;
    }
    Ok(losses)
}

/// Whether it is the one that was backed up, whose name may be another one by now. Others are called as there was room for them.
fn is_itself(cx: &Target<'_>, item: &ItemRef, id: &str) -> bool {
    cx.original && id.eq_ignore_ascii_case(&item.id)
}

/// Gives a repository its name back, unless another one has it by now.
async fn rename(http: &Client, path: &str, from: &str, to: &str) -> Result<Option<String>> {
    let call = http.call(Method::PATCH, DEV, path).version(STABLE);
    match call.json(&serde_json::json!({ "name": to })).send().await {
        Ok(_) => Ok(None),
        Err(error) if error.status == Some(409) => Ok(Some(format!(
            "the name {to} is taken: the repository stays {from}"
        ))),
        Err(error) => Err(error),
    }
}

/// A disabled repository has none that can be read: nothing can be pushed into it either.
pub(super) async fn revisions(
    cx: &Target<'_>,
    items: &[StoredItem],
) -> Result<Vec<Option<String>>> {
    let pages = list(cx.http).await?;
    let there = read_all(&pages)?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let id = item.new_id.as_deref().unwrap_or(&item.item.id);
        let found = there
            .iter()
            .find(|repository| repository.id.eq_ignore_ascii_case(id) && !repository.is_disabled);
        all.push(match found {
            Some(found) => Some(repository_revision(cx, &item.item, &found.remote(cx.http)).await?),
            None => None,
        });
    }
    Ok(all)
}

pub(super) async fn verify(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Repository<'_> = parts::read(&item.item, &document)?;
        let project = cx
            .ids
            .get(PROJECT, &stored.project.id)
            .unwrap_or_else(|| stored.project.id.to_string());
        let id = item.new_id.as_deref().unwrap_or(&item.item.id);
        let answer = match detail(cx.http, &project, id).await {
            Ok(answer) => answer,
            // The service says that a repository is gone in the words for one that may not be read; this one could be, a moment ago.
            Err(error) if error.status == Some(404) => {
                all.push(vec![service::GONE.to_owned()]);
                continue;
            }
            Err(error) => return Err(error),
        };
        let there: Repository<'_> = answer.json()?;
        let mut differences = parts::Differences::default();
        if is_itself(cx, &item.item, id) {
            differences.compare("name", &stored.name, &there.name);
        }
        differences.compare(
            "default branch",
            stored.default_branch.as_deref().unwrap_or_default(),
            there.default_branch.as_deref().unwrap_or_default(),
        );
        if !there.is_disabled {
            differences
                .0
                .extend(verify_repository(cx, &item.item, &there.remote(cx.http)).await?);
        }
        all.push(differences.0);
    }
    Ok(all)
}
