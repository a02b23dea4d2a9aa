//! Which work items a policy selects: those of the projects that it selects, revision by revision.
//!
//! The streams are those of the whole organization, so that what is not selected arrives too: none of it is stored.

use std::collections::{BTreeSet, HashMap};

use model::{Class, Issue, ItemRef, Picks};
use serde::Deserialize as _;
use service::{Crawl, Error, Kind as _, Result};

use super::WORK_ITEM;
use super::crawl::{Run, item};
use super::document::Head;
use super::marks::{Marks, OUT, REVISED, SEEN};
use crate::kinds::project::{self, PROJECT, Project, ProjectKind};

/// Lies with an item that was stored and then left what is selected; says since when.
pub(super) const NOT_SELECTED: &str = "not-selected.json";

/// The projects of the organization, and which of them are selected.
pub(super) struct Picked<'a> {
    picks: &'a Picks,
    /// Ids by their names in lower case.
    projects: HashMap<String, String>,
}

impl<'a> Picked<'a> {
    /// `None` when all projects are selected.
    pub(super) async fn of(cx: &Crawl<'a>) -> Result<Option<Self>> {
        let picks = cx.order.picks;
        if !picks.0.contains_key(PROJECT) {
            return Ok(None);
        }
        let mut projects = HashMap::new();
        for id in cx.prior.ids(PROJECT, "").await? {
            let document = cx.legible(&ItemRef::new(PROJECT, "", &id)).await?;
            let described = document.and_then(|document| ProjectKind.describe(&document));
            if let Some((name, _)) = described {
                projects.insert(name.to_lowercase(), id);
            }
        }
        for listed in project::list(cx.http).await?.values()? {
            let project = Project::deserialize(listed)
                .map_err(|error| Error::malformed(format!("projects: {error}")))?;
            if !project.is_deleted() {
                projects.insert(project.name.to_lowercase(), project.id.into_owned());
            }
        }
        Ok(Some(Self { picks, projects }))
    }

    /// Whether items of a project are selected. Those of a project that nobody knows are not: it may be the one that was left out.
    fn takes(&self, project: Option<&str>) -> bool {
        let Some(name) = project else { return false };
        let id = self.projects.get(&name.to_lowercase());
        id.is_some_and(|id| self.picks.takes(PROJECT, id, &[name]))
    }

    /// The same as a condition of a query; `None` when none is.
    pub(super) fn condition(&self) -> Option<String> {
        let names = self.projects.keys().filter(|name| self.takes(Some(name)));
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.sort_unstable();
        (!names.is_empty()).then(|| in_projects(&names))
    }

    /// Ids of the projects that are not selected.
    fn left_out(&self) -> BTreeSet<String> {
        let mut out = BTreeSet::new();
        for (name, id) in &self.projects {
            if !self.picks.takes(PROJECT, id, &[name]) {
                out.insert(id.to_lowercase());
            }
        }
        out
    }
}

/// What a query asks of the items of some projects.
pub(super) fn in_projects(names: &[&str]) -> String {
    let quoted = names
        .iter()
        .map(|name| format!("'{}'", name.replace('\'', "''")));
    let quoted: Vec<String> = quoted.collect();
    format!("[System.TeamProject] In ({})", quoted.join(", "))
}

/// Whether a crawl has to read everything again: something is selected now that was left out when `left` was noted.
pub(super) fn more(picked: Option<&Picked<'_>>, left: &BTreeSet<String>) -> bool {
    match picked {
        None => !left.is_empty(),
        Some(picked) => !left.is_subset(&picked.left_out()),
    }
}

impl Run<'_> {
    /// Whether this is of a project that is selected.
    pub(super) fn takes(&self, head: &Head<'_>) -> bool {
        let picked = self.picked.as_ref();
        picked.is_none_or(|picked| picked.takes(head.fields.project.as_deref()))
    }

    pub(super) fn left_out(&self) -> BTreeSet<String> {
        let picked = self.picked.as_ref();
        picked.map_or_else(BTreeSet::new, Picked::left_out)
    }

    /// What lies in a project that is not selected stays as it was. One that was never stored does not begin to be.
    pub(super) async fn leave(&self, marks: &Marks, id: u32) -> Result<()> {
        let (cx, item) = (self.cx, item(id));
        let Some(document) = cx.before(&item).await? else {
            // Its revisions in a project that is selected have come already.
            if marks.get(id) & REVISED != 0 {
                cx.sink.delete(&item).await?;
            }
            return Ok(());
        };
        cx.sink.keep(&item).await?;
        let was_selected =
            serde_json::from_slice::<Head<'_>>(&document).is_ok_and(|before| self.takes(&before));
        if !was_selected || cx.prior.part(&item, NOT_SELECTED).await?.is_some() {
            return Ok(());
        }
        let note = format!("{{\"since\":\"{}\"}}", cx.order.started);
        cx.sink.part(&item, NOT_SELECTED, note.as_bytes()).await?;
        cx.sink.issue(Issue {
            code: "work-item-not-selected".to_owned(),
            class: Class::Missing,
            kind: WORK_ITEM.to_owned(),
            scope: String::new(),
            item: Some(item),
            message: format!(
                "work item {id} has moved to a project that the policy does not select; it is kept as it was before"
            ),
            hint: Some("Select the project that it lies in now, or leave it as it is.".to_owned()),
        });
        Ok(())
    }

    /// The same for all that the streams named, and after a crawl of everything for what they did not.
    pub(super) async fn leave_all(&self, marks: &Marks) -> Result<()> {
        if self.picked.is_none() {
            return Ok(());
        }
        for id in marks.ids(OUT, 0) {
            self.leave(marks, id).await?;
        }
        if !self.again {
            return Ok(());
        }
        for text in self.cx.prior.ids(WORK_ITEM, "").await? {
            let said = text.parse().map_or(0, |id| marks.get(id));
            if said & (SEEN | OUT) != 0 {
                continue;
            }
            let item = ItemRef::new(WORK_ITEM, "", &text);
            let document = self.cx.before(&item).await?;
            let selected = document.is_some_and(|document| {
                serde_json::from_slice::<Head<'_>>(&document).is_ok_and(|head| self.takes(&head))
            });
            if !selected {
                self.cx.sink.keep(&item).await?;
            }
        }
        Ok(())
    }
}
