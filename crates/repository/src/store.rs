//! Where a repository lies.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use crate::{Error, Result};

mod leftover;

pub(crate) use leftover::is_one as is_leftover;

/// A place as the user wrote it, made absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    Local(PathBuf),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => path.display().fmt(f),
        }
    }
}

/// Opens a path or `file://` URL. Nothing is created before the first write.
pub fn store_from(location: &str) -> Result<(Arc<dyn ObjectStore>, Location)> {
    let refused = |reason| Error::UnsupportedLocation {
        location: location.to_owned(),
        reason,
    };
    let path = match location.split_once("://") {
        Some(("file", path)) if path.starts_with('/') => PathBuf::from(path),
        Some(("file", _)) => return Err(refused("a file URL has three slashes: file:///folder")),
        Some(("s3" | "s3a" | "az" | "azure" | "abfs" | "abfss" | "gs" | "http" | "https", _)) => {
            return Err(refused("not in this version: give a local path"));
        }
        Some(_) => return Err(refused("unknown scheme: give a local path")),
        None if location.is_empty() => return Err(refused("it is empty")),
        None => PathBuf::from(location),
    };
    let path = std::path::absolute(&path)
        .map_err(|error| Error::io(format_args!("find {location}"), error))?;
    Ok((Arc::new(Local::new(path.clone())), Location::Local(path)))
}

/// A folder for this user alone, made at the first write; every write is on disk when it returns. What killed uploads left
/// can be listed and removed, which [`LocalFileSystem`] alone does not show.
struct Local {
    root: PathBuf,
    inner: OnceLock<LocalFileSystem>,
}

impl Local {
    fn new(root: PathBuf) -> Self {
        Self {
            root,
            inner: OnceLock::new(),
        }
    }

    /// `None` while the folder does not exist.
    fn existing(&self) -> StoreResult<Option<&LocalFileSystem>> {
        if self.inner.get().is_none() {
            if !self.root.exists() {
                return Ok(None);
            }
            let opened = LocalFileSystem::new_with_prefix(&self.root)?.with_fsync(true);
            return Ok(Some(self.inner.get_or_init(|| opened)));
        }
        Ok(self.inner.get())
    }

    fn created(&self) -> StoreResult<&LocalFileSystem> {
        if let Some(inner) = self.existing()? {
            return Ok(inner);
        }
        create_private(&self.root).map_err(failed)?;
        self.existing()?
            .ok_or_else(|| self.absent(&ObjectPath::default()))
    }

    fn absent(&self, location: &ObjectPath) -> object_store::Error {
        let source = std::io::Error::new(
            std::io::ErrorKind::NotFound,
            format!("{} does not exist", self.root.display()),
        );
        object_store::Error::NotFound {
            path: location.to_string(),
            source: Box::new(source),
        }
    }
}

/// The folder holds key files, which a password guesser would need.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn failed(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic {
        store: "local folder",
        source: Box::new(source),
    }
}

impl fmt::Debug for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&self.root).finish()
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.display().fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Local {
    async fn put_opts(
        &self,
        at: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.created()?.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &ObjectPath,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.created()?.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &ObjectPath, options: GetOptions) -> StoreResult<GetResult> {
        self.existing()?
            .ok_or_else(|| self.absent(at))?
            .get_opts(at, options)
            .await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<ObjectPath>>,
    ) -> BoxStream<'static, StoreResult<ObjectPath>> {
        match self.existing() {
            Ok(Some(inner)) => {
                let (inner, root) = (inner.clone(), self.root.clone());
                let delete = move |at: StoreResult<ObjectPath>| match at {
                    Ok(at) if leftover::is_one(&at) => leftover::remove(&root, at),
                    at => inner.delete_stream(stream::iter([at]).boxed()),
                };
                locations.flat_map(delete).boxed()
            }
            Ok(None) => locations,
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(&self, prefix: Option<&ObjectPath>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        match self.existing() {
            Ok(Some(inner)) => {
                let left = leftover::list(&self.root, prefix);
                inner.list(prefix).chain(stream::iter(left)).boxed()
            }
            Ok(None) => stream::empty().boxed(),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&ObjectPath>) -> StoreResult<ListResult> {
        self.existing()?
            .ok_or_else(|| self.absent(&ObjectPath::default()))?
            .list_with_delimiter(prefix)
            .await
    }

    async fn copy_opts(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: CopyOptions,
    ) -> StoreResult<()> {
        self.existing()?
            .ok_or_else(|| self.absent(from))?
            .copy_opts(from, to, options)
            .await
    }
}
