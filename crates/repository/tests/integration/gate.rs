//! A store that stops at a chosen operation until it is told to go on.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Semaphore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Read,
    Write,
    Remove,
}

#[derive(Debug)]
pub(crate) struct Gate {
    inner: Arc<dyn ObjectStore>,
    at: At,
    folder: &'static str,
    reached: Semaphore,
    open: Arc<Semaphore>,
}

impl Gate {
    /// Stops at each such operation in a folder.
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, at: At, folder: &'static str) -> Arc<Self> {
        Arc::new(Self {
            inner,
            at,
            folder,
            reached: Semaphore::new(0),
            open: Arc::new(Semaphore::new(0)),
        })
    }

    /// Waits until an operation stands at the gate.
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    /// Lets one operation pass.
    pub(crate) fn pass(&self) {
        self.open.add_permits(1);
    }

    /// Lets everything pass from now on.
    pub(crate) fn open(&self) {
        self.open.add_permits(1_000_000);
    }

    fn stands(&self, at: At, path: &Path) -> bool {
        let stands = at == self.at && path.as_ref().starts_with(self.folder);
        if stands {
            self.reached.add_permits(1);
        }
        stands
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store with a gate")
    }
}

#[async_trait]
impl ObjectStore for Gate {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if self.stands(At::Write, at) {
            self.open.acquire().await.unwrap().forget();
        }
        self.inner.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        if self.stands(At::Read, at) {
            self.open.acquire().await.unwrap().forget();
        }
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        // Files are removed one by one here: whatever is removed first stands at the gate for all.
        let locations: Vec<_> = futures::executor::block_on(locations.collect());
        let wait = locations
            .iter()
            .flatten()
            .any(|path| self.stands(At::Remove, path));
        let (open, inner) = (Arc::clone(&self.open), Arc::clone(&self.inner));
        stream::once(async move {
            if wait {
                open.acquire().await.unwrap().forget();
            }
            inner.delete_stream(stream::iter(locations).boxed())
        })
        .flatten()
        .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
