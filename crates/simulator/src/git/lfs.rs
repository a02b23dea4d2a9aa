//! Git LFS: the batch API with basic transfers, and the contents by SHA-256 for each repository.

use std::path::PathBuf;

use axum::body::Body as HttpBody;
use axum::http::{Method, StatusCode};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::bare::GitError;
use super::smart::Target;
use super::state::Repository;
use crate::auth;
use crate::server::{ApiError, Body, GitRequest, Reply};
use crate::world::{SharedWorld, World};

const MEDIA: &str = "application/vnd.git-lfs+json";
const BATCH_LIMIT: usize = 1000;

#[derive(Deserialize)]
struct Batch {
    operation: String,
    #[serde(default)]
    transfers: Vec<String>,
    objects: Vec<Object>,
    hash_algo: Option<String>,
}

impl Batch {
    /// Why it is not answered, by the table of statuses in git-lfs' document of the batch API.
    fn refusal(&self) -> Option<Reply> {
        let is_basic = |transfer: &String| transfer == "basic";
        let (status, message) =
            if !self.transfers.is_empty() && !self.transfers.iter().any(is_basic) {
                (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "Only the basic transfer is supported.",
                )
            } else if self.hash_algo.as_ref().is_some_and(|name| name != "sha256") {
                (StatusCode::CONFLICT, "Objects are known by their SHA-256.")
            } else if self.objects.len() > BATCH_LIMIT {
                (
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The batch has too many objects.",
                )
            } else {
                return None;
            };
        Some(failure(status, message))
    }
}

#[derive(Deserialize)]
struct Object {
    oid: String,
    size: u64,
}

/// Answers below `info/lfs/`.
pub(super) async fn handle(
    world: &SharedWorld,
    target: Target,
    rest: &str,
    request: GitRequest,
) -> Result<Reply, ApiError> {
    let method = request.request.method().clone();
    match (method, rest.split('/').collect::<Vec<_>>().as_slice()) {
        (Method::POST, ["objects", "batch"]) => batch(world, &target, request).await,
        (Method::POST, ["objects", "verify"]) => verify(world, &target, request).await,
        (Method::GET, ["objects", oid]) if is_oid(oid) => download(world, &target, oid).await,
        (Method::PUT, ["objects", oid]) if is_oid(oid) => {
            upload(world, &target, oid, request).await
        }
        _ => Ok(failure(StatusCode::NOT_FOUND, "Not found.")),
    }
}

fn is_oid(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn failure(status: StatusCode, message: &str) -> Reply {
    let mut reply = Reply::bytes(MEDIA, json!({"message": message}).to_string());
    reply.status = status;
    reply
}

async fn body(request: GitRequest) -> Result<bytes::Bytes, ApiError> {
    axum::body::to_bytes(request.request.into_body(), 16 << 20)
        .await
        .map_err(|error| ApiError::text(StatusCode::BAD_REQUEST, error.to_string()))
}

async fn batch(
    world: &SharedWorld,
    target: &Target,
    request: GitRequest,
) -> Result<Reply, ApiError> {
    let identity = request.identity.clone();
    let base = request.base.clone();
    let Ok(batch) = serde_json::from_slice::<Batch>(&body(request).await?) else {
        return Ok(failure(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The request is not a batch of LFS objects.",
        ));
    };
    if let Some(refused) = batch.refusal() {
        return Ok(refused);
    }
    let (upload, scope) = match batch.operation.as_str() {
        "download" => (false, "vso.code"),
        "upload" => (true, "vso.code_write"),
        _ => {
            return Ok(failure(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The operation is neither download nor upload.",
            ));
        }
    };
    if !identity.has(scope) {
        return Ok(auth::unauthorized());
    }
    let mut guard = world.write();
    let token = guard.add_pat(&target.organization, &[scope]);
    let organization = guard.organization(&target.organization)?;
    let Some(repository) = organization.git.get(target.id) else {
        return Ok(failure(
            StatusCode::NOT_FOUND,
            "The repository does not exist.",
        ));
    };
    let root = format!(
        "{base}/{}/_git/{}/info/lfs/objects",
        repository.project, repository.id
    );
    let links = Links { root, token };
    let objects: Vec<Value> = batch
        .objects
        .iter()
        .map(|object| links.answer(repository, object, upload))
        .collect();
    let answer = json!({"transfer": "basic", "objects": objects, "hash_algo": "sha256"});
    Ok(Reply::bytes(MEDIA, answer.to_string()))
}

struct Links {
    root: String,
    token: String,
}

impl Links {
    fn answer(&self, repository: &Repository, object: &Object, upload: bool) -> Value {
        let known = repository.lfs.get(&object.oid);
        match (upload, known) {
            (_, _) if !is_oid(&object.oid) => self.error(object, 422, "The oid is not a SHA-256."),
            (false, Some(size)) => json!({
                "oid": object.oid, "size": size, "authenticated": true,
                "actions": {"download": self.action(&object.oid)},
            }),
            (false, None) => self.error(object, 404, "Object does not exist."),
            (true, Some(size)) => json!({"oid": object.oid, "size": size, "authenticated": true}),
            (true, None) => json!({
                "oid": object.oid, "size": object.size, "authenticated": true,
                "actions": {"upload": self.action(&object.oid), "verify": self.action("verify")},
            }),
        }
    }

    fn action(&self, last: &str) -> Value {
        json!({
            "href": format!("{}/{last}", self.root),
            "header": {"Authorization": format!("Bearer {}", self.token)},
            "expires_in": 3600,
        })
    }

    #[expect(clippy::unused_self, reason = "beside `action`, for the reader")]
    fn error(&self, object: &Object, code: u16, message: &str) -> Value {
        json!({"oid": object.oid, "size": object.size, "error": {"code": code, "message": message}})
    }
}

/// Path and size of an object that the repository has.
fn find(world: &World, target: &Target, oid: &str) -> Option<(PathBuf, u64)> {
    let repository = world
        .organization(&target.organization)
        .ok()?
        .git
        .get(target.id)?;
    let size = repository.lfs.get(oid)?;
    Some((repository.lfs_path(oid), *size))
}

async fn download(world: &SharedWorld, target: &Target, oid: &str) -> Result<Reply, ApiError> {
    let found = find(&world.read(), target, oid);
    let Some((path, size)) = found else {
        return Ok(failure(StatusCode::NOT_FOUND, "Object does not exist."));
    };
    let file = tokio::fs::File::open(&path)
        .await
        .map_err(|source| GitError::Disk { path, source })?;
    let stream = HttpBody::from_stream(tokio_util::io::ReaderStream::with_capacity(file, 64 << 10));
    let mut reply =
        Reply::bytes("application/octet-stream", "").header("content-length", size.to_string());
    reply.body = Body::Stream(stream);
    Ok(reply)
}

async fn upload(
    world: &SharedWorld,
    target: &Target,
    oid: &str,
    request: GitRequest,
) -> Result<Reply, ApiError> {
    if !request.identity.has("vso.code_write") {
        return Ok(auth::unauthorized());
    }
    let folder = target.bare.path().join("lfs");
    let disk = |source| {
        ApiError::from(GitError::Disk {
            path: target.bare.path().join("lfs"),
            source,
        })
    };
    tokio::fs::create_dir_all(&folder).await.map_err(disk)?;
    let partial = folder.join(format!("{oid}.{}", uuid::Uuid::new_v4()));
    let mut file = tokio::fs::File::create(&partial).await.map_err(disk)?;
    let mut hash = Sha256::new();
    let mut size = 0;
    let mut chunks = request
        .request
        .into_body()
        .into_data_stream()
        .map_err(std::io::Error::other);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(disk)?;
        hash.update(&chunk);
        size += chunk.len() as u64;
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    if hex::encode(hash.finalize()) != oid.to_ascii_lowercase() {
        tokio::fs::remove_file(&partial).await.map_err(disk)?;
        return Ok(failure(
            StatusCode::BAD_REQUEST,
            "The content does not have the SHA-256 that its oid says.",
        ));
    }
    tokio::fs::rename(&partial, folder.join(oid))
        .await
        .map_err(disk)?;
    if let Some(repository) = world
        .write()
        .organization_mut(&target.organization)?
        .git
        .get_mut(target.id)
    {
        repository.lfs.insert(oid.to_owned(), size);
    }
    Ok(Reply::status(StatusCode::OK))
}

async fn verify(
    world: &SharedWorld,
    target: &Target,
    request: GitRequest,
) -> Result<Reply, ApiError> {
    let Ok(object) = serde_json::from_slice::<Object>(&body(request).await?) else {
        return Ok(failure(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The request does not name an object.",
        ));
    };
    let found = find(&world.read(), target, &object.oid);
    Ok(match found {
        Some((_, size)) if size == object.size => Reply::bytes(MEDIA, "{}"),
        _ => failure(StatusCode::NOT_FOUND, "Object does not exist."),
    })
}

/// Stores contents in a repository and returns the pointer file that is committed in their place.
pub(crate) fn store(repository: &mut Repository, contents: &[u8]) -> Result<String, ApiError> {
    let oid = hex::encode(Sha256::digest(contents));
    let path = repository.lfs_path(&oid);
    let disk = |source| {
        ApiError::from(GitError::Disk {
            path: path.clone(),
            source,
        })
    };
    std::fs::create_dir_all(repository.bare.path().join("lfs")).map_err(disk)?;
    std::fs::write(&path, contents).map_err(disk)?;
    repository.lfs.insert(oid.clone(), contents.len() as u64);
    Ok(format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {}\n",
        contents.len()
    ))
}

/// Gives a fork the objects of its parent.
pub(super) fn copy(from: &Repository, to: &mut Repository) -> Result<(), ApiError> {
    for (oid, size) in &from.lfs {
        let (source, target) = (from.lfs_path(oid), to.lfs_path(oid));
        let folder = to.bare.path().join("lfs");
        let disk = |error| {
            ApiError::from(GitError::Disk {
                path: folder.clone(),
                source: error,
            })
        };
        std::fs::create_dir_all(&folder).map_err(disk)?;
        std::fs::copy(source, target).map_err(disk)?;
        to.lfs.insert(oid.clone(), *size);
    }
    Ok(())
}
