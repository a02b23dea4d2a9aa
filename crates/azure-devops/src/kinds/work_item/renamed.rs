//! Projects that were renamed: that makes no revision of the work items in them, so their documents are read again.

use std::collections::BTreeMap;

use model::ItemRef;
use service::{Kind as _, Result};

use super::crawl::Run;
use super::marks::{Marks, OUT};
use super::position::Position;
use super::{WORK_ITEM, picked, sweep};
use crate::kinds::project::{PROJECT, ProjectKind};

/// What the names of projects came to since the run before.
pub(super) struct Renamed {
    /// All names of the snapshot before, by the id.
    names: BTreeMap<String, String>,
    /// The work items of those that have other names than in the snapshot before that.
    items: Option<Marks>,
}

impl Renamed {
    /// Asks for work items only where a project was renamed.
    pub(super) async fn of(run: &Run<'_>, position: &Position) -> Result<Self> {
        let names = names(run, &position.names).await?;
        let is_new = |id: &str, name: &str| {
            let old = position.names.get(id);
            let selected = run.cx.order.picks.takes(PROJECT, id, &[name]);
            selected && old.is_some_and(|old| old != name)
        };
        let new = names.iter().filter(|(id, name)| is_new(id, name));
        let new: Vec<&str> = new.map(|(_, name)| name.as_str()).collect();
        if new.is_empty() {
            return Ok(Self { names, items: None });
        }
        let condition = picked::in_projects(&new);
        match sweep::ids(run, Some(&condition)).await {
            Ok(items) => Ok(Self {
                names,
                items: Some(items),
            }),
            Err(error) if error.is_fatal() => Err(error),
            Err(error) => {
                tracing::warn!("the work items of renamed projects cannot be looked for: {error}");
                // They are looked for the next time.
                Ok(Self {
                    names: position.names.clone(),
                    items: None,
                })
            }
        }
    }

    /// Those of the work items that the snapshot before has, and that have not been left out since.
    pub(super) async fn stored(&self, run: &Run<'_>, marks: &Marks) -> Result<Vec<u32>> {
        let Some(items) = &self.items else {
            return Ok(Vec::new());
        };
        let stored = run.cx.prior.ids(WORK_ITEM, "").await?;
        let stored = stored.iter().filter_map(|id| id.parse().ok());
        let is_ours = |id: &u32| items.get(*id) != 0 && marks.get(*id) & OUT == 0;
        Ok(stored.filter(is_ours).collect())
    }

    pub(super) fn note(self, position: &mut Position) {
        position.names = self.names;
    }
}

/// The names of projects in the snapshot before. What cannot be read is what it was.
pub(super) async fn names(
    run: &Run<'_>,
    known: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for id in run.cx.prior.ids(PROJECT, "").await? {
        let item = ItemRef::new(PROJECT, "", &id);
        let document = match run.cx.prior.document(&item).await {
            Err(error) if error.is_damage() => None,
            document => document?,
        };
        let name = document.and_then(|document| ProjectKind.describe(&document));
        let name = name
            .map(|(name, _)| name)
            .or_else(|| known.get(&id).cloned());
        names.extend(name.map(|name| (id, name)));
    }
    Ok(names)
}
