//! Snapshots: what was backed up, what is in them, and what changed. Lists are answered by the catalog; `content` and `git` open repositories.

mod archive;
mod bytes;
mod content;
mod forget;
mod git;
mod items;
mod kinds;
mod search;
mod stale;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use catalog::{KnownSnapshot, RepositoryRow, SnapshotFilter, Verification};
use jiff::Timestamp;
use model::{SourceFile, SourceId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::runs::KindCountsView;
use crate::access::{Allowed, Caller, ReadStatus};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};
use stale::{SelectedView, Stale, StalePart};
use verify::VerifiedView;

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .merge(archive::routes())
        .merge(content::routes())
        .merge(forget::routes())
        .merge(git::routes())
        .merge(items::routes())
        .merge(search::routes())
        .merge(verify::routes())
}

/// A snapshot.
#[derive(Serialize, ToSchema)]
struct SnapshotView {
    id: String,
    /// The repository's name, or its id where it has no name any more.
    repository: String,
    service: String,
    /// The organization, mailbox, drive, site or team.
    source: String,
    /// Where that is: two sources at two addresses may have one name.
    address: String,
    #[schema(format = DateTime)]
    time: String,
    run: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    items: u64,
    kinds: BTreeMap<String, KindCountsView>,
    /// Null for one that nobody has verified.
    verified: Option<VerifiedView>,
    /// Until then the storage's object lock keeps anybody from removing it.
    #[schema(format = DateTime)]
    locked_until: Option<String>,
    /// What could not be read: of it the snapshot holds what an earlier one had.
    stale_parts: Vec<StalePart>,
    /// Single items that could not be read: an older version of each is stored.
    stale_items: u64,
    /// What its run was to back up, where that was not everything: of the rest it holds what an earlier one had, as it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    selected: Option<SelectedView>,
}

/// A snapshot with what is wrong with it.
#[derive(Serialize, ToSchema)]
struct SnapshotDetail {
    #[serde(flatten)]
    snapshot: SnapshotView,
    /// Kinds that could not be read, and since when what is stored of them is old: `stale_parts` by `kind` or `kind/scope`.
    stale: BTreeMap<String, String>,
    issues: u64,
}

/// The names of repositories by their ids.
async fn repositories(server: &Server) -> Result<BTreeMap<String, String>, Problem> {
    let rows = server.control.catalog.repositories().await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// What is known about snapshots beside themselves.
struct Marks {
    /// By their ids.
    repositories: BTreeMap<String, RepositoryRow>,
    verified: BTreeMap<String, Verification>,
    stale: BTreeMap<String, Stale>,
    now: Timestamp,
}

impl Marks {
    async fn of(server: &Server, snapshots: &[KnownSnapshot]) -> Result<Self, Problem> {
        let catalog = &server.control.catalog;
        let rows = catalog.repositories().await?.into_iter();
        let ids: Vec<&str> = snapshots.iter().map(|one| one.id.as_str()).collect();
        Ok(Self {
            repositories: rows.map(|row| (row.id.clone(), row)).collect(),
            verified: catalog.verifications_of(&ids).await?,
            stale: stale::stale_of(server, snapshots).await?,
            now: server.control.clock.now(),
        })
    }
}

fn view(snapshot: KnownSnapshot, marks: &Marks) -> SnapshotView {
    let id = snapshot.source.repository;
    let repository = marks.repositories.get(&id);
    let locked = repository
        .and_then(|row| verify::locked_until(row, snapshot.time))
        .filter(|until| *until > marks.now);
    let stale = marks.stale.get(&snapshot.id).cloned().unwrap_or_default();
    SnapshotView {
        stale_parts: stale.parts,
        stale_items: stale.items,
        selected: stale.selected,
        verified: marks.verified.get(&snapshot.id).map(VerifiedView::from),
        locked_until: locked.map(|until| until.to_string()),
        repository: repository.map_or(id, |row| row.name.clone()),
        id: snapshot.id,
        service: snapshot.source.id.service,
        source: snapshot.name,
        address: snapshot.source.id.address,
        time: snapshot.time.to_string(),
        run: snapshot.run,
        parent: snapshot.parent,
        items: snapshot.counts.values().map(|counts| counts.items).sum(),
        kinds: snapshot
            .counts
            .iter()
            .map(|(kind, counts)| (kind.clone(), counts.into()))
            .collect(),
    }
}

/// The sources that the caller's connectors stand for; `None` is all. Snapshots whose connector is gone are for those who reach everything.
pub(super) async fn sources(
    server: &Server,
    caller: &Caller,
) -> Result<Option<BTreeSet<SourceId>>, Problem> {
    if caller.connectors.is_none() {
        return Ok(None);
    }
    let connectors = server.control.catalog.connectors().await?;
    let reached = connectors
        .iter()
        .filter(|connector| caller.reaches(&connector.name));
    let sources = reached.filter_map(|connector| server.control.source_of(connector).ok());
    Ok(Some(sources.collect()))
}

/// What this connector stands for, when the caller reaches it.
async fn connector_source(
    server: &Server,
    caller: &Caller,
    name: &str,
) -> Result<SourceId, Problem> {
    let connector = server.control.catalog.connector(name).await?;
    if !caller.reaches(name) {
        return Err(catalog::Error::ConnectorUnknown {
            name: name.to_owned(),
        }
        .into());
    }
    Ok(server.control.source_of(&connector)?)
}

/// The snapshot of this id or beginning of one, when the caller reaches its source.
pub(super) async fn reached(
    server: &Server,
    caller: &Caller,
    id: &str,
) -> Result<KnownSnapshot, Problem> {
    let unknown = || Problem::from(catalog::Error::SnapshotUnknown { id: id.to_owned() });
    if id.is_empty() {
        return Err(unknown());
    }
    let sources = sources(server, caller).await?;
    let snapshot = match server.control.catalog.find_snapshot(id).await {
        // Candidates would tell of snapshots that are out of reach.
        Err(catalog::Error::SnapshotAmbiguous { .. }) if sources.is_some() => return Err(unknown()),
        found => found?,
    };
    if sources.is_none_or(|sources| sources.contains(&snapshot.source.id)) {
        return Ok(snapshot);
    }
    Err(unknown())
}

/// Which snapshots.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// In the repository of this name.
    #[param(required = false)]
    repository: Option<String>,
    /// Of this connector's organization or tenant.
    #[param(required = false)]
    connector: Option<String>,
    /// Of this organization or tenant, by its name or address, also when no connector is for it any more.
    #[param(required = false)]
    source: Option<String>,
}

/// Snapshots, the newest first.
#[utoipa::path(get, path = "/snapshots", tag = "snapshots", operation_id = "snapshot_list", params(PageQuery, Filter),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<SnapshotView>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<SnapshotView>>, Problem> {
    let catalog = &server.control.catalog;
    let repository = match &filter.repository {
        Some(name) => Some(catalog.repository(name).await?.id),
        None => None,
    };
    let mut sources = sources(&server, &caller).await?;
    if let Some(name) = &filter.connector {
        let wanted = connector_source(&server, &caller, name).await?;
        sources = Some(BTreeSet::from([wanted]));
    }
    let filter = SnapshotFilter {
        repository,
        source: filter.source,
        sources: sources.map(|sources| sources.into_iter().collect()),
    };
    let listed = catalog
        .list_snapshots(&filter, &query.page(&server)?)
        .await?;
    let marks = Marks::of(&server, &listed.items).await?;
    Ok(Json(Paged::from_listed(&server, listed, |snapshot| {
        view(snapshot, &marks)
    })))
}

/// One snapshot, by its id or the beginning of it.
#[utoipa::path(get, path = "/snapshots/{id}", tag = "snapshots", operation_id = "snapshot_get", params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = SnapshotDetail), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<SnapshotDetail>, Problem> {
    let snapshot = reached(&server, &caller, &id).await?;
    let source = server.control.catalog.source_file(&snapshot.id).await?;
    let source: SourceFile = serde_json::from_str(&source).map_err(|error| {
        tracing::error!(%error, "the description of a snapshot");
        Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "catalog-damaged",
            "the snapshot's description is damaged",
        )
    })?;
    let marks = Marks::of(&server, std::slice::from_ref(&snapshot)).await?;
    Ok(Json(SnapshotDetail {
        snapshot: view(snapshot, &marks),
        stale: source
            .stale
            .into_iter()
            .map(|(kind, since)| (kind, since.to_string()))
            .collect(),
        issues: source.issues.len() as u64,
    }))
}
