//! Stored git repositories, laid out on our own disk for as long as people look into them.
//!
//! They are named by the folder of their packs, so all snapshots in which a repository did not change share one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::future::{BoxFuture, FutureExt as _, Shared};
use futures::{StreamExt as _, TryStreamExt as _};
use repository::{Node, Repository, TreeId};
use service::git::browse::Bare;
use tempfile::TempDir;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio_util::task::TaskTracker;

use super::place::Place;
use crate::{Error, Result};

/// Bytes of packs on disk.
const LIMIT: u64 = 8 << 30;
/// What a request waits for; the work goes on without it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct Unpacked {
    work: PathBuf,
    state: Mutex<State>,
    limit: u64,
}

#[derive(Default)]
struct State {
    /// Made with the first one; only we may read it.
    folder: Option<Arc<Place>>,
    kept: HashMap<TreeId, Kept>,
}

struct Kept {
    bytes: u64,
    used: Instant,
    made: Made,
}

type Made = Shared<BoxFuture<'static, Result<Arc<Laid>, repository::Error>>>;

/// One that is laid out; its files go with it.
pub(super) struct Laid {
    pub(super) bare: Bare,
    folder: TempDir,
    _all: Arc<Place>,
}

impl Laid {
    /// For large files that are read out of it.
    pub(super) fn work(&self) -> &Path {
        self.folder.path()
    }
}

impl Unpacked {
    pub(super) fn new(work: PathBuf) -> Self {
        Self {
            work,
            state: Mutex::default(),
            limit: LIMIT,
        }
    }

    /// The packs of a folder (`objects/pack`), laid out now or earlier.
    pub(super) async fn get(
        &self,
        repository: &Repository,
        packs: TreeId,
        tasks: &TaskTracker,
    ) -> Result<Arc<Laid>> {
        let made = match self.known(packs) {
            Some(made) => made,
            None => self.begin(repository, packs, tasks).await?,
        };
        match tokio::time::timeout(PATIENCE, made).await {
            Ok(Ok(laid)) => Ok(laid),
            Ok(Err(error)) => {
                // Storage may be back when somebody asks again.
                self.lock().kept.remove(&packs);
                Err(error.into())
            }
            Err(_) => Err(Error::coded("content-preparing")),
        }
    }

    fn known(&self, packs: TreeId) -> Option<Made> {
        let mut state = self.lock();
        let kept = state.kept.get_mut(&packs)?;
        kept.used = Instant::now();
        Some(kept.made.clone())
    }

    async fn begin(
        &self,
        repository: &Repository,
        packs: TreeId,
        tasks: &TaskTracker,
    ) -> Result<Made> {
        let (nodes, _) = repository.entries(packs, 0, usize::MAX).await?;
        let bytes: u64 = nodes.iter().map(|node| node.size).sum();
        if bytes > self.limit {
            return Err(Error::Request {
                code: "content-too-large",
                message: "the stored repository is too large to be laid out for browsing"
                    .to_owned(),
            });
        }
        let all = self.folder()?;
        let mut state = self.lock();
        if let Some(kept) = state.kept.get(&packs) {
            return Ok(kept.made.clone());
        }
        state.make_room(self.limit - bytes);
        let task = tasks.spawn(lay_out(repository.clone(), nodes, all));
        let made = async move {
            let ended = |error: tokio::task::JoinError| failed(std::io::Error::other(error));
            task.await.map_err(ended)?.map(Arc::new)
        };
        let made = made.boxed().shared();
        let kept = Kept {
            bytes,
            used: Instant::now(),
            made: made.clone(),
        };
        state.kept.insert(packs, kept);
        Ok(made)
    }

    fn folder(&self) -> Result<Arc<Place>> {
        let mut state = self.lock();
        if let Some(folder) = &state.folder {
            return Ok(Arc::clone(folder));
        }
        let made = Place::make(&self.work).map_err(|source| Error::Io {
            what: format!("cannot make a folder in {}", self.work.display()),
            source,
        })?;
        Ok(Arc::clone(state.folder.insert(Arc::new(made))))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets go what was not used for longest, until no more than this is left. Who reads one at the moment reads on.
    fn make_room(&mut self, most: u64) {
        let mut all: u64 = self.kept.values().map(|kept| kept.bytes).sum();
        while all > most {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.used);
            let Some(oldest) = oldest.map(|(packs, _)| *packs) else {
                break;
            };
            let gone = self.kept.remove(&oldest);
            all -= gone.map_or(0, |kept| kept.bytes);
        }
    }
}

async fn lay_out(
    repository: Repository,
    nodes: Vec<Node>,
    all: Arc<Place>,
) -> Result<Laid, repository::Error> {
    let folder = tempfile::tempdir_in(all.path()).map_err(failed)?;
    let bare = Bare::make(folder.path()).await;
    let bare = bare.map_err(|error| failed(std::io::Error::other(error)))?;
    for node in nodes.iter().filter(|node| node.is_file()) {
        let Some(place) = bare.place(&node.name) else {
            continue;
        };
        let mut file = File::create_new(&place).await.map_err(failed)?;
        let mut pieces = repository.stream_range(node, 0..u64::MAX).await?.boxed();
        while let Some(piece) = pieces.try_next().await? {
            file.write_all(&piece).await.map_err(failed)?;
        }
        file.flush().await.map_err(failed)?;
    }
    Ok(Laid {
        bare,
        folder,
        _all: all,
    })
}

fn failed(error: std::io::Error) -> repository::Error {
    let action = "lay a git repository out for browsing".to_owned();
    if error.kind() == std::io::ErrorKind::StorageFull {
        return repository::Error::StorageFull(action);
    }
    repository::Error::Io {
        action,
        source: Arc::new(error),
    }
}
