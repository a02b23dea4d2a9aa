//! What a snapshot carried over from the one before, because it could not be read or was not selected: told wherever the snapshot is.

use std::collections::BTreeMap;

use catalog::KnownSnapshot;
use futures::future::try_join_all;
use jiff::Timestamp;
use model::{ItemRef, Picks, StaleItem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::names::Names;
use crate::{Problem, Server};

/// So many descriptions are read at once.
const AT_ONCE: usize = 8;

/// A kind of data that could not be read, in all of the organization or in one project.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct StalePart {
    kind: String,
    /// The project, or empty for all of the organization.
    scope: String,
    /// What the project is called, where a snapshot has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_name: Option<String>,
    /// When what is stored of it was read.
    #[schema(format = DateTime)]
    since: String,
}

/// What its run was to back up of a snapshot, where that was not everything.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct SelectedView {
    /// Kinds that it holds and that were not selected.
    without: Vec<String>,
    /// Kinds of which some items were selected, with what lies in them.
    only: Vec<PickedView>,
}

/// Which items of a kind were selected.
#[derive(Clone, Serialize, ToSchema)]
struct PickedView {
    kind: String,
    /// Ids, names or patterns; empty for all.
    include: Vec<String>,
    /// They win over `include`.
    exclude: Vec<String>,
    /// Also those that appeared after the selection was made.
    new: bool,
}

/// What a snapshot does not hold as it was when it was made.
#[derive(Clone, Default)]
pub(super) struct Stale {
    pub(super) parts: Vec<StalePart>,
    pub(super) items: u64,
    pub(super) selected: Option<SelectedView>,
}

/// What `source.json` says of it; the rest is not looked at.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    stale: BTreeMap<String, Timestamp>,
    #[serde(default)]
    stale_items: Vec<StaleItem>,
    #[serde(default)]
    selection: Vec<String>,
    #[serde(default)]
    picks: Picks,
}

impl Told {
    fn selected(&self, snapshot: &KnownSnapshot) -> Option<SelectedView> {
        // One whose description cannot be read tells nothing.
        if self.selection.is_empty() {
            return None;
        }
        let held = snapshot
            .counts
            .iter()
            .filter(|(_, counts)| counts.items > 0);
        let without = held
            .map(|(kind, _)| kind)
            .filter(|kind| !self.selection.contains(kind));
        let without: Vec<String> = without.cloned().collect();
        let picks = self.picks.0.iter().filter(|(_, pick)| !pick.is_all());
        let only: Vec<PickedView> = picks
            .map(|(kind, pick)| PickedView {
                kind: kind.clone(),
                include: pick.include.clone(),
                exclude: pick.exclude.clone(),
                new: pick.known.is_none(),
            })
            .collect();
        (!without.is_empty() || !only.is_empty()).then_some(SelectedView { without, only })
    }
}

/// By the ids of the snapshots; those that hold everything as it was are left out.
pub(super) async fn stale_of(
    server: &Server,
    snapshots: &[KnownSnapshot],
) -> Result<BTreeMap<String, Stale>, Problem> {
    let mut all = Vec::with_capacity(snapshots.len());
    for some in snapshots.chunks(AT_ONCE) {
        let read = some.iter().map(|snapshot| told(server, &snapshot.id));
        all.extend(try_join_all(read).await?);
    }
    let mut names = Names::new(server);
    let mut found = BTreeMap::new();
    for (snapshot, told) in snapshots.iter().zip(all) {
        let selected = told.selected(snapshot);
        if told.stale.is_empty() && told.stale_items.is_empty() && selected.is_none() {
            continue;
        }
        let mut parts = Vec::with_capacity(told.stale.len());
        for (key, since) in told.stale {
            let (kind, scope) = key.split_once('/').unwrap_or((&key, ""));
            parts.push(StalePart {
                scope_name: names.scope(&snapshot.source, kind, scope).await?,
                kind: kind.to_owned(),
                scope: scope.to_owned(),
                since: since.to_string(),
            });
        }
        let items = told.stale_items.len() as u64;
        let stale = Stale {
            parts,
            items,
            selected,
        };
        found.insert(snapshot.id.clone(), stale);
    }
    Ok(found)
}

/// When an item was read, for one that the snapshot carried over; `None` for one that is as it was when the snapshot was made.
pub(super) async fn read_before(
    server: &Server,
    snapshot: &KnownSnapshot,
    item: &ItemRef,
) -> Result<Option<Timestamp>, Problem> {
    let told = told(server, &snapshot.id).await?;
    let part = format!("{}/{}", item.kind, item.scope);
    let part = told.stale.get(&item.kind).or(told.stale.get(&part));
    let alone = || told.stale_items.iter().find(|stale| stale.item == *item);
    Ok(part.copied().or_else(|| alone().map(|stale| stale.read)))
}

async fn told(server: &Server, id: &str) -> Result<Told, Problem> {
    let text = match server.control.catalog.source_file(id).await {
        Ok(text) => text,
        // Forgotten since it was listed.
        Err(catalog::Error::SnapshotUnknown { .. }) => return Ok(Told::default()),
        Err(error) => return Err(error.into()),
    };
    // The others can be listed, and restored from, all the same: whoever opens this one is told.
    Ok(serde_json::from_str(&text).unwrap_or_else(|error| {
        tracing::error!(%error, snapshot = id, "the description of a snapshot");
        Told::default()
    }))
}
