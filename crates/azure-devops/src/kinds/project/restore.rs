//! Projects written back: undeleted, created and waited for, or merged into what is there.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use service::http::{Method, segment};
use service::{Client, Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use model::{Action, Class, Conflict};

use super::{PROJECT, Project, binned, detail, list};
use crate::api::{self, DEV, Paging, STABLE};
use crate::kinds::parts::{self, failed};

/// Id and name.
struct Listed {
    id: String,
    name: String,
}

/// Those of an answer that are deleted, or those that are not: a list may name both, and a deleted one is not there.
fn listed(pages: &api::Pages, deleted: bool) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for value in pages.values()? {
        let project: Project<'_> = serde_json::from_str(value.get())
            .map_err(|error| Error::malformed(format!("projects: {error}")))?;
        if project.is_deleted() == deleted {
            found.push(Listed {
                id: project.id.into_owned(),
                name: project.name.into_owned(),
            });
        }
    }
    Ok(found)
}

/// By the known id, then (in another organization) by the name, then in the recycle bin.
pub(super) async fn find(cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
    let live = listed(&list(cx.http).await?, false)?;
    let found = |item: &StoredItem| {
        let known = item
            .new_id
            .clone()
            .or_else(|| cx.ids.get(PROJECT, &item.item.id));
        let by_id = live.iter().find(|project| {
            known
                .as_deref()
                .is_some_and(|id| project.id.eq_ignore_ascii_case(id))
        });
        let by_name = || {
            live.iter()
                .find(|project| project.name.eq_ignore_ascii_case(&item.name))
        };
        let project = by_id.or_else(|| {
            if cx.original && !item.open_intent {
                None
            } else {
                by_name()
            }
        })?;
        Some(Found {
            id: project.id.clone(),
            state: FoundState::Present,
        })
    };
    let mut all: Vec<Option<Found>> = items.iter().map(found).collect();
    if cx.original && all.iter().any(Option::is_none) {
        let bin = listed(&binned(cx.http).await?, true)?;
        for (found, item) in all
            .iter_mut()
            .zip(items)
            .filter(|(found, _)| found.is_none())
        {
            let project = bin
                .iter()
                .find(|project| project.id.eq_ignore_ascii_case(&item.item.id));
            *found = project.map(|project| Found {
                id: project.id.clone(),
                state: FoundState::Deleted,
            });
        }
    }
    Ok(all)
}

#[derive(Serialize)]
struct Create<'a> {
    name: &'a str,
    description: &'a str,
    visibility: &'a str,
    capabilities: Wanted<'a>,
}

#[derive(Serialize)]
struct Wanted<'a> {
    versioncontrol: HashMap<&'static str, &'a str>,
    #[serde(rename = "processTemplate")]
    process: HashMap<&'static str, &'a str>,
}

#[derive(Deserialize)]
struct ProcessTemplate {
    id: String,
    name: String,
    #[serde(default, rename = "isDefault")]
    is_default: bool,
}

async fn processes(http: &Client) -> Result<Vec<ProcessTemplate>> {
    let pages = api::pages(http, "/_apis/process/processes", STABLE, Paging::Whole, &[]).await?;
    let read = |value: &serde_json::value::RawValue| serde_json::from_str(value.get());
    pages
        .values()?
        .into_iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::malformed(format!("processes: {error}")))
}

/// One project after another: the service makes only one at a time anyway.
pub(super) async fn create(cx: &Restore<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::with_capacity(items.len());
    for item in items {
        let outcome = match item.action {
            Action::Undelete => undelete(cx, item).await,
            Action::Create => create_one(cx, item).await,
            Action::Merge | Action::Replace => merge(cx, item).await,
            Action::Skip | Action::Export | Action::Remove => Ok(Outcome::Unchanged),
        };
        outcomes.push(outcome.or_else(failed)?);
    }
    Ok(outcomes)
}

async fn undelete(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    let http = cx.target.http;
    let path = format!("/_apis/projects/{}", segment(&item.item.id));
    let answer = http
        .call(Method::PATCH, DEV, &path)
        .version(STABLE)
        .json(&serde_json::json!({ "state": "wellFormed" }))
        .send()
        .await?;
    api::finished(http, &answer).await?;
    cx.journal.created(&item.item, &item.item.id).await?;
    Ok(Outcome::Done {
        new_id: item.item.id.clone(),
        losses: Vec::new(),
    })
}

async fn create_one(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    if let Some(new_id) = &item.new_id {
        return Ok(Outcome::Done {
            new_id: new_id.clone(),
            losses: Vec::new(),
        });
    }
    let http = cx.target.http;
    let document = parts::document(cx.target.stored, &item.item).await?;
    let project: Project<'_> = parts::read(&item.item, &document)?;
    let mut losses = Vec::new();
    let name = free_name(cx, item, &project.name).await?;
    if name != *project.name {
        losses.push(format!(
            "the name {} is taken: the project is called {name}",
            project.name
        ));
    }
    let template = template(http, &project, &mut losses).await?;
    let control = project
        .capabilities
        .as_ref()
        .and_then(|all| all.version_control.as_ref()?.kind.as_deref())
        .unwrap_or("Git");
    let visibility = match project.visibility.as_deref() {
        Some("public") => "public",
        Some("private") | None => "private",
        Some(other) => {
            losses.push(format!("visibility {other} becomes private"));
            "private"
        }
    };
    let body = Create {
        name: &name,
        description: project.description.as_deref().unwrap_or_default(),
        visibility,
        capabilities: Wanted {
            versioncontrol: HashMap::from([("sourceControlType", control)]),
            process: HashMap::from([("templateTypeId", template.as_str())]),
        },
    };
    cx.journal.intend(&item.item).await?;
    let answer = http
        .call(Method::POST, DEV, "/_apis/projects")
        .version(STABLE)
        .json(&body)
        .send()
        .await?;
    api::finished(http, &answer).await?;
    let made = detail(http, &name).await?;
    let new_id = made.json::<Project<'_>>()?.id.into_owned();
    cx.journal.created(&item.item, &new_id).await?;
    Ok(Outcome::Done { new_id, losses })
}

/// The process of the same name, or what the target has instead.
async fn template(
    http: &Client,
    project: &Project<'_>,
    losses: &mut Vec<String>,
) -> Result<String> {
    let process = project
        .capabilities
        .as_ref()
        .and_then(|all| all.process.as_ref()?.name.as_deref());
    let wanted = process.unwrap_or_default();
    let templates = processes(http).await?;
    if let Some(same) = templates
        .iter()
        .find(|template| template.name.eq_ignore_ascii_case(wanted))
    {
        return Ok(same.id.clone());
    }
    let other = templates
        .iter()
        .find(|template| template.is_default)
        .or(templates.first());
    let other = other
        .ok_or_else(|| Error::unsupported("the target has no process to create a project with"))?;
    losses.push(format!(
        "process {wanted} does not exist at the target: the project uses {}",
        other.name
    ));
    Ok(other.id.clone())
}

/// The project's name, or one beside it when duplicates are wanted.
async fn free_name(cx: &Restore<'_>, item: &StoredItem, name: &str) -> Result<String> {
    let http = cx.target.http;
    let live = listed(&list(http).await?, false)?;
    let bin = listed(&binned(http).await?, true)?;
    let among = |projects: &[Listed], name: &str| {
        let mut names = projects.iter().map(|project| &project.name);
        names.any(|taken| taken.eq_ignore_ascii_case(name))
    };
    let taken = |name: &str| among(&live, name) || among(&bin, name);
    if !taken(name) {
        return Ok(name.to_owned());
    }
    if cx.conflict != Conflict::Duplicate {
        let why = if among(&live, name) {
            format!("the target has another project of the name {name}")
        } else {
            format!("the name {name} is kept for a project in the recycle bin of the target")
        };
        let message = format!("{}: {why}", item.item);
        return Err(Error::new(Class::Conflict, "restore-conflict", message));
    }
    let free = (1..100).map(|number| {
        if number == 1 {
            format!("{name} (restored)")
        } else {
            format!("{name} (restored {number})")
        }
    });
    free.into_iter()
        .find(|name| !taken(name))
        .ok_or_else(|| Error::unsupported(format!("{name}: too many projects of this name")))
}

/// Brings the description back; nothing else of a live project is touched.
async fn merge(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    let http = cx.target.http;
    let found = find(&cx.target, std::slice::from_ref(item))
        .await?
        .into_iter()
        .flatten()
        .next();
    let new_id = found
        .ok_or_else(|| Error::unsupported(format!("{}: it is not at the target", item.item)))?
        .id;
    let document = parts::document(cx.target.stored, &item.item).await?;
    let project: Project<'_> = parts::read(&item.item, &document)?;
    let there = detail(http, &new_id).await?;
    let there: Project<'_> = there.json()?;
    if there.description.as_deref().unwrap_or_default()
        != project.description.as_deref().unwrap_or_default()
    {
        let body = serde_json::json!({ "description": project.description.as_deref().unwrap_or_default() });
        let path = format!("/_apis/projects/{}", segment(&new_id));
        let answer = http
            .call(Method::PATCH, DEV, &path)
            .version(STABLE)
            .json(&body)
            .send()
            .await?;
        api::finished(http, &answer).await?;
    }
    cx.journal.created(&item.item, &new_id).await?;
    Ok(Outcome::Done {
        new_id,
        losses: Vec::new(),
    })
}

pub(super) async fn verify(cx: &Target<'_>, item: &StoredItem) -> Result<Vec<String>> {
    let document = parts::document(cx.stored, &item.item).await?;
    let wanted: Project<'_> = parts::read(&item.item, &document)?;
    let Some(answer) =
        parts::there(detail(cx.http, item.new_id.as_deref().unwrap_or(&item.item.id)).await)?
    else {
        return Ok(vec![service::GONE.to_owned()]);
    };
    let there: Project<'_> = answer.json()?;
    let process = |project: &Project<'_>| {
        Some(
            project
                .capabilities
                .as_ref()?
                .process
                .as_ref()?
                .name
                .as_deref()?
                .to_lowercase(),
        )
    };
    let mut differences = parts::Differences::default();
    differences.compare("name", &wanted.name, &there.name);
    differences.compare(
        "description",
        wanted.description.as_deref().unwrap_or_default(),
        there.description.as_deref().unwrap_or_default(),
    );
    differences.compare(
        "visibility",
        wanted.visibility.as_deref().unwrap_or("private"),
        there.visibility.as_deref().unwrap_or("private"),
    );
    differences.compare(
        "process",
        &process(&wanted).unwrap_or_default(),
        &process(&there).unwrap_or_default(),
    );
    Ok(differences.0)
}
