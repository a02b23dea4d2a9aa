//! Wikis: one list for the organization. Their pages are the content of the git repository that each names.

mod restore;

use std::borrow::Cow;
use std::collections::HashSet;

use async_trait::async_trait;
use jiff::Timestamp;
use model::{Class, Issue, ItemRef};
use serde::{Deserialize, Serialize};
use service::http::segment;
use service::inspect::Tie;
use service::{
    Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, Inspect, Inspection, Item, Kind,
    KindSpec, Layout, Loss, Outcome, Pass, Permission, Removal, Restore, Result, Scope, Searched,
    Stored, StoredItem, Target,
};

use super::absent::{self, Missing};
use super::git_repository::{self, GIT_REPOSITORY};
use super::project::PROJECT;
use crate::api::{self, DEV, Paging, STABLE};
use crate::kinds::parts;

pub(crate) use restore::{create_project_wiki, project_wiki};

pub(crate) const WIKI: &str = "wiki";

static SPEC: KindSpec = KindSpec {
    name: WIKI,
    title: "Wikis",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[PROJECT, GIT_REPOSITORY],
    layout: Layout::Item {
        folder: "wikis",
        shard: None,
        document: "wiki.json",
    },
    bin: None,
    search: Searched {
        text: &[],
        project: Some("/projectId"),
    },
    read: &[
        Permission {
            scope: "vso.wiki",
            why: "Without it wikis are not read.",
        },
        Permission {
            scope: "vso.code",
            why: "Without it the pages of wikis are not read: they are in git repositories.",
        },
    ],
    write: &[Permission {
        scope: "vso.wiki_write",
        why: "To create wikis.",
    }],
    restore: Fidelity::Partial(&[
        "A wiki that is created again gets another id, and its pages other page ids.",
        "Comments on pages and the counts of views are not backed up: they are not in the git repository.",
    ]),
};

pub(crate) struct WikiKind;

/// What is read of a wiki.
#[derive(Clone, Deserialize)]
pub(crate) struct Wiki<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, rename = "projectId")]
    pub(crate) project: Cow<'a, str>,
    #[serde(borrow, rename = "repositoryId")]
    pub(crate) repository: Cow<'a, str>,
    #[serde(borrow, rename = "mappedPath")]
    pub(crate) path: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) versions: Vec<Version<'a>>,
}

/// A branch that a code wiki shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Version<'a> {
    #[serde(borrow)]
    pub(crate) version: Cow<'a, str>,
}

impl Wiki<'_> {
    pub(crate) fn is_project_wiki(&self) -> bool {
        self.kind.eq_ignore_ascii_case("projectWiki")
    }
}

pub(crate) async fn list(http: &Client) -> Result<api::Pages> {
    api::pages(http, "/_apis/wiki/wikis", STABLE, Paging::Whole, &[]).await
}

pub(crate) fn read(listed: &serde_json::value::RawValue) -> Result<Wiki<'_>> {
    serde_json::from_str(listed.get()).map_err(|error| Error::malformed(format!("wikis: {error}")))
}

pub(crate) fn read_all(pages: &api::Pages) -> Result<Vec<Wiki<'_>>> {
    pages.values()?.into_iter().map(read).collect()
}

/// Those that are no longer listed: of projects that are not selected they stay, the others are gone where the service says so.
async fn missing(cx: &Crawl<'_>, seen: &HashSet<String>) -> Result<()> {
    let mut missing = Vec::new();
    for id in cx.prior.ids(WIKI, "").await? {
        if seen.contains(&id.to_lowercase()) {
            continue;
        }
        let item = ItemRef::new(WIKI, "", &id);
        let Some(document) = cx.legible(&item).await? else {
            continue;
        };
        let Ok(wiki) = parts::read::<Wiki<'_>>(&item, &document) else {
            continue;
        };
        if !cx.order.picks.takes(PROJECT, &wiki.project, &[]) {
            cx.sink.keep(&item).await?;
        } else if !cx.order.accepted.contains(WIKI) {
            // It is seen by those who may read the repository of its pages.
            missing.push(Missing {
                path: format!(
                    "/{}/_apis/wiki/wikis/{}",
                    segment(&wiki.project),
                    segment(&id)
                ),
                token: format!("repoV2/{}/{}", wiki.project, wiki.repository),
                right: absent::GIT_READ,
                project: wiki.project.into_owned(),
                item,
            });
        }
    }
    absent::report(cx, missing).await
}

/// Tells of wikis whose repository neither the snapshot before has nor the identity is shown: nothing but their documents can be stored. What
/// is stored already is not asked for.
async fn without_pages(cx: &Crawl<'_>, wikis: &[Wiki<'_>]) -> Result<()> {
    let stored = cx.prior.ids(GIT_REPOSITORY, "").await?;
    let stored: HashSet<String> = stored.iter().map(|id| id.to_lowercase()).collect();
    let has_pages = |wiki: &&Wiki<'_>| stored.contains(&wiki.repository.to_lowercase());
    if !cx.selection.contains(GIT_REPOSITORY) || wikis.iter().all(|wiki| has_pages(&wiki)) {
        return Ok(());
    }
    let pages = match git_repository::list(cx.http).await {
        Ok(pages) => pages,
        Err(error) if error.is_fatal() => return Err(error),
        // Then no repository is read, and their own crawl tells of that.
        Err(_) => return Ok(()),
    };
    let listed = git_repository::read_all(&pages)?;
    let listed: HashSet<String> = listed.iter().map(|one| one.id.to_lowercase()).collect();
    let is_listed = |wiki: &&Wiki<'_>| listed.contains(&wiki.repository.to_lowercase());
    let known = cx.prior.ids(WIKI, "").await?;
    for wiki in wikis
        .iter()
        .filter(|wiki| !has_pages(wiki) && !is_listed(wiki))
    {
        // Those of wikis that the snapshot before knows are asked for one by one.
        if known.iter().any(|id| id.eq_ignore_ascii_case(&wiki.id)) {
            match git_repository::detail(cx.http, &wiki.project, &wiki.repository).await {
                Ok(_) => continue,
                Err(error) if error.is_fatal() => return Err(error),
                Err(_) => {}
            }
        }
        cx.sink.issue(no_pages(wiki));
    }
    Ok(())
}

fn no_pages(wiki: &Wiki<'_>) -> Issue {
    Issue {
        code: "permission-missing".to_owned(),
        class: Class::Permission,
        kind: GIT_REPOSITORY.to_owned(),
        scope: String::new(),
        item: Some(ItemRef::new(WIKI, "", &wiki.id)),
        message: format!(
            "the pages of the wiki {} are not backed up: the service does not show their repository {} (project {}) to this identity",
            wiki.name, wiki.repository, wiki.project
        ),
        hint: Some(
            "Give the identity Read on this repository. If it was deleted, delete the wiki too."
                .to_owned(),
        ),
    }
}

/// The name of the project wiki whose hidden repository this is, if it is one.
pub(crate) async fn project_wiki_of(
    stored: &dyn Stored,
    repository: &str,
) -> Result<Option<String>> {
    for id in stored.ids(WIKI, "").await? {
        let item = ItemRef::new(WIKI, "", &id);
        let document = parts::document(stored, &item).await?;
        let wiki: Wiki<'_> = parts::read(&item, &document)?;
        if wiki.is_project_wiki() && wiki.repository.eq_ignore_ascii_case(repository) {
            return Ok(Some(wiki.name.into_owned()));
        }
    }
    Ok(None)
}

#[async_trait]
impl Kind for WikiKind {
    fn spec(&self) -> &KindSpec {
        &SPEC
    }

    fn content(&self) -> Option<(&'static str, &'static str)> {
        Some((GIT_REPOSITORY, "/repositoryId"))
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let wiki: Wiki<'_> = serde_json::from_slice(document).ok()?;
        Some((wiki.name.to_string(), None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let pages = list(cx.http).await?;
        let values = pages.values()?;
        cx.sink.expect(values.len() as u64);
        let mut seen = HashSet::new();
        let mut taken = Vec::new();
        for listed in values {
            let wiki = read(listed)?;
            seen.insert(wiki.id.to_lowercase());
            let item = ItemRef::new(WIKI, "", &wiki.id);
            if !cx.order.picks.takes(PROJECT, &wiki.project, &[]) {
                parts::unpicked(cx, &item).await?;
                continue;
            }
            cx.sink
                .upsert(
                    &Item {
                        item,
                        name: wiki.name.to_string(),
                        modified: None,
                    },
                    listed.get().as_bytes(),
                )
                .await?;
            taken.push(wiki);
        }
        without_pages(cx, &taken).await?;
        missing(cx, &seen).await?;
        Ok(None)
    }

    fn is_filtered(&self) -> bool {
        true
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        http.get(DEV, "/_apis/wiki/wikis")
            .version(STABLE)
            .send()
            .await?
            .values()
            .map(drop)
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
        restore::verify(cx, items).await
    }

    async fn losses(&self, _cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        let all = SPEC.losses().iter();
        let had = all.filter(|_| parts::gets_another_id(item));
        Ok(Some(had.copied().collect()))
    }

    fn only_one(&self) -> Option<&'static str> {
        Some(parts::ONE_OF_A_NAME)
    }

    fn removal(&self) -> Removal {
        Removal::Bin
    }

    async fn remove(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
        restore::remove(cx, items).await
    }

    async fn page(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<String>> {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Wiki<'_> = parts::read(&item.item, &document)?;
        let Some(project) = cx.ids.get(PROJECT, &stored.project) else {
            return Ok(None);
        };
        parts::page(cx, item, |id| {
            format!("{}/_wiki/wikis/{}", segment(&project), segment(id))
        })
    }

    async fn inspect(
        &self,
        _cx: &Inspect<'_>,
        _item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let mut found = Inspection::default();
        if let Some(wiki) = parts::inspected::<Wiki<'_>>(document, &mut found) {
            found.id = Some(wiki.id.into_owned());
            found.refer(PROJECT, wiki.project, Tie::Need, "wiki.json");
            found.refer(GIT_REPOSITORY, wiki.repository, Tie::Need, "wiki.json");
        }
        Ok(found)
    }
}
