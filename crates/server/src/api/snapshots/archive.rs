//! Parts of a snapshot as one download.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use futures::stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reached;
use crate::access::{Allowed, ReadContent};
use crate::{Path, Problem, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new().routes(routes!(archive))
}

/// More paths are a folder that should have been chosen.
const MOST: usize = 1000;

/// Every `path` of the query.
fn paths(query: Option<&str>) -> Result<Vec<String>, Problem> {
    let pairs = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let named = pairs.filter(|(name, _)| name == "path");
    let paths: Vec<String> = named
        .map(|(_, path)| path.trim_matches('/').to_owned())
        .collect();
    match paths.len() {
        0 => Err(Problem::parameter("path", "which files or folders")),
        1..=MOST => Ok(paths),
        _ => Err(Problem::parameter("path", format!("at most {MOST}"))),
    }
}

/// Files and folders as a ZIP (`application/zip`), with the names that `keepward export` gives them. `path` may be given several times; an empty one
/// is everything. What is damaged breaks the connection: a download that ends well is whole.
#[utoipa::path(get, path = "/snapshots/{id}/archive", tag = "snapshots", operation_id = "snapshot_archive",
    params(("id" = String, Path), ("path" = Vec<String>, Query, description = "A file or folder, with `/` between names.")),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, description = "The archive.", body = String, content_type = "application/zip"), Refusals))]
async fn archive(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Problem> {
    let paths = paths(query.as_deref())?;
    let snapshot = reached(&server, &caller, &id).await?;
    let name = format!("{}-{}.zip", snapshot.name, short(&snapshot.id));
    let opened = server.library.snapshot(&snapshot).await?;
    let archive = opened.archive(&paths).await?;
    server.note_download(&caller, &snapshot, &paths).await?;
    let pieces = stream::try_unfold(archive, |mut archive| async move {
        match archive.next().await {
            Ok(piece) => Ok(piece.map(|piece| (piece, archive))),
            Err(error) => {
                tracing::warn!(%error, "an archive is broken off");
                Err(error)
            }
        }
    });
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/zip"),
    );
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", plain(&name)))
    {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok((headers, Body::from_stream(pieces)))
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// What every browser and file system takes.
fn plain(name: &str) -> String {
    let harmless = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_');
    name.chars()
        .map(|char| if harmless(char) { char } else { '-' })
        .collect()
}
