//! What lies in a local folder: every file, unfinished uploads included, which [`object_store::local::LocalFileSystem`] hides.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, Result as StoreResult};
use walkdir::WalkDir;

use super::local::failed;

pub(super) fn list(
    root: PathBuf,
    prefix: Option<&ObjectPath>,
) -> BoxStream<'static, StoreResult<ObjectMeta>> {
    let folder = prefix.map_or_else(|| root.clone(), |prefix| root.join(prefix.as_ref()));
    let found = async move {
        let walk = tokio::task::spawn_blocking(move || walk(&root, &folder));
        walk.await
            .map_err(std::io::Error::from)
            .flatten()
            .map_err(failed)
    };
    let each = |found: Vec<ObjectMeta>| stream::iter(found).map(Ok);
    stream::once(found).map_ok(each).try_flatten().boxed()
}

fn walk(root: &Path, folder: &Path) -> std::io::Result<Vec<ObjectMeta>> {
    let mut found = Vec::new();
    for entry in WalkDir::new(folder).follow_links(true) {
        let entry = match entry.map_err(std::io::Error::from) {
            // Removed since, a link that leads nowhere, or no folder yet.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entry => entry?,
        };
        let meta = match entry.metadata().map_err(std::io::Error::from) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            meta => meta?,
        };
        if !meta.is_file() {
            continue;
        }
        let Some(location) = location(root, entry.path()) else {
            tracing::debug!(path = %entry.path().display(), "no file of a repository has such a name");
            continue;
        };
        found.push(ObjectMeta {
            location,
            last_modified: meta.modified()?.into(),
            size: meta.len(),
            e_tag: None,
            version: None,
        });
    }
    Ok(found)
}

/// `None` for a name that no object has: not UTF-8, or with control characters.
fn location(root: &Path, path: &Path) -> Option<ObjectPath> {
    let parts = path.strip_prefix(root).ok()?.components();
    let names: Option<Vec<&str>> = parts.map(|part| part.as_os_str().to_str()).collect();
    ObjectPath::parse(names?.join("/")).ok()
}
