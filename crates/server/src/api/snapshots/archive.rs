//! Parts of a snapshot as one download.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, header};
use catalog::{ItemFilter, KnownSnapshot, Page};
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

/// What the query names.
#[derive(Debug, Default)]
struct Asked {
    paths: Vec<String>,
    kinds: BTreeSet<String>,
    projects: BTreeSet<String>,
    whole: bool,
}

impl Asked {
    fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match &*name {
                "kind" | "project" if value.is_empty() => {
                    return Err(Problem::parameter(&name, "it names nothing"));
                }
                "path" => asked.paths.push(value.trim_matches('/').to_owned()),
                "kind" => drop(asked.kinds.insert(value.into_owned())),
                "project" => drop(asked.projects.insert(value.into_owned())),
                "whole" => {
                    let whole = value.parse();
                    asked.whole =
                        whole.map_err(|_| Problem::parameter("whole", "`true` or `false`"))?;
                }
                _ => {}
            }
        }
        match asked.paths.len() + asked.kinds.len() + asked.projects.len() {
            0 => Err(Problem::parameter("path", "which files or folders")),
            1..=MOST => Ok(asked),
            _ => Err(Problem::parameter("path", format!("at most {MOST}"))),
        }
    }

    /// The filters of the items that are named by kind or project, with the words for a person.
    fn filters(&self) -> impl Iterator<Item = (ItemFilter, String)> {
        let kinds = self.kinds.iter().map(|kind| {
            let filter = ItemFilter {
                kind: Some(kind.clone()),
                ..ItemFilter::default()
            };
            (filter, format!("no folders of the kind `{kind}`"))
        });
        let projects = self.projects.iter().map(|project| {
            let filter = ItemFilter {
                project: Some(project.clone()),
                ..ItemFilter::default()
            };
            (filter, format!("no project `{project}`"))
        });
        kinds.chain(projects)
    }

    /// The folders of the items that are named by kind or project.
    async fn listed(
        &self,
        server: &Server,
        snapshot: &KnownSnapshot,
    ) -> Result<BTreeSet<String>, Problem> {
        let (source, seq) = (&snapshot.source, snapshot.seq);
        let mut folders = BTreeSet::new();
        for (filter, none) in self.filters() {
            let mut has_some = false;
            let mut page = Some(Page::first(1000));
            while let Some(this) = page {
                let catalog = &server.control.catalog;
                let listed = catalog.items_at(source, seq, &filter, &this).await?;
                page = this.following(&listed);
                has_some |= !listed.items.is_empty();
                folders.extend(listed.items.into_iter().map(|entry| entry.path));
            }
            if !has_some {
                let detail = format!("the snapshot has {none}");
                return Err(Problem::not_found("selection-unknown", detail));
            }
        }
        Ok(folders)
    }

    /// Everything that was named, for the audit log.
    fn names(&self) -> Vec<String> {
        let kinds = self.kinds.iter().map(|kind| format!("kind: {kind}"));
        let projects = self.projects.iter().map(|name| format!("project: {name}"));
        let paths = self.paths.iter().cloned();
        paths.chain(kinds).chain(projects).collect()
    }
}

/// Files and folders as a ZIP (`application/zip`), with the names that `keepward export` gives them. `path`, `kind` and `project` may be given several
/// times, and add to each other; an empty path is everything. What is damaged breaks the connection: a download that ends well is whole.
#[utoipa::path(get, path = "/snapshots/{id}/archive", tag = "snapshots", operation_id = "snapshot_archive",
    params(("id" = String, Path),
        ("path" = Option<Vec<String>>, Query, description = "A file or folder, with `/` between names."),
        ("kind" = Option<Vec<String>>, Query, description = "All of a kind."),
        ("project" = Option<Vec<String>>, Query, description = "A project with all that belongs to it, by id or name."),
        ("whole" = Option<bool>, Query, description = "Each at its place in the snapshot, and not beside each other, with what holds its content: a wiki with the repository of its pages. So it is with a kind or a project in any case.")),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, description = "The archive.", body = String, content_type = "application/zip"), Refusals))]
async fn archive(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<(HeaderMap, Body), Problem> {
    let asked = Asked::parse(query.as_deref())?;
    let snapshot = reached(&server, &caller, &id).await?;
    let name = format!("{}-{}.zip", snapshot.name, short(&snapshot.id));
    let opened = server.library.snapshot(&snapshot).await?;
    let listed = asked.listed(&server, &snapshot).await?;
    let archive = if asked.whole || !listed.is_empty() {
        opened.archive_whole(&asked.paths, listed).await?
    } else {
        opened.archive(&asked.paths).await?
    };
    server
        .note_download(&caller, &snapshot, &asked.names())
        .await?;
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
