//! Projects: one list for the organization, details only of those whose revision changed.

mod restore;

use std::borrow::Cow;
use std::collections::BTreeSet;

use async_trait::async_trait;
use futures::future;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use model::{Action, ItemRef};
use serde::Deserialize;
use serde_json::value::RawValue;
use service::http::segment;
use service::{
    Client, Crawl, Crawled, Cursor, Fidelity, Found, Inspect, Inspection, Item, Kind, KindSpec,
    Layout, Loss, Outcome, Pass, Permission, Removal, Restore, Result, Scope, Searched, StoredItem,
    Target, TextOf,
};

use super::parts;
use crate::api::{self, DEV, Paging, STABLE};

pub(crate) const PROJECT: &str = "project";
const CONCURRENCY: usize = 4;

static SPEC: KindSpec = KindSpec {
    name: PROJECT,
    title: "Projects",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[],
    layout: Layout::Item {
        folder: "projects",
        shard: None,
        document: "project.json",
    },
    bin: None,
    search: Searched {
        text: &[TextOf::document(&["/description"])],
        project: Some("/id"),
    },
    read: &[Permission {
        scope: "vso.project",
        why: "Without it no project is seen, and with it nothing that lies in one.",
    }],
    write: &[Permission {
        scope: "vso.project_manage",
        why: "To create a project, to take one out of the recycle bin.",
    }],
    restore: Fidelity::Partial(&[NEW_ID, PROCESS, SETTINGS]),
};

const NEW_ID: Loss = "A project that is created again gets another id and the date of the restore.";
const PROCESS: Loss = "The process is found by its name; an inherited or customized process must exist at the target before.";
const SETTINGS: Loss =
    "Avatar, permissions, and which services are switched on are not written back.";
/// The processes that every organization has.
const PROCESSES: [&str; 4] = ["Agile", "Basic", "CMMI", "Scrum"];

pub(crate) struct ProjectKind;

/// What is read of a project, in the list and in the detail.
#[derive(Deserialize)]
pub(crate) struct Project<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) description: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) visibility: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(crate) state: Option<Cow<'a, str>>,
    pub(crate) revision: Option<u64>,
    #[serde(borrow, rename = "lastUpdateTime")]
    pub(crate) updated: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "defaultTeam")]
    pub(crate) default_team: Option<TeamRef<'a>>,
    #[serde(borrow)]
    pub(crate) capabilities: Option<Capabilities<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct TeamRef<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
}

#[derive(Deserialize)]
pub(crate) struct Capabilities<'a> {
    #[serde(borrow, rename = "processTemplate")]
    pub(crate) process: Option<Process<'a>>,
    #[serde(borrow, rename = "versioncontrol")]
    pub(crate) version_control: Option<VersionControl<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct Process<'a> {
    #[serde(borrow, rename = "templateName")]
    pub(crate) name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub(crate) struct VersionControl<'a> {
    #[serde(borrow, rename = "sourceControlType")]
    pub(crate) kind: Option<Cow<'a, str>>,
}

impl Project<'_> {
    fn is_whole(&self) -> bool {
        self.state
            .as_deref()
            .is_none_or(|state| state.eq_ignore_ascii_case("wellFormed"))
    }

    /// It lies in the bin of projects, or is on its way there.
    pub(crate) fn is_deleted(&self) -> bool {
        self.state.as_deref().is_some_and(|state| {
            state.eq_ignore_ascii_case("deleted") || state.eq_ignore_ascii_case("deleting")
        })
    }

    /// Nothing was changed since this document of it was stored.
    fn is_unchanged(&self, stored: &[u8]) -> bool {
        let stored: Result<Project<'_>, _> = serde_json::from_slice(stored);
        stored.is_ok_and(|stored| {
            self.revision.is_some()
                && (self.revision, &self.name, &self.updated)
                    == (stored.revision, &stored.name, &stored.updated)
        })
    }

    fn modified(&self) -> Option<Timestamp> {
        self.updated.as_deref()?.parse().ok()
    }
}

/// All projects that the identity sees, deleted ones aside.
pub(crate) async fn list(http: &Client) -> Result<api::Pages> {
    api::pages(
        http,
        "/_apis/projects",
        STABLE,
        Paging::Skip,
        &[("stateFilter", "all")],
    )
    .await
}

/// One project with its capabilities and default team.
pub(crate) async fn detail(http: &Client, id: &str) -> Result<service::http::Answer> {
    http.get(DEV, &format!("/_apis/projects/{}", segment(id)))
        .version(STABLE)
        .query("includeCapabilities", "true")
        .send()
        .await
}

/// A listed project that the service does not give, in words that leave open whether it was deleted since or is hidden.
struct Vanished {
    item: ItemRef,
    error: service::Error,
}

async fn crawl_one(cx: &Crawl<'_>, listed: &RawValue) -> Result<Option<Vanished>> {
    let project: Project<'_> = serde_json::from_str(listed.get())
        .map_err(|error| service::Error::malformed(format!("projects: {error}")))?;
    let item = ItemRef::new(PROJECT, "", &project.id);
    if !cx.order.picks.takes(PROJECT, &project.id, &[&project.name]) {
        return parts::unpicked(cx, &item).await.map(|()| None);
    }
    let before = cx.before(&item).await?;
    if project.is_deleted() && before.is_some() {
        return cx.sink.delete(&item).await.map(|()| None);
    }
    if !project.is_whole() {
        return Ok(None);
    }
    if before.is_some_and(|before| project.is_unchanged(&before)) {
        return cx.sink.keep(&item).await.map(|()| None);
    }
    let answer = match detail(cx.http, &project.id).await {
        Ok(answer) => answer,
        Err(error) if parts::is_missing(&error) => return Ok(Some(Vanished { item, error })),
        Err(error) if error.is_fatal() => return Err(error),
        Err(error) => return unread(cx, &item, &error).await.map(|()| None),
    };
    let (name, modified) = ProjectKind
        .describe(&answer.body)
        .unwrap_or_else(|| (project.name.to_string(), project.modified()));
    let item = Item {
        item,
        name,
        modified,
    };
    cx.sink.upsert(&item, &answer.body).await?;
    cx.sink.done(&item.item).await?;
    Ok(None)
}

/// It stays as it was, with the reason.
async fn unread(cx: &Crawl<'_>, item: &ItemRef, error: &service::Error) -> Result<()> {
    cx.sink
        .issue(error.to_issue(PROJECT, "", Some(item.clone())));
    cx.sink.keep(item).await
}

/// Whether a project that the service does not name any more is selected, by the name that it had.
async fn is_picked(cx: &Crawl<'_>, item: &ItemRef) -> Result<bool> {
    let document = cx.before(item).await?;
    let name = document
        .and_then(|document| ProjectKind.describe(&document))
        .map_or_else(String::new, |(name, _)| name);
    Ok(cx.order.picks.takes(PROJECT, &item.id, &[&name]))
}

/// The ids of listed projects, in lower case.
pub(crate) fn ids(listed: &api::Pages) -> Result<BTreeSet<String>> {
    let id = |value: &RawValue| {
        serde_json::from_str::<Project<'_>>(value.get())
            .map(|project| project.id.to_lowercase())
            .map_err(|error| service::Error::malformed(format!("projects: {error}")))
    };
    listed.values()?.into_iter().map(id).collect()
}

/// Those in the bin.
pub(crate) async fn binned(http: &Client) -> Result<api::Pages> {
    let filter = [("stateFilter", "deleted")];
    api::pages(http, "/_apis/projects", STABLE, Paging::Skip, &filter).await
}

/// The ids of those in the bin, in lower case. Whoever does not know the filter lists live ones too: these say so themselves.
pub(crate) async fn binned_ids(http: &Client) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for listed in binned(http).await?.values()? {
        let project: Project<'_> = serde_json::from_str(listed.get())
            .map_err(|error| service::Error::malformed(format!("projects: {error}")))?;
        if project.is_deleted() {
            ids.insert(project.id.to_lowercase());
        }
    }
    Ok(ids)
}

/// Of projects that are no longer listed, or were listed and then not given, those are gone that lie in the bin; the others may only be hidden
/// from the identity.
async fn deleted(cx: &Crawl<'_>, listed: &api::Pages, vanished: Vec<Vanished>) -> Result<()> {
    let listed = ids(listed)?;
    let mut missing = cx.prior.ids(PROJECT, "").await?;
    missing.retain(|project| !listed.contains(&project.to_lowercase()));
    if missing.is_empty() && vanished.is_empty() {
        return Ok(());
    }
    let bin = binned_ids(cx.http).await?;
    for project in &missing {
        let item = ItemRef::new(PROJECT, "", project);
        if !is_picked(cx, &item).await? {
            cx.sink.keep(&item).await?;
        } else if bin.contains(&project.to_lowercase()) {
            cx.sink.delete(&item).await?;
        }
    }
    for Vanished { item, error } in vanished {
        if !bin.contains(&item.id.to_lowercase()) {
            unread(cx, &item, &error).await?;
        } else if cx.before(&item).await?.is_some() {
            cx.sink.delete(&item).await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Kind for ProjectKind {
    fn spec(&self) -> &KindSpec {
        &SPEC
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let project: Project<'_> = serde_json::from_slice(document).ok()?;
        Some((project.name.to_string(), project.modified()))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let pages = list(cx.http).await?;
        let values = pages.values()?;
        cx.sink.expect(values.len() as u64);
        let crawls: Vec<_> = values
            .into_iter()
            .map(|listed| crawl_one(cx, listed))
            .collect();
        let vanished = stream::iter(crawls)
            .buffer_unordered(CONCURRENCY)
            .try_filter_map(future::ok)
            .try_collect()
            .await?;
        deleted(cx, &pages, vanished).await?;
        Ok(None)
    }

    fn is_listed(&self) -> bool {
        true
    }

    async fn list(&self, http: &Client) -> Result<Option<Vec<(String, String)>>> {
        let pages = list(http).await?;
        let mut items = Vec::new();
        for listed in pages.values()? {
            let project: Project<'_> = serde_json::from_str(listed.get())
                .map_err(|error| service::Error::malformed(format!("projects: {error}")))?;
            if project.is_whole() {
                items.push((project.id.into_owned(), project.name.into_owned()));
            }
        }
        Ok(Some(items))
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        let call = http
            .get(DEV, "/_apis/projects")
            .version(STABLE)
            .query("$top", 1)
            .query("stateFilter", "all");
        call.send().await?.values().map(drop)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        restore::find(cx, items).await
    }

    async fn restore(
        &self,
        cx: &Restore<'_>,
        pass: Pass,
        items: &[StoredItem],
    ) -> Result<Vec<Outcome>> {
        if pass == Pass::Connect {
            return Ok(vec![Outcome::Unchanged; items.len()]);
        }
        restore::create(cx, items).await
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        stream::iter(items)
            .then(|item| restore::verify(cx, item))
            .try_collect()
            .await
    }

    async fn losses(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        let document = parts::document(cx.stored, &item.item).await?;
        let project: Project<'_> = parts::read(&item.item, &document)?;
        let process = project.capabilities.and_then(|all| all.process?.name);
        let everywhere = process.is_some_and(|process| PROCESSES.contains(&&*process));
        Ok(Some(parts::had([
            (NEW_ID, parts::gets_another_id(item)),
            (PROCESS, item.action == Action::Create && !everywhere),
            (SETTINGS, true),
        ])))
    }

    fn removal(&self) -> Removal {
        Removal::Never(
            "a project may hold what others have put into it since: delete it at the service when nobody needs it",
        )
    }

    async fn page(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<String>> {
        parts::page(cx, item, segment)
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let mut found = Inspection::default();
        if let Some(project) = parts::inspected::<Project<'_>>(document, &mut found) {
            found.id = Some(project.id.into_owned());
            found.aliases.push(project.name.into_owned());
        }
        Ok(found)
    }
}
