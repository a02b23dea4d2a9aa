//! Projects written back: undeleted, created and waited for, or merged into what is there.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::http::{Method, segment};
use service::{Client, Error, Found, FoundState, Outcome, Restore, Result, StoredItem, Target};

use model::{Action, Class, Conflict};

use super::{PROJECT, Project, binned, detail, list};
use crate::api::{self, DEV, Paging, Patience, STABLE};
use crate::kinds::parts::{self, failed};

/// So long a project stays out of sight that the service began to make a moment ago.
const HIDDEN: Duration = Duration::from_secs(30);
/// The service has a project of that name, or keeps the name for one in its bin.
const NAME_TAKEN: &str = "TF200019";

struct Listed {
    id: String,
    name: String,
    /// The service has made it to the end.
    whole: bool,
}

/// Those of an answer that are deleted, or those that are not: a list may name both, and a deleted one is not there.
fn listed(pages: &api::Pages, deleted: bool) -> Result<Vec<Listed>> {
    let mut found = Vec::new();
    for value in pages.values()? {
        let project: Project<'_> = serde_json::from_str(value.get())
            .map_err(|error| Error::malformed(format!("projects: {error}")))?;
        if project.is_deleted() == deleted {
            found.push(Listed {
                whole: project.is_whole(),
                id: project.id.into_owned(),
                name: project.name.into_owned(),
            });
        }
    }
    Ok(found)
}

/// By the known id, then (in another organization) by the name, then in the recycle bin. One that was asked for by an interrupted restore is
/// left to [`create`], which knows under which name.
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
            if cx.original || item.open_intent {
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
    let call = http.call(Method::PATCH, DEV, &path).version(STABLE);
    let call = call.json(&serde_json::json!({ "state": "wellFormed" }));
    let answer = parts::intended(cx, item, call.send()).await?;
    api::finished(http, &answer).await?;
    cx.journal.made(&item.item, &item.item.id).await?;
    Ok(Outcome::Done {
        new_id: item.item.id.clone(),
        losses: Vec::new(),
    })
}

async fn create_one(cx: &Restore<'_>, item: &StoredItem) -> Result<Outcome> {
    let done = |new_id: String, losses| Ok(Outcome::Done { new_id, losses });
    if let Some(new_id) = &item.new_id {
        return done(new_id.clone(), Vec::new());
    }
    let document = parts::document(cx.target.stored, &item.item).await?;
    let project: Project<'_> = parts::read(&item.item, &document)?;
    let asked = parts::asked(cx, item).await?;
    let begun = match &asked {
        Some(name) => standing(cx.target.http, name).await?,
        None => None,
    };
    let again = asked.is_some();
    let name = match asked {
        Some(name) => name,
        None => free_name(cx, item, &project.name).await?,
    };
    let mut losses = Vec::new();
    if name != *project.name {
        losses.push(format!(
            "the name {} is taken: the project is called {name}",
            project.name
        ));
    }
    let new_id = match begun {
        Some(id) => id,
        None => match make(cx, item, &project, &name, &mut losses).await {
            Err(error) if is_taken(&error) => out_of_sight(cx, item, &name, again).await?,
            made => made?,
        },
    };
    cx.journal.made(&item.item, &new_id).await?;
    done(new_id, losses)
}

/// The id of the project of a name, once the service has made it to the end; `None` where there is none.
async fn standing(http: &Client, name: &str) -> Result<Option<String>> {
    let mut patience = Patience::of(api::OPERATION_LIMIT);
    loop {
        let live = listed(&list(http).await?, false)?;
        let named = |project: &Listed| project.name.eq_ignore_ascii_case(name);
        match live.into_iter().find(named) {
            None => return Ok(None),
            Some(project) if project.whole => return Ok(Some(project.id)),
            Some(_) if patience.wait().await => {}
            Some(_) => return Err(api::endless(&format!("the making of project {name}"))),
        }
    }
}

/// Asks for the project and waits for it.
async fn make(
    cx: &Restore<'_>,
    item: &StoredItem,
    project: &Project<'_>,
    name: &str,
    losses: &mut Vec<String>,
) -> Result<String> {
    let http = cx.target.http;
    let template = template(http, project, losses).await?;
    let body = body(project, name, &template, losses);
    let call = http.call(Method::POST, DEV, "/_apis/projects");
    let call = call.version(STABLE).json(&body);
    let answer = parts::asked_as(cx, item, name, call.send()).await?;
    api::finished(http, &answer).await?;
    let made = detail(http, name).await?;
    Ok(made.json::<Project<'_>>()?.id.into_owned())
}

fn is_taken(error: &Error) -> bool {
    let code = error.fault().and_then(|fault| fault.code.as_deref());
    code == Some(NAME_TAKEN)
}

/// The service refuses a name that nothing has that this identity sees: it is taken by what an interrupted restore asked for and the service
/// does not show yet, or by a project of others.
async fn out_of_sight(
    cx: &Restore<'_>,
    item: &StoredItem,
    name: &str,
    again: bool,
) -> Result<String> {
    let mut patience = Patience::of(HIDDEN);
    while again && patience.wait().await {
        if let Some(id) = standing(cx.target.http, name).await? {
            return Ok(id);
        }
    }
    // Nothing was begun: the next restore chooses a name anew.
    cx.journal.note(&item.item, "").await?;
    let why = format!("the name {name} is taken by a project that this identity does not see");
    Err(conflict(item, &why))
}

fn conflict(item: &StoredItem, why: &str) -> Error {
    let message = format!("{}: {why}", item.item);
    Error::new(Class::Conflict, "restore-conflict", message)
}

fn body<'a>(
    project: &'a Project<'_>,
    name: &'a str,
    template: &'a str,
    losses: &mut Vec<String>,
) -> Create<'a> {
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
    Create {
        name,
        description: project.description.as_deref().unwrap_or_default(),
        visibility,
        capabilities: Wanted {
            versioncontrol: HashMap::from([("sourceControlType", control)]),
            process: HashMap::from([("templateTypeId", template)]),
        },
    }
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
    let templates = processes(http).await?;
    let named = |template: &&ProcessTemplate| {
        process.is_some_and(|process| template.name.eq_ignore_ascii_case(process))
    };
    if let Some(same) = templates.iter().find(named) {
        return Ok(same.id.clone());
    }
    let other = templates
        .iter()
        .find(|template| template.is_default)
        .or(templates.first());
    let other = other
        .ok_or_else(|| Error::unsupported("the target has no process to create a project with"))?;
    let why = match process {
        Some(process) => format!("process {process} does not exist at the target"),
        None => "the snapshot does not name its process".to_owned(),
    };
    losses.push(format!("{why}: the project uses {}", other.name));
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
        return Err(conflict(item, &why));
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

/// Brings the description back, and the name where the project is replaced; nothing else of a live project is touched.
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
    let text = |project: &Project<'_>| {
        project
            .description
            .as_deref()
            .unwrap_or_default()
            .to_owned()
    };
    let renames = item.action == Action::Replace && project.name != there.name;
    let change = Change {
        name: renames.then_some(&*project.name),
        description: Some(text(&project)).filter(|wanted| *wanted != text(&there)),
    };
    if change.name.is_some() || change.description.is_some() {
        let path = format!("/_apis/projects/{}", segment(&new_id));
        let call = http.call(Method::PATCH, DEV, &path).version(STABLE);
        let answer = match call.json(&change).send().await {
            Err(error) if is_taken(&error) => {
                let why = format!("the name {} is taken by another project", project.name);
                return Err(conflict(item, &why));
            }
            answer => answer?,
        };
        api::finished(http, &answer).await?;
    }
    cx.journal.found(&item.item, &new_id).await?;
    Ok(Outcome::Done {
        new_id,
        losses: Vec::new(),
    })
}

/// What a live project is to have instead.
#[derive(Serialize)]
struct Change<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
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
