//! Git repositories: one list for the organization, then one upload-pack conversation each. Hidden ones (those of wikis) are among them.

mod restore;

use std::borrow::Cow;
use std::collections::HashSet;

use async_trait::async_trait;
use futures::stream::{self, TryStreamExt as _};
use jiff::Timestamp;
use model::{Action, Class, Issue, ItemRef};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use service::git::{LeftOut, Remote, crawl_repository, inspect_repository, left_out};
use service::http::segment;
use service::inspect::Tie;
use service::{
    Client, Crawl, Crawled, Cursor, Error, Fidelity, Found, Inspect, Inspection, Item, Kind,
    KindSpec, Layout, Loss, Outcome, Pass, Permission, Removal, Restore, Result, Scope, Searched,
    StoredItem, Target,
};

use super::absent::{self, Missing};
use super::project::PROJECT;
use super::wiki::{WIKI, Wiki};
use crate::api::{self, DEV, Paging, STABLE};
use crate::kinds::parts;

pub(crate) const GIT_REPOSITORY: &str = "git-repository";
const CONCURRENCY: usize = 4;

static SPEC: KindSpec = KindSpec {
    name: GIT_REPOSITORY,
    title: "Git repositories",
    parent: None,
    crawled: Crawled::Once,
    with: None,
    after: &[PROJECT],
    layout: Layout::Item {
        folder: "git",
        shard: None,
        document: "repository.json",
    },
    bin: None,
    search: Searched {
        text: &[],
        project: Some("/project/id"),
    },
    read: &[Permission {
        scope: "vso.code",
        why: "Without it no repository is read, neither code nor wiki pages.",
    }],
    write: &[
        Permission {
            scope: "vso.code_write",
            why: "To push branches, tags and notes, and large files.",
        },
        Permission {
            scope: "vso.code_manage",
            why: "To create repositories, to take one out of the recycle bin.",
        },
    ],
    restore: Fidelity::Partial(&[
        NEW_ID,
        PULLS,
        OTHER_REFS,
        FORK,
        POLICIES,
        NO_CONTENT,
        NO_LARGE_FILES,
    ]),
};

const NEW_ID: Loss = "A repository that is created again gets another id.";
const PULLS: Loss = "Pull requests and their refs (refs/pull) are not written back; their commits are in the snapshot.";
const OTHER_REFS: Loss = "Refs that are neither branches nor tags nor notes are not written back; they are in the snapshot.";
const FORK: Loss = "That a repository is a fork of another is not written back.";
const POLICIES: Loss = "Branch policies, branch locks and permissions are not backed up.";
const NO_CONTENT: Loss =
    "Content that could not be read when it was backed up is not in the snapshot.";
const NO_LARGE_FILES: Loss =
    "Large files (LFS) that the service lacked when it was backed up are not in the snapshot.";

pub(crate) struct GitRepositoryKind;

/// What is read of a repository.
#[derive(Deserialize)]
pub(crate) struct Repository<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) project: ProjectRef<'a>,
    #[serde(borrow, rename = "defaultBranch")]
    pub(crate) default_branch: Option<Cow<'a, str>>,
    pub(crate) size: Option<u64>,
    #[serde(default, rename = "isDisabled")]
    pub(crate) is_disabled: bool,
    #[serde(default, rename = "isInMaintenance")]
    pub(crate) is_in_maintenance: bool,
    #[serde(default, rename = "isFork")]
    is_fork: bool,
    /// Of a fork; lists leave it out.
    #[serde(rename = "parentRepository")]
    parent: Option<IgnoredAny>,
}

#[derive(Deserialize)]
pub(crate) struct ProjectRef<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
}

impl Repository<'_> {
    /// Always through `_full`: where refs are limited, the ordinary address shows a person's own branches alone. It costs no more requests.
    pub(crate) fn remote(&self, http: &Client) -> Remote {
        Remote::new(
            http,
            DEV,
            &format!(
                "/{}/_git/_full/{}",
                segment(&self.project.name),
                segment(&self.name)
            ),
        )
    }
}

pub(crate) async fn list(http: &Client) -> Result<api::Pages> {
    api::pages(
        http,
        "/_apis/git/repositories",
        STABLE,
        Paging::Whole,
        &[("includeHidden", "true"), ("includeAllUrls", "true")],
    )
    .await
}

pub(crate) fn read(listed: &RawValue) -> Result<Repository<'_>> {
    serde_json::from_str(listed.get())
        .map_err(|error| Error::malformed(format!("repositories: {error}")))
}

pub(crate) fn read_all(pages: &api::Pages) -> Result<Vec<Repository<'_>>> {
    pages.values()?.into_iter().map(read).collect()
}

/// One repository by project and id.
pub(crate) async fn detail(
    http: &Client,
    project: &str,
    id: &str,
) -> Result<service::http::Answer> {
    let path = detail_path(project, id);
    http.get(DEV, &path).version(STABLE).send().await
}

fn detail_path(project: &str, id: &str) -> String {
    format!(
        "/{}/_apis/git/repositories/{}",
        segment(project),
        segment(id)
    )
}

/// In what a repository of the target differs from a stored one; also when the snapshot cannot tell.
pub(crate) async fn compared(cx: &Target<'_>, stored: &str, there: &str) -> Result<Vec<String>> {
    let item = ItemRef::new(GIT_REPOSITORY, "", stored);
    let Some(document) = cx.stored.document(&item).await? else {
        return Ok(vec!["the snapshot does not have them".to_owned()]);
    };
    let name = parts::read::<Repository<'_>>(&item, &document)?.name;
    let stored = StoredItem {
        name: name.into_owned(),
        item,
        action: Action::Merge,
        new_id: Some(there.to_owned()),
        open_intent: false,
    };
    let differences = restore::verify(cx, &[stored]).await?;
    Ok(differences.concat())
}

/// Why a listed repository cannot be read: the service would say that it is not there.
fn closed(repository: &Repository<'_>, item: &ItemRef) -> Option<Issue> {
    let (code, class, state, hint) = if repository.is_disabled {
        (
            "git-repository-disabled",
            Class::Permission,
            "is disabled",
            "Enable it in the project's settings if it is to be backed up; what was backed up before is kept.",
        )
    } else if repository.is_in_maintenance {
        (
            "git-repository-maintenance",
            Class::Transient,
            "is in maintenance",
            "The service works on it. What was backed up before is kept; the next backup tries again.",
        )
    } else {
        return None;
    };
    Some(Issue {
        code: code.to_owned(),
        class,
        kind: GIT_REPOSITORY.to_owned(),
        scope: String::new(),
        item: Some(item.clone()),
        message: format!(
            "repository {} of project {} {state}: its content cannot be read",
            repository.name, repository.project.name
        ),
        hint: Some(hint.to_owned()),
    })
}

/// Selected itself, and so is its project.
fn is_picked(cx: &Crawl<'_>, repository: &Repository<'_>) -> bool {
    let (project, name) = (&repository.project, &repository.name);
    let full = format!("{}/{name}", project.name);
    let picks = cx.order.picks;
    picks.takes(PROJECT, &project.id, &[&project.name])
        && picks.takes(GIT_REPOSITORY, &repository.id, &[&full, name])
}

async fn crawl_one(cx: &Crawl<'_>, document: &[u8], repository: &Repository<'_>) -> Result<()> {
    let item = ItemRef::new(GIT_REPOSITORY, "", &repository.id);
    if !is_picked(cx, repository) {
        return parts::unpicked(cx, &item).await;
    }
    let listed = Item {
        item: item.clone(),
        name: repository.name.to_string(),
        modified: None,
    };
    if let Some(issue) = closed(repository, &item) {
        cx.sink.issue(issue);
        return match cx.before(&item).await? {
            Some(_) => cx.sink.keep(&item).await,
            None => cx.sink.upsert(&listed, document).await,
        };
    }
    cx.sink.upsert(&listed, document).await?;
    match crawl_repository(cx, &repository.remote(cx.http), &item).await {
        Err(error) if !error.is_fatal() => {
            cx.sink
                .issue(error.to_issue(GIT_REPOSITORY, "", Some(item)));
            Ok(())
        }
        Ok(()) => cx.sink.done(&item).await,
        Err(error) => Err(error),
    }
}

/// Repositories that the list no longer has: those that are not selected stay, the others are gone where the service says so.
async fn missing(cx: &Crawl<'_>, seen: &HashSet<String>) -> Result<()> {
    let mut missing = Vec::new();
    for id in cx.prior.ids(GIT_REPOSITORY, "").await? {
        if seen.contains(&id.to_lowercase()) {
            continue;
        }
        let item = ItemRef::new(GIT_REPOSITORY, "", &id);
        let Some(document) = cx.legible(&item).await? else {
            continue;
        };
        let Ok(repository) = parts::read::<Repository<'_>>(&item, &document) else {
            continue;
        };
        if !is_picked(cx, &repository) {
            cx.sink.keep(&item).await?;
        } else if !cx.order.accepted.contains(GIT_REPOSITORY) {
            let project = repository.project.id.into_owned();
            missing.push(Missing {
                path: detail_path(&project, &id),
                token: format!("repoV2/{project}/{id}"),
                right: absent::GIT_READ,
                project,
                item,
            });
        }
    }
    let binned = absent::binned(cx.http, &missing).await?;
    let (binned, missing): (Vec<_>, Vec<_>) = missing
        .into_iter()
        .partition(|one| binned.contains(&one.item.id.to_lowercase()));
    for one in &binned {
        cx.sink.delete(&one.item).await?;
    }
    absent::report(cx, missing).await
}

/// Repositories of wikis that the last snapshot knows and that the list does not show, whatever `includeHidden` means to this server.
async fn unlisted(cx: &Crawl<'_>, seen: &HashSet<String>) -> Result<Vec<service::http::Answer>> {
    let mut answers = Vec::new();
    for id in cx.prior.ids(WIKI, "").await? {
        let item = ItemRef::new(WIKI, "", &id);
        let Some(document) = cx.legible(&item).await? else {
            continue;
        };
        let Ok(wiki) = parts::read::<Wiki<'_>>(&item, &document) else {
            continue;
        };
        if seen.contains(&wiki.repository.to_lowercase()) {
            continue;
        }
        match detail(cx.http, &wiki.project, &wiki.repository).await {
            Ok(answer) => answers.push(answer),
            // Gone or not to be read, in the same words; it is looked at with all that are missing.
            Err(error) if error.status == Some(404) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answers)
}

#[async_trait]
impl Kind for GitRepositoryKind {
    fn spec(&self) -> &KindSpec {
        &SPEC
    }

    fn describe(&self, document: &[u8]) -> Option<(String, Option<Timestamp>)> {
        let repository: Repository<'_> = serde_json::from_slice(document).ok()?;
        Some((repository.name.to_string(), None))
    }

    async fn crawl(&self, cx: &Crawl<'_>) -> Result<Option<Cursor>> {
        let pages = list(cx.http).await?;
        let mut found = Vec::new();
        for listed in pages.values()? {
            found.push((listed.get().as_bytes(), read(listed)?));
        }
        let seen: HashSet<String> = found
            .iter()
            .map(|(_, repository)| repository.id.to_lowercase())
            .collect();
        let hidden = unlisted(cx, &seen).await?;
        let mut seen = seen;
        for answer in &hidden {
            let repository: Repository<'_> = answer.json()?;
            seen.insert(repository.id.to_lowercase());
            found.push((&answer.body, repository));
        }
        cx.sink.expect(found.len() as u64);
        stream::iter(found.iter().map(Ok))
            .try_for_each_concurrent(CONCURRENCY, |(document, repository)| {
                crawl_one(cx, document, repository)
            })
            .await?;
        missing(cx, &seen).await?;
        Ok(None)
    }

    fn is_filtered(&self) -> bool {
        true
    }

    fn is_listed(&self) -> bool {
        true
    }

    async fn list(&self, http: &Client) -> Result<Option<Vec<(String, String)>>> {
        let pages = list(http).await?;
        let all = read_all(&pages)?.into_iter();
        let named = all.map(|one| {
            let name = format!("{}/{}", one.project.name, one.name);
            (one.id.into_owned(), name)
        });
        Ok(Some(named.collect()))
    }

    async fn probe(&self, http: &Client, _scope: &Scope) -> Result<()> {
        http.get(DEV, "/_apis/git/repositories")
            .version(STABLE)
            .query("$top", 1)
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

    async fn revisions(
        &self,
        cx: &Target<'_>,
        items: &[StoredItem],
    ) -> Result<Vec<Option<String>>> {
        restore::revisions(cx, items).await
    }

    async fn losses(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<Vec<Loss>>> {
        let document = parts::document(cx.stored, &item.item).await?;
        let repository: Repository<'_> = parts::read(&item.item, &document)?;
        let left = left_out(cx.stored, &item.item).await?;
        let anew = parts::gets_another_id(item);
        Ok(Some(parts::had([
            (NEW_ID, anew),
            (PULLS, left.contains(&LeftOut::PullRequests)),
            (OTHER_REFS, left.contains(&LeftOut::OtherRefs)),
            (
                FORK,
                anew && (repository.is_fork || repository.parent.is_some()),
            ),
            (POLICIES, anew),
            (NO_CONTENT, left.contains(&LeftOut::Content)),
            (NO_LARGE_FILES, left.contains(&LeftOut::LargeFiles)),
        ])))
    }

    fn removal(&self) -> Removal {
        Removal::Bin
    }

    async fn remove(&self, cx: &Target<'_>, items: &[StoredItem]) -> Result<Vec<Outcome>> {
        parts::remove(cx, items, |id| {
            format!("/_apis/git/repositories/{}", segment(id))
        })
        .await
    }

    async fn page(&self, cx: &Target<'_>, item: &StoredItem) -> Result<Option<String>> {
        let document = parts::document(cx.stored, &item.item).await?;
        let stored: Repository<'_> = parts::read(&item.item, &document)?;
        let Some(project) = cx.ids.get(PROJECT, &stored.project.id) else {
            return Ok(None);
        };
        parts::page(cx, item, |id| {
            format!("{}/_git/{}", segment(&project), segment(id))
        })
    }

    async fn inspect(
        &self,
        cx: &Inspect<'_>,
        item: &ItemRef,
        document: &[u8],
    ) -> Result<Inspection> {
        let mut found = Inspection::default();
        if let Some(repository) = parts::inspected::<Repository<'_>>(document, &mut found) {
            found.id = Some(repository.id.into_owned());
            found.refer(PROJECT, repository.project.id, Tie::Need, "repository.json");
        }
        inspect_repository(cx, item, &mut found).await?;
        Ok(found)
    }
}
