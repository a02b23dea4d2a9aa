//! Teams: one list for the organization, the members of each by one request.

use std::borrow::Cow;
use std::collections::HashSet;

use async_trait::async_trait;
use futures::stream::{self, TryStreamExt as _};
use jiff::Timestamp;
use model::{Action, ItemRef};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use service::http::{Method, segment};
use service::{
    Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, FoundState, Inspect, Inspection, Item,
    Kind, KindSpec, Layout, Loss, Outcome, Pass, Permission, Removal, Restore, Result, Scope,
    Searched, StoredItem, Target, TextOf,
};

use super::absent::{self, Missing};
use super::parts::{self, Stands, failed};
use super::project::{PROJECT, Project, detail};
use crate::api::{self, DEV, PREVIEW_3, Paging, STABLE};

const TEAM: &str = "team";
const MEMBERS: &str = "members.json";
const CONCURRENCY: usize = 4;

static SPEC: KindSpec = KindSpec {
    name: TEAM,
    title: "Teams",
    parent: Some(PROJECT),
    crawled: Crawled::Once,
    with: None,
    after: &[],
    layout: Layout::Item {
        folder: "teams",
        shard: None,
        document: "team.json",
    },
    bin: None,
    search: Searched {
        text: &[TextOf::document(&["/description"])],
        project: None,
    },
    read: &[Permission {
        scope: "vso.project",
        why: "Without it teams and their members are not read.",
    }],
    write: &[Permission {
        scope: "vso.project_manage",
        why: "To create teams and rename the default team.",
    }],
    restore: Fidelity::Partial(&[NOT_MEMBERS, NEW_ID]),
};

const NOT_MEMBERS: Loss = "Members and administrators of a team are not written back; they are in the snapshot as members.json.";
const NEW_ID: Loss = "A team that is created again gets another id.";

pub(crate) struct TeamKind;

#[derive(Clone, Deserialize)]
struct Team<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "projectId")]
    project: Cow<'a, str>,
}

async fn list(http: &Client) -> Result<api::Pages> {
    api::pages(
        http,
        "/_apis/teams",
        PREVIEW_3,
        Paging::Skip,
        &[("$expandIdentity", "true")],
    )
    .await
}

fn read(listed: &RawValue) -> Result<Team<'_>> {
    serde_json::from_str(listed.get()).map_err(|error| Error::malformed(format!("teams: {error}")))
}

async fn crawl_one(cx: &Crawl<'_>, listed: &RawValue) -> Result<()> {
    let team = read(listed)?;
    if !cx.order.picks.takes(PROJECT, &team.project, &[]) {
        return Ok(());
    }
    let item = ItemRef::new(TEAM, &team.project, &team.id);
    cx.sink
        .upsert(
            &Item {
                item: item.clone(),
                name: team.name.to_string(),
                modified: None,
            },
            listed.get().as_bytes(),
        )
        .await?;
    let path = format!("{}/members", path(&team.project, &team.id));
    match api::pages(cx.http, &path, STABLE, Paging::Skip, &[]).await {
        Ok(members) => cx.sink.part(&item, MEMBERS, &members.body()?).await,
        Err(error) if error.is_fatal() => Err(error),
        Err(error) => {
            cx.sink
                .issue(error.to_issue(TEAM, &team.project, Some(item)));
            Ok(())
        }
    }
}

/// Teams that are no longer listed are gone where the service says so.
async fn missing(cx: &Crawl<'_>, seen: &HashSet<String>) -> Result<()> {
    if cx.order.accepted.contains(TEAM) {
        return Ok(());
    }
    let mut missing = Vec::new();
    for project in cx.prior.ids(PROJECT, "").await? {
        if !cx.order.picks.takes(PROJECT, &project, &[]) {
            continue;
        }
        for id in cx.prior.ids(TEAM, &project).await? {
            if !seen.contains(&id.to_lowercase()) {
                missing.push(Missing {
                    item: ItemRef::new(TEAM, &project, &id),
                    path: path(&project, &id),
                    token: format!("{project}\\{id}"),
                    right: absent::TEAM_READ,
                    project: project.clone(),
                });
            }
        }
    }
    absent::report(cx, missing).await
}

fn path(project: &str, team: &str) -> String {
    format!(
        "/_apis/projects/{}/teams/{}",
        segment(project),
        segment(team)
    )
}

/// The teams of the target, and which of them are default teams.
struct There {
    teams: api::Pages,
    defaults: Vec<String>,
}

impl There {
    async fn read(cx: &Target<'_>, items: &[StoredItem]) -> Result<Self> {
        let mut projects: Vec<String> = items
            .iter()
            .filter_map(|item| cx.ids.get(PROJECT, &item.item.scope))
            .collect();
        projects.sort_unstable();
        projects.dedup();
        let mut defaults = Vec::new();
        for project in projects {
            if let Some(answer) = parts::there(detail(cx.http, &project).await)? {
                defaults.extend(
                    answer
                        .json::<Project<'_>>()?
                        .default_team
                        .map(|team| team.id.into_owned()),
                );
            }
        }
        Ok(Self {
            teams: list(cx.http).await?,
            defaults,
        })
    }

    fn all(&self) -> Result<Vec<Team<'_>>> {
        self.teams.values()?.into_iter().map(read).collect()
    }

    /// Whether a team of the target has another name or description than the stored one.
    fn differs(&self, id: &str, stored: &Team<'_>) -> Result<bool> {
        fn shown<'t>(team: &'t Team<'_>) -> (&'t str, &'t str) {
            (&team.name, team.description.as_deref().unwrap_or_default())
        }
        let all = self.all()?;
        let there = all.iter().find(|team| *team.id == *id);
        Ok(there.is_none_or(|there| shown(there) != shown(stored)))
    }

    /// By the known id, then the default team for the default team, then by name in the project.
    fn find(&self, cx: &Target<'_>, item: &StoredItem, was_default: bool) -> Result<Option<Found>> {
        let teams = self.all()?;
        let known = item
            .new_id
            .clone()
            .or_else(|| cx.ids.get(TEAM, &item.item.id));
        if let Some(team) = teams
            .iter()
            .find(|team| known.as_deref() == Some(&*team.id))
        {
            return Ok(Some(Found {
                id: team.id.to_string(),
                state: FoundState::Present,
            }));
        }
        let Some(project) = cx.ids.get(PROJECT, &item.item.scope) else {
            return Ok(None);
        };
        let mut here = teams.iter().filter(|team| *team.project == *project);
        let is_default = |team: &&Team<'_>| self.defaults.iter().any(|id| *id == *team.id);
        let found = here
            .clone()
            .find(|team| was_default && is_default(team))
            .or_else(|| here.find(|team| team.name.eq_ignore_ascii_case(&item.name)));
        Ok(found.map(|team| Found {
            id: team.id.to_string(),
            state: if is_default(&team) {
                FoundState::Automatic
            } else {
                FoundState::Present
            },
        }))
    }
}

/// Whether the team was its project's default team when the snapshot was made.
async fn was_default(cx: &Target<'_>, item: &ItemRef) -> Result<bool> {
    let Some(document) = cx
        .stored
        .document(&ItemRef::new(PROJECT, "", &item.scope))
        .await?
    else {
        return Ok(false);
    };
    let project: Project<'_> = parts::read(item, &document)?;
    Ok(project
        .default_team
        .is_some_and(|team| *team.id == *item.id))
}

async fn restore_one(cx: &Restore<'_>, there: &There, item: &StoredItem) -> Result<Outcome> {
    let http = cx.target.http;
    if matches!(item.action, Action::Skip | Action::Export | Action::Remove) {
        return Ok(Outcome::Unchanged);
    }
    let document = parts::document(cx.target.stored, &item.item).await?;
    let team: Team<'_> = parts::read(&item.item, &document)?;
    let project = cx
        .target
        .ids
        .get(PROJECT, &item.item.scope)
        .ok_or_else(|| {
            Error::unsupported(format!("{}: its project is not at the target", item.item))
        })?;
    let found = there.find(&cx.target, item, was_default(&cx.target, &item.item).await?)?;
    let body = serde_json::json!({ "name": team.name, "description": team.description.as_deref().unwrap_or_default() });
    let teams = format!("/_apis/projects/{}/teams", segment(&project));
    let stands = if let Some(found) = found {
        if found.state == FoundState::Present
            && let Some(left) = parts::stays(cx, item, &found.id)
        {
            return Ok(left);
        }
        if there.differs(&found.id, &team)? {
            let path = format!("{teams}/{}", segment(&found.id));
            let call = http.call(Method::PATCH, DEV, &path).version(STABLE);
            call.json(&body).send().await?;
        }
        Stands::Found(found.id)
    } else {
        let call = http.call(Method::POST, DEV, &teams).version(STABLE);
        let answer = parts::intended(cx, item, call.json(&body).send()).await?;
        Stands::Made(answer.json::<Made>()?.id)
    };
    Ok(Outcome::Done {
        new_id: stands.noted(cx, &item.item).await?,
        losses: Vec::new(),
    })
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[async_trait]
impl Kind for TeamKind {
    fn spec(&self) -> &KindSpec {
        &SPEC
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let team: Team<'_> = serde_json::from_slice(document).ok()?;
        Some((team.name.to_string(), None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let pages = list(cx.http).await?;
        let values = pages.values()?;
        cx.sink.expect(values.len() as u64);
        stream::iter(values.into_iter().map(Ok))
            .try_for_each_concurrent(CONCURRENCY, |listed| crawl_one(cx, listed))
            .await?;
        let teams = pages.values()?.into_iter().map(read);
        let seen = teams.map(|team| Ok(team?.id.to_lowercase()));
        missing(cx, &seen.collect::<Result<_>>()?).await?;
        Ok(None)
    }

    fn is_filtered(&self) -> bool {
        true
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        http.get(DEV, "/_apis/teams")
            .version(PREVIEW_3)
            .query("$top", 1)
            .send()
            .await?
            .values()
            .map(drop)
    }

    async fn find(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Option<Found>>> {
        let there = There::read(cx, items).await?;
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            found.push(there.find(cx, item, was_default(cx, &item.item).await?)?);
        }
        Ok(found)
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
        let there = There::read(&cx.target, items).await?;
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            outcomes.push(restore_one(cx, &there, item).await.or_else(failed)?);
        }
        Ok(outcomes)
    }

    async fn verify(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Vec<String>>> {
        let pages = list(cx.http).await?;
        let teams = pages
            .values()?
            .into_iter()
            .map(read)
            .collect::<Result<Vec<_>>>()?;
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            let document = parts::document(cx.stored, &item.item).await?;
            let wanted: Team<'_> = parts::read(&item.item, &document)?;
            let mut differences = parts::Differences::default();
            match teams
                .iter()
                .find(|team| item.new_id.as_deref() == Some(&*team.id))
            {
                Some(there) => {
                    differences.compare("name", &wanted.name, &there.name);
                    differences.compare(
                        "description",
                        wanted.description.as_deref().unwrap_or_default(),
                        there.description.as_deref().unwrap_or_default(),
                    );
                }
                None => differences.0.push(service::GONE.to_owned()),
            }
            all.push(differences.0);
        }
        Ok(all)
    }

    async fn losses(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        #[derive(Deserialize)]
        struct Members {
            value: Vec<IgnoredAny>,
        }
        let members = cx.stored.part(&item.item, MEMBERS).await?;
        let members = members.map(|bytes| serde_json::from_slice::<Members>(&bytes));
        // What was not read, or is not understood, may name somebody.
        let nobody = matches!(members, Some(Ok(members)) if members.value.is_empty());
        Ok(Some(parts::had([
            (NOT_MEMBERS, !nobody),
            (NEW_ID, parts::gets_another_id(item)),
        ])))
    }

    fn only_one(&self) -> Option<&'static str> {
        Some(parts::ONE_OF_A_NAME)
    }

    fn removal(&self) -> Removal {
        Removal::Never(
            "a team goes for good, with the members, boards and dashboards that it was given since: delete it at the service when nobody needs it",
        )
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let mut found = Inspection::default();
        let Some(team) = parts::inspected::<Team<'_>>(document, &mut found) else {
            return Ok(found);
        };
        found.id = Some(team.id.into_owned());
        if !team.project.eq_ignore_ascii_case(&item.scope) {
            let message = format!("its document says that it is of project {}", team.project);
            found.damage("document-misplaced", "team.json", message);
        }
        Ok(found)
    }
}
