//! The store itself.

use std::fmt;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, Extensions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    Result,
};
use tokio::sync::watch;

use crate::plan::{Effect, Plan, Strike, Verdict};
use crate::state::{Operation, State};

/// The time that new objects get.
pub type Now = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// A store around another one, with faults. Clones share everything.
#[derive(Clone)]
pub struct FaultStore {
    inner: Arc<dyn ObjectStore>,
    state: Arc<Mutex<State>>,
    crashed: watch::Sender<bool>,
    now: Now,
}

impl FaultStore {
    /// Without faults until [`Self::arm`].
    pub fn new(inner: Arc<dyn ObjectStore>, now: Now) -> Self {
        Self {
            inner,
            state: Arc::new(Mutex::new(State::new(Plan::default()))),
            crashed: watch::Sender::new(false),
            now,
        }
    }

    /// Begins a plan. What was written before is seen by everyone and durable.
    pub fn arm(&self, plan: Plan) {
        self.state().arm(plan);
    }

    /// Ends when the process is to die.
    pub async fn crashed(&self) {
        // The sender lives as long as this borrow of it.
        self.crashed
            .subscribe()
            .wait_for(|crashed| *crashed)
            .await
            .ok();
    }

    /// Whether the process has died and nothing returns any more.
    fn is_down(&self) -> bool {
        *self.crashed.borrow()
    }

    /// The store after the crash, without faults. Says which acknowledged objects a forgetful store has lost or torn.
    pub async fn recover(&self) -> Result<Vec<Path>> {
        let lost = self.state().lost();
        for (path, torn) in &lost {
            if *torn && let Ok(found) = self.inner.get(path).await {
                let bytes = found.bytes().await?;
                let size = self.state().torn_size(bytes.len());
                self.inner.put(path, bytes.slice(..size).into()).await?;
            } else {
                match self.inner.delete(path).await {
                    Ok(()) | Err(Error::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.arm(Plan::default());
        self.crashed.send_replace(false);
        Ok(lost.into_iter().map(|(path, _)| path).collect())
    }

    /// Operations since the plan began.
    pub fn operations(&self) -> u64 {
        self.state().count
    }

    /// The faults that came true since the plan began.
    pub fn strikes(&self) -> Vec<Strike> {
        self.state().strikes.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, and says what happens to the operation; never returns once the process is dead.
    async fn enter(&self, operation: Operation, name: &str) -> Verdict {
        let pauses = self.state().pauses();
        for _ in 0..pauses {
            tokio::task::yield_now().await;
        }
        if self.is_down() {
            return pending().await;
        }
        self.state().decide(operation, name)
    }

    /// A read either passes or fails.
    async fn enter_read(&self, name: String) -> Result<()> {
        match self.enter(Operation::Read, &name).await {
            Verdict::Pass => Ok(()),
            verdict => self.end(verdict).await,
        }
    }

    /// The answer to an operation that did not pass.
    async fn end<T>(&self, verdict: Verdict) -> Result<T> {
        if matches!(verdict, Verdict::Die(_)) {
            self.crashed.send_replace(true);
            return pending().await;
        }
        let kind = if matches!(verdict, Verdict::Full(_)) {
            io::ErrorKind::StorageFull
        } else {
            io::ErrorKind::ConnectionReset
        };
        Err(Error::Generic {
            store: "fault",
            source: Box::new(io::Error::from(kind)),
        })
    }

    fn missing(at: &Path) -> Error {
        Error::NotFound {
            path: at.to_string(),
            source: "an injected fault".into(),
        }
    }

    /// With the time that this store gave it; `None` while it is not seen.
    fn seen(&self, mut meta: ObjectMeta) -> Option<ObjectMeta> {
        let state = self.state();
        if state.is_hidden(&meta.location) {
            return None;
        }
        if let Some(modified) = state.modified(&meta.location) {
            meta.last_modified = modified.into();
        }
        Some(meta)
    }

    async fn remove(&self, at: Path) -> Result<Path> {
        let verdict = self.enter(Operation::Delete, &format!("delete {at}")).await;
        let done = if verdict.effect() == Effect::Whole {
            let done = self.inner.delete(&at).await;
            self.state().removed(&at);
            done
        } else {
            Ok(())
        };
        match verdict {
            Verdict::Pass => done.map(|()| at),
            Verdict::Twice => Err(Self::missing(&at)),
            _ => self.end(verdict).await,
        }
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultStore").field(&self.inner).finish()
    }
}

impl fmt::Display for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with faults", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FaultStore {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let size = payload.content_length();
        let operation = Operation::Put { size: size as u64 };
        let verdict = self.enter(operation, &format!("put {at}")).await;
        let stored = match verdict.effect() {
            Effect::None => None,
            Effect::Whole => Some(payload),
            Effect::Torn => {
                let bytes: Vec<u8> = payload.iter().flatten().copied().collect();
                let size = self.state().torn_size(size);
                Some(bytes[..size].to_vec().into())
            }
        };
        let done = match stored {
            Some(stored) => {
                let done = self.inner.put_opts(at, stored, options).await?;
                let acknowledged = verdict == Verdict::Pass;
                self.state().written(at, (self.now)(), acknowledged);
                Some(done)
            }
            None => None,
        };
        match (verdict, done) {
            (Verdict::Pass, Some(done)) => Ok(done),
            (Verdict::Swallow, _) => Ok(PutResult {
                e_tag: None,
                version: None,
                extensions: Extensions::default(),
            }),
            _ => self.end(verdict).await,
        }
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.enter_read(format!("begin {at}")).await?;
        self.inner.put_multipart_opts(at, options).await
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.enter_read(format!("get {at}")).await?;
        let mut found = self.inner.get_opts(at, options).await?;
        found.meta = self.seen(found.meta).ok_or_else(|| Self::missing(at))?;
        Ok(found)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .then(move |at| {
                let store = store.clone();
                async move { store.remove(at?).await }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let prefix = prefix.cloned();
        let listing = async move {
            let name = format!("list {}", prefix.as_ref().map_or("", Path::as_ref));
            store.enter_read(name).await?;
            let all: Vec<ObjectMeta> = store.inner.list(prefix.as_ref()).try_collect().await?;
            let seen = all.into_iter().filter_map(|meta| store.seen(meta));
            Ok::<_, Error>(stream::iter(seen.map(Ok).collect::<Vec<_>>()))
        };
        stream::once(listing).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let name = format!("list {}", prefix.map_or("", Path::as_ref));
        self.enter_read(name).await?;
        let mut found = self.inner.list_with_delimiter(prefix).await?;
        let objects = std::mem::take(&mut found.objects);
        found.objects = objects
            .into_iter()
            .filter_map(|meta| self.seen(meta))
            .collect();
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.enter_read(format!("copy {from} to {to}")).await?;
        self.inner.copy_opts(from, to, options).await
    }
}
