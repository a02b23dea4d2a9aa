//! Work items of projects that are no longer listed: gone with their project, or only hidden from the identity. The streams tell of neither.

use std::collections::{BTreeMap, BTreeSet};

use model::{Class, Issue, ItemRef};
use serde::Deserialize as _;
use service::{Error, Result};

use super::crawl::{Run, item};
use super::document::Head;
use super::marks::{Marks, OUT, SEEN};
use super::progress::Known;
use super::{WORK_ITEM, renamed};
use crate::api::{DEV, Pages};
use crate::kinds::project::{self, PROJECT, Project};

/// So many of the items that are kept are named.
const NAMED: usize = 5;

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
    let mut hidden: BTreeMap<String, Vec<ItemRef>> = BTreeMap::new();
    let (ids, odd) = stored(run).await?;
    if !odd.is_empty() {
        run.cx.sink.doubt(no_numbers(&odd), &odd);
    }
    for id in ids {
        match missing(run, id, all.get(id)).await? {
            Missing::No => {}
            Missing::Unreadable(error) => {
                let issue = unreadable(id, &error);
                run.cx.sink.issue(issue);
            }
            Missing::Of(project) => match projects.fate(&project) {
                Fate::Live => {}
                Fate::Gone => remove(run, known, id).await?,
                Fate::Unknown => hidden.entry(project).or_default().push(item(id)),
            },
        }
    }
    if hidden.is_empty() {
        return Ok(BTreeSet::new());
    }
    for (project, items) in &hidden {
        run.cx.sink.doubt(issue(project, items), items);
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
    for id in stored(run).await?.0 {
        let told = known.marks.get(id) & (SEEN | OUT);
        if let Missing::Of(project) = missing(run, id, told).await?
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

/// The numbers of the items in the snapshot before, and those that have none.
async fn stored(run: &Run<'_>) -> Result<(Vec<u32>, Vec<ItemRef>)> {
    let (mut numbers, mut odd) = (Vec::new(), Vec::new());
    for id in run.cx.prior.ids(WORK_ITEM, "").await? {
        match id.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => odd.push(ItemRef::new(WORK_ITEM, "", &id)),
        }
    }
    Ok((numbers, odd))
}

/// What the snapshot before says of an item that may be missing.
enum Missing {
    /// It was told of, or is not selected.
    No,
    /// It is of this project.
    Of(String),
    /// Nobody can say of which project it is.
    Unreadable(Error),
}

async fn missing(run: &Run<'_>, id: u32, told: u8) -> Result<Missing> {
    if told != 0 {
        return Ok(Missing::No);
    }
    let document = match run.cx.prior.document(&item(id)).await {
        Err(error) if error.is_damage() => return Ok(Missing::Unreadable(error)),
        document => document?.unwrap_or_default(),
    };
    let head = match serde_json::from_slice::<Head<'_>>(&document) {
        Ok(head) => head,
        Err(error) => return Ok(Missing::Unreadable(malformed(&error.to_string()))),
    };
    let Some(project) = head.fields.project.as_deref() else {
        return Ok(Missing::Unreadable(malformed("it names no project")));
    };
    if run.takes(&head) {
        Ok(Missing::Of(project.to_owned()))
    } else {
        Ok(Missing::No)
    }
}

fn malformed(why: &str) -> Error {
    Error::new(Class::Malformed, "document-malformed", why)
}

async fn remove(run: &Run<'_>, known: &mut Known, id: u32) -> Result<()> {
    known.marks.clear(id, u8::MAX);
    known.bin.remove(&id);
    known.position.again.remove(&id);
    run.cx.sink.delete(&item(id)).await
}

/// Of all items of a project.
fn issue(project: &str, items: &[ItemRef]) -> Issue {
    Issue {
        code: "implausible-drop".to_owned(),
        class: Class::Implausible,
        kind: WORK_ITEM.to_owned(),
        scope: String::new(),
        item: None,
        message: format!(
            "{} work items of project {project} are no longer listed, and neither is the project ({}); they are kept as they were",
            items.len(),
            first(items)
        ),
        hint: Some(format!(
            "Check that the identity still sees the project. If it was deleted, say so with --accept-deletions {PROJECT}."
        )),
    }
}

fn unreadable(id: u32, error: &Error) -> Issue {
    let mut issue = error.to_issue(WORK_ITEM, "", Some(item(id)));
    issue.message = format!(
        "work item {id} is no longer listed, and whether it is gone with its project cannot be told: its stored document cannot be read ({}); it is kept as it was",
        error.message
    );
    issue
}

fn no_numbers(items: &[ItemRef]) -> Issue {
    let message = format!(
        "{} stored work items have ids that are no numbers ({}): nobody can ask for them, and they are kept as they were",
        items.len(),
        first(items)
    );
    Error::new(Class::Malformed, "document-misplaced", message).to_issue(WORK_ITEM, "", None)
}

/// The ids of the first ones.
fn first(items: &[ItemRef]) -> String {
    let named = items.iter().take(NAMED).map(|item| item.id.as_str());
    let mut named = named.collect::<Vec<_>>().join(", ");
    if items.len() > NAMED {
        named.push_str(", …");
    }
    named
}
