//! Stored git repositories as people know them: branches, commits, folders, files.

mod views;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use catalog::Listed;
use control::browse::GitFile;
use serde::Deserialize;
use service::git::browse::Blob;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bytes::{Named, Source, StoredBytes};
use super::content::number;
use super::reached;
use crate::access::{Allowed, ReadContent};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};
use views::{GitCommitView, GitEntryView, GitLogView, GitRefView, GitRefsView};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(refs))
        .routes(routes!(commits))
        .routes(routes!(commit))
        .routes(routes!(tree))
        .routes(routes!(blob))
}

/// Which repository.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Place {
    /// Its folder in the snapshot: `git/<id>`. A wiki's repository is named in its document.
    path: String,
}

/// Which refs.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RefFilter {
    /// With this text in their names.
    #[param(required = false)]
    #[serde(default)]
    name: String,
}

/// The branches, tags and other refs, by name.
#[utoipa::path(get, path = "/snapshots/{id}/git/refs", tag = "snapshots", operation_id = "snapshot_git_refs",
    params(("id" = String, Path), Place, PageQuery, RefFilter),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = GitRefsView), Refusals))]
async fn refs(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<RefFilter>,
) -> Result<Json<GitRefsView>, Problem> {
    let page = query.page(&server)?;
    let snapshot = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&snapshot).await?;
    let git = snapshot.git(&place.path).await?;
    let after = page.after.as_deref().unwrap_or_default();
    let (items, more) = git.refs(&filter.name, after, page.limit as usize).await?;
    let next = items.last().filter(|_| more).map(|last| last.name.clone());
    let Paged { items, next } =
        Paged::from_listed(&server, Listed { items, next }, GitRefView::from);
    Ok(Json(GitRefsView {
        head: git.refs.head().map(str::to_owned),
        items,
        next,
    }))
}

/// Which commits.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Walk {
    /// A branch, a tag, a full name of a ref, or an id; `HEAD` when it is missing.
    #[param(required = false)]
    #[serde(default, rename = "ref")]
    revision: String,
    /// Only those that changed this file or folder.
    #[param(required = false)]
    #[serde(default)]
    file: String,
    /// Those behind this commit.
    #[param(required = false)]
    after: Option<String>,
    /// At most this many.
    #[param(required = false, minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// The history of a branch or commit, the newest first. `next` is the id of the last commit of the page.
#[utoipa::path(get, path = "/snapshots/{id}/git/commits", tag = "snapshots", operation_id = "snapshot_git_commits",
    params(("id" = String, Path), Place, Walk),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<GitLogView>), Refusals))]
async fn commits(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Query(walk): Query<Walk>,
) -> Result<Json<Paged<GitLogView>>, Problem> {
    let limit = PageQuery {
        after: None,
        limit: walk.limit,
    };
    let most = limit.page(&server)?.limit as usize;
    let snapshot = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&snapshot).await?;
    let git = snapshot.git(&place.path).await?;
    let (items, more) = git
        .commits(&walk.revision, &walk.file, walk.after.as_deref(), most)
        .await?;
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| last.id.to_string());
    let items = items.into_iter().map(GitLogView::from).collect();
    Ok(Json(Paged { items, next }))
}

/// Which commit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Commit {
    /// Its id, or a branch or tag.
    commit: String,
}

/// A commit, and what it changed against its first parent.
#[utoipa::path(get, path = "/snapshots/{id}/git/commit", tag = "snapshots", operation_id = "snapshot_git_commit",
    params(("id" = String, Path), Place, Commit),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = GitCommitView), Refusals))]
async fn commit(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Query(wanted): Query<Commit>,
) -> Result<Json<GitCommitView>, Problem> {
    let snapshot = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&snapshot).await?;
    let git = snapshot.git(&place.path).await?;
    Ok(Json(git.commit(&wanted.commit).await?.into()))
}

/// Which folder of a commit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Below {
    /// A branch, a tag, a full name of a ref, or an id, also that of a folder; `HEAD` when it is missing.
    #[param(required = false)]
    #[serde(default, rename = "ref")]
    revision: String,
    /// Names with `/` between them; empty for the top.
    #[param(required = false)]
    #[serde(default)]
    folder: String,
}

/// The entries of a folder in the history, in git's order. Folders whose names are no text are opened by their ids, as `ref`.
#[utoipa::path(get, path = "/snapshots/{id}/git/tree", tag = "snapshots", operation_id = "snapshot_git_tree",
    params(("id" = String, Path), Place, PageQuery, Below),
    extensions(("x-permission" = json!("read-content"))),
    responses((status = 200, body = Paged<GitEntryView>), Refusals))]
async fn tree(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Query(query): Query<PageQuery>,
    Query(below): Query<Below>,
) -> Result<Json<Paged<GitEntryView>>, Problem> {
    let page = query.page(&server)?;
    let from = number(&page)?;
    let snapshot = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&snapshot).await?;
    let git = snapshot.git(&place.path).await?;
    let found = git
        .tree(&below.revision, &below.folder, from, page.limit as usize)
        .await?;
    let listed = Listed {
        items: found.entries,
        next: found.next.map(|next| next.to_string()),
    };
    Ok(Json(Paged::from_listed(
        &server,
        listed,
        GitEntryView::from,
    )))
}

/// Which file of a commit.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct InCommit {
    /// A branch, a tag, a full name of a ref, or an id, also that of the file itself; `HEAD` when it is missing.
    #[param(required = false)]
    #[serde(default, rename = "ref")]
    revision: String,
    /// Names with `/` between them; empty when `ref` is the file's own id.
    #[param(required = false)]
    #[serde(default)]
    file: String,
    /// Answer with a download of this name; of the file's own name when it is empty.
    #[param(required = false)]
    download: Option<String>,
}

/// The bytes of a file in the history, as `content` gives those of a stored file. In the place of a pointer to a large file (LFS) comes the
/// large file, where the snapshot has it.
#[utoipa::path(get, path = "/snapshots/{id}/git/blob", tag = "snapshots", operation_id = "snapshot_git_blob",
    params(("id" = String, Path), Place, InCommit),
    extensions(("x-permission" = json!("read-content"))),
    responses(StoredBytes, Refusals))]
async fn blob(
    caller: Allowed<ReadContent>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Query(place): Query<Place>,
    Query(wanted): Query<InCommit>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = reached(&server, &caller, &id).await?;
    let snapshot = server.library.snapshot(&known).await?;
    let git = snapshot.git(&place.path).await?;
    let source = match git.file(&wanted.revision, &wanted.file).await? {
        GitFile::Stored(node) => Source::stored(&snapshot, node),
        GitFile::Blob(Blob::Small(bytes)) => Source::Memory(bytes.into()),
        GitFile::Blob(Blob::Large(file, size)) => Source::Disk(file, size),
    };
    let path = match wanted.file.as_str() {
        "" => "file",
        path => path,
    };
    let download = wanted.download.as_deref();
    let told = format!("{}:{path}", place.path);
    server
        .note_content(&caller, &known, &told, download.is_some())
        .await?;
    source.answer(&headers, &Named { path, download }).await
}
