//! What is in a snapshot: its folders, its files, and its items with their parts.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use catalog::{Listed, Page};
use repository::{Node, NodeType};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bytes::{Named, Source, StoredBytes};
use super::{reached, stale};
use crate::access::{Allowed, ReadContent};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(files))
        .routes(routes!(content))
        .routes(routes!(item))
}

/// The number of the entry that a page begins with.
pub(super) fn number(page: &Page) -> Result<usize, Problem> {
    match &page.after {
        Some(after) => after
            .parse()
            .map_err(|_| Problem::parameter("after", "not the `next` of a page")),
        None => Ok(0),
    }
}

/// A folder of a snapshot.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Folder {
    /// Names with `/` between them; empty for the top.
    #[param(required = false)]
    #[serde(default)]
    path: String,
}

/// A file or folder.
#[derive(Serialize, ToSchema)]
struct FileView {
    name: String,
    path: String,
    /// `folder`, `file`; in snapshots of other programs also `link` and `other`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[schema(format = DateTime)]
    modified: String,
}

impl FileView {
    fn new(folder: &str, node: Node) -> Self {
        let kind = match node.node_type {
            NodeType::Dir => "folder",
            NodeType::File => "file",
            NodeType::Symlink => "link",
            NodeType::Other(_) => "other",
        };
        let slash = if folder.is_empty() { "" } else { "/" };
        Self {
            path: format!("{folder}{slash}{}", node.name),
            kind,
            size: node.is_file().then_some(node.size),
            modified: node.mtime.to_string(),
            name: node.name,
        }
    }
}

/// The entries of a folder, by name.
#[utoipa::path(get, path = "/snapshots/{id}/files", tag = "snapshots", operation_id = "snapshot_files",
    params(("id" = String, Path), PageQuery, Folder),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<FileView>), Refusals))]
async fn files(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(query): Query<PageQuery>,
    Query(folder): Query<Folder>,
) -> Result<Json<Paged<FileView>>, Problem> {
    let page = query.page(&server)?;
    let from = number(&page)?;
    let snapshot = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&snapshot).await?;
    let (items, next) = snapshot
        .folder(&folder.path, from, page.limit as usize)
        .await?;
    let next = next.map(|next| next.to_string());
    Ok(Json(Paged::from_listed(
        &server,
        Listed { items, next },
        |node| FileView::new(&folder.path, node),
    )))
}

/// A file of a snapshot.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct File {
    /// Names with `/` between them.
    path: String,
    /// Answer with a download of this name; of the file's own name when it is empty.
    #[param(required = false)]
    download: Option<String>,
}

/// The bytes of a file as they are stored. Text and images (PNG, JPEG, GIF, WebP) are shown, everything else is a download; whatever a file
/// is called, nothing in it runs. One `Range` is understood.
#[utoipa::path(get, path = "/snapshots/{id}/content", tag = "snapshots", operation_id = "snapshot_content",
    params(("id" = String, Path), File),
    extensions(("x-permission" = json!("read-content"))),
    responses(StoredBytes, Refusals))]
async fn content(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(file): Query<File>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&known).await?;
    let node = snapshot.file(&file.path).await?;
    let taken = file.download.is_some();
    server
        .note_content(&caller, &known, &file.path, taken)
        .await?;
    let named = Named {
        path: &file.path,
        download: file.download.as_deref(),
    };
    Source::stored(&snapshot, node)
        .answer(&headers, &named)
        .await
}

/// Which item.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    kind: String,
    /// Its id.
    item: String,
}

/// A file of an item.
#[derive(Serialize, ToSchema)]
struct PartView {
    /// Below the item's folder.
    name: String,
    /// For `content`.
    path: String,
    size: u64,
}

/// An item with its files.
#[derive(Serialize, ToSchema)]
struct StoredItemView {
    kind: String,
    item: String,
    name: String,
    /// The project whose folder it lies in, or empty.
    project: String,
    /// Its folder in the snapshot.
    path: String,
    /// The document first. At most 500 or a few more: others are found folder by folder with `files`.
    parts: Vec<PartView>,
    /// There are others.
    more_parts: bool,
    /// It could not be read when the snapshot was made: this is how it was then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    stale_since: Option<String>,
    /// The service's own page for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// One item: its name, and which files it has. Their bytes are read with `content`.
#[utoipa::path(get, path = "/snapshots/{id}/item", tag = "snapshots", operation_id = "snapshot_item",
    params(("id" = String, Path), Wanted),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = StoredItemView), Refusals))]
async fn item(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<StoredItemView>, Problem> {
    let known = reached(&server, &caller, &id).await?;
    let catalog = &server.control.catalog;
    let versions = catalog
        .history(&known.source, &wanted.kind, &wanted.item)
        .await?;
    let holds = |first: i64, gone: Option<i64>| {
        first <= known.seq && gone.is_none_or(|gone| known.seq < gone)
    };
    let found = versions
        .into_iter()
        .find(|version| holds(version.first_seq, version.gone_seq));
    let found = found.ok_or_else(|| {
        let (kind, item) = (wanted.kind.escape_debug(), wanted.item.escape_debug());
        Problem::not_found(
            "file-unknown",
            format!("the snapshot has no {kind:.60} {item:.200}"),
        )
    })?;
    let before = stale::read_before(&server, &known, &found.item).await?;
    let snapshot = server.library.snapshot(&known).await?;
    let view = snapshot.item(&found.item).await?;
    let part = |part: service::PartInfo| PartView {
        path: format!("{}/{}", view.path, part.name),
        name: part.name,
        size: part.size,
    };
    Ok(Json(StoredItemView {
        parts: view.parts.into_iter().map(part).collect(),
        kind: view.item.kind,
        item: view.item.id,
        name: view.name,
        project: view.item.scope,
        path: view.path,
        more_parts: view.more,
        stale_since: before.map(|read| read.to_string()),
        url: view.url,
    }))
}
