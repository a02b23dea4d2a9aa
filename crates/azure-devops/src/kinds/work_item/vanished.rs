//! Work items of projects that are no longer listed: gone with their project, or only hidden from the identity. The streams tell of neither.

use std::collections::{BTreeMap, BTreeSet};

use model::{Class, Issue};
use serde::Deserialize as _;
use service::{Error, Result};

use super::crawl::{Run, item};
use super::document::Head;
use super::marks::{Marks, OUT, SEEN};
use super::progress::Known;
use super::{WORK_ITEM, renamed};
use crate::api::{DEV, Pages};
use crate::kinds::project::{self, PROJECT, Project};

/// Ids and names in lower case.
#[derive(Default)]
struct Listed {
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Listed {
    fn of(pages: &Pages, deleted: bool) -> Result<Self> {
        let mut listed = Self::default();
        for value in pages.values()? {
            let project = Project::deserialize(value)
                .map_err(|error| Error::malformed(format!("projects: {error}")))?;
            if project.is_deleted() == deleted {
                listed.ids.insert(project.id.to_lowercase());
                listed.names.insert(project.name.to_lowercase());
            }
        }
        Ok(listed)
    }
}

/// What became of the project of an item that the service no longer has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is there: the project is not why.
    Live,
    Gone,
    /// It may only be hidden.
    Unknown,
}

/// What is known of projects.
struct Projects {
    live: Listed,
    bin: Listed,
    /// A person says that what is not listed was deleted.
    accepted: bool,
    /// The ids that a name stood for in the snapshot before.
    ids: BTreeMap<String, BTreeSet<String>>,
}

impl Projects {
    async fn of(run: &Run<'_>, names: &BTreeMap<String, String>) -> Result<Self> {
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let today = renamed::names(run, names).await?;
        for (id, name) in names.iter().chain(&today) {
            let known = ids.entry(name.to_lowercase()).or_default();
            known.insert(id.to_lowercase());
        }
        let http = run.http.tagged(PROJECT);
        Ok(Self {
            live: Listed::of(&project::list(&http).await?, false)?,
            bin: Listed::of(&project::binned(&http).await?, true)?,
            accepted: run.cx.order.accepted.contains(PROJECT),
            ids,
        })
    }

    /// A name that stood for several projects proves nothing, unless the same became of all.
    fn fate(&self, name: &str) -> Fate {
        let name = name.to_lowercase();
        let Some(ids) = self.ids.get(&name) else {
            return self.judge(&name, |listed| &listed.names);
        };
        let mut fates = ids.iter().map(|id| self.judge(id, |listed| &listed.ids));
        let first = fates.next().unwrap_or(Fate::Unknown);
        if fates.all(|fate| fate == first) {
            first
        } else {
            Fate::Unknown
        }
    }

    fn judge(&self, word: &str, of: impl Fn(&Listed) -> &BTreeSet<String>) -> Fate {
        if of(&self.live).contains(word) {
            Fate::Live
        } else if self.accepted || of(&self.bin).contains(word) {
            Fate::Gone
        } else {
            Fate::Unknown
        }
    }
}

/// What a look at all ids does not find and the snapshot before has: gone with its project, or named. Of the projects that were lost those of
/// which nobody knows.
pub(super) async fn absent(
    run: &Run<'_>,
    known: &mut Known,
    all: &Marks,
    lost: BTreeSet<String>,
) -> Result<BTreeSet<String>> {
    if lost.is_empty() {
        return Ok(lost);
    }
    let Some(projects) = projects(run, known).await? else {
        return Ok(lost);
    };
    let mut hidden = false;
    for id in stored(run).await? {
        let Some(project) = missing(run, id, all.get(id)).await? else {
            continue;
        };
        match projects.fate(&project) {
            Fate::Live => {}
            Fate::Gone => remove(run, known, id).await?,
            Fate::Unknown => {
                hidden = true;
                run.cx.sink.issue(issue(id, &project));
            }
        }
    }
    if !hidden {
        return Ok(BTreeSet::new());
    }
    let mut doubtful = lost;
    doubtful.retain(|id| !projects.bin.ids.contains(id));
    Ok(doubtful)
}

/// The same after the stream has told of every item. What is kept is named by whoever compares it with the snapshot before.
pub(super) async fn told_all(run: &Run<'_>, known: &mut Known) -> Result<()> {
    let Some(listed) = run.projects.as_ref().filter(|_| run.again) else {
        return Ok(());
    };
    let before = run.cx.prior.ids(PROJECT, "").await?;
    if before.iter().all(|id| listed.contains(&id.to_lowercase())) {
        return Ok(());
    }
    let Some(projects) = projects(run, known).await? else {
        return Ok(());
    };
    for id in stored(run).await? {
        let told = known.marks.get(id) & (SEEN | OUT);
        if let Some(project) = missing(run, id, told).await?
            && projects.fate(&project) == Fate::Gone
        {
            remove(run, known, id).await?;
        }
    }
    Ok(())
}

/// A question that is not answered proves nothing.
async fn projects(run: &Run<'_>, known: &Known) -> Result<Option<Projects>> {
    match Projects::of(run, &known.position.names).await {
        Ok(projects) => Ok(Some(projects)),
        Err(error) if error.is_fatal() || error.class == Class::Throttled => Err(error),
        Err(error) => {
            tracing::warn!(
                host = DEV,
                "whether work items are gone with their projects cannot be found out: {error}"
            );
            Ok(None)
        }
    }
}

async fn stored(run: &Run<'_>) -> Result<Vec<u32>> {
    let ids = run.cx.prior.ids(WORK_ITEM, "").await?;
    Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
}

/// The project that the snapshot before has of an item that is selected and was not told of.
async fn missing(run: &Run<'_>, id: u32, told: u8) -> Result<Option<String>> {
    if told != 0 {
        return Ok(None);
    }
    let document = run.cx.legible(&item(id)).await?.unwrap_or_default();
    let Ok(head) = serde_json::from_slice::<Head<'_>>(&document) else {
        return Ok(None);
    };
    let project = head.fields.project.as_deref().filter(|_| run.takes(&head));
    Ok(project.map(str::to_owned))
}

async fn remove(run: &Run<'_>, known: &mut Known, id: u32) -> Result<()> {
    known.marks.clear(id, u8::MAX);
    known.bin.remove(&id);
    known.position.again.remove(&id);
    run.cx.sink.delete(&item(id)).await
}

fn issue(id: u32, project: &str) -> Issue {
    Issue {
        code: "implausible-drop".to_owned(),
        class: Class::Implausible,
        kind: WORK_ITEM.to_owned(),
        scope: String::new(),
        item: Some(item(id)),
        message: format!(
            "work item {id} is no longer listed, and neither is its project {project}; it is kept as it was"
        ),
        hint: Some(format!(
            "Check that the identity still sees the project. If it was deleted, say so with --accept-deletions {PROJECT}."
        )),
    }
}
