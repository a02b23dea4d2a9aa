//! Where something was: search over names and texts of all snapshots.

use std::collections::BTreeMap;

use axum::extract::State;
use catalog::{KnownSnapshot, Piece, Query as Words, SourceKey, TextFilter, TextHit};
use jiff::Timestamp;
use model::Permission;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::items::{ItemView, SnapshotRef};
use super::{connector_source, reached, repositories, sources};
use crate::access::{Allowed, Caller, ReadStatus};
use crate::{Json, PageQuery, Paged, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(search))
}

/// What to look for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// Words that the name, id and text together have: `login fails`, `"log in"` next to each other, `-closed` nowhere, `pay*` as a beginning of
    /// three letters or more. Nothing is a mistake; what has no word finds nothing.
    q: String,
    /// Of this kind.
    #[param(required = false)]
    kind: Option<String>,
    /// In this project, by its name (of any time) or id, in whatever case; where none is called so, in those with this in their names.
    #[param(required = false)]
    project: Option<String>,
    /// In a snapshot from this time on (RFC 3339).
    #[param(required = false)]
    since: Option<String>,
    /// In a snapshot up to this time.
    #[param(required = false)]
    until: Option<String>,
    /// Of this connector's organization or tenant.
    #[param(required = false)]
    connector: Option<String>,
    /// Only in the source of this snapshot.
    #[param(required = false)]
    snapshot: Option<String>,
}

impl Wanted {
    async fn filter(&self, server: &Server, caller: &Caller) -> Result<TextFilter, Problem> {
        let mut sources = sources(server, caller).await?;
        if let Some(name) = &self.connector {
            sources = Some([connector_source(server, caller, name).await?].into());
        }
        let source = match &self.snapshot {
            Some(id) => Some(reached(server, caller, id).await?.source),
            None => None,
        };
        Ok(TextFilter {
            kind: self.kind.clone(),
            project: self.project.clone(),
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            source,
            sources,
            names_only: !caller.may(Permission::ReadContent),
            bare: false,
        })
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let parsed = text.map(str::parse::<Timestamp>).transpose();
    parsed.map_err(|_| Problem::parameter(name, "not a time like 2026-11-22T10:00:00Z"))
}

/// An item that was found: its newest version that matches.
#[derive(Serialize, ToSchema)]
struct HitView {
    repository: String,
    service: String,
    source: String,
    /// Where the source is: two sources at two addresses may have one name.
    address: String,
    /// The project's name, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    /// This version is in the newest snapshot.
    current: bool,
    /// The last snapshot that has this version, within the time that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<SnapshotRef>,
    item: ItemView,
    /// The text around the first hit in it, in pieces that follow each other; empty where only the name has it, and for callers who may not
    /// read content.
    excerpt: Vec<PieceView>,
}

/// A piece of an excerpt.
#[derive(Serialize, ToSchema)]
struct PieceView {
    text: String,
    /// It was looked for.
    hit: bool,
}

impl From<Piece> for PieceView {
    fn from(piece: Piece) -> Self {
        Self {
            text: piece.text,
            hit: piece.hit,
        }
    }
}

/// Items by words of their names, ids and texts, over all times: what is gone is found too, each as its newest version that matches. What is found by its
/// name comes first. Callers without `read-content` find names alone.
#[utoipa::path(get, path = "/search", tag = "snapshots", operation_id = "item_search", params(PageQuery, Wanted),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<HitView>), Refusals))]
async fn search(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Paged<HitView>>, Problem> {
    let filter = wanted.filter(&server, &caller).await?;
    let catalog = &server.control.catalog;
    let words = Words::parse(&wanted.q);
    let listed = catalog
        .search_text(&words, &filter, &query.page(&server)?)
        .await?;
    let mut snapshots: BTreeMap<SourceKey, Vec<KnownSnapshot>> = BTreeMap::new();
    for hit in &listed.items {
        if !snapshots.contains_key(&hit.source) {
            let known = catalog.source_snapshots(&hit.source).await?;
            snapshots.insert(hit.source.clone(), known);
        }
    }
    let names = repositories(&server).await?;
    Ok(Json(Paged::from_listed(&server, listed, |hit| {
        let known = snapshots.get(&hit.source).map_or(&[][..], Vec::as_slice);
        view(hit, known, &filter, &names)
    })))
}

fn view(
    hit: TextHit,
    snapshots: &[KnownSnapshot],
    filter: &TextFilter,
    names: &BTreeMap<String, String>,
) -> HitView {
    // The newest first.
    let mut holding = snapshots.iter().filter(|snapshot| {
        snapshot.seq >= hit.entry.first_seq
            && hit.entry.gone_seq.is_none_or(|gone| snapshot.seq < gone)
            && filter.since.is_none_or(|since| snapshot.time >= since)
            && filter.until.is_none_or(|until| snapshot.time <= until)
    });
    let id = hit.source.repository;
    HitView {
        repository: names.get(&id).cloned().unwrap_or(id),
        service: hit.source.id.service,
        source: hit.source_name,
        address: hit.source.id.address,
        project: hit.project,
        current: hit.entry.gone_seq.is_none(),
        snapshot: holding.next().map(SnapshotRef::of),
        item: hit.entry.into(),
        excerpt: hit.excerpt.into_iter().map(PieceView::from).collect(),
    }
}
