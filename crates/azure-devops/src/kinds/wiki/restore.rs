//! Wikis written back: a project wiki brings its hidden repository, a code wiki shows a repository that was restored before.

use model::{Action, ItemRef};
use service::git::restore_repository;
use service::http::{Method, segment};
use service::{Client, Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use super::{WIKI, Wiki, list, read_all};
use crate::api::{DEV, STABLE};
use crate::kinds::git_repository::{self, GIT_REPOSITORY, Repository};
use crate::kinds::parts::{self, Stands, failed};
use crate::kinds::project::PROJECT;

/// The wiki at the target that stands for a stored one, in the project that stands for its own: by id, as the only project wiki, or by name.
fn matching<'w, 'a>(
    cx: &Target<'_>,
    there: &'w [Wiki<'a>],
    item: &StoredItem,
    stored: &Wiki<'_>,
) -> Option<&'w Wiki<'a>> {
    let known = item
        .new_id
        .clone()
        .or_else(|| cx.ids.get(WIKI, &item.item.id));
    let project = cx.ids.get(PROJECT, &stored.project)?;
    let mut here = there
        .iter()
        .filter(|wiki| wiki.project.eq_ignore_ascii_case(&project));
    let by_id = here.clone().find(|wiki| {
        known
            .as_deref()
            .is_some_and(|id| wiki.id.eq_ignore_ascii_case(id))
    });
    by_id.or_else(|| {
        here.find(|wiki| {
            if stored.is_project_wiki() {
                wiki.is_project_wiki()
            } else {
                wiki.name.eq_ignore_ascii_case(&stored.name)
            }
        })
    })
}

pub(super) async fn find(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
    let pages = list(cx.http).await?;
    let there = read_all(&pages)?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Wiki<'_> = parts::read(&item.item, &document)?;
        all.push(matching(cx, &there, item, &stored).map(|wiki| Found {
            id: wiki.id.to_string(),
            state: if came_with_repository(cx, item, &stored, wiki) {
                FoundState::Automatic
            } else {
                FoundState::Present
            },
        }));
    }
    Ok(all)
}

/// Whether a project wiki stands there because its repository was restored: it is over that repository, as it would have been made.
fn came_with_repository(
    cx: &Target<'_>,
    item: &StoredItem,
    stored: &Wiki<'_>,
    there: &Wiki<'_>,
) -> bool {
    let repository = cx.ids.get(GIT_REPOSITORY, &stored.repository);
    let path = |wiki: &Wiki<'_>| wiki.path.as_deref().unwrap_or("/").to_owned();
    stored.is_project_wiki()
        && !there.id.eq_ignore_ascii_case(&item.item.id)
        && repository.is_some_and(|id| id.eq_ignore_ascii_case(&there.repository))
        && stored.name.eq_ignore_ascii_case(&there.name)
        && path(stored) == path(there)
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
    let http = cx.target.http;
    let document = parts::document(cx.target.stored, &item.item).await?;
    let stored: Wiki<'_> = parts::read(&item.item, &document)?;
    let project = cx.target.ids.get(PROJECT, &stored.project);
    let project = project.ok_or_else(|| {
        Error::unsupported(format!("{}: its project is not at the target", item.item))
    })?;
    let pages = list(http).await?;
    let there = read_all(&pages)?;
    let found = matching(&cx.target, &there, item, &stored);
    // An interrupted restore may have made the wiki, and not have come to its pages.
    let begun = item.action == Action::Create && item.open_intent;
    let pages = found.filter(|_| stored.is_project_wiki());
    let pages = pages.filter(|_| begun || item.action == Action::Replace);
    let found = found.map(|wiki| wiki.id.to_string());
    let stays = found.as_ref().and_then(|id| parts::stays(cx, item, id));
    if let Some(left) = stays {
        return Ok(left);
    }
    let mut losses = Vec::new();
    let stands = match found {
        Some(id) => Stands::Found(id),
        None => Stands::Made(make(cx, item, &stored, &project, &mut losses).await?),
    };
    let new_id = stands.noted(cx, &item.item).await?;
    if let Some(wiki) = pages {
        losses = push_pages(cx, &stored, &project, &wiki.repository).await?;
    }
    Ok(Outcome::Done { new_id, losses })
}

/// The id of the wiki that is made now.
async fn make(
    cx: &Restore<'_>,
    item: &StoredItem,
    stored: &Wiki<'_>,
    project: &str,
    losses: &mut Vec<String>,
) -> Result<String> {
    if !stored.is_project_wiki() {
        return code_wiki(cx, item, stored, project).await;
    }
    let http = cx.target.http;
    let making = create_project_wiki(http, project, &stored.name);
    let repository = parts::intended(cx, item, making).await?;
    *losses = push_pages(cx, stored, project, &repository).await?;
    let made = project_wiki(http, project).await?;
    made.map(|wiki| wiki.id)
        .ok_or_else(|| Error::malformed("the new wiki is not in the list of wikis"))
}

/// A project's own wiki.
pub(crate) struct ProjectWiki {
    pub(crate) id: String,
    /// The hidden one that holds its pages.
    pub(crate) repository: String,
}

pub(crate) async fn project_wiki(http: &Client, project: &str) -> Result<Option<ProjectWiki>> {
    let pages = list(http).await?;
    let there = read_all(&pages)?;
    let wiki = there
        .iter()
        .find(|wiki| wiki.is_project_wiki() && wiki.project.eq_ignore_ascii_case(project));
    Ok(wiki.map(|wiki| ProjectWiki {
        id: wiki.id.to_string(),
        repository: wiki.repository.to_string(),
    }))
}

/// Makes a project's own wiki, and gives the hidden repository that comes with it.
pub(crate) async fn create_project_wiki(
    http: &Client,
    project: &str,
    name: &str,
) -> Result<String> {
    let body = serde_json::json!({ "name": name, "projectId": project, "type": "projectWiki" });
    let answer = http
        .call(
            Method::POST,
            DEV,
            &format!("/{}/_apis/wiki/wikis", segment(project)),
        )
        .version(STABLE)
        .json(&body)
        .send()
        .await?;
    Ok(answer.json::<Wiki<'_>>()?.repository.into_owned())
}

/// The pages, when the repository was not restored on its own before.
async fn push_pages(
    cx: &Restore<'_>,
    stored: &Wiki<'_>,
    project: &str,
    repository: &str,
) -> Result<Vec<String>> {
    let item = ItemRef::new(GIT_REPOSITORY, "", &stored.repository);
    if cx.target.stored.document(&item).await?.is_none() {
        return Ok(vec![
            "its pages are not in the snapshot: git repositories were not backed up".to_owned(),
        ]);
    }
    let answer = git_repository::detail(cx.target.http, project, repository).await?;
    let there: Repository<'_> = answer.json()?;
    restore_repository(cx, &item, &there.remote(cx.target.http)).await
}

async fn code_wiki(
    cx: &Restore<'_>,
    item: &StoredItem,
    stored: &Wiki<'_>,
    project: &str,
) -> Result<String> {
    let http = cx.target.http;
    let repository = cx.target.ids.get(GIT_REPOSITORY, &stored.repository);
    let repository = repository.ok_or_else(|| {
        Error::unsupported(format!(
            "wiki {}: its repository is not at the target",
            stored.name
        ))
    })?;
    let body = serde_json::json!({
        "name": stored.name,
        "projectId": project,
        "repositoryId": repository,
        "mappedPath": stored.path.as_deref().unwrap_or("/"),
        "type": "codeWiki",
        "version": stored.versions.first(),
    });
    let wikis = format!("/{}/_apis/wiki/wikis", segment(project));
    let call = http.call(Method::POST, DEV, &wikis).version(STABLE);
    let answer = parts::intended(cx, item, call.json(&body).send()).await?;
    let id = answer.json::<Wiki<'_>>()?.id.into_owned();
    if stored.versions.len() > 1 {
        let body = serde_json::json!({ "versions": stored.versions });
        http.call(Method::PATCH, DEV, &format!("{wikis}/{}", segment(&id)))
            .version(STABLE)
            .json(&body)
            .send()
            .await?;
    }
    Ok(id)
}

pub(super) async fn verify(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
    let pages = list(cx.http).await?;
    let there = read_all(&pages)?;
    let mut all = Vec::with_capacity(items.len());
    for item in items {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Wiki<'_> = parts::read(&item.item, &document)?;
        let mut differences = parts::Differences::default();
        match there.iter().find(|wiki| {
            item.new_id
                .as_deref()
                .is_some_and(|id| wiki.id.eq_ignore_ascii_case(id))
        }) {
            None => differences.0.push(service::GONE.to_owned()),
            Some(wiki) => {
                let versions = |wiki: &Wiki<'_>| {
                    wiki.versions
                        .iter()
                        .map(|version| version.version.to_string())
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                differences.compare("name", &stored.name, &wiki.name);
                differences.compare(
                    "path",
                    stored.path.as_deref().unwrap_or("/"),
                    wiki.path.as_deref().unwrap_or("/"),
                );
                let git = ItemRef::new(GIT_REPOSITORY, "", &stored.repository);
                if !stored.is_project_wiki() {
                    differences.compare("branches", &versions(&stored), &versions(wiki));
                } else if cx.stored.document(&git).await?.is_some() {
                    let pages = git_repository::compared(cx, &git.id, &wiki.repository).await?;
                    let named = pages
                        .into_iter()
                        .map(|difference| format!("pages: {difference}"));
                    differences.0.extend(named);
                }
            }
        }
        all.push(differences.0);
    }
    Ok(all)
}

/// A code wiki is unpublished, which leaves its repository alone; a project wiki goes with the repository that holds its pages, unless somebody
/// has written into that since.
pub(super) async fn remove(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    let pages = list(cx.http).await?;
    let there = read_all(&pages)?;
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let wiki = there.iter().find(|wiki| {
            let id = item.new_id.as_deref();
            id.is_some_and(|id| wiki.id.eq_ignore_ascii_case(id))
        });
        outcomes.push(match wiki {
            Some(wiki) => remove_one(cx, item, wiki).await.or_else(failed)?,
            None => Outcome::Unchanged,
        });
    }
    Ok(outcomes)
}

async fn remove_one(cx: &Target<'_>, item: &StoredItem, wiki: &Wiki<'_>) -> Result<Outcome> {
    let path = if wiki.is_project_wiki() {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Wiki<'_> = parts::read(&item.item, &document)?;
        let pages = git_repository::compared(cx, &stored.repository, &wiki.repository).await?;
        if !pages.is_empty() {
            return Ok(Outcome::Failed {
                code: "restore-conflict",
                message: format!(
                    "the pages of {} are not what was restored: {}",
                    wiki.name,
                    pages.join("; ")
                ),
            });
        }
        format!("/_apis/git/repositories/{}", segment(&wiki.repository))
    } else {
        format!(
            "/{}/_apis/wiki/wikis/{}",
            segment(&wiki.project),
            segment(&wiki.id)
        )
    };
    let call = cx.http.call(Method::DELETE, DEV, &path).version(STABLE);
    parts::there(call.safe().send().await)?;
    Ok(Outcome::Done {
        new_id: wiki.id.to_string(),
        losses: Vec::new(),
    })
}
