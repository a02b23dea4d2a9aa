//! Items: which there are in a snapshot, what became of one, and where to find it again.

use std::collections::BTreeMap;

use axum::extract::State;
use catalog::{
    Change, IndexEntry, ItemChange, ItemFilter, ItemState, KnownSnapshot, Page, Query as Words,
    TextFilter,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, ReadContent, ReadStatus};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(counts))
        .routes(routes!(changes))
        .routes(routes!(history))
}

/// An item as a snapshot holds it.
#[derive(Serialize, ToSchema)]
pub(super) struct ItemView {
    kind: String,
    /// The project, or empty for all of the organization.
    scope: String,
    id: String,
    name: String,
    /// Its folder in the snapshot.
    path: String,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    modified: Option<String>,
    /// In the service's own recycle bin.
    binned: bool,
    /// Equal digests are equal contents.
    digest: String,
}

impl From<IndexEntry> for ItemView {
    fn from(entry: IndexEntry) -> Self {
        Self {
            kind: entry.item.kind,
            scope: entry.item.scope,
            id: entry.item.id,
            name: entry.name,
            path: entry.path,
            size: entry.size,
            modified: entry.modified.map(|modified| modified.to_string()),
            binned: entry.state == ItemState::Binned,
            digest: entry.digest,
        }
    }
}

/// Which items.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of this kind.
    #[param(required = false)]
    kind: Option<String>,
    /// In this project; empty for those without one.
    #[param(required = false)]
    scope: Option<String>,
    /// Of this project, by its name or id, wherever they lie: work items and repositories name it in their documents.
    #[param(required = false)]
    project: Option<String>,
    /// With these words in names, ids or texts, as `search` understands them; goes with `kind` and `project`.
    #[param(required = false)]
    q: Option<String>,
    /// With these words in their names or ids, in any order; the last may be a beginning of two letters or more. What has no letter and no digit is
    /// looked for as it stands.
    #[param(required = false)]
    name: Option<String>,
    /// Only those in the service's recycle bin, or only those that are not.
    #[param(required = false)]
    binned: Option<bool>,
}

impl From<Filter> for ItemFilter {
    fn from(filter: Filter) -> Self {
        let state = |binned| {
            if binned {
                ItemState::Binned
            } else {
                ItemState::Live
            }
        };
        Self {
            kind: filter.kind,
            scope: filter.scope,
            project: filter.project,
            name: filter.name,
            state: filter.binned.map(state),
        }
    }
}

/// The items of a snapshot, by kind, scope and id; with `q`, what is found by its name first.
#[utoipa::path(get, path = "/snapshots/{id}/items", tag = "snapshots", operation_id = "snapshot_items",
    params(("id" = String, Path), PageQuery, Filter),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<ItemView>), Refusals))]
async fn list(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<ItemView>>, Problem> {
    let page = query.page(&server)?;
    let snapshot = reached(&server, &caller, &id).await?;
    let catalog = &server.control.catalog;
    let Some(words) = &filter.q else {
        let listed = catalog
            .items_at(&snapshot.source, snapshot.seq, &filter.into(), &page)
            .await?;
        return Ok(Json(Paged::from_listed(&server, listed, ItemView::from)));
    };
    if filter.scope.is_some() || filter.name.is_some() || filter.binned.is_some() {
        let detail = "it goes with `kind` and `project` alone";
        return Err(Problem::parameter("q", detail));
    }
    let within = TextFilter {
        kind: filter.kind,
        project: filter.project,
        since: Some(snapshot.time),
        until: Some(snapshot.time),
        source: Some(snapshot.source),
        bare: true,
        ..TextFilter::default()
    };
    let listed = catalog
        .search_text(&Words::parse(words), &within, &page)
        .await?;
    Ok(Json(Paged::from_listed(&server, listed, |hit| {
        hit.entry.into()
    })))
}

/// How many items of a kind a project has.
#[derive(Serialize, ToSchema)]
struct ProjectCountView {
    kind: String,
    /// Its id where the snapshot has the project; else what the documents call it; empty for what belongs to none.
    project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    items: u64,
}

/// How many items of each kind and project the snapshot holds; all in one page.
#[utoipa::path(get, path = "/snapshots/{id}/counts", tag = "snapshots", operation_id = "snapshot_counts",
    params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<ProjectCountView>), Refusals))]
async fn counts(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<Paged<ProjectCountView>>, Problem> {
    let snapshot = reached(&server, &caller, &id).await?;
    let catalog = &server.control.catalog;
    let known = projects(&server, &snapshot).await?;
    let mut counts: BTreeMap<(String, String), ProjectCountView> = BTreeMap::new();
    for count in catalog.project_counts(&snapshot).await? {
        let (project, name) = match known.get(&count.project) {
            Some((id, name)) => (id.clone(), Some(name.clone())),
            None => (count.project, None),
        };
        let of = (count.kind.clone(), project.clone());
        let view = counts.entry(of).or_insert_with(|| ProjectCountView {
            kind: count.kind,
            project,
            name,
            items: 0,
        });
        view.items += count.items;
    }
    let items: Vec<ProjectCountView> = counts.into_values().collect();
    Ok(Json(items.into()))
}

/// The projects of a snapshot as id and name, by either in lower case.
async fn projects(
    server: &Server,
    snapshot: &KnownSnapshot,
) -> Result<BTreeMap<String, (String, String)>, Problem> {
    let filter = ItemFilter {
        kind: Some("project".to_owned()),
        ..ItemFilter::default()
    };
    let mut known = BTreeMap::new();
    let mut page = Some(Page::first(1000));
    while let Some(this) = page {
        let (source, catalog) = (&snapshot.source, &server.control.catalog);
        let listed = catalog
            .items_at(source, snapshot.seq, &filter, &this)
            .await?;
        page = this.following(&listed);
        for entry in listed.items {
            let pair = (entry.item.id, entry.name);
            known.insert(pair.1.to_lowercase(), pair.clone());
            known.insert(pair.0.to_lowercase(), pair);
        }
    }
    Ok(known)
}

/// With which snapshot to compare.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Against {
    /// The snapshot before; another one of the same source, by its id or the beginning of it.
    from: String,
    /// Of this kind.
    #[param(required = false)]
    kind: Option<String>,
    /// In this project; empty for those without one.
    #[param(required = false)]
    scope: Option<String>,
    /// Only what was `added`, `changed` or `removed`.
    #[param(required = false)]
    change: Option<String>,
}

/// An item that differs.
#[derive(Serialize, ToSchema)]
struct ChangeView {
    kind: String,
    scope: String,
    id: String,
    /// `added`, `changed` or `removed`. What came into the service's recycle bin is removed, and what came back from there added; both have a
    /// version before and one after.
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ItemView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ItemView>,
}

impl From<ItemChange> for ChangeView {
    fn from(change: ItemChange) -> Self {
        Self {
            kind: change.item.kind,
            scope: change.item.scope,
            id: change.item.id,
            change: change.change.name(),
            before: change.before.map(ItemView::from),
            after: change.after.map(ItemView::from),
        }
    }
}

/// What differs from another snapshot of the same source.
#[utoipa::path(get, path = "/snapshots/{id}/changes", tag = "snapshots", operation_id = "snapshot_changes",
    params(("id" = String, Path), PageQuery, Against),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<ChangeView>), Refusals))]
async fn changes(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
    Query(from): Query<Against>,
) -> Result<Json<Paged<ChangeView>>, Problem> {
    let after = reached(&server, &caller, &id).await?;
    let before = reached(&server, &caller, &from.from).await?;
    if before.source != after.source {
        return Err(Problem::parameter(
            "from",
            "a snapshot of the same source in the same repository",
        ));
    }
    let only = match &from.change {
        Some(name) => Some(Change::find(name).ok_or_else(|| {
            let known = Change::ALL.map(Change::name).join(", ");
            Problem::parameter("change", format!("one of {known}"))
        })?),
        None => None,
    };
    let filter = ItemFilter {
        kind: from.kind,
        scope: from.scope,
        ..ItemFilter::default()
    };
    let catalog = &server.control.catalog;
    let listed = catalog
        .changes_between(
            &after.source,
            before.seq,
            after.seq,
            &filter,
            only,
            &query.page(&server)?,
        )
        .await?;
    Ok(Json(Paged::from_listed(&server, listed, ChangeView::from)))
}

/// Which item.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Item {
    kind: String,
    id: String,
}

/// A version of an item, and which snapshots hold it.
#[derive(Serialize, ToSchema)]
struct VersionView {
    #[serde(flatten)]
    item: ItemView,
    /// The first snapshot that holds it, where it is not forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<SnapshotRef>,
    /// The last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<SnapshotRef>,
    /// It is in the newest snapshot.
    current: bool,
}

/// A snapshot in short.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct SnapshotRef {
    id: String,
    #[schema(format = DateTime)]
    time: String,
}

impl SnapshotRef {
    pub(super) fn of(snapshot: &KnownSnapshot) -> Self {
        Self {
            id: snapshot.id.clone(),
            time: snapshot.time.to_string(),
        }
    }
}

/// Every version of an item over all snapshots of the source, the oldest first.
#[utoipa::path(get, path = "/snapshots/{id}/history", tag = "snapshots", operation_id = "snapshot_history",
    params(("id" = String, Path), Item),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<VersionView>), Refusals))]
async fn history(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(item): Query<Item>,
) -> Result<Json<Paged<VersionView>>, Problem> {
    let snapshot = reached(&server, &caller, &id).await?;
    let catalog = &server.control.catalog;
    let snapshots = catalog.source_snapshots(&snapshot.source).await?;
    let versions = catalog
        .history(&snapshot.source, &item.kind, &item.id)
        .await?;
    let view = |entry: IndexEntry| {
        let holds =
            |seq: i64| entry.first_seq <= seq && entry.gone_seq.is_none_or(|gone| seq < gone);
        // The newest first.
        let mut held = snapshots
            .iter()
            .filter(|snapshot| holds(snapshot.seq))
            .map(SnapshotRef::of);
        let last = held.next();
        let first = held.next_back().or_else(|| last.clone());
        let current = entry.gone_seq.is_none();
        VersionView {
            first,
            last,
            current,
            item: entry.into(),
        }
    };
    let versions: Vec<VersionView> = versions.into_iter().map(view).collect();
    Ok(Json(versions.into()))
}
