//! A repository in a local folder.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::{leftover, listing};

/// A folder for this user alone, made at the first write; every write is on disk when it returns. What killed uploads left
/// can be listed and removed, and a file of a foreign name is passed over, where [`LocalFileSystem`] alone would fail.
pub(super) struct Local {
    root: PathBuf,
    inner: OnceLock<LocalFileSystem>,
}

impl Local {
    pub(super) fn new(root: PathBuf) -> Self {
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
        create_private(&self.root).map_err(|error| {
            let place = self.root.display();
            let message = format!("the folder {place} cannot be made: {error}");
            failed(std::io::Error::new(error.kind(), message))
        })?;
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

pub(super) fn failed(source: std::io::Error) -> object_store::Error {
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
            Ok(Some(_)) => listing::list(self.root.clone(), prefix),
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
